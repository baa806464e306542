/// Renders numbers. Times of one trace differ in their lowest digits: the others are kept.
struct DecimalDigits {
  private static let lowDigits = 9
  private static let unit: UInt64 = 1_000_000_000

  /// All but the lowest digits of the number before: what they count.
  private var upper: UInt64 = 0
  /// How they are written, and a zero for each of the lowest ones.
  private var kept: [UInt8] = []

  mutating func append(_ value: UInt64?, to bytes: inout [UInt8]) {
    if let value { append(value, to: &bytes) } else { bytes.append(contentsOf: "null".utf8) }
  }

  mutating func append(_ value: UInt64, to bytes: inout [UInt8]) {
    if value < 10 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value))
      return
    }
    if value < Self.unit {
      bytes.append(contentsOf: String(value).utf8)
      return
    }
    let (upper, lower) = value.quotientAndRemainder(dividingBy: Self.unit)
    if upper != self.upper {
      self.upper = upper
      kept = Array((String(upper) + "000000000").utf8)
    }
    kept.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    Self.write(UInt32(truncatingIfNeeded: lower), at: bytes.count - Self.lowDigits, of: &bytes)
  }

  /// Writes nine digits. Those of the thousands do not wait for each other.
  private static func write(_ value: UInt32, at place: Int, of bytes: inout [UInt8]) {
    let millions = value / 1_000_000
    let thousands = value / 1_000 % 1_000
    let ones = value % 1_000
    var digits = bytes.mutableSpan
    for (offset, part) in [(0, millions), (3, thousands), (6, ones)] {
      digits[place + offset] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: part / 100)
      digits[place + offset + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: part / 10 % 10)
      digits[place + offset + 2] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: part % 10)
    }
  }
}
