/// What became of a load: as it was recorded, or as an engine would have had it. Both in the same form, so that they can be
/// held side by side.
///
/// Targets are counted, not calls: a call to seven CPUs is one call and seven targets. Every target is in exactly one of
/// ``Fates``, and their sum is the number of targets asked for.
public struct EngineOutcome: Codable, Sendable, Equatable {
  /// Where the targets asked for ended. They add up to `targets`.
  public struct Fates: Codable, Sendable, Equatable {
    public var ran: UInt64 = 0
    /// A request that another one, which was on its way, was promised to serve (`pending`).
    public var coalescedRequests: UInt64 = 0
    /// The engine returned an error, `-EBUSY` for a csd in use among them, or left the target out because it was offline.
    public var refused: UInt64 = 0
    /// Queued, and will never run: its CPU is gone, or its node was dropped from the queue.
    public var lost: UInt64 = 0
    /// Held up by CPUs that wait for each other for ever.
    public var deadlocked: UInt64 = 0
    /// Not over when the recording ended, and nothing wrong with it: also what was queued for a CPU that was offline then, and
    /// did not come back.
    public var pending: UInt64 = 0
    /// Only in the recorded outcome: the trace does not tell.
    public var unknown: UInt64 = 0

    public init() {}

    /// Wraps around on values that no count reaches.
    public var sum: UInt64 { ran &+ coalescedRequests &+ refused &+ lost &+ deadlocked &+ pending &+ unknown }
  }

  /// What was sent to make targets look.
  public struct Interrupts: Codable, Sendable, Equatable {
    /// IPIs sent to one CPU.
    public var single: UInt64 = 0
    /// Mask IPIs, each counted once however many CPUs it names.
    public var maskOperations: UInt64 = 0
    /// Places in mask IPIs.
    public var maskTargets: UInt64 = 0
    /// Targets that were queued and needed no kick, because the queue was not empty.
    public var saved: UInt64 = 0
    /// Idle targets woken without an IPI.
    public var polling: UInt64 = 0
    /// Kicks left out because the target will look anyway when it enters the kernel.
    public var deferred: UInt64 = 0
    /// Only in the recorded outcome: the trace does not tell.
    public var unknown: UInt64 = 0

    public init() {}

    /// Interrupts that targets receive.
    public var total: UInt64 { single &+ maskTargets }
    /// The share of queued targets that needed no kick, 0 … 1; nil if nothing was queued.
    public var coalescingRate: Double? {
      let queued = single &+ maskTargets &+ saved &+ polling &+ deferred
      return queued == 0 ? nil : Double(saved) / Double(queued)
    }
  }

  public struct Waiting: Codable, Sendable, Equatable {
    /// Callers that wait for their callbacks (SYNC), from the call's begin to its return.
    public var callers: DurationSummary
    /// Spinning in csd_lock() for a csd that is still in use.
    public var csdLock: DurationSummary
    /// Spinning for a lock of the engine: the global queue's, or a fallback's.
    public var engineLock: DurationSummary

    public init(callers: DurationSummary, csdLock: DurationSummary, engineLock: DurationSummary) {
      self.callers = callers
      self.csdLock = csdLock
      self.engineLock = engineLock
    }
  }

  public struct Allocations: Codable, Sendable, Equatable {
    public var made: UInt64 = 0
    public var failed: UInt64 = 0

    public init() {}
  }

  public struct Deadlock: Codable, Sendable, Equatable {
    /// Who waits, and for what.
    public struct Waiter: Codable, Sendable, Equatable {
      public var cpu: Int
      /// The callback of the call that it makes; null where it makes none.
      @Nullable public var callback: String?
      /// In words: "CPU 3 to run its queue", "the lock of the global queue".
      public var waitsFor: String
      /// The CPU that would have to move; null where none can.
      @Nullable public var waitsForCPU: Int?

      public init(cpu: Int, callback: String?, waitsFor: String, waitsForCPU: Int?) {
        self.cpu = cpu
        self.callback = callback
        self.waitsFor = waitsFor
        self.waitsForCPU = waitsForCPU
      }
    }

    /// When the last of them began to wait, in nanoseconds on the trace's clock.
    public var timeNanoseconds: UInt64
    /// The cycle, each waiting for the next and the last for the first.
    public var cycle: [Waiter]

    public init(timeNanoseconds: UInt64, cycle: [Waiter]) {
      self.timeNanoseconds = timeNanoseconds
      self.cycle = cycle
    }
  }

  public struct PerCPU: Codable, Sendable, Equatable {
    public var cpu: Int
    /// IPIs that it received.
    public var interrupts: UInt64
    /// Callbacks that ran on it for others.
    public var callbacks: UInt64
    /// Time spent in them.
    public var callbackNanoseconds: UInt64
    /// Queue to start of what was queued for it.
    public var queueToStart: DurationSummary
    /// Time that it spent waiting as a caller.
    public var waitedNanoseconds: UInt64
    /// Chosen by `--cpus`, or isolated.
    public var isWatched: Bool

    public init(
      cpu: Int, interrupts: UInt64, callbacks: UInt64, callbackNanoseconds: UInt64, queueToStart: DurationSummary,
      waitedNanoseconds: UInt64, isWatched: Bool
    ) {
      self.cpu = cpu
      self.interrupts = interrupts
      self.callbacks = callbacks
      self.callbackNanoseconds = callbackNanoseconds
      self.queueToStart = queueToStart
      self.waitedNanoseconds = waitedNanoseconds
      self.isWatched = isWatched
    }
  }

  public struct Callback: Codable, Sendable, Equatable {
    public var callback: String
    public var targets: UInt64
    /// IPIs that its queueing caused.
    public var interrupts: UInt64
    public var queueToStart: DurationSummary

    public init(callback: String, targets: UInt64, interrupts: UInt64, queueToStart: DurationSummary) {
      self.callback = callback
      self.targets = targets
      self.interrupts = interrupts
      self.queueToStart = queueToStart
    }
  }

  /// Calls made, local runs left out.
  public var calls: UInt64
  /// Their targets.
  public var targets: UInt64
  public var fates: Fates
  public var interrupts: Interrupts
  /// From the queueing of a target to its callback's begin.
  public var queueToStart: DurationDistribution
  public var waiting: Waiting
  /// Null where the engine allocates nothing, and in what was recorded.
  @Nullable public var allocations: Allocations?
  /// The first ones, in the order of time.
  public var deadlocks: [Deadlock]
  /// By CPU, ascending.
  public var byCPU: [PerCPU]
  /// Most targets first.
  public var byCallback: [Callback]

  public init(
    calls: UInt64, targets: UInt64, fates: Fates, interrupts: Interrupts, queueToStart: DurationDistribution,
    waiting: Waiting, allocations: Allocations?, deadlocks: [Deadlock], byCPU: [PerCPU], byCallback: [Callback]
  ) {
    self.calls = calls
    self.targets = targets
    self.fates = fates
    self.interrupts = interrupts
    self.queueToStart = queueToStart
    self.waiting = waiting
    self.allocations = allocations
    self.deadlocks = deadlocks
    self.byCPU = byCPU
    self.byCallback = byCallback
  }
}
