/// What interrupted one CPU.
public struct Interference: Codable, Sendable, Equatable {
  public enum Selection: String, Codable, Sendable {
    /// Named by the user.
    case named
    /// Isolated or nohz_full, as the recording says.
    case isolated
    /// Every CPU: the trace has no queue events, and interference is most of what it tells.
    case all
  }

  public struct Source: Codable, Sendable, Equatable {
    public var callback: String
    /// Unknown for callbacks that no event of the trace queued, as is the source.
    @Nullable public var callsite: String?
    @Nullable public var comm: String?
    @Nullable public var sourceCPU: Int?
    /// Callbacks run for this source.
    public var count: UInt64
    /// Kicks sent by IPI.
    public var ipis: UInt64
    public var runNanoseconds: UInt64
    public var maxRunNanoseconds: UInt64

    public init(
      callback: String, callsite: String?, comm: String?, sourceCPU: Int?, count: UInt64, ipis: UInt64,
      runNanoseconds: UInt64, maxRunNanoseconds: UInt64
    ) {
      self.callback = callback
      self.callsite = callsite
      self.comm = comm
      self.sourceCPU = sourceCPU
      self.count = count
      self.ipis = ipis
      self.runNanoseconds = runNanoseconds
      self.maxRunNanoseconds = maxRunNanoseconds
    }
  }

  public var cpu: Int
  public var selectedAs: Selection
  /// Handlers of cross calls entered; nil where such events can't be in the trace, as with the others.
  @Nullable public var handlers: UInt64?
  /// Time inside those handlers.
  @Nullable public var handlerNanoseconds: UInt64?
  @Nullable public var callbacks: UInt64?
  @Nullable public var callbackNanoseconds: UInt64?
  /// Reschedule interrupts taken.
  @Nullable public var reschedules: UInt64?
  /// Most callbacks first.
  public var sources: [Source]

  public init(
    cpu: Int, selectedAs: Selection, handlers: UInt64?, handlerNanoseconds: UInt64?, callbacks: UInt64?,
    callbackNanoseconds: UInt64?, reschedules: UInt64?, sources: [Source]
  ) {
    self.cpu = cpu
    self.selectedAs = selectedAs
    self.handlers = handlers
    self.handlerNanoseconds = handlerNanoseconds
    self.callbacks = callbacks
    self.callbackNanoseconds = callbackNanoseconds
    self.reschedules = reschedules
    self.sources = sources
  }
}

/// Who was late, and what stood in the way.
public struct BlockingSummary: Codable, Sendable, Equatable {
  public enum Cause: String, Codable, Sendable {
    /// Callbacks ahead of it in the same flush took most of the delay.
    case callbackAhead
    /// The caller itself took most of the delay between queue event and kick.
    case kickDelayed
    /// The kick was sent, and the target did not take the interrupt for most of the delay.
    case targetLate
    /// The trace does not tell.
    case unknown
  }

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

    public init(
      source: Int, target: Int, callback: String, callsite: String, comm: String?, queuedNanoseconds: UInt64,
      kickNanoseconds: UInt64?, handlerNanoseconds: UInt64?, startedNanoseconds: UInt64, endedNanoseconds: UInt64?,
      cause: Cause
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
    }
  }

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

  /// The calls with the longest delay from queue event to begin, longest first.
  public var latestCalls: [LateCall]
  /// Callers that queue from a context in which a call that waits could deadlock; no finding in itself.
  public var delicateContexts: [Context]

  public init(latestCalls: [LateCall], delicateContexts: [Context]) {
    self.latestCalls = latestCalls
    self.delicateContexts = delicateContexts
  }
}
