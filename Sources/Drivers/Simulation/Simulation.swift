public import CallEngines
public import CallHistories
import Dispatch
public import TraceTypes
public import Verdicts

/// A load, run by several engines, beside what was recorded of it.
///
/// Calls come as the recording's histories are completed, in the order of their first events. They are handed on in batches;
/// each engine runs a batch by itself, so that as many threads as there are can help, and none changes what comes out.
public final class Simulation: CompletedCallSink {
  /// How the load is made heavier, or otherwise than recorded.
  public struct Scaling: Sendable, Equatable {
    /// Times are divided by this.
    public var speedup = 1.0
    /// How often each call is made, each time from another CPU and to others.
    public var copies = 1
    /// Recorded CPU → the CPU that stands for it; others stand for themselves.
    public var cpusMap: [Int: Int] = [:]

    public init() {}

    public var isIdentity: Bool { speedup == 1 && copies == 1 && cpusMap.isEmpty }
  }

  public struct Options: Sendable {
    public var seed: UInt64 = 1
    public var scaling = Scaling()
    public var allocationFailureRate = 0.0
    public var coalescingNanoseconds: UInt64 = 0
    /// Callbacks of which IPIs may be deferred.
    public var deferrable: Set<UInt64> = []
    /// CPUs that are in user space whenever nothing shows them in the kernel.
    public var userCPUs: Set<Int> = []
    public var watched: Set<Int> = []
    /// NUMA node of each CPU, as far as known.
    public var nodes: [Int: Int] = [:]
    /// Core of each CPU, as far as known.
    public var cores: [Int: Int] = [:]
    /// The CPUs that there are, and those of them that were offline when the recording began.
    public var cpuCount = 1
    public var offline: [Int] = []
    /// How many calls are handed on at once: of no influence on what comes out.
    var batchSize = 4_096

    public init() {}
  }

  /// An engine to run, and what it is called.
  public struct Candidate: Sendable {
    public var name: String
    public var variant: String?
    public var engine: Engine

    public init(name: String, variant: String?, engine: Engine) {
      self.name = name
      self.variant = variant
      self.engine = engine
    }
  }

  /// More are not simulated.
  public static let mostCPUs = 1_024
  /// How far ahead of a call stretches are known, in nanoseconds: a call takes a while to send its IPIs.
  private static let lookahead: UInt64 = 1_000_000
  /// More are not kept while a call is not complete; those that come then are forgotten.
  private static let mostFlushes = 1 << 20
  /// How often the recorded engine is simulated, each time with another seed, to see how much chance matters.
  private static let calibrationRuns = 3

  private let options: Options
  private let costs: CostModel
  private let candidates: [Candidate]
  private let names: any AddressNaming
  private var reader: LoadReader
  /// What was read last, and what is handed on.
  private var read = LoadBatch()
  private var recorded = LoadBatch()
  private var batch = LoadBatch()
  private var scaled: ScaledLoad
  private var reality: RecordedOutcome
  private var callbacks = InternTable(limit: OutcomeRecorder.keptCallbacks)
  private var runs: [Run] = []
  /// The recorded engine on the recorded load, with one seed and another: how far it is from the truth qualifies all others.
  private var calibrations: [Run] = []
  private var drawing: Drawing?
  /// Those that come behind the calls that are complete, and where they begin.
  private var flushes: ContiguousArray<LoadedFlush> = []
  private var firstFlush = 0
  private var stretches: ContiguousArray<LoadedStretch> = []
  private var firstStretch = 0
  private let hotplugCount: Int
  private let droppedHotplugs: Int
  /// Calls that name a CPU that is not simulated.
  private var leftOut: UInt64 = 0
  /// What CPUs did by themselves, beyond what is kept.
  private var forgotten: UInt64 = 0
  /// Wakeups and irq_works.
  private var nodes: UInt64 = 0
  private var madeCalls: UInt64 = 0

  /// One engine's run, on whichever thread.
  private final class Run: @unchecked Sendable {
    // One thread at a time: batches are handed on one after the other.
    @exclusivity(unchecked) var simulator: Simulator
    init(_ simulator: consuming Simulator) { self.simulator = simulator }

