import CTracefs
import Glibc

/// Moves the pages of one CPU's ring buffer into its spool, without ever waiting for them.
final class CPUBufferReader {
  let cpu: Int
  /// Nil until the first page.
  private(set) var spool: PageSpool?
  private var buffer: FileDescriptor?
  private var output: OutputFile
  /// Bytes of a sub-buffer: the unit in which the kernel hands out the ring.
  private let pageSize: Int
  private var takesPages = true

  /// - Throws: ``CaptureError/readFailed(cpu:_:)``.
  init(cpu: Int, instance: TracefsInstance, pageSize: Int, output: OutputFile) throws(CaptureError) {
    guard let buffer = instance.open("per_cpu/cpu\(cpu)/trace_pipe_raw", O_RDONLY | O_NONBLOCK) else {
      throw .readFailed(cpu: cpu, errno)
    }
    self.cpu = cpu
    self.buffer = buffer
    self.pageSize = pageSize
    self.output = output
  }

  /// Moves all full pages.
  /// - Returns: the bytes moved.
  /// - Throws: ``CaptureError/readFailed(cpu:_:)``, ``CaptureError/diskFull(_:)``, ``CaptureError/writeFailed(_:_:)``.
  func drain(through pipe: SplicePipe) throws(CaptureError) -> Int {
    guard let buffer else { return 0 }
    var moved = 0
    // A buffer that is written to as fast as it is read must not hold up the other CPUs.
    while takesPages && moved < 64 << 20 {
      let count = ipitrace_splice(buffer.number, pipe.ends.input.number, pipe.capacity, true)
      if count > 0 {
        try openSpool().append(count, from: pipe)
        moved += count
        continue
      }
      if count == 0 || errno == EAGAIN || errno == ENODEV { return moved }
      if errno == EINTR { continue }
      guard errno == EINVAL || errno == ENOSYS || errno == EPERM else { throw .readFailed(cpu: cpu, errno) }
      takesPages = false
    }
    if !takesPages { moved += try flush() }
    return moved
  }

  /// Copies all that is left, the partly filled page included.
  /// - Returns: the bytes of the pages copied.
  /// - Throws: as ``drain(through:)``.
  func flush(upTo most: Int = 64 << 20) throws(CaptureError) -> Int {
    guard let buffer else { return 0 }
    var moved = 0
    let page = UnsafeMutableRawBufferPointer.allocate(byteCount: pageSize, alignment: 16)
    defer { page.deallocate() }
    while moved < most {
      let count = read(buffer.number, page.baseAddress, page.count)
      if count > 0 {
        // Pages in a file are all of one size.
        for index in count..<pageSize { page[index] = 0 }
        try openSpool().append(UnsafeRawBufferPointer(page))
        moved += pageSize
        continue
      }
      if count == 0 || errno == EAGAIN || errno == ENODEV { return moved }
      if errno != EINTR { throw .readFailed(cpu: cpu, errno) }
    }
    return moved
  }

  /// Copies what the page holds that the kernel writes to, while tracing goes on. The full ones must have been taken.
  func flushPage() throws(CaptureError) { _ = try flush(upTo: 1) }

  /// Lets go of the kernel's buffer; until then its instance can't be removed. The spool stays.
  func close() { buffer = nil }

  /// Goes on with another output.
  /// - Returns: the spool so far.
  func move(to output: OutputFile) -> PageSpool? {
    defer { spool = nil }
    self.output = output
    return spool
  }

  func openSpool() throws(CaptureError) -> PageSpool {
    if let spool { return spool }
    let new = try PageSpool(of: output, cpu: cpu)
    spool = new
    return new
  }
}
