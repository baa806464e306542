/// A page's header in the kernel's ring buffer: a time stamp, and a word with the length of the data and marks.
enum PageHeader {
  /// Bytes before the data: on 32 bits the word is shorter.
  static let size = 8 + MemoryLayout<Int>.size
  private static let lengthMask: UInt32 = 0x3fff_ffff
  /// Events were lost before the page's first one.
  private static let lostMark: UInt32 = 1 << 31
  /// How many they were follows the data.
  private static let countMark: UInt32 = 1 << 30

  static func time(_ page: UnsafeRawBufferPointer) -> UInt64 { page.loadUnaligned(as: UInt64.self) }

  /// Bytes of data.
  static func length(_ page: UnsafeRawBufferPointer) -> Int { Int(mark(page) & lengthMask) }

  /// Whether events were lost before the page's first one.
  static func hasLost(_ page: UnsafeRawBufferPointer) -> Bool { mark(page) & lostMark != 0 }

  /// How many, if the page says so.
  static func lostCount(_ page: UnsafeRawBufferPointer) -> UInt64? {
    let end = size + length(page)
    guard hasLost(page), mark(page) & countMark != 0, end + 8 <= page.count else { return nil }
    return page.loadUnaligned(fromByteOffset: end, as: UInt64.self)
  }

  /// Sets the length of the data; a count of lost events goes along.
  static func setLength(_ length: Int, of page: UnsafeMutableRawBufferPointer) {
    let count = lostCount(UnsafeRawBufferPointer(page))
    let word = mark(UnsafeRawBufferPointer(page)) & ~lengthMask | UInt32(length) & lengthMask
    page.storeBytes(of: word, toByteOffset: markOffset, as: UInt32.self)
    if let count, size + length + 8 <= page.count {
      page.storeBytes(of: count, toByteOffset: size + length, as: UInt64.self)
    }
  }

  /// Makes a page with no data, before whose first event nothing was lost.
  static func clear(_ page: UnsafeMutableRawBufferPointer, time: UInt64) {
    page.initializeMemory(as: UInt8.self, repeating: 0)
    page.storeBytes(of: time, as: UInt64.self)
  }

  /// Notes that events were lost before the page, nobody knows how many.
  static func markLost(_ page: UnsafeMutableRawBufferPointer) {
    let word = mark(UnsafeRawBufferPointer(page)) & ~countMark | lostMark
    page.storeBytes(of: word, toByteOffset: markOffset, as: UInt32.self)
  }

  private static func mark(_ page: UnsafeRawBufferPointer) -> UInt32 {
    page.loadUnaligned(fromByteOffset: markOffset, as: UInt32.self)
  }

  /// The lower half of the word; the upper half of a 64-bit one says nothing.
  private static var markOffset: Int {
    #if _endian(little)
      8
    #else
      size - 4
    #endif
  }
}

/// Walks over the entries of one page of the kernel's ring buffer.
///
/// Nothing is taken on trust: an entry that reaches beyond the page's data ends the walk, see ``mistake``.
struct PageEntries {
  /// One event, or what is left of one that was taken back.
  struct Event {
    /// Where its record lies in the page.
    var start: Int
    var size: Int
    var time: UInt64
    var isRemoved = false
  }

  private let page: UnsafeRawBufferPointer
  /// Behind the last entry.
  let end: Int
  /// The next entry. What lies before it belongs to the events already seen.
  private(set) var position = PageHeader.size
  /// The time that the next entry's counts from.
  private(set) var time: UInt64
  /// Where the empty rest of the page begins, if it has one and the walk has come there.
  private(set) var padding: Int?
  /// What is wrong with the page, and at which byte.
  private(set) var mistake: (reason: String, byte: Int)?

  init(_ page: UnsafeRawBufferPointer) {
    self.page = page
    time = PageHeader.time(page)
    let length = PageHeader.length(page)
    if length <= page.count - PageHeader.size {
      end = PageHeader.size + length
    } else {
      end = PageHeader.size
      mistake = ("it claims \(length) bytes of events in \(page.count)", 8)
    }
  }

  /// The next event; nil when there is none, or when what follows is impossible.
  @inline(__always)
  mutating func next() -> Event? {
    while let event = nextOrRemoved() {
      if !event.isRemoved { return event }
    }
    return nil
  }

  /// The next event, whether or not it was taken back after it had been written.
  @inline(__always)
  mutating func nextOrRemoved() -> Event? {
    while position + 4 <= end {
      let header = page.loadUnaligned(fromByteOffset: position, as: UInt32.self)
      #if _endian(little)
        let (type, delta) = (header & 31, UInt64(header >> 5))
      #else
        let (type, delta) = (header >> 27, UInt64(header & 0x7ff_ffff))
      #endif
      if type &- 1 < 28 {
        let event = Event(start: position + 4, size: Int(type) * 4, time: time &+ delta)
        guard event.start + event.size <= end else { return stop("an event") }
        position = event.start + event.size
        time = event.time
        return event
      }
      guard position + 8 <= end else {
        // At the very end, padding without a length is what the kernel writes.
        return type == 29 && delta == 0 ? leave() : stop("an entry")
      }
      let word = page.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self)
      switch type {
      case 0:
        let next = position + 4 + (Int(word) + 3) & ~3
        guard word > 4, next <= end else { return stop("an event") }
        let event = Event(start: position + 8, size: Int(word) - 4, time: time &+ delta)
        position = next
        time = event.time
        return event
      case 29:
        // Without a delta the rest of the page is empty; with one, it is an event that was taken back.
        if delta == 0 { return leave() }
        let next = position + 4 + Int(word)
        guard word >= 4, next <= end else { return stop("a removed event") }
        let event = Event(start: position + 8, size: next - position - 8, time: time &+ delta, isRemoved: true)
        position = next
        time = event.time
        return event
      case 30:
        time &+= delta &+ UInt64(word) << 27
        position += 8
      default:
        // 59 bits; the upper five are those of the time before it.
        let range: UInt64 = 1 << 59
        let stamp = (delta | UInt64(word) << 27) & (range - 1) | time & ~(range - 1)
        time = stamp < time && time - stamp > range / 2 ? stamp &+ range : stamp
        position += 8
      }
    }
    return nil
  }

  private mutating func leave() -> Event? {
    padding = position
    position = end
    return nil
  }

  private mutating func stop(_ what: String) -> Event? {
    if mistake == nil { mistake = ("\(what) at byte \(position) reaches beyond the page's events", position) }
    position = end
    return nil
  }
}
