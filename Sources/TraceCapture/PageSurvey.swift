import CTracefs
import Glibc

/// Walks over the recorded pages once, for what the file's header must know about them.
///
/// Memory is bounded by what is different (addresses, tasks), not by how much was recorded.
final class PageSurvey {
  /// Kernel addresses that the events refer to.
  private(set) var addresses: Set<UInt64> = []
  /// Tasks that the events refer to, with the last name that a switch gave them.
  private(set) var tasks: [Int32: String] = [:]
  /// CPU → events.
  private(set) var events: [Int: UInt64] = [:]
  /// CPU → lost events, as far as the pages say how many.
  private(set) var lost: [Int: UInt64] = [:]

  /// More tasks than this are left without a name.
  static let mostTasks = 1 << 18

  private let formats: RecordedFormats
  private let pageSize: Int
  private let page: UnsafeMutableRawBufferPointer
  private let walker: OpaquePointer
  /// Direct-mapped: most events repeat the addresses and tasks of those just before.
  private var recentAddresses = [UInt64](repeating: 0, count: 1024)
  private var recentTask: Int32 = -1

  /// - Throws: ``CaptureError/setupFailed(_:_:)``.
  init(formats: RecordedFormats, pageSize: Int) throws(CaptureError) {
    let size = MemoryLayout<Int>.size == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4
    #if _endian(little)
      let order = KBUFFER_ENDIAN_LITTLE
    #else
      let order = KBUFFER_ENDIAN_BIG
    #endif
    guard let walker = kbuffer_alloc(size, order) else { throw .setupFailed("reading the recorded pages", ENOMEM) }
    self.walker = walker
    self.formats = formats
    self.pageSize = pageSize
    page = .allocate(byteCount: pageSize, alignment: 16)
  }

  deinit {
    kbuffer_free(walker)
    page.deallocate()
  }

  /// Takes one CPU's pages.
  /// - Throws: ``CaptureError/readFailed(cpu:_:)``, ``CaptureError/malformedPage(cpu:offset:_:)``.
  /// - Complexity: O(length of the recording).
  func take(_ spool: PageSpool, cpu: Int) throws(CaptureError) {
    var offset: UInt64 = 0
    while offset < spool.size {
      guard let count = spool.file.read(into: page, at: offset) else { throw .readFailed(cpu: cpu, errno) }
      guard count == pageSize else {
        throw .malformedPage(cpu: cpu, offset: offset, "it ends after \(count) of \(pageSize) bytes")
      }
      try takePage(cpu: cpu, offset: offset)
      offset += UInt64(pageSize)
    }
  }

  private func takePage(cpu: Int, offset: UInt64) throws(CaptureError) {
    // The upper bits of the commit word are marks; on 32 bits the word is shorter, the data begin earlier.
    let header = 8 + MemoryLayout<Int>.size
    let committed = Int(page.loadUnaligned(fromByteOffset: 8, as: UInt32.self) & 0x3fff_ffff)
    guard committed <= pageSize - header else {
      throw .malformedPage(cpu: cpu, offset: offset, "it claims \(committed) bytes of events in \(pageSize)")
    }
    guard kbuffer_load_subbuffer(walker, page.baseAddress) == 0 else {
      throw .malformedPage(cpu: cpu, offset: offset, "libtraceevent can't read its header")
    }
    let missed = kbuffer_missed_events(walker)
    if missed > 0 { lost[cpu, default: 0] += UInt64(missed) }

    var count: UInt64 = 0
    var time: UInt64 = 0
    var event = kbuffer_read_event(walker, &time)
    while let data = event {
      count += 1
      let size = Int(kbuffer_event_size(walker))
      let start = UnsafeRawPointer(data) - UnsafeRawPointer(page.baseAddress!)
      guard start >= header, size >= 0, start + size <= header + committed else {
        throw .malformedPage(cpu: cpu, offset: offset, "an event at byte \(start) reaches beyond the page's events")
      }
      take(event: UnsafeRawBufferPointer(start: data, count: size))
      event = kbuffer_next_event(walker, &time)
    }
    events[cpu, default: 0] += count
  }

  private func take(event: UnsafeRawBufferPointer) {
    // The common fields: u16 type, u8 flags, u8 preempt count, i32 pid.
    guard event.count >= 8 else { return }
    note(task: event.loadUnaligned(fromByteOffset: 4, as: Int32.self), name: nil)
    guard let layout = formats.layouts[event.loadUnaligned(as: UInt16.self)] else { return }
    for offset in layout.addresses where offset + 8 <= event.count {
      note(address: event.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    for task in layout.tasks where task.pid + 4 <= event.count && task.comm + task.length <= event.count {
      let comm = event[task.comm..<task.comm + task.length].prefix(while: { $0 != 0 })
      note(task: event.loadUnaligned(fromByteOffset: task.pid, as: Int32.self), name: comm)
    }
  }

  private func note(address: UInt64) {
    let slot = Int(truncatingIfNeeded: (address &* 0x9e37_79b9_7f4a_7c15) >> 54)
    if recentAddresses[slot] == address { return }
    recentAddresses[slot] = address
    addresses.insert(address)
  }

  private func note(task: Int32, name: Slice<UnsafeRawBufferPointer>?) {
    guard task > 0 else { return }
    if let name {
      if let known = tasks[task], known.utf8.elementsEqual(name) { return }
      guard tasks.count < Self.mostTasks || tasks[task] != nil else { return }
      tasks[task] = String(decoding: name, as: UTF8.self)
    } else if task != recentTask {
      recentTask = task
      if tasks[task] == nil, tasks.count < Self.mostTasks { tasks[task] = "" }
    }
  }
}
