/// Renders numbers. Times of one trace differ in their lowest digits: the others are kept.
struct DecimalDigits {
  private static let lowDigits = 9
  private static let unit: UInt64 = 1_000_000_000
  private static let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: lowDigits)
  private static let null = Array("null".utf8)

  /// All but the lowest digits of the number before: what they count, and how they are written.
  private var upper: UInt64 = 0
  private var upperDigits: [UInt8] = []

  mutating func append(_ value: UInt64?, to bytes: inout [UInt8]) {
    if let value { append(value, to: &bytes) } else { bytes.append(contentsOf: Self.null) }
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
      upperDigits = Array(String(upper).utf8)
    }
    bytes.append(contentsOf: upperDigits)
    bytes.append(contentsOf: Self.zeros)
    var digits = bytes.mutableSpan
    var rest = UInt32(truncatingIfNeeded: lower)
    var at = digits.count
    for _ in 0..<Self.lowDigits {
      at -= 1
      digits[at] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}
