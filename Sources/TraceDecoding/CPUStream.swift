import TraceTypes

/// One CPU's events, in the order of its buffer, batch by batch.
///
/// A batch never goes beyond a gap: where events were lost, it ends, and the next one begins with ``gap`` set. So
/// whoever asks for the next batch learns of the gap before anything that comes after it.
///
/// All hot state is in memory that this object owns. It is used by one thread at a time.
final class CPUStream {
  /// Which events to deliver, by time; both ends belong to it.
  struct Window {
    var from: UInt64 = 0
    var through: UInt64 = .max
    static let everything = Window()

    var isEverything: Bool { from == 0 && through == .max }
  }

  let cpu: UInt16
  /// The CPU's part of ``EventWords``.
  let cpuHead: UInt64
  let table: EventTable
  private let layout: PageLayout
  let window: Window
  /// Nothing has to be asked but what every record has to be.
  let isPlain: Bool
  private let reader: RegionReader

  // MARK: The batch

  /// Room for ``capacity`` events.
  let events: UnsafeMutablePointer<TraceEvent>
  let capacity: Int
  /// The number of events in the batch.
  var count = 0
  /// What mask events of the batch point into. A page has room for few of them, so the memory stays small.
  private var maskWords = UnsafeMutableBufferPointer<UInt64>(start: nil, count: 0)
  private(set) var maskWordCount = 0
  /// The gap before the batch; after the last batch, the gap behind it.
  private(set) var gap: TraceGap?

  // MARK: The page

  /// The page that is decoded, or comes next, in bytes from the start of the block.
  private var pageStart = 0
  private var isInPage = false
  /// The next event and the end of the events, in bytes from the start of the block.
  var cursor = 0
  var pageEnd = 0
  /// The page goes on behind the end of the file.
  private var isPageCutOff = false
  /// The time that deltas count from.
  var time: UInt64 = 0

  // MARK: What was seen

  /// The time of the event decoded last, which no later one goes below.
  var latest: UInt64 = 0
  /// The time of the last event of the batches delivered so far.
  private var lastDelivered: UInt64?
  private struct PendingGap {
    /// Nil when unknown.
    var lostEvents: UInt64?
  }
  private var pendingGap: PendingGap?
  private var isFinished = false
  /// Events by position in ``EventTable/entries``.
  let counts: UnsafeMutablePointer<UInt64>
  /// Events of types that the file doesn't describe, by id.
  var unknownCounts: [UInt16: UInt64] = [:]
  /// Events whose time was before that of the event before them.
  var backwardTimes: UInt64 = 0
  /// The first event behind the window, once it was seen.
  var timeBehindWindow: UInt64?
  private(set) var lostEvents: UInt64 = 0
  private(set) var unknownGaps: UInt64 = 0
  private(set) var health = TraceHealth()

  init(
    file: TraceFile, region: TraceBuffer.Region, layout: PageLayout, window: Window, blockSize: Int, capacity: Int,
    unpacker: Unpacker
  ) throws(TraceFileError) {
    precondition(EventWords.layoutIsAsSupposed, "events lie in memory otherwise than is supposed")
    cpu = UInt16(truncatingIfNeeded: region.cpu)
    cpuHead = EventWords.head(of: cpu)
    table = file.events
    self.layout = layout
    self.window = window
    isPlain = window.isEverything && table.common == .usual
    self.capacity = capacity
    reader = RegionReader(
      file: file.input, region: region, pageSize: layout.pageSize, blockSize: blockSize, unpacker: unpacker)
    events = .allocate(capacity: capacity)
    counts = .allocate(capacity: table.entries.count)
    counts.initialize(repeating: 0, count: table.entries.count)
    isFinished = window.from > window.through
    try reader.seek(to: window.from, timeOffset: layout.timeOffset)
  }

  deinit {
    events.deallocate()
    counts.deallocate()
    maskWords.deallocate()
  }

  /// The number of events of each type so far, by position in ``EventTable/entries``.
  var eventCounts: [UInt64] { Array(UnsafeBufferPointer(start: counts, count: table.entries.count)) }

  // MARK: Filling the batch

  /// Decodes the next batch, over the one before.
  /// - Returns: nil when there are no more events. Even then ``gap`` may be set.
  func nextBatch() throws(TraceFileError) -> EventBatch? {
    if count > 0 { lastDelivered = events[count - 1].nanoseconds }
    count = 0
    gap = nil
    maskWordCount = 0

    filling: while !isFinished {
      if !isInPage {
        switch try openPage() {
        case .opened: break
        case .gapAhead: break filling
        case .end:
          isFinished = true
          break filling
        }
      }
      let wasEmpty = count == 0
      let stop = decode(reader.block)
      if wasEmpty, count > 0 { takeGap(before: events[0].nanoseconds) }
      switch stop {
      case .batchFull: break filling
      case .endOfPage: closePage()
      case .damaged:
        // Where the file is cut off inside a page, its last event is not damaged but incomplete.
        if !isPageCutOff { health.add(.damagedPages(cpu: Int(cpu))) }
        closePage()
        addGap(lostEvents: nil)
        if count > 0 { break filling }
      case .droppedEarlier:
        // The gap, if any, is outside the window, like the events that were behind it.
        pendingGap = nil
      case .behindWindow:
        isFinished = true
        break filling
      }
    }
    if count == 0 { takeGap(before: timeBehindWindow) }
    guard count > 0 else { return nil }
    return EventBatch(
      events: events, count: count, maskWords: UnsafeBufferPointer(rebasing: maskWords[..<maskWordCount]))
  }

