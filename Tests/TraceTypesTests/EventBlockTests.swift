import Testing
import TraceTypes

@Suite("Blocks of events")
struct EventBlockTests {
  /// Writes down all that it is told, masks as the words that they have.
  private struct Writer: TraceEventConsumer {
    var told: [String] = []

    mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
      for index in events.indices {
        var words: [UInt64] = []
        let event = events[index]
        if event.kind == .ipiSendCPUMask, event.target >= 0 {
          for word in Int(event.target)..<Int(event.target + event.detail) { words.append(maskWords[word]) }
        }
        told.append("\(event.nanoseconds) \(words)")
      }
    }

    mutating func gapBegan(_ gap: TraceGap) { told.append("gap \(gap.cpu)") }
  }

  private static func gap(_ cpu: UInt16) -> TraceGap {
    TraceGap(cpu: cpu, afterNanoseconds: nil, beforeNanoseconds: nil, lostEvents: nil)
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
    #expect(writer.told == ["1 []", "2 []", "3 []", "4 [8, 9]"])
    let isEmpty = block.isEmpty
    #expect(isEmpty)
  }

  @Test func gapsStandWhereTheyWereSaid() {
    var block = EventBlock()
    block.append(Self.gap(3))
    block.append(TraceEvent(nanoseconds: 1, cpu: 0, kind: .other))
    block.append(TraceEvent(nanoseconds: 2, cpu: 5, kind: .other))
    block.append(Self.gap(5))
    block.append(Self.gap(6))
    block.append(TraceEvent(nanoseconds: 3, cpu: 0, kind: .other))
    block.append(Self.gap(0))
    var writer = Writer()
    block.deliver(into: &writer)
    #expect(writer.told == ["gap 3", "1 []", "2 []", "gap 5", "gap 6", "3 []", "gap 0"])
  }

  /// What one block held is not in the next, and its masks are not either.
  @Test func anEmptiedBlockIsAsNew() {
    var block = EventBlock(capacity: 2)
    let events = [TraceEvent(nanoseconds: 1, cpu: 0, kind: .ipiSendCPUMask, target: 0, detail: 1)]
    var writer = Writer()
    for word in 1...3 {
      block.append(events.span, maskWords: [UInt64(word)].span)
      block.append(Self.gap(UInt16(word)))
      block.deliver(into: &writer)
    }
    #expect(writer.told == ["1 [1]", "gap 1", "1 [2]", "gap 2", "1 [3]", "gap 3"])
  }

  @Test func manyGapsFillABlockAsManyEventsDo() {
    var block = EventBlock(capacity: 2)
    block.append(Self.gap(0))
    var isFull = block.isFull
    #expect(!isFull)
    block.append(Self.gap(1))
    isFull = block.isFull
    #expect(isFull)
  }
}
