import CallEngines
public import CallHistories
public import TraceTypes
public import Verdicts

/// What takes complete calls one by one, besides the statistics; and, if it wants to, what else interrupts CPUs.
public protocol CompletedCallSink {
  /// Whether handlers are anything to it.
  static var takesHandlers: Bool { get }
  mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>)
  mutating func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64)
  mutating func unqueuedCallback(_ event: TraceEvent)
  mutating func unqueuedCallbackEnded(_ event: TraceEvent, started: UInt64)
  /// Takes what a CPU was seen to do, and what was lost of it; only where an ``ActivityTap`` looks.
  mutating func activitySeen(_ piece: CPUActivity)
  mutating func eventsLost(_ gap: TraceGap)
}

extension CompletedCallSink {
  public static var takesHandlers: Bool { true }
  public mutating func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {}
  public mutating func unqueuedCallback(_ event: TraceEvent) {}
  public mutating func unqueuedCallbackEnded(_ event: TraceEvent, started: UInt64) {}
  public mutating func activitySeen(_ piece: CPUActivity) {}
  public mutating func eventsLost(_ gap: TraceGap) {}
}

/// A sink that drops everything.
public struct NoCallSink: CompletedCallSink {
  public static var takesHandlers: Bool { false }
  public init() {}
  public mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {}
}

/// Everything that a replay does with the histories: conformance, statistics, and a sink of the user's.
///
/// Flushes are judged as they come, because their judgements become part of the calls. What is counted over complete calls can
/// be put off, and done by another thread; see ``putOff()``.
public final class ReplayAnalysis<Sink: CompletedCallSink>: CallHistoryConsumer {
  // One builder calls this object, call by call, and no method of it calls the builder back, so no two accesses overlap. The
  // dynamic check for that took a twentieth of the replay's time.
  @exclusivity(unchecked) public private(set) var conformance = ConformanceDriver()
  @exclusivity(unchecked) private var headOfLine = HeadOfLineRecorder()
  // Counted over complete calls, which may be put off: by `CallTally.swift` alone.
  @exclusivity(unchecked) public internal(set) var statistics: CallStatistics
  @exclusivity(unchecked) var blocking: BlockingAnalysis
  @exclusivity(unchecked) var delays = MessageDelays()
  @exclusivity(unchecked) public internal(set) var sink: Sink
  /// What is put off.
  @exclusivity(unchecked) private var log = CallLog()
  private var putsOff = false
  /// How many callbacks came that no event queued.
  private(set) var unqueuedSoFar: UInt64 = 0
  /// How often events of some CPU were found to be missing, without a mark.
  private(set) var silentLossesSoFar: UInt64 = 0
  private let kicksAreRecorded: Bool
  /// Anything is made of handlers.
  private let takesHandlers: Bool
  private let recordedKinds: Set<EventKind>

  /// - Parameters:
  ///   - watched: CPUs whose interference is told apart by source.
  ///   - recordedKinds: types of events known to have been switched on.
  ///   - kernelReports: what a kernel log says, to be found in the trace; nil where there is no log.
  public init(
    watched: [Int: Interference.Selection], recordedKinds: Set<EventKind>, kernelReports: KernelReportMatcher? = nil,
    sink: Sink
  ) {
    statistics = CallStatistics(watched: watched)
    blocking = BlockingAnalysis(matcher: kernelReports)
    self.sink = sink
    takesHandlers = !watched.isEmpty || Sink.takesHandlers
    // That some are seen does not mean that all are recorded: a recording can be filtered.
    self.recordedKinds = recordedKinds
    kicksAreRecorded = recordedKinds.isSuperset(of: [.ipiSendCPU, .ipiSendCPUMask, .schedWakeIdleWithoutIPI])
  }

  public func flushCompleted(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
    later: ContiguousArray<FlushMember>
  ) -> FlushJudgement {
    if members.count > 1 { headOfLine.add(flush, members: members) }
    return conformance.judge(flush, members: members, silent: silent, later: later, kicksAreRecorded: kicksAreRecorded)
  }

  public func loneRunCompleted(_ run: LoneRun) -> FlushJudgement? { conformance.judge(run) }

