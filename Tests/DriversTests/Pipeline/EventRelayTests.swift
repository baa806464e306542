import TestSupport
import Testing
import TraceTypes

@testable import Drivers

/// A second thread changes nothing but the time that it takes.
@Suite("Events handed to another thread")
struct EventRelayTests {
  /// Writes down all that it is told, masks as the words that they have.
  private struct Writer: TraceEventConsumer {
    var told: [String] = []

    mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
      for index in events.indices {
        let event = events[index]
        var words: [UInt64] = []
        if event.kind == .ipiSendCPUMask, event.target >= 0 {
          for word in Int(event.target)..<Int(event.target + event.detail) { words.append(maskWords[word]) }
        }
        told.append("\(event.cpu) \(event.nanoseconds) \(event.kind) \(event.csd) \(words)")
      }
    }

    mutating func gapBegan(_ gap: TraceGap) { told.append("gap \(gap.cpu) \(gap.lostEvents ?? 0)") }
  }

  /// Runs of a few events, some with masks, and gaps between them; enough for many blocks.
  private struct Source {
    private var random: RepeatableRandom
    private var time: UInt64 = 1_000
    private var rest = 20_000

    init(seed: UInt64) { random = RepeatableRandom(seed: seed) }

    mutating func fill(_ block: inout EventBlock) -> Bool {
      while rest > 0, !block.isFull {
        rest -= 1
        add(to: &block)
      }
      return !block.isEmpty
    }

    mutating func feed(_ consumer: inout some TraceEventConsumer & ~Copyable) {
      var block = EventBlock(capacity: 7)
      while fill(&block) { block.deliver(into: &consumer) }
    }

    private mutating func add(to block: inout EventBlock) {
      if random.chance(0.01) {
        block.append(
          TraceGap(
            cpu: UInt16(random.below(4)), afterNanoseconds: time, beforeNanoseconds: nil,
            lostEvents: UInt64(random.below(9))))
        return
      }
      let cpu = UInt16(random.below(4))
      var words: [UInt64] = []
      var events: [TraceEvent] = []
      for _ in 0..<1 + random.below(5) {
        time += UInt64(random.below(50))
        var event = TraceEvent(nanoseconds: time, cpu: cpu, kind: .csdQueueCPU, csd: random.next())
        if random.chance(0.2) {
          event.kind = .ipiSendCPUMask
          event.target = Int32(words.count)
          event.detail = Int32(random.below(3))
          for _ in 0..<event.detail { words.append(random.next()) }
        }
        events.append(event)
      }
      // What belongs to nobody lies behind the words that are pointed to.
      words.append(random.next())
      block.append(events.span, maskWords: words.span)
    }
  }

  private typealias Count = Int

  @Test func everythingArrivesInItsOrder() {
    var direct = Writer()
    var source = Source(seed: 1)
    source.feed(&direct)
    var leaves = 0
    let relay = EventRelay(Writer(), makeTail: { 0 }, leave: { (_: inout Count) in leaves += 1 }, look: { _ in })
    source = Source(seed: 1)
    relay.run { source.fill(&$0) }
    let relayed = relay.finish { $0.told }
    #expect(relayed == direct.told)
    #expect(leaves >= direct.told.count / (EventRelay<Writer, Count>.blockCapacity + 5))
  }

  /// Each tail comes back once, in the order of the blocks, and none is left over.
  @Test func whatIsLeftBehindComesBackOnce() {
    final class Counter: TraceEventConsumer {
      @exclusivity(unchecked) var left: [UInt64] = []
      func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
        for index in events.indices { left.append(events[index].csd) }
      }
      func gapBegan(_ gap: TraceGap) {}
    }
    let counter = Counter()
    var seen: [UInt64] = []
    let relay = EventRelay(
      counter, makeTail: { [UInt64]() },
      leave: { (tail: inout [UInt64]) in
        #expect(tail.isEmpty)
        swap(&counter.left, &tail)
      },
      look: { tail in
        seen += tail
        tail = []
      })
    var source = Source(seed: 2)
    relay.run { source.fill(&$0) }
    relay.finish { _ in }
    let direct = Counter()
    var consumer = direct
    source = Source(seed: 2)
    source.feed(&consumer)
    #expect(seen == direct.left)
    #expect(counter.left.isEmpty)
  }

  /// Who gives up in the middle leaves no thread behind that goes on with freed memory.
  @Test func aRelayThatIsDroppedComesToRest() {
    struct Enough: Error {}
    // The source has more blocks than that.
    for seed in 0..<12 {
      var source = Source(seed: UInt64(seed))
      let relay = EventRelay(Writer(), makeTail: { 0 }, leave: { (_: inout Count) in }, look: { _ in })
      var blocks = 0
      #expect(throws: Enough.self) {
        try relay.run {
          blocks += 1
          if blocks > seed { throw Enough() }
          return source.fill(&$0)
        }
      }
    }
  }

  @Test func aRelayWithoutEventsComesToRest() {
    let relay = EventRelay(Writer(), makeTail: { 0 }, leave: { (_: inout Count) in }, look: { _ in })
    relay.run { _ in false }
    let told = relay.finish { $0.told }
    #expect(told.isEmpty)
  }
}
