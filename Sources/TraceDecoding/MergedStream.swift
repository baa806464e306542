public import TraceTypes

/// All events of one buffer in the order of time, as a stream.
///
/// Between CPUs, events of equal time come in the order of the CPUs. Within a CPU the order of the buffer is the truth:
/// where a time goes back there, the event keeps its place and is given the time of the one before it, so that the
/// merged order never goes back; ``health`` counts these as `backwardTimes`.
///
/// Memory does not depend on the length of the trace. Pages and events that are impossible are left out, counted in
/// ``health``, and reported as gaps.
public final class MergedStream {
  /// How many events of a CPU were lost.
  public struct LostEvents: Sendable, Hashable {
    /// The sum over the gaps whose size is known.
    public var count: UInt64
    /// The number of gaps whose size is not known.
    public var gapsOfUnknownSize: UInt64

    public init(count: UInt64, gapsOfUnknownSize: UInt64) {
      self.count = count
      self.gapsOfUnknownSize = gapsOfUnknownSize
    }
  }

  /// The largest number of gaps that ``gaps`` keeps.
  public static let largestGapCount = 1_000

  /// CPU → qualified event name → number of events delivered. Events that ipitrace doesn't read count under their own
  /// name, too; those of types that the file doesn't describe, as `unknown:ID`.
  public private(set) var eventCounts: [Int: [String: UInt64]] = [:]
  /// CPU → events lost, for CPUs that lost any.
  public private(set) var lostEvents: [Int: LostEvents] = [:]
  /// The gaps in the order in which they began, at most ``largestGapCount`` of them.
  public private(set) var gaps: [TraceGap] = []
  /// The number of gaps, those left out of ``gaps`` included.
  public private(set) var gapCount = 0
  /// What is wrong with the events that were read. What is wrong with the file is in ``TraceFile/health``.
  public private(set) var health = TraceHealth()

  /// In the order of the CPUs.
  private var streams: [CPUStream]
  private var merge: EventMerge?
  private var isDrained = false

  /// Prepares to read one buffer of a file.
  /// - Parameters:
  ///   - buffer: one of the file's buffers.
  ///   - from: the earliest time to deliver, in nanoseconds; nil is the beginning.
  ///   - through: the latest time to deliver, in nanoseconds; nil is the end.
  /// - Throws: when the file can't be read.
  /// - Complexity: O(number of CPUs · log number of pages).
  public init(
    file: TraceFile, buffer: TraceBuffer, from: UInt64? = nil, through: UInt64? = nil
  ) throws(TraceFileError) {
    guard let layout = file.layout.with(pageSize: buffer.subBufferSize) else {
      throw TraceFileError(
        .malformed, at: ByteLocation(file: file.path, offset: 0),
        expected: "a page size from \(PageLayout.smallestPage) to \(PageLayout.largestPage) bytes",
        found: "\(buffer.subBufferSize)")
    }
    let unpacker = Unpacker(file: file.input)
    let regions = buffer.regions.filter { $0.byteCount > 0 || $0.missingBytes > 0 }.sorted { $0.cpu < $1.cpu }
    let share = Share(cpus: regions.count)
    streams = []
    for region in regions {
      streams.append(
        try CPUStream(
          file: file, region: region, layout: layout,
          window: CPUStream.Window(from: from ?? 0, through: through ?? .max), blockSize: share.blockSize,
          capacity: share.batchCapacity, unpacker: unpacker))
    }
  }

  /// What each CPU gets of the memory for blocks and batches.
  ///
  /// The merge goes from CPU to CPU with every event or so, so all batches together should stay in a core's own cache, and
  /// the blocks in the one that cores share: with 256 CPUs, larger ones took more than twice the time.
  struct Share {
    var blockSize: Int
    var batchCapacity: Int

    init(cpus: Int) {
      let cpus = max(1, cpus)
      blockSize = min(128 << 10, max(16 << 10, (4 << 20) / cpus))
      batchCapacity = min(512, max(16, (384 << 10) / MemoryLayout<TraceEvent>.stride / cpus))
    }
  }

