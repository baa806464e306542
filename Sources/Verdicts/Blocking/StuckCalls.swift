extension BlockingSummary {
  /// What was last seen of a CPU.
  public struct CPUState: Codable, Sendable, Equatable {
    public enum Context: String, Codable, Sendable {
      case task
      case softInterrupt
      case hardInterrupt
      case nonMaskable
      case unknown
    }

    public enum Hotplug: String, Codable, Sendable {
      case none
      case goingOffline
      case offline
      case comingOnline
    }

    public var cpu: Int
    /// Of its last event; null where it showed none.
    @Nullable public var timeNanoseconds: UInt64?
    /// The event's qualified name.
    @Nullable public var event: String?
    public var context: Context
    public var interruptsOff: Bool
    /// The task that ran; null where that is unknown.
    @Nullable public var pid: Int?
    @Nullable public var comm: String?
    /// A handler of cross calls was open since then.
    @Nullable public var handlerSinceNanoseconds: UInt64?
    /// A callback was in progress.
    @Nullable public var callback: String?
    @Nullable public var callbackSinceNanoseconds: UInt64?
    public var hotplug: Hotplug

    public init(
      cpu: Int, timeNanoseconds: UInt64?, event: String?, context: Context, interruptsOff: Bool, pid: Int?,
      comm: String?, handlerSinceNanoseconds: UInt64?, callback: String?, callbackSinceNanoseconds: UInt64?,
      hotplug: Hotplug
    ) {
      self.cpu = cpu
      self.timeNanoseconds = timeNanoseconds
      self.event = event
      self.context = context
      self.interruptsOff = interruptsOff
      self.pid = pid
      self.comm = comm
      self.handlerSinceNanoseconds = handlerSinceNanoseconds
      self.callback = callback
      self.callbackSinceNanoseconds = callbackSinceNanoseconds
      self.hotplug = hotplug
    }
  }

  /// Calls that never ran, and whose csd was therefore never unlocked.
  public struct StuckCalls: Codable, Sendable, Equatable {
    public enum Outcome: String, Codable, Sendable {
      /// Still queued when the trace ended.
      case pending
      /// A flush that must have taken it passed without it.
      case lost
    }

    /// One of them.
    public struct Call: Codable, Sendable, Equatable {
      /// The kind of call, as in the lines of `--calls`.
      public var kind: String
      public var source: Int
      public var target: Int
      public var callback: String
      public var callsite: String
      @Nullable public var comm: String?
      public var queuedNanoseconds: UInt64
      @Nullable public var kickNanoseconds: UInt64?
      /// From the queue event to the end of the trace.
      public var ageNanoseconds: UInt64
      /// From the queue event to the target's last event; null where the target showed none since.
      @Nullable public var targetSeenNanoseconds: UInt64?
      public var outcome: Outcome
      @Nullable public var sourceState: CPUState?
      @Nullable public var targetState: CPUState?

      public init(
        kind: String, source: Int, target: Int, callback: String, callsite: String, comm: String?,
        queuedNanoseconds: UInt64, kickNanoseconds: UInt64?, ageNanoseconds: UInt64, targetSeenNanoseconds: UInt64?,
        outcome: Outcome, sourceState: CPUState?, targetState: CPUState?
      ) {
        self.kind = kind
        self.source = source
        self.target = target
        self.callback = callback
        self.callsite = callsite
        self.comm = comm
        self.queuedNanoseconds = queuedNanoseconds
        self.kickNanoseconds = kickNanoseconds
        self.ageNanoseconds = ageNanoseconds
        self.targetSeenNanoseconds = targetSeenNanoseconds
        self.outcome = outcome
        self.sourceState = sourceState
        self.targetState = targetState
      }
    }

    /// Calls pending for less than this at the end of the trace are not counted.
    public var thresholdNanoseconds: UInt64
    public var count: UInt64
    /// The oldest, oldest first.
    public var oldest: [Call]

    public init(thresholdNanoseconds: UInt64, count: UInt64, oldest: [Call]) {
      self.thresholdNanoseconds = thresholdNanoseconds
      self.count = count
      self.oldest = oldest
    }

    public static let none = StuckCalls(thresholdNanoseconds: 1_000_000, count: 0, oldest: [])
  }
}
