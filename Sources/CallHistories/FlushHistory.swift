public import TraceTypes

/// One flush of a target's queue, with everything that a judgement of it needs.
public struct CompletedFlush: Sendable {
  public var cpu: UInt16
  /// Inside a handler of a cross-call interrupt, so that its begin is exact and it is one flush. Otherwise it ran in the idle
  /// loop or the migration thread, and what looks like one flush may be two.
  public var inHandler: Bool
  /// The queue was taken at or after this time …
  public var notBefore: UInt64
  /// … and at or before this one.
  public var notAfter: UInt64
  /// The end of the flush before it on this CPU.
  public var previousEnd: UInt64
  /// Nil when everything that could have been in the queue is known; else why a missing kick proves nothing.
  public var kicksUndecidable: UndecidedReason?
  /// A node that may have been in this batch, and is not counted as a member, may have kicked.
  public var otherKickPossible: Bool
}

/// A member of a flush, in the order in which the callbacks ran.
public struct FlushMember: Sendable {
  public enum Knowledge: UInt8, Sendable {
    /// SYNC or ASYNC.
    case unknown
    /// The caller went on before the callback was over: not SYNC.
    case notSync
    case wakeup
    case irqWork
  }

  public var csd: UInt64
  public var function: UInt64
  public var source: UInt16
  /// The node was added at or after this time …
  public var queued: UInt64
  /// … and at or before this one.
  public var addedBy: UInt64
  public var started: UInt64
  public var kicked: UInt64
  public var kick: Kick
  public var knowledge: Knowledge
  /// When the callback returned; `UInt64.max` where that was not seen.
  public var ended = UInt64.max
}

/// What a judge says of a flush.
public enum FlushJudgement: Sendable {
  /// The engine explains it.
  case explained
  /// It was reported as a divergence.
  case diverges
  case undecided(UndecidedReason)
}

/// An event to point at.
public struct EventReference: Sendable, Hashable {
  public var cpu: UInt16
  public var nanoseconds: UInt64
  public var kind: EventKind

  public init(cpu: UInt16, nanoseconds: UInt64, kind: EventKind) {
    self.cpu = cpu
    self.nanoseconds = nanoseconds
    self.kind = kind
  }
}

/// Something in the history that the engine does not do, whatever the order within the windows.
public struct HistoryAnomaly: Sendable {
  public enum Kind: UInt8, Sendable {
    /// A flush must have taken the node; it did not run in it, nor later.
    case neverRan
    /// A flush must have taken the node; it ran in a later one.
    case ranLater
    /// It never ran on its target, but on another CPU.
    case ranElsewhere
    /// It ran twice in one flush.
    case ranTwice
    /// A cross-call IPI was sent although the source had queued nothing for its target.
    case kickWithoutQueue
  }

  public var kind: Kind
  public var time: UInt64
  /// The CPUs concerned, the source first where it is known.
  public var cpus: [UInt16]
  public var function: UInt64
  public var csd: UInt64
  public var events: [EventReference]
  /// By how much the times would have to be wrong for the observation to be harmless; `UInt64.max` if it rests on the order
  /// within single CPUs alone.
  public var margin: UInt64
}

/// What kind of handler ran.
public enum HandlerKind: UInt8, Sendable {
  case crossCall
  case reschedule
  case irqWork
}

/// What takes the histories that a ``HistoryBuilder`` builds.
///
/// A class, so that the builder need not be generic: generic code that is not specialized copies what it touches.
public protocol CallHistoryConsumer: AnyObject {
  /// Judges a flush. Called once per flush that ran anything, when all that its members' sources did is known.
  /// - Parameters:
  ///   - members: those with a callback, in the order of running.
  ///   - silent: those without: irq_work, and wakeups behind the first. An earlier, unseen flush may have run some of them.
  func flushCompleted(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>
  ) -> FlushJudgement

  /// Takes a complete call. Calls come in the order of their first events.
  func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>)

  /// Takes an anomaly.
  func anomalyFound(_ anomaly: HistoryAnomaly)

  /// Takes a handler that ran from `start` to `end`.
  func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64)

  /// Counts a callback that ran although no event of this trace queued it.
  func unqueuedCallback(_ event: TraceEvent)

  /// Says that the trace has ended, before the calls that are still open are handed on.
  /// - Parameters:
  ///   - time: the last event's.
  ///   - states: what was last seen of each CPU.
  func traceWillEnd(at time: UInt64, states: [CPULastState])
}

extension CallHistoryConsumer {
  public func traceWillEnd(at time: UInt64, states: [CPULastState]) {}
}
