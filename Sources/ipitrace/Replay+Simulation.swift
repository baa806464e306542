import ArgumentParser
import CallEngines
import CallHistories
import Drivers
import Reports
import TraceTypes
import Verdicts

extension Replay {
  /// Reads the trace twice: for what happened and what it cost, and then for the load, which the engines run.
  /// - Complexity: O(number of events · log number of CPUs), and what the engines take.
  func simulate<Sink: CompletedCallSink>(
    _ request: SimulationRequest, sink: Sink
  ) throws -> (ReplayResult, Sink) {
    let nodes = nodesByCPU
    let cores = source.facts?.cores ?? [:]
    let analysis = ReplayAnalysis(
      watched: watched, recordedKinds: settings.recordedKinds,
      kernelReports: kernelLog.map { KernelReportMatcher($0, names: names, clock: source.clock) },
      sink: SurveySink(next: sink, nodes: nodes, cores: cores, window: window))
    let pair = EventPair(
      HistoryBuilder(settings: settings, names: names, consumer: analysis), LoadSurvey(names: names))
    var (result, survey) = try drain(into: pair, analysis) { pair, outcome in
      pair.first.finish()
      return (try self.result(of: analysis, pair.first, outcome: outcome), Survey(pair))
    }

    var measured = analysis.sink.costs
    measured.take(survey.costs)
    let costs = request.costs?.model(measured: measured.model) ?? measured.model
    if let path = request.saveCosts { try CostsFile.write(costs, to: path) }
    if request.engines.isEmpty { return (result, analysis.sink.next) }

    let simulation = try Simulation(
      candidates: candidates(request, recorded: result.verdict.engine), costs: costs,
      hotplugs: survey.hotplugs, chosen: analysis.sink.chooser.chosen, start: survey.start,
      notWaiting: analysis.sink.notWaiting, droppedHotplugs: survey.droppedHotplugs,
      options: options(request, result, nodes: nodes, cores: cores), names: names)
    var load = EventPair(
      OwnTimesReader(simulation: simulation, names: names),
      HistoryBuilder(
        settings: settings, names: names,
        consumer: LoadCollector(simulation: simulation, recordedKinds: settings.recordedKinds)))
    _ = try source.drain(into: &load)
    load.second.finish()
    let (engines, summary) = simulation.finish()
    result.engines = engines
    result.simulation = summary
    return (result, analysis.sink.next)
  }

  /// What the first reading told, but for the calls.
  private struct Survey {
    var costs: CostRecorder
    var hotplugs: [LoadedHotplug]
    var droppedHotplugs: Int
    /// The time of the first event.
    var start: UInt64?

    init(_ pair: borrowing EventPair<HistoryBuilder, LoadSurvey>) {
      costs = pair.second.costs
      hotplugs = pair.second.hotplugs
      droppedHotplugs = pair.second.droppedHotplugs
      start = pair.first.span?.lowerBound
    }
  }

  /// The recorded engine first, and no engine twice.
  private func candidates(_ request: SimulationRequest, recorded: String) -> [Simulation.Candidate] {
    var candidates: [Simulation.Candidate] = []
    if let engine = Engine(name: recorded) {
      candidates.append(Simulation.Candidate(name: recorded, variant: nil, engine: engine))
    }
    for argument in request.engines
    where !candidates.contains(where: { $0.name == argument.name && $0.variant == argument.variant }) {
      candidates.append(
        Simulation.Candidate(name: argument.name, variant: argument.variant, engine: argument.engine))
    }
    return candidates
  }

  private var nodesByCPU: [Int: Int] {
    var nodes: [Int: Int] = [:]
    // In their order: a file may put a CPU into two.
    for (node, mask) in (source.facts?.nodes ?? [:]).sorted(by: { $0.key < $1.key }) {
      for cpu in mask.cpus { nodes[cpu] = node }
    }
    return nodes
  }

  private func options(
    _ request: SimulationRequest, _ result: ReplayResult, nodes: [Int: Int], cores: [Int: Int]
  ) throws -> Simulation.Options {
    var options = Simulation.Options()
    let possible = result.trace.cpus.possible ?? []
    options.cpuCount = (possible + result.matrix.cpus + source.cpus).max().map { $0 + 1 } ?? 1
    guard options.cpuCount * request.scaling.copies <= Simulation.mostCPUs else {
      throw ValidationError(
        "\(options.cpuCount) CPUs, \(request.scaling.copies) times, are more than the \(Simulation.mostCPUs) that can be "
          + "simulated.")
    }
    options.seed = request.seed
    options.scaling = request.scaling
    options.allocationFailureRate = request.allocationFailureRate
    options.coalescingNanoseconds = request.coalescingNanoseconds
    options.deferrable = Set(request.deferrable.flatMap { names.addresses(ofSymbol: $0) })
    let isolated = (result.trace.cpus.isolated ?? []) + (result.trace.cpus.nohzFull ?? [])
    options.userCPUs = Set(request.userCPUs?.cpus ?? isolated)
    options.watched = Set(watched.keys)
    options.nodes = nodes
    options.cores = cores
    return options
  }
}
