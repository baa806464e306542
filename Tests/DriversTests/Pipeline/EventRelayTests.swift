import BasicContainers
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
  private static func feed(_ consumer: inout some TraceEventConsumer & ~Copyable, _ seed: UInt64) {
    var random = RepeatableRandom(seed: seed)
    var time: UInt64 = 1_000
    for _ in 0..<20_000 {
      if random.chance(0.01) {
        consumer.gapBegan(
          TraceGap(
            cpu: UInt16(random.below(4)), afterNanoseconds: time, beforeNanoseconds: nil,
            lostEvents: UInt64(random.below(9))))
        continue
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
      consumer.consume(events.span, maskWords: words.span)
    }
  }

  @Test func everythingArrivesInItsOrder() {
    var direct = Writer()
    Self.feed(&direct, 1)
    var pickUps = 0
    var looks = 0
    var relay = EventRelay(Writer(), pickUp: { pickUps += 1 }, look: { looks += 1 })
    Self.feed(&relay, 1)
    let relayed = relay.finish { $0.told }
    #expect(relayed == direct.told)
    #expect(pickUps == looks && pickUps >= direct.told.count / EventBlock.capacity)
  }

  @Test func masksThatPointNowhereAreMarked() {
    var block = EventBlock()
    let events = [
      TraceEvent(nanoseconds: 1, cpu: 0, kind: .ipiSendCPUMask, target: 2, detail: 2),
      TraceEvent(nanoseconds: 2, cpu: 0, kind: .ipiSendCPUMask, target: -5, detail: 1),
      TraceEvent(nanoseconds: 3, cpu: 0, kind: .ipiSendCPUMask, target: 1, detail: -1),
      TraceEvent(nanoseconds: 4, cpu: 0, kind: .ipiSendCPUMask, target: 1, detail: 2),
    ]
    block.append(events.span, maskWords: ([7, 8, 9] as [UInt64]).span)
    var writer = Writer()
    block.deliver(into: &writer)
    #expect(writer.told.map { String($0.split(separator: " ", maxSplits: 4)[4]) } == ["[]", "[]", "[]", "[8, 9]"])
    let isEmpty = block.isEmpty
    #expect(isEmpty)
  }

  /// Nothing is picked up before it is there, nothing twice, and nothing is left over.
  @Test func whatIsLeftBehindIsPickedUpOnce() {
    final class Counter: TraceEventConsumer {
      @exclusivity(unchecked) var left = 0
      @exclusivity(unchecked) var pickedUp = 0
      @exclusivity(unchecked) var sum = 0
      func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) { left += events.count }
      func gapBegan(_ gap: TraceGap) {}
    }
    let counter = Counter()
    var relay = EventRelay(
      counter,
      pickUp: {
        counter.pickedUp = counter.left
        counter.left = 0
      }, look: { counter.sum += counter.pickedUp })
    Self.feed(&relay, 2)
    var direct = Writer()
    Self.feed(&direct, 2)
    relay.finish { _ in }
    #expect(counter.sum == direct.told.count { !$0.hasPrefix("gap") })
  }

  /// Who gives up in the middle leaves no thread behind that goes on with freed memory.
  @Test func aRelayThatIsDroppedComesToRest() {
    for seed in 0..<20 {
      var relay: EventRelay<Writer>? = EventRelay(Writer(), pickUp: {}, look: {})
      Self.feed(&relay!, UInt64(seed))
      relay = nil
    }
  }
}