  /// Delivers all events, and says where some were lost.
  ///
  /// After that the counters hold for what was delivered. A second call delivers nothing.
  /// - Throws: when the file can't be read any further.
  /// - Complexity: O(number of events · log number of CPUs).
  public func drain(into consumer: inout some TraceEventConsumer & ~Copyable) throws(TraceFileError) {
    var block = EventBlock()
    while try fill(&block) { block.deliver(into: &consumer) }
  }

  /// Appends the next events to a block until that is full, and says in it where some were lost.
  /// - Parameter block: an empty one.
  /// - Returns: false when there was nothing left to append. Then the counters hold for what was delivered.
  /// - Throws: when the file can't be read any further.
  /// - Complexity: O(number of events in the block · log number of CPUs).
  public func fill(_ block: inout EventBlock) throws(TraceFileError) -> Bool {
    if isDrained { return false }
    do throws(TraceFileError) {
      let merge = if let merge = self.merge { merge } else { try begin(&block) }
      while !merge.isEmpty, !block.isFull { try goOn(merge, &block) }
    } catch {
      finish()
      throw error
    }
    if block.isEmpty { finish() }
    return !block.isEmpty
  }

  /// Decodes the first batches. A gap that opens a CPU's trace is said before any event is.
  private func begin(_ block: inout EventBlock) throws(TraceFileError) -> EventMerge {
    var open: [CPUStream] = []
    var batches: [EventBatch] = []
    for stream in streams {
      guard let batch = try nextBatch(of: stream, &block) else { continue }
      open.append(stream)
      batches.append(batch)
    }
    let merge = EventMerge(open, batches)
    self.merge = merge
    return merge
  }

  /// Moves events until the block is full or a batch is exhausted, and gets the next one then.
  private func goOn(_ merge: EventMerge, _ block: inout EventBlock) throws(TraceFileError) {
    guard let pause = merge.move(into: &block) else { return }
    if pause.hasMask { block.takeMasks(from: block.count - 1, merge.maskWords(of: pause.contestant).span) }
    guard pause.needsBatch else { return }
    if let batch = try nextBatch(of: merge.streams[pause.contestant], &block) {
      merge.give(batch, to: pause.contestant)
    } else {
      merge.takeOut(pause.contestant)
    }
  }

  /// Gets a CPU's next batch, and says so when a gap comes first.
  private func nextBatch(of stream: CPUStream, _ block: inout EventBlock) throws(TraceFileError) -> EventBatch? {
    let batch = try stream.nextBatch()
    if let gap = stream.gap {
      gapCount += 1
      if gaps.count < Self.largestGapCount { gaps.append(gap) }
      block.append(gap)
    }
    return batch
  }

  /// Gathers the counters.
  private func finish() {
    isDrained = true
    merge = nil
    for stream in streams {
      let cpu = Int(stream.cpu)
      var counts: [String: UInt64] = [:]
      for (count, name) in zip(stream.eventCounts, stream.table.names).dropFirst() where count > 0 {
        counts[name, default: 0] += count
      }
      for (id, count) in stream.unknownCounts { counts["unknown:\(id)"] = count }
      eventCounts[cpu] = counts

      health.merge(stream.health)
      if let count = stream.eventCounts.first, count > 0 { health.add(.unknownEventTypes(cpu: cpu, count: count)) }
      if stream.backwardTimes > 0 { health.add(.backwardTimes(cpu: cpu, count: stream.backwardTimes)) }
      if stream.lostEvents > 0 { health.add(.lostEvents(cpu: cpu, count: stream.lostEvents)) }
      if stream.unknownGaps > 0 { health.add(.lostEventsUnknown(cpu: cpu, gaps: stream.unknownGaps)) }
      if stream.lostEvents > 0 || stream.unknownGaps > 0 {
        lostEvents[cpu] = LostEvents(count: stream.lostEvents, gapsOfUnknownSize: stream.unknownGaps)
      }
    }
    // The memory is not needed any more.
    streams = []
  }
}
