import CTracefs
import Glibc

/// Recorded pages of one CPU: a stretch of a file.
struct RecordedPages: Sendable {
  let file: FileDescriptor
  /// Where they begin in the file, in bytes.
  var start: UInt64 = 0
  /// Bytes.
  var size: UInt64
}

/// The pages of one CPU on their way into the file, in the output's spool directory.
final class PageSpool {
  let file: FileDescriptor
  /// Bytes spooled so far.
  private(set) var size: UInt64 = 0
  private let output: String

  /// The name of a CPU's pages in a spool directory.
  static func name(cpu: Int) -> String { "cpu\(cpu)" }

  /// - Throws: ``CaptureError/diskFull(_:)``, ``CaptureError/outputNotWritable(_:_:)``.
  init(of output: OutputFile, cpu: Int) throws(CaptureError) {
    self.output = output.path
    guard let file = output.spool.create(Self.name(cpu: cpu)) else {
      throw errno == ENOSPC || errno == EDQUOT ? .diskFull(output.path) : .outputNotWritable(output.path, errno)
    }
    self.file = file
  }

  var pages: RecordedPages { RecordedPages(file: file, size: size) }

  /// Takes away what lies behind a length.
  /// - Throws: ``CaptureError/writeFailed(_:_:)``.
  func shorten(to length: UInt64) throws(CaptureError) {
    guard length < size else { return }
    if ftruncate(file.number, off_t(length)) != 0 { throw .writeFailed(output, errno) }
    lseek(file.number, off_t(length), SEEK_SET)
    size = length
  }

  /// Writes bytes over others that are there already.
  /// - Throws: ``CaptureError/writeFailed(_:_:)``, ``CaptureError/diskFull(_:)``.
  func overwrite(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(CaptureError) {
    let error = file.write(bytes, at: offset)
    if error != 0 { throw .writing(output, error) }
  }

  /// Adds bytes from memory.
  func append(_ bytes: UnsafeRawBufferPointer) throws(CaptureError) {
    let error = file.write(bytes)
    if error != 0 { throw .writing(output, error) }
    size += UInt64(bytes.count)
  }

  /// Moves the next bytes of a pipe into the spool.
  func append(_ count: Int, from pipe: SplicePipe) throws(CaptureError) {
    var left = count
    while left > 0 {
      if pipe.filesTakePages {
        let moved = ipitrace_splice(pipe.ends.output.number, file.number, left, false)
        if moved > 0 {
          left -= moved
          size += UInt64(moved)
          continue
        }
        if moved < 0 && errno == EINTR { continue }
        if moved == 0 || errno != EINVAL { throw .writing(output, moved == 0 ? EIO : errno) }
        pipe.filesTakePages = false
      }
      let (bytes, error) = pipe.read(upTo: left)
      guard let bytes else { throw .writing(output, error) }
      try append(bytes)
      left -= bytes.count
    }
  }
}

/// The pipe through which pages go from the kernel's buffers into files. One serves all CPUs.
final class SplicePipe {
  let ends: Pipe
  /// How many bytes fit in.
  let capacity: Int
  /// False once a file system refused to take pages from a pipe; they are copied then.
  var filesTakePages = true
  private let buffer: UnsafeMutableRawBufferPointer

  /// - Throws: ``CaptureError/setupFailed(_:_:)``.
  init() throws(CaptureError) {
    guard let ends = Pipe(nonblocking: true) else { throw .setupFailed("making a pipe", errno) }
    self.ends = ends
    let granted = ipitrace_set_pipe_size(ends.input.number, 1 << 20)
    capacity = granted > 0 ? Int(granted) : 1 << 16
    buffer = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { buffer.deallocate() }

  /// Reads what is in the pipe; the bytes are valid until the next call.
  func read(upTo count: Int) -> (UnsafeRawBufferPointer?, error: Int32) {
    while true {
      let got = Glibc.read(ends.output.number, buffer.baseAddress, min(count, buffer.count))
      if got > 0 { return (UnsafeRawBufferPointer(rebasing: buffer[..<got]), 0) }
      if got < 0 && errno == EINTR { continue }
      return (nil, got == 0 ? EIO : errno)
    }
  }
}
