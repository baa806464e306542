/// A buffer size per CPU, in KiB, as `-b` takes it.
public struct BufferSize: Equatable, Sendable {
  public var kibibytes: Int

  public init(kibibytes: Int) { self.kibibytes = kibibytes }

  /// Parses `4096` and `4096K` (KiB), `4M` and `1G`.
  /// - Returns: nil for anything else, for 0, and for 1 TiB and more.
  public init?(parsing text: String) {
    guard let (value, unit) = parseNumber(text) else { return nil }
    let factor: UInt64
    switch unit.lowercased() {
    case "", "k", "kb", "kib": factor = 1
    case "m", "mb", "mib": factor = 1 << 10
    case "g", "gb", "gib": factor = 1 << 20
    default: return nil
    }
    let (product, overflow) = value.multipliedReportingOverflow(by: factor)
    guard !overflow, product > 0, product < 1 << 30 else { return nil }
    kibibytes = Int(product)
  }

  /// What is taken without `-b`: 8 MiB, less on many CPUs or with little memory, and at least the kernel's own default.
  ///
  /// 8 MiB hold about 250,000 events. At a million events per second and CPU the recorder, which looks at least every
  /// 100 ms, finds less than half of it used.
  public static func standard(cpus: Int, memoryKibibytes: Int) -> BufferSize {
    let cpus = max(cpus, 1)
    let share = min((1 << 20) / cpus, memoryKibibytes / 8 / cpus)
    return BufferSize(kibibytes: max(min(8 << 10, share), 1408))
  }
}

/// A time span in milliseconds, as `--duration` takes it.
public struct CaptureDuration: Equatable, Sendable {
  public var milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// Parses `10` and `10s`, `500ms`, `2m`, `1h`, and fractions such as `1.5s`.
  /// - Returns: nil for anything else, for less than 1 ms, and for more than a year.
  public init?(parsing text: String) {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let (whole, firstUnit) = parseNumber(String(parts[0])) else { return nil }
    var unit = firstUnit
    var thousandths: UInt64 = 0
    if parts.count == 2 {
      guard firstUnit.isEmpty else { return nil }
      let digits = parts[1].prefix(while: { $0.isASCII && $0.isNumber })
      guard !digits.isEmpty, digits.count <= 3, let fraction = UInt64(digits) else { return nil }
      thousandths = fraction * [100, 10, 1][digits.count - 1]
      unit = String(parts[1].dropFirst(digits.count))
    }
    let factor: UInt64
    switch unit {
    case "ms": factor = 1
    case "", "s": factor = 1_000
    case "m", "min": factor = 60_000
    case "h": factor = 3_600_000
    default: return nil
    }
    guard whole <= 366 * 86_400_000 else { return nil }
    let value = whole * factor + thousandths * factor / 1_000
    guard value > 0, value <= 366 * 86_400_000 else { return nil }
    milliseconds = Int64(value)
  }
}

/// Splits `12kb` into 12 and `kb`. The number is plain ASCII digits.
private func parseNumber(_ text: String) -> (UInt64, String)? {
  let digits = text.prefix(while: { $0 >= "0" && $0 <= "9" && $0.isASCII })
  guard let value = UInt64(digits) else { return nil }
  return (value, String(text.dropFirst(digits.count)))
}
