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
  /// The most stretches of unknown state that are kept in full; the time in all of them is summed up.
  public static let keptStretches = 1_000

  private var stretches: [UnknownStretch] = []
  private var unknownNanoseconds: UInt64 = 0
  /// Whether anything was told of the state of a CPU's queue.
  private var isJudged: [Bool] = []
  var judge = FlushJudge()

  public init() {}

  /// Judges a flush of one call, if that needs no closer look.
  @inline(__always)
  mutating func judge(_ run: LoneRun) -> FlushJudgement? {
    guard let judged = judge.judge(run) else { return nil }
    switch judged.finding {
    case .explained: return FlushJudgement(.explained, syncs: judged.syncs)
    case .undecided(let reason): return FlushJudgement(.undecided(reason))
    case .violated: return nil
    }
  }

  /// Judges one flush.
  mutating func judge(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
    later: ContiguousArray<FlushMember>, kicksAreRecorded: Bool
  ) -> FlushJudgement {
    let judged = judge.judge(
      flush, members: members, silent: silent, later: later, kicksAreRecorded: kicksAreRecorded)
    switch judged.finding {
    case .explained:
      return FlushJudgement(.explained, syncs: judged.syncs)
    case .undecided(let reason): return FlushJudgement(.undecided(reason))
    case .violated(let violation):
      add(divergence(violation, flush: flush, members: members, silent: silent + later))
      return FlushJudgement(.diverges)
    }
  }

  private func divergence(
    _ violation: FlushJudge.Violation, flush: CompletedFlush, members: ContiguousArray<FlushMember>,
    silent: ContiguousArray<FlushMember>
  ) -> FoundDivergence {
    var events: [EventReference] = []
    var cpus: [UInt16] = []
    // A flush can be large; the first members show it as well.
    for member in violation.members.prefix(8).map({ members[$0] }) + violation.silent.map({ silent[$0] }) {
      events.append(EventReference(cpu: member.source, nanoseconds: member.queued, kind: .csdQueueCPU))
      if member.kick == .ipi || member.kick == .maskIPI {
        events.append(
          EventReference(
            cpu: member.source, nanoseconds: member.kicked, kind: member.kick == .ipi ? .ipiSendCPU : .ipiSendCPUMask))
      }
      if member.started != .max {
        events.append(EventReference(cpu: flush.cpu, nanoseconds: member.started, kind: .csdFunctionEntry))
      }
      if !cpus.contains(member.source) { cpus.append(member.source) }
    }
    if violation.rule == .missedByFlush {
      events.append(
        EventReference(cpu: flush.floor.source, nanoseconds: flush.floor.queued, kind: .csdQueueCPU))
      events.append(EventReference(cpu: flush.cpu, nanoseconds: flush.floor.started, kind: .csdFunctionEntry))
    }
    if !cpus.contains(flush.cpu) { cpus.append(flush.cpu) }
    // The member that is out of place is the last of those named; a missing kick was owed by whichever came first.
    let subject = violation.rule == .kickMissing ? violation.members.first : violation.members.last
    let member = subject.map { members[$0] } ?? silent[violation.silent.last ?? 0]
    let time = violation.rule == .kickMissing || subject == nil ? member.queued : member.started
    // What never came can't be waited for.
    let taken = flush.isToCome ? violation.silent.map { silent[$0].addedBy }.max() ?? time : flush.notAfter
    let first = min(time, flush.previousEnd, (members + silent).map(\.queued).min() ?? time)
    let last = max(taken, time, members.map(\.queued).max() ?? time)
    return FoundDivergence(
      rule: violation.rule, time: time, cpus: cpus, function: member.function, csd: member.csd,
      events: events.sorted { ($0.nanoseconds, $0.cpu) < ($1.nanoseconds, $1.cpu) },
      comparisons: violation.comparisons, absent: violation.absent,
      absence: first...last)
  }

  /// Takes an anomaly of the histories, which is a divergence from the rule that it names.
  mutating func take(_ anomaly: HistoryAnomaly) {
    let callbacks: [EventKind] = [.csdFunctionEntry, .csdFunctionExit]
    let (rule, absent): (Rule, [EventKind]) =
      switch anomaly.kind {
      case .neverRan: (.lostCallback, callbacks)
      case .ranLater: (.missedByFlush, callbacks)
      case .ranElsewhere: (.wrongCPU, callbacks)
      case .ranTwice: (.ranTwice, [])
      case .kickWithoutQueue: (.kickWithoutQueue, [.csdQueueCPU])
      case .polledNotIdle: (.polledNotIdle, [.schedSwitch])
      case .csdReused: (.csdReused, callbacks)
      case .forbiddenContext: (.forbiddenContext, [])
      case .addedToOffline: (.addToOffline, [])
      case .missedByDyingFlush: (.missedByDyingFlush, callbacks)
      case .localRun: (.localRun, [])
      }
    let times = anomaly.events.map(\.nanoseconds) + [anomaly.time]
    let first = times.min() ?? anomaly.time
    add(
      FoundDivergence(
        rule: rule, time: anomaly.time, cpus: anomaly.cpus, function: anomaly.function, csd: anomaly.csd,
        events: anomaly.events, comparisons: anomaly.comparisons, absent: absent,
        absence: first...max(first, anomaly.through ?? times.max() ?? first)))
  }

  // MARK: Coverage

  mutating func take(_ stretch: UnknownStretch) {
    unknownNanoseconds &+= stretch.end &- stretch.begin
    while isJudged.count <= Int(stretch.cpu) { isJudged.append(false) }
    isJudged[Int(stretch.cpu)] = true
    if stretches.count < Self.keptStretches { stretches.append(stretch) }
  }

  /// How much of a trace's time the state of the queues was known. Every CPU begins with a stretch in which it is not.
  func coverage(of span: ClosedRange<UInt64>?) -> Verdict.Coverage {
    let length = span.map { $0.upperBound - $0.lowerBound } ?? 0
    let total = length.multipliedReportingOverflow(by: UInt64(isJudged.count { $0 }))
    return Verdict.Coverage(
      cpuNanoseconds: total.overflow ? .max : total.partialValue,
      unknownNanoseconds: min(unknownNanoseconds, total.overflow ? .max : total.partialValue),
      stretches: stretches.sorted { ($0.begin, $0.cpu) < ($1.begin, $1.cpu) }.map {
        Verdict.Coverage.Stretch(
          cpu: Int($0.cpu), startNanoseconds: $0.begin, endNanoseconds: $0.end, reason: $0.reason.name)
      })
  }

  private mutating func add(_ divergence: FoundDivergence) {
    divergenceCount += 1
    if divergences.count < Self.keptDivergences { divergences.append(divergence) }
  }
}
