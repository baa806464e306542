import CallEngines
import CallHistories
import TraceTypes
public import Verdicts

/// Lets the trace drive the engine, and collects what the engine does not explain.
public struct ConformanceDriver: ~Copyable {
  /// The most divergences that are kept in full; all are counted.
  public static let keptDivergences = 1_000

  public private(set) var divergences: [FoundDivergence] = []
  public private(set) var divergenceCount: UInt64 = 0
  var judge = FlushJudge()

  public init() {}

  /// Judges one flush.
  mutating func judge(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
    kicksAreRecorded: Bool
  ) -> FlushJudgement {
    switch judge.judge(flush, members: members, silent: silent, kicksAreRecorded: kicksAreRecorded) {
    case .explained: return .explained
    case .undecided(let reason): return .undecided(reason)
    case .violated(let violation):
      add(divergence(violation, flush: flush, members: members))
      return .diverges
    }
  }

  private func divergence(
    _ violation: FlushJudge.Violation, flush: CompletedFlush, members: ContiguousArray<FlushMember>
  ) -> FoundDivergence {
    var events: [EventReference] = []
    var cpus: [UInt16] = []
    // A flush can be large; the first members show it as well.
    for index in violation.members.prefix(8) {
      let member = members[index]
      events.append(EventReference(cpu: member.source, nanoseconds: member.queued, kind: .csdQueueCPU))
      if member.kick == .ipi || member.kick == .maskIPI {
        events.append(
          EventReference(
            cpu: member.source, nanoseconds: member.kicked, kind: member.kick == .ipi ? .ipiSendCPU : .ipiSendCPUMask))
      }
      events.append(EventReference(cpu: flush.cpu, nanoseconds: member.started, kind: .csdFunctionEntry))
      if !cpus.contains(member.source) { cpus.append(member.source) }
    }
    if !cpus.contains(flush.cpu) { cpus.append(flush.cpu) }
    // The member that is out of place is the last of those named; a missing kick was owed by whichever came first.
    let subject = violation.rule == .kickMissing ? violation.members.first : violation.members.last
    let member = members[subject ?? 0]
    let time = violation.rule == .kickMissing ? member.queued : member.started
    return FoundDivergence(
      rule: violation.rule, time: time, cpus: cpus, function: member.function, csd: member.csd,
      events: events.sorted { ($0.nanoseconds, $0.cpu) < ($1.nanoseconds, $1.cpu) }, margin: violation.margin)
  }

  /// Takes an anomaly of the histories, which is a divergence from the rule that it names.
  mutating func take(_ anomaly: HistoryAnomaly) {
    let rule: Rule =
      switch anomaly.kind {
      case .neverRan: .lostCallback
      case .ranLater: .missedByFlush
      case .ranElsewhere: .wrongCPU
      case .ranTwice: .ranTwice
      case .kickWithoutQueue: .kickWithoutQueue
      }
    add(
      FoundDivergence(
        rule: rule, time: anomaly.time, cpus: anomaly.cpus, function: anomaly.function, csd: anomaly.csd,
        events: anomaly.events, margin: anomaly.margin))
  }

  private mutating func add(_ divergence: FoundDivergence) {
    divergenceCount += 1
    if divergences.count < Self.keptDivergences { divergences.append(divergence) }
  }
}
