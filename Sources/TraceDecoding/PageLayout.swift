/// How a page of the ring buffer is laid out, as the recorded kernel described it.
///
/// The kernel's counterpart is `events/header_page` in tracefs.
struct PageLayout: Sendable, Hashable {
  /// Bytes from the start of the page to its time, a 64-bit number.
  var timeOffset = 0
  /// Bytes from the start of the page to the commit word, 64 bits: the number of bytes of data, and flags.
  var commitOffset = 8
  /// Bytes from the start of the page to the first event.
  var dataOffset = 16
  /// The size of the whole page in bytes.
  var pageSize = 4096

  static let smallestPage = 64
  static let largestPage = 16 << 20

  init() {}

  /// Parses the text of `header_page`.
  static func parse(_ text: [UInt8]) -> Result<PageLayout, ParseError> {
    var layout = PageLayout()
    var seen = 0
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let line = line.trimmed
      guard line.starts(with: "field:".utf8), let field = EventFormat.field(line.dropFirst(6)) else { continue }
      guard field.offset < largestPage, field.size <= largestPage else { return .failure(ParseError(longSize: nil)) }
      switch field.name {
      case "timestamp":
        guard field.size == 8 else { return .failure(ParseError(longSize: nil)) }
        layout.timeOffset = field.offset
        seen |= 1
      case "commit":
        guard field.size == 8 else { return .failure(ParseError(longSize: field.size)) }
        layout.commitOffset = field.offset
        seen |= 2
      case "data":
        layout.dataOffset = field.offset
        layout.pageSize = field.offset + field.size
        seen |= 4
      default: break
      }
    }
    guard seen == 7, layout.isUsable else { return .failure(ParseError(longSize: nil)) }
    return .success(layout)
  }

  struct ParseError: Error {
    /// The size of the commit word, where that is what's wrong.
    var longSize: Int?
  }

  /// Whether the header's parts lie before the data, and the data in the page.
  var isUsable: Bool {
    timeOffset + 8 <= dataOffset && commitOffset + 8 <= dataOffset && dataOffset <= 4096 && dataOffset < pageSize
      && pageSize >= Self.smallestPage && pageSize <= Self.largestPage
  }

  /// The same header on pages of another size, or nil when that size is impossible.
  func with(pageSize: Int) -> PageLayout? {
    var result = self
    result.pageSize = pageSize
    return result.isUsable ? result : nil
  }
}

/// The commit word of a page.
struct PageCommit {
  /// Bytes of data, a count of lost events behind them not included.
  var size: Int
  /// Events were lost before the page's first one.
  var hasLost: Bool
  /// The number of lost events follows the data, if it fits into the page.
  var hasLostCount: Bool

  /// The word is signed in the kernel; with the flag in bit 31, the upper half may be all ones and says nothing.
  init(_ word: UInt64) {
    let low = UInt32(truncatingIfNeeded: word)
    size = Int(low & 0x3fff_ffff)
    hasLost = low >> 31 == 1
    hasLostCount = low >> 30 & 1 == 1
  }
}
