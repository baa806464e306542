import CallHistories
import Drivers
import Reports
import TraceDecoding
import TraceTypes
import Verdicts

/// One replay of a trace: the wiring from bytes to the result value.
struct Replay {
  let source: TraceSource
  let settings: HistorySettings
  /// CPUs whose interference the user asked for; nil: the isolated ones, if any.
  var namedCPUs: CPUMask?
  /// The stretch to draw; nil: chosen by what was found.
  var window: ClosedRange<UInt64>?
  /// What the kernel log says that the user named; nil where none was.
  var kernelLog: KernelLog?
  /// How many threads read and analyse.
  var threads = 1
  /// Which engines are to run the recording's load; nil: none.
  var simulation: SimulationRequest?
  /// Whether the sink draws what the CPUs were seen to do.
  var drawsActivities = false

  /// - Parameter isComplete: the user says that every event that ipitrace reads was recorded, on all CPUs and unfiltered.
  init(path: String, isComplete: Bool) throws {
    source = try TraceSource(path: path)
    settings = Self.settings(source, isComplete: isComplete)
  }

  var names: any AddressNaming { source.names }

  /// Types of events known to have been switched on.
  var recordedKinds: Set<EventKind> { settings.recordedKinds }

  /// CPUs ran whose events were not recorded.
  var isPartial: Bool { settings.someCPUsUnrecorded }

  /// The kinds that may be in the trace: described by the file and, as far as it says so, switched on.
  private var readableKinds: Set<EventKind> {
    var kinds = settings.recordedKinds
    if source.facts == nil {
      kinds =
        source.describedEvents.map { Set($0.compactMap { EventKind(qualifiedName: $0) }) } ?? Set(EventKind.allCases)
    }
    // Handlers of unknown reason are as good as none.
    if !source.explainsReasons { kinds.subtract([.ipiEntry, .ipiExit]) }
    return kinds
  }

