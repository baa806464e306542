import CallHistories
import Drivers
import Reports
import TraceDecoding
import TraceTypes
import Verdicts

/// One replay of a trace file: the wiring from bytes to the result value.
struct Replay {
  let file: TraceFile
  let buffer: TraceBuffer
  private let settings: HistorySettings
  /// CPUs whose interference the user asked for; nil: the isolated ones, if any.
  var namedCPUs: CPUMask?
  /// The stretch to draw; nil: chosen by what was found.
  var window: ClosedRange<UInt64>?
  /// What the kernel log says that the user named; nil where none was.
  var kernelLog: KernelLog?

  init(path: String) throws {
    file = try TraceFile(path: path)
    buffer = try file.analysisBuffer()
    settings = Self.settings(file: file, buffer: buffer)
  }

  private var names: SymbolTable { file.symbols }

  private var watched: [Int: Interference.Selection] {
    var result: [Int: Interference.Selection] = [:]
    if let namedCPUs {
      for cpu in namedCPUs.cpus { result[cpu] = .named }
    } else if let facts = file.facts {
      for cpu in (facts.isolated?.cpus ?? []) + (facts.nohzFull?.cpus ?? []) { result[cpu] = .isolated }
    }
    return result
  }

  private static func settings(file: TraceFile, buffer: TraceBuffer) -> HistorySettings {
    var settings = HistorySettings()
    settings.wakeupFunction = file.symbols.addresses(of: "sched_ttwu_pending").first
    settings.crossCallFunction = file.symbols.addresses(of: "generic_smp_call_function_single_interrupt").first
    settings.cpus = buffer.regions.map(\.cpu)
    if let facts = file.facts {
      // What was switched on, but can't be read, is as good as absent.
      let readable = Set(file.formats.map(\.qualifiedName))
      settings.recordedKinds = Set(
        facts.enabledEvents.filter(readable.contains).compactMap { EventKind(qualifiedName: $0) })
      if let online = facts.online, let recorded = facts.recorded {
        settings.someCPUsUnrecorded = online.cpus.contains { !recorded.contains($0) }
      }
    }
    return settings
  }

  /// Task names by pid; 0 is idle.
  var comms: [Int32: String] {
    var comms = file.commands
    comms[0] = "<idle>"
    return comms
  }

  /// Reads the whole trace.
  /// - Parameter sink: takes every call.
  /// - Complexity: O(number of events · log number of CPUs).
  func run<Sink: CompletedCallSink>(sink: Sink) throws -> (ReplayResult, Sink) {
    let stream = try MergedStream(file: file, buffer: buffer)
    let analysis = ReplayAnalysis(
      watched: watched, recordedKinds: settings.recordedKinds,
      kernelReports: kernelLog.map { KernelReportMatcher($0, names: names, clock: buffer.clock) }, sink: sink)
    var builder = HistoryBuilder(settings: settings, names: names, consumer: analysis)
    try stream.drain(into: &builder)
    builder.finish()
    let result = try result(
      of: analysis, span: builder.span, counts: builder.statistics, stream: stream)
    return (result, analysis.sink)
  }

  private func result<Sink: CompletedCallSink>(
    of analysis: ReplayAnalysis<Sink>, span: ClosedRange<UInt64>?, counts: HistoryStatistics, stream: MergedStream
  ) throws -> ReplayResult {
    let statistics = analysis.statistics
    let comms = comms
    let words = DivergenceWords(names: names)
    let verdict = analysis.verdict(
      largestSkew: counts.largestSkew, lossWindows: stream.gaps.map(LossWindow.init),
      words: words.words(for:))
    let blocking = try blocking(of: analysis, span: span)
    return ReplayResult(
      trace: summary(of: stream, span: span),
      health: health(of: stream, builder: counts).items.map(HealthItem.init), verdict: verdict,
      calls: statistics.calls(names: names) { comms[$0] }, kicks: statistics.kicks, latency: statistics.latency,
      matrix: statistics.matrix, interference: statistics.interference(names: names) { comms[$0] },
      blocking: blocking, timeline: try timeline(verdict: verdict, blocking: blocking, span: span),
      engines: [EngineResult(engine: verdict.engine, variant: nil)])
  }

  /// Who waited for whom. What the late calls' targets did meanwhile is read in a second look at those stretches.
  private func blocking<Sink: CompletedCallSink>(
    of analysis: ReplayAnalysis<Sink>, span: ClosedRange<UInt64>?
  ) throws -> BlockingSummary {
    let comms = comms
    var summary = analysis.blocking.summary(statistics: analysis.statistics, span: span, names: names) { comms[$0] }
    for var watch in TargetWatch.plan(for: summary, end: span?.upperBound ?? 0) {
      var part = buffer
      part.regions.removeAll { $0.cpu != watch.cpu }
      let stream = try MergedStream(file: file, buffer: part, from: watch.from, through: watch.through)
      try stream.drain(into: &watch)
      watch.enter(into: &summary, names: names) { comms[$0] }
    }
    return summary
  }

