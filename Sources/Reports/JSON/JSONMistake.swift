/// Where a text stops being JSON, for whoever edited it. The decoder tells that it does, and not where.
struct JSONMistake: Error, Equatable {
  /// Both from 1; columns count bytes.
  var line: Int
  var column: Int
  /// `a value`, `',' or ']'`…
  var expected: String

  var sentence: String { "line \(line), column \(column): expected \(expected)" }

  /// The first mistake of a text; nil where there is none, or none that this finds: bytes that are no UTF-8.
  /// - Complexity: O(number of bytes).
  static func first(in bytes: [UInt8]) -> JSONMistake? {
    var reader = Reader(bytes: bytes)
    do {
      try reader.document()
      return nil
    } catch {
      let before = bytes[..<min(error.offset, bytes.count)]
      let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
      return JSONMistake(
        line: before.count { $0 == UInt8(ascii: "\n") } + 1, column: before.count - lineStart + 1,
        expected: error.expected)
    }
  }

  private struct Place: Error {
    var offset: Int
    var expected: String
  }

  private struct Reader {
    /// The decoder's own limit.
    private static let deepest = 512

    let bytes: [UInt8]
    var offset = 0
    var depth = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private func expected(_ what: String) -> Place { Place(offset: offset, expected: what) }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard next == UInt8(ascii: character) else { return false }
      offset += 1
      return true
    }

    private mutating func skipSpace() {
      while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { offset += 1 }
    }

    mutating func document() throws(Place) {
      try value()
      if next != nil { throw expected("nothing more") }
    }

    /// A value, and the space around it.
    private mutating func value() throws(Place) {
      skipSpace()
      switch next {
      case UInt8(ascii: "{"): try members(until: "}", named: true)
      case UInt8(ascii: "["): try members(until: "]", named: false)
      case UInt8(ascii: "\""): try string()
      case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): try number()
      case UInt8(ascii: "t"): try word("true")
      case UInt8(ascii: "f"): try word("false")
      case UInt8(ascii: "n"): try word("null")
      default: throw expected("a value")
      }
      skipSpace()
    }

    private mutating func members(until end: Unicode.Scalar, named: Bool) throws(Place) {
      depth += 1
      if depth > Self.deepest { throw expected("no deeper nesting") }
      offset += 1
      skipSpace()
      if !take(end) {
        repeat {
          if named { try key() }
          try value()
        } while take(",")
        if !take(end) { throw expected("',' or '\(end)'") }
      }
      depth -= 1
    }

    private mutating func key() throws(Place) {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw expected("a key in quotes") }
      try string()
      skipSpace()
      if !take(":") { throw expected("':'") }
    }

    private mutating func string() throws(Place) {
      offset += 1
      while let byte = next {
        offset += 1
        if byte == UInt8(ascii: "\"") { return }
        if byte < 0x20 {
          offset -= 1
          throw expected("the text's closing quote")
        }
        if byte == UInt8(ascii: "\\") { try escape() }
      }
      throw expected("the text's closing quote")
    }

    private mutating func escape() throws(Place) {
      guard let byte = next, "\"\\/bfnrtu".utf8.contains(byte) else { throw expected("an escape that JSON has") }
      offset += 1
      guard byte == UInt8(ascii: "u") else { return }
      for _ in 0..<4 {
        guard let digit = next, Character(Unicode.Scalar(digit)).isHexDigit else { throw expected("four hex digits") }
        offset += 1
      }
    }

    private mutating func digits() throws(Place) {
      let first = offset
      while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { offset += 1 }
      if offset == first { throw expected("a digit") }
    }

    private mutating func number() throws(Place) {
      let first = offset
      _ = take("-")
      if !take("0") { try digits() }
      if take(".") { try digits() }
      if take("e") || take("E") {
        _ = take("+") || take("-")
        try digits()
      }
      guard let value = Double(String(decoding: bytes[first..<offset], as: UTF8.self)), value.isFinite else {
        throw Place(offset: first, expected: "a number that is not that large")
      }
    }

    private mutating func word(_ word: String) throws(Place) {
      for byte in word.utf8 {
        guard next == byte else { throw expected(word) }
        offset += 1
      }
    }
  }
}
