import CallHistories
import Drivers
import Reports
import TraceDecoding
import TraceTypes
import Verdicts

/// One replay of a trace: the wiring from bytes to the result value.
struct Replay {
  let source: TraceSource
  private let settings: HistorySettings
  /// CPUs whose interference the user asked for; nil: the isolated ones, if any.
  var namedCPUs: CPUMask?
  /// The stretch to draw; nil: chosen by what was found.
  var window: ClosedRange<UInt64>?

  /// - Parameter isComplete: the user says that every event that ipitrace reads was recorded, on all CPUs and unfiltered.
  init(path: String, isComplete: Bool) throws {
    source = try TraceSource(path: path)
    settings = Self.settings(source, isComplete: isComplete)
  }

  private var names: any AddressNaming { source.names }

  private var watched: [Int: Interference.Selection] {
    var result: [Int: Interference.Selection] = [:]
    if let namedCPUs {
      for cpu in namedCPUs.cpus { result[cpu] = .named }
    } else if let facts = source.facts {
      for cpu in (facts.isolated?.cpus ?? []) + (facts.nohzFull?.cpus ?? []) { result[cpu] = .isolated }
    }
    return result
  }

  private static func settings(_ source: TraceSource, isComplete: Bool) -> HistorySettings {
    var settings = HistorySettings()
    settings.wakeupFunction = source.names.addresses(ofSymbol: "sched_ttwu_pending").first
    settings.crossCallFunction = source.names.addresses(ofSymbol: "generic_smp_call_function_single_interrupt").first
    settings.cpus = source.cpus
    if isComplete { settings.recordedKinds = Set(EventKind.allCases) }
    if let facts = source.facts {
      // What was switched on, but can't be read, is as good as absent.
      let readable = source.describedEvents ?? []
      settings.recordedKinds.formUnion(
        facts.enabledEvents.filter(readable.contains).compactMap { EventKind(qualifiedName: $0) })
      if let online = facts.online, let recorded = facts.recorded {
        settings.someCPUsUnrecorded = online.cpus.contains { !recorded.contains($0) }
      }
    }
    // A stream tells of a loss only when it is over. Until then, a CPU may have queued anything.
    if source.isStream { settings.someCPUsUnrecorded = true }
    settings.contextIsKnown = source.contextIsKnown
    // Without contexts it is not certain which kick belongs to which call.
    if !source.contextIsKnown {
      settings.recordedKinds.subtract([.csdQueueCPU, .ipiSendCPU, .ipiSendCPUMask, .schedWakeIdleWithoutIPI])
    }
    return settings
  }

  /// Reads the whole trace.
  /// - Parameter sink: takes every call.
  /// - Complexity: O(number of events · log number of CPUs).
  func run<Sink: CompletedCallSink>(sink: Sink) throws -> (ReplayResult, Sink) {
    let analysis = ReplayAnalysis(watched: watched, recordedKinds: settings.recordedKinds, sink: sink)
    var builder = HistoryBuilder(settings: settings, names: names, consumer: analysis)
    let outcome = try source.drain(into: &builder)
    builder.finish()
    let result = try result(
      of: analysis, span: builder.span, counts: builder.statistics, outcome: outcome)
    return (result, analysis.sink)
  }

  private func result<Sink: CompletedCallSink>(
    of analysis: ReplayAnalysis<Sink>, span: ClosedRange<UInt64>?, counts: HistoryStatistics,
    outcome: TraceSource.Outcome
  ) throws -> ReplayResult {
    let statistics = analysis.statistics
    let comm = source.comm
    let words = DivergenceWords(names: names)
    let verdict = analysis.verdict(
      largestSkew: counts.largestSkew + source.timeErrorNanoseconds, lossWindows: outcome.gaps.map(LossWindow.init),
      words: words.words(for:))
    let blocking = statistics.blocking(names: names, comm: comm)
    return ReplayResult(
      trace: summary(of: outcome, span: span),
      health: health(of: outcome, builder: counts).items.map(HealthItem.init), verdict: verdict,
      calls: statistics.calls(names: names, comm: comm), kicks: statistics.kicks, latency: statistics.latency,
      matrix: statistics.matrix, interference: statistics.interference(names: names, comm: comm),
      blocking: blocking, timeline: try timeline(verdict: verdict, blocking: blocking, span: span),
      engines: [EngineResult(engine: verdict.engine, variant: nil)])
  }

  private func summary(of outcome: TraceSource.Outcome, span: ClosedRange<UInt64>?) -> TraceSummary {
    var byType: [String: UInt64] = [:]
    var byCPU: [TraceSummary.CPUCount] = []
    for cpu in Set(outcome.eventCounts.keys).union(outcome.lostEvents.keys).sorted() {
      let counts = outcome.eventCounts[cpu] ?? [:]
      for (name, count) in counts { byType[name, default: 0] += count }
      byCPU.append(
        TraceSummary.CPUCount(
          cpu: cpu, events: counts.values.reduce(0, +), lost: outcome.lostEvents[cpu]?.count ?? 0))
    }
    let facts = source.facts
    return TraceSummary(
      kernel: source.kernelRelease, clock: source.clock, startNanoseconds: span?.lowerBound,
      endNanoseconds: span?.upperBound,
      cpus: TraceSummary.CPUs(
        possible: facts?.possible?.cpus, online: facts?.online?.cpus, isolated: facts?.isolated?.cpus,
        nohzFull: facts?.nohzFull?.cpus),
      events: TraceSummary.Events(
        total: byCPU.reduce(0) { $0 + $1.events }, lost: byCPU.reduce(0) { $0 + $1.lost }, byType: byType,
        byCPU: byCPU))
  }

  private func health(of outcome: TraceSource.Outcome, builder: HistoryStatistics) -> TraceHealth {
    var health = outcome.health
    if let facts = source.facts {
      if !facts.missingEvents.isEmpty { health.add(HealthWords.missingEvents(facts.missingEvents)) }
    } else if settings.recordedKinds.isEmpty {
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
    guard let span, !source.isStream else {
      return Timeline(
        choice: .empty, startNanoseconds: 0, endNanoseconds: 0, cpus: [], slices: [], flows: [], truncated: false)
    }
    let (choice, window) = chosenWindow(verdict: verdict, blocking: blocking, span: span)
    // Calls that reach into the stretch began before it, and end behind it.
    let before = min(window.lowerBound, 50_000_000)
    let after = window.upperBound.addingReportingOverflow(50_000_000)
    var reader = TimelineReader(window: window, settings: settings, names: names)
    _ = try source.drain(
      into: &reader, from: window.lowerBound - before, through: after.overflow ? .max : after.partialValue)
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
