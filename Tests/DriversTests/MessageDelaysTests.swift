import Testing

@testable import Drivers

/// What calls say of the clocks, kept in bounded memory and time.
@Suite struct MessageDelaysTests {
  /// More pairs than are kept: the first ones are, and of the others nothing is known.
  @Test(.timeLimit(.minutes(1))) func manyPairsTakeNoLongerThanFew() {
    var delays = MessageDelays()
    for source in 0..<UInt16(400) {
      for target in 0..<UInt16(400) where target != source {
        let queued = UInt64(source) * 1_000_000 + UInt64(target) * 1_000
        delays.add(from: source, to: target, queued: queued, started: queued + 500 + UInt64(target))
      }
    }
    let shortest = delays.shortest
    #expect(shortest.count == 1 << 15)
    #expect(shortest.allSatisfy { $0.nanoseconds == 500 + UInt64($0.target) })
    #expect(shortest.contains { $0.source == 0 && $0.target == 399 })
    #expect(!shortest.contains { $0.source == 399 })
  }

  /// A call that was made after the one time and came before the other proves their order.
  @Test func aCallBetweenTwoTimesIsAProof() {
    var delays = MessageDelays()
    delays.add(from: 1, to: 2, queued: 10_000_000, started: 10_002_000)
    #expect(delays.passed(from: 1, after: 9_000_000, to: 2, before: 10_003_000))
    #expect(!delays.passed(from: 1, after: 9_000_000, to: 2, before: 10_002_000))
    #expect(!delays.passed(from: 1, after: 11_000_000, to: 2, before: 12_000_000))
    #expect(!delays.passed(from: 2, after: 9_000_000, to: 1, before: 12_000_000))
  }
}
