import TraceTypes

/// Reads one CPU's data from the file, block by block, into one buffer that is used again and again.
///
/// A read into a warm buffer is three times as fast as a mapping, which costs a page fault per page.
final class RegionReader {
  enum Outcome {
    /// The next block was read.
    case block
    /// The next block exists, and is lost.
    case damaged
    /// There are no more blocks, although there should be: the file is cut off.
    case cutOff
    case end
  }

  /// Bytes behind a block that may be read and mean nothing, so that a field at its end can be read as a whole word.
  static let slack = 64

  let region: TraceBuffer.Region
  let pageSize: Int
  private let file: InputFile
  private let unpacker: Unpacker
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  /// How many bytes of the file may belong to the region. Files of trace-cmd do not count the number of chunks in the
  /// size of compressed data, other files do; the number of chunks tells where they really end.
  private let extent: UInt64
  /// The number of bytes in the current block.
  private(set) var count = 0
  /// Where the next block begins, in bytes from the start of the region.
  private var position: UInt64 = 0
  /// Chunks that were not read yet; nil before their number was read.
  private var chunksLeft: UInt32?
  private var hasEnded = false

  /// - Parameter blockSize: how many bytes to read at a time, at least; chunks are taken whole.
  init(file: InputFile, region: TraceBuffer.Region, pageSize: Int, blockSize: Int, unpacker: Unpacker) {
    self.file = file
    self.region = region
    self.pageSize = pageSize
    self.unpacker = unpacker
    extent =
      region.compression == .none || region.byteCount == 0
      ? region.byteCount : min(region.byteCount + 4, file.size - region.offset)
    if region.compression == .none {
      let pages = max(1, blockSize / pageSize)
      let needed = (region.byteCount + UInt64(pageSize) - 1) / UInt64(pageSize)
      allocate(Int(min(UInt64(pages), max(1, needed))) * pageSize)
    }
  }

  deinit {
    memory.deallocate()
    if region.compression != .none { unpacker.release(memory.count) }
  }

