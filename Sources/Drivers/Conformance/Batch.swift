import CallEngines
import CallHistories
import TraceTypes

/// What a flush took, as far as it is known.
struct Batch {
  let flush: CompletedFlush
  /// Nodes that show callbacks, in the order of running.
  let members: ContiguousArray<FlushMember>
  /// Nodes without a callback: those that this flush must have taken if no earlier one did, …
  let silent: ContiguousArray<FlushMember>
  /// … and behind them those that a later flush must have taken if none before it did.
  let later: ContiguousArray<FlushMember>
  /// Nodes without a callback of which it was given up to tell in which batch they were.
  var lost: Set<Int32> = []

  /// In which batch a node without a callback was is known only where all handlers show: one may run nothing else.
  static let handlers: [EventKind] = [.callFunctionSingleEntry, .callFunctionEntry]

  var silentCount: Int { silent.count + later.count }

  /// A node without a callback, by its place in ``silent`` and then in ``later``.
  func silentNode(_ index: Int) -> FlushMember {
    index < silent.count ? silent[index] : later[index - silent.count]
  }

  /// A violation, or why it is none: which calls the callbacks belong to, or which are wakeups, is not certain, or there may have
  /// been two flushes.
  func accused(_ violation: FlushJudge.Violation, needsHandler: Bool) -> FlushJudge.Finding {
    if let doubt = flush.doubt { return .undecided(doubt) }
    if members.contains(where: \.mayBeWakeup) { return .undecided(.typeUnknown) }
    if needsHandler, !flush.inHandler { return .undecided(.flushBoundaryUnknown) }
    return .violated(violation)
  }

  /// That one member had been added before another one was queued.
  func comparison(_ earlier: Int, before later: Int) -> ClockComparison {
    Self.comparison(members[earlier], before: members[later])
  }

  static func comparison(_ earlier: FlushMember, before later: FlushMember) -> ClockComparison {
    ClockComparison(earlier.source, at: earlier.addedBy, before: later.source, at: later.queued)
  }

  /// A member that was added before another one that an earlier flush ran: that flush must have taken both.
  var passedOver: FlushJudge.Violation? {
    guard let index = members.indices.first(where: { members[$0].addedBy < flush.floor.queued }) else { return nil }
    return FlushJudge.Violation(
      rule: .missedByFlush, members: [index],
      comparisons: [
        ClockComparison(
          members[index].source, at: members[index].addedBy, before: flush.floor.source, at: flush.floor.queued)
      ])
  }

  /// Whether an earlier flush, or an unseen one, may have run a node without a callback: then it may be in this batch or not.
  func isFree(_ node: FlushMember) -> Bool {
    if !lost.isEmpty, lost.contains(node.id) { return true }
    return (node.knowledge == .irqWork || flush.isToCome && node.knowledge != .wakeup) && node.queued <= flush.unseenBy
  }
}

/// Whether the kicks of a batch are right.
///
/// The first node of a batch kicks, and no other. The nodes without a callback that are in the batch are given: who else can
/// decide that tries all choices.
struct BatchKicks {
  let batch: Batch
  let order: FlushOrder
  /// Whether every kind of kick would be in the trace if it had happened.
  let areRecorded: Bool
  /// The kicks of the members. A polling wakeup may be the scheduler's own: it is not as strong as an IPI.
  private var sure = 0
  private var all = 0
  private var unknown = 0
  /// The member that kicked; −1: none.
  private(set) var kicker = -1

  struct Checked {
    var finding: FlushJudge.Finding
    /// The cut for which the kicks are right.
    var cut: Int
  }

  init(batch: Batch, order: FlushOrder, areRecorded: Bool) {
    self.batch = batch
    self.order = order
    self.areRecorded = areRecorded
    for index in batch.members.indices {
      switch batch.members[index].kick {
      case .ipi, .maskIPI:
        sure += 1
        all += 1
        kicker = index
      case .polling:
        all += 1
        if sure == 0 { kicker = index }
      case .unknown, .undecided: unknown += 1
      case .coalesced: break
      }
    }
  }

