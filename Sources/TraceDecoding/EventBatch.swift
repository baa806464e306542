import TraceTypes

/// A batch of decoded events of one CPU, as the merge sees it: what of it was not delivered yet.
///
/// It is a plain value without a reference to count, because the merge goes from batch to batch with every event or so. The
/// memory belongs to the ``CPUStream`` that made it, and holds the batch until that stream decodes the next one.
struct EventBatch {
  /// The next event.
  var next: UnsafePointer<TraceEvent>
  /// Behind the last event.
  let end: UnsafePointer<TraceEvent>
  /// What the batch's events with masks point into.
  let maskWords: UnsafeBufferPointer<UInt64>

  /// - Precondition: there is at least one event.
  init(events: UnsafePointer<TraceEvent>, count: Int, maskWords: UnsafeBufferPointer<UInt64>) {
    precondition(count > 0, "a batch without events")
    next = events
    end = events + count
    self.maskWords = maskWords
  }

  var isExhausted: Bool {
    @inline(__always) get { next == end }
  }

  /// How many events are left.
  var count: Int { end - next }

  /// - Precondition: so many events are left, and the stream has not decoded the next batch.
  func kind(at index: Int) -> EventKind {
    precondition(index >= 0 && index < count, "no such event")
    return next[index].kind
  }
}
