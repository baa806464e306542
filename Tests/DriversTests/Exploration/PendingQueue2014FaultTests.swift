import Testing

@testable import CallEngines

@Suite struct PendingQueue2014FaultTests {
  typealias Point = PendingQueue2014.Point
  typealias Base = LockLess2014.Point

  static let again = "cpu 0: queue 1 q f -> 0; queue 1 q f -> 0"

  static let faults: [EngineFault] = [
    EngineFault(
      name: "the target does not swap", engine: "queue-2014:unlock-first", scenario: again,
      redirects: Redirect.drop(Point.trampolineSwaps, next: Point.trampolineCalls), violates: .noLostRequest),
    EngineFault(
      name: "the target does not call", engine: "queue-2014", scenario: again,
      redirects: Redirect.drop(Point.trampolineCalls, next: Point.trampolineReturns), violates: .noLostRequest),
    EngineFault(
      name: "the function is called before the swap", engine: "queue-2014:unlock-first", scenario: again,
      redirects: Redirect.swap(
        Point.trampolineSwaps, Point.trampolineCalls, then: Point.trampolineReturns), violates: .noLostRequest),
    EngineFault(
      name: "no kick", engine: "queue-2014", scenario: again,
      redirects: Redirect.drop(Base.execKicks, next: Base.execWaits), violates: .noLostRequest),
    EngineFault(
      name: "csd_lock() does not look", engine: "queue-2014", scenario: again,
      redirects: Redirect.drop(Base.execLockWaits, next: Base.execLocks), violates: .atMostOneQueued),
    EngineFault(
      name: "an error is not reset", engine: "queue-2014",
      scenario: "offline 1\ncpu 0: queue 1 q f -> -ENXIO; up 1; queue 1 q f -> 0",
      redirects: Redirect.drop(Point.queueResets, next: Point.queueRefuses), violates: .noLostRequest),
    EngineFault(
      name: "success is reset", engine: "queue-2014:unlock-first", scenario: again,
      redirects: Redirect.always(at: Base.execWaits, not: Point.queueReturns, but: Point.queueResets),
      violates: .neverWaits),
    EngineFault(
      name: "an offline target is queued for", engine: "queue-2014", scenario: "offline 1\ncpu 0: queue 1 q f",
      redirects: Redirect.always(at: Base.execChecks, not: Point.queueResets, but: Base.execLockWaits),
      violates: .noLostRequest),
    EngineFault(
      name: "the early check lets everything through", engine: "queue-2014:repaired",
      scenario: "cpus 3\noffline 1\ncpu 0: queue 1 q f\ncpu 2: up 1; queue 1 q f",
      redirects: Redirect.always(at: Point.queueChecks, not: Point.queueRefuses, but: Point.queueClaims),
      violates: .noLostRequest),
    EngineFault(
      name: "preemption is off no longer than for the early check", engine: "queue-2014:repaired",
      scenario: "cpus 3\ncpu 0: queue 1 q f\ncpu 2: queue 1 q f; down 1",
      redirects: Redirect.always(at: Point.queueClaims, not: Base.execChecks, but: Point.queueDisablesPreemption),
      violates: .noLostRequest),
    EngineFault(
      name: "the function is not stored before the kick", engine: "queue-2014",
      scenario: "cpu 0: queue 1 q f -> 0; queue 1 p g -> 0",
      redirects: Redirect.always(
        at: Point.queueClaims, not: Point.queueStoresFunction, but: Point.queueDisablesPreemption),
      violates: .noLostRequest),
    EngineFault(
      name: "the csd is not unlocked first", engine: "queue-2014:repaired", scenario: again,
      redirects: Redirect.drop(Base.flushUnlocksFirst, next: Base.flushRunsUnlocked), violates: .neverWaits),
  ]

  @Test(arguments: faults) func isFound(_ fault: EngineFault) throws { try fault.check() }
}
