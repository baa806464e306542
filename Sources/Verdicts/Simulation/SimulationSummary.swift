/// What other engines would have done with a recording's load, beside what was recorded.
public struct SimulationSummary: Codable, Sendable, Equatable {
  /// The load that was taken out of the recording.
  public struct Load: Codable, Sendable, Equatable {
    /// Something that is in the recording, and not in the load; or there otherwise than recorded.
    public struct Remark: Codable, Sendable, Equatable {
      public var name: String
      public var count: UInt64
      public var sentence: String

      public init(name: String, count: UInt64, sentence: String) {
        self.name = name
        self.count = count
        self.sentence = sentence
      }
    }

    public var calls: UInt64
    public var targets: UInt64
    public var cpuCount: Int
    /// CPUs that went offline and came online.
    public var hotplugs: UInt64
    /// Times are divided by this.
    public var speedup: Double
    /// How often each call is made.
    public var copies: Int
    /// Recorded CPUs that another one stands for.
    public var mappedCPUs: Int
    /// The number from which all chance comes.
    public var seed: UInt64
    public var remarks: [Remark]

    public init(
      calls: UInt64, targets: UInt64, cpuCount: Int, hotplugs: UInt64, speedup: Double, copies: Int, mappedCPUs: Int,
      seed: UInt64, remarks: [Remark]
    ) {
      self.calls = calls
      self.targets = targets
      self.cpuCount = cpuCount
      self.hotplugs = hotplugs
      self.speedup = speedup
      self.copies = copies
      self.mappedCPUs = mappedCPUs
      self.seed = seed
      self.remarks = remarks
    }

    /// Whether it is the recorded load, as it was.
    public var isAsRecorded: Bool { speedup == 1 && copies == 1 && mappedCPUs == 0 }
  }

  public var load: Load
  public var costs: CostSummary
  /// As recorded.
  public var reality: EngineOutcome
  /// Of the load as it was recorded, also where the engines were given another one. Null where no engine is known to have recorded it.
  @Nullable public var calibration: Calibration?
  public var timeline: SimulatedTimeline

  public init(
    load: Load, costs: CostSummary, reality: EngineOutcome, calibration: Calibration?, timeline: SimulatedTimeline
  ) {
    self.load = load
    self.costs = costs
    self.reality = reality
    self.calibration = calibration
    self.timeline = timeline
  }
}

/// The costs that a simulation ran with, as a report shows them.
public struct CostSummary: Codable, Sendable, Equatable {
  public struct Item: Codable, Sendable, Equatable {
    /// The cost's one name, as in a costs file: `delivery`, `handlerEntry`, `callback`…
    public var name: String
    /// What it is, in a sentence.
    public var sentence: String
    public var distribution: DurationDistribution
    /// Too few were measured, so that a stated value stands in.
    public var isAssumed: Bool

    public init(name: String, sentence: String, distribution: DurationDistribution, isAssumed: Bool) {
      self.name = name
      self.sentence = sentence
      self.distribution = distribution
      self.isAssumed = isAssumed
    }
  }

  /// `measured`, or the costs file's name.
  public var source: String
  public var items: [Item]

  public init(source: String, items: [Item]) {
    self.source = source
    self.items = items
  }
}

/// One call, in reality and under each engine: the same times, one below the other.
public struct SimulatedTimeline: Codable, Sendable, Equatable {
  public struct Track: Codable, Sendable, Equatable {
    /// Null for what was recorded.
    @Nullable public var engine: String?
    @Nullable public var variant: String?
    public var slices: [Slice]
    public var marks: [Mark]
    /// More happened than is shown.
    public var isTruncated: Bool

    public init(engine: String?, variant: String?, slices: [Slice], marks: [Mark], isTruncated: Bool) {
      self.engine = engine
      self.variant = variant
      self.slices = slices
      self.marks = marks
      self.isTruncated = isTruncated
    }
  }

  /// Something that lasts.
  public struct Slice: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
      /// The caller, from the call's begin to its return.
      case call
      /// A callback of the chosen call.
      case callback
      /// A callback of another call.
      case otherCallback
      /// A handler, with what runs in it.
      case handler
      /// Spinning: for a csd, for a lock, for the callbacks.
      case wait
    }

    public var cpu: Int
    public var kind: Kind
    public var startNanoseconds: UInt64
    /// Null where it does not end.
    @Nullable public var endNanoseconds: UInt64?
    public var label: String

    public init(cpu: Int, kind: Kind, startNanoseconds: UInt64, endNanoseconds: UInt64?, label: String) {
      self.cpu = cpu
      self.kind = kind
      self.startNanoseconds = startNanoseconds
      self.endNanoseconds = endNanoseconds
      self.label = label
    }
  }

  /// Something at one moment.
  public struct Mark: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
      case queued
      case interrupt
      case maskInterrupt
      case pollerWoken
      case returned
      case refused
      case lost
    }

    public var cpu: Int
    public var kind: Kind
    public var timeNanoseconds: UInt64
    /// The other end: the target of a queueing or an IPI.
    @Nullable public var target: Int?

    public init(cpu: Int, kind: Kind, timeNanoseconds: UInt64, target: Int?) {
      self.cpu = cpu
      self.kind = kind
      self.timeNanoseconds = timeNanoseconds
      self.target = target
    }
  }

  /// The chosen call; null where the load has none.
  @Nullable public var callback: String?
  @Nullable public var source: Int?
  public var targets: [Int]
  public var startNanoseconds: UInt64
  public var endNanoseconds: UInt64
  /// The CPUs to draw, ascending.
  public var cpus: [Int]
  /// The recorded one first.
  public var tracks: [Track]

  public init(
    callback: String?, source: Int?, targets: [Int], startNanoseconds: UInt64, endNanoseconds: UInt64, cpus: [Int],
    tracks: [Track]
  ) {
    self.callback = callback
    self.source = source
    self.targets = targets
    self.startNanoseconds = startNanoseconds
    self.endNanoseconds = endNanoseconds
    self.cpus = cpus
    self.tracks = tracks
  }
}
