import CTracefs
import Glibc

/// Owns an open file, and closes it.
final class FileDescriptor: Sendable {
  let number: Int32

  /// Takes over an open descriptor.
  init(owning number: Int32) { self.number = number }

  /// Opens a file; it is closed on exec.
  /// - Throws: nothing; nil with errno set when it can't be opened.
  init?(opening path: String, _ flags: Int32, mode: mode_t = 0) {
    var result: Int32
    repeat { result = open(path, flags | O_CLOEXEC, mode) } while result < 0 && errno == EINTR
    if result < 0 { return nil }
    number = result
  }

  /// Opens a file in a directory; it is closed on exec.
  /// - Throws: nothing; nil with errno set when it can't be opened.
  init?(opening path: String, in directory: FileDescriptor, _ flags: Int32, mode: mode_t = 0) {
    var result: Int32
    repeat { result = ipitrace_open_at(directory.number, path, flags, mode) } while result < 0 && errno == EINTR
    if result < 0 { return nil }
    number = result
  }

  deinit { close(number) }

  /// Whether it is a file with content, and not a directory, device or pipe.
  var isOrdinary: Bool {
    var status = stat()
    return fstat(number, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// Its length in bytes; 0 when that can't be told.
  var size: UInt64 {
    var status = stat()
    return fstat(number, &status) == 0 ? UInt64(max(status.st_size, 0)) : 0
  }

  /// Writes all bytes at an offset.
  /// - Returns: 0 or errno.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) -> Int32 {
    var done = 0
    while done < bytes.count {
      let count = pwrite(number, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      done += count
    }
    return 0
  }

  /// Writes all bytes at the file's position.
  /// - Returns: 0 or errno.
  func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(number, bytes.baseAddress! + done, bytes.count - done)
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      done += count
    }
    return 0
  }

  /// Reads up to the buffer's size at an offset, in as many reads as it takes.
  /// - Returns: the bytes read, fewer only at the end of the file; nil with errno set on failure.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int? {
    var done = 0
    while done < buffer.count {
      let count = pread(number, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done))
      if count < 0 {
        if errno == EINTR { continue }
        return nil
      }
      if count == 0 { break }
      done += count
    }
    return done
  }
}

/// Both ends of a pipe.
struct Pipe {
  let output: FileDescriptor
  let input: FileDescriptor

  /// - Returns: nil with errno set when there is no descriptor left.
  init?(nonblocking: Bool) {
    var ends: (Int32, Int32) = (-1, -1)
    let result = withUnsafeMutableBytes(of: &ends) {
      ipitrace_pipe($0.bindMemory(to: Int32.self).baseAddress, nonblocking)
    }
    if result != 0 { return nil }
    output = FileDescriptor(owning: ends.0)
    input = FileDescriptor(owning: ends.1)
  }
}

/// Whole small files, as the kernel's pseudo file systems offer them.
enum TextFile {
  /// The bytes of a file whose size is not known beforehand, or nil when it can't be read.
  static func bytes(_ path: String) -> [UInt8]? {
    FileDescriptor(opening: path, O_RDONLY).flatMap { bytes(of: $0) }
  }

  /// The bytes of an open file from its position on, or nil when it can't be read.
  static func bytes(of file: FileDescriptor) -> [UInt8]? {
    var result: [UInt8] = []
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { chunk.deallocate() }
    while true {
      let count = Glibc.read(file.number, chunk.baseAddress, chunk.count)
      if count < 0 {
        if errno == EINTR { continue }
        return nil
      }
      if count == 0 { return result }
      result.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
    }
  }

  static func text(_ path: String) -> String? { bytes(path).map { String(decoding: $0, as: UTF8.self) } }

  /// The text of a file without its last newline.
  static func line(_ path: String) -> String? {
    text(path).map { $0.last == "\n" ? String($0.dropLast()) : $0 }
  }
}

/// The names in a directory, without `.` and `..`, sorted; empty when it can't be read.
func names(in directory: String) -> [String] {
  opendir(directory).map { names(from: $0) } ?? []
}

/// The names in an open directory, as in ``names(in:)-(String)``.
func names(in directory: FileDescriptor) -> [String] {
  // A descriptor of its own: this one is closed with the stream, and has its own position.
  let again = ipitrace_open_at(directory.number, ".", O_RDONLY | O_DIRECTORY, 0)
  if again < 0 { return [] }
  guard let stream = fdopendir(again) else {
    close(again)
    return []
  }
  return names(from: stream)
}

private func names(from stream: OpaquePointer) -> [String] {
  defer { closedir(stream) }
  var result: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) {
      String(decoding: $0.prefix(while: { $0 != 0 }), as: UTF8.self)
    }
    if name != "." && name != ".." { result.append(name) }
  }
  return result.sorted()
}
