import Glibc
import Testing

@testable import Drivers

/// What calls say of the clocks, kept in bounded memory and time.
@Suite struct MessageDelaysTests {
  /// More pairs than are kept: the first ones are, and of the others nothing is known.
  @Test func manyPairsTakeNoLongerThanFew() {
    let (_, few) = Self.delays(cpus: 100)
    let (delays, many) = Self.delays(cpus: 400)
    // Sixteen times the pairs. If each lengthened all stretches anew, they would take 256 times as long.
    #expect(many < 100 * few)
    let shortest = delays.shortest
    #expect(shortest.count == 1 << 15)
    #expect(shortest.allSatisfy { $0.nanoseconds == 500 + UInt64($0.target) })
    #expect(shortest.contains { $0.source == 0 && $0.target == 399 })
    #expect(!shortest.contains { $0.source == 399 })
  }

  /// Calls of each CPU to each other one, and the processor time that taking them took this thread: a busy neighbour does not
  /// change it.
  private static func delays(cpus: UInt16) -> (MessageDelays, seconds: Double) {
    let began = threadSeconds()
    var delays = MessageDelays()
    for source in 0..<cpus {
      for target in 0..<cpus where target != source {
        let queued = UInt64(source) * 1_000_000 + UInt64(target) * 1_000
        delays.add(from: source, to: target, queued: queued, started: queued + 500 + UInt64(target))
      }
    }
    return (delays, threadSeconds() - began)
  }

  private static func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
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
