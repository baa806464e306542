import CallEngines
import CallHistories
import TestSupport
import TraceTypes
import Verdicts

@testable import Drivers

/// Calls that are written down by hand, and run at costs that are as simple.
struct HandMadeLoad {
  let cpuCount: Int
  private(set) var calls: [(call: LoadedCall, targets: [LoadedTarget])] = []
  var hotplugs: [LoadedHotplug] = []
  var flushes: [LoadedFlush] = []
  /// Of functions.
  private var names: Set<String> = ["callback"]

  init(cpuCount: Int) { self.cpuCount = cpuCount }

  /// Adds a call. Its number in outcomes is the one of its adding, from 0; calls are made in the order of their times.
  /// - Parameters:
  ///   - run: how long it runs on each target, in nanoseconds; nil draws it.
  ///   - storage: the caller's csd, irq_work or task.
  ///   - local: how long it runs on the caller's CPU.
  mutating func call(
    at time: UInt64, _ kind: Call.Kind = .single, from source: Int, to targets: Int..., waits: Bool = false,
    in context: LoadedCall.Context = .task, run: UInt64? = 500, kick: Kick = .unknown, storage: UInt64 = 0,
    local: UInt64? = nil, name: String = "callback"
  ) {
    add(
      LoadedCall(
        time: time, source: Int32(source), pid: Int32(100 + source), kind: kind, waits: waits, context: context,
        storage: storage, function: 0, localNanoseconds: local, targets: 0..<0),
      to: targets, run: run, kick: kick, name: name)
  }

  mutating func add(_ call: LoadedCall, to targets: [Int], run: UInt64?, kick: Kick, name: String) {
    var call = call
    call.function = ScriptNames.address(of: name)
    names.insert(name)
    call.callback = Int32(calls.count)
    calls.append(
      (
        call,
        targets.sorted().map {
          LoadedTarget(cpu: Int32($0), kick: kick, runNanoseconds: run, delayNanoseconds: 0)
        }
      ))
  }

  /// What everything takes, but for callbacks: each cost differs from all others, so that none can stand in for another.
  static let costs = CostModel(source: "by hand") { item in
    let nanoseconds: Double =
      switch item {
      case .delivery, .deliverySameCore, .deliverySameNode: 1_000
      case .deliveryOtherNode: 2_000
      case .maskDelivery: 1_500
      case .add: 100
      case .handlerEntry: 200
      case .nextCallback: 50
      case .handlerExit: 70
      case .callback, .silentCallback: 400
      case .pollingWake: 800
      }
    return CostModel.Distribution(
      points: [CostModel.Distribution.Point(perMille: 0, nanoseconds: nanoseconds)], count: 0, isAssumed: true)
  }

  /// Runs it.
  /// - Parameter watched: the call, by number, of which all is written down.
  func simulator(
    _ engine: Engine, costs: CostModel = costs, watching watched: Int? = nil,
    _ change: (inout Simulator.Options) -> Void = { _ in }
  ) -> Simulator {
    var options = Simulator.Options(nodes: [Int](repeating: 0, count: cpuCount))
    options.usesRecordedTimes = false
    options.usesClosedStretches = false
    change(&options)
    let order = calls.indices.sorted { (calls[$0].call.time, $0) < (calls[$1].call.time, $1) }
    let names = ScriptNames(names: names.sorted())
    var simulator = Simulator(engine: engine, costs: costs, options: options, names: names)
    simulator.hotplugs = hotplugs
    if let watched, let place = order.firstIndex(of: watched) {
      simulator.timeline = SimulatedTimelineRecorder(
        label: "", cpus: Set(0..<cpuCount), start: 0, end: .max, engine: "", variant: nil, names: names)
      simulator.timeline?.ordinal = UInt64(place) + 1
    }
    var flush = flushes.sorted { $0.time < $1.time }[...]
    for index in order {
      while let first = flush.first, first.time <= calls[index].call.time {
        simulator.flush(Int(first.cpu), at: first.time)
        flush.removeFirst()
      }
      let targets = calls[index].targets
      simulator.make(calls[index].call, targets: targets.span)
    }
    for rest in flush { simulator.flush(Int(rest.cpu), at: rest.time) }
    simulator.finish()
    simulator.timeline?.finish()
    return simulator
  }

