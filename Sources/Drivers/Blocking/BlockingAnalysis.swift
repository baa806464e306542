import CallHistories
import TraceTypes
import Verdicts

/// Finds out who waited for whom, and what stood in the way, call by call and in bounded memory.
struct BlockingAnalysis {
  private var lockWaits = LockWaitRecorder()
  private var callerWaits = CallerWaitRecorder()
  private var waitChains = WaitChainRecorder()
  private var stuckCalls = StuckCallRecorder()
  private var kernelReports: KernelReportMatcher?
  /// The same as a flag: a look at the optional itself copies it, for every call.
  private let hasLog: Bool
  private var end = TraceEnd()
  private var endIsKnown = false

  /// - Parameter matcher: what a kernel log says, to be found in the trace; nil where there is no log.
  init(matcher: KernelReportMatcher? = nil) {
    kernelReports = matcher
    hasLog = matcher != nil
  }

  /// - Parameter caller: the caller's number, as the statistics have it.
  mutating func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>, caller: Int?) {
    guard targets.count > 0 else { return }
    if hasLog { kernelReports?.add(call, targets: targets) }
    switch call.kind {
    case .single, .many, .unknown:
      lockWaits.add(call, targets: targets, caller: caller)
      if call.waits == nil, addWait(call, targets: targets, caller: caller) { return }
    case .wakeup, .irqWork, .local: break
    }
    for index in targets.indices {
      switch targets[index].outcome {
      case .pending, .lost: addStuck(targets[index], pid: call.pid)
      case .open, .ran, .undecided: break
      }
    }
  }

  /// - Returns: whether all callbacks were seen to end.
  private mutating func addWait(_ call: CompletedCall, targets: Span<QueuedCall>, caller: Int?) -> Bool {
    let wait = CallerWait(call, targets: targets)
    if let caller, wait.isSeen { callerWaits.add(call, wait, caller: caller) }
    if wait.over - call.began >= WaitChainRecorder.shortestNanoseconds { waitChains.add(call, targets: targets) }
    return wait.over != .max
  }

  private mutating func addStuck(_ call: QueuedCall, pid: Int32) {
    stuckCalls.add(call, pid: pid, end: endIsKnown ? end : nil)
  }

  mutating func traceWillEnd(at time: UInt64, states: [CPULastState]) {
    end = TraceEnd(time: time, states: states)
    endIsKnown = true
  }

  /// Everything about blocking but what the targets' own events say: see ``TargetWatch``.
  /// - Parameters:
  ///   - statistics: holds the late calls, and who calls from where.
  ///   - headOfLine: knows whom the late calls stood behind.
  ///   - span: the trace's first and last time.
  ///   - comm: the name of a task, by pid.
  func summary(
    statistics: borrowing CallStatistics, headOfLine: HeadOfLineRecorder, span: ClosedRange<UInt64>?,
    names: any AddressNaming, comm: (Int32) -> String?
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
    let callers = statistics.callerKeys
    summary.lockWaits = lockWaits.summary(callers: callers, names: names, comm: comm)
    summary.callerWaits = callerWaits.summary(callers: callers, names: names)
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
