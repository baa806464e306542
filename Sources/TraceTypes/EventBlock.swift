public import BasicContainers

/// Events on their way from who reads them to who takes them: copies, in the order of the merge, of all CPUs.
///
/// In blocks the way costs little for each event, however often the order goes from one CPU to another; and a block can be
/// handed to another thread.
@frozen
public struct EventBlock: ~Copyable {
  /// As many events as stay in a core's nearest cache, with what their consumer keeps there.
  public static var nearCapacity: Int { 256 }

  /// With how many events or gaps the block is full. What belongs together may go a little beyond.
  public let capacity: Int
  @usableFromInline var events: UniqueArray<TraceEvent>
  @usableFromInline var words = UniqueArray<UInt64>()
  /// Each before the event with the given index.
  @usableFromInline var gaps: [(index: Int, gap: TraceGap)] = []

  public init(capacity: Int = EventBlock.nearCapacity) {
    self.capacity = capacity
    events = UniqueArray(minimumCapacity: capacity)
  }

  /// The number of events.
  @inlinable public var count: Int {
    @inline(__always) get { events.count }
  }
  @inlinable public var isEmpty: Bool { events.count == 0 && gaps.isEmpty }
  @inlinable public var isFull: Bool {
    @inline(__always) get { events.count >= capacity || gaps.count >= capacity }
  }

  /// Appends an event that points to no mask.
  @inlinable @inline(__always)
  public mutating func append(_ event: TraceEvent) { events.append(event) }

  /// Appends events that a body makes in place.
  /// - Parameter body: is given the events, with room for ``capacity`` of them or more. Where new ones point to masks, whoever
  ///   calls has to take those.
  @inlinable @inline(__always)
  public mutating func edit<Result>(_ body: (inout OutputSpan<TraceEvent>) -> Result) -> Result {
    if events.capacity < capacity { events.reserveCapacity(capacity) }
    return events.edit { output in body(&output) }
  }

  /// Appends events, and the masks that they point to.
  @inlinable
  public mutating func append(_ new: Span<TraceEvent>, maskWords: Span<UInt64>) {
    let first = events.count
    events.append(copying: new)
    if maskWords.count > 0 { takeMasks(from: first, maskWords) }
  }

  /// Takes the masks that the events from an index on point to, and lets them point to the copies. What points nowhere is
  /// marked by a negative place.
  public mutating func takeMasks(from first: Int, _ maskWords: Span<UInt64>) {
    for index in first..<events.count where events[index].kind.hasMask {
      let start = Int(events[index].target)
      let count = Int(events[index].detail)
      guard start >= 0, count >= 0, start <= maskWords.count, count <= maskWords.count - start else {
        events[index].target = -1
        continue
      }
      events[index].target = Int32(truncatingIfNeeded: words.count)
      words.append(copying: maskWords.extracting(start..<start + count))
    }
  }

  /// Says that events were lost here.
  public mutating func append(_ gap: TraceGap) { gaps.append((events.count, gap)) }

  /// Delivers everything, and is empty then.
  @inlinable
  public mutating func deliver(into consumer: inout some TraceEventConsumer & ~Copyable) {
    var start = 0
    for (index, gap) in gaps {
      if index > start { consumer.consume(events.span.extracting(start..<index), maskWords: words.span) }
      start = index
      consumer.gapBegan(gap)
    }
    if start < events.count {
      consumer.consume(events.span.extracting(start..<events.count), maskWords: words.span)
    }
    removeAll()
  }

  @inlinable
  public mutating func removeAll() {
    events.removeAll(keepingCapacity: true)
    if words.count > 0 { words.removeAll(keepingCapacity: true) }
    if !gaps.isEmpty { gaps.removeAll(keepingCapacity: true) }
  }
}