  func run(
    _ name: String, costs: CostModel = costs, _ change: (inout Simulator.Options) -> Void = { _ in }
  ) throws -> HandMadeOutcome {
    guard let engine = Engine(name: name) else { throw UnknownEngine(name: name) }
    var outcome = HandMadeOutcome()
    for watched in calls.indices {
      let simulator = simulator(engine, costs: costs, watching: watched, change)
      outcome.spans.append(
        HandMadeOutcome.Span(simulator.timeline?.track, source: Int(calls[watched].call.source), cpuCount: cpuCount))
      outcome.take(simulator)
    }
    return outcome
  }
}

struct UnknownEngine: Error { var name: String }

/// What came of a ``HandMadeLoad``.
struct HandMadeOutcome {
  /// What became of one call.
  struct Span: Equatable, CustomStringConvertible {
    /// When the caller began it, and went on behind it.
    var began: UInt64?
    var returned: UInt64?
    /// By target: queued, began to run, ended.
    var queued: [Int: UInt64] = [:]
    var started: [Int: UInt64] = [:]
    var ended: [Int: UInt64] = [:]

    init() {}

    init(_ track: SimulatedTimeline.Track?, source: Int, cpuCount: Int) {
      for slice in track?.slices ?? [] {
        switch slice.kind {
        case .call:
          began = slice.startNanoseconds
          returned = slice.endNanoseconds
        case .callback where slice.cpu != source:
          started[slice.cpu] = slice.startNanoseconds
          ended[slice.cpu] = slice.endNanoseconds
        case .callback, .otherCallback, .handler, .wait: break
        }
      }
      for mark in track?.marks ?? [] {
        if mark.kind == .queued, let target = mark.target { queued[target] = mark.timeNanoseconds }
      }
    }

    var description: String {
      let parts = queued.keys.sorted().map { cpu in
        "CPU \(cpu) \(text(queued[cpu])) → \(text(started[cpu]))–\(text(ended[cpu]))"
      }
      return "\(text(began))–\(text(returned)): " + parts.joined(separator: ", ")
    }

    private func text(_ time: UInt64?) -> String { time.map(String.init) ?? "never" }
  }

  var spans: [Span] = []
  var outcome = EngineOutcome(
    calls: 0, targets: 0, fates: EngineOutcome.Fates(), interrupts: EngineOutcome.Interrupts(),
    queueToStart: DurationRecorder().distribution,
    waiting: EngineOutcome.Waiting(
      callers: DurationRecorder().summary, csdLock: DurationRecorder().summary, engineLock: DurationRecorder().summary),
    allocations: nil, deadlocks: [], byCPU: [], byCallback: [])
  var missedWakeups: UInt64 = 0
  var callsNotMade: UInt64 = 0

  mutating func take(_ simulator: borrowing Simulator) {
    outcome = simulator.recorder.outcome(
      allocates: simulator.kinds.allocates, watched: [], callbackNames: spans.indices.map { "call \($0)" })
    missedWakeups = simulator.missedWakeups
    callsNotMade = simulator.callsNotMade
  }

  // MARK: In few words

  /// `single 1`, `mask 1×3`, `saved 1`, `polling 1`, as far as there are any.
  var interrupts: String {
    let counts = outcome.interrupts
    var words: [String] = []
    if counts.single > 0 { words.append("single \(counts.single)") }
    if counts.maskOperations > 0 || counts.maskTargets > 0 {
      words.append("mask \(counts.maskOperations)×\(counts.maskTargets)")
    }
    if counts.saved > 0 { words.append("saved \(counts.saved)") }
    if counts.polling > 0 { words.append("polling \(counts.polling)") }
    if counts.deferred > 0 { words.append("deferred \(counts.deferred)") }
    if counts.unknown > 0 { words.append("unknown \(counts.unknown)") }
    return words.joined(separator: ", ")
  }

  /// `ran 3, lost 1`, as far as there are any.
  var fates: String {
    let fates = outcome.fates
    let counts = [
      ("ran", fates.ran), ("coalesced", fates.coalescedRequests), ("refused", fates.refused), ("lost", fates.lost),
      ("deadlocked", fates.deadlocked), ("pending", fates.pending), ("unknown", fates.unknown),
    ]
    return counts.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
  }

  var waits: String {
    let waiting = outcome.waiting
    let sums = [("callers", waiting.callers), ("csd", waiting.csdLock), ("lock", waiting.engineLock)]
    return sums.filter { $0.1.count > 0 }.map { "\($0.0) \($0.1.count)×\($0.1.sumNanoseconds)" }
      .joined(separator: ", ")
  }

  var addsUp: Bool { outcome.fates.sum == outcome.targets && outcome.fates.unknown == 0 && missedWakeups == 0 }
}