    func make(_ batch: LoadBatch) {
      var flush = 0
      var stretch = 0
      for call in batch.calls {
        // Known beforehand: what is sent just before a recorded IPI belongs to its stretch as well.
        while stretch < min(call.knownStretches, batch.stretches.count) {
          simulator.addStretch(batch.stretches[stretch])
          stretch += 1
        }
        while flush < batch.flushes.count, batch.flushes[flush].time <= call.time {
          simulator.flush(Int(batch.flushes[flush].cpu), at: batch.flushes[flush].time)
          flush += 1
        }
        simulator.make(call, targets: batch.targets.span.extracting(call.targets))
      }
      while stretch < batch.stretches.count {
        simulator.addStretch(batch.stretches[stretch])
        stretch += 1
      }
      while flush < batch.flushes.count {
        simulator.flush(Int(batch.flushes[flush].cpu), at: batch.flushes[flush].time)
        flush += 1
      }
    }
  }

  /// - Parameters:
  ///   - candidates: the recorded engine first.
  ///   - chosen: the call to draw.
  ///   - start: the time of the recording's first event.
  ///   - notWaiting: who was seen not to wait.
  ///   - droppedHotplugs: how many CPUs' comings and goings are not among `hotplugs`, because there were too many.
  public init(
    candidates: [Candidate], costs: CostModel, hotplugs: [LoadedHotplug], chosen: ChosenCall?, start: UInt64?,
    notWaiting: WaitlessCallers, droppedHotplugs: Int = 0, options: Options, names: any AddressNaming
  ) {
    reader = LoadReader(notWaiting: notWaiting)
    self.candidates = candidates
    self.costs = costs
    self.options = options
    self.names = names
    hotplugCount = hotplugs.count
    self.droppedHotplugs = droppedHotplugs
    reality = RecordedOutcome()
    scaled = ScaledLoad(options.scaling, cpuCount: options.cpuCount, seed: options.seed)
    // What was recorded is drawn beside what was simulated; of another load nothing was.
    drawing = options.scaling.isIdentity ? chosen.map { Drawing($0, names: names) } : nil
    if let first = candidates.first {
      let identity = ScaledLoad(Scaling(), cpuCount: options.cpuCount, seed: 0)
      for index in 0..<Self.calibrationRuns {
        var simulated = Simulator.Options(nodes: identity.nodes(options.nodes))
        simulated.cores = identity.cores(options.cores)
        simulated.offline = options.offline
        simulated.seed = options.seed &+ UInt64(index)
        simulated.usesRecordedTimes = costs.source == CostModel.measured
        let run = Run(Simulator(engine: first.engine, costs: costs, options: simulated, names: names))
        run.simulator.hotplugs = hotplugs
        calibrations.append(run)
      }
    }
    let nodes = scaled.nodes(options.nodes)
    let scaledHotplugs = scaled.hotplugs(hotplugs, from: start)
    for candidate in candidates {
      var simulated = Simulator.Options(nodes: nodes)
      simulated.cores = scaled.cores(options.cores)
      simulated.offline = scaled.cpus(options.offline)
      simulated.seed = options.seed
      simulated.usesRecordedTimes = costs.source == CostModel.measured
      simulated.usesClosedStretches = options.scaling.isIdentity
      simulated.allocationFailureRate = options.allocationFailureRate
      simulated.coalescingNanoseconds = options.coalescingNanoseconds
      simulated.userCPUs = options.userCPUs
      let run = Run(Simulator(engine: candidate.engine, costs: costs, options: simulated, names: names))
      run.simulator.hotplugs = scaledHotplugs
      if let chosen = drawing?.chosen {
        run.simulator.timeline = SimulatedTimelineRecorder(
          label: names.text(chosen.function), cpus: Set(chosen.cpus), start: chosen.start, end: chosen.end,
          engine: candidate.name, variant: candidate.variant, names: names)
      }
      runs.append(run)
    }
  }

  // MARK: Calls

