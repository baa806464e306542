/// Finds the smallest of a number of keys that grow one at a time, and the second smallest besides.
///
/// A tournament tree: each inner node keeps the loser of its match, the winner goes up. When the winner's key grows, only
/// the matches on its way up are played again.
///
/// It can't be copied, so that the merge, which asks it every few events, has no references to count.
struct LoserTree: ~Copyable {
  /// The key of a contestant that has left. Greater than all others.
  static let left = UInt128.max

  private let keys: UnsafeMutableBufferPointer<UInt128>
  /// The loser of each match; position 0 is not used, node n has its children at 2n and 2n + 1.
  private let losers: UnsafeMutableBufferPointer<Int>
  private(set) var winner: Int

  /// - Precondition: there is at least one key, and no two keys are equal except ``left``.
  init(_ keys: [UInt128]) {
    precondition(!keys.isEmpty, "a tournament without contestants")
    let count = keys.count
    self.keys = .allocate(capacity: count)
    _ = self.keys.initialize(fromContentsOf: keys)
    losers = .allocate(capacity: count)
    losers.initialize(repeating: 0)
    // Contestant c enters at the place count + c, below node (count + c) / 2.
    var winners = [Int](repeating: 0, count: 2 * count)
    for contestant in 0..<count { winners[count + contestant] = contestant }
    for node in stride(from: count - 1, to: 0, by: -1) {
      let (first, second) = (winners[2 * node], winners[2 * node + 1])
      let firstWins = keys[first] <= keys[second]
      winners[node] = firstWins ? first : second
      losers[node] = firstWins ? second : first
    }
    winner = count > 1 ? winners[1] : 0
  }

  deinit {
    keys.deallocate()
    losers.deallocate()
  }

  var winnersKey: UInt128 { keys[winner] }

  /// The second smallest key, or ``left`` when there is none: it lost against the winner, so it is on the winner's way.
  /// - Complexity: O(log number of keys).
  @inline(__always)
  var runnerUpsKey: UInt128 {
    var smallest = Self.left
    var node = (keys.count + winner) / 2
    while node > 0 {
      smallest = min(smallest, keys[losers[node]])
      node /= 2
    }
    return smallest
  }

  /// Gives the winner a new key, and finds who wins now.
  /// - Complexity: O(log number of keys).
  @inline(__always)
  mutating func replaceWinnersKey(_ key: UInt128) {
    keys[winner] = key
    var current = winner
    var currentKey = key
    var node = (keys.count + winner) / 2
    while node > 0 {
      let other = losers[node]
      let otherKey = keys[other]
      if otherKey < currentKey {
        losers[node] = current
        current = other
        currentKey = otherKey
      }
      node /= 2
    }
    winner = current
  }
}
