import Verdicts

/// The words for what a simulation found: terminal and HTML say the same.
enum SimulationWords {
  static let note = "what another engine would have done with the recorded load"
  static let calibrationNote =
    "The engine that recorded the trace, simulated and held against its own recording. Its error is the simulation's"
    + " own error, and qualifies every other column. (pp: percentage points.)"

  /// How the marks of the side-by-side table are to be read.
  static func legend(_ facts: SimulationFacts) -> [String] {
    let reference = facts.reference?.name ?? "the recorded engine"
    var lines = [
      "Beside a number: its difference from \(reference) as simulated, where it is larger than the simulation's own"
        + " error. ≈ is within that error: the two are not told apart. ? is where that error is not known. For rows"
        + " without any of these the simulation's own error was not measured."
    ]
    if facts.engines.contains(where: { $0.differences.contains { $0.change == nil && $0.isSignificant } }) {
      lines.append("≠ differs; what from is 0 or not known, so that there is no share to tell.")
    }
    if facts.engines.contains(where: { $0.differences.contains { $0.measure == .coalescingRate } }) {
      lines.append("pp: percentage points.")
    }
    let stuck = facts.engines.filter { isStuck($0.outcome) }.map(\.name)
    if !stuck.isEmpty {
      lines.append(
        "Not of the same work, because CPUs come to a standstill and do no more: \(stuck.joined(separator: ", ")).")
    }
    if facts.columns.contains(where: \.isRecorded) {
      lines.append("– in the recorded column: the trace does not tell.")
    }
    return lines
  }

  /// An engine's name, escaped: `mainline`, `llist-2014:none`.
  static func name(_ engine: String, _ variant: String?) -> String {
    let name = VisibleText.escape(engine, limit: 60)
    return variant.map { "\(name):\(VisibleText.escape($0, limit: 60))" } ?? name
  }

  // MARK: Measures

  static func name(_ measure: Calibration.Measure) -> String {
    switch measure {
    case .interrupts: "IPIs"
    case .coalescingRate: "coalescing"
    case .queueToStartP50: "queue → start, p50"
    case .queueToStartP90: "queue → start, p90"
    case .queueToStartP99: "queue → start, p99"
    case .callerWaiting: "callers' waiting"
    }
  }

  /// A measure's value: a count, a share or a duration.
  static func value(_ value: Double?, _ measure: Calibration.Measure) -> String {
    switch measure {
    case .interrupts: Quantity.count(Quantity.whole(value))
    case .coalescingRate: value.map { Quantity.rate($0) } ?? "–"
    case .queueToStartP50, .queueToStartP90, .queueToStartP99, .callerWaiting:
      Quantity.duration(Quantity.whole(value))
    }
  }

  /// An error with its sign: `+0.4 %`, `−1.2 pp`.
  static func error(_ error: Double?, _ measure: Calibration.Measure) -> String {
    error.map { Quantity.signed(size($0, measure), as: $0) } ?? "–"
  }

  /// How large an error or a goal is, either way.
  static func size(_ error: Double, _ measure: Calibration.Measure) -> String {
    measure == .coalescingRate ? Quantity.points(error) : Quantity.percent(error)
  }

  static func goal(_ item: Calibration.Item) -> String { item.goal.map { "± " + size($0, item.measure) } ?? "none" }

  /// Whether the goal is met, with a sign that does not depend on colour.
  static func verdict(_ item: Calibration.Item) -> String {
    switch item.isWithinGoal {
    case true: "✓ within"
    case false: "✗ missed"
    case nil: item.error == nil ? "? not known" : "– no goal"
    }
  }

  /// Why a measure misses its goal or is not known, as sentences; nil where nothing is said about it.
  static func reasons(_ item: Calibration.Item) -> String? {
    if item.reasons.isEmpty { return nil }
    return item.reasons.prefix(8).map { reason in
      let text = VisibleText.escape(reason, limit: VisibleText.sentenceLimit)
      return text.hasSuffix(".") ? text : text + "."
    }.joined(separator: " ")
  }

