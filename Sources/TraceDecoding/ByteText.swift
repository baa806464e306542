/// What the parsers of the kernel's text files need of a stretch of bytes.
///
/// The texts come out of the trace file and may hold anything, so they stay bytes until a part is known to be a name.
extension ArraySlice<UInt8> {
  /// Without blanks at both ends.
  var trimmed: ArraySlice<UInt8> {
    var result = self
    while let first = result.first, first.isBlank { result.removeFirst() }
    while let last = result.last, last.isBlank { result.removeLast() }
    return result
  }

  /// The value of a number in decimal digits, or nil for anything else and for more than nine digits.
  var decimal: Int? {
    guard !isEmpty, count <= 9 else { return nil }
    var value = 0
    for byte in self {
      guard byte &- UInt8(ascii: "0") <= 9 else { return nil }
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return value
  }

  /// The value of a number in hexadecimal digits, or nil for anything else and for more than 16 digits.
  var hexadecimal: UInt64? {
    guard !isEmpty, count <= 16 else { return nil }
    var value: UInt64 = 0
    for byte in self {
      guard let digit = byte.hexadecimalDigit else { return nil }
      value = value << 4 | digit
    }
    return value
  }
}

extension UInt8 {
  /// Space, tab, carriage return or newline.
  var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0d || self == 0x0a }

  var isIdentifier: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  var hexadecimalDigit: UInt64? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(self - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(self - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(self - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}
