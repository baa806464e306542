public import CallHistories
public import TraceTypes
public import Verdicts

/// What takes complete calls one by one, besides the statistics.
public protocol CompletedCallSink {
  mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>)
}

/// A sink that drops everything.
public struct NoCallSink: CompletedCallSink {
  public init() {}
  public mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {}
}

/// Everything that a replay does with the histories: conformance, statistics, and a sink of the user's.
public final class ReplayAnalysis<Sink: CompletedCallSink>: CallHistoryConsumer {
  // One builder calls this object, call by call, and no method of it calls the builder back, so no two accesses overlap. The
  // dynamic check for that took a twentieth of the replay's time.
  @exclusivity(unchecked) public private(set) var conformance = ConformanceDriver()
  @exclusivity(unchecked) public private(set) var statistics: CallStatistics
  @exclusivity(unchecked) public private(set) var blocking: BlockingAnalysis
  @exclusivity(unchecked) public var sink: Sink
  private let kicksAreRecorded: Bool

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
    // That some are seen does not mean that all are recorded: a recording can be filtered.
    kicksAreRecorded = recordedKinds.isSuperset(of: [.ipiSendCPU, .ipiSendCPUMask, .schedWakeIdleWithoutIPI])
    self.sink = sink
  }

  public func flushCompleted(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>
  ) -> FlushJudgement {
    blocking.flushCompleted(flush, members: members)
    return conformance.judge(flush, members: members, silent: silent, kicksAreRecorded: kicksAreRecorded)
  }

  public func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>) {
    let caller = statistics.add(call, targets: targets)
    blocking.callCompleted(call, targets: targets, caller: caller)
    sink.write(call, targets: targets)
  }

  public func anomalyFound(_ anomaly: HistoryAnomaly) { conformance.take(anomaly) }

  public func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {
    statistics.addHandler(kind, cpu: cpu, start: start, end: end)
  }

  public func unqueuedCallback(_ event: TraceEvent) { statistics.addUnqueued(event) }

  public func traceWillEnd(at time: UInt64, states: [CPULastState]) { blocking.traceWillEnd(at: time, states: states) }

  // MARK: The verdict

  /// The verdict over the whole trace.
  /// - Parameters:
  ///   - largestSkew: by how much the CPUs' clocks were seen to disagree. Divergences that rest on less are dropped.
  ///   - words: puts a divergence into words.
  public func verdict(
    largestSkew: UInt64, lossWindows: [LossWindow], words: (FoundDivergence) -> Divergence
  ) -> Verdict {
    let accounting = statistics.accounting
    let real = conformance.divergences.filter { $0.margin > largestSkew }
    let dropped = UInt64(conformance.divergences.count - real.count)
    let judged = statistics.judged
    let result: Verdict.Outcome = !real.isEmpty ? .diverges : judged > 0 ? .conforms : .undecided
    return Verdict(
      result: result, engine: "mainline", judged: judged, undecided: accounting.queued - judged,
      accounting: accounting,
      divergences: real.sorted { ($0.time, $0.cpus.first ?? 0) < ($1.time, $1.cpus.first ?? 0) }.map(words),
      divergenceCount: conformance.divergenceCount - dropped, lossWindows: lossWindows)
  }
}
