import CallEngines
import TestSupport
import Testing

@testable import CallHistories
@testable import Drivers

/// The judge finds in one scan what trying everything finds.
@Suite struct FlushJudgeTests {
  @Test func agreesWithTryingEverything() {
    var random = RepeatableRandom.forTest()
    var judge = FlushJudge()
    var counts: [String: Int] = [:]
    for number in 0..<20_000 {
      let members = Self.randomMembers(&random)
      let inHandler = random.chance(0.9)
      let otherKick = random.chance(0.1)
      let undecidable: UndecidedReason? = random.chance(0.1) ? .stateUnknown : nil
      let flush = CompletedFlush(
        cpu: 1, inHandler: inHandler, notBefore: 90, notAfter: 100, previousEnd: 0, kicksUndecidable: undecidable,
        otherKickPossible: otherKick)
      let finding = judge.judge(
        flush, members: ContiguousArray(members), silent: [], later: [], kicksAreRecorded: true
      ).finding
      let expected = Self.expected(members, flush)
      let found = Self.name(finding)
      counts[found, default: 0] += 1
      #expect(
        expected.contains(found), "case \(number), seed \(random.seed): \(found), expected \(expected): \(members)")
    }
    // Every answer has occurred.
    for name in ["explained", "undecided", "classOrder", "fifoOrder", "kickMissing", "kickNotOwed"] {
      #expect(counts[name, default: 0] > 100, "\(counts)")
    }
  }

  /// The answers that are right.
  static func expected(_ members: [FlushMember], _ flush: CompletedFlush) -> Set<String> {
    let kickers = members.filter(\.kick.isKick)
    let explained = FlushOracle.explain(members) { $0.kick.isKick }
    func accused(_ rules: Set<String>) -> Set<String> { flush.inHandler ? rules : ["undecided"] }
    if !explained.contains(.order) {
      // One of both rules, or both: the class only shows by wakeups.
      let wakeupEarly = members.dropLast().contains { $0.knowledge == .wakeup }
      return accused([wakeupEarly ? "classOrder" : "fifoOrder"])
    }
    if kickers.isEmpty {
      // Somebody has to have kicked: one of the members, or another node.
      if flush.otherKickPossible, flush.kicksUndecidable == nil { return ["explained"] }
      if members.contains(where: { $0.kick == .unknown }) || flush.kicksUndecidable != nil {
        return ["undecided", "explained"]
      }
      return ["kickMissing"]
    }
    if explained.contains(.all) { return ["explained"] }
    // A wakeup of an idle CPU by the scheduler looks like a polling kick.
    if kickers.contains(where: { $0.kick == .polling }), kickers.count(where: { $0.kick != .polling }) < 2 {
      return ["undecided"]
    }
    return accused(["kickNotOwed"])
  }

  static func name(_ finding: FlushJudge.Finding) -> String {
    switch finding {
    case .explained: "explained"
    case .undecided: "undecided"
    case .violated(let violation): violation.rule.rawValue
    }
  }

  static func randomMembers(_ random: inout RepeatableRandom) -> [FlushMember] {
    let count = [1, 2, 2, 3, 3, 3, 4, 4, 5][random.below(9)]
    // A narrow range makes windows that touch, a wide one windows that don't.
    let range = [4, 8, 20, 60][random.below(4)]
    let isOrdered = random.chance(0.5)
    var members = (0..<count).map { index in
      let queued = isOrdered ? index * range / 4 + random.below(range) : random.below(range)
      let length = random.chance(0.3) ? 0 : random.below(range)
      return FlushMember(
        csd: UInt64(index), function: 7, source: UInt16(index + 2), queued: UInt64(queued + 1),
        addedBy: random.chance(0.05) ? .max : UInt64(queued + 1 + length), started: UInt64(200 + index), kicked: .max,
        kick: .coalesced, knowledge: random.chance(0.4) ? .notSync : .unknown)
    }
    if random.chance(0.3) { members[count - 1].knowledge = .wakeup }
    if random.chance(0.05) { members[random.below(count)].knowledge = .wakeup }
    let kicks: [Kick] = [.ipi, .ipi, .maskIPI, .polling]
    if random.chance(0.85) {
      let first = random.chance(0.5) ? 0 : random.below(count)
      members[first].kick = kicks[random.below(4)]
    }
    if random.chance(0.1) { members[random.below(count)].kick = kicks[random.below(4)] }
    if random.chance(0.1) { members[random.below(count)].kick = .unknown }
    return members
  }

  // MARK: Cases told one by one

  private func member(
    _ queued: UInt64, _ addedBy: UInt64, _ kick: Kick = .coalesced, _ knowledge: FlushMember.Knowledge = .unknown
  ) -> FlushMember {
    FlushMember(
      csd: queued, function: 7, source: 2, queued: queued, addedBy: addedBy, started: 200, kicked: .max, kick: kick,
      knowledge: knowledge)
  }

  private func judge(
    _ members: [FlushMember], silent: [FlushMember] = [], inHandler: Bool = true, previousEnd: UInt64 = 0,
    reason: UndecidedReason? = nil, otherKick: Bool = false, kicks: Bool = true
  ) -> String {
    var judge = FlushJudge()
    let flush = CompletedFlush(
      cpu: 1, inHandler: inHandler, notBefore: 190, notAfter: 200, previousEnd: previousEnd, kicksUndecidable: reason,
      otherKickPossible: otherKick)
    return Self.name(
      judge.judge(
        flush, members: ContiguousArray(members), silent: ContiguousArray(silent), later: [], kicksAreRecorded: kicks
      ).finding)
  }

  /// An order is only wrong where the windows do not even touch.
  @Test func windowsThatTouchAreOpen() {
    #expect(judge([member(20, 30, .ipi, .notSync), member(10, 20, .coalesced, .notSync)]) == "explained")
    #expect(judge([member(21, 30, .ipi, .notSync), member(10, 20, .coalesced, .notSync)]) == "fifoOrder")
    // The second kicked, so it was the first on the queue.
    #expect(judge([member(20, 30, .coalesced, .notSync), member(10, 20, .ipi, .notSync)]) == "kickNotOwed")
  }

  @Test func aMissingKickNeedsEveryKindOfKickRecorded() {
    #expect(judge([member(10, 20)]) == "kickMissing")
    #expect(judge([member(10, 20)], kicks: false) == "undecided")
    #expect(judge([member(10, 20)], reason: .hotplug) == "undecided")
  }

  /// An irq_work or a wakeup without a callback may have been the first.
  @Test func aSilentMemberMayHaveKicked() {
    #expect(judge([member(10, 20)], silent: [member(5, 6, .ipi, .irqWork)]) == "explained")
    #expect(judge([member(10, 20)], silent: [member(5, 6, .coalesced, .irqWork)]) == "kickMissing")
  }

  /// A flush of silent members only shows nothing but whether one of them kicked.
  @Test func silentMembersAloneNeedAKick() {
    #expect(judge([], silent: [member(5, 6, .ipi, .irqWork)]) == "explained")
    #expect(judge([], silent: [member(5, 6, .coalesced, .irqWork)]) == "kickMissing")
    #expect(judge([], silent: [member(5, 6, .coalesced, .irqWork)], inHandler: false) == "explained")
    #expect(judge([], silent: [member(5, 6, .ipi, .irqWork), member(7, 8, .ipi, .irqWork)]) == "kickNotOwed")
  }

  @Test func membersQueuedBehindTheirFlushAreSkew() {
    #expect(judge([member(201, 210, .ipi)]) == "undecided")
  }

  @Test func aFlushOutsideHandlersMayBeTwo() {
    let members = [member(10, 20, .ipi), member(30, 40, .ipi)]
    #expect(judge(members) == "kickNotOwed")
    #expect(judge(members, inHandler: false) == "undecided")
  }
}
