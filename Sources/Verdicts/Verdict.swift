/// Whether the kernel behaved as its engine is meant to.
public struct Verdict: Codable, Sendable, Equatable {
  public enum Outcome: String, Codable, Sendable {
    /// Every queued call that could be judged is explained by the engine.
    case conforms
    /// At least one observation is explained by no order of the steps within their windows.
    case diverges
    /// Nothing could be judged.
    case undecided
  }

  public var result: Outcome
  /// The engine's name, for example `mainline`.
  public var engine: String
  /// Queued calls for which every rule was decided, divergent ones included.
  public var judged: UInt64
  /// Queued calls not judged, those still pending at the end included.
  public var undecided: UInt64
  /// How every `csd_queue_cpu` ended. The sum of the parts is `queued`.
  public var accounting: Accounting
  /// The divergences found, in time order; the list is capped, ``divergenceCount`` is not.
  public var divergences: [Divergence]
  public var divergenceCount: UInt64
  /// Stretches of the trace in which nothing could be concluded on some CPU.
  public var lossWindows: [LossWindow]

  public init(
    result: Outcome, engine: String, judged: UInt64, undecided: UInt64, accounting: Accounting,
    divergences: [Divergence], divergenceCount: UInt64, lossWindows: [LossWindow]
  ) {
    self.result = result
    self.engine = engine
    self.judged = judged
    self.undecided = undecided
    self.accounting = accounting
    self.divergences = divergences
    self.divergenceCount = divergenceCount
    self.lossWindows = lossWindows
  }
}

/// How the queued calls of a trace ended: `queued` = `executed` + `lost` + `pending` + the sum of `notJudged`.
public struct Accounting: Codable, Sendable, Equatable {
  public struct Reason: Codable, Sendable, Equatable {
    /// One of the names of `UndecidedReason`.
    public var reason: String
    public var count: UInt64

    public init(reason: String, count: UInt64) {
      self.reason = reason
      self.count = count
    }
  }

  /// Number of `csd_queue_cpu` events.
  public var queued: UInt64
  /// Known to have run, and held against the engine.
  public var executed: UInt64
  /// A flush passed that must have taken them, and they never ran: each is a divergence.
  public var lost: UInt64
  /// Still in a queue when the trace ended.
  public var pending: UInt64
  /// Neither, by reason.
  public var notJudged: [Reason]
  /// Callbacks that ran in place on the calling CPU; they are never queued.
  public var local: UInt64
  /// Callbacks that ran although no event of this trace queued them.
  public var unqueued: UInt64

  public init(
    queued: UInt64, executed: UInt64, lost: UInt64, pending: UInt64, notJudged: [Reason], local: UInt64,
    unqueued: UInt64
  ) {
    self.queued = queued
    self.executed = executed
    self.lost = lost
    self.pending = pending
    self.notJudged = notJudged
    self.local = local
    self.unqueued = unqueued
  }
}

/// One observation that the engine does not explain.
public struct Divergence: Codable, Sendable, Equatable {
  public struct Event: Codable, Sendable, Equatable {
    public var cpu: Int
    public var timeNanoseconds: UInt64
    /// Qualified event name.
    public var type: String

    public init(cpu: Int, timeNanoseconds: UInt64, type: String) {
      self.cpu = cpu
      self.timeNanoseconds = timeNanoseconds
      self.type = type
    }
  }

  /// The rule's name, as in `Rule`.
  public var rule: String
  public var timeNanoseconds: UInt64
  public var cpus: [Int]
  /// The callback's symbol, or its address in hex, or null where the rule is about none.
  @Nullable public var callback: String?
  /// The events that show it, in time order.
  public var events: [Event]
  /// What the engine allows here.
  public var expected: String
  /// Why no order of the steps within their windows explains what was seen.
  public var explanation: String

  public init(
    rule: String, timeNanoseconds: UInt64, cpus: [Int], callback: String?, events: [Event], expected: String,
    explanation: String
  ) {
    self.rule = rule
    self.timeNanoseconds = timeNanoseconds
    self.cpus = cpus
    self.callback = callback
    self.events = events
    self.expected = expected
    self.explanation = explanation
  }
}

/// A stretch in which a CPU's events were lost.
public struct LossWindow: Codable, Sendable, Equatable {
  public var cpu: Int
  /// Null: from the start of the trace.
  @Nullable public var startNanoseconds: UInt64?
  /// Null: to the end of the trace.
  @Nullable public var endNanoseconds: UInt64?
  /// Null: the buffer does not say.
  @Nullable public var lostEvents: UInt64?

  public init(cpu: Int, startNanoseconds: UInt64?, endNanoseconds: UInt64?, lostEvents: UInt64?) {
    self.cpu = cpu
    self.startNanoseconds = startNanoseconds
    self.endNanoseconds = endNanoseconds
    self.lostEvents = lostEvents
  }
}
