public import CallEngines
public import CallHistories

/// One call taken out of a recording, as whoever made it would make it again.
public struct LoadedCall: Sendable {
  /// From what a call was made.
  public enum Context: UInt8, Sendable {
    /// A task with interrupts on.
    case task
    /// A task that has turned interrupts off.
    case interruptsOff
    /// An interrupt, or a callback.
    case interrupt
  }

  /// When it was made, in nanoseconds on the trace's clock.
  public var time: UInt64
  public var source: Int32
  public var pid: Int32
  /// As today's kernel names it.
  public var kind: Call.Kind
  public var waits: Bool
  public var context: Context
  /// The caller's csd, irq_work or task, by its address; 0 where the caller owns none.
  public var storage: UInt64
  public var function: UInt64
  /// How long the same task computed since an earlier call of its own had returned to it, if that one waited.
  public var thinkNanoseconds: UInt64?
  /// How long the function ran on the caller's own CPU, if it ran there as part of the call.
  public var localNanoseconds: UInt64?
  /// Where its targets are in the batch.
  public var targets: Range<Int>
  /// When the last callback was over, if the caller waited for it and that was seen.
  public var returned: UInt64?
  /// Its function's number among those that are told apart; -1 beyond them.
  public var callback: Int32 = -1
  /// Its IPIs may be deferred.
  public var isDeferrable = false
  /// How many of its batch's stretches were known when it was complete: it is made with these, however the load is cut.
  var knownStretches = 0
}

/// A target of a ``LoadedCall``.
public struct LoadedTarget: Sendable {
  public var cpu: Int32
  public var kick: Kick
  /// From its queue event to the next step of the same call, in nanoseconds, without handlers that came between, and without
  /// waiting for the next target's csd; nil if there was no next step.
  public var addNanoseconds: UInt64?
  /// How long its own queueing took when its csd, which had been waited for, was free; nil where it was not waited for.
  public var resumeNanoseconds: UInt64?
  /// When its IPI was sent, and when the handler began: the target could take no interrupt before. For a polling target: when it
  /// was woken, and when its first callback began. Both or neither.
  public var sent: UInt64?
  public var arrived: UInt64?
  /// How long the function ran; nil where that was not seen.
  public var runNanoseconds: UInt64?
  /// From the queue event to the function's begin; nil where that was not seen.
  public var delayNanoseconds: UInt64?
}

/// A CPU that looked at its queue by itself: it left the idle loop, or its migration thread did it.
public struct LoadedFlush: Sendable {
  /// In nanoseconds.
  public var time: UInt64
  public var cpu: Int32
}

/// A CPU that took no interrupt: from an IPI's sending to the begin of its next handler.
public struct LoadedStretch: Sendable {
  /// In nanoseconds.
  public var from: UInt64
  public var to: UInt64
  public var cpu: Int32
  /// From that handler's begin to its first callback's; nil if it ran none.
  public var entryNanoseconds: UInt64?
}

/// Some calls, one behind the other in time, and what CPUs did by themselves meanwhile.
public struct LoadBatch: Sendable {
  public var calls: ContiguousArray<LoadedCall> = []
  public var targets: ContiguousArray<LoadedTarget> = []
  /// In the order of time; none is later than the last call.
  public var flushes: ContiguousArray<LoadedFlush> = []
  /// In the order of their beginnings; none begins behind the last call.
  public var stretches: ContiguousArray<LoadedStretch> = []

  public init() {}

  public mutating func removeAll() {
    calls.removeAll(keepingCapacity: true)
    targets.removeAll(keepingCapacity: true)
    flushes.removeAll(keepingCapacity: true)
    stretches.removeAll(keepingCapacity: true)
  }
}

/// A CPU that went, or came, in a recording.
public struct LoadedHotplug: Sendable, Hashable {
  public enum Change: Sendable, Hashable {
    /// Interrupts went off for good at the load's time or soon after; the CPU was still called until `lastCalled`, and marked
    /// offline behind that.
    case down(lastCalled: UInt64)
    /// The CPU showed itself again.
    case up
  }

  public var time: UInt64
  public var cpu: Int
  public var change: Change

  public init(time: UInt64, cpu: Int, change: Change) {
    self.time = time
    self.cpu = cpu
    self.change = change
  }
}
