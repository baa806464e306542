/// Deals blocks out anew, again and again, the same way for the same seed.
///
/// The numbers are splitmix64's; the choice is Floyd's, which needs one number for each block chosen.
struct BlockShuffle {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// Chooses some of the first `count` whole numbers, each set of them as likely as any other.
  /// - Complexity: O(chosen · log chosen).
  mutating func choose(_ chosen: Int, of count: Int) -> [Int] {
    var taken = [Bool](repeating: false, count: count)
    var result: [Int] = []
    result.reserveCapacity(chosen)
    for last in (count - chosen)..<count {
      let pick = below(last + 1)
      let number = taken[pick] ? last : pick
      taken[number] = true
      result.append(number)
    }
    // In one order, so that sums are rounded alike whatever the order of the choice was.
    return result.sorted()
  }

  /// A number below the bound. The bias of the product is below 2^-50 for as few blocks as there are.
  private mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

  private mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var result = state
    result = (result ^ (result >> 30)) &* 0xbf58_476d_1ce4_e5b9
    result = (result ^ (result >> 27)) &* 0x94d0_49bb_1331_11eb
    return result ^ (result >> 31)
  }
}
