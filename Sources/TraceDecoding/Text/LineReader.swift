import Glibc
import TraceTypes

/// Reads an input block by block, so that every block holds whole lines, each ended by a newline.
struct LineReader: ~Copyable {
  /// Bytes that are read at once.
  static let blockSize = 256 << 10
  /// Longer lines are left out. The kernel's own limit is a page.
  static let longestLine = 16 << 10
  /// Bytes behind the last line that can be looked at, whatever they are, so that words can be loaded up to its end.
  static let slack = 64

  private let input: TextInput
  private let buffer: UnsafeMutablePointer<UInt8>
  /// Bytes in the buffer, and those of them that whole lines take.
  private var filled = 0
  private var lineBytes = 0
  /// Where the buffer begins, in bytes from the start of the input.
  private(set) var offset: UInt64 = 0
  private var isAtEnd = false
  /// The rest of a line that is too long is still to come.
  private var isInLongLine = false
  /// Lines that were too long, and are not in any block.
  private(set) var longLines: UInt64 = 0
  /// The input does not end with a newline: its last line may be cut off, and is left out.
  private(set) var isCutOff = false

  init(_ input: TextInput) {
    self.input = input
    let capacity = Self.blockSize + Self.longestLine + Self.slack
    buffer = .allocate(capacity: capacity)
    buffer.initialize(repeating: 0, count: capacity)
  }

  deinit { buffer.deallocate() }

  /// The lines of the current block.
  var lines: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: buffer, count: lineBytes) }

  /// Where a byte of the block is, in bytes from the start of the input.
  func place(of byte: UnsafePointer<UInt8>) -> UInt64 { offset + UInt64(byte - UnsafePointer(buffer)) }

  /// Goes on to the next block.
  /// - Returns: false when there are no more lines.
  mutating func next() throws(TraceFileError) -> Bool {
    while true {
      offset += UInt64(lineBytes)
      memmove(buffer, buffer + lineBytes, filled - lineBytes)
      filled -= lineBytes
      lineBytes = 0
      if isAtEnd {
        isCutOff = isCutOff || filled > 0 || isInLongLine
        filled = 0
        return false
      }
      if filled >= Self.longestLine {
        longLines += isInLongLine ? 0 : 1
        isInLongLine = true
        offset += UInt64(filled)
        filled = 0
      }
      let room = UnsafeMutableRawBufferPointer(start: buffer + filled, count: Self.blockSize)
      let count = try input.read(at: offset + UInt64(filled), into: room)
      isAtEnd = count == 0
      filled += count
      if isInLongLine {
        guard let newline = memchr(buffer, 10, filled) else {
          offset += UInt64(filled)
          filled = 0
          continue
        }
        isInLongLine = false
        let rest = newline - UnsafeMutableRawPointer(buffer) + 1
        memmove(buffer, buffer + rest, filled - rest)
        offset += UInt64(rest)
        filled -= rest
      }
      lineBytes = filled
      while lineBytes > 0, buffer[lineBytes - 1] != 10 { lineBytes -= 1 }
      if lineBytes > 0 { return true }
    }
  }
}
