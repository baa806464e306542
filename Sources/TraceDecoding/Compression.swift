import CZlib
import CZstd

/// How parts of a trace file are packed.
public enum Compression: String, Sendable, Hashable, CaseIterable {
  case none
  case zlib
  case zstd

  /// The largest size of one chunk of trace data when unpacked. trace-cmd writes ten pages to a chunk.
  static let largestChunk = 16 << 20
  /// The largest size of one header section when unpacked. The largest real one, kallsyms, has 5 to 20 MiB.
  static let largestSection: UInt64 = 64 << 20

  /// Unpacks one frame.
  ///
  /// Neither library writes beyond `output`, whatever the frame claims.
  /// - Returns: the number of bytes written, or nil when the frame is damaged or doesn't fit.
  func unpack(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
    guard let source = input.baseAddress, let destination = output.baseAddress else { return nil }
    switch self {
    case .none:
      guard input.count <= output.count else { return nil }
      destination.copyMemory(from: source, byteCount: input.count)
      return input.count
    case .zlib:
      var length = uLongf(output.count)
      let status = CZlib.uncompress(
        destination.assumingMemoryBound(to: UInt8.self), &length, source.assumingMemoryBound(to: UInt8.self),
        uLong(input.count))
      return status == Z_OK ? Int(length) : nil
    case .zstd:
      let length = ZSTD_decompress(destination, output.count, source, input.count)
      return ZSTD_isError(length) == 0 ? Int(length) : nil
    }
  }

  /// Unpacks a frame whose size is known.
  /// - Returns: nil when the frame is damaged or holds another number of bytes.
  func unpacked(_ input: [UInt8], size: Int) -> [UInt8]? {
    var output = [UInt8](repeating: 0, count: size)
    let written = output.withUnsafeMutableBytes { output in
      input.withUnsafeBytes { input in unpack(input, into: output) }
    }
    return written == size ? output : nil
  }
}
