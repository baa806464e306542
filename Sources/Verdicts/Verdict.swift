public import CallHistories

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
  /// Observations that the engine does not explain but something else may, by reason: none of them is claimed.
  public var withheld: [Accounting.Reason]
  /// CPUs whose clocks disagree so far that what was sent seemed to arrive before.
  public var clockDisagreements: [ClockDisagreement]
  public var coverage: Coverage
  /// Stretches of the trace in which a CPU's events were lost; the first of them, as many as the reader keeps.
  public var lossWindows: [LossWindow]

  public init(
    result: Outcome, engine: String, judged: UInt64, undecided: UInt64, accounting: Accounting,
    divergences: [Divergence], divergenceCount: UInt64, withheld: [Accounting.Reason],
    clockDisagreements: [ClockDisagreement], coverage: Coverage, lossWindows: [LossWindow]
  ) {
    self.result = result
    self.engine = engine
    self.judged = judged
    self.undecided = undecided
    self.accounting = accounting
    self.divergences = divergences
    self.divergenceCount = divergenceCount
    self.withheld = withheld
    self.clockDisagreements = clockDisagreements
    self.coverage = coverage
    self.lossWindows = lossWindows
  }

  /// By how much one CPU's clock is ahead of another one's.
  public struct ClockDisagreement: Codable, Sendable, Equatable {
    public var ahead: Int
    public var behind: Int
    public var atLeastNanoseconds: UInt64

    public init(ahead: Int, behind: Int, atLeastNanoseconds: UInt64) {
      self.ahead = ahead
      self.behind = behind
      self.atLeastNanoseconds = atLeastNanoseconds
    }
  }

  /// How much of the trace was judged in full: the rest of the time, something unseen may have been on a CPU's queue.
  public struct Coverage: Codable, Sendable, Equatable {
    /// From a moment of doubt, such as a loss, to the next at which the state of the CPU's queue was known again.
    public struct Stretch: Codable, Sendable, Equatable {
      public var cpu: Int
      public var startNanoseconds: UInt64
      public var endNanoseconds: UInt64
      /// One of the names of `UndecidedReason`.
      public var reason: String

      public init(cpu: Int, startNanoseconds: UInt64, endNanoseconds: UInt64, reason: String) {
        self.cpu = cpu
        self.startNanoseconds = startNanoseconds
        self.endNanoseconds = endNanoseconds
        self.reason = reason
      }
    }

    /// The trace's length times the number of its CPUs.
    public var cpuNanoseconds: UInt64
    /// The part of it in which the state of a CPU's queue was not known.
    public var unknownNanoseconds: UInt64
    /// In time order; the list is capped.
    public var stretches: [Stretch]

    public init(cpuNanoseconds: UInt64, unknownNanoseconds: UInt64, stretches: [Stretch]) {
      self.cpuNanoseconds = cpuNanoseconds
      self.unknownNanoseconds = unknownNanoseconds
      self.stretches = stretches
    }
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

  /// A call that seemed to be lost may have another explanation: it is not judged.
  public mutating func withdrawLost(reason: UndecidedReason) {
    guard lost > 0 else { return }
    lost -= 1
    if let index = notJudged.firstIndex(where: { $0.reason == reason.name }) {
      notJudged[index].count += 1
    } else {
      notJudged.append(Reason(reason: reason.name, count: 1))
    }
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