  static func calibrated(_ calibration: Calibration, under load: SimulationSummary.Load) -> String {
    let missed = calibration.items.filter { $0.isWithinGoal == false }.map { "\(name($0.measure)) (\(goal($0)))" }
    let unknown = calibration.items.filter { $0.error == nil }.map { name($0.measure) }
    var sentence = load.isAsRecorded ? "" : "It was found under the load as it was recorded. "
    sentence +=
      missed.isEmpty ? "No measure misses its goal." : "These miss their goal: \(missed.joined(separator: "; "))."
    if !unknown.isEmpty { sentence += " The error of these is not known: \(unknown.joined(separator: "; "))." }
    return sentence.replacing(" %", with: "\u{a0}%")
  }

  // MARK: Values

  /// The share of queued targets that needed no kick. Does not overflow, whatever the counts are.
  static func coalescing(_ interrupts: EngineOutcome.Interrupts) -> String {
    let queued = [interrupts.maskTargets, interrupts.saved, interrupts.polling, interrupts.deferred]
      .reduce(interrupts.single) { $0.plus($1) }
    return Quantity.share(interrupts.saved, of: queued)
  }

  static func interrupts(_ outcome: EngineOutcome) -> UInt64 {
    outcome.interrupts.single.plus(outcome.interrupts.maskTargets)
  }

  /// The time waited in all. A recording without waits is one in which none can be seen.
  static func wait(_ summary: DurationSummary, isRecorded: Bool) -> String {
    summary.count == 0 ? (isRecorded ? "–" : "none") : Quantity.duration(summary.sumNanoseconds)
  }

  /// Targets that are in no fate, or in more than one; nil where the sum is larger than a count can be.
  static func unaccounted(_ outcome: EngineOutcome) -> Int? {
    let fates = outcome.fates
    var sum = fates.ran
    for part in [
      fates.coalescedRequests, fates.refused, fates.lost, fates.deadlocked, fates.pending, fates.unknown,
    ] {
      let next = sum.addingReportingOverflow(part)
      if next.overflow { return nil }
      sum = next.partialValue
    }
    return sum <= outcome.targets
      ? Int(exactly: outcome.targets - sum) : Int(exactly: sum - outcome.targets).map { -$0 }
  }

  // MARK: Load and costs

  static func load(_ load: SimulationSummary.Load) -> String {
    var text =
      "\(Quantity.count(load.calls, "call")) to \(Quantity.count(load.targets, "target")) on"
      + " \(Quantity.count(load.cpuCount)) \(load.cpuCount == 1 ? "CPU" : "CPUs")"
    if load.hotplugs > 0 { text += ", CPUs going offline or coming online \(Quantity.count(load.hotplugs, "time"))" }
    return text + "; seed \(load.seed). " + scaling(load)
  }

  /// Whether the load is the recorded one.
  static func scaling(_ load: SimulationSummary.Load) -> String {
    if load.isAsRecorded { return "The load is as recorded." }
    var changes: [String] = []
    if load.speedup != 1 { changes.append("times are divided by \(Quantity.factor(load.speedup))") }
    if load.copies != 1 { changes.append("each call is made \(Quantity.count(load.copies)) times") }
    return "The load is not as recorded: \(changes.joined(separator: ", ")). So there is no"
      + " reality beside the engines."
  }

  static func remark(_ remark: SimulationSummary.Load.Remark) -> String {
    VisibleText.escape(remark.sentence, limit: VisibleText.sentenceLimit)
  }

  static func source(_ costs: CostSummary) -> String {
    costs.source == "measured" ? "measured in the same recording" : "from \(VisibleText.escape(costs.source))"
  }

  /// What given costs change beyond the costs; nil where they are the recording's own.
  static func givenNote(_ costs: CostSummary) -> String? {
    costs.source == "measured"
      ? nil
      : "These costs were given. So what the recording tells of single calls, how long each IPI and each step of the engine"
        + " took, is not used: all of it is drawn from these costs, in the calibration as well. Callbacks run as long as"
        + " recorded, where that was seen."
  }

  static func origin(_ cost: CostSummary.Item) -> String {
    // A measured cost rests on something.
    cost.isAssumed ? "! assumed" : cost.distribution.summary.count == 0 ? "given" : "measured"
  }

  static let assumedNote = "! assumed: too few were measured, so that a stated value, or another cost, stands in."

  // MARK: Deadlocks

