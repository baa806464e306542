/// The numbers by which a call's arrow finds its callback.
///
/// Both ends are written at different times, and neither knows the other. What both know is where and when the callback began.
/// Where a clock is so coarse, or a recording so damaged, that a csd ran several times at one time, they are counted: calls of
/// one csd come in the order in which they ran.
struct PerfettoFlows {
  private static let recentCount = 1 << 12

  /// The latest callbacks by the lowest bits of their numbers, and how often each came.
  private var recent = [(number: UInt64, count: UInt64)](repeating: (0, 0), count: recentCount)

  /// The number of the arrow to a callback.
  mutating func number(cpu: UInt16, csd: UInt64, function: UInt64, started: UInt64) -> UInt64 {
    let number = Self.mixed(Self.mixed(csd ^ Self.mixed(function)) ^ Self.mixed(started &+ UInt64(cpu) << 48))
    let place = Int(truncatingIfNeeded: number) & (Self.recentCount - 1)
    if recent[place].number == number {
      recent[place].count += 1
      return Self.mixed(number &+ recent[place].count)
    }
    recent[place] = (number, 0)
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