  public func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>) {
    if putsOff { log.append(call, targets: targets) } else { count(call, targets: targets) }
  }

  public func anomalyFound(_ anomaly: HistoryAnomaly) { conformance.take(anomaly) }

  public func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {
    if !takesHandlers { return }
    if putsOff {
      log.appendHandler(kind, cpu: cpu, start: start, end: end)
    } else {
      countHandler(kind, cpu: cpu, start: start, end: end)
    }
  }

  public func unqueuedCallback(_ event: TraceEvent) {
    unqueuedSoFar += 1
    if putsOff { log.appendUnqueued(event) } else { countUnqueued(event) }
  }

  public func stateUnknown(_ stretch: UnknownStretch) { conformance.take(stretch) }

  public func silentLossFound(before event: TraceEvent) { silentLossesSoFar += 1 }

  public func unqueuedCallbackEnded(_ event: TraceEvent, started: UInt64) {
    if putsOff {
      log.appendUnqueuedEnd(event, started: started)
    } else {
      countUnqueuedEnd(event, started: started)
    }
  }

  func activitySeen(_ piece: CPUActivity) {
    if putsOff { log.append(piece) } else { sink.activitySeen(piece) }
  }

  func eventsLost(_ gap: TraceGap) {
    if putsOff { log.append(gap) } else { sink.eventsLost(gap) }
  }

  public func traceWillEnd(at time: UInt64, states: [CPULastState]) {
    blocking.traceWillEnd(at: time, states: states)
  }

  /// Everything about blocking but what the targets' own events say: see ``TargetWatch``.
  /// - Parameters:
  ///   - span: the trace's first and last time.
  ///   - comm: the name of a task, by pid.
  public func blocking(
    span: ClosedRange<UInt64>?, names: any AddressNaming, comm: (Int32) -> String?
  ) -> BlockingSummary {
    blocking.summary(
      statistics: statistics, headOfLine: headOfLine, span: span, names: names, comm: comm)
  }

  // MARK: Putting off

  /// From now on what is counted over complete calls is put off until it is taken out.
  public func putOff() { putsOff = true }

  /// Puts nothing off any more; all that was has to be taken out and counted first.
  public func stopPuttingOff() {
    precondition(log.isEmpty, "calls were put off and never counted")
    putsOff = false
  }

  /// Takes out what was put off until now.
  /// - Parameter empty: an empty log, whose memory is used from now on.
  public func takePutOff(_ empty: inout CallLog) {
    precondition(empty.isEmpty, "calls were taken out and never counted")
    swap(&log, &empty)
  }

  /// Counts what was taken out, in its order; the log is empty then. Meanwhile, on another thread, events may go on to come.
  public func count(_ log: inout CallLog) { log.tell(self) }

  // MARK: The verdict

  /// The verdict over the whole trace.
  ///
  /// What was found is claimed only if nothing else can explain it: neither clocks that disagree, nor a type of event that was
  /// switched on or off meanwhile. What is not claimed is counted, with the reason.
  /// - Parameters:
  ///   - builder: the one that built the histories, finished.
  ///   - clockIsShared: all CPUs read one clock.
  ///   - timesWentBack: on some CPU; then nothing between CPUs is certain.
  ///   - isDamaged: the reader found bytes that no recorder has written. Who changed them may have changed others as well, so
  ///     nothing is claimed.
  ///   - timeError: by how many nanoseconds the difference of two times can be wrong because times were rounded.
  ///   - words: puts a divergence into words.
  public func verdict(
    of builder: borrowing HistoryBuilder, clockIsShared: Bool, timeError: UInt64 = 0, timesWentBack: Bool = false,
    isDamaged: Bool = false, lossWindows: [LossWindow],
    words: (FoundDivergence) -> Divergence
  ) -> Verdict {
    var clocks = ClockBounds(
      messages: delays, evidence: builder.statistics.clockEvidence, isShared: clockIsShared, timeError: timeError)
    var claimed: [FoundDivergence] = []
    var withheld: [UndecidedReason: UInt64] = [:]
    var accounting = statistics.accounting
    var judged = statistics.judged
    let isDamaged = isDamaged || builder.statistics.impossible > 0
    let general: UndecidedReason? = timesWentBack ? .clockSkew : isDamaged ? .damagedRecording : nil
    for found in conformance.divergences {
      guard let reason = general ?? objection(to: found, &clocks, builder) else {
        claimed.append(found)
        continue
      }
      withheld[reason, default: 0] += 1
      if found.rule == .lostCallback {
        accounting.withdrawLost(reason: reason)
        judged -= 1
      }
    }
    let dropped = UInt64(conformance.divergences.count - claimed.count)
    let result: Verdict.Outcome =
      if !claimed.isEmpty {
        .diverges
      } else if judged > 0, clocks.disagreements.isEmpty, general == nil || withheld.isEmpty {
        .conforms
      } else {
        .undecided
      }
    return Verdict(
      result: result, engine: "mainline", judged: judged, undecided: accounting.queued - judged,
      accounting: accounting,
      divergences: claimed.sorted { ($0.time, $0.cpus.first ?? 0) < ($1.time, $1.cpus.first ?? 0) }.map(words),
      divergenceCount: clocks.disagreements.isEmpty && general == nil ? conformance.divergenceCount - dropped : 0,
      withheld: withheld.sorted { $0.key.rawValue < $1.key.rawValue }.map {
        Accounting.Reason(reason: $0.key.name, count: $0.value)
      },
      clockDisagreements: clocks.disagreements.map {
        Verdict.ClockDisagreement(ahead: Int($0.ahead), behind: Int($0.behind), atLeastNanoseconds: $0.nanoseconds)
      }.sorted { ($0.ahead, $0.behind) < ($1.ahead, $1.behind) },
      coverage: conformance.coverage(of: builder.span), lossWindows: lossWindows)
  }

  /// Whether a kernel that drops events without a mark may have dropped those whose absence is part of a proof. A kick can have
  /// come from any CPU, everything else from those that the divergence names.
  private func isForgetful(_ found: FoundDivergence, _ builder: borrowing HistoryBuilder) -> Bool {
    let losses = builder.statistics.silentLosses
    return switch found.rule {
    case .kickMissing, .kickNotOwed: !losses.isEmpty || builder.anIdleTaskShowsNothing
    default: found.cpus.contains { losses[$0] != nil }
    }
  }

  /// Why a divergence is not claimed, or nil.
  private func objection(
    to found: FoundDivergence, _ clocks: inout ClockBounds, _ builder: borrowing HistoryBuilder
  ) -> UndecidedReason? {
    if !clocks.disagreements.isEmpty { return .clockSkew }
    for comparison in found.comparisons where !clocks.confirm(comparison) { return .clockSkew }
    if !found.absent.isEmpty, isForgetful(found, builder) { return .targetGap }
    // What is switched on was said by whoever recorded. It may have been switched on late, or off early, all the same.
    for kind in found.absent {
      guard let occurrences = builder.occurrences(of: kind) else {
        // Of the two kinds of handlers, one may never be needed.
        if Batch.handlers.contains(kind), recordedKinds.contains(kind) { continue }
        return .eventsNotRecorded
      }
      if !occurrences.surround(found.absence) { return .eventsNotRecorded }
    }
    return nil
  }
}
