/// Changes and errors as people read them: per cent, points, and values of any measure.
extension Quantity {
  /// A part of one as per cent, without its sign: `0.04 %`, `1.5 %`, `12 %`, `1,204 %`.
  ///
  /// Never `0 %` but for nothing at all. What is no number, or beyond any that could be meant, is a dash.
  static func percent(_ part: Double) -> String { scaled(part).map { "\($0) %" } ?? "–" }

  /// A difference of two shares in percentage points, without its sign: `2.1 pp`.
  static func points(_ difference: Double) -> String { scaled(difference).map { "\($0) pp" } ?? "–" }

  /// A share with one decimal, rounded: `11.2 %`.
  static func rate(_ share: Double) -> String {
    let permille = share * 1_000
    guard permille.isFinite, permille >= 0, permille < 1e15 else { return "–" }
    let rounded = UInt64(permille.rounded())
    return "\(count(rounded / 10)).\(rounded % 10) %"
  }

  /// A size with the sign of its value before the number: `+12 %`, `−12 %`, `< +0.01 %`, and `0 %` for nothing.
  static func signed(_ size: String, as value: Double) -> String {
    let sign = value > 0 ? "+" : value < 0 ? "−" : ""
    return size.hasPrefix("< ") ? "< " + sign + size.dropFirst(2) : size == "–" ? size : sign + size
  }

  /// A factor without needless decimals: `2`, `1.5`, `0.25`.
  static func factor(_ value: Double) -> String {
    guard value.isFinite, value.magnitude < 1e9 else { return "–" }
    let hundredths = Int((value * 100).rounded())
    let magnitude = hundredths.magnitude
    var text = "\(hundredths < 0 ? "−" : "")\(count(UInt64(magnitude / 100)))"
    if magnitude % 100 != 0 { text += ".\(magnitude / 10 % 10)" }
    if magnitude % 10 != 0 { text += "\(magnitude % 10)" }
    return text
  }

  /// A number of nanoseconds or a count that was computed with; nil where it is none.
  static func whole(_ value: Double?) -> UInt64? {
    guard let value, value.isFinite, value >= 0, value < 0x1p64 else { return nil }
    return UInt64(value.rounded())
  }

  /// In hundredths of one: two decimals below 1, one below 10, none above.
  private static func scaled(_ part: Double) -> String? {
    let value = part.magnitude * 100
    guard value.isFinite, value < 1e15 else { return nil }
    if value == 0 { return "0" }
    if value < 0.01 { return "< 0.01" }
    let decimals = value < 0.995 ? 2 : value < 9.95 ? 1 : 0
    let factor: Double = decimals == 2 ? 100 : decimals == 1 ? 10 : 1
    let scaled = UInt64((value * factor).rounded())
    switch decimals {
    case 2: return "0.\(scaled / 10)\(scaled % 10)"
    case 1: return "\(scaled / 10).\(scaled % 10)"
    default: return count(scaled)
    }
  }
}
