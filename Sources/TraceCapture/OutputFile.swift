import CTracefs
import Glibc

/// The file that appears whole or not at all: written under a temporary name beside its place, renamed at the end.
final class OutputFile {
  /// Where it will appear.
  let path: String
  let directory: String
  private let file: FileDescriptor
  private var temporary: String?
  /// Bytes written so far.
  private(set) var size: UInt64 = 0

  /// - Throws: ``CaptureError/outputNotWritable(_:_:)``, ``CaptureError/outputNotAFile(_:)``.
  init(path: String) throws(CaptureError) {
    let (directory, name) = Self.split(path)
    guard !name.isEmpty, name != ".", name != ".." else { throw .outputNotAFile(path) }
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG { throw .outputNotAFile(path) }
    self.path = path
    self.directory = directory
    let opened = try Self.openTemporary(for: path)
    file = opened.file
    temporary = opened.path
  }

  /// Removes what was written, unless ``commit()`` was called.
  deinit { discard() }

  func discard() {
    if let temporary { unlink(temporary) }
    temporary = nil
  }

  /// Makes another temporary file in the same directory.
  func openTemporary() throws(CaptureError) -> (file: FileDescriptor, path: String) {
    try Self.openTemporary(for: path)
  }

  func append(_ bytes: [UInt8]) throws(CaptureError) {
    let error = bytes.withUnsafeBytes { file.write($0) }
    if error != 0 { throw .writing(path, error) }
    size += UInt64(bytes.count)
  }

  /// Appends the whole of a spool, inside the kernel where the file system can.
  /// - Complexity: O(length of the spool).
  func append(_ spool: PageSpool) throws(CaptureError) {
    var left = spool.size
    lseek(spool.file.number, 0, SEEK_SET)
    var copies = true
    while left > 0 && copies {
      let count = ipitrace_copy_file_range(spool.file.number, file.number, Int(min(left, 1 << 30)))
      if count > 0 {
        left -= UInt64(count)
      } else if count < 0 && errno == EINTR {
        continue
      } else if count < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EFBIG) {
        throw .writing(path, errno)
      } else {
        copies = false
      }
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    while left > 0 {
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(left, UInt64(buffer.count)))])
      guard let count = spool.file.read(into: part, at: spool.size - left), count > 0 else {
        throw .writeFailed(path, EIO)
      }
      let error = file.write(UnsafeRawBufferPointer(rebasing: part[..<count]))
      if error != 0 { throw .writing(path, error) }
      left -= UInt64(count)
    }
    size += spool.size
  }

  /// Puts the file in its place; what was there is replaced.
  /// - Throws: ``CaptureError/diskFull(_:)``, ``CaptureError/writeFailed(_:_:)``, ``CaptureError/outputNotWritable(_:_:)``.
  func commit() throws(CaptureError) {
    guard let temporary else { return }
    // Some file systems find out only now that there is no room.
    if fsync(file.number) != 0 && errno != EINVAL && errno != EROFS { throw .writing(path, errno) }
    if rename(temporary, path) != 0 { throw .outputNotWritable(path, errno) }
    self.temporary = nil
  }

  private static func openTemporary(for path: String) throws(CaptureError) -> (file: FileDescriptor, path: String) {
    let (directory, name) = split(path)
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    for _ in 0..<100 {
      let suffix = String((0..<6).map { _ in letters[Int.random(in: 0..<letters.count)] })
      let candidate = "\(directory)/.\(name.prefix(200)).\(suffix)"
      // Addresses of the kernel are inside: for the owner only.
      if let file = FileDescriptor(opening: candidate, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600) {
        return (file, candidate)
      }
      if errno != EEXIST { break }
    }
    throw errno == ENOSPC || errno == EDQUOT ? .diskFull(path) : .outputNotWritable(path, errno)
  }

  private static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let directory = String(path[..<slash])
    return (directory.isEmpty ? "/" : directory, String(path[path.index(after: slash)...]))
  }
}
