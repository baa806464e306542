/// Builds a page of the kernel's ring buffer, entry by entry.
public struct PageBuilder: Sendable {
  /// What the page says about events lost before its first one.
  public enum Lost: Sendable, Equatable {
    case nothing
    /// Some were lost, and there is no count.
    case unknown
    /// The count follows the data where it fits.
    case count(UInt64)
    /// The flag for a count is set, but the count isn't there.
    case countMissing
  }

  /// How an event's data are stored.
  public enum Form: Sendable {
    /// As the kernel does it: small where possible.
    case automatic
    /// With a length word, even where it isn't needed.
    case long
  }

  public static let headerSize = 16
  static let largestDelta: UInt64 = (1 << 27) - 1
  static let largestSmall = 28 * 4

  /// The size of the page in bytes.
  public let size: Int
  /// The time in the page's header.
  public var timestamp: UInt64
  public var lost: Lost
  /// Entries so far.
  public private(set) var data: [UInt8] = []
  /// What lies behind the data. In real pages it is what was there before.
  public var filler: UInt8 = 0

  public init(timestamp: UInt64, size: Int = 4096, lost: Lost = .nothing) {
    self.timestamp = timestamp
    self.size = size
    self.lost = lost
  }

  /// Bytes that are free for entries.
  public var room: Int { size - Self.headerSize - data.count }

  /// The bytes that an event takes, a time extension not included.
  public static func length(of record: [UInt8], form: Form = .automatic) -> Int {
    let padded = (record.count + 3) / 4 * 4
    return padded + (form == .long || padded > largestSmall || padded == 0 ? 8 : 4)
  }

  /// Adds an event; where the delta doesn't fit into its header, a time extension before it.
  public mutating func event(_ record: [UInt8], delta: UInt64 = 0, form: Form = .automatic) {
    if delta > Self.largestDelta { timeExtend(delta) }
    let headDelta = delta > Self.largestDelta ? 0 : delta
    let padded = record + [UInt8](repeating: 0, count: (4 - record.count % 4) % 4)
    if Self.length(of: record, form: form) == padded.count + 4 {
      word(UInt32(padded.count / 4), headDelta)
    } else {
      word(0, headDelta)
      append(UInt32(record.count + 4))
    }
    data += padded
  }

  /// Adds padding without a time: the rest of the page is empty.
  public mutating func endPadding() {
    word(29, 0)
    append(UInt32(max(0, room - 4)))
  }

  /// Adds an event that was taken back: its length, its garbage, and a time that still counts.
  public mutating func discarded(length: Int, delta: UInt64) {
    precondition(delta > 0 && delta <= Self.largestDelta && length % 4 == 0 && length >= 4)
    word(29, delta)
    append(UInt32(length))
    data += [UInt8](repeating: 0xdb, count: length - 4)
  }

  /// Adds a time extension: a delta of up to 59 bits.
  public mutating func timeExtend(_ delta: UInt64) {
    word(30, delta & Self.largestDelta)
    append(UInt32(truncatingIfNeeded: delta >> 27))
  }

  /// Adds an absolute time, of which the page keeps 59 bits.
  public mutating func absoluteTime(_ time: UInt64) {
    word(31, time & Self.largestDelta)
    append(UInt32(truncatingIfNeeded: time >> 27))
  }

  /// Adds bytes as they are.
  public mutating func raw(_ bytes: [UInt8]) { data += bytes }

  private mutating func word(_ type: UInt32, _ delta: UInt64) { append(type | UInt32(delta) << 5) }

  private mutating func append(_ value: UInt32) {
    data += (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  /// The page. With events lost, the upper half of its commit word is all ones, as in a kernel.
  public var bytes: [UInt8] {
    precondition(room >= 0, "the page is too full")
    var commit = UInt64(data.count)
    var tail: [UInt8] = []
    switch lost {
    case .nothing: break
    case .unknown: commit |= 0xffff_ffff_8000_0000
    case .countMissing: commit |= 0xffff_ffff_c000_0000
    case .count(let count):
      commit |= 0xffff_ffff_c000_0000
      if room >= 8 { tail = ByteBuilder.bytes(count) }
    }
    var result = ByteBuilder.bytes(timestamp) + ByteBuilder.bytes(commit) + data + tail
    result += [UInt8](repeating: filler, count: size - result.count)
    return result
  }
}
