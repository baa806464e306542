/// A place in a line, and the end of the line, at which a newline stands. So every scan that a newline ends stays within.
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
    while place < end, place.pointee == 0x20 { place += 1 }
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
    var value: UInt64 = 0
    let start = place
    while true {
      let digit = UInt64(place.pointee &- UInt8(ascii: "0"))
      if digit > 9 || place >= end { break }
      value = value &* 10 &+ digit
      place += 1
    }
    let count = place - start
    return count > 0 && count <= 19 ? value : nil
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
    while place < end, let digit = Self.digit(place.pointee) {
      value = value &<< 4 | digit
      place += 1
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
