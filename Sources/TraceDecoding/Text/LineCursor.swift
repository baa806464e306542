/// A place in a line, and the end of the line, at which a newline stands. So every scan that a newline ends stays within.
///
/// Behind the last line there are at least ``LineReader/slack`` bytes that can be looked at as well.
struct LineCursor {
  private(set) var place: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>

  init(from place: UnsafePointer<UInt8>, to end: UnsafePointer<UInt8>) {
    self.place = place
    self.end = end
  }

  /// The next byte; at the end of the line, a newline.
  @inline(__always) var byte: UInt8 { place.pointee }
  @inline(__always) var isAtEnd: Bool { place >= end }

  @inline(__always)
  mutating func skip(_ count: Int = 1) {
    let rest = end - place
    place += count < rest ? count : rest
  }

  @inline(__always)
  mutating func skipBlanks() {
    // Most often it is none or one, and in columns that are filled up, many.
    while true {
      let count = min(ByteWord(bits: ByteWord(at: place).bits ^ 0x2020_2020_2020_2020).leadingZeros, end - place)
      place += count
      if count < 8 { return }
    }
  }

  /// Skips blanks and commas.
  @inline(__always)
  mutating func skipSeparators() {
    while place < end, place.pointee == 0x20 || place.pointee == UInt8(ascii: ",") { place += 1 }
  }

  @inline(__always)
  mutating func take(_ wanted: UInt8) -> Bool {
    guard place < end, place.pointee == wanted else { return false }
    place += 1
    return true
  }

  /// A number in decimal digits, or nil when there is none or it is too large.
  @inline(__always)
  mutating func decimal() -> UInt64? {
    let word = ByteWord(at: place)
    let count = min(word.noDigits.first, end - place)
    if count == 0 { return nil }
    place += count
    return count < 8 ? word.decimal(count) : longDecimal(word.decimal(8))
  }

  /// The same, behind the first eight digits.
  private mutating func longDecimal(_ first: UInt64) -> UInt64? {
    var value = first
    let start = place
    while place < end, place.pointee &- UInt8(ascii: "0") <= 9 {
      value = value &* 10 &+ UInt64(place.pointee &- UInt8(ascii: "0"))
      place += 1
    }
    return 8 + (place - start) <= 19 ? value : nil
  }

  /// The same with a sign, or in hexadecimal digits behind `0x`.
  mutating func integer() -> Int64? {
    let isNegative = take(UInt8(ascii: "-"))
    if byte == UInt8(ascii: "0"), place + 1 < end, place[1] | 0x20 == UInt8(ascii: "x") {
      skip(2)
      return hexadecimal().map { Int64(bitPattern: $0) }
    }
    guard let value = decimal() else { return nil }
    return isNegative ? 0 &- Int64(bitPattern: value) : Int64(bitPattern: value)
  }

  /// A number in hexadecimal digits, or nil when there is none or it has more than 16.
  @inline(__always)
  mutating func hexadecimal() -> UInt64? {
    var value: UInt64 = 0
    let start = place
    while true {
      let word = ByteWord(at: place)
      let count = min(word.noHexadecimalDigits.first, end - place)
      if count > 0 { value = value &<< UInt64(truncatingIfNeeded: 4 &* count) | word.hexadecimal(count) }
      place += count
      if count < 8 { break }
    }
    let count = place - start
    return count > 0 && count <= 16 ? value : nil
  }

  @inline(__always)
  static func digit(_ byte: UInt8) -> UInt64? {
    let decimal = byte &- UInt8(ascii: "0")
    if decimal <= 9 { return UInt64(decimal) }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter <= 5 ? UInt64(letter) &+ 10 : nil
  }

  /// Whether the rest begins with this text.
  func begins(with text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard end - place >= count else { return false }
    for index in 0..<count where place[index] != text.utf8Start[index] { return false }
    return true
  }

  mutating func take(_ text: StaticString) -> Bool {
    guard begins(with: text) else { return false }
    place += text.utf8CodeUnitCount
    return true
  }

  /// The place of the first, or of the last, occurrence of a text in the rest.
  func find(_ text: StaticString, last: Bool = false) -> UnsafePointer<UInt8>? {
    let count = text.utf8CodeUnitCount
    var candidate = last ? end - count : place
    while candidate >= place, candidate + count <= end {
      if candidate.pointee == text.utf8Start[0], LineCursor(from: candidate, to: end).begins(with: text) {
        return candidate
      }
      candidate += last ? -1 : 1
    }
    return nil
  }

  mutating func move(to other: UnsafePointer<UInt8>) {
    precondition(other >= place && other <= end, "not in the rest of the line")
    place = other
  }

  /// The bytes from another place of the line to this one.
  func bytes(since start: UnsafePointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: start, count: place - start)
  }
}