  private func allocate(_ size: Int) {
    memory.deallocate()
    memory = .allocate(byteCount: size + Self.slack, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// Hands out the current block, with some bytes behind it that mean nothing.
  @inline(__always)
  func withBlock<Value>(_ body: (RawSpan) -> Value) -> Value {
    body(UnsafeRawBufferPointer(memory).bytes)
  }

  /// The same for the loop that decodes events, which checks whole records at a time. Valid until the next block is read.
  var block: UnsafeRawBufferPointer {
    @inline(__always) get { UnsafeRawBufferPointer(memory) }
  }

  /// Reads the next block.
  func next() throws(TraceFileError) -> Outcome {
    count = 0
    if hasEnded { return .end }
    let outcome = region.compression == .none ? try nextPages() : try nextChunk()
    switch outcome {
    case .block, .damaged: return outcome
    case .end, .cutOff:
      hasEnded = true
      return region.missingBytes > 0 ? .cutOff : outcome
    }
  }

  private func nextPages() throws(TraceFileError) -> Outcome {
    guard position < region.byteCount else { return .end }
    let size = Int(min(UInt64(memory.count - Self.slack), region.byteCount - position))
    count = try file.read(
      at: region.offset + position, into: UnsafeMutableRawBufferPointer(rebasing: memory[..<size]))
    position += UInt64(count)
    // Only a file that shrinks while it is read gives less than its size says.
    return count == 0 ? .cutOff : .block
  }

  // MARK: Chunks

  private func nextChunk() throws(TraceFileError) -> Outcome {
    guard extent > 0, let left = try remainingChunks() else {
      return extent > 0 ? .cutOff : .end
    }
    guard left > 0 else { return .end }
    chunksLeft = left - 1
    guard let chunk = try chunk(at: position) else { return .cutOff }
    position += chunk.length
    guard chunk.length <= extent - (position - chunk.length) else { return .cutOff }
    guard chunk.plainSize > 0, chunk.plainSize <= Compression.largestChunk,
      chunk.packedSize <= Unpacker.largestPackedSize(for: chunk.plainSize)
    else { return .damaged }
    if memory.count < chunk.plainSize + Self.slack {
      let size = chunk.plainSize + Self.slack
      guard unpacker.reserve(size - memory.count) else {
        throw TraceFileError(
          .tooLarge, at: file.location(region.offset + position - chunk.length),
          expected: "chunks that unpack to \(Unpacker.largestTotal) bytes at most over all CPUs",
          found: "one more of \(chunk.plainSize) bytes")
      }
      allocate(chunk.plainSize)
    }
    let output = UnsafeMutableRawBufferPointer(rebasing: memory[..<chunk.plainSize])
    let written = try unpacker.unpack(
      at: region.offset + position - UInt64(chunk.packedSize), size: chunk.packedSize, region.compression,
      into: output)
    guard written == chunk.plainSize else { return .damaged }
    count = chunk.plainSize
    return .block
  }

  /// The number of chunks not read yet, or nil when the file ends before it says.
  private func remainingChunks() throws(TraceFileError) -> UInt32? {
    if let chunksLeft { return chunksLeft }
    guard let word = try word(at: 0) else { return nil }
    position = 4
    chunksLeft = word
    return word
  }

  private struct Chunk {
    var packedSize: Int
    var plainSize: Int
    /// Bytes in the file, with the two sizes.
    var length: UInt64 { UInt64(packedSize) + 8 }
  }

  /// The sizes of the chunk at a place in the region, or nil behind its end.
  private func chunk(at place: UInt64) throws(TraceFileError) -> Chunk? {
    guard let packed = try word(at: place), let plain = try word(at: place + 4) else { return nil }
    return Chunk(packedSize: Int(packed), plainSize: Int(plain))
  }

  /// The 32-bit number at a place in the region, or nil where the region has ended.
  private func word(at place: UInt64) throws(TraceFileError) -> UInt32? {
    guard extent >= 4, place <= extent - 4 else { return nil }
    var cursor = ByteCursor(file: file, from: region.offset + place, name: "the data of CPU \(region.cpu)")
    return try cursor.u32("the size of a chunk")
  }

  // MARK: Seeking

  /// Goes to the last place from which all events at or after a time are still to come, as far as the times of pages
  /// tell.
  ///
  /// A page's time is that of its first event, so a page can be left out when the next one begins before the time
  /// asked for. Within one CPU's buffer pages are in the order of time, which allows to look at few of them.
  /// - Complexity: O(log number of pages); for compressed regions, O(number of chunks) small reads besides.
  func seek(to nanoseconds: UInt64, timeOffset: Int) throws(TraceFileError) {
    guard nanoseconds > 0, extent > 0 else { return }
    var starts: [UInt64] = []
    var number = Int(clamping: region.byteCount / UInt64(pageSize))
    if region.compression != .none {
      guard let left = try remainingChunks() else { return }
      var place = position
      // A chunk takes at least its two sizes, so the region's extent bounds the loop.
      while starts.count < Int(left), let chunk = try chunk(at: place) {
        starts.append(place)
        place += chunk.length
      }
      number = starts.count
    }
    guard number > 0 else { return }
    // The first unit that does not begin before the time; the one before it may still hold events at the time.
    var low = 0
    var high = number
    while low < high {
      let middle = (low + high) / 2
      let start = starts.isEmpty ? UInt64(middle) * UInt64(pageSize) : starts[middle]
      guard let time = try time(at: start, timeOffset: timeOffset) else {
        // A damaged chunk tells no time. To read it all is slower and right.
        low = 0
        break
      }
      if time < nanoseconds { low = middle + 1 } else { high = middle }
    }
    let first = max(0, low - 1)
    if starts.isEmpty {
      position = UInt64(first) * UInt64(pageSize)
    } else {
      position = starts[first]
      chunksLeft = chunksLeft.map { $0 - UInt32(first) }
    }
    count = 0
  }

  /// The time of the page, or of the first page in the chunk, at a place in the region.
  private func time(at place: UInt64, timeOffset: Int) throws(TraceFileError) -> UInt64? {
    let kept = (position, chunksLeft, hasEnded)
    defer { (position, chunksLeft, hasEnded) = kept }
    position = place
    if region.compression == .none {
      var cursor = ByteCursor(file: file, from: region.offset + place + UInt64(timeOffset), name: "a page")
      return try cursor.u64("the time of a page")
    }
    chunksLeft = 1
    guard case .block = try nextChunk(), count >= timeOffset + 8 else { return nil }
    return withBlock { $0.unsafeLoadUnaligned(fromByteOffset: timeOffset, as: UInt64.self) }
  }
}