  var watched: [Int: Interference.Selection] {
    var result: [Int: Interference.Selection] = [:]
    if let namedCPUs {
      for cpu in namedCPUs.cpus { result[cpu] = .named }
    } else if let facts = source.facts {
      for cpu in (facts.isolated?.cpus ?? []) + (facts.nohzFull?.cpus ?? []) { result[cpu] = .isolated }
    }
    // Without calls to tell of, what interrupts the CPUs is most of what the trace has.
    if result.isEmpty, !readableKinds.contains(.csdQueueCPU) {
      for cpu in source.cpus { result[cpu] = .all }
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
      // Our own recorder wrote the file, on a 64-bit machine.
      settings.possibleCPUs = facts.possible
      settings.addressesAreRaw = true
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
    if let simulation { return try simulate(simulation, sink: sink) }
    let analysis = ReplayAnalysis(
      watched: watched, recordedKinds: settings.recordedKinds,
      kernelReports: kernelLog.map { KernelReportMatcher($0, names: names, clock: source.clock) }, sink: sink)
    let builder = HistoryBuilder(settings: settings, names: names, consumer: analysis)
    let result = try drain(into: builder, analysis) { builder, outcome in
      builder.finish()
      return try self.result(of: analysis, builder, outcome: outcome)
    }
    return (result, analysis.sink)
  }

  /// Reads the whole trace, with the threads that there are: one reads and counts what is complete, the other does the rest.
  /// - Parameters:
  ///   - consumer: takes the events, and hands calls to `analysis`.
  ///   - body: called when all events were taken.
  func drain<Consumer: TraceEventConsumer & ~Copyable, Sink: CompletedCallSink, Result>(
    into consumer: consuming Consumer, _ analysis: ReplayAnalysis<Sink>,
    _ body: (inout Consumer, TraceSource.Outcome) throws -> Result
  ) throws -> Result {
    guard drawsActivities else { return try feed(consumer, analysis, body) }
    return try feed(ActivityTap(consumer, analysis), analysis) { tap, outcome in
      tap.finish()
      return try body(&tap.consumer, outcome)
    }
  }

  private func feed<Consumer: TraceEventConsumer & ~Copyable, Sink: CompletedCallSink, Result>(
    _ consumer: consuming Consumer, _ analysis: ReplayAnalysis<Sink>,
    _ body: (inout Consumer, TraceSource.Outcome) throws -> Result
  ) throws -> Result {
    guard threads > 1, let (stream, outcome) = try source.stream() else {
      let outcome = try source.drain(into: &consumer)
      return try body(&consumer, outcome)
    }
    analysis.putOff()
    let relay = EventRelay(
      consumer, makeTail: { CallLog() }, leave: { analysis.takePutOff(&$0) }, look: { analysis.count(&$0) })
    try relay.run { block in try stream.fill(&block) }
    return try relay.finish { consumer in
      analysis.stopPuttingOff()
      return try body(&consumer, outcome())
    }
  }

  func result<Sink: CompletedCallSink>(
    of analysis: ReplayAnalysis<Sink>, _ builder: borrowing HistoryBuilder, outcome: TraceSource.Outcome
  ) throws -> ReplayResult {
    let span = builder.span
    let comm = source.comm
    let words = DivergenceWords(names: names)
    let verdict = analysis.verdict(
      of: builder, clockIsShared: TraceClock.isShared(source.clock), timeError: source.timeErrorNanoseconds,
      timesWentBack: outcome.health.items.contains { $0.name == "backwardTimes" },
      isDamaged: outcome.health.provesDamage,
      lossWindows: outcome.gaps.map(LossWindow.init),
      words: words.words(for:))
    let blocking = try blocking(of: analysis, span: span)
    return ReplayResult(
      trace: summary(of: outcome, span: span),
      health: health(of: outcome, builder: builder.statistics, verdict: verdict).items.map(HealthItem.init),
      verdict: verdict,
      calls: analysis.statistics.calls(names: names, comm: comm), kicks: analysis.statistics.kicks,
      latency: analysis.statistics.latency, matrix: analysis.statistics.matrix,
      interference: withoutUnknowns(analysis.statistics.interference(names: names, comm: comm)),
      blocking: blocking, timeline: try timeline(verdict: verdict, blocking: blocking, span: span),
      engines: [EngineResult(engine: verdict.engine, variant: nil)])
  }

  /// Who waited for whom. What the late calls' targets did meanwhile is read in a second look at those stretches.
  private func blocking<Sink: CompletedCallSink>(
    of analysis: ReplayAnalysis<Sink>, span: ClosedRange<UInt64>?
  ) throws -> BlockingSummary {
    let comm = source.comm
    var summary = analysis.blocking(span: span, names: names, comm: comm)
    for var watch in TargetWatch.plan(for: summary, end: span?.upperBound ?? 0) {
      guard try source.drain(cpu: watch.cpu, into: &watch, from: watch.from, through: watch.through) else { break }
      watch.enter(into: &summary, names: names, comm: comm)
    }
    return summary
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

  /// What can't be in the trace is unknown, and not 0.
  private func withoutUnknowns(_ interference: [Interference]) -> [Interference] {
    let readable = readableKinds
    let hasReschedules =
      readable.isSuperset(of: [.ipiEntry, .ipiExit]) || readable.isSuperset(of: [.rescheduleEntry, .rescheduleExit])
    return interference.map { cpu in
      var cpu = cpu
      if !HealthWords.recordsHandlers(readable) {
        cpu.handlers = nil
        cpu.handlerNanoseconds = nil
      }
      if !readable.contains(.csdFunctionEntry) { cpu.callbacks = nil }
      if !readable.isSuperset(of: [.csdFunctionEntry, .csdFunctionExit]) { cpu.callbackNanoseconds = nil }
      if !hasReschedules { cpu.reschedules = nil }
      return cpu
    }
  }

  private func health(
    of outcome: TraceSource.Outcome, builder: HistoryStatistics, verdict: Verdict
  ) -> TraceHealth {
    var health = outcome.health
    if let facts = source.facts {
      if !facts.missingEvents.isEmpty { health.add(HealthWords.missingEvents(facts.missingEvents)) }
      if facts.isRecovered { health.add(HealthWords.recorderKilled) }
      if let activity = HealthWords.recorderActivity(facts) { health.add(activity) }
    } else if settings.recordedKinds.isEmpty {
      health.add(HealthWords.recordedEventsUnknown)
    }
    for item in HealthWords.unanswered(readable: readableKinds) { health.add(item) }
    // Without queue events all callbacks are unqueued, and that has been said.
    if builder.unqueued > 0, readableKinds.contains(.csdQueueCPU) {
      health.add(HealthWords.unqueuedCallbacks(builder.unqueued))
    }
    if builder.impossible > 0 { health.add(HealthWords.impossibleEvents(builder.impossible)) }
    for (cpu, count) in builder.silentLosses.sorted(by: { $0.key < $1.key }) {
      health.add(HealthWords.silentlyLostEvents(cpu: Int(cpu), count: count))
    }
    if let skew = verdict.clockDisagreements.map(\.atLeastNanoseconds).max() {
      health.add(HealthWords.clockSkew(nanoseconds: skew))
    }
    return health
  }

  // MARK: Timeline

  /// The stretch to draw, and why it: what the user named, else the first divergence, else the latest call.
  private func chosenWindow(
    verdict: Verdict, blocking: BlockingSummary, span: ClosedRange<UInt64>
  ) -> (Timeline.Choice, ClosedRange<UInt64>) {
    if let window { return (.named, window) }
    func around(_ one: UInt64, _ other: UInt64) -> ClosedRange<UInt64> {
      // A damaged time may be as late as there are numbers.
      let first = min(max(min(one, other), span.lowerBound), span.upperBound)
      let last = min(max(one, other), span.upperBound)
      let margin = max(20_000, (max(first, last) - first) / 5)
      let start = max(span.lowerBound, first - min(first, margin))
      return start...max(start, last > span.upperBound - min(margin, span.upperBound) ? span.upperBound : last + margin)
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

  /// How far around a stretch events are read for a picture of it: calls that reach into it began before it, and end behind it.
  ///
  /// Where calls are very many, as on many CPUs, it is as far as some thousands of them take.
  private static func margin(calls: UInt64, over span: ClosedRange<UInt64>) -> UInt64 {
    let usual: UInt64 = 50_000_000
    let share = (span.upperBound - span.lowerBound).multipliedFullWidth(by: 10_000)
    guard share.high < calls else { return usual }
    return min(usual, max(1_000_000, calls.dividingFullWidth(share).quotient))
  }

  private func timeline(
    verdict: Verdict, blocking: BlockingSummary, span: ClosedRange<UInt64>?
  ) throws -> Timeline {
    guard let span, !source.isStream else {
      return Timeline(
        choice: .empty, startNanoseconds: 0, endNanoseconds: 0, cpus: [], slices: [], flows: [], truncated: false)
    }
    let (choice, window) = chosenWindow(verdict: verdict, blocking: blocking, span: span)
    let margin = Self.margin(calls: verdict.accounting.queued, over: span)
    let before = min(window.lowerBound, margin)
    let after = window.upperBound.addingReportingOverflow(margin)
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
