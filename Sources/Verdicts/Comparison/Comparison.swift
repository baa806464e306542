/// Two recordings, or the saved results of two, held against each other.
///
/// The JSON form is `ipitrace-diff/1`; the JSON Schema beside the renderer describes it. Unknown is null.
public struct Comparison: Codable, Sendable, Equatable {
  public static let schemaName = "ipitrace-diff/1"

  /// Something that was not the same on both sides, so that differences may come from it.
  public struct Circumstance: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
      case kernel, clock, possibleCPUs, onlineCPUs, recordedCPUs, isolatedCPUs, recordedEvents, engine
    }

    public var kind: Kind
    /// Null where that side does not tell.
    @Nullable public var before: String?
    @Nullable public var after: String?

    public init(kind: Kind, before: String?, after: String?) {
      self.kind = kind
      self.before = before
      self.after = after
    }
  }

  /// How differences were told from chance.
  public struct Resampling: Codable, Sendable, Equatable {
    /// The number from which the order of the blocks comes.
    public var seed: UInt64
    /// In so many of all comparisons of recordings that do not differ, anything at all is called a difference: 0.05.
    public var level: Double
    /// How often the blocks were dealt out anew.
    public var permutations: Int
    /// The length of a block of time.
    public var blockNanoseconds: UInt64
    public var blocksBefore: Int
    public var blocksAfter: Int
    /// How many items were tested together.
    public var tested: Int
    /// How many standard errors a difference has to exceed.
    public var criticalValue: Double

    public init(
      seed: UInt64, level: Double, permutations: Int, blockNanoseconds: UInt64, blocksBefore: Int, blocksAfter: Int,
      tested: Int, criticalValue: Double
    ) {
      self.seed = seed
      self.level = level
      self.permutations = permutations
      self.blockNanoseconds = blockNanoseconds
      self.blocksBefore = blocksBefore
      self.blocksAfter = blocksAfter
      self.tested = tested
      self.criticalValue = criticalValue
    }
  }

  public struct Callback: Codable, Sendable, Equatable {
    public var callback: String
    public var presence: Presence
    public var items: [ComparedItem]

    public init(callback: String, presence: Presence, items: [ComparedItem]) {
      self.callback = callback
      self.presence = presence
      self.items = items
    }
  }

  public struct CPU: Codable, Sendable, Equatable {
    public var cpu: Int
    public var presence: Presence
    /// Named by the user, or isolated on either side.
    public var isWatched: Bool
    public var items: [ComparedItem]

    public init(cpu: Int, presence: Presence, isWatched: Bool, items: [ComparedItem]) {
      self.cpu = cpu
      self.presence = presence
      self.isWatched = isWatched
      self.items = items
    }
  }

  /// On which sides something was seen.
  public enum Presence: String, Codable, Sendable {
    case both
    case onlyBefore
    case onlyAfter
  }

  public var schema = Self.schemaName
  public var before: ComparedSide
  public var after: ComparedSide
  public var circumstances: [Circumstance]
  /// Null where nothing could be tested.
  @Nullable public var resampling: Resampling?
  /// The whole.
  public var total: [ComparedItem]
  /// Most calls first.
  public var byCallback: [Callback]
  /// By CPU, ascending.
  public var byCPU: [CPU]
  /// The rules asked for, in their order.
  public var rules: [RuleOutcome]

  public init(
    before: ComparedSide, after: ComparedSide, circumstances: [Circumstance], resampling: Resampling?,
    total: [ComparedItem], byCallback: [Callback], byCPU: [CPU], rules: [RuleOutcome]
  ) {
    self.before = before
    self.after = after
    self.circumstances = circumstances
    self.resampling = resampling
    self.total = total
    self.byCallback = byCallback
    self.byCPU = byCPU
    self.rules = rules
  }

  /// Every item there is.
  public var items: [ComparedItem] { total + byCallback.flatMap(\.items) + byCPU.flatMap(\.items) }
}

/// One side of a comparison.
public struct ComparedSide: Codable, Sendable, Equatable {
  public enum Form: String, Codable, Sendable {
    /// A recording, which was read again: what it varies by in itself is known.
    case recording
    /// A saved result, which has sums only.
    case savedResult
  }

