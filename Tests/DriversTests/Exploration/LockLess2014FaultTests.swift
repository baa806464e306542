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
  ]

  @Test(arguments: faults) func isFound(_ fault: EngineFault) throws { try fault.check() }
}
