import Drivers
import Testing

@testable import CallEngines

@Suite struct PerCPU2009FaultTests {
  typealias Point = PerCPU2009.Point

  private static let oneSource = "cpus 3\ncpu 0: many 1-2 f wait"
  private static let oneSourceTwice = "cpus 3\ncpu 0: many 1-2 f; many 1-2 g"
  private static let twoSources =
    "cpus 3\ncpu 0: irqs-off; many 1-2 f wait; irqs-on\ncpu 1: irqs-off; many 0,2 g; irqs-on"

  static let faults: [EngineFault] = [
    EngineFault(
      name: "no IPI to the mask", engine: "percpu-2009", scenario: oneSource,
      redirects: Redirect.drop(Point.manyKicks, next: Point.manyWaits), violates: .noDeadlock),
    EngineFault(
      name: "IPI before the entry is linked", engine: "percpu-2009", scenario: oneSource,
      redirects: [
        Redirect(from: Point.manyFills.rawValue, to: Point.manyLocksQueue.rawValue, instead: Point.manyKicks.rawValue),
        Redirect(from: Point.manyKicks.rawValue, to: Point.manyWaits.rawValue, instead: Point.manyLocksQueue.rawValue),
        Redirect(
          from: Point.manyUnlocksEntry.rawValue, to: Point.manyKicks.rawValue, instead: Point.manyWaits.rawValue),
      ], violates: .noLostCallback),
    EngineFault(
      name: "csd_lock() does not wait", engine: "percpu-2009", scenario: oneSourceTwice,
      redirects: Redirect.drop(Point.manyTestsLock, next: Point.manySetsLock), violates: .noCSDReuse),
    EngineFault(
      name: "a walker does not test its bit", engine: "percpu-2009", scenario: twoSources,
      redirects: Redirect.always(at: Point.entryTests, not: Point.entrySkips, but: Point.entryClears),
      violates: .noneOnWrongCPU),
    EngineFault(
      name: "a walker does not clear its bit", engine: "percpu-2009", scenario: twoSources,
      redirects: Redirect.always(at: Point.entryTests, not: Point.entryClears, but: Point.entryUnlocks),
      violates: .noneRunTwice),
    EngineFault(
      name: "unlocked before the function, which is not copied", engine: "percpu-2009", scenario: oneSource,
      redirects: [
        Redirect(from: Point.entryUnlocks.rawValue, to: Point.entryRuns.rawValue, instead: Point.entryRelocks.rawValue),
        Redirect(
          from: Point.entryUnlocksAgain.rawValue, to: Point.walkFollows.rawValue, instead: Point.entryRuns.rawValue),
        Redirect(
          from: Point.entryReleases.rawValue, to: Point.walkFollows.rawValue, instead: Point.entryRuns.rawValue),
        Redirect(from: Point.entryRuns.rawValue, to: Point.entryRelocks.rawValue, instead: Point.walkFollows.rawValue),
      ], violates: .noCSDReuse),
    EngineFault(
      name: "the last one does not unlink", engine: "percpu-2009", scenario: oneSourceTwice,
      redirects: Redirect.drop(Point.queueUnlinks, next: Point.queueUnlocks), violates: .noCSDReuse),
    EngineFault(
      name: "the last one does not unlock", engine: "percpu-2009", scenario: oneSource,
      redirects: Redirect.always(at: Point.entryUnlocksAgain, not: Point.entryReleases, but: Point.walkFollows),
      violates: .noDeadlock),
    EngineFault(
      name: "unlocked before it is unlinked", engine: "percpu-2009:mail", scenario: oneSourceTwice,
      redirects: [
        Redirect(
          from: Point.entryUnlocks.rawValue, to: Point.queueLocks.rawValue, instead: Point.entryReleases.rawValue),
        Redirect(from: Point.entryReleases.rawValue, to: Point.entryRuns.rawValue, instead: Point.queueLocks.rawValue),
        Redirect(
          from: Point.queueUnlocks.rawValue, to: Point.entryReleases.rawValue, instead: Point.entryRuns.rawValue),
      ], violates: .noCSDReuse),
    EngineFault(
      name: "no csd_complete()", engine: "percpu-2009:mail", scenario: oneSource,
      redirects: Redirect.always(at: Point.entryRuns, not: Point.entryCompletes, but: Point.walkFollows),
      violates: .noDeadlock),
    EngineFault(
      name: "a single csd is not unlocked", engine: "percpu-2009", scenario: "cpu 0: single 1 f wait",
      redirects: Redirect.always(at: Point.csdRuns, not: Point.csdReleases, but: Point.csdUnlinks),
      violates: .noDeadlock),
    EngineFault(
      name: "no IPI to an empty single queue", engine: "percpu-2009:mail", scenario: "cpu 0: single 1 f wait",
      redirects: Redirect.drop(Point.execKicks, next: Point.execWaits), violates: .noDeadlock),
  ]

  @Test(arguments: faults) func isFound(_ fault: EngineFault) throws { try fault.check() }
}
