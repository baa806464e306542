/// The numbers by which a call's arrow finds its callback.
///
/// Both ends are written at different times, and neither knows the other. What both know is where and when the callback began.
struct PerfettoFlows {
  private static let recentCount = 1 << 10

  /// The latest numbers given, by their lowest bits.
  private var recent = [UInt64](repeating: 0, count: recentCount)

  /// The number of the arrow to a callback; nil if it was given lately: where the clock is so coarse that a csd ran twice at one
  /// time, only one arrow is drawn.
  mutating func number(cpu: UInt16, csd: UInt64, started: UInt64) -> UInt64? {
    let number = Self.mixed(Self.mixed(csd) ^ Self.mixed(started &+ UInt64(cpu) << 48))
    let place = Int(truncatingIfNeeded: number) & (Self.recentCount - 1)
    if recent[place] == number { return nil }
    recent[place] = number
    return number
  }

  /// Different numbers for different numbers, all of whose bits depend on all bits.
  private static func mixed(_ value: UInt64) -> UInt64 {
    var bits = value &+ 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    return bits ^ bits >> 31
  }
}