  /// - Parameter isChosen: bit i: the node without a callback `silentNode(i)` is in the batch.
  func check(_ isChosen: UInt64) -> Checked {
    let members = batch.members
    var checked = Checked(finding: .explained, cut: order.cuts.upperBound)
    if all > 1 {
      // Whoever kicked second found the queue empty, so a flush had taken the first: not within one handler.
      checked.finding = .undecided(.flushBoundaryUnknown)
      if sure > 1 {
        let both = members.indices.filter { members[$0].kick == .ipi || members[$0].kick == .maskIPI }
        checked.finding = batch.accused(FlushJudge.Violation(rule: .kickNotOwed, members: both), needsHandler: true)
      }
      return checked
    }
    let violation: FlushJudge.Violation?
    if all == 1 {
      violation = firstPlace(cut: &checked.cut) ?? besideKicker(isChosen) ?? besideWakeup(isChosen)
      if let violation {
        checked.finding =
          sure == 1 ? batch.accused(violation, needsHandler: true) : .undecided(.flushBoundaryUnknown)
      }
    } else if let finding = withoutKicker(isChosen) {
      checked.finding = finding
    } else if let violation = besideWakeup(isChosen) {
      checked.finding = batch.accused(violation, needsHandler: true)
    }
    return checked
  }

  private func indices(_ mask: UInt64) -> [Int] { (0..<batch.silentCount).filter { mask >> UInt64($0) & 1 == 1 } }

  /// Whether what is not seen to kick, or to be queued, is known not to have done it.
  private var isCertain: Bool { batch.flush.kicksUndecidable == nil && batch.flush.doubt == nil }

  // MARK: A member kicked

  /// Whether the kicker can have been the first of the members; chooses the cut that makes it so.
  private func firstPlace(cut: inout Int) -> FlushJudge.Violation? {
    let members = batch.members
    let begin = members[kicker].queued
    for index in members.indices where index != kicker && members[index].addedBy < begin {
      return FlushJudge.Violation(
        rule: .kickNotOwed, members: [index, kicker], comparisons: [batch.comparison(index, before: kicker)])
    }
    if members[kicker].knowledge == .wakeup || kicker == 0 { return nil }
    if order.cuts.contains(kicker) {
      cut = kicker
      return nil
    }
    // It is behind another member of its own class, which was on the queue already.
    return FlushJudge.Violation(
      rule: .kickNotOwed, members: [kicker - 1, kicker],
      comparisons: kicker > order.cuts.upperBound ? order.whyFrontIsNoLonger(batch) : order.whyRearIsNoLonger(batch))
  }

  /// No node without a callback can have been on the queue before the kicker, or have kicked as well.
  private func besideKicker(_ isChosen: UInt64) -> FlushJudge.Violation? {
    if isChosen == 0 || !isCertain { return nil }
    let member = batch.members[kicker]
    for index in indices(isChosen) {
      let node = batch.silentNode(index)
      let isBefore = node.addedBy < member.queued
      guard isBefore || node.kick == .ipi || node.kick == .maskIPI else { continue }
      return FlushJudge.Violation(
        rule: .kickNotOwed, members: [kicker], silent: [index],
        comparisons: [isBefore ? Batch.comparison(node, before: member) : nil].compactMap { $0 } + certainty(node)
          + certainty(member), absent: Batch.handlers)
    }
    return nil
  }

  /// A wakeup without a callback is behind the one that is shown, which there has to be, and has not kicked.
  private func besideWakeup(_ isChosen: UInt64) -> FlushJudge.Violation? {
    if isChosen == 0 || !isCertain || batch.flush.isToCome { return nil }
    let wakeups = indices(isChosen).filter { batch.silentNode($0).knowledge == .wakeup }
    guard let first = wakeups.first else { return nil }
    guard let last = batch.members.indices.last, batch.members[last].knowledge == .wakeup else {
      return FlushJudge.Violation(
        rule: .lostCallback, members: [], silent: [first], comparisons: certainty(batch.silentNode(first)),
        absent: Batch.handlers)
    }
    for index in wakeups {
      let node = batch.silentNode(index)
      if node.addedBy < batch.members[last].queued {
        return FlushJudge.Violation(
          rule: .fifoOrder, members: [last], silent: [index],
          comparisons: [Batch.comparison(node, before: batch.members[last])] + certainty(node), absent: Batch.handlers)
      }
      if node.kick == .ipi || node.kick == .maskIPI {
        return FlushJudge.Violation(
          rule: .kickNotOwed, members: [last], silent: [index], comparisons: certainty(node), absent: Batch.handlers)
      }
    }
    return nil
  }

  /// What it takes for granted of the clocks that a node was queued behind the flush before, seen or unseen. Nothing, if it was
  /// not: then it may have been in that one, and this has been tried.
  private func certainty(_ node: FlushMember) -> [ClockComparison] {
    let end = max(batch.flush.unseenBy, batch.flush.previousEnd)
    return node.queued > end ? [ClockComparison(batch.flush.cpu, at: end, before: node.source, at: node.queued)] : []
  }

  // MARK: No member kicked

