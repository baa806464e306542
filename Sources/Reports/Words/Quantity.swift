/// Numbers as people read them, by fixed rules and without a locale.
enum Quantity {
  /// A count with a comma before every third digit from the right: `1,234,567`.
  static func count(_ value: UInt64) -> String {
    let digits = Array(String(value))
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return result
  }

  static func count(_ value: Int) -> String {
    value < 0 ? "-" + count(value.magnitude.asUInt64) : count(value.magnitude.asUInt64)
  }

  /// A count in at most five characters: `9999`, `12.3k`, `4.56M`. Rounded down.
  static func shortCount(_ value: UInt64) -> String {
    if value < 10_000 { return String(value) }
    var unit: UInt64 = 1_000
    for letter in ["k", "M", "G", "T", "P", "E"] {
      let whole = value / unit
      if whole < 1_000 {
        let rest = value % unit
        if whole >= 100 { return "\(whole)\(letter)" }
        if whole >= 10 { return "\(whole).\(rest / (unit / 10))\(letter)" }
        let hundredths = rest / (unit / 100)
        return "\(whole).\(hundredths < 10 ? "0" : "")\(hundredths)\(letter)"
      }
      let next = unit.multipliedReportingOverflow(by: 1_000)
      if next.overflow { break }
      unit = next.partialValue
    }
    return "\(value / 1_000_000_000_000_000_000)E"
  }

  /// A noun with its count: `1 call`, `2 calls`.
  static func count(_ value: UInt64, _ singular: String, _ plural: String? = nil) -> String {
    "\(count(value)) \(value == 1 ? singular : plural ?? singular + "s")"
  }

  /// A duration to three significant digits, rounded half up: `873 ns`, `1.23 µs`, `45.6 ms`, `789 s`, `12,345 s`.
  static func duration(_ nanoseconds: UInt64) -> String {
    if nanoseconds < 1_000 { return "\(nanoseconds) ns" }
    for (unit, name) in [(UInt64(1_000), "µs"), (1_000_000, "ms"), (1_000_000_000, "s")] {
      for decimals in [2, 1, 0] {
        let scaled = scale(nanoseconds, by: unit, decimals: decimals)
        if scaled < 1_000 { return "\(decimal(scaled, decimals: decimals)) \(name)" }
      }
    }
    return "\(count(scale(nanoseconds, by: 1_000_000_000, decimals: 0))) s"
  }

  /// A duration, or a dash where it is unknown.
  static func duration(_ nanoseconds: UInt64?) -> String { nanoseconds.map { duration($0) } ?? "–" }

  static func count(_ value: UInt64?) -> String { value.map { count($0) } ?? "–" }

  /// A point in time as seconds with nine decimals, the way ftrace writes it but without rounding: `12.345678901`.
  static func time(_ nanoseconds: UInt64) -> String {
    let fraction = String(nanoseconds % 1_000_000_000)
    return "\(nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 9 - fraction.count) + fraction
  }

  /// A share with one decimal, rounded down: 100 % is said only of the whole, and 0 % only of nothing.
  static func share(_ part: UInt64, of whole: UInt64) -> String {
    guard whole > 0 else { return "–" }
    if part == whole { return "100 %" }
    if part == 0 { return "0 %" }
    let permille = Double(part) / Double(whole) * 1_000
    if permille < 1 { return "< 0.1 %" }
    guard permille < 1e15 else { return "–" }
    let rounded = part < whole ? min(UInt64(permille), 999) : UInt64(permille)
    return "\(rounded / 10).\(rounded % 10) %"
  }

  /// CPUs in the kernel's list form, runs of two included: `0-3,7`. The order and repetitions do not matter.
  static func cpuList(_ cpus: [Int]) -> String {
    var parts: [String] = []
    var run: (first: Int, last: Int)?
    func text(_ run: (first: Int, last: Int)) -> String {
      run.first == run.last ? "\(run.first)" : "\(run.first)-\(run.last)"
    }
    for cpu in Set(cpus).sorted() {
      // Only the smallest Int overflows here, and nothing sorts before it.
      if let current = run, current.last == cpu &- 1 {
        run = (current.first, cpu)
      } else {
        if let run { parts.append(text(run)) }
        run = (cpu, cpu)
      }
    }
    if let run { parts.append(text(run)) }
    return parts.joined(separator: ",")
  }

  /// The value in units of `unit`, times ten to the decimals, rounded half up. Does not overflow for three decimals.
  private static func scale(_ value: UInt64, by unit: UInt64, decimals: Int) -> UInt64 {
    let factor: UInt64 = decimals == 0 ? 1 : decimals == 1 ? 10 : 100
    let whole = (value / unit).multipliedReportingOverflow(by: factor)
    if whole.overflow { return .max }
    return whole.partialValue &+ ((value % unit) * factor + unit / 2) / unit
  }

  private static func decimal(_ scaled: UInt64, decimals: Int) -> String {
    switch decimals {
    case 2: "\(scaled / 100).\(scaled / 10 % 10)\(scaled % 10)"
    case 1: "\(scaled / 10).\(scaled % 10)"
    default: "\(scaled)"
    }
  }
}

extension UInt {
  fileprivate var asUInt64: UInt64 { UInt64(self) }
}

extension UInt64 {
  /// The difference, or 0 where it would be negative: a result that was read from a file may contradict itself.
  func minus(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }

  /// The sum, or the largest value where it would be larger.
  func plus(_ other: UInt64) -> UInt64 {
    let sum = addingReportingOverflow(other)
    return sum.overflow ? .max : sum.partialValue
  }
}
