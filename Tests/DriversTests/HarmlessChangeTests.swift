import TestSupport
import Testing
import TraceTypes
import Verdicts

/// A false accusation of the kernel is the worst that this program can do: what only makes a recording worse never makes a
/// divergence.
@Suite struct HarmlessChangeTests {
  static let captures = CapturedTrace.names + CapturedTrace.moreNames

  @Test(arguments: HarmlessChange.allCases, captures)
  func changesNothingToADivergence(_ change: HarmlessChange, _ capture: String) throws {
    var random = RepeatableRandom.forTest()
    let original = try Captures.named(capture)
    for _ in 0..<RepeatableRandom.places(3, unoptimised: 1) {
      var trace = original
      let text = trace.apply(change, &random)
      check(trace, change == .symbolsAbsent ? [change] : [], "\(text), seed \(random.seed)")
    }
  }

  @Test(arguments: captures) func neitherDoSeveralAtOnce(_ capture: String) throws {
    var random = RepeatableRandom.forTest()
    let original = try Captures.named(capture)
    for _ in 0..<RepeatableRandom.places(10, unoptimised: 3) {
      var trace = original
      var texts: [String] = []
      var changes: [HarmlessChange] = []
      for _ in 0..<(2 + random.below(4)) where !trace.events.isEmpty {
        let change = HarmlessChange.allCases[random.below(HarmlessChange.allCases.count)]
        changes.append(change)
        texts.append(trace.apply(change, &random))
      }
      check(trace, changes, "\(texts.joined(separator: "; ")), seed \(random.seed)")
    }
  }

  private func check(_ trace: CapturedTrace, _ changes: [HarmlessChange], _ text: String) {
    let names: (any AddressNaming)? = changes.contains(.symbolsAbsent) ? ScriptNames(hasSymbols: false) : nil
    let replay = CaptureReplay(trace, names: names)
    #expect(replay.found.isEmpty, "\(text), found \(replay.found.count): \(replay.summary.prefix(300))")
    #expect(replay.addsUp, "\(text)")
  }
}
