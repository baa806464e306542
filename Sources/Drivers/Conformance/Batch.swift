import CallEngines
import CallHistories
import TraceTypes

/// What a flush took, as far as it is known, and the questions that do not depend on the types of nodes.
struct Batch {
  let flush: CompletedFlush
  /// In the order of running; at least one.
  let members: ContiguousArray<FlushMember>
  /// Nodes without a callback that this flush must have taken, if no earlier one did.
  let silent: ContiguousArray<FlushMember>
  /// Nodes without a callback that a later flush must have taken, if none before it did.
  let later: ContiguousArray<FlushMember>

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

  // MARK: Kicks

  struct Kicks {
    var finding: FlushJudge.Finding
    /// The cut for which the kicks are right.
    var cut: Int
    /// The member that kicked; −1: none.
    var kicker = -1
    var laterKicker: Int?
  }

  func kicks(_ order: FlushOrder, areRecorded: Bool) -> Kicks {
    // A polling wakeup may be the scheduler's own: it is not as strong as an IPI.
    var sure = 0
    var all = 0
    var unknown = 0
    var kicker = -1
    for index in members.indices {
      switch members[index].kick {
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
    var result = Kicks(finding: .explained, cut: order.cuts.upperBound)
    if all == 0 {
      withoutKick(unknown: unknown, areRecorded: areRecorded, &result)
    } else if all > 1 {
      // Whoever kicked second found the queue empty, so a flush had taken the first: not within one handler.
      result.finding = .undecided(.flushBoundaryUnknown)
      if sure > 1 {
        let both = members.indices.filter { members[$0].kick == .ipi || members[$0].kick == .maskIPI }
        result.finding = accused(FlushJudge.Violation(rule: .kickNotOwed, members: both), needsHandler: true)
      }
    } else if let violation = firstPlace(of: kicker, order, cut: &result.cut) ?? silentBeside(kicker) {
      result.finding =
        sure == 1 ? accused(violation, needsHandler: true) : .undecided(.flushBoundaryUnknown)
    } else {
      result.kicker = kicker
    }
    return result
  }

  /// None of the members kicked: a node without a callback did, or nobody.
  private func withoutKick(unknown: Int, areRecorded: Bool, _ result: inout Kicks) {
    if silent.contains(where: canHaveKicked) { return }
    if let index = later.firstIndex(where: canHaveKicked) {
      result.laterKicker = index
      return
    }
    if flush.otherKickPossible, flush.kicksUndecidable == nil { return }
    if unknown > 0 {
      result.finding = .undecided(.sourceGap)
    } else if let reason = flush.kicksUndecidable ?? flush.doubt {
      result.finding = .undecided(reason)
    } else if !areRecorded {
      result.finding = .undecided(.eventsNotRecorded)
    } else {
      var absent: [EventKind] = [.ipiSendCPU]
      if members.contains(where: \.isMany) { absent.append(.ipiSendCPUMask) }
      // Where a polling target is woken, its idle task flushes, and no handler.
      if !flush.inHandler { absent.append(.schedWakeIdleWithoutIPI) }
      result.finding = .violated(
        FlushJudge.Violation(
          rule: .kickMissing, members: Array(members.indices),
          comparisons: (Array(silent) + Array(later)).compactMap(whyItDidNotKick), absent: absent))
    }
  }

  /// Whether a node without a callback can have been the first of this batch.
  private func canHaveKicked(_ node: FlushMember) -> Bool {
    node.kick != .coalesced && node.knowledge != .wakeup && node.queued <= flush.notAfter
      && node.addedBy >= flush.floor.queued && members.allSatisfy { node.queued <= $0.addedBy }
  }

  /// For a node that kicked, and can't have been the first of this batch: what that takes for granted of the clocks.
  private func whyItDidNotKick(_ node: FlushMember) -> ClockComparison? {
    guard node.kick != .coalesced, node.knowledge != .wakeup else { return nil }
    if let member = members.first(where: { node.queued > $0.addedBy }) { return Self.comparison(member, before: node) }
    return ClockComparison(node.source, at: node.addedBy, before: flush.floor.source, at: flush.floor.queued)
  }

  /// Whether a member can have been the first of the batch; chooses the cut that makes it so.
  private func firstPlace(of kicker: Int, _ order: FlushOrder, cut: inout Int) -> FlushJudge.Violation? {
    let begin = members[kicker].queued
    for index in members.indices where index != kicker && members[index].addedBy < begin {
      return FlushJudge.Violation(
        rule: .kickNotOwed, members: [index, kicker], comparisons: [comparison(index, before: kicker)])
    }
    if members[kicker].knowledge == .wakeup || kicker == 0 { return nil }
    if order.cuts.contains(kicker) {
      cut = kicker
      return nil
    }
    // It is behind another member of its own class, which was on the queue already.
    return FlushJudge.Violation(
      rule: .kickNotOwed, members: [kicker - 1, kicker],
      comparisons: kicker > order.cuts.upperBound ? order.whyFrontIsNoLonger(self) : order.whyRearIsNoLonger(self))
  }

  /// A member kicked. No node without a callback can then have been on the queue before it, or have kicked as well.
  private func silentBeside(_ kicker: Int) -> FlushJudge.Violation? {
    for index in silent.indices where isCertain(silent[index]) {
      let node = silent[index]
      if node.addedBy < members[kicker].queued {
        return FlushJudge.Violation(
          rule: .kickNotOwed, members: [kicker], silent: [index],
          comparisons: [Self.comparison(node, before: members[kicker])] + certainty(node))
      }
      if node.kick == .ipi || node.kick == .maskIPI, members[kicker].queued > flush.unseenBy {
        return FlushJudge.Violation(
          rule: .kickNotOwed, members: [kicker], silent: [index],
          comparisons: certainty(node) + certainty(members[kicker]))
      }
    }
    return nil
  }

  /// Whether a node without a callback was in this batch, and in no earlier or unseen one.
  private func isCertain(_ node: FlushMember) -> Bool {
    flush.kicksUndecidable == nil && node.queued > flush.unseenBy && node.queued > flush.previousEnd
  }

  private func certainty(_ node: FlushMember) -> [ClockComparison] {
    [
      ClockComparison(
        flush.cpu, at: max(flush.unseenBy, flush.previousEnd), before: node.source, at: node.queued)
    ]
  }
}
