import Verdicts

/// How long calls took from one CPU to another, by the times that these gave, and when.
///
/// A clock can run faster than another, or be set. So what the calls of one stretch of the trace say of the clocks need not
/// hold in another. Time is divided into stretches of one length, of which the shortest delay of each pair of CPUs is kept.
struct MessageDelays {
  struct Stretch {
    var number: UInt64
    var shortest: UInt64
    /// When the first of them arrived, on the target's clock.
    var arrived: UInt64
  }

  /// The most stretches of pairs that are kept; beyond that, each gets twice as long.
  private static let capacity = 1 << 16
  /// The most pairs that are kept: each has room for a stretch, so that lengthening ends. Of others nothing is known.
  private static let mostPairs = capacity / 2
  /// How many stretches with calls tell of the clocks on each side of a time. In few of them every call may have taken long.
  private static let nearby = 16
  /// The logarithm of the stretches' length in nanoseconds: at first a quarter of a millisecond.
  private var scale: UInt64 = 18
  /// By source and target.
  private var places = InternTable(limit: mostPairs)
  private var pairs: ContiguousArray<ContiguousArray<Stretch>> = []
  private var count = 0

  /// Takes a call. They come roughly in the order of their queue events.
  /// - Complexity: amortized O(1).
  mutating func add(from source: UInt16, to target: UInt16, queued: UInt64, started: UInt64) {
    guard started >= queued, source != target else { return }
    guard let place = places.number(UInt64(source), UInt64(target)) else { return }
    if place == pairs.count { pairs.append([]) }
    let stretch = Stretch(number: queued >> scale, shortest: started - queued, arrived: started)
    count += Self.insert(stretch, into: &pairs[place]) ? 1 : 0
    if count > Self.capacity { lengthen() }
  }

  private static func insert(_ stretch: Stretch, into all: inout ContiguousArray<Stretch>) -> Bool {
    var index = all.count
    while index > 0, all[index - 1].number > stretch.number { index -= 1 }
    guard index > 0, all[index - 1].number == stretch.number else {
      all.insert(stretch, at: index)
      return true
    }
    all[index - 1].shortest = min(all[index - 1].shortest, stretch.shortest)
    all[index - 1].arrived = min(all[index - 1].arrived, stretch.arrived)
    return false
  }

  private mutating func lengthen() {
    scale += 1
    count = 0
    for place in pairs.indices { count += Self.lengthen(&pairs[place]) }
  }

  /// Makes one stretch of two, in place.
  /// - Returns: how many there are now.
  private static func lengthen(_ all: inout ContiguousArray<Stretch>) -> Int {
    var kept = 0
    for index in all.indices {
      var stretch = all[index]
      stretch.number >>= 1
      if kept > 0, all[kept - 1].number == stretch.number {
        all[kept - 1].shortest = min(all[kept - 1].shortest, stretch.shortest)
        all[kept - 1].arrived = min(all[kept - 1].arrived, stretch.arrived)
      } else {
        all[kept] = stretch
        kept += 1
      }
    }
    all.removeLast(all.count - kept)
    return kept
  }

  /// The shortest delay of each pair in the whole trace.
  var shortest: [(source: UInt16, target: UInt16, nanoseconds: UInt64)] {
    zip(places.keys, pairs).map { key, stretches in
      (UInt16(key.0), UInt16(key.1), stretches.map(\.shortest).min() ?? .max)
    }
  }

  /// The stretches in which two times lie.
  func stretches(from first: UInt64, to last: UInt64) -> ClosedRange<UInt64> {
    first >> scale...max(first, last) >> scale
  }

  /// Whether a call that one CPU made after a time arrived on another one before a time there: then the two times are in this
  /// order, whatever the clocks.
  func passed(from source: UInt16, after first: UInt64, to target: UInt16, before last: UInt64) -> Bool {
    guard let place = places.knownNumber(UInt64(source), UInt64(target)) else { return false }
    let all = pairs[place]
    var next = Self.firstIndex(in: all, behind: first >> scale)
    while next < all.count, all[next].number <= last >> scale {
      if all[next].arrived < last { return true }
      next += 1
    }
    return false
  }

  /// The shortest delay of a pair shortly before some stretches, and shortly behind them: the larger of the two, because a clock
  /// that changes its distance from another one meanwhile is farther away at one of these. Nil if there is none on one side: what
  /// changed then is not seen.
  func shortest(from source: UInt16, to target: UInt16, around stretches: ClosedRange<UInt64>) -> UInt64? {
    guard let place = places.knownNumber(UInt64(source), UInt64(target)) else { return nil }
    let all = pairs[place]
    let next = Self.firstIndex(in: all, behind: stretches.upperBound)
    var previous = next - 1
    while previous >= 0, all[previous].number >= stretches.lowerBound { previous -= 1 }
    let before = all[..<(previous + 1)].suffix(Self.nearby).map(\.shortest).min()
    let behind = all[next...].prefix(Self.nearby).map(\.shortest).min()
    guard let before, let behind else { return nil }
    return max(before, behind)
  }

  private static func firstIndex(in all: ContiguousArray<Stretch>, behind number: UInt64) -> Int {
    var (low, high) = (0, all.count)
    while low < high {
      let middle = (low + high) / 2
      if all[middle].number <= number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
