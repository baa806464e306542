import Testing

@testable import CallEngines

@Suite struct LockLess2014FaultTests {
  typealias Point = LockLess2014.Point

  static let faults: [EngineFault] = [
    EngineFault(
      name: "no kick", engine: "llist-2014", scenario: "cpu 0: single 1 f wait",
      redirects: Redirect.drop(Point.execKicks, next: Point.execWaits), violates: .noDeadlock),
    EngineFault(
      name: "kick before the add", engine: "llist-2014", scenario: "cpu 0: single 1 f",
      redirects: [
        Redirect(to: Point.execAdds.rawValue, instead: Point.execKicks.rawValue),
        Redirect(from: Point.execKicks.rawValue, to: Point.execWaits.rawValue, instead: Point.execAdds.rawValue),
        Redirect(from: Point.execAdds.rawValue, to: Point.execKicks.rawValue, instead: Point.execWaits.rawValue),
      ], violates: .noLostCallback),
    EngineFault(
      name: "the caller does not wait for the unlock", engine: "llist-2014", scenario: "cpu 0: single 1 f wait",
      redirects: Redirect.drop(Point.execWaits, next: Point.execReturns), violates: .waitsForAll),
    EngineFault(
      name: "csd_lock() does not look", engine: "llist-2014", scenario: "cpu 0: async 1 c f; async 1 c g",
      redirects: Redirect.drop(Point.execLockWaits, next: Point.execLocks), violates: .noCSDReuse),
    EngineFault(
      name: "csd_lock() does not set", engine: "llist-2014", scenario: "cpu 0: single 1 f; single 1 g",
      redirects: Redirect.drop(Point.execLocks, next: Point.execFills), violates: .noCSDReuse),
    EngineFault(
      name: "an offline target is called", engine: "llist-2014", scenario: "offline 1\ncpu 0: single 1 f",
      redirects: Redirect.always(at: Point.execChecks, not: Point.execRefuses, but: Point.execLockWaits),
      violates: .noLostCallback),
    EngineFault(
      name: "the flush unlocks and does not run", engine: "llist-2014", scenario: "cpu 0: single 1 f wait",
      redirects: Redirect.always(at: Point.flushWarns, not: Point.flushRuns, but: Point.flushUnlocks),
      violates: .waitsForAll),
    EngineFault(
      name: "the dying stage does not take the queue", engine: "llist-2014", scenario: "cpu 0: single 1 f; down 1",
      redirects: Redirect.always(at: Point.dying, not: Point.flushTakes, but: Point.flushRuns),
      violates: .noLostCallback),
    EngineFault(
      name: "the handler takes to print, and nobody warned", engine: "llist-2014:mail", scenario: "cpu 0: single 1 f",
      redirects: Redirect.always(at: Point.handlerChecks, not: Point.flushTakes, but: Point.handlerTakes),
      violates: .noLostCallback),
    EngineFault(
      name: "a call to several does not wait", engine: "llist-2014", scenario: "cpus 3\ncpu 0: many 1-2 f wait",
      redirects: Redirect.always(at: Point.manyKicks, not: Point.manyWaits, but: Point.eachRunsLocally),
      violates: .waitsForAll),
    EngineFault(
      name: "a call to each leaves out its own CPU", engine: "llist-2014", scenario: "cpu 0: each 0-1 f wait",
      redirects: Redirect.drop(Point.eachRunsLocally, next: Point.manyReturns), violates: .reachesAll),
  ]

  @Test(arguments: faults) func isFound(_ fault: EngineFault) throws { try fault.check() }
}