  /// Adds a word to those that mask events point into.
  func appendMaskWord(_ word: UInt64) {
    if maskWordCount == maskWords.count {
      let larger = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: max(64, maskWords.count * 2))
      _ = larger.update(fromContentsOf: maskWords)
      maskWords.deallocate()
      maskWords = larger
    }
    maskWords[maskWordCount] = word
    maskWordCount += 1
  }

  private func takeGap(before: UInt64?) {
    guard let pending = pendingGap else { return }
    gap = TraceGap(
      cpu: cpu, afterNanoseconds: lastDelivered, beforeNanoseconds: before, lostEvents: pending.lostEvents)
    if let lost = pending.lostEvents {
      lostEvents = lostEvents.addingReportingOverflow(lost).overflow ? .max : lostEvents + lost
    } else {
      unknownGaps += 1
    }
    pendingGap = nil
  }

  /// Notes that events were lost here; gaps without an event between them are one.
  private func addGap(lostEvents: UInt64?) {
    if let pending = pendingGap {
      guard let first = pending.lostEvents, let second = lostEvents else {
        pendingGap = PendingGap(lostEvents: nil)
        return
      }
      let sum = first.addingReportingOverflow(second)
      pendingGap = PendingGap(lostEvents: sum.overflow ? .max : sum.partialValue)
    } else {
      pendingGap = PendingGap(lostEvents: lostEvents)
    }
  }

  // MARK: Pages

  private enum Opening {
    case opened
    /// Events were lost before the page, and the batch has events from before the loss.
    case gapAhead
    case end
  }

  /// Opens the next page that has events.
  private func openPage() throws(TraceFileError) -> Opening {
    while true {
      if pageStart >= reader.count {
        pageStart = 0
        switch try reader.next() {
        case .block: break
        case .damaged:
          health.add(.damagedChunks(cpu: Int(cpu)))
          addGap(lostEvents: nil)
          if count > 0 { return .gapAhead }
        case .cutOff:
          if reader.region.missingBytes == 0 { health.add(.damagedChunks(cpu: Int(cpu))) }
          addGap(lostEvents: nil)
          return .end
        case .end: return .end
        }
        continue
      }
      switch reader.withBlock({ readHeader($0) }) {
      case .usable(let time, let end, let isCutOff, let gap):
        if let gap {
          if count > 0 { return .gapAhead }
          addGap(lostEvents: gap.lostEvents)
        }
        self.time = time
        cursor = pageStart + layout.dataOffset
        pageEnd = end
        isPageCutOff = isCutOff
        isInPage = true
        return .opened
      case .damaged:
        health.add(.damagedPages(cpu: Int(cpu)))
        addGap(lostEvents: nil)
        closePage()
        if count > 0 { return .gapAhead }
      case .cutOff:
        closePage()
      }
    }
  }

  private enum Header {
    case usable(time: UInt64, end: Int, isCutOff: Bool, gap: PendingGap?)
    case damaged
    /// The file ends within the header; the reader says so next.
    case cutOff
  }

  private func readHeader(_ bytes: RawSpan) -> Header {
    let available = min(layout.pageSize, reader.count - pageStart)
    let isShort = available < layout.pageSize
    let isCutOff = isShort && reader.region.missingBytes > 0
    guard available >= layout.dataOffset else { return isCutOff ? .cutOff : .damaged }
    let commit = PageCommit(
      bytes.unsafeLoadUnaligned(fromByteOffset: pageStart + layout.commitOffset, as: UInt64.self))
    let time = bytes.unsafeLoadUnaligned(fromByteOffset: pageStart + layout.timeOffset, as: UInt64.self)
    guard commit.size <= layout.pageSize - layout.dataOffset else { return .damaged }
    let end = layout.dataOffset + commit.size
    var gap: PendingGap?
    if commit.hasLost {
      gap = PendingGap(lostEvents: nil)
      // The count is written only where the page has room for it; a count of 0 tells nothing.
      if commit.hasLostCount, end + 8 <= available {
        let count = bytes.unsafeLoadUnaligned(fromByteOffset: pageStart + end, as: UInt64.self)
        gap?.lostEvents = count == 0 ? nil : count
      }
    }
    return .usable(
      time: time, end: pageStart + min(end, available), isCutOff: isCutOff && end > available, gap: gap)
  }

  private func closePage() {
    isInPage = false
    pageStart += layout.pageSize
  }
}
