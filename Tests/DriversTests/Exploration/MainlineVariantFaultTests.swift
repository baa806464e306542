import Testing

@testable import CallEngines

/// Faults in what only the variants of mainline do.
@Suite struct MainlineVariantFaultTests {
  typealias Point = Mainline.Point

  static let faults: [EngineFault] = kickFaults + wakeupFaults + deferralFaults + entryFaults

  private static let kickFaults: [EngineFault] = [
    EngineFault(
      name: "the first is kicked, and that was it", engine: "mainline:mask-never",
      scenario: "cpus 3\ncpu 0: many 1-2 f wait",
      redirects: Redirect.always(at: Point.kickSends, not: Point.kickPolls, but: Point.manyRunsLocally),
      violates: .noDeadlock),
    EngineFault(
      name: "nobody is kicked", engine: "mainline:mask-never", scenario: "cpus 3\ncpu 0: many 1-2 f wait",
      redirects: Redirect.always(at: Point.manyAdds, not: Point.kickPolls, but: Point.manyRunsLocally),
      violates: .noDeadlock),
    EngineFault(
      name: "no mask IPI for one", engine: "mainline:mask-always", scenario: "cpu 0: many 1 f wait",
      redirects: Redirect.drop(Point.manyKicks, next: Point.manyRunsLocally), violates: .noDeadlock),
    EngineFault(
      name: "no IPI for who polls", engine: "mainline:no-polling", scenario: "cpu 0: single 1 f wait\ncpu 1: idle",
      redirects: Redirect.drop(Point.kickSends, next: Point.execWaits), violates: .noDeadlock),
  ]

  private static let wakeupFaults: [EngineFault] = [
    EngineFault(
      name: "the run queue is not locked", engine: "mainline:no-ttwu-queue",
      scenario: "cpus 3\ncpu 0: wakeup 2 t\ncpu 1: wakeup 2 u",
      redirects: Redirect.drop(Point.wakeupLocks, next: Point.wakeupPlaces), violates: .serialisedPerTarget),
    EngineFault(
      name: "the run queue stays locked", engine: "mainline:no-ttwu-queue", scenario: "cpu 0: wakeup 1 t; wakeup 1 u",
      redirects: Redirect.drop(Point.wakeupUnlocks, next: Point.returns), violates: .noDeadlock),
    EngineFault(
      name: "the task is not put onto the run queue", engine: "mainline:no-ttwu-queue", scenario: "cpu 0: wakeup 1 t",
      redirects: Redirect.drop(Point.wakeupPlaces, next: Point.wakeupPolls), violates: .reachesAll),
    EngineFault(
      name: "nobody looks who polls", engine: "mainline:no-ttwu-queue", scenario: "cpu 0: wakeup 1 t\ncpu 1: idle",
      redirects: Redirect.drop(Point.wakeupPolls, next: Point.wakeupSends), violates: .noInterrupt),
    EngineFault(
      name: "who idles is not told", engine: "mainline:no-ttwu-queue",
      scenario: "cpu 0: lock A; wakeup 1 t; lock A\ncpu 1: idle; unlock A",
      redirects: Redirect.drop(Point.wakeupPolls, next: Point.wakeupUnlocks), violates: .noDeadlock),
    EngineFault(
      name: "no reschedule IPI", engine: "mainline:no-ttwu-queue,no-polling",
      scenario: "cpu 0: lock A; wakeup 1 t; lock A\ncpu 1: idle; unlock A",
      redirects: Redirect.drop(Point.wakeupSends, next: Point.wakeupUnlocks), violates: .noDeadlock),
    EngineFault(
      name: "a reschedule IPI brings nothing", engine: "mainline:no-ttwu-queue,no-polling",
      scenario: "cpu 0: lock A; wakeup 1 t; lock A\ncpu 1: idle; unlock A",
      redirects: Redirect.drop(Point.reschedules, next: Point.raisedHandler), violates: .noDeadlock),
  ]

  private static let deferralFaults: [EngineFault] = [
    EngineFault(
      name: "work is not marked", engine: "mainline:deferral", scenario: "cpu 0: async 1 a f defer\ncpu 1: user",
      redirects: Redirect.drop(Point.execMarks, next: Point.execAdds), violates: .noInterrupt),
    EngineFault(
      name: "nobody looks behind the add", engine: "mainline:deferral",
      scenario: "cpu 0: async 1 a f defer\ncpu 1: user; kernel",
      redirects: Redirect.drop(Point.kickLooks, next: Point.execWaits), violates: .noLostCallback),
    EngineFault(
      name: "who cannot wait does not take the mark back", engine: "mainline:deferral",
      scenario: "cpu 0: async 1 a f defer; single 1 g wait\ncpu 1: user",
      redirects: Redirect.drop(Point.kickUnmarks, next: Point.execWaits), violates: .noDeadlock),
    EngineFault(
      name: "who finds the mark does not kick", engine: "mainline:deferral",
      scenario: "cpu 0: async 1 a f defer; single 1 g wait\ncpu 1: user",
      redirects: Redirect.always(at: Point.kickUnmarks, not: Point.kickPolls, but: Point.execWaits),
      violates: .noDeadlock),
    EngineFault(
      name: "a call to several does not take the mark back", engine: "mainline:deferral",
      scenario: "cpu 0: async 1 a f defer; many 1 g wait\ncpu 1: user",
      redirects: Redirect.drop(Point.manyUnmarks, next: Point.manyRunsLocally), violates: .noDeadlock),
    EngineFault(
      name: "the naive form does not mark", engine: "mainline:deferral-naive",
      scenario: "cpu 0: async 1 a f defer\ncpu 1: user",
      redirects: Redirect.drop(Point.kickMarks, next: Point.kickPolls), violates: .noInterrupt),
    EngineFault(
      name: "the naive form does not mark for several", engine: "mainline:deferral-naive",
      scenario: "cpu 0: many 1 f defer\ncpu 1: user",
      redirects: Redirect.drop(Point.manyMarks, next: Point.kickSends), violates: .noInterrupt),
  ]

  private static let entryFaults: [EngineFault] = [
    EngineFault(
      name: "the kernel is entered without a look", engine: "mainline:deferral",
      scenario: "cpu 0: async 1 a f defer\ncpu 1: user; kernel",
      redirects: Redirect.drop(CommonPoint.kernelEntry, next: CommonPoint.kernelEntered), violates: .noLostCallback),
    EngineFault(
      name: "the way into the kernel drops what it takes", engine: "mainline:deferral",
      scenario: "cpu 0: async 1 a f defer\ncpu 1: user; kernel",
      redirects: Redirect.always(at: Point.idleExit, not: Point.firstPass, but: Point.flushEnds),
      violates: .noLostCallback),
  ]

  @Test(arguments: faults) func isFound(_ fault: EngineFault) throws { try fault.check() }
}
