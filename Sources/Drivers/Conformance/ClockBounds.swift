import CallHistories

/// By how much the clocks of the CPUs can disagree, as far as the trace itself tells.
///
/// What one CPU sends another arrives after it was sent. So the clock of the CPU that got something can be ahead of the
/// sender's by no more than the shortest time that this ever seemed to take, and along a chain of CPUs by no more than the sum.
/// Nothing else is known of clocks that each CPU keeps for itself, and what rests on a smaller difference is not claimed. As
/// clocks drift and are set, this has to hold for what calls took shortly before and shortly behind the two times as well. What
/// a call proves that was made after the one time and has arrived before the other needs no clocks.
///
/// The clocks are known to disagree where a callback ran before it was queued, by their times. But a callback that nobody was
/// seen to queue can also belong to a queue event that is missing, and the one that follows to another call: then the clocks
/// would have to disagree by more than they can. Where many callbacks say so, it is not that: a clock that changes its rate, or
/// that is set, is wrong by more than the shortest time, which was seen while it was right.
struct ClockBounds {
  private var shortest: [UInt16: [(later: UInt16, nanoseconds: UInt64)]] = [:]
  private var bounds: [UInt16: [UInt16: UInt64]] = [:]
  private let isShared: Bool
  private let timeError: UInt64
  private let messages: MessageDelays
  private var searches = 0
  /// For more CPUs than this to begin from, only direct messages count.
  private static let mostSearches = 256
  /// So many callbacks that nobody had queued, with all sources known, are no missing queue events: captures without fault have
  /// none.
  private static let manySigns: UInt64 = 2

  /// Signs that clocks disagree which nothing else explains.
  private(set) var disagreements: [ClockEvidence] = []

  /// - Parameters:
  ///   - messages: the times from queue events on one CPU to their callbacks on another one.
  ///   - isShared: all CPUs read one clock, so that any difference of times is one of moments.
  ///   - timeError: by how much a difference can be wrong all the same, because times were rounded.
  init(messages: MessageDelays, evidence: [ClockEvidence], isShared: Bool, timeError: UInt64) {
    self.isShared = isShared
    self.timeError = timeError
    self.messages = messages
    for delay in messages.shortest {
      shortest[delay.source, default: []].append((delay.target, delay.nanoseconds))
    }
    let isPlain = evidence.reduce(0) { $0 + $1.firmSigns } >= Self.manySigns
    for sign in evidence {
      let most = bound(from: sign.behind, to: sign.ahead)
      let isPossible = sign.nanoseconds <= most && (most != .max || sign.firmSigns > 0)
      if isPossible || isPlain && sign.firmSigns > 0 { disagreements.append(sign) }
    }
  }

  /// Whether the clocks cannot be so wrong that the order was the other one.
  mutating func confirm(_ comparison: ClockComparison) -> Bool {
    if comparison.earlier == comparison.later { return true }
    if isShared { return comparison.margin > timeError }
    let end = comparison.time.addingReportingOverflow(comparison.margin)
    guard comparison.margin > 0, !end.overflow else { return false }
    let (first, second) = (comparison.earlier, comparison.later)
    if messages.passed(from: first, after: comparison.time, to: second, before: end.partialValue) { return true }
    // The shortest delays were rounded, too.
    let least = comparison.margin - min(comparison.margin, 2 * timeError)
    guard least > bound(from: first, to: second) else { return false }
    let stretches = messages.stretches(from: comparison.time, to: end.partialValue)
    return least > localBound(from: first, to: second, around: stretches)
  }

  /// The same as the bound for the whole trace, by what was seen around a time.
  private mutating func localBound(
    from first: UInt16, to second: UInt16, around stretches: ClosedRange<UInt64>
  ) -> UInt64 {
    searches += 1
    guard searches <= Self.mostSearches else {
      return messages.shortest(from: first, to: second, around: stretches) ?? .max
    }
    return distances(from: first) { source, target, _ in
      messages.shortest(from: source, to: target, around: stretches) ?? .max
    }[second] ?? .max
  }

  /// By how many nanoseconds the second CPU's clock can be ahead of the first one's; `UInt64.max`: nothing is known.
  /// - Complexity: O(square of the number of CPUs) for the first question about a CPU, then O(1).
  private mutating func bound(from first: UInt16, to second: UInt16) -> UInt64 {
    if let known = bounds[first] { return known[second] ?? .max }
    guard bounds.count < Self.mostSearches else {
      return shortest[first]?.first { $0.later == second }?.nanoseconds ?? .max
    }
    bounds[first] = distances(from: first) { _, _, nanoseconds in nanoseconds }
    return bounds[first]?[second] ?? .max
  }

  /// Dijkstra's shortest paths.
  private func distances(from first: UInt16, length: (UInt16, UInt16, UInt64) -> UInt64) -> [UInt16: UInt64] {
    var settled: [UInt16: UInt64] = [:]
    var open: [UInt16: UInt64] = [first: 0]
    while let next = open.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
      open[next.key] = nil
      settled[next.key] = next.value
      for edge in shortest[next.key] ?? [] where settled[edge.later] == nil {
        let sum = next.value.addingReportingOverflow(length(next.key, edge.later, edge.nanoseconds))
        let distance = sum.overflow ? .max : sum.partialValue
        if distance < open[edge.later] ?? .max { open[edge.later] = distance }
      }
    }
    return settled
  }
}
