import CallEngines
import CallHistories

/// Decides whether any order of the adds within their windows lets the engine run a flush as it was seen.
///
/// ## The question
///
/// Member *i*, in the order of running, was added at some moment within its window `[queued, addedBy]`, and before the queue was
/// taken. Its type is SYNC or ASYNC where the trace does not tell. Which moments and types make the engine run exactly this
/// order, and kick exactly for the members that kicked?
///
/// ## The procedure, and why it is complete
///
/// The engine runs SYNC nodes first, in the order of adding; then the others in the order of adding; then the wakeups as one.
/// So the order of running is explained exactly if it can be cut at some point *p* such that nothing before *p* is known not to
/// be SYNC, nothing behind *p* is known to be SYNC, and each side can have been added in the order in which it ran. Points
/// within closed intervals can be chosen in ascending order exactly if no earlier interval begins behind the end of a later
/// one; it is enough to look at pairs. The part before *p* only gets worse as *p* grows, the part behind it only better, so
/// the possible *p* form a range, found in one scan from each side. Adds of different sides bind each other nowhere, except
/// that whoever kicked found the queue empty: it is the first of its side, and no other member's window ends before its own
/// begins. So one look at each member decides that, too.
///
/// A cut that is found gives an order of adds, which the engine is then made to run, step by step. If it refuses, the
/// procedure and the engine disagree, which is a fault of ours and never one of the kernel.
///
/// - Complexity: O(n) in the members of the flush, but for the engine's own steps.
struct FlushJudge: ~Copyable {
  /// What the judge found.
  enum Finding {
    case explained
    case violated(Violation)
    /// Nothing is wrong, but whether the kicks were right can't be told.
    case undecided(UndecidedReason)
  }

  /// A rule that no order explains, with the members that show it.
  struct Violation {
    var rule: Rule
    /// Indices into the members, in the order of running.
    var members: [Int]
    /// By how many nanoseconds the windows miss each other.
    var margin: UInt64
  }

  private var target = MainlineTarget()
  /// The types of which the engine ran one node alone, one bit each. It begins every flush in the same state and does the same
  /// again, so that it need not be asked again. By far the most flushes are such.
  private var ranAlone: UInt8 = 0
  /// Member indices in an order of adding that explains the flush.
  private var witness: [Int] = []
  private var added: [UInt64] = []

  init() {}

  /// - Parameter kicksAreRecorded: whether every kind of kick would be in the trace if it had happened.
  mutating func judge(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
    kicksAreRecorded: Bool
  ) -> Finding {
    let cut: ClosedRange<Int>
    switch orderCuts(members) {
    case .cuts(let range): cut = range
    case .violated(let violation):
      return flush.inHandler ? .violated(violation) : .undecided(.flushBoundaryUnknown)
    }
    // A member that was queued after its batch was taken: the clocks disagree.
    if let first = members.first, members.contains(where: { $0.queued > first.started }) {
      return .undecided(.clockSkew)
    }
    let kickers = kickers(in: members)
    if kickers.all == 0 {
      if let finding = withoutKick(
        flush, members: members, silent: silent, unknownKicks: kickers.unknown, kicksAreRecorded: kicksAreRecorded)
      {
        return finding
      }
      return run(members, cut: cut.upperBound, kicker: -1) ? .explained : .undecided(.stateUnknown)
    }
    if kickers.all > 1 {
      // Whoever kicked second found the queue empty, so a flush had taken the first: not within one handler. A polling wakeup
      // may be the scheduler's own.
      guard flush.inHandler, kickers.strong > 1 else { return .undecided(.flushBoundaryUnknown) }
      let both = members.indices.filter { members[$0].kick == .ipi || members[$0].kick == .maskIPI }
      return .violated(Violation(rule: .kickNotOwed, members: both, margin: .max))
    }
    var chosen = cut.upperBound
    if let violation = firstPlace(of: kickers.last, members, cut: cut, chosen: &chosen) {
      return flush.inHandler && kickers.strong == 1 ? .violated(violation) : .undecided(.flushBoundaryUnknown)
    }
    return run(members, cut: chosen, kicker: kickers.last) ? .explained : .undecided(.stateUnknown)
  }

  /// What it means that none of the members kicked: nothing, if another node can have kicked for them.
  private func withoutKick(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
    unknownKicks: Int, kicksAreRecorded: Bool
  ) -> Finding? {
    if members.isEmpty { return nil }
    let otherKicked = flush.otherKickPossible || silent.contains { $0.kick != .coalesced }
    if otherKicked, flush.kicksUndecidable == nil { return nil }
    if unknownKicks > 0 { return .undecided(.sourceGap) }
    if let reason = flush.kicksUndecidable { return .undecided(reason) }
    guard kicksAreRecorded else { return .undecided(.eventsNotRecorded) }
    let margin = members.reduce(UInt64.max) { min($0, $1.queued &- min(flush.previousEnd, $1.queued)) }
    return .violated(Violation(rule: .kickMissing, members: Array(members.indices), margin: margin))
  }

  private func kickers(in members: ContiguousArray<FlushMember>) -> (strong: Int, all: Int, unknown: Int, last: Int) {
    var result = (strong: 0, all: 0, unknown: 0, last: -1)
    for index in members.indices {
      switch members[index].kick {
      case .ipi, .maskIPI:
        result.strong += 1
        result.all += 1
        result.last = index
      case .polling:
        result.all += 1
        result.last = index
      case .unknown, .undecided: result.unknown += 1
      case .coalesced: break
      }
    }
    return result
  }

  // MARK: Order

