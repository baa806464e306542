import TraceTypes

/// A batch of decoded events of one CPU, as the merge sees it: what is there, and how much of it was delivered.
///
/// It is a plain value without a reference to count, because the merge goes from batch to batch with every event or so. The
/// memory belongs to the ``CPUStream`` that made it, and holds the batch until that stream decodes the next one.
struct EventBatch {
  private let events: UnsafePointer<TraceEvent>
  private let maskWords: UnsafePointer<UInt64>?
  private let maskWordCount: Int
  let count: Int
  private var delivered = 0

  /// - Precondition: there is at least one event.
  init(
    events: UnsafePointer<TraceEvent>, count: Int, maskWords: UnsafePointer<UInt64>?, maskWordCount: Int
  ) {
    precondition(count > 0, "a batch without events")
    self.events = events
    self.count = count
    self.maskWords = maskWords
    self.maskWordCount = maskWordCount
  }

  var isExhausted: Bool {
    @inline(__always) get { delivered == count }
  }

  /// - Precondition: there is such an event, and the stream has not decoded the next batch.
  func kind(at index: Int) -> EventKind {
    precondition(index >= 0 && index < count, "no such event")
    return events[index].kind
  }

  /// The time of the next event.
  /// - Precondition: the batch is not exhausted.
  var nextTime: UInt64 {
    @inline(__always) get {
      precondition(delivered < count, "the batch is exhausted")
      return events[delivered].nanoseconds
    }
  }

  /// Moves the next event into a block.
  /// - Precondition: the batch is not exhausted.
  @inline(__always)
  mutating func moveNext(into block: inout EventBlock) {
    precondition(delivered < count, "the batch is exhausted")
    block.append(events[delivered])
    if events[delivered].kind.hasMask {
      block.takeMasks(from: block.count - 1, UnsafeBufferPointer(start: maskWords, count: maskWordCount).span)
    }
    delivered &+= 1
  }
}
