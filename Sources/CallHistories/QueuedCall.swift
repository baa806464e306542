public import TraceTypes

/// One call to one target: what a `csd_queue_cpu` event began.
public struct QueuedCall: Sendable {
  /// Stands for a time that was not seen.
  static let never = UInt64.max

  public var csd: UInt64
  public var function: UInt64
  public var callsite: UInt64
  /// When the queue event was recorded, in nanoseconds. The node was added to the queue at this time or later.
  public var queued: UInt64
  /// The first moment at which the node has certainly been added: the source's next event in the same context.
  /// `UInt64.max` while that has not been seen.
  public var addedBy = QueuedCall.never
  public var source: UInt16
  public var target: UInt16
  public var flags: ContextFlags
  public var kind: CallKind
  public var kick = Kick.undecided
  public var outcome = CallOutcome.open
  /// Why it was not judged. A call that ran may have one too: it ran, but some rule could not be decided.
  public var reason: UndecidedReason?
  /// That the callback was run by a flush is concluded, not seen: irq_work, and wakeups behind the first of a flush.
  public var inferred = false
  /// Set by the judgement of its flush.
  public var judged = false
  /// An earlier call with the same csd was closed although its callback had not been seen: what seems to be this call's callback
  /// may be that one's, if the clocks disagree.
  public var followsUnseen = false
  /// The type of its node, as far as the trace shows it, and what shows it.
  public var type: CallType?
  public var typeEvidence: TypeEvidence = []

  var kickedAt = QueuedCall.never
  var handlerAt = QueuedCall.never
  var startedAt = QueuedCall.never
  var endedAt = QueuedCall.never

  /// When, and by which CPU, the same csd was queued again although this call was still waited for.
  var reusedAt = QueuedCall.never
  var reusedBy: UInt16 = 0
  /// How often its target had been gone when it was queued.
  var timesGone: UInt32
  /// How often events of other CPUs than its target had been lost when it was queued.
  var gapsElsewhere: UInt32
  /// When the flush began that must have taken the node and did not.
  var missedAt = QueuedCall.never

  var call: UInt64
  var marks: Marks
  var flush: Int32 = -1
  var nextInCall: Int32 = -1
  var nextInFlush: Int32 = -1
  var nextWithKey: Int32 = -1
  var previousOnTarget: Int32
  var nextOnTarget: Int32 = -1

  struct Marks: OptionSet {
    let rawValue: UInt16
    /// In the target's list of pending calls.
    static let onTarget = Marks(rawValue: 1)
    /// Findable by target and csd.
    static let findable = Marks(rawValue: 2)
    /// Events of the target were lost since it was queued.
    static let targetGap = Marks(rawValue: 4)
    /// Events of the source were lost before its add was certain.
    static let sourceGap = Marks(rawValue: 8)
    /// The target was changing its hotplug state.
    static let hotplug = Marks(rawValue: 16)
    /// A flush passed that must have taken it.
    static let missed = Marks(rawValue: 32)
    /// A wakeup that an earlier flush, which woke, may have taken: the add's window and the taking overlap.
    static let mayHaveRun = Marks(rawValue: 64)

    /// It may have run unseen, or not at all.
    static let uncertain: Marks = [.targetGap, .sourceGap, .hotplug]
  }

  /// A call that is queued now: it waits for its target, and can be found.
  @inline(__always)
  init(event: TraceEvent, kind: CallKind, call: UInt64, arrival: Arrival = Arrival()) {
    csd = event.csd
    function = event.function
    callsite = event.callsite
    queued = event.nanoseconds
    source = event.cpu
    target = UInt16(truncatingIfNeeded: event.target)
    flags = event.flags
    self.kind = kind
    self.call = call
    timesGone = arrival.timesGone
    gapsElsewhere = arrival.gapsElsewhere
    previousOnTarget = arrival.lastPending
    marks = arrival.marks.union([.onTarget, .findable])
  }

  /// The next node of the same call was queued: this one has been added by now.
  @inline(__always)
  mutating func follow(_ node: Int32, at time: UInt64) {
    addedBy = time
    nextInCall = node
  }

  /// Its callback begins.
  /// - Parameter handler: when the handler that runs it was entered; never, outside handlers.
  @inline(__always)
  mutating func start(at time: UInt64, in flush: Int32, handler: UInt64) {
    startedAt = time
    handlerAt = handler
    self.flush = flush
  }

  /// When the kick was recorded, in nanoseconds.
  public var kicked: UInt64? { kickedAt == Self.never ? nil : kickedAt }
  /// When the handler that flushed it was entered; nil outside handlers.
  public var handler: UInt64? { handlerAt == Self.never ? nil : handlerAt }
  /// When the callback began.
  public var started: UInt64? { startedAt == Self.never ? nil : startedAt }
  /// When the callback returned.
  public var ended: UInt64? { endedAt == Self.never ? nil : endedAt }
}

/// One call with all its targets, complete.
public struct CompletedCall: Sendable {
  public var kind: CallKind
  public var source: UInt16
  /// The task that was current on the source; 0 is idle.
  public var pid: Int32
  public var function: UInt64
  /// 0 for a local run, which has none.
  public var callsite: UInt64
  public var flags: ContextFlags
  /// The first queue event, or the begin of a local run.
  public var began: UInt64
  /// The CPU's event before that; 0: it tells nothing.
  var previousAt: UInt64 = 0
  var localStartedAt = QueuedCall.never
  var localEndedAt = QueuedCall.never
  var movedOnAt = QueuedCall.never
  /// Two calls in a row, of the same function to the same kind of targets, would show the same events: one whose targets were
  /// all busy needs no kick, and one to the own CPU alone shows nothing but its local run.
  public var mayBeSeveral = false
  /// Whether the caller waited: known when it did not, or when nothing of the kind ever waits; nil otherwise.
  public var waits: Bool?

  /// The CPU's event before the call, if the calling context made it, or what that had interrupted; nil where an interrupt
  /// came between, where events may be missing, and for a local run.
  public var previousEvent: UInt64? { previousAt == 0 ? nil : previousAt }
  /// When the callback began on the calling CPU itself, if it ran there as part of the call …
  public var localStarted: UInt64? { localStartedAt == QueuedCall.never ? nil : localStartedAt }
  /// … and when it ended.
  public var localEnded: UInt64? { localEndedAt == QueuedCall.never ? nil : localEndedAt }
  /// The caller's next event in the same context, after kick and local run: if it waited, it waited no longer.
  public var callerMovedOn: UInt64? { movedOnAt == QueuedCall.never ? nil : movedOnAt }
}