  /// As the user gave it.
  public var name: String
  public var form: Form
  public var trace: TraceSummary
  /// The CPUs that were recorded, ascending, as far as is known.
  public var recordedCPUs: [Int]
  public var verdict: Verdict.Outcome
  public var divergenceCount: UInt64
  /// The rules that were broken, each once, in the order of the alphabet.
  public var brokenRules: [String]
  /// Queued calls, and those of them that were not judged.
  public var queued: UInt64
  public var undecided: UInt64
  /// What is missing from the recording, or contradicts itself: all counters but mere information.
  public var damage: [HealthItem]

  public init(
    name: String, form: Form, trace: TraceSummary, recordedCPUs: [Int], verdict: Verdict.Outcome,
    divergenceCount: UInt64, brokenRules: [String], queued: UInt64, undecided: UInt64, damage: [HealthItem]
  ) {
    self.name = name
    self.form = form
    self.trace = trace
    self.recordedCPUs = recordedCPUs
    self.verdict = verdict
    self.divergenceCount = divergenceCount
    self.brokenRules = brokenRules
    self.queued = queued
    self.undecided = undecided
    self.damage = damage
  }
}

/// One measure on both sides.
public struct ComparedItem: Codable, Sendable, Equatable {
  public struct Value: Codable, Sendable, Equatable {
    /// What was counted: events, nanoseconds of a time, or the samples of a mean or percentile. Null where it is not known.
    @Nullable public var count: UInt64?
    /// Per second of recorded time, or nanoseconds; null where it is not known.
    @Nullable public var value: Double?

    public init(count: UInt64?, value: Double?) {
      self.count = count
      self.value = value
    }
  }

  public var measure: ComparedMeasure
  public var before: Value
  public var after: Value
  /// 0.5 is half as much again, -0.5 half. Null where either is not known, or the first is 0.
  @Nullable public var change: Double?
  /// Between these two the change lies, all items taken together with the confidence that the level promises. Null where that
  /// was not tested, or does not show as a share of the first.
  @Nullable public var changeAtLeast: Double?
  @Nullable public var changeAtMost: Double?
  /// How often chance alone makes some item of this comparison differ as clearly as this one. Null where it was not tested.
  @Nullable public var probability: Double?
  /// Null where it can't be judged; false: not told apart.
  @Nullable public var isSignificant: Bool?
  /// Why it was not judged; null where it was.
  @Nullable public var reason: NotComparedReason?

  public init(measure: ComparedMeasure, before: Value, after: Value) {
    self.measure = measure
    self.before = before
    self.after = after
    if let first = before.value, let second = after.value, first > 0, second / first < .infinity {
      change = second / first - 1
    }
  }

  /// Whether it is certainly more than before.
  public var hasRisen: Bool { isSignificant == true && (after.value ?? 0) > (before.value ?? 0) }
  /// Whether it is certainly less than before.
  public var hasFallen: Bool { isSignificant == true && (after.value ?? 0) < (before.value ?? 0) }
}

/// Why a difference is not judged.
public enum NotComparedReason: String, Codable, Sendable, CaseIterable {
  /// A side is a saved result, which has sums only: nothing tells by how much they vary.
  case savedResult
  /// A side is a saved result that does not have this number.
  case notInResult
  /// A side can't have it: the events were not recorded, as far as is known.
  case eventsNotRecorded
  /// The two recordings do not have the same of the events that it is made of.
  case otherEventsRecorded
  /// The two recordings do not have the same CPUs, and at least one has not all that ran.
  case otherCPUsRecorded
  /// The CPU was not recorded on one side.
  case cpuNotRecorded
  /// More than one event of a hundred was lost where it is recorded, or one that can hide anything.
  case eventsLost
  /// Events are missing where it is recorded, and nobody knows how many.
  case lossUnknown
  /// The clocks of the CPUs disagree, or went back.
  case clocksDisagree
  /// The clock counts something else than nanoseconds.
  case clockIsNoTime
  /// A recording is too short for blocks of time that can be held against each other.
  case tooShort
  /// One recording is so much longer than the other that no block suits both.
  case unequalLengths
  /// Too little was seen.
  case tooFew
  /// The callback has no name, and its address says nothing about another boot.
  case noName
  /// There were more callbacks or CPUs than are told apart.
  case tooMany
}
