/// Finds the smallest of a number of keys that grow one at a time, and the second smallest besides.
///
/// A tournament tree: each inner node keeps the loser of its match, the winner goes up. When the winner's key grows, only
/// the matches on its way up are played again.
struct LoserTree {
  /// A key of a contestant that has left. Greater than all others.
  static let left = UInt128.max

  private var keys: [UInt128]
  /// The loser of each match; position 0 is not used, node n has its children at 2n and 2n + 1.
  private var losers: [Int32]
  private(set) var winner: Int

  /// - Precondition: there is at least one key, and no two keys are equal except ``left``.
  init(_ keys: [UInt128]) {
    precondition(!keys.isEmpty, "a tournament without contestants")
    let count = keys.count
    self.keys = keys
    losers = [Int32](repeating: 0, count: count)
    // Contestant c enters at the place count + c, below node (count + c) / 2.
    var winners = [Int32](repeating: 0, count: 2 * count)
    for contestant in 0..<count { winners[count + contestant] = Int32(contestant) }
    for node in stride(from: count - 1, to: 0, by: -1) {
      let (first, second) = (winners[2 * node], winners[2 * node + 1])
      let firstWins = keys[Int(first)] <= keys[Int(second)]
      winners[node] = firstWins ? first : second
      losers[node] = firstWins ? second : first
    }
    winner = count > 1 ? Int(winners[1]) : 0
  }

  var winnersKey: UInt128 { keys[winner] }

  /// The second smallest key, or ``left`` when there is none: it lost against the winner, so it is on the winner's way.
  /// - Complexity: O(log number of keys).
  var runnerUpsKey: UInt128 {
    var smallest = Self.left
    var node = (keys.count + winner) / 2
    while node > 0 {
      smallest = min(smallest, keys[Int(losers[node])])
      node /= 2
    }
    return smallest
  }

  /// Gives the winner a new key, and finds who wins now.
  /// - Complexity: O(log number of keys).
  mutating func replaceWinnersKey(_ key: UInt128) {
    keys[winner] = key
    var current = winner
    var currentKey = key
    var node = (keys.count + winner) / 2
    while node > 0 {
      let other = Int(losers[node])
      let otherKey = keys[other]
      if otherKey < currentKey {
        losers[node] = Int32(truncatingIfNeeded: current)
        current = other
        currentKey = otherKey
      }
      node /= 2
    }
    winner = current
  }
}
