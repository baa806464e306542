/// Numbers that look like chance and depend on what they are asked for, not on how often or in which order.
///
/// So the same call is as lucky under one engine as under another, and on one thread as on two.
struct RandomNumbers: Sendable {
  /// What a number is for.
  enum Purpose: UInt64 {
    case delivery = 1
    case add
    case handlerEntry
    case nextCallback
    case handlerExit
    case run
    case pollingWake
    case allocation
    case copy
  }

  let seed: UInt64

  @inline(__always)
  func number(_ purpose: Purpose, _ first: UInt64, _ second: UInt64) -> UInt64 {
    Self.mix(Self.mix(Self.mix(seed &+ purpose.rawValue &* 0x9E37_79B9_7F4A_7C15) ^ first) ^ second)
  }

  /// The output function of SplitMix64 (Steele, Lea, Flood, 2014).
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed &>> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed &>> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed &>> 31
  }
}