  private enum Order {
    /// The possible numbers of SYNC members at the front.
    case cuts(ClosedRange<Int>)
    case violated(Violation)
  }

  private func orderCuts(_ members: ContiguousArray<FlushMember>) -> Order {
    var count = members.count
    // Wakeups come last, as one callback.
    for index in members.indices where members[index].knowledge == .wakeup && index != members.count - 1 {
      return .violated(Violation(rule: .classOrder, members: [index, index + 1], margin: .max))
    }
    if count > 0, members[count - 1].knowledge == .wakeup { count -= 1 }
    if count <= 1 {
      if count == 1 { return .cuts(members[0].knowledge == .notSync ? 0...0 : 0...1) }
      return .cuts(0...0)
    }

    // The longest front that can be SYNC.
    var highest = 0
    var latestBegin: UInt64 = 0
    while highest < count, members[highest].knowledge != .notSync, members[highest].addedBy >= latestBegin {
      latestBegin = max(latestBegin, members[highest].queued)
      highest += 1
    }
    // The longest rear that can be added in the order of running.
    var lowest = count
    var earliestEnd = UInt64.max
    while lowest > 0, members[lowest - 1].queued <= earliestEnd {
      earliestEnd = min(earliestEnd, members[lowest - 1].addedBy)
      lowest -= 1
    }
    if lowest <= highest { return .cuts(lowest...highest) }
    return .violated(orderViolation(members, count: count, highest: highest))
  }

  /// The pair that shows that no cut exists. Everything from `highest` on has to be on the rear side, and there two members
  /// ran in the opposite order of their adds.
  private func orderViolation(_ members: ContiguousArray<FlushMember>, count: Int, highest: Int) -> Violation {
    var best = Violation(rule: .fifoOrder, members: [], margin: 0)
    var latest = highest
    for late in highest..<count {
      if members[latest].queued > members[late].addedBy {
        let margin = members[latest].queued &- members[late].addedBy
        if margin > best.margin { best = Violation(rule: .fifoOrder, members: [late, latest], margin: margin) }
      }
      if members[late].queued > members[latest].queued { latest = late }
    }
    return best
  }

  // MARK: Kicks

  /// Whether a member can have been the first on the queue; chooses the cut that makes it so.
  private func firstPlace(
    of kicker: Int, _ members: ContiguousArray<FlushMember>, cut: ClosedRange<Int>, chosen: inout Int
  ) -> Violation? {
    let begin = members[kicker].queued
    let isWakeup = members[kicker].knowledge == .wakeup
    var index = 0
    while index < members.count {
      let end = members[index].addedBy
      if index != kicker, end < begin {
        return Violation(rule: .kickNotOwed, members: [index, kicker], margin: begin &- end)
      }
      index += 1
    }
    if isWakeup || kicker == 0 { return nil }
    if cut.contains(kicker) {
      chosen = kicker
      return nil
    }
    // It is behind another member of its own class, which was on the queue already.
    return Violation(rule: .kickNotOwed, members: [kicker - 1, kicker], margin: .max)
  }

  // MARK: The engine

  /// Makes the engine run the flush, with the adds in an order that the windows allow.
  private mutating func run(_ members: ContiguousArray<FlushMember>, cut: Int, kicker: Int) -> Bool {
    let count = members.count
    if count == 0 { return true }
    if count == 1 { return runAlone(type(of: 0, members, cut: cut)) }
    orderOfAdding(members, cut: cut, kicker: kicker)
    target.reserve(count)
    for (position, index) in witness.enumerated() {
      let outcome = target.added(index, type(of: index, members, cut: cut))
      if kicker >= 0, (outcome == .kickOwed) != (index == kicker) { return abandon() }
      if position > 0, outcome != .coalesced { return abandon() }
    }
    target.flushBegan()
    for index in 0..<count {
      guard target.ran(index) else { return abandon() }
    }
    return target.flushEnded() ? true : abandon()
  }

  /// A flush of one node, which kicked or needed no kick.
  private mutating func runAlone(_ type: NodeType) -> Bool {
    let bit: UInt8 = 1 << type.rawValue
    if ranAlone & bit != 0 { return true }
    guard target.added(0, type) == .kickOwed else { return abandon() }
    target.flushBegan()
    guard target.ran(0), target.flushEnded() else { return abandon() }
    ranAlone |= bit
    return true
  }

  /// Members show callbacks, which an irq_work of the kernel's never does: one of a damaged trace is taken as it ran.
  private func type(of index: Int, _ members: ContiguousArray<FlushMember>, cut: Int) -> NodeType {
    members[index].knowledge == .wakeup ? .ttwu : index < cut ? .sync : .async
  }

  private mutating func abandon() -> Bool {
    assertionFailure("the engine refuses an order that the judge found")
    target = MainlineTarget()
    return false
  }

  /// Orders the members by the earliest moments at which they can have been added.
  private mutating func orderOfAdding(_ members: ContiguousArray<FlushMember>, cut: Int, kicker: Int) {
    witness.removeAll(keepingCapacity: true)
    added.removeAll(keepingCapacity: true)
    let floor = kicker >= 0 ? members[kicker].queued : 0
    var latest = floor
    for index in members.indices {
      if index == cut || members[index].knowledge == .wakeup { latest = floor }
      latest = max(latest, members[index].queued)
      added.append(latest)
      witness.append(index)
    }
    if kicker >= 0 { added[kicker] = floor }
    // Stable for equal moments within a class, and the kicker before all.
    witness.sort { left, right in
      if left == kicker { return right != kicker }
      if right == kicker { return false }
      return (added[left], left) < (added[right], right)
    }
  }
}