  /// `CPU 1 → CPU 3 → CPU 1`; or what is known where nobody is known to wait for the first one.
  static func cycle(_ deadlock: EngineOutcome.Deadlock) -> String {
    guard let first = deadlock.cycle.first else { return "the cycle is not known" }
    if !isCycle(deadlock) { return "CPU \(first.cpu) waits for ever" }
    var parts = deadlock.cycle.prefix(cycleLimit).map { "CPU \($0.cpu)" }
    if deadlock.cycle.count > cycleLimit { parts.append("… \(Quantity.count(deadlock.cycle.count - cycleLimit)) more") }
    return (parts + ["CPU \(first.cpu)"]).joined(separator: " → ")
  }

  static let cycleLimit = 16
  static let deadlockNote = "CPUs that wait for each other for ever, or for what never comes"

  /// Whether those who wait wait for each other. One alone may wait for what nobody is going to do.
  static func isCycle(_ deadlock: EngineOutcome.Deadlock) -> Bool {
    deadlock.cycle.count > 1 || deadlock.cycle.contains { $0.waitsForCPU == $0.cpu }
  }

  /// A predicate: `deadlocks`.
  static func happening(_ deadlock: EngineOutcome.Deadlock) -> String {
    isCycle(deadlock) ? "deadlocks" : "comes to a standstill"
  }

  /// In the order of time.
  static func inOrder(_ deadlocks: [EngineOutcome.Deadlock]) -> [EngineOutcome.Deadlock] {
    deadlocks.sorted { $0.timeNanoseconds < $1.timeNanoseconds }
  }

  /// Whether CPUs came to a standstill, so that what they would have done afterwards is missing.
  static func isStuck(_ outcome: EngineOutcome) -> Bool { outcome.fates.deadlocked > 0 || !outcome.deadlocks.isEmpty }

  /// When a deadlock arises: `at 81.204511900 s, 1.2 s after the begin of the trace`.
  static func moment(_ deadlock: EngineOutcome.Deadlock, in trace: TraceSummary) -> String {
    moment(deadlock.timeNanoseconds, in: trace)
  }

  static func moment(_ time: UInt64, in trace: TraceSummary) -> String {
    let text = "at \(Quantity.time(time))\u{a0}s"
    guard let start = trace.startNanoseconds, start <= time else { return text }
    return text + ", \(Quantity.duration(time - start).replacing(" ", with: "\u{a0}")) after the begin of the trace"
  }

  /// Who waits for what: `CPU 1, calling flush_tlb_func, waits for CPU 3 to run its queue`.
  static func waiter(_ waiter: EngineOutcome.Deadlock.Waiter) -> String {
    let calling = waiter.callback.map { ", calling \(VisibleText.escape($0))," } ?? ""
    let what = VisibleText.escape(waiter.waitsFor, limit: 300)
    guard let cpu = waiter.waitsForCPU else { return "CPU \(waiter.cpu)\(calling) waits for \(what)" }
    let names = what.split { !($0.isLetter || $0.isNumber) }
    let isNamed = zip(names, names.dropFirst()).contains { $0 == "CPU" && $1 == "\(cpu)" }
    return "CPU \(waiter.cpu)\(calling) waits for \(what)" + (isNamed ? "" : ", which takes CPU \(cpu) to move")
  }

  // MARK: Timeline

  static func name(_ kind: SimulatedTimeline.Slice.Kind) -> String {
    switch kind {
    case .call: "the call"
    case .callback: "its callback"
    case .otherCallback: "callback of another call"
    case .handler: "handler"
    case .wait: "waiting"
    }
  }

  static func name(_ kind: SimulatedTimeline.Mark.Kind) -> String {
    switch kind {
    case .queued: "queued"
    case .interrupt: "IPI"
    case .maskInterrupt: "mask IPI"
    case .pollerWoken: "poller woken"
    case .returned: "returned"
    case .refused: "refused"
    case .lost: "lost"
    }
  }

  static func name(_ track: SimulatedTimeline.Track) -> String {
    track.engine.map { name($0, track.variant) } ?? "recorded"
  }

  /// The call that the timeline shows; nil where there is none.
  static func chosen(_ timeline: SimulatedTimeline) -> String? {
    guard let callback = timeline.callback else { return nil }
    let source = timeline.source.map { " from CPU \($0)" } ?? ""
    return "\(VisibleText.escape(callback))\(source) to \(Words.cpus(timeline.targets))"
  }
}
