import BasicContainers
import TraceTypes

/// Events on their way from the thread that reads them to the one that takes them: copies, in the order of the merge.
struct EventBlock: ~Copyable {
  /// Small enough to stay in a core's cache, and large enough that handing over costs nothing beside it.
  static let capacity = 8_192

  private var events = UniqueArray<TraceEvent>(minimumCapacity: capacity)
  private var words = UniqueArray<UInt64>()
  private var runs = UniqueArray<EventRun>()
  private var gaps: [TraceGap] = []

  var isFull: Bool { events.count >= Self.capacity || gaps.count >= Self.capacity }
  var isEmpty: Bool { runs.count == 0 }

  @inline(__always)
  mutating func append(_ new: Span<TraceEvent>, maskWords: Span<UInt64>) {
    let first = events.count
    events.append(copying: new)
    runs.append(EventRun(count: Int32(truncatingIfNeeded: new.count), gap: -1))
    if maskWords.count > 0 { moveMasks(from: first, maskWords) }
  }

  /// Takes the masks that events from `first` on point into, and lets them point to the copies.
  private mutating func moveMasks(from first: Int, _ maskWords: Span<UInt64>) {
    for index in first..<events.count where events[index].kind == .ipiSendCPUMask {
      let start = Int(events[index].target)
      let count = Int(events[index].detail)
      // What points nowhere stays so.
      guard start >= 0, count >= 0, start <= maskWords.count, count <= maskWords.count - start else {
        events[index].target = -1
        continue
      }
      events[index].target = Int32(truncatingIfNeeded: words.count)
      words.append(copying: maskWords.extracting(start..<start + count))
    }
  }

  mutating func append(_ gap: TraceGap) {
    runs.append(EventRun(count: 0, gap: Int32(truncatingIfNeeded: gaps.count)))
    gaps.append(gap)
  }

  /// Delivers everything, and is empty then.
  mutating func deliver(into consumer: inout some TraceEventConsumer & ~Copyable) {
    var start = 0
    for index in 0..<runs.count {
      let run = runs[index]
      if run.gap >= 0 {
        consumer.gapBegan(gaps[Int(run.gap)])
      } else {
        let end = start + Int(run.count)
        consumer.consume(events.span.extracting(start..<end), maskWords: words.span)
        start = end
      }
    }
    events.removeAll(keepingCapacity: true)
    words.removeAll(keepingCapacity: true)
    runs.removeAll(keepingCapacity: true)
    gaps.removeAll(keepingCapacity: true)
  }
}

/// What was told at once: events of one CPU, or a gap.
struct EventRun {
  var count: Int32
  /// The gap's place; -1: it is none.
  var gap: Int32
}
