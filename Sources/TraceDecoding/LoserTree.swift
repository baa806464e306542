/// Finds the smallest of a number of keys that grow one at a time.
///
/// A tournament tree: each inner node keeps the loser of its match, the winner goes up. When the winner's key grows, only
/// the matches on its way up are played again.
///
/// It is a plain value, so that the merge, which asks it with every event, keeps it in registers. The losers' keys lie in
/// memory that belongs to whoever made the tree, until ``deallocate()``.
struct LoserTree {
  private let count: Int
  /// The lowest bits of a key, which are the contestant's number.
  private let mask: UInt64
  /// The loser's key of each match; position 0 is not used, node n has its children at 2n and 2n + 1.
  private let losers: UnsafeMutablePointer<UInt64>
  private(set) var winnersKey: UInt64

  /// - Parameter keys: by contestant. The lowest bits of a key are the contestant's number, as many bits as the largest number
  ///   has.
  /// - Precondition: there is at least one key, and no two keys are equal.
  init(_ keys: [UInt64]) {
    precondition(!keys.isEmpty, "a tournament without contestants")
    count = keys.count
    mask = count > 1 ? .max >> UInt64((count - 1).leadingZeroBitCount) : 0
    losers = .allocate(capacity: count)
    losers.initialize(repeating: 0, count: count)
    // Contestant c enters at the place count + c, below node (count + c) / 2.
    var winners = [UInt64](repeating: 0, count: count) + keys
    for node in stride(from: count - 1, to: 0, by: -1) {
      winners[node] = min(winners[2 * node], winners[2 * node + 1])
      losers[node] = max(winners[2 * node], winners[2 * node + 1])
    }
    winnersKey = count > 1 ? winners[1] : keys[0]
  }

  func deallocate() { losers.deallocate() }

  /// The number of the contestant that wins.
  var winner: Int {
    @inline(__always) get { Int(truncatingIfNeeded: winnersKey & mask) }
  }

  /// Gives the winner a new key, and finds who wins now.
  /// - Parameter key: with the winner's number.
  /// - Complexity: O(log number of keys).
  @inline(__always)
  mutating func replaceWinnersKey(_ key: UInt64) {
    var current = key
    var node = UInt(truncatingIfNeeded: count &+ winner) &>> 1
    while node > 0 {
      let other = losers[Int(bitPattern: node)]
      losers[Int(bitPattern: node)] = max(other, current)
      current = min(other, current)
      node &>>= 1
    }
    winnersKey = current
  }
}
