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
  /// By when the CPU may last have flushed its queue without showing it: such a flush runs irq_work alone.
  public var unseenBy: UInt64 = 0
  /// What was queued last of all that earlier flushes of this CPU ran: this batch was added behind it.
  public var floor = Floor()
  /// Nil when everything that could have been in the queue is known; else why a missing kick proves nothing.
  public var kicksUndecidable: UndecidedReason?
  /// A node that may have been in this batch, and is not counted as a member, may have kicked.
  public var otherKickPossible: Bool
  /// It never came: these are the calls that were on the queue when the trace ended.
  public var isToCome = false
  /// Nil when it is certain which calls its callbacks belong to; else why it proves nothing.
  public var doubt: UndecidedReason?

  /// A call that an earlier flush ran.
  public struct Floor: Sendable {
    /// When it was queued; 0: there was none.
    public var queued: UInt64 = 0
    public var source: UInt16 = 0
    public var started: UInt64 = 0
  }
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
  /// Which function makes wakeups is not known, and it may be one: then it runs last, and others may have run with it unseen.
  public var mayBeWakeup = false
  /// When its caller was seen to do something else, and when its callback was over; `UInt64.max` where that was not seen.
  public var movedOn = UInt64.max
  public var ended = UInt64.max
  /// Its call may have had several targets, so that its kick can be a place in a mask.
  public var isMany = false
  /// The same for no two members that are judged at one time, and for one member always the same.
  public var id: Int32 = -1
}

/// A flush that ran one call, and nothing that shows no callback: what there is to say of most.
public struct LoneRun: Sendable {
  public var kick: Kick
  public var knowledge: FlushMember.Knowledge
  /// It is certain that it was one flush, and which call it ran: so the order of running tells of types.
  public var tellsType: Bool
  /// The node was added at or after this time …
  public var queued: UInt64
  /// … and at or before this one.
  public var addedBy: UInt64
  public var started: UInt64
  /// When the call was queued that was queued last of all that earlier flushes ran.
  public var floor: UInt64
}

extension LoneRun {
  /// - Parameter member: the flush's only one.
  public init(_ member: FlushMember, of flush: CompletedFlush) {
    self.init(
      kick: member.kick, knowledge: member.knowledge, tellsType: flush.doubt == nil && flush.inHandler,
      queued: member.queued, addedBy: member.addedBy, started: member.started, floor: flush.floor.queued)
  }
}

/// What a judge says of a flush.
public struct FlushJudgement: Sendable {
  public enum Outcome: Sendable {
    /// The engine explains it.
    case explained
    /// It was reported as a divergence.
    case diverges
    case undecided(UndecidedReason)
  }

  public var outcome: Outcome
  /// How many of the members, from the first on, can have been SYNC: as few as the lower bound, as many as the upper. Nil where
  /// that is not known.
  public var syncs: ClosedRange<Int>?

  public init(_ outcome: Outcome, syncs: ClosedRange<Int>? = nil) {
    self.outcome = outcome
    self.syncs = syncs
  }
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
    /// An IPI was left out for a target that was not idle.
    case polledNotIdle
    /// A csd was queued while it was still to run for an earlier call. The CPUs are the later source, the earlier one, and the
    /// earlier one's target.
    case csdReused
    /// A call that may wait was made with interrupts off, or in an interrupt.
    case forbiddenContext
    /// A node was added to the queue of a CPU that was offline.
    case addedToOffline
    /// A node that was queued before its target went offline ran after that had come back.
    case missedByDyingFlush
    /// A callback that ran in place began with interrupts on; or, if there is a csd, a call to the own CPU was queued.
    case localRun
  }

  public var kind: Kind
  public var time: UInt64
  /// The CPUs concerned, the source first where it is known.
  public var cpus: [UInt16]
  public var function: UInt64
  public var csd: UInt64
  public var events: [EventReference]
  /// What it takes for granted of the clocks. Empty if it rests on the order within single CPUs alone.
  public var comparisons: [ClockComparison] = []
  /// The last moment at which an event would have been another explanation, in nanoseconds.
  public var through: UInt64?
}

/// That something on one CPU came before something on another one, by the times that they were given.
///
/// True only if the two clocks do not disagree by as much as the times differ.
public struct ClockComparison: Sendable, Hashable {
  /// The CPU of the earlier event …
  public var earlier: UInt16
  /// … and that of the later one.
  public var later: UInt16
  /// When the earlier event was, on its CPU's clock.
  public var time: UInt64
  /// The difference of the times, in nanoseconds.
  public var margin: UInt64

  public init(_ earlier: UInt16, at first: UInt64, before later: UInt16, at second: UInt64) {
    self.earlier = earlier
    self.later = later
    time = first
    margin = second > first ? second - first : 0
  }
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
  /// Judges a flush. Called once per flush that ran anything, when all that its members' sources did is known; for the
  /// flushes of one CPU in the order in which they took the queue.
  /// - Parameters:
  ///   - members: those with a callback, in the order of running.
  ///   - silent: those without: irq_work, and wakeups behind the first. An earlier flush may have run some of them, an unseen
  ///     one included, but no later one.
  ///   - later: nodes without a callback that later flushes must have taken and that this one may have.
  func flushCompleted(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
    later: ContiguousArray<FlushMember>
  ) -> FlushJudgement

  /// Judges a flush that ran one call and nothing else, if that needs no closer look.
  /// - Returns: nil where it does; then ``flushCompleted(_:members:silent:later:)`` is asked.
  func loneRunCompleted(_ run: LoneRun) -> FlushJudgement?

  /// Takes a complete call. Calls come in the order of their first events.
  func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>)

  /// Takes an anomaly.
  func anomalyFound(_ anomaly: HistoryAnomaly)

  /// Takes a handler that ran from `start` to `end`.
  func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64)

  /// Counts a callback that ran although no event of this trace queued it.
  func unqueuedCallback(_ event: TraceEvent)

  /// Takes the end of such a callback, if it is seen.
  /// - Parameter started: when it began, in nanoseconds.
  func unqueuedCallbackEnded(_ event: TraceEvent, started: UInt64)

  /// Says that the trace has ended, before the calls that are still open are handed on.
  /// - Parameters:
  ///   - time: the last event's.
  ///   - states: what was last seen of each CPU.
  func traceWillEnd(at time: UInt64, states: [CPULastState])

  /// Says that from one time to another nothing could be concluded from what a CPU's queue should have held.
  func stateUnknown(_ stretch: UnknownStretch)

  /// Says that events of a CPU are missing before one of its events, though no mark of the trace tells of it.
  func silentLossFound(before event: TraceEvent)
}

extension CallHistoryConsumer {
  public func loneRunCompleted(_ run: LoneRun) -> FlushJudgement? { nil }

  public func unqueuedCallbackEnded(_ event: TraceEvent, started: UInt64) {}

  public func traceWillEnd(at time: UInt64, states: [CPULastState]) {}

  public func silentLossFound(before event: TraceEvent) {}
}

/// A stretch in which the state of a CPU's queue is not known: an absent event, or an absent kick, proves nothing in it.
public struct UnknownStretch: Sendable, Hashable {
  public var cpu: UInt16
  /// In nanoseconds.
  public var begin: UInt64
  public var end: UInt64
  public var reason: UndecidedReason
}
