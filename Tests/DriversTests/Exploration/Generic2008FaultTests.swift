import Testing

@testable import CallEngines

@Suite struct Generic2008FaultTests {
  typealias Point = Generic2008.Point

  private static let both = "cpus 2\nallocation fails\ncpu 0: single 1 f\ncpu 1: single 0 g"
  private static let bothInterruptsOff =
    "cpus 2\nallocation fails\ncpu 0: irqs-off; single 1 f; irqs-on\ncpu 1: irqs-off; single 0 g; irqs-on"

  static let faults: [EngineFault] = [
    EngineFault(
      name: "the stack does not quiesce", engine: "generic-2008:wait",
      scenario: "cpus 3\nallocation fails\ncpu 0: many 1,2 f",
      redirects: [Redirect(to: Point.quiesceBegins.rawValue, instead: Point.returns.rawValue)],
      violates: .noCSDReuse),
    EngineFault(
      name: "no kick", engine: "generic-2008:wait", scenario: "cpu 0: single 1 f wait",
      redirects: Redirect.drop(Point.execKicks, next: Point.execWaits), violates: .noDeadlock),
    EngineFault(
      name: "kick before the append", engine: "generic-2008:wait", scenario: "cpu 0: single 1 f",
      redirects: [
        Redirect(from: Point.singleAllocates.rawValue, to: Point.execLocks.rawValue, instead: Point.execKicks.rawValue),
        Redirect(from: Point.execKicks.rawValue, to: Point.returns.rawValue, instead: Point.execLocks.rawValue),
        Redirect(from: Point.execUnlocks.rawValue, to: Point.execKicks.rawValue, instead: Point.returns.rawValue),
      ], violates: .noLostCallback),
    EngineFault(
      name: "IPI to the mask before the append", engine: "generic-2008:wait", scenario: "cpus 3\ncpu 0: many 1,2 f",
      redirects: [
        Redirect(from: Point.manyAllocates.rawValue, to: Point.manyLocks.rawValue, instead: Point.manyKicks.rawValue),
        Redirect(from: Point.manyKicks.rawValue, to: Point.returns.rawValue, instead: Point.manyLocks.rawValue),
        Redirect(from: Point.manyUnlocks.rawValue, to: Point.manyKicks.rawValue, instead: Point.returns.rawValue),
      ], violates: .noLostCallback),
    EngineFault(
      name: "WAIT is never cleared", engine: "generic-2008:wait", scenario: "cpu 0: single 1 f wait",
      redirects: Redirect.drop(Point.flushAnswers, next: Point.flushRuns), violates: .noDeadlock),
    EngineFault(
      name: "a walker runs what it has run", engine: "generic-2008:wait",
      scenario: "cpus 3\ncpu 0: many 1,2 f; many 1,2 g",
      redirects: Redirect.always(at: Point.walkLooks, not: Point.walkNext, but: Point.walkRuns),
      violates: .noneRunTwice),
    EngineFault(
      name: "who is not the last ends the call", engine: "generic-2008:wait",
      scenario: "cpus 3\ncpu 0: many 1,2 f wait",
      redirects: Redirect.always(at: Point.walkDrops, not: Point.walkNext, but: Point.walkLocksQueue),
      violates: .waitsForAll),
    EngineFault(
      name: "the last does not end the call", engine: "generic-2008:wait",
      scenario: "cpus 3\ncpu 0: many 1,2 f wait",
      redirects: Redirect.always(at: Point.walkDrops, not: Point.walkLocksQueue, but: Point.walkNext),
      violates: .noDeadlock),
    EngineFault(
      name: "the reference dropped before the function", engine: "generic-2008:wait",
      scenario: "cpus 3\ncpu 0: many 1,2 f wait",
      redirects: [
        Redirect(from: Point.walkLooks.rawValue, to: Point.walkRuns.rawValue, instead: Point.walkLocks.rawValue),
        Redirect(from: Point.walkRuns.rawValue, to: Point.walkLocks.rawValue, instead: Point.walkNext.rawValue),
        Redirect(from: Point.walkDrops.rawValue, to: Point.walkNext.rawValue, instead: Point.walkRuns.rawValue),
        Redirect(from: Point.walkFrees.rawValue, to: Point.walkNext.rawValue, instead: Point.walkRuns.rawValue),
      ], violates: .waitsForAll),
    EngineFault(
      name: "the entry stays linked", engine: "generic-2008:wait", scenario: "cpus 3\ncpu 0: many 1,2 f; many 1,2 g",
      redirects: Redirect.drop(Point.walkUnlinks, next: Point.walkUnlocksQueue), violates: .noCSDReuse),
    EngineFault(
      name: "the global lock given back before the answer", engine: "generic-2008:global-lock",
      scenario: bothInterruptsOff,
      redirects: [
        Redirect(from: Point.execKicks.rawValue, to: Point.execWaits.rawValue, instead: Point.leaveLocks.rawValue),
        Redirect(from: Point.leaveLocks.rawValue, to: Point.returns.rawValue, instead: Point.execWaits.rawValue),
        Redirect(from: Point.execWaits.rawValue, to: Point.leaveLocks.rawValue, instead: Point.returns.rawValue),
      ], violates: .noDeadlock),
    EngineFault(
      name: "the mask not looked at", engine: "generic-2008:target-mask", scenario: bothInterruptsOff,
      redirects: Redirect.always(at: Point.gateChecks, not: Point.gateUnlocks, but: Point.gateMarks),
      violates: .noDeadlock),
    EngineFault(
      name: "the mask cleared before the answer", engine: "generic-2008:target-mask", scenario: bothInterruptsOff,
      redirects: [
        Redirect(from: Point.execKicks.rawValue, to: Point.execWaits.rawValue, instead: Point.leaveLocks.rawValue),
        Redirect(from: Point.leaveUnlocks.rawValue, to: Point.returns.rawValue, instead: Point.execWaits.rawValue),
        Redirect(from: Point.execWaits.rawValue, to: Point.leaveLocks.rawValue, instead: Point.returns.rawValue),
      ], violates: .noDeadlock),
    EngineFault(
      name: "counters never lowered", engine: "generic-2008:target-counters", scenario: both,
      redirects: Redirect.drop(Point.leaveUnmarks, next: Point.leaveUnlocks), violates: .noDeadlock),
  ]

  @Test(arguments: faults) func isFound(_ fault: EngineFault) throws { try fault.check() }
}
