import CZstd
import TraceTypes

/// Unpacks chunks of trace data for all readers of one stream, with one scratch buffer, and limits their memory.
final class Unpacker {
  /// What all unpacked chunks of a stream together may take, in bytes. Files of trace-cmd need ten pages per CPU; what
  /// claims more than this is no trace.
  static let largestTotal = 512 << 20

  private let file: InputFile
  private var remaining = Unpacker.largestTotal
  private var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private let context: OpaquePointer?

  init(file: InputFile) {
    self.file = file
    context = ZSTD_createDCtx()
  }

  deinit {
    scratch.deallocate()
    ZSTD_freeDCtx(context)
  }

  /// Reserves memory for unpacked data.
  /// - Returns: false when all readers together would take too much.
  func reserve(_ bytes: Int) -> Bool {
    guard bytes <= remaining else { return false }
    remaining -= bytes
    return true
  }

  func release(_ bytes: Int) { remaining += bytes }

  /// The largest packed size that a chunk of this unpacked size can sensibly have.
  static func largestPackedSize(for plainSize: Int) -> Int { plainSize + plainSize / 8 + 4096 }

  /// Reads a frame from the file and unpacks it.
  /// - Returns: the number of bytes written to `output`, or nil when the frame is damaged or larger than `output`.
  func unpack(
    at offset: UInt64, size: Int, _ compression: Compression, into output: UnsafeMutableRawBufferPointer
  ) throws(TraceFileError) -> Int? {
    if scratch.count < size {
      scratch.deallocate()
      scratch = .allocate(byteCount: size, alignment: 16)
    }
    let packed = UnsafeMutableRawBufferPointer(rebasing: scratch[..<size])
    guard try file.read(at: offset, into: packed) == size else { return nil }
    if compression == .zstd, let context {
      let length = ZSTD_decompressDCtx(context, output.baseAddress, output.count, packed.baseAddress, size)
      return ZSTD_isError(length) == 0 ? Int(length) : nil
    }
    return compression.unpack(UnsafeRawBufferPointer(packed), into: output)
  }
}
