import CallHistories
public import TraceTypes

/// Shows every event to its consumer, and then tells the analysis what the CPU was seen to do. For outputs that draw it:
/// without one of them, nothing is tapped.
///
/// Event by event, so that the order of what is told does not depend on how events come in blocks.
public struct ActivityTap<Consumer: TraceEventConsumer & ~Copyable, Sink: CompletedCallSink>:
  TraceEventConsumer, ~Copyable
{
  /// Hands calls to the analysis.
  public var consumer: Consumer
  private let analysis: ReplayAnalysis<Sink>
  private var reader = ActivityReader()

  public init(_ consumer: consuming Consumer, _ analysis: ReplayAnalysis<Sink>) {
    self.consumer = consumer
    self.analysis = analysis
  }

  public mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    for index in events.indices {
      let unqueued = analysis.unqueuedSoFar
      let silentLosses = analysis.silentLossesSoFar
      consumer.consume(events.extracting(index..<index + 1), maskWords: maskWords)
      if analysis.silentLossesSoFar != silentLosses { reader.gapBegan(on: events[index].cpu) }
      reader.take(events[index], isUnqueued: analysis.unqueuedSoFar != unqueued)
      if !reader.pieces.isEmpty { tell() }
    }
  }

  public mutating func gapBegan(_ gap: TraceGap) {
    consumer.gapBegan(gap)
    reader.gapBegan(on: gap.cpu)
    tell()
    analysis.eventsLost(gap)
  }

  /// Says that the trace has ended.
  public mutating func finish() {
    reader.finish()
    tell()
  }

  private mutating func tell() {
    for piece in reader.pieces { analysis.activitySeen(piece) }
    reader.pieces.removeAll(keepingCapacity: true)
  }
}
