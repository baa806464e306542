import TraceTypes

/// A batch of decoded events of one CPU, as the merge sees it: what is there, and how much of it was delivered.
///
/// It is a plain value without a reference to count, because the merge goes from batch to batch every few events. The
/// memory belongs to the ``CPUStream`` that made it, and holds the batch until that stream decodes the next one.
struct EventBatch {
  private let events: UnsafePointer<TraceEvent>
  private let maskWords: UnsafePointer<UInt64>?
  private let maskWordCount: Int
  private let count: Int
  /// The time of the last event, beside what else the merge looks at each time.
  private let lastTime: UInt64
  private var delivered = 0

  /// - Precondition: there is at least one event.
  init(
    events: UnsafePointer<TraceEvent>, count: Int, maskWords: UnsafePointer<UInt64>?, maskWordCount: Int
  ) {
    precondition(count > 0, "a batch without events")
    self.events = events
    self.count = count
    lastTime = events[count - 1].nanoseconds
    self.maskWords = maskWords
    self.maskWordCount = maskWordCount
  }

  var isExhausted: Bool {
    @inline(__always) get { delivered == count }
  }

  /// The time of the next event.
  /// - Precondition: the batch is not exhausted.
  var nextTime: UInt64 {
    @inline(__always) get {
      precondition(delivered < count, "the batch is exhausted")
      return events[delivered].nanoseconds
    }
  }

  /// Delivers the next events up to a time, and the first of them in any case.
  /// - Precondition: the batch is not exhausted.
  @inline(__always)
  mutating func deliver(through limit: UInt64, into consumer: inout some TraceEventConsumer & ~Copyable) {
    precondition(delivered < count, "the batch is exhausted")
    // Runs are either short or go on to the end of the batch.
    var end = count
    if lastTime > limit {
      end = delivered &+ 1
      while events[end].nanoseconds <= limit { end &+= 1 }
    }
    let run = UnsafeBufferPointer(start: events + delivered, count: end &- delivered)
    let words = UnsafeBufferPointer(start: maskWords, count: maskWordCount)
    delivered = end
    consumer.consume(run.span, maskWords: words.span)
  }
}
