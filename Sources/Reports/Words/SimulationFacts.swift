import Verdicts

/// What was recorded and what every engine made of it, in columns that can be held side by side.
struct SimulationFacts {
  /// How many engines are shown; the JSON result has them all.
  static let engineLimit = 32

  struct Column {
    /// Escaped: `recorded`, `mainline`, `llist-2014`.
    var engine: String
    /// Escaped; nil for the engine as it is.
    var variant: String?
    var outcome: EngineOutcome
    var isRecorded: Bool
    /// The first engine, the recorded one simulated: what the others are compared with.
    var isReference: Bool
    var differences: [EngineResult.Difference]

    /// `recorded`, `mainline`, `llist-2014:none`.
    var name: String { variant.map { "\(engine):\($0)" } ?? engine }

    /// What is known about the difference from the reference; nil for the recorded column and the reference
    /// themselves, and where nothing was compared.
    func mark(_ measure: Calibration.Measure) -> DifferenceMark? {
      if isRecorded || isReference { return nil }
      return differences.first { $0.measure == measure }.map(DifferenceMark.init)
    }
  }

  let simulation: SimulationSummary
  /// The recorded one first, where the load is the recorded one, then the engines in their order.
  let columns: [Column]
  /// The engines among the columns.
  let engines: [Column]
  /// Engines that are not shown: beyond the limit.
  let leftOut: Int
  /// Engines that were not simulated.
  let notSimulated: [String]

  /// - Returns: nil where no engine was simulated.
  init?(_ result: ReplayResult) {
    guard let simulation = result.simulation else { return nil }
    self.simulation = simulation
    let recorded = Column(
      engine: "recorded", outcome: simulation.reality, isRecorded: true, isReference: false, differences: [])
    let engines = result.engines.enumerated().compactMap { index, engine in
      engine.outcome.map {
        Column(
          engine: VisibleText.escape(engine.engine, limit: 60),
          variant: engine.variant.map { VisibleText.escape($0, limit: 60) }, outcome: $0, isRecorded: false,
          isReference: index == 0, differences: engine.differences)
      }
    }
    self.engines = Array(engines.prefix(Self.engineLimit))
    columns = (simulation.load.isAsRecorded ? [recorded] : []) + self.engines
    leftOut = engines.count - self.engines.count
    notSimulated = result.engines.filter { $0.outcome == nil }.map { SimulationWords.name($0.engine, $0.variant) }
  }

  var reference: Column? { columns.first { $0.isReference } }
  var reality: EngineOutcome { simulation.reality }

  func calibration(_ measure: Calibration.Measure) -> Calibration.Item? {
    simulation.calibration?.items.first { $0.measure == measure }
  }

  /// The simulation's own error for the number of IPIs, either way; nil where it is not known.
  var interruptError: Double? {
    calibration(.interrupts)?.error.flatMap { $0.isFinite ? $0.magnitude : nil }
  }

  /// The CPUs that somebody asked about, ascending.
  var watchedCPUs: [Int] {
    Set(columns.flatMap { $0.outcome.byCPU.filter(\.isWatched).map(\.cpu) }).sorted()
  }
}

/// What is known about a difference between two engines.
enum DifferenceMark: Equatable {
  /// Not larger than the simulation's own error.
  case notToldApart
  /// Larger. The change is nil where the reference is 0.
  case different(measure: Calibration.Measure, change: Double?)
  /// The simulation's own error is not known.
  case notJudged(measure: Calibration.Measure, change: Double?)

  init(_ difference: EngineResult.Difference) {
    if difference.error == nil {
      self = .notJudged(measure: difference.measure, change: difference.change)
    } else if difference.isSignificant {
      self = .different(measure: difference.measure, change: difference.change)
    } else {
      self = .notToldApart
    }
  }

  /// What stands beside a number: `≈`, `−12 %`, `+2.1 pp`, `≠`, `−12 % ?`, `?`.
  var sign: String {
    switch self {
    case .notToldApart: "≈"
    case .different(let measure, let change): Self.text(measure, change) ?? "≠"
    case .notJudged(let measure, let change): Self.text(measure, change).map { "\($0) ?" } ?? "?"
    }
  }

  /// The same in words, for those who don't see the sign.
  var meaning: String {
    switch self {
    case .notToldApart: "not told apart from the recorded engine"
    case .different: "larger than the simulation's own error"
    case .notJudged: "the simulation's own error is not known"
    }
  }

  private static func text(_ measure: Calibration.Measure, _ change: Double?) -> String? {
    guard let change, change.isFinite else { return nil }
    return SimulationWords.error(change, measure)
  }
}

/// One row of the side-by-side table.
struct SimulationRow {
  var name: String
  var meaning: String
  /// What the simulation knows its own error of; nil for what it does not.
  var measure: Calibration.Measure?
  /// A cell's text, from an outcome and whether it is the recorded one.
  var value: (EngineOutcome, Bool) -> String
}

/// Rows that belong together.
struct SimulationRows {
  var name: String
  var rows: [SimulationRow]

  /// All rows that are worth showing for these outcomes.
  static func all(_ facts: SimulationFacts) -> [SimulationRows] {
    [load, interrupts(facts), latency, waiting, fates(facts)]
  }

