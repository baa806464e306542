import Glibc

/// Walks over the recorded pages once, for what the file's header must know about them.
///
/// Memory is bounded by what is different (addresses, tasks), not by how much was recorded.
final class PageSurvey {
  /// Kernel addresses of code that the events refer to.
  private(set) var addresses: Set<UInt64> = []
  /// Other addresses of the kernel, such as those of csds; only where they are asked for.
  private(set) var data: Set<UInt64> = []
  /// Tasks that the events refer to, with the last name that a switch gave them.
  private(set) var tasks: [Int32: String] = [:]
  /// CPU → events.
  private(set) var events: [Int: UInt64] = [:]
  /// CPU → lost events, as far as the pages say how many.
  private(set) var lost: [Int: UInt64] = [:]
  /// What the recorder itself did.
  private(set) var own = RecorderActivity()
  /// The time stamp of the latest page.
  private(set) var latestPage: UInt64 = 0

  /// More tasks than this are left without a name.
  static let mostTasks = 1 << 18
  /// Addresses are distinct places in the kernel and its data; a recording has thousands.
  static let mostAddresses = 1 << 22

  private let pageSize: Int
  private let page: UnsafeMutableRawBufferPointer
  private let collectsData: Bool
  private let recorder: Set<Int32>
  /// By event id.
  private let layouts: UnsafeMutableBufferPointer<Layout>
  /// Direct-mapped: most events repeat the addresses and tasks of those just before.
  private let recentAddresses = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: 4096)
  private let recentTasks = UnsafeMutableBufferPointer<RecentTask>.allocate(capacity: 1024)

  /// ``RecordedFormats/Layout`` without references, for the loop that runs hot.
  private struct Layout {
    var addresses = SIMD4<Int32>(repeating: -1)
    var numbers = SIMD4<Int32>(repeating: -1)
    var pids = SIMD2<Int32>(repeating: -1)
    var comms = SIMD2<Int32>(repeating: -1)
    var commLength: Int32 = 0
    var use = RecordedFormats.Layout.Use.other
  }

  private struct RecentTask {
    var task: Int32 = -1
    var hash: UInt64 = 0
  }

  /// - Parameters:
  ///   - collectsData: whether to look for addresses in all 64-bit fields.
  ///   - recorder: the recorder's own threads.
  init(formats: RecordedFormats, pageSize: Int, collectsData: Bool = false, recorder: Set<Int32> = []) {
    self.pageSize = pageSize
    self.collectsData = collectsData
    self.recorder = recorder
    page = .allocate(byteCount: pageSize, alignment: 16)
    layouts = .allocate(capacity: Int(formats.layouts.keys.max() ?? 0) + 1)
    layouts.initialize(repeating: Layout())
    recentAddresses.initialize(repeating: 0)
    recentTasks.initialize(repeating: RecentTask())
    for (id, layout) in formats.layouts {
      for (index, offset) in layout.addresses.prefix(4).enumerated() {
        layouts[Int(id)].addresses[index] = Int32(offset)
      }
      if collectsData {
        for (index, offset) in layout.numbers.prefix(4).enumerated() { layouts[Int(id)].numbers[index] = Int32(offset) }
      }
      for (index, task) in layout.tasks.prefix(2).enumerated() {
        layouts[Int(id)].pids[index] = Int32(task.pid)
        layouts[Int(id)].comms[index] = Int32(task.comm)
        layouts[Int(id)].commLength = Int32(task.length)
      }
      layouts[Int(id)].use = layout.use
    }
  }

  deinit {
    page.deallocate()
    layouts.deallocate()
    recentAddresses.deallocate()
    recentTasks.deallocate()
  }

  /// Takes one CPU's pages.
  /// - Throws: ``CaptureError/readFailed(cpu:_:)``, ``CaptureError/malformedPage(cpu:offset:_:)``.
  /// - Complexity: O(length of the recording).
  func take(_ pages: RecordedPages, cpu: Int) throws(CaptureError) {
    events[cpu, default: 0] += 0
    // Several pages in one read, but few enough to stay in the processor's cache.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(pageSize, 1 << 18), alignment: 16)
    defer { buffer.deallocate() }
    var offset: UInt64 = 0
    while offset < pages.size {
      let wanted = Int(min(UInt64(buffer.count / pageSize * pageSize), pages.size - offset))
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
      guard let count = pages.file.read(into: part, at: pages.start + offset) else {
        throw .readFailed(cpu: cpu, errno)
      }
      guard count == wanted, count % pageSize == 0 else {
        throw .malformedPage(cpu: cpu, offset: offset, "the data end after \(count) of \(wanted) bytes")
      }
      var start = 0
      while start < count {
        try take(UnsafeRawBufferPointer(rebasing: part[start..<start + pageSize]), cpu: cpu, offset: offset)
        start += pageSize
        offset += UInt64(pageSize)
      }
    }
  }

  private func take(_ page: UnsafeRawBufferPointer, cpu: Int, offset: UInt64) throws(CaptureError) {
    latestPage = max(latestPage, PageHeader.time(page))
    if let missed = PageHeader.lostCount(page) { lost[cpu, default: 0] &+= missed }
    var count: UInt64 = 0
    var entries = PageEntries(page)
    while let event = entries.next() {
      count += 1
      take(UnsafeRawBufferPointer(rebasing: page[event.start..<event.start + event.size]))
    }
    if let mistake = entries.mistake { throw .malformedPage(cpu: cpu, offset: offset, mistake.reason) }
    events[cpu, default: 0] += count
  }

  @inline(__always)
  private func take(_ event: UnsafeRawBufferPointer) {
    // The common fields: u16 type, u8 flags, u8 preempt count, i32 pid.
    guard event.count >= 8 else { return }
    let id = Int(event.loadUnaligned(as: UInt16.self))
    let task = event.loadUnaligned(fromByteOffset: 4, as: Int32.self)
    note(task)
    guard id < layouts.count else { return }
    let layout = layouts[id]
    for index in 0..<4 {
      let offset = Int(layout.addresses[index])
      guard offset >= 0 else { break }
      if offset + 8 <= event.count { note(event.loadUnaligned(fromByteOffset: offset, as: UInt64.self), isCode: true) }
    }
    if collectsData {
      for index in 0..<4 {
        let offset = Int(layout.numbers[index])
        guard offset >= 0 else { break }
        if offset + 8 <= event.count {
          note(event.loadUnaligned(fromByteOffset: offset, as: UInt64.self), isCode: false)
        }
      }
    }
    for index in 0..<2 {
      let (pid, comm, length) = (Int(layout.pids[index]), Int(layout.comms[index]), Int(layout.commLength))
      guard pid >= 0, pid + 4 <= event.count, comm + length <= event.count else { break }
      note(
        event.loadUnaligned(fromByteOffset: pid, as: Int32.self),
        name: UnsafeRawBufferPointer(rebasing: event[comm..<comm + length]))
    }
    if layout.use != .other, !recorder.isEmpty { noteOwn(event, task, layout) }
  }

  private func noteOwn(_ event: UnsafeRawBufferPointer, _ task: Int32, _ layout: Layout) {
    switch layout.use {
    case .other: break
    case .sends:
      // In an interrupt or a soft interrupt, the task is who happened to be there.
      let isInterrupt = event[2] & 0x18 != 0
      if !isInterrupt, recorder.contains(task) { own.interruptsSent += 1 }
    case .switches:
      let pid = Int(layout.pids[1])
      guard pid >= 0, pid + 4 <= event.count else { return }
      if recorder.contains(event.loadUnaligned(fromByteOffset: pid, as: Int32.self)) { own.wakeups += 1 }
    }
  }

  @inline(__always)
  private func note(_ address: UInt64, isCode: Bool) {
    // What is not in the kernel's half is a small number or nothing.
    if address >> 63 == 0 { return }
    let slot = Int(truncatingIfNeeded: (address &* 0x9e37_79b9_7f4a_7c15) >> 52)
    if recentAddresses[slot] == address { return }
    recentAddresses[slot] = address
    insert(address, isCode: isCode)
  }

  @inline(never)
  private func insert(_ address: UInt64, isCode: Bool) {
    if isCode {
      if addresses.count < Self.mostAddresses { addresses.insert(address) }
    } else if data.count < Self.mostAddresses {
      data.insert(address)
    }
  }

  @inline(__always)
  private func note(_ task: Int32) {
    guard task > 0 else { return }
    let slot = Int(task) & 1023
    if recentTasks[slot].task == task { return }
    recentTasks[slot] = RecentTask(task: task)
    if tasks[task] == nil, tasks.count < Self.mostTasks { tasks[task] = "" }
  }

  @inline(__always)
  private func note(_ task: Int32, name: UnsafeRawBufferPointer) {
    guard task > 0 else { return }
    // Two names with one hash by accident would cost one of them; that both have the same task is unlikely enough.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name {
      if byte == 0 { break }
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    let slot = Int(task) & 1023
    if recentTasks[slot].task == task, recentTasks[slot].hash == hash { return }
    recentTasks[slot] = RecentTask(task: task, hash: hash)
    guard tasks.count < Self.mostTasks || tasks[task] != nil else { return }
    tasks[task] = String(decoding: name.prefix(while: { $0 != 0 }), as: UTF8.self)
  }
}

/// What the recorder itself did while it recorded, as far as the recording shows it.
public struct RecorderActivity: Sendable, Equatable {
  /// How often one of its threads began to run; 0 where context switches are not recorded.
  public var wakeups: UInt64 = 0
  /// IPIs that its threads sent, each to one CPU or to several, outside interrupts.
  public var interruptsSent: UInt64 = 0

  public init() {}
}
