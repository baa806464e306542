import Glibc

/// Cuts the pages of one CPU in two at a time.
///
/// All CPUs are cut at the same time, so that each of two pieces is as if the recording had ended there, or begun: a call
/// that crosses the cut is one whose end, or whose begin, was not recorded. No event is in both, and none in neither.
enum PieceCut {
  /// Moves all events later than a time to another spool. A page with events from both sides becomes two.
  /// - Parameter next: the spool for the later events; asked for only if there are any.
  /// - Throws: ``CaptureError``.
  /// - Complexity: O(what is later).
  static func moveEvents(
    laterThan time: UInt64, of cpu: Int, from old: PageSpool, pageSize: Int,
    to next: () throws(CaptureError) -> PageSpool
  ) throws(CaptureError) {
    let page = UnsafeMutableRawBufferPointer.allocate(byteCount: pageSize, alignment: 16)
    defer { page.deallocate() }
    var boundary = old.size
    while boundary > 0 {
      let offset = boundary - UInt64(pageSize)
      try read(page, from: old, at: offset, cpu: cpu)
      if PageHeader.time(UnsafeRawBufferPointer(page)) <= time {
        if try split(page, at: time, offset: offset, of: cpu, in: old, to: next) { boundary = offset }
        break
      }
      boundary = offset
    }
    var offset = boundary
    while offset < old.size {
      try read(page, from: old, at: offset, cpu: cpu)
      try next().append(UnsafeRawBufferPointer(page))
      offset += UInt64(pageSize)
    }
    // Only now: a recorder that is killed in between leaves some events twice, but none nowhere.
    try old.shorten(to: boundary)
  }

  /// Moves the later events of a page on.
  /// - Returns: true when all of its events are later, and nothing has been done.
  private static func split(
    _ page: UnsafeMutableRawBufferPointer, at time: UInt64, offset: UInt64, of cpu: Int, in old: PageSpool,
    to next: () throws(CaptureError) -> PageSpool
  ) throws(CaptureError) -> Bool {
    var entries = PageEntries(UnsafeRawBufferPointer(page))
    var (end, endTime) = (0, UInt64(0))
    var hasLater = false
    while let event = entries.nextOrRemoved() {
      if event.time > time {
        hasLater = true
        break
      }
      (end, endTime) = (entries.position, event.time)
    }
    if let mistake = entries.mistake { throw .malformedPage(cpu: cpu, offset: offset, mistake.reason) }
    guard hasLater else { return false }
    guard end > 0 else { return true }

    let later = UnsafeMutableRawBufferPointer.allocate(byteCount: page.count, alignment: 16)
    defer { later.deallocate() }
    // The first entry's time counts from the event before it.
    PageHeader.clear(later, time: endTime)
    let length = entries.end - end
    UnsafeMutableRawBufferPointer(rebasing: later[PageHeader.size..<PageHeader.size + length])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: page[end..<entries.end]))
    PageHeader.setLength(length, of: later)
    try next().append(UnsafeRawBufferPointer(later))

    PageHeader.setLength(end - PageHeader.size, of: page)
    try old.overwrite(UnsafeRawBufferPointer(page), at: offset)
    return false
  }

  private static func read(
    _ page: UnsafeMutableRawBufferPointer, from spool: PageSpool, at offset: UInt64, cpu: Int
  ) throws(CaptureError) {
    guard spool.file.read(into: page, at: offset) == page.count else { throw .readFailed(cpu: cpu, errno) }
  }
}