  private static func count(
    _ name: String, _ meaning: String, _ measure: Calibration.Measure? = nil,
    _ value: @escaping (EngineOutcome) -> UInt64
  ) -> SimulationRow {
    SimulationRow(name: name, meaning: meaning, measure: measure) { outcome, _ in Quantity.count(value(outcome)) }
  }

  private static var load: SimulationRows {
    SimulationRows(
      name: "Load",
      rows: [
        count("calls", "calls made, local runs left out") { $0.calls },
        count("targets", "CPUs called, each call's counted") { $0.targets },
      ])
  }

  private static func interrupts(_ facts: SimulationFacts) -> SimulationRows {
    var rows = [
      count("IPIs", "interrupts that targets receive: single ones and places in masks", .interrupts) {
        $0.interrupts.single.plus($0.interrupts.maskTargets)
      },
      count("· single", "IPIs sent to one CPU") { $0.interrupts.single },
      count("· places in masks", "CPUs named by mask IPIs") { $0.interrupts.maskTargets },
      count("mask IPIs", "operations, each counted once however many CPUs it names") { $0.interrupts.maskOperations },
      count("saved", "queued without a kick, because the queue was not empty") { $0.interrupts.saved },
      count("polling", "idle targets woken without an IPI") { $0.interrupts.polling },
      count("deferred", "kicks left out because the target will look anyway") { $0.interrupts.deferred },
    ]
    if facts.columns.contains(where: { $0.outcome.interrupts.unknown > 0 }) {
      rows.append(
        count("kick unknown", "the trace does not tell how the target was made to look") { $0.interrupts.unknown })
    }
    rows.append(
      SimulationRow(name: "coalescing", meaning: "the share of queued targets that was saved", measure: .coalescingRate)
      {
        outcome, _ in
        SimulationWords.coalescing(outcome.interrupts)
      })
    return SimulationRows(name: "Interrupts", rows: rows)
  }

  private static var latency: SimulationRows {
    func row(
      _ name: String, _ meaning: String, _ measure: Calibration.Measure?,
      _ value: @escaping (DurationSummary) -> UInt64?
    ) -> SimulationRow {
      SimulationRow(name: name, meaning: meaning, measure: measure) { outcome, _ in
        Quantity.duration(value(outcome.queueToStart.summary))
      }
    }
    return SimulationRows(
      name: "Queue → start",
      rows: [
        row("p50", "half of the callbacks begin within this", .queueToStartP50) { $0.p50Nanoseconds },
        row("p90", "90 % begin within this", .queueToStartP90) { $0.p90Nanoseconds },
        row("p99", "99 % begin within this", .queueToStartP99) { $0.p99Nanoseconds },
        row("p99.9", "99.9 % begin within this", nil) { $0.p999Nanoseconds },
        row("max", "the longest", nil) { $0.maxNanoseconds },
      ])
  }

  private static var waiting: SimulationRows {
    func row(
      _ name: String, _ meaning: String, _ measure: Calibration.Measure?,
      _ value: @escaping (EngineOutcome.Waiting) -> DurationSummary
    ) -> SimulationRow {
      SimulationRow(name: name, meaning: meaning, measure: measure) { outcome, isRecorded in
        SimulationWords.wait(value(outcome.waiting), isRecorded: isRecorded)
      }
    }
    return SimulationRows(
      name: "Waiting, in all",
      rows: [
        row("callers", "callers that wait for their callbacks", .callerWaiting) { $0.callers },
        row("csd lock", "spinning for a csd that is still in use", nil) { $0.csdLock },
        row("engine lock", "spinning for a lock of the engine", nil) { $0.engineLock },
      ])
  }

  private static func fates(_ facts: SimulationFacts) -> SimulationRows {
    var rows = [
      count("ran", "targets whose callback ran") { $0.fates.ran },
      count("coalesced", "requests that another one on its way serves") { $0.fates.coalescedRequests },
      count("refused", "an error returned, or an offline target left out") { $0.fates.refused },
      count("lost", "queued, and will never run") { $0.fates.lost },
      count("deadlocked", "held up by CPUs that wait for each other for ever") { $0.fates.deadlocked },
      count("pending", "not over when the recording ended") { $0.fates.pending },
    ]
    if facts.columns.contains(where: { $0.outcome.fates.unknown > 0 }) {
      rows.append(count("unknown", "the trace does not tell") { $0.fates.unknown })
    }
    if facts.columns.contains(where: { SimulationWords.unaccounted($0.outcome) != 0 }) {
      rows.append(
        SimulationRow(name: "unaccounted", meaning: "the parts do not add up to the targets", measure: nil) {
          outcome, _ in
          SimulationWords.unaccounted(outcome).map { Quantity.count($0) } ?? "too large"
        })
    }
    rows += [
      SimulationRow(name: "allocations", meaning: "memory that the engine asks for", measure: nil) { outcome, _ in
        Quantity.count(outcome.allocations?.made)
      },
      SimulationRow(name: "· failed", meaning: "allocations that fail", measure: nil) { outcome, _ in
        Quantity.count(outcome.allocations?.failed)
      },
    ]
    return SimulationRows(name: "Ends of targets", rows: rows)
  }
}
