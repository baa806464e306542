/// Where the parts of a real trace file begin and end, found by walking through the bytes and nothing else: no code of the
/// reader's is used, so that the reader can be tested with it.
public struct TraceFileSections: Sendable {
  /// Offsets of beginnings and ends, sorted, the end of the file not included.
  public private(set) var boundaries: [Int] = []
  /// Where recorded pages, or packed ones, lie.
  public private(set) var data: [Range<Int>] = []
  /// Where the kernel's symbols lie; nil in version 7, where they may be packed.
  public private(set) var symbols: Range<Int>?
  private let bytes: [UInt8]

  /// - Returns: nil for a file that is not in order.
  public init?(_ bytes: [UInt8]) {
    self.bytes = bytes
    guard bytes.count > 18, bytes[10] == UInt8(ascii: "6") || bytes[10] == UInt8(ascii: "7") else { return nil }
    // Mark, version with its zero, byte order, size of long, page size.
    boundaries.append(18)
    guard bytes[10] == UInt8(ascii: "6") ? walk6() : walk7() else { return nil }
    boundaries = Set(boundaries).sorted().filter { $0 < bytes.count }
  }

  private func number(_ offset: Int, _ size: Int) -> Int? {
    guard offset >= 0, offset + size <= bytes.count else { return nil }
    let value = bytes[offset..<offset + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: value)
  }

  private func afterZero(_ offset: Int) -> Int? { bytes[offset...].firstIndex(of: 0).map { $0 + 1 } }

  // MARK: Version 6

  private mutating func walk6() -> Bool {
    var at = 18
    /// Goes on behind a size and as many bytes.
    func sized(_ size: Int) -> Bool {
      guard let length = number(at, size), at + size + length <= bytes.count else { return false }
      at += size + length
      return true
    }
    for word in ["header_page", "header_event"] {
      at += word.utf8.count + 1
      guard sized(8) else { return false }
      boundaries.append(at)
    }
    guard let own = number(at, 4) else { return false }
    at += 4
    for _ in 0..<own {
      guard sized(8) else { return false }
      boundaries.append(at)
    }
    guard let systems = number(at, 4) else { return false }
    at += 4
    for _ in 0..<systems {
      guard let next = afterZero(at), let count = number(next, 4) else { return false }
      at = next + 4
      for _ in 0..<count {
        guard sized(8) else { return false }
        boundaries.append(at)
      }
    }
    let symbolStart = at + 4
    guard sized(4) else { return false }
    symbols = symbolStart..<at
    boundaries += [symbolStart, at]
    guard sized(4) else { return false }
    boundaries.append(at)
    guard sized(8), let cpus = number(at, 4) else { return false }
    boundaries += [at, at + 4]
    at += 4
    if bytes[at...].starts(with: "options".utf8) {
      at += 10
      while let id = number(at, 2), id != 0 {
        at += 2
        guard sized(4) else { return false }
        boundaries.append(at)
      }
      at += 2
      boundaries.append(at)
    }
    guard bytes[at...].starts(with: "flyrecord".utf8) else { return false }
    at += 10
    for cpu in 0..<cpus {
      guard let offset = number(at + 16 * cpu, 8), let size = number(at + 16 * cpu + 8, 8) else { return false }
      boundaries += [at + 16 * cpu, offset, offset + size]
      if size > 0 { data.append(offset..<min(offset + size, bytes.count)) }
    }
    return true
  }

  // MARK: Version 7

  /// Sections follow each other; each has a header of 16 bytes.
  private mutating func walk7() -> Bool {
    guard let version = afterZero(18), var at = afterZero(version) else { return false }
    at += 8
    while at < bytes.count {
      guard let id = number(at, 2), let size = number(at + 8, 8), id <= 32, at + 16 + size <= bytes.count else { break }
      boundaries += [at, at + 16, at + 16 + size]
      if id == 3 { data.append(at + 16..<at + 16 + size) }
      at += 16 + size
    }
    return !data.isEmpty
  }
}
