import CallHistories

/// By how much the clocks of the CPUs can disagree, as far as the trace itself tells.
///
/// What one CPU sends another arrives after it was sent. So the clock of the CPU that got something can be ahead of the
/// sender's by no more than the shortest time that this ever seemed to take, and along a chain of CPUs by no more than the sum.
/// Nothing else is known of clocks that each CPU keeps for itself, and what rests on a smaller difference is not claimed.
///
/// The clocks are known to disagree where a callback ran before it was queued, by their times. But a callback that nobody was
/// seen to queue can also belong to a queue event that is missing, and the one that follows to another call: then the clocks
/// would have to disagree by more than they can.
struct ClockBounds {
  private var shortest: [UInt16: [(later: UInt16, nanoseconds: UInt64)]] = [:]
  private var bounds: [UInt16: [UInt16: UInt64]] = [:]
  private let isShared: Bool
  private let timeError: UInt64
  /// For more CPUs than this to begin from, only direct messages count.
  private static let mostSearches = 256

  /// Signs that clocks disagree which nothing else explains.
  private(set) var disagreements: [ClockEvidence] = []

  /// - Parameters:
  ///   - delays: the shortest time from a queue event on one CPU to its callback on another one.
  ///   - isShared: all CPUs read one clock, so that any difference of times is one of moments.
  ///   - timeError: by how much a difference can be wrong all the same, because times were rounded.
  init(
    delays: [(source: UInt16, target: UInt16, nanoseconds: UInt64)], evidence: [ClockEvidence], isShared: Bool,
    timeError: UInt64
  ) {
    self.isShared = isShared
    self.timeError = timeError
    for delay in delays where delay.source != delay.target {
      shortest[delay.source, default: []].append((delay.target, delay.nanoseconds))
    }
    for sign in evidence {
      let most = bound(from: sign.behind, to: sign.ahead)
      if sign.nanoseconds <= most, most != .max || sign.isFirm { disagreements.append(sign) }
    }
  }

  /// Whether the clocks cannot be so wrong that the order was the other one.
  mutating func confirm(_ comparison: ClockComparison) -> Bool {
    if comparison.earlier == comparison.later { return true }
    let most = isShared ? 0 : bound(from: comparison.earlier, to: comparison.later)
    // The shortest delay was rounded, too.
    let needed = most.addingReportingOverflow(2 * timeError)
    return !needed.overflow && comparison.margin > needed.partialValue
  }

  /// By how many nanoseconds the second CPU's clock can be ahead of the first one's; `UInt64.max`: nothing is known.
  /// - Complexity: O(square of the number of CPUs) for the first question about a CPU, then O(1).
  private mutating func bound(from first: UInt16, to second: UInt16) -> UInt64 {
    if let known = bounds[first] { return known[second] ?? .max }
    guard bounds.count < Self.mostSearches else {
      return shortest[first]?.first { $0.later == second }?.nanoseconds ?? .max
    }
    bounds[first] = distances(from: first)
    return bounds[first]?[second] ?? .max
  }

  /// Dijkstra's shortest paths.
  private func distances(from first: UInt16) -> [UInt16: UInt64] {
    var settled: [UInt16: UInt64] = [:]
    var open: [UInt16: UInt64] = [first: 0]
    while let next = open.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
      open[next.key] = nil
      settled[next.key] = next.value
      for edge in shortest[next.key] ?? [] where settled[edge.later] == nil {
        let sum = next.value.addingReportingOverflow(edge.nanoseconds)
        let distance = sum.overflow ? .max : sum.partialValue
        if distance < open[edge.later] ?? .max { open[edge.later] = distance }
      }
    }
    return settled
  }
}
