import Testing

@testable import CallEngines

@Suite struct MainlineFaultTests {
  typealias Point = Mainline.Point

  static let faults: [EngineFault] = [
    EngineFault(
      name: "no kick", engine: "mainline", scenario: "cpu 0: single 1 f wait",
      redirects: Redirect.drop(Point.kickPolls, next: Point.execWaits), violates: .noDeadlock),
    EngineFault(
      name: "a polling CPU is kicked before the add", engine: "mainline",
      scenario: "cpu 0: async 1 a f\ncpu 1: idle",
      redirects: Redirect.swap(Point.execAdds, Point.kickPolls, then: Point.execWaits), violates: .noLostCallback),
    EngineFault(
      name: "nobody looks who polls", engine: "mainline", scenario: "cpu 0: single 1 f wait\ncpu 1: idle",
      redirects: Redirect.drop(Point.kickPolls, next: Point.kickSends), violates: .noInterrupt),
    EngineFault(
      name: "idle is left with what was taken", engine: "mainline", scenario: "cpu 0: async 1 a f\ncpu 1: idle",
      redirects: Redirect.always(at: Point.idleExit, not: Point.firstPass, but: Point.flushEnds),
      violates: .noLostCallback),
    EngineFault(
      name: "polling is not cleared before the flush", engine: "mainline",
      scenario: "cpu 0: async 1 a f; async 1 b f\ncpu 1: idle",
      redirects: Redirect.drop(CommonPoint.idleLeaves, next: CommonPoint.idleFlushes), violates: .noLostCallback),
    EngineFault(
      name: "a call does not wait", engine: "mainline", scenario: "cpu 0: many 1 f wait",
      redirects: Redirect.drop(Point.manyWaits, next: Point.returns), violates: .waitsForAll),
    EngineFault(
      name: "SYNC is unlocked before it runs", engine: "mainline", scenario: "cpu 0: single 1 f wait",
      redirects: Redirect.drop(Point.syncRuns, next: Point.asyncUnlocks), violates: .waitsForAll),
    EngineFault(
      name: "wakeups run before the second pass", engine: "mainline", scenario: "cpu 0: wakeup 1 t; async 1 a f",
      redirects: Redirect.drop(Point.secondPass, next: Point.wakeupsRun), violates: .classOrder),
    EngineFault(
      name: "ASYNC is unlocked and not run", engine: "mainline", scenario: "cpu 0: async 1 a f",
      redirects: Redirect.drop(Point.asyncRuns, next: Point.secondPass), violates: .noLostCallback),
    EngineFault(
      name: "PENDING is cleared, and that was it", engine: "mainline", scenario: "cpu 0: irq-work 1 w f",
      redirects: Redirect.drop(Point.workRuns, next: Point.workClearsBusy), violates: .noLostCallback),
    EngineFault(
      name: "an own work is not raised", engine: "mainline", scenario: "cpu 0: irq-work 0 w f",
      redirects: Redirect.drop(Point.irqWorkSends, next: Point.returns), violates: .noLostCallback),
    EngineFault(
      name: "several are kicked as one", engine: "mainline", scenario: "cpus 3\ncpu 0: many 1-2 f wait",
      redirects: Redirect.drop(Point.manyKicks, next: Point.kickSends), violates: .noDeadlock),
    EngineFault(
      name: "the csd is not waited for", engine: "mainline", scenario: "cpu 0: single 1 f; single 1 g",
      redirects: Redirect.drop(Point.singleLocks, next: Point.singleFills), violates: .noCSDReuse),
    EngineFault(
      name: "-ENXIO leaves the csd locked", engine: "mainline", scenario: "offline 1\ncpu 0: single 1 f; single 0 g",
      redirects: Redirect.drop(Point.execRefuses, next: Point.returns), violates: .noDeadlock),
    EngineFault(
      name: "the dying CPU does not run its works", engine: "mainline",
      scenario: "cpu 0: down 1\ncpu 1: irq-work 1 w f",
      redirects: Redirect.always(at: Point.raisedTakes, not: Point.workClearsPending, but: Point.flushEnds),
      violates: .noLostCallback),
    EngineFault(
      name: "the dying CPU does not run its queue", engine: "mainline", scenario: "cpu 0: async 1 a f; down 1",
      redirects: Redirect.always(at: Point.dying, not: Point.firstPass, but: Point.flushEnds),
      violates: .noLostCallback),
  ]

  @Test(arguments: faults) func isFound(_ fault: EngineFault) throws { try fault.check() }
}
