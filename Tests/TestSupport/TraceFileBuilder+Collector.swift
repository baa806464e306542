public import TraceDecoding
public import TraceTypes

/// Keeps everything that a stream delivers, in the order in which it comes.
public struct EventCollector: TraceEventConsumer {
  public enum Delivery: Equatable {
    case event(Int)
    case gap(TraceGap)
  }

  public var events: [TraceEvent] = []
  /// The mask of each event that has one, by its place in ``events``.
  public var masks: [Int: [UInt64]] = [:]
  public var gaps: [TraceGap] = []
  /// Events, by their place in ``events``, and gaps.
  public var deliveries: [Delivery] = []
  /// How many events came at once, each time.
  public var runs: [Int] = []

  public init() {}

  public mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    runs.append(events.count)
    for index in events.indices {
      let event = events[index]
      if event.kind.hasMask {
        masks[self.events.count] = (0..<Int(event.detail)).map { maskWords[Int(event.target) + $0] }
      }
      deliveries.append(.event(self.events.count))
      self.events.append(event)
    }
  }

  public mutating func gapBegan(_ gap: TraceGap) {
    gaps.append(gap)
    deliveries.append(.gap(gap))
  }

  /// Reads a whole buffer, the analysis buffer if none is given.
  public static func collect(
    _ file: TraceFile, _ buffer: TraceBuffer? = nil, from: UInt64? = nil, through: UInt64? = nil
  ) throws(TraceFileError) -> (collector: EventCollector, stream: MergedStream) {
    let chosen: TraceBuffer
    if let buffer { chosen = buffer } else { chosen = try file.analysisBuffer() }
    let stream = try MergedStream(file: file, buffer: chosen, from: from, through: through)
    var collector = EventCollector()
    try stream.drain(into: &collector)
    return (collector, stream)
  }
}
