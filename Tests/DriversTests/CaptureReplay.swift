import CallEngines
import CallHistories
import Drivers
import TestSupport
import TraceTypes
import Verdicts

/// A flush as the judge saw it.
struct SeenFlush {
  var flush: CompletedFlush
  var members: [FlushMember]
  var silent: [FlushMember]
  var judgement: FlushJudgement

  /// Whether the engine explains it.
  var isExplained: Bool { if case .explained = judgement.outcome { true } else { false } }
}

/// Hands everything on to an analysis, and keeps the flushes.
final class FlushWatcher<Sink: CompletedCallSink>: CallHistoryConsumer {
  let analysis: ReplayAnalysis<Sink>
  private(set) var flushes: [SeenFlush] = []
  private let keepsFlushes: Bool

  init(analysis: ReplayAnalysis<Sink>, keepsFlushes: Bool) {
    self.analysis = analysis
    self.keepsFlushes = keepsFlushes
  }

  func flushCompleted(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
    later: ContiguousArray<FlushMember>
  ) -> FlushJudgement {
    let judgement = analysis.flushCompleted(flush, members: members, silent: silent, later: later)
    if keepsFlushes {
      flushes.append(
        SeenFlush(flush: flush, members: Array(members), silent: Array(silent), judgement: judgement))
    }
    return judgement
  }

  func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>) {
    analysis.callCompleted(call, targets: targets)
  }

  func anomalyFound(_ anomaly: HistoryAnomaly) { analysis.anomalyFound(anomaly) }

  func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {
    analysis.handlerCompleted(kind, cpu: cpu, start: start, end: end)
  }

  func unqueuedCallback(_ event: TraceEvent) { analysis.unqueuedCallback(event) }

  func stateUnknown(_ stretch: UnknownStretch) { analysis.stateUnknown(stretch) }

  func unqueuedCallbackEnded(_ event: TraceEvent, started: UInt64) {
    analysis.unqueuedCallbackEnded(event, started: started)
  }
}

extension HistorySettings {
  init(_ trace: CapturedTrace) {
    self.init()
    cpus = trace.cpus
    recordedKinds = trace.recordedKinds
    someCPUsUnrecorded = trace.someCPUsUnrecorded
  }
}

/// What a replay of a captured trace comes to.
struct CaptureReplay<Sink: CompletedCallSink> {
  var verdict: Verdict
  /// The divergences of the verdict.
  var found: [FoundDivergence] = []
  var flushes: [SeenFlush]
  var statistics: HistoryStatistics
  var sink: Sink

  init(_ trace: CapturedTrace, names: (any AddressNaming)? = nil, keepsFlushes: Bool = false, sink: Sink) {
    let watcher = FlushWatcher(
      analysis: ReplayAnalysis(watched: [:], recordedKinds: trace.recordedKinds, sink: sink),
      keepsFlushes: keepsFlushes)
    var builder = HistoryBuilder(
      settings: HistorySettings(trace), names: names ?? trace.symbols, consumer: watcher)
    trace.feed(&builder)
    builder.finish()
    statistics = builder.statistics
    flushes = watcher.flushes
    self.sink = watcher.analysis.sink
    var found: [FoundDivergence] = []
    verdict = watcher.analysis.verdict(
      of: builder, clockIsShared: trace.clockIsShared, timesWentBack: trace.timesWentBack,
      lossWindows: trace.gaps.map {
        LossWindow(
          cpu: Int($0.cpu), startNanoseconds: $0.afterNanoseconds, endNanoseconds: $0.beforeNanoseconds,
          lostEvents: $0.lostEvents)
      }
    ) {
      found.append($0)
      return Divergence(
        rule: $0.rule.rawValue, timeNanoseconds: $0.time, cpus: $0.cpus.map(Int.init), callback: nil, events: [],
        expected: "", explanation: "")
    }
    self.found = found
  }

  /// The divergences in one line, for messages.
  var summary: String {
    found.map { "\($0.rule) at \($0.time) on \($0.cpus) margin \($0.margin)" }.joined(separator: "; ")
  }

  /// Whether every queued call has exactly one end.
  var addsUp: Bool { verdict.addsUp }
}

extension CaptureReplay where Sink == NoCallSink {
  init(_ trace: CapturedTrace, names: (any AddressNaming)? = nil) { self.init(trace, names: names, sink: NoCallSink()) }
}

extension Verdict {
  /// Whether every queued call has exactly one end, and is judged or not.
  var addsUp: Bool {
    let parts =
      accounting.executed + accounting.lost + accounting.pending + accounting.notJudged.reduce(0) { $0 + $1.count }
    return accounting.queued == parts && judged + undecided == accounting.queued
  }
}

/// The captures, each read once.
enum Captures {
  static let host = Result { try CapturedTrace(fixture: "host-6.18-2cpu.dat") }
  static let hotplug = Result { try CapturedTrace(fixture: "guest-6.12-8cpu-hotplug.dat") }
  static let polling = Result { try CapturedTrace(fixture: "guest-6.12-idle-poll.dat") }
  static let overrun = Result { try CapturedTrace(fixture: "guest-6.12-overrun.dat") }

  static func named(_ name: String) throws -> CapturedTrace {
    switch name {
    case "host-6.18-2cpu.dat": try host.get()
    case "guest-6.12-8cpu-hotplug.dat": try hotplug.get()
    case "guest-6.12-idle-poll.dat": try polling.get()
    case "guest-6.12-overrun.dat": try overrun.get()
    default: try CapturedTrace(fixture: name)
    }
  }
}
