extension BlockingSummary {
  /// A call that began late.
  public struct LateCall: Codable, Sendable, Equatable {
    public var source: Int
    public var target: Int
    public var callback: String
    public var callsite: String
    @Nullable public var comm: String?
    public var queuedNanoseconds: UInt64
    @Nullable public var kickNanoseconds: UInt64?
    @Nullable public var handlerNanoseconds: UInt64?
    public var startedNanoseconds: UInt64
    @Nullable public var endedNanoseconds: UInt64?
    public var cause: Cause
    /// Of the callbacks ahead of it in the same flush, the longest; null where none was.
    @Nullable public var behind: Behind?
    /// What the target did meanwhile; null where nothing was to be looked for.
    @Nullable public var evidence: TargetEvidence?

    public init(
      source: Int, target: Int, callback: String, callsite: String, comm: String?, queuedNanoseconds: UInt64,
      kickNanoseconds: UInt64?, handlerNanoseconds: UInt64?, startedNanoseconds: UInt64, endedNanoseconds: UInt64?,
      cause: Cause, behind: Behind? = nil, evidence: TargetEvidence? = nil
    ) {
      self.source = source
      self.target = target
      self.callback = callback
      self.callsite = callsite
      self.comm = comm
      self.queuedNanoseconds = queuedNanoseconds
      self.kickNanoseconds = kickNanoseconds
      self.handlerNanoseconds = handlerNanoseconds
      self.startedNanoseconds = startedNanoseconds
      self.endedNanoseconds = endedNanoseconds
      self.cause = cause
      self.behind = behind
      self.evidence = evidence
    }
  }

  /// The callback that stood in the way the longest.
  public struct Behind: Codable, Sendable, Equatable {
    public var callback: String
    /// How long it held up the calls behind it.
    public var delayNanoseconds: UInt64
    /// How long all the callbacks ahead did.
    public var allNanoseconds: UInt64

    public init(callback: String, delayNanoseconds: UInt64, allNanoseconds: UInt64) {
      self.callback = callback
      self.delayNanoseconds = delayNanoseconds
      self.allNanoseconds = allNanoseconds
    }
  }

  /// What the target's own events show of the time in which it should have taken the kick.
  public struct TargetEvidence: Codable, Sendable, Equatable {
    /// Events of the target after the kick and before the handler.
    public var events: UInt64
    /// For how long they show interrupts to have been off, at least; null where they show none of it.
    @Nullable public var interruptsOffNanoseconds: UInt64?
    /// For how long after the kick the target was still in an idle state; null if it was in none, or that is unknown.
    @Nullable public var idleNanoseconds: UInt64?
    /// The task that those events belong to; null where there are none, or several tasks.
    @Nullable public var pid: Int?
    @Nullable public var comm: String?
    /// A callback of an earlier flush that still ran when the kick was sent.
    @Nullable public var callback: String?

    public init(
      events: UInt64, interruptsOffNanoseconds: UInt64?, idleNanoseconds: UInt64?, pid: Int?, comm: String?,
      callback: String?
    ) {
      self.events = events
      self.interruptsOffNanoseconds = interruptsOffNanoseconds
      self.idleNanoseconds = idleNanoseconds
      self.pid = pid
      self.comm = comm
      self.callback = callback
    }
  }

  /// A caller that queues from a context in which a call that waits could deadlock.
  public struct Context: Codable, Sendable, Equatable {
    public var callsite: String
    public var callback: String
    /// Calls queued with interrupts off, in task context.
    public var interruptsOff: UInt64
    public var hardInterrupt: UInt64
    public var softInterrupt: UInt64

    public init(
      callsite: String, callback: String, interruptsOff: UInt64, hardInterrupt: UInt64, softInterrupt: UInt64
    ) {
      self.callsite = callsite
      self.callback = callback
      self.interruptsOff = interruptsOff
      self.hardInterrupt = hardInterrupt
      self.softInterrupt = softInterrupt
    }
  }

  /// A callback that made others of the same flush wait.
  public struct HeadOfLine: Codable, Sendable, Equatable {
    public var callback: String
    /// Runs that at least one other call stood behind.
    public var runs: UInt64
    /// Calls behind it, summed over the runs.
    public var delayedCalls: UInt64
    /// The time that those lost by it, summed.
    public var delayNanoseconds: UInt64
    /// Its longest such run.
    public var longestNanoseconds: UInt64
    /// The CPU of that run.
    public var longestTarget: Int
    /// When that run began.
    public var longestStartedNanoseconds: UInt64

    public init(
      callback: String, runs: UInt64, delayedCalls: UInt64, delayNanoseconds: UInt64, longestNanoseconds: UInt64,
      longestTarget: Int, longestStartedNanoseconds: UInt64
    ) {
      self.callback = callback
      self.runs = runs
      self.delayedCalls = delayedCalls
      self.delayNanoseconds = delayNanoseconds
      self.longestNanoseconds = longestNanoseconds
      self.longestTarget = longestTarget
      self.longestStartedNanoseconds = longestStartedNanoseconds
    }
  }
}
