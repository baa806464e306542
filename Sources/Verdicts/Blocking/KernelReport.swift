/// What a kernel log says about one csd lock, or one callback for an offline CPU, and what the trace says about that.
public struct KernelReport: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable {
    /// `csd: Detected non-responsive CSD lock`, with all that the log says about the same lock.
    case lockWait
    /// `IPI callback … sent to offline CPU`.
    case offlineCallback
  }

  /// What the kernel said of the target.
  public enum Activity: String, Codable, Sendable {
    case unresponsive
    case handlingThis
    case handlingPrior
  }

  /// Why the call is not in the trace.
  public enum Absence: String, Codable, Sendable {
    /// The wait began before the trace.
    case beforeTrace
    /// The wait began after the trace's end.
    case afterTrace
    /// The trace holds no call of these CPUs and this callback that lasted so long at that time.
    case noSuchCall
    /// The log does not name caller, target and callback.
    case notNamed
  }

  /// The call that the log speaks of.
  public struct FoundCall: Codable, Sendable, Equatable {
    public enum Outcome: String, Codable, Sendable {
      case ran
      case pending
      case lost
      case undecided
    }

    public var callsite: String
    @Nullable public var comm: String?
    public var queuedNanoseconds: UInt64
    @Nullable public var kickNanoseconds: UInt64?
    @Nullable public var handlerNanoseconds: UInt64?
    @Nullable public var startedNanoseconds: UInt64?
    @Nullable public var endedNanoseconds: UInt64?
    public var outcome: Outcome
    /// Why it began late.
    public var cause: BlockingSummary.Cause
    @Nullable public var behind: BlockingSummary.Behind?
    @Nullable public var evidence: BlockingSummary.TargetEvidence?
    /// The log's time agrees; otherwise only CPUs, callback and duration do.
    public var foundByTime: Bool
    /// The last that was seen of the caller's CPU, for a call that did not run.
    @Nullable public var sourceState: BlockingSummary.CPUState?
    @Nullable public var targetState: BlockingSummary.CPUState?

    public init(
      callsite: String, comm: String?, queuedNanoseconds: UInt64, kickNanoseconds: UInt64?, handlerNanoseconds: UInt64?,
      startedNanoseconds: UInt64?, endedNanoseconds: UInt64?, outcome: Outcome, cause: BlockingSummary.Cause,
      behind: BlockingSummary.Behind?, evidence: BlockingSummary.TargetEvidence?, foundByTime: Bool,
      sourceState: BlockingSummary.CPUState?, targetState: BlockingSummary.CPUState?
    ) {
      self.callsite = callsite
      self.comm = comm
      self.queuedNanoseconds = queuedNanoseconds
      self.kickNanoseconds = kickNanoseconds
      self.handlerNanoseconds = handlerNanoseconds
      self.startedNanoseconds = startedNanoseconds
      self.endedNanoseconds = endedNanoseconds
      self.outcome = outcome
      self.cause = cause
      self.behind = behind
      self.evidence = evidence
      self.foundByTime = foundByTime
      self.sourceState = sourceState
      self.targetState = targetState
    }
  }

  public var kind: Kind
  /// The line of the log, from 1.
  public var line: Int
  /// The stamp of that line; null where it has none on the kernel's own clock.
  @Nullable public var timeNanoseconds: UInt64?
  /// The kernel's number of the stuck lock.
  @Nullable public var bug: Int?
  @Nullable public var waitingCPU: Int?
  @Nullable public var targetCPU: Int?
  @Nullable public var callback: String?
  /// The longest wait that the log names.
  @Nullable public var waitedNanoseconds: UInt64?
  /// Further lines that say the lock is still held.
  public var continued: UInt64
  public var resentIPIs: UInt64
  @Nullable public var activity: Activity?
  /// The callback that the target was at, as the kernel said.
  @Nullable public var priorCallback: String?
  /// The log says that the lock came free.
  public var unstuck: Bool
  @Nullable public var call: FoundCall?
  /// Null where the call was found.
  @Nullable public var absence: Absence?

  public init(
    kind: Kind, line: Int, timeNanoseconds: UInt64?, bug: Int?, waitingCPU: Int?, targetCPU: Int?, callback: String?,
    waitedNanoseconds: UInt64?, continued: UInt64, resentIPIs: UInt64, activity: Activity?, priorCallback: String?,
    unstuck: Bool, call: FoundCall?, absence: Absence?
  ) {
    self.kind = kind
    self.line = line
    self.timeNanoseconds = timeNanoseconds
    self.bug = bug
    self.waitingCPU = waitingCPU
    self.targetCPU = targetCPU
    self.callback = callback
    self.waitedNanoseconds = waitedNanoseconds
    self.continued = continued
    self.resentIPIs = resentIPIs
    self.activity = activity
    self.priorCallback = priorCallback
    self.unstuck = unstuck
    self.call = call
    self.absence = absence
  }
}