  private func summary(of stream: MergedStream, span: ClosedRange<UInt64>?) -> TraceSummary {
    var byType: [String: UInt64] = [:]
    var byCPU: [TraceSummary.CPUCount] = []
    for cpu in Set(stream.eventCounts.keys).union(stream.lostEvents.keys).sorted() {
      let counts = stream.eventCounts[cpu] ?? [:]
      for (name, count) in counts { byType[name, default: 0] += count }
      byCPU.append(
        TraceSummary.CPUCount(
          cpu: cpu, events: counts.values.reduce(0, +), lost: stream.lostEvents[cpu]?.count ?? 0))
    }
    let facts = file.facts
    return TraceSummary(
      kernel: file.kernelRelease, clock: buffer.clock, startNanoseconds: span?.lowerBound,
      endNanoseconds: span?.upperBound,
      cpus: TraceSummary.CPUs(
        possible: facts?.possible?.cpus, online: facts?.online?.cpus, isolated: facts?.isolated?.cpus,
        nohzFull: facts?.nohzFull?.cpus),
      events: TraceSummary.Events(
        total: byCPU.reduce(0) { $0 + $1.events }, lost: byCPU.reduce(0) { $0 + $1.lost }, byType: byType,
        byCPU: byCPU))
  }

  private func health(of stream: MergedStream, builder: HistoryStatistics) -> TraceHealth {
    var health = file.health
    health.merge(stream.health)
    if let facts = file.facts {
      if !facts.missingEvents.isEmpty { health.add(HealthWords.missingEvents(facts.missingEvents)) }
    } else {
      health.add(HealthWords.recordedEventsUnknown)
    }
    if builder.unqueued > 0 { health.add(HealthWords.unqueuedCallbacks(builder.unqueued)) }
    for (cpu, count) in builder.silentLosses.sorted(by: { $0.key < $1.key }) {
      health.add(HealthWords.silentlyLostEvents(cpu: Int(cpu), count: count))
    }
    if builder.largestSkew > 0 { health.add(HealthWords.clockSkew(nanoseconds: builder.largestSkew)) }
    return health
  }

  // MARK: Timeline

  /// The stretch to draw, and why it: what the user named, else the first divergence, else the latest call.
  private func chosenWindow(
    verdict: Verdict, blocking: BlockingSummary, span: ClosedRange<UInt64>
  ) -> (Timeline.Choice, ClosedRange<UInt64>) {
    if let window { return (.named, window) }
    func around(_ first: UInt64, _ last: UInt64) -> ClosedRange<UInt64> {
      let margin = max(20_000, (last - first) / 5)
      return max(span.lowerBound, first - min(first, margin))...min(span.upperBound, last + margin)
    }
    if let divergence = verdict.divergences.first {
      let times = divergence.events.map(\.timeNanoseconds) + [divergence.timeNanoseconds]
      return (.divergence, around(times.min() ?? span.lowerBound, times.max() ?? span.lowerBound))
    }
    if let call = blocking.latestCalls.first {
      return (.latestCall, around(call.queuedNanoseconds, call.endedNanoseconds ?? call.startedNanoseconds))
    }
    return (.empty, span.lowerBound...span.lowerBound)
  }

  private func timeline(
    verdict: Verdict, blocking: BlockingSummary, span: ClosedRange<UInt64>?
  ) throws -> Timeline {
    guard let span else {
      return Timeline(
        choice: .empty, startNanoseconds: 0, endNanoseconds: 0, cpus: [], slices: [], flows: [], truncated: false)
    }
    let (choice, window) = chosenWindow(verdict: verdict, blocking: blocking, span: span)
    // Calls that reach into the stretch began before it, and end behind it.
    let before = min(window.lowerBound, 50_000_000)
    let after = window.upperBound.addingReportingOverflow(50_000_000)
    let stream = try MergedStream(
      file: file, buffer: buffer, from: window.lowerBound - before, through: after.overflow ? .max : after.partialValue)
    var reader = TimelineReader(window: window, settings: settings, names: names)
    try stream.drain(into: &reader)
    return reader.finish(choice: choice)
  }
}

extension LossWindow {
  fileprivate init(_ gap: TraceGap) {
    self.init(
      cpu: Int(gap.cpu), startNanoseconds: gap.afterNanoseconds, endNanoseconds: gap.beforeNanoseconds,
      lostEvents: gap.lostEvents)
  }
}
