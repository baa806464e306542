import Glibc
import TraceTypes

/// An open file that is read at given places, from any thread.
final class InputFile: Sendable {
  /// The path as the user gave it.
  let path: String
  /// The size in bytes when the file was opened.
  let size: UInt64
  private let descriptor: Int32

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
    // Pages are read where they lie, CPU by CPU, so the file has to be one in which it is possible to go back.
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw TraceFileError(
        .unreadable, at: ByteLocation(file: path, offset: 0), expected: "a regular file",
        found: status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "a pipe or a device; save it to a file first")
    }
    self.descriptor = descriptor
    size = UInt64(clamping: status.st_size)
  }

  deinit { close(descriptor) }

  /// Reads until the buffer is full or the file ends.
  /// - Returns: the number of bytes read.
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(TraceFileError) -> Int {
    var done = 0
    while done < buffer.count, let base = buffer.baseAddress {
      let (place, overflow) = offset.addingReportingOverflow(UInt64(done))
      guard !overflow, place < UInt64(Int64.max) else { break }
      let count = pread(descriptor, base + done, buffer.count - done, Int(place))
      if count < 0 {
        if errno == EINTR { continue }
        throw Self.systemError(path, place, "\(buffer.count - done) bytes")
      }
      if count == 0 { break }
      done += count
    }
    return done
  }

  func location(_ offset: UInt64) -> ByteLocation { ByteLocation(file: path, offset: offset) }

  private static func systemError(_ path: String, _ offset: UInt64, _ expected: String) -> TraceFileError {
    let words = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
    return TraceFileError(
      .unreadable, at: ByteLocation(file: path, offset: offset), expected: expected, found: "\"\(words)\"")
  }
}
