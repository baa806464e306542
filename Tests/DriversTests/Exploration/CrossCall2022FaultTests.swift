import Testing

@testable import CallEngines

@Suite struct CrossCall2022FaultTests {
  typealias Point = CrossCall2022.Point
  typealias Base = Mainline.Point

  static let faults: [EngineFault] = [
    EngineFault(
      name: "a private call is never queued", engine: "xcall-2022", scenario: "cpu 0: xcall-private 1 a f async",
      redirects: Redirect.drop(Base.execAdds, next: Base.execWaits), violates: .reachesAll),
    EngineFault(
      name: "a private call waits for nothing", engine: "xcall-2022", scenario: "cpu 0: xcall-private 1 a f sync",
      redirects: Redirect.drop(Base.execWaits, next: Base.returns), violates: .waitsForAll),
    EngineFault(
      name: "SYNC does not wait", engine: "xcall-2022", scenario: "cpu 0: xcall all f sync",
      redirects: Redirect.drop(Base.manyWaits, next: Base.returns), violates: .waitsForAll),
    EngineFault(
      name: "the own CPU is left out", engine: "xcall-2022", scenario: "cpu 0: xcall all f sync",
      redirects: Redirect.drop(Base.manyRunsLocally, next: Base.returns), violates: .reachesAll),
    EngineFault(
      name: "a CPU that does not exist is no error", engine: "xcall-2022", scenario: "cpu 0: xcall 7 f sync -> -ENXIO",
      redirects: Redirect.drop(Point.xcallRefuses, next: Base.returns), violates: .returnValues),
    EngineFault(
      name: "smp_xcall_any() with nobody succeeds", engine: "xcall-2022",
      scenario: "offline 1\ncpu 0: xcall-any 1 f sync -> -ENXIO",
      redirects: Redirect.drop(Point.xcallRefuses, next: Base.returns), violates: .returnValues),
    EngineFault(
      name: "no mask is made: others are left out", engine: "xcall-2022", scenario: "cpu 0: xcall-mask 0-1 f sync",
      redirects: Redirect.drop(Base.manySetsMask, next: Base.manyRunsLocally), violates: .reachesAll),
    EngineFault(
      name: "the csds are not waited for", engine: "xcall-2022", scenario: "cpu 0: xcall 1 f async; xcall 1 g async",
      redirects: Redirect.drop(Base.manyLocks, next: Base.manyFills), violates: .noCSDReuse),
    EngineFault(
      name: "the mask is never kicked", engine: "xcall-2022", scenario: "cpus 3\ncpu 0: xcall all f sync",
      redirects: Redirect.drop(Base.manyKicks, next: Base.manyRunsLocally), violates: .noDeadlock),
  ]

  @Test(arguments: faults) func isFound(_ fault: EngineFault) throws { try fault.check() }
}
