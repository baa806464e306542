import CallHistories
public import TraceTypes
public import Verdicts

/// Finds out who waited for whom, and what stood in the way, call by call and in bounded memory.
public struct BlockingAnalysis {
  /// A call site with what it asks for.
  struct CallerKey: Hashable {
    var callsite: UInt64
    var function: UInt64
  }

  private var lockWaits = LockWaitRecorder()
  private var callerWaits = CallerWaitRecorder()
  private var headOfLine = HeadOfLineRecorder()
  private var waitChains = WaitChainRecorder()
  private var stuckCalls = StuckCallRecorder()
  private var kernelReports: KernelReportMatcher?
  private var end = TraceEnd()
  private var endIsKnown = false

  /// - Parameter matcher: what a kernel log says, to be found in the trace; nil where there is no log.
  init(matcher: KernelReportMatcher? = nil) { kernelReports = matcher }

  mutating func flushCompleted(_ flush: CompletedFlush, members: ContiguousArray<FlushMember>) {
    if members.count > 1 { headOfLine.add(flush, members: members) }
  }

  mutating func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>) {
    guard targets.count > 0 else { return }
    switch call.kind {
    case .single, .many, .unknown:
      lockWaits.add(call, targets: targets)
      if call.waits == nil {
        callerWaits.add(call, targets: targets)
        waitChains.add(call, targets: targets)
      }
    case .wakeup, .irqWork, .local: break
    }
    for index in targets.indices {
      switch targets[index].outcome {
      case .pending, .lost: stuckCalls.add(targets[index], pid: call.pid, end: endIsKnown ? end : nil)
      case .open, .ran, .undecided: break
      }
    }
    kernelReports?.add(call, targets: targets)
  }

  mutating func traceWillEnd(at time: UInt64, states: [CPULastState]) {
    end = TraceEnd(time: time, states: states)
    endIsKnown = true
  }

  /// Everything about blocking but what the targets' own events say: see ``TargetWatch``.
  /// - Parameters:
  ///   - statistics: holds the late calls, and who calls from where.
  ///   - span: the trace's first and last time.
  ///   - comm: the name of a task, by pid.
  public func summary(
    statistics: CallStatistics, span: ClosedRange<UInt64>?, names: any AddressNaming, comm: (Int32) -> String?
  ) -> BlockingSummary {
    var summary = statistics.blocking(names: names, comm: comm)
    for index in summary.latestCalls.indices {
      let call = summary.latestCalls[index]
      let behind = headOfLine.behind(target: call.target, started: call.startedNanoseconds, names: names)
      summary.latestCalls[index].behind = behind
      summary.latestCalls[index].cause = Self.cause(
        call.cause, delay: call.startedNanoseconds - min(call.startedNanoseconds, call.queuedNanoseconds),
        behind: behind)
    }
    summary.headOfLine = headOfLine.summary(names: names)
    summary.lockWaits = lockWaits.summary(names: names, comm: comm)
    summary.callerWaits = callerWaits.summary(names: names)
    summary.waitChains = waitChains.summary(end: end, names: names, comm: comm)
    summary.stuckCalls = stuckCalls.summary(end: end, names: names, comm: comm)
    summary.kernelReports = kernelReports?.reports(span: span, end: end, names: names, comm: comm) { target, started in
      headOfLine.behind(target: target, started: started, names: names)
    }
    return summary
  }

  /// What happened between handler and callback was other callbacks' doing only if those took the time.
  static func cause(
    _ cause: BlockingSummary.Cause, delay: UInt64, behind: BlockingSummary.Behind?
  ) -> BlockingSummary.Cause {
    let ahead = behind?.allNanoseconds ?? 0
    switch cause {
    case .callbackAhead, .inHandler, .unknown:
      return ahead > delay / 2 ? .callbackAhead : cause == .unknown ? cause : .inHandler
    case .kickDelayed, .interruptsOff, .idleExit, .targetLate: return cause
    }
  }
}
