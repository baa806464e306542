public import TraceTypes

/// Everything that a replay found, as plain values. The renderers in Reports only turn it into words and marks.
///
/// The JSON form is `ipitrace-result/1`; the JSON Schema beside the renderer describes it. All times are nanoseconds on the
/// trace's clock, all durations nanoseconds, all CPUs integers; unknown is null.
public struct ReplayResult: Codable, Sendable, Equatable {
  public static let schemaName = "ipitrace-result/1"

  public var schema = Self.schemaName
  public var trace: TraceSummary
  public var health: [HealthItem]
  public var verdict: Verdict
  public var calls: CallSummary
  public var kicks: KickCounts
  public var latency: LatencySplit
  public var matrix: CallMatrix
  public var interference: [Interference]
  public var blocking: BlockingSummary
  public var timeline: Timeline
  /// The engines that the trace was held against, the recorded one first; where others were simulated, each with its outcome.
  public var engines: [EngineResult]
  /// Null where no engine was simulated.
  @Nullable public var simulation: SimulationSummary?

  public init(
    trace: TraceSummary, health: [HealthItem], verdict: Verdict, calls: CallSummary, kicks: KickCounts,
    latency: LatencySplit, matrix: CallMatrix, interference: [Interference], blocking: BlockingSummary,
    timeline: Timeline, engines: [EngineResult], simulation: SimulationSummary? = nil
  ) {
    self.trace = trace
    self.health = health
    self.verdict = verdict
    self.calls = calls
    self.kicks = kicks
    self.latency = latency
    self.matrix = matrix
    self.interference = interference
    self.blocking = blocking
    self.timeline = timeline
    self.engines = engines
    self.simulation = simulation
  }
}

/// What was recorded.
public struct TraceSummary: Codable, Sendable, Equatable {
  public struct CPUs: Codable, Sendable, Equatable {
    @Nullable public var possible: [Int]?
    @Nullable public var online: [Int]?
    @Nullable public var isolated: [Int]?
    @Nullable public var nohzFull: [Int]?

    public init(possible: [Int]?, online: [Int]?, isolated: [Int]?, nohzFull: [Int]?) {
      self.possible = possible
      self.online = online
      self.isolated = isolated
      self.nohzFull = nohzFull
    }
  }

  public struct Events: Codable, Sendable, Equatable {
    public var total: UInt64
    /// Events lost, as far as the buffer tells.
    public var lost: UInt64
    /// Qualified event name → count.
    public var byType: [String: UInt64]
    public var byCPU: [CPUCount]

    public init(total: UInt64, lost: UInt64, byType: [String: UInt64], byCPU: [CPUCount]) {
      self.total = total
      self.lost = lost
      self.byType = byType
      self.byCPU = byCPU
    }
  }

  public struct CPUCount: Codable, Sendable, Equatable {
    public var cpu: Int
    public var events: UInt64
    public var lost: UInt64

    public init(cpu: Int, events: UInt64, lost: UInt64) {
      self.cpu = cpu
      self.events = events
      self.lost = lost
    }
  }

  /// The kernel's release, for example `6.12.8`.
  @Nullable public var kernel: String?
  @Nullable public var clock: String?
  /// Null for a trace without events.
  @Nullable public var startNanoseconds: UInt64?
  @Nullable public var endNanoseconds: UInt64?
  public var cpus: CPUs
  public var events: Events

  public init(
    kernel: String?, clock: String?, startNanoseconds: UInt64?, endNanoseconds: UInt64?, cpus: CPUs, events: Events
  ) {
    self.kernel = kernel
    self.clock = clock
    self.startNanoseconds = startNanoseconds
    self.endNanoseconds = endNanoseconds
    self.cpus = cpus
    self.events = events
  }
}

/// One counter of the trace's health; the JSON form of `TraceHealth.Item`.
public struct HealthItem: Codable, Sendable, Equatable {
  public var name: String
  @Nullable public var cpu: Int?
  public var count: UInt64
  public var severity: TraceHealth.Severity
  public var remedy: String

  public init(_ item: TraceHealth.Item) {
    name = item.name
    cpu = item.cpu
    count = item.count
    severity = item.severity
    remedy = item.remedy
  }
}

/// One engine that the trace was held against, or that ran its load.
public struct EngineResult: Codable, Sendable, Equatable {
  /// A difference from what was recorded that is larger than the simulation's own error.
  public struct Difference: Codable, Sendable, Equatable {
    public var measure: Calibration.Measure
    /// Compared with the simulation of the recorded engine: 0.5 is half as much again, -0.5 half. For a share, in points.
    /// Null where that one is 0.
    @Nullable public var change: Double?
    /// The simulation's error for this measure, which the change exceeds; null where it is not known.
    @Nullable public var error: Double?
    /// Whether it is larger than the error. Else the two are not told apart.
    public var isSignificant: Bool

    public init(measure: Calibration.Measure, change: Double?, error: Double?, isSignificant: Bool) {
      self.measure = measure
      self.change = change
      self.error = error
      self.isSignificant = isSignificant
    }
  }

  public var engine: String
  @Nullable public var variant: String?
  /// Null where it was not simulated.
  @Nullable public var outcome: EngineOutcome?
  /// Against the first engine, the recorded one simulated; empty for that one.
  public var differences: [Difference]

  public init(engine: String, variant: String?, outcome: EngineOutcome? = nil, differences: [Difference] = []) {
    self.engine = engine
    self.variant = variant
    self.outcome = outcome
    self.differences = differences
  }
}
