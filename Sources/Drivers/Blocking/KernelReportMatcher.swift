import CallHistories
public import TraceTypes
import Verdicts

/// Finds the calls of a trace that a kernel log speaks of.
///
/// The log names the waiting CPU, its target, the callback and how long the wait was; its stamps are of the kernel's own clock.
/// That is also what the trace clocks `local` and `global` are made of: then the call must have been queued before the wait began
/// and not be over when the line was written. With any other clock, or without stamps, the call must have lasted as long as the
/// log says.
public struct KernelReportMatcher: Sendable {
  /// Stamps are microseconds, and a line is written a little after the kernel has looked.
  static let toleranceNanoseconds: UInt64 = 1_000_000

  private struct Found: Sendable {
    var call: QueuedCall
    var pid: Int32
    var isByTime: Bool
  }

  private struct Pair: Hashable, Sendable {
    var source: UInt16
    var target: UInt16
  }

  private let reports: [KernelLog.Report]
  private let names: any AddressNaming
  private let clockIsKernels: Bool
  private var byPair: [Pair: [Int]] = [:]
  private var found: [Int: Found] = [:]
  private var functionNames: [UInt64: String] = [:]

  /// - Parameter clock: the trace's clock.
  public init(_ log: KernelLog, names: any AddressNaming, clock: String?) {
    reports = log.reports
    self.names = names
    clockIsKernels = clock == "local" || clock == "global"
    for (index, report) in reports.enumerated() where report.kind == .lockWait {
      guard let source = report.waitingCPU.flatMap({ UInt16(exactly: $0) }),
        let target = report.targetCPU.flatMap({ UInt16(exactly: $0) }), report.callback != nil
      else { continue }
      byPair[Pair(source: source, target: target), default: []].append(index)
    }
  }

  mutating func add(_ call: CompletedCall, targets: Span<QueuedCall>) {
    for index in targets.indices {
      guard let candidates = byPair[Pair(source: call.source, target: targets[index].target)] else { continue }
      for candidate in candidates { compare(targets[index], pid: call.pid, with: candidate) }
    }
  }

  private mutating func compare(_ call: QueuedCall, pid: Int32, with index: Int) {
    let report = reports[index]
    let over = call.ended ?? call.started ?? .max
    guard call.kind != .wakeup, call.kind != .irqWork, call.outcome != .undecided || call.started != nil,
      over > call.queued, let waited = report.waitedNanoseconds
    else { return }
    let isByTime: Bool
    if clockIsKernels, let time = report.nanoseconds {
      guard time >= waited, call.queued <= (time - waited).saturated(plus: Self.toleranceNanoseconds),
        over.saturated(plus: Self.toleranceNanoseconds) >= time
      else { return }
      isByTime = true
    } else {
      // Whether the call lasted that long is known at the end only, if it is still open then.
      guard over == .max || over - call.queued >= waited - waited / 10 else { return }
      isByTime = false
    }
    guard name(call.function) == report.callback else { return }
    // Of several, the one that was queued last: the others were over before, but for a small error of the clocks.
    if let known = found[index], known.call.queued >= call.queued { return }
    found[index] = Found(call: call, pid: pid, isByTime: isByTime)
  }

  private mutating func name(_ function: UInt64) -> String {
    if let known = functionNames[function] { return known }
    let name = names.symbolName(containing: function) ?? names.text(function)
    if functionNames.count < 65_536 { functionNames[function] = name }
    return name
  }

  // MARK: Giving

  func reports(
    span: ClosedRange<UInt64>?, end: TraceEnd, names: any AddressNaming, comm: (Int32) -> String?,
    behind: (Int, UInt64) -> BlockingSummary.Behind?
  ) -> [KernelReport] {
    reports.enumerated().map { index, report in
      let call = found[index].flatMap { found -> KernelReport.FoundCall? in
        let call = found.call
        // A call that is open at the end may be waited for later, but that is not in the trace.
        if found.isByTime, Self.began(report) > end.time { return nil }
        if !found.isByTime, call.ended == nil, call.started == nil {
          let waited = report.waitedNanoseconds ?? 0
          guard end.time > call.queued, end.time - call.queued >= waited - waited / 10 else { return nil }
        }
        return self.call(found, end: end, names: names, comm: comm, behind: behind)
      }
      var prior: String?
      var activity: KernelReport.Activity?
      switch report.activity {
      case nil: break
      case .unresponsive: activity = .unresponsive
      case .handlingThis: activity = .handlingThis
      case .handlingPrior(let callback):
        activity = .handlingPrior
        prior = callback
      }
      return KernelReport(
        kind: report.kind == .lockWait ? .lockWait : .offlineCallback, line: report.line,
        timeNanoseconds: report.nanoseconds, bug: report.bug, waitingCPU: report.waitingCPU,
        targetCPU: report.targetCPU, callback: report.callback, waitedNanoseconds: report.waitedNanoseconds,
        continued: report.continued, resentIPIs: report.resentIPIs, activity: activity, priorCallback: prior,
        unstuck: report.unstuck, call: call, absence: call == nil ? absence(report, span: span) : nil)
    }
  }

  private func call(
    _ found: Found, end: TraceEnd, names: any AddressNaming, comm: (Int32) -> String?,
    behind: (Int, UInt64) -> BlockingSummary.Behind?
  ) -> KernelReport.FoundCall {
    let call = found.call
    let outcome: KernelReport.FoundCall.Outcome =
      switch call.outcome {
      case .ran: .ran
      case .pending: .pending
      case .lost: .lost
      case .undecided, .open: call.started == nil ? .undecided : .ran
      }
    let started = call.inferred ? nil : call.started
    let behind = started.flatMap { behind(Int(call.target), $0) }
    let cause = started.map { started in
      let delay = started - min(started, call.queued)
      return BlockingAnalysis.cause(CallStatistics.cause(call, delay: delay), delay: delay, behind: behind)
    }
    let hasRun = outcome == .ran
    return KernelReport.FoundCall(
      callsite: names.text(call.callsite), comm: comm(found.pid), queuedNanoseconds: call.queued,
      kickNanoseconds: call.kicked, handlerNanoseconds: call.handler, startedNanoseconds: started,
      endedNanoseconds: call.inferred ? nil : call.ended, outcome: outcome,
      cause: cause ?? .unknown, behind: behind, evidence: nil, foundByTime: found.isByTime,
      sourceState: hasRun ? nil : end.state(of: call.source, names: names, comm: comm),
      targetState: hasRun ? nil : end.state(of: call.target, names: names, comm: comm))
  }

  /// When the wait began that a report speaks of; 0 where it does not say.
  private static func began(_ report: KernelLog.Report) -> UInt64 {
    guard let time = report.nanoseconds, let waited = report.waitedNanoseconds else { return 0 }
    return time - min(time, waited)
  }

  private func absence(_ report: KernelLog.Report, span: ClosedRange<UInt64>?) -> KernelReport.Absence {
    guard report.kind == .lockWait, report.waitingCPU != nil, report.targetCPU != nil, report.callback != nil,
      report.waitedNanoseconds != nil
    else { return .notNamed }
    guard clockIsKernels, report.nanoseconds != nil, let span else { return .noSuchCall }
    let began = Self.began(report)
    if began < span.lowerBound { return .beforeTrace }
    if began > span.upperBound { return .afterTrace }
    return .noSuchCall
  }
}

extension UInt64 {
  /// The sum, or the largest value where it would be larger.
  fileprivate func saturated(plus other: UInt64) -> UInt64 {
    let sum = addingReportingOverflow(other)
    return sum.overflow ? .max : sum.partialValue
  }
}
