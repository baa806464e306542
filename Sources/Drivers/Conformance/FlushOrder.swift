import CallEngines
import CallHistories

/// The ways in which a flush can be cut into SYNC members at the front and others behind them.
struct FlushOrder {
  /// The possible numbers of SYNC members at the front.
  var cuts: ClosedRange<Int>
  /// Members but for the wakeup at the end.
  private var count = 0
  /// Of the longest front the member that was queued last.
  private var latest = 0
  /// Of the longest rear the member whose add's window ends first.
  private var earliest = 0

  private init(cuts: ClosedRange<Int>) { self.cuts = cuts }

  /// Of a batch without members.
  static let none = FlushOrder(cuts: 0...0)

  enum Found {
    case possible(FlushOrder)
    case violated(FlushJudge.Violation)
  }

  static func find(_ batch: Batch) -> Found {
    let members = batch.members
    var count = members.count
    // Wakeups come last, as one callback.
    for index in members.indices where members[index].knowledge == .wakeup && index != count - 1 {
      return .violated(FlushJudge.Violation(rule: .classOrder, members: [index, index + 1]))
    }
    if members[count - 1].knowledge == .wakeup { count -= 1 }
    if count == 0 { return .possible(FlushOrder(cuts: 0...0)) }
    if count == 1, members[0].knowledge != .notSync { return .possible(FlushOrder(cuts: 0...1)) }

    // The longest front that can be SYNC.
    var highest = 0
    var latest = 0
    while highest < count, members[highest].knowledge != .notSync, members[highest].addedBy >= members[latest].queued {
      if members[highest].queued > members[latest].queued { latest = highest }
      highest += 1
    }
    // The longest rear that can be added in the order of running.
    var lowest = count
    var earliest = count - 1
    while lowest > 0, members[lowest - 1].queued <= members[earliest].addedBy {
      lowest -= 1
      if members[lowest].addedBy < members[earliest].addedBy { earliest = lowest }
    }
    var order = FlushOrder(cuts: min(lowest, highest)...highest)
    (order.count, order.latest, order.earliest) = (count, latest, earliest)
    if lowest <= highest { return .possible(order) }
    return .violated(
      violation(batch, count: count, highest: highest, frontProof: order.whyFrontIsNoLonger(batch)))
  }

  /// What it takes for granted of the clocks that the front ends where it does: the next member did not wait, or was added
  /// before one that ran earlier.
  func whyFrontIsNoLonger(_ batch: Batch) -> [ClockComparison] {
    let end = cuts.upperBound
    if end >= count { return [] }
    let member = batch.members[end]
    if member.knowledge == .notSync {
      return [ClockComparison(member.source, at: member.movedOn, before: batch.flush.cpu, at: member.ended)]
    }
    return [batch.comparison(end, before: latest)]
  }

  /// The same for the rear: the member before it was queued after one that ran later had been added.
  func whyRearIsNoLonger(_ batch: Batch) -> [ClockComparison] {
    cuts.lowerBound > 0 ? [batch.comparison(earliest, before: cuts.lowerBound - 1)] : []
  }

  /// The pair that shows that no cut exists. Everything from `highest` on has to be on the rear side, and there two members
  /// ran in the opposite order of their adds.
  private static func violation(
    _ batch: Batch, count: Int, highest: Int, frontProof: [ClockComparison]
  ) -> FlushJudge.Violation {
    var best: (margin: UInt64, late: Int, latest: Int) = (0, highest, highest)
    var latest = highest
    for late in highest..<count {
      let margin = batch.members[latest].queued.subtractingReportingOverflow(batch.members[late].addedBy)
      if !margin.overflow, margin.partialValue > best.margin { best = (margin.partialValue, late, latest) }
      if batch.members[late].queued > batch.members[latest].queued { latest = late }
    }
    return FlushJudge.Violation(
      rule: .fifoOrder, members: [best.late, best.latest],
      comparisons: frontProof + [batch.comparison(best.late, before: best.latest)])
  }
}
