import CTracefs
import Glibc

/// The pages of one CPU on their way into the file: an unnamed temporary file beside the output.
final class PageSpool {
  let file: FileDescriptor
  /// Bytes spooled so far.
  private(set) var size: UInt64 = 0
  private let output: String

  /// - Parameter output: the path of the file that the pages are for; the spool lies in its directory.
  /// - Throws: ``CaptureError/diskFull(_:)``, ``CaptureError/outputNotWritable(_:_:)``.
  init(beside output: OutputFile) throws(CaptureError) {
    self.output = output.path
    let unnamed = ipitrace_open_unnamed(output.directory)
    if unnamed >= 0 {
      file = FileDescriptor(owning: unnamed)
      return
    }
    // Not every file system has unnamed files.
    let (file, path) = try output.openTemporary()
    unlink(path)
    self.file = file
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