  public func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
    guard targets.count > 0 else { return }
    var isLeftOut = Int(call.source) >= options.cpuCount
    for index in targets.indices where Int(targets[index].target) >= options.cpuCount { isLeftOut = true }
    if isLeftOut {
      leftOut += 1
      return
    }
    read.removeAll()
    reader.append(call, targets: targets, to: &read)
    var loaded = read.calls[0]
    loaded.callback = callbacks.number(call.function, 0).map { Int32($0) } ?? -1
    loaded.isDeferrable = options.deferrable.contains(call.function)
    if call.kind == .wakeup || call.kind == .irqWork { nodes += 1 }
    reality.add(loaded, targets: targets)
    drawing?.add(call, targets: targets)
    if let drawing, drawing.isChosen(call, targets) {
      for run in runs { run.simulator.timeline?.ordinal = madeCalls + UInt64(recorded.calls.count) + 1 }
    }
    appendFlushes(until: loaded.time)
    appendStretches(until: loaded.time &+ Self.lookahead)
    append(loaded)
    if recorded.calls.count >= options.batchSize { handOn() }
  }

  /// A call joins the recorded load, and the one that the engines are given, if that is another.
  private func append(_ call: LoadedCall) {
    var call = call
    call.targets = recorded.targets.count..<recorded.targets.count + read.targets.count
    call.knownStretches = recorded.stretches.count
    recorded.targets.append(contentsOf: read.targets)
    recorded.calls.append(call)
    if !scaled.isIdentity { scaled.append(call, targets: ArraySlice(read.targets), to: &batch) }
  }

  /// A handler of cross calls ran.
  func handlerRan(on cpu: Int, from start: UInt64, to end: UInt64) {
    reader.handlerRan(on: cpu, from: start, to: end)
  }

  // MARK: What CPUs do by themselves

  /// A CPU was seen to look at its queue by itself. Times ascend, and are no earlier than those of calls that are to come.
  public func flushed(_ cpu: Int, at time: UInt64) {
    guard cpu < options.cpuCount else { return }
    guard flushes.count - firstFlush < Self.mostFlushes else {
      forgotten += 1
      return
    }
    flushes.append(LoadedFlush(time: time, cpu: Int32(cpu)))
  }

  /// A CPU was seen to take no interrupt for a while.
  func wasClosed(_ stretch: LoadedStretch) {
    guard Int(stretch.cpu) < options.cpuCount else { return }
    guard stretches.count - firstStretch < Self.mostFlushes else {
      forgotten += 1
      return
    }
    // They come in the order of their ends.
    var place = stretches.count
    while place > firstStretch, stretches[place - 1].from > stretch.from { place -= 1 }
    stretches.insert(stretch, at: place)
  }

  private func appendStretches(until time: UInt64) {
    while firstStretch < stretches.count, stretches[firstStretch].from <= time {
      recorded.stretches.append(stretches[firstStretch])
      firstStretch += 1
    }
    if firstStretch > stretches.count / 2, firstStretch > 4_096 {
      stretches.removeSubrange(0..<firstStretch)
      firstStretch = 0
    }
  }

  private func appendFlushes(until time: UInt64) {
    while firstFlush < flushes.count, flushes[firstFlush].time <= time {
      recorded.flushes.append(flushes[firstFlush])
      if !scaled.isIdentity { scaled.append(flushes[firstFlush], to: &batch) }
      firstFlush += 1
    }
    if firstFlush > flushes.count / 2, firstFlush > 4_096 {
      flushes.removeSubrange(0..<firstFlush)
      firstFlush = 0
    }
  }

  private func handOn() {
    let (recorded, batch) = (self.recorded, scaled.isIdentity ? self.recorded : self.batch)
    let (runs, calibrations) = (self.runs, self.calibrations)
    madeCalls += UInt64(batch.calls.count)
    DispatchQueue.concurrentPerform(iterations: runs.count + calibrations.count) { index in
      if index < runs.count { runs[index].make(batch) } else { calibrations[index - runs.count].make(recorded) }
    }
    self.recorded.removeAll()
    self.batch.removeAll()
  }

  // MARK: The end

  /// What came of it all.
  /// - Precondition: the recording has been read; called once.
  public func finish() -> (results: [EngineResult], summary: SimulationSummary) {
    appendFlushes(until: .max)
    scaled.release(before: .max, to: &batch)
    handOn()
    let runs = self.runs
    let all = runs + calibrations
    DispatchQueue.concurrentPerform(iterations: all.count) { all[$0].simulator.finish() }

    let callbackNames = callbacks.keys.map { names.text($0.0) }
    let outcomes = runs.map { run in
      run.simulator.recorder.outcome(
        allocates: run.simulator.kinds.allocates, watched: Set(scaled.cpus(options.watched.sorted())),
        callbackNames: callbackNames)
    }
    let recorded = reality.recorder.outcome(
      allocates: false, watched: options.watched, callbackNames: callbackNames)
    let calibration = candidates.first.map { candidate in
      Calibrator.calibration(
        engine: candidate.name, recorded: reality.recorder,
        simulated: calibrations.map { $0.simulator.recorder })
    }
    let results = outcomes.indices.map { index in
      EngineResult(
        engine: candidates[index].name, variant: candidates[index].variant, outcome: outcomes[index],
        differences: index == 0
          ? [] : Calibrator.differences(of: outcomes[index], from: outcomes[0], calibration: calibration))
    }
    let load = SimulationSummary.Load(
      calls: outcomes.first?.calls ?? 0, targets: outcomes.first?.targets ?? 0, cpuCount: scaled.cpuCount,
      hotplugs: UInt64(hotplugCount), speedup: options.scaling.speedup, copies: options.scaling.copies,
      mappedCPUs: options.scaling.cpusMap.count,
      seed: options.seed, remarks: remarks)
    let tracks = runs.compactMap { run -> SimulatedTimeline.Track? in
      run.simulator.timeline?.finish()
      return run.simulator.timeline?.track
    }
    let ends = runs.compactMap { $0.simulator.timeline?.end }
    return (
      results,
      SimulationSummary(
        load: load, costs: costs.summary, reality: recorded, calibration: calibration,
        timeline: drawing?.timeline(tracks: tracks, end: ends.max() ?? 0) ?? .none)
    )
  }

  /// How many steps all engines made, and how often one of them waited for what was there already: for tests.
  var steps: UInt64 { runs.reduce(0) { $0 + $1.simulator.steps } }
  var missedWakeups: UInt64 { runs.reduce(0) { $0 + $1.simulator.missedWakeups } }

  private var remarks: [SimulationSummary.Load.Remark] {
    var remarks: [SimulationSummary.Load.Remark] = []
    func remark(_ name: String, _ count: UInt64, _ sentence: String) {
      if count > 0 { remarks.append(SimulationSummary.Load.Remark(name: name, count: count, sentence: sentence)) }
    }
    let assumptions = reader.assumptions
    remark(
      "waitsAssumed", assumptions.waits,
      "Calls that are taken to have waited, because their callers went on only when the callbacks were over.")
    remark("kindsAssumed", assumptions.kinds, "Calls whose kind the trace does not tell, taken for calls to one CPU.")
    remark("runsDrawn", assumptions.runs, "Callbacks whose length was not seen; it is drawn from those that were.")
    remark(
      "forgotten", forgotten,
      "Moments at which CPUs looked at their queues by themselves or took no interrupt, left out because too many came "
        + "while a call was not complete.")
    remark(
      "hotplugsDropped", UInt64(droppedHotplugs), "CPUs' comings and goings, beyond those that are kept; left out.")
    remark("cpuOutOfRange", leftOut, "Calls from or to CPUs beyond those that can be simulated; left out.")
    remark(
      "targetsFolded", scaled.droppedTargets,
      "Targets that the CPU map put onto the caller's CPU, or onto each other; left out.")
    let carriers = zip(candidates, runs).filter { $0.1.simulator.kinds.carriesAsCalls }.map { $0.0.name }
    if !carriers.isEmpty {
      remark(
        "carriedAsCalls", nodes,
        "Wakeups and irq_works, which \(Set(carriers).sorted().joined(separator: ", ")) do not have: made there as calls that do "
          + "not wait. Such a call can spin where a wakeup would not, with interrupts off.")
    }
    if costs[.delivery].points != costs.recordedDelivery.points,
      runs.contains(where: { $0.simulator.timedCosts.hasDistances })
    {
      remark(
        "deliveryNotDrawn", 1,
        "Of the given costs, delivery is drawn nowhere: it is known how far the CPUs are from each other, so that "
          + "deliverySameCore, deliverySameNode and deliveryOtherNode are.")
    }
    let notMade = runs.map { $0.simulator.callsNotMade }.max() ?? 0
    remark(
      "callsNotMade", notMade, "Calls that one engine or another never came to, because their CPU waits for ever.")
    return remarks
  }
}
