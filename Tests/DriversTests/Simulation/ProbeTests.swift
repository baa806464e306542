import TestSupport
import Testing
import Verdicts
@testable import Drivers
@Suite struct ProbeTests {
  @Test(arguments: CapturedTrace.names) func probe(name: String) throws {
    let clock = ContinuousClock()
    var simulated: SimulatedCapture?
    let read = try clock.measure { simulated = SimulatedCapture(try Captures.named(name)) }
    let engines = SimulatedCapture.engines
    let s = simulated!
    var out: SimulatedCapture.Outcome?
    let ran = try clock.measure { out = try s.run(engines) }
    print("CAL", name, read, ran, out!.summary.reality.calls, out!.summary.calibration!.items.map { "\($0.measure) \(Int((($0.error ?? .nan).isNaN ? 9 : $0.error!) * 1000))‰ \($0.isWithinGoal.map { $0 ? "ok" : "MISSED" } ?? "-") \($0.reasons)" })
  }
}