  /// None of the members kicked: a node without a callback did, or nobody.
  /// - Returns: nil if that explains everything.
  private func withoutKicker(_ isChosen: UInt64) -> FlushJudge.Finding? {
    let chosen = indices(isChosen)
    if batch.members.isEmpty, chosen.isEmpty { return nil }
    let sureKickers = chosen.filter {
      let node = batch.silentNode($0)
      return (node.kick == .ipi || node.kick == .maskIPI) && canBeFirst(node)
    }
    if sureKickers.count > 1, isCertain {
      return batch.accused(
        FlushJudge.Violation(
          rule: .kickNotOwed, members: [], silent: sureKickers,
          comparisons: sureKickers.flatMap { certainty(batch.silentNode($0)) }, absent: Batch.handlers),
        needsHandler: true)
    }
    // What an unseen flush may have run can be here, too.
    let free = (0..<batch.silentCount).filter { batch.isFree(batch.silentNode($0)) }
    let kickers = (sureKickers.isEmpty ? chosen : sureKickers) + free
    if kickers.contains(where: { isFirst($0, of: chosen) }) { return nil }
    if batch.members.isEmpty, let kicker = sureKickers.first, isCertain,
      let earlier = chosen.first(where: { batch.silentNode($0).addedBy < batch.silentNode(kicker).queued })
    {
      return batch.accused(
        FlushJudge.Violation(
          rule: .kickNotOwed, members: [], silent: [earlier, kicker],
          comparisons: [Batch.comparison(batch.silentNode(earlier), before: batch.silentNode(kicker))]
            + certainty(batch.silentNode(earlier)), absent: Batch.handlers), needsHandler: true)
    }
    return nobodyKicked(chosen)
  }

  /// Wakeups without a callback have another one before them, if there was a flush.
  private func canBeFirst(_ node: FlushMember) -> Bool { node.knowledge != .wakeup || batch.flush.isToCome }

  /// Whether a node without a callback can have been the first of the batch.
  private func isFirst(_ index: Int, of chosen: [Int]) -> Bool {
    let node = batch.silentNode(index)
    return node.kick != .coalesced && canBeFirst(node) && node.queued <= batch.flush.notAfter
      && node.addedBy >= batch.flush.floor.queued && batch.members.allSatisfy { node.queued <= $0.addedBy }
      && chosen.allSatisfy { node.queued <= batch.silentNode($0).addedBy }
  }

  private func nobodyKicked(_ chosen: [Int]) -> FlushJudge.Finding? {
    let flush = batch.flush
    let members = batch.members
    if flush.otherKickPossible, flush.kicksUndecidable == nil { return nil }
    // Whether an irq_work ran here at all is concluded, and not seen.
    if members.isEmpty, !isCertain || flush.otherKickPossible || !flush.inHandler { return nil }
    if unknown > 0 || chosen.contains(where: { batch.silentNode($0).kick == .unknown }) {
      return .undecided(.sourceGap)
    }
    if let reason = flush.kicksUndecidable ?? flush.doubt { return .undecided(reason) }
    if !areRecorded { return .undecided(.eventsNotRecorded) }
    var absent: [EventKind] = [.csdQueueCPU, .ipiSendCPU]
    if members.contains(where: \.isMany) { absent.append(.ipiSendCPUMask) }
    // Where a polling target is woken, its idle task flushes, and no handler.
    if !flush.inHandler { absent.append(.schedWakeIdleWithoutIPI) }
    // Nor is it certain where a flush ends that may be a handler's.
    if batch.silentCount > 0 || !flush.inHandler { absent += Batch.handlers }
    let others = (0..<batch.silentCount).compactMap { whyItDidNotKick(batch.silentNode($0), chosen) }
    return .violated(
      FlushJudge.Violation(
        rule: .kickMissing, members: Array(members.indices), silent: members.isEmpty ? chosen : [],
        comparisons: others + (members.isEmpty ? chosen.flatMap { certainty(batch.silentNode($0)) } : []),
        absent: absent))
  }

  /// For a node that kicked, and can't have been the first of this batch: what that takes for granted of the clocks.
  private func whyItDidNotKick(_ node: FlushMember, _ chosen: [Int]) -> ClockComparison? {
    guard node.kick != .coalesced, canBeFirst(node) else { return nil }
    if let other = chosen.map(batch.silentNode).first(where: { node.queued > $0.addedBy }) {
      return Batch.comparison(other, before: node)
    }
    if let member = batch.members.first(where: { node.queued > $0.addedBy }) {
      return Batch.comparison(member, before: node)
    }
    // Otherwise it was taken before; or it is a part of that batch, and another one is amiss there.
    guard node.addedBy < batch.flush.floor.queued else { return nil }
    return ClockComparison(
      node.source, at: node.addedBy, before: batch.flush.floor.source, at: batch.flush.floor.queued)
  }
}
