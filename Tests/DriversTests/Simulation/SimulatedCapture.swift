import CallEngines
import CallHistories
import TestSupport
import TraceTypes
import Verdicts

@testable import Drivers

/// A capture whose load can be simulated, read once for what it tells of costs and CPUs, as `replay --engine` does.
struct SimulatedCapture {
  let trace: CapturedTrace
  let costs: CostModel
  let hotplugs: [LoadedHotplug]
  let chosen: ChosenCall?
  let cpuCount: Int
  private let notWaiting: WaitlessCallers
  private let start: UInt64?

  /// The highest CPU that is called, or calls.
  private struct HighestCPU: CompletedCallSink {
    var highest = 0

    mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
      highest = max(highest, Int(call.source))
      for index in targets.indices { highest = max(highest, Int(targets[index].target)) }
    }
  }

  init(_ trace: CapturedTrace) {
    self.trace = trace
    let analysis = ReplayAnalysis(
      watched: [:], recordedKinds: trace.recordedKinds, sink: SurveySink(next: HighestCPU(), nodes: [:], window: nil))
    var pair = EventPair(
      HistoryBuilder(settings: HistorySettings(trace), names: trace.symbols, consumer: analysis),
      LoadSurvey(names: trace.symbols))
    trace.feed(&pair)
    pair.first.finish()
    var measured = analysis.sink.costs
    measured.take(pair.second.costs)
    costs = measured.model
    hotplugs = pair.second.hotplugs
    chosen = analysis.sink.chooser.chosen
    notWaiting = analysis.sink.notWaiting
    start = pair.first.span?.lowerBound
    cpuCount = max(analysis.sink.next.highest, trace.cpus.max() ?? 0) + 1
  }

  struct Outcome: Equatable {
    var results: [EngineResult]
    var summary: SimulationSummary
    var missedWakeups: UInt64

    subscript(name: String) -> EngineOutcome? {
      results.first { $0.engine + ($0.variant.map { ":" + $0 } ?? "") == name }?.outcome
    }
  }

  /// Runs its load on today's engine and others.
  func run(
    _ names: [String], costs given: CostModel? = nil, _ change: (inout Drivers.Simulation.Options) -> Void = { _ in }
  ) throws -> Outcome {
    var options = Drivers.Simulation.Options()
    options.cpuCount = cpuCount
    change(&options)
    let candidates = try (["mainline"] + names.filter { $0 != "mainline" }).map { name in
      guard let engine = Engine(name: name) else { throw UnknownEngine(name: name) }
      let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
      return Drivers.Simulation.Candidate(name: parts[0], variant: parts.count > 1 ? parts[1] : nil, engine: engine)
    }
    let simulation = Drivers.Simulation(
      candidates: candidates, costs: given ?? costs, hotplugs: hotplugs, chosen: chosen, start: start,
      notWaiting: notWaiting, options: options, names: trace.symbols)
    var load = EventPair(
      OwnTimesReader(simulation: simulation, names: trace.symbols),
      HistoryBuilder(
        settings: HistorySettings(trace), names: trace.symbols,
        consumer: LoadCollector(simulation: simulation, recordedKinds: trace.recordedKinds)))
    trace.feed(&load)
    load.second.finish()
    let (results, summary) = simulation.finish()
    return Outcome(results: results, summary: summary, missedWakeups: simulation.missedWakeups)
  }

  /// Each engine as it is, and with each single choice of its groups, and some pairs.
  static let allEngines: [String] =
    EngineDescription.all.flatMap { description in
      [description.name]
        + description.groups.flatMap { group in group.choices.dropFirst().map { description.name + ":" + $0.name } }
        // Some only say how another choice is to be taken.
        .filter { Engine(name: $0) != nil }
    } + pairs

  /// Choices that meet each other.
  static let pairs = [
    "generic-2008:allocated-free,over-counters", "generic-2008:poll-own-queue,single-queue",
    "generic-2008:global-lock,irqs-as-found", "generic-2008:target-mask,irqs-as-found",
    "percpu-2009:tail,mail", "llist-2014:none,before", "llist-2014:none,mail", "llist-2014:mail,two-stages",
    "queue-2014:repaired,dying", "queue-2014:one-word,unlock-first", "mainline:mask-never,no-polling",
    "mainline:mask-always,no-ttwu-queue", "mainline:deferral,mask-never",
  ]

  /// One of each generation, and those that differ most: for builds without optimisation.
  static let fewEngines = [
    "generic-2008", "generic-2008:poll-own-queue", "percpu-2009", "percpu-2009:mail", "llist-2014", "llist-2014:none",
    "queue-2014", "xcall-2022", "mainline", "mainline:no-ttwu-queue",
  ]

  static var engines: [String] {
    #if DEBUG
      fewEngines
    #else
      allEngines
    #endif
  }
}
