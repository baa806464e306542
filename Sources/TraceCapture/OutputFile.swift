import CTracefs
import Glibc

/// The file that appears whole or not at all: written in a private directory beside its place, moved there at the end.
///
/// It may be handed from one thread to another, and is never used by two.
final class OutputFile: @unchecked Sendable {
  /// Where it will appear.
  let path: String
  /// Where it, and the pages that it is made of, grow.
  let spool: SpoolDirectory
  private var file: FileDescriptor?
  private var isKept = false
  private var isDone = false
  /// Bytes written so far.
  private(set) var size: UInt64 = 0

  static let partName = "whole"

  /// - Throws: ``CaptureError/outputNotWritable(_:_:)``, ``CaptureError/outputNotAFile(_:)``,
  ///   ``CaptureError/diskFull(_:)``.
  convenience init(path: String) throws(CaptureError) { try self.init(OutputPlace(path: path)) }

  /// - Throws: ``CaptureError/outputNotWritable(_:_:)``, ``CaptureError/diskFull(_:)``.
  init(_ place: OutputPlace) throws(CaptureError) {
    path = place.path
    spool = try SpoolDirectory(for: place)
  }

  /// Removes what was written, unless ``commit()`` has put it in its place, or ``keep()`` was called.
  deinit { discard() }

  func discard() {
    if isKept || isDone { return }
    isDone = true
    file = nil
    spool.removeAll()
  }

  /// Leaves everything where it is, for a recovery.
  func keep() { isKept = true }

  /// Leaves the pages where they are, and removes what was made of them so far.
  func keepPages() {
    file = nil
    spool.remove(Self.partName)
    keep()
  }

  func append(_ bytes: [UInt8]) throws(CaptureError) {
    let file = try openFile()
    let error = bytes.withUnsafeBytes { file.write($0) }
    if error != 0 { throw .writing(path, error) }
    size += UInt64(bytes.count)
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(CaptureError) {
    let error = try openFile().write(bytes)
    if error != 0 { throw .writing(path, error) }
    size += UInt64(bytes.count)
  }

  /// Appends recorded pages, inside the kernel where the file system can.
  /// - Complexity: O(length of the pages).
  func append(_ pages: RecordedPages) throws(CaptureError) {
    let file = try openFile()
    var left = pages.size
    lseek(pages.file.number, off_t(pages.start), SEEK_SET)
    var copies = true
    while left > 0 && copies {
      let count = ipitrace_copy_file_range(pages.file.number, file.number, Int(min(left, 1 << 30)))
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
      guard let count = pages.file.read(into: part, at: pages.start + pages.size - left), count > 0 else {
        throw .writeFailed(path, EIO)
      }
      let error = file.write(UnsafeRawBufferPointer(rebasing: part[..<count]))
      if error != 0 { throw .writing(path, error) }
      left -= UInt64(count)
    }
    size += pages.size
  }

  /// Puts the file in its place, where what was there is replaced, and removes the directory that it grew in.
  ///
  /// When only that fails, the recording stays, and the error says where.
  /// - Throws: ``CaptureError/diskFull(_:)``, ``CaptureError/writeFailed(_:_:)``, ``CaptureError/outputNotReplaced(_:_:kept:)``.
  func commit() throws(CaptureError) {
    if isDone { return }
    let file = try openFile()
    // Some file systems find out only now that there is no room.
    if fsync(file.number) != 0 && errno != EINVAL && errno != EROFS { throw .writing(path, errno) }
    let error = spool.moveToPlace(Self.partName)
    if error != 0 {
      if spool.place.isGone { throw .outputNotWritable(path, error) }
      keep()
      throw .outputNotReplaced(path, error, kept: spool.path)
    }
    discard()
  }

  private func openFile() throws(CaptureError) -> FileDescriptor {
    if let file { return file }
    guard let new = spool.create(Self.partName) else { throw .writing(path, errno) }
    file = new
    return new
  }
}
