import Glibc
import TraceTypes

/// An input that is read from its beginning to its end, and again if it is an ordinary file.
final class TextInput {
  /// The path as the user gave it.
  let path: String
  /// Whether the input can be read again. A pipe can't, nor can a file of tracefs, which has another content each time.
  let isRepeatable: Bool
  /// Whether it is something that can hold text at all: no directory.
  let canBeText: Bool
  private let descriptor: Int32
  /// What was read of a pipe to learn what it holds, and how much of that has been read again.
  private var opening: [UInt8] = []
  private var openingTaken = 0

  init(path: String) throws(TraceFileError) {
    self.path = path
    let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.systemError(path, 0, "a file that can be opened") }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = Self.systemError(path, 0, "a file whose size can be found out")
      close(descriptor)
      throw error
    }
    // Files of tracefs claim to be ordinary and empty.
    isRepeatable = status.st_mode & S_IFMT == S_IFREG && status.st_size > 0
    canBeText = status.st_mode & S_IFMT != S_IFDIR
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// The first bytes, which are read again afterwards.
  func firstBytes(_ count: Int) throws(TraceFileError) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { buffer.deallocate() }
    var done = 0
    while done < count {
      let got = try read(at: UInt64(done), into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
      if got == 0 { break }
      done += got
    }
    let bytes = Array(buffer[..<done])
    if !isRepeatable { opening = bytes }
    return bytes
  }

  /// Reads what comes next, or, from an input that is repeatable, what is at the offset.
  /// - Returns: the number of bytes read; 0 at the end.
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(TraceFileError) -> Int {
    if openingTaken < opening.count {
      let part = opening[openingTaken...].prefix(buffer.count)
      buffer.copyBytes(from: part)
      openingTaken += part.count
      return part.count
    }
    while true {
      let count =
        isRepeatable
        ? pread(descriptor, buffer.baseAddress, buffer.count, Int(offset))
        : Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw Self.systemError(path, offset, "\(buffer.count) bytes") }
    }
  }

  func location(_ offset: UInt64) -> ByteLocation { ByteLocation(file: path, offset: offset) }

  private static func systemError(_ path: String, _ offset: UInt64, _ expected: String) -> TraceFileError {
    let words = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
    return TraceFileError(
      .unreadable, at: ByteLocation(file: path, offset: offset), expected: expected, found: "\"\(words)\"")
  }
}
