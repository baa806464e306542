import TraceTypes

/// Finding the buffer that an analysis is about.
extension TraceFile {
  /// The buffer that holds cross-call events: the top-level one, or that of an instance.
  ///
  /// Samples decide: some pages of some CPUs of each buffer. A buffer with `csd` or `ipi` events is preferred, then one
  /// with other events that ipitrace reads, then the one with most data.
  /// - Throws: when the file has no buffer with data.
  /// - Complexity: O(number of buffers and CPUs).
  public func analysisBuffer() throws(TraceFileError) -> TraceBuffer {
    let filled = buffers.filter { $0.regions.contains { $0.byteCount > 0 } }
    guard let first = filled.first else {
      throw TraceFileError(
        .empty, at: ByteLocation(file: path, offset: 0), expected: "a buffer with recorded events",
        found: buffers.isEmpty ? "no buffer" : "\(buffers.count) buffers without data")
    }
    guard filled.count > 1 else { return first }
    var best = (buffer: first, score: Score())
    for buffer in filled {
      let score = try score(of: buffer)
      if score > best.score { best = (buffer, score) }
    }
    return best.buffer
  }

  /// What a buffer's samples hold.
  private struct Score: Comparable {
    var crossCallEvents = 0
    var knownEvents = 0
    var bytes: UInt64 = 0

    mutating func add(_ kind: EventKind) {
      if kind.system == "csd" || kind.system == "ipi" { crossCallEvents += 1 }
      if kind != .other { knownEvents += 1 }
    }

    static func < (left: Score, right: Score) -> Bool {
      (left.crossCallEvents, left.knownEvents, left.bytes) < (right.crossCallEvents, right.knownEvents, right.bytes)
    }
  }

  /// How many places of a CPU's data are looked at.
  private static let sampledPlaces: UInt64 = 16
  /// How many CPUs of a buffer are looked at.
  private static let sampledCPUs = 32

  private func score(of buffer: TraceBuffer) throws(TraceFileError) -> Score {
    var score = Score()
    guard let layout = layout.with(pageSize: buffer.subBufferSize) else { return score }
    let unpacker = Unpacker(file: input)
    let filled = buffer.regions.filter { $0.byteCount > 0 }
    let step = max(1, filled.count / Self.sampledCPUs)
    for index in stride(from: 0, to: filled.count, by: step) {
      for region in samples(of: filled[index], pageSize: buffer.subBufferSize) {
        let stream = try CPUStream(
          file: self, region: region, layout: layout, window: .everything, blockSize: buffer.subBufferSize,
          capacity: 512, unpacker: unpacker)
        // Of compressed data only the beginning can be had without unpacking what is before.
        var batches = region.compression == .none ? Int.max : 64
        while batches > 0, let batch = try stream.nextBatch() {
          for index in 0..<batch.count { score.add(batch.kind(at: index)) }
          batches -= 1
        }
      }
    }
    score.bytes = filled.reduce(0) { $0 + $1.byteCount }
    return score
  }

  /// Single pages, evenly spread over the region; a compressed region as it is.
  private func samples(of region: TraceBuffer.Region, pageSize: Int) -> [TraceBuffer.Region] {
    guard region.compression == .none else { return [region] }
    let pages = region.byteCount / UInt64(pageSize)
    let places = min(pages, Self.sampledPlaces)
    return (0..<places).map { place in
      let page = pages / places * place
      return TraceBuffer.Region(
        cpu: region.cpu, offset: region.offset + page * UInt64(pageSize), byteCount: UInt64(pageSize),
        compression: .none)
    }
  }
}
