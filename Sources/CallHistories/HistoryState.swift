internal import BasicContainers
import TraceTypes

/// What a builder keeps for each CPU.
struct CPUState {
  enum Hotplug: UInt8 {
    case none
    /// It is being taken down. Left for `offline` when that step is over.
    case dying
    /// Gone: no event can come from it. Left for `rising`.
    case offline
    /// Another CPU takes steps for it. Left for `none` at its first own event.
    case rising

    /// Whether the CPU may flush its queue without showing it. One that dies does so only after its last event; what was queued
    /// before shows in it, or the CPU was gone when it shows the next.
    var mayHideFlushes: Bool {
      @inline(__always) get { rawValue >= Hotplug.offline.rawValue }
    }
  }

  /// A callback that runs, or a local run.
  struct Frame {
    /// The queued call, or −1.
    var node: Int32
    /// The local call, or `UInt64.max`.
    var localCall: UInt64
    var csd: UInt64
    var function: UInt64
    /// When an unqueued callback began.
    var started: UInt64 = 0
  }

  /// The CPU's latest event, in nanoseconds, that lies outside a flush or ends a callback: a flush that begins later took its
  /// batch later.
  var lastOutsideFlush: UInt64 = 0
  var latest = LatestEvent()
  /// What the CPU's events have to be held against.
  private(set) var attention = Attention.noLevelSeen
  var hotplug = Hotplug.none {
    didSet { attention.set(.gone, hotplug.rawValue >= Hotplug.offline.rawValue) }
  }
  /// It may be making a call whose begin was not seen.
  var unsettled: Bool {
    get { attention.contains(.unsettled) }
    set { attention.set(.unsettled, newValue) }
  }
  /// Something of it was seen, if only that its events were lost.
  var seen: Bool { gaps > 0 || latest.nanoseconds != QueuedCall.never }
  /// How many callbacks are in progress.
  var frameCount: UInt8 = 0
  var hotplugStep: Int32 = 0

  /// Bit i: the slot of level i is open.
  var openLevels: UInt8 {
    get { attention.openLevels }
    set { attention.openLevels = newValue }
  }
  /// Targets, by their lowest six bits, for which a call of unknown context may still be waiting to send its kick.
  var unprovenTargets: UInt64 = 0 {
    didSet { attention.set(.unproven, unprovenTargets != 0) }
  }

  /// The calls queued to this CPU, oldest queue event first.
  var firstPending: Int32 = -1
  var lastPending: Int32 = -1

  /// The flushes that have ended and wait to be judged, in the order in which they took the queue.
  var firstWaiting: Int32 = -1
  var lastWaiting: Int32 = -1
  /// Very many of them need no kick: none does, until the line is empty.
  var allAreExcused = false
  /// Of all that the flushes judged so far ran, what was queued last.
  var floor = CompletedFlush.Floor()

  /// How often the CPU was gone, or was on its way in: then it may flush and show nothing.
  var timesGone: UInt32 = 0
  /// How often its events were lost.
  var gaps: UInt32 = 0
  /// The context levels of which nothing was seen since events were lost, or since the trace began: bit i is level i.
  var unseenLevels: UInt8 {
    get { attention.unseenLevels }
    set { attention.unseenLevels = newValue }
  }
  /// When the step that took the CPU down was over, and which CPU took it; and when the CPU showed an event again.
  var offlineAt = QueuedCall.never
  var offlineBy: UInt16 = 0
  var cameUpAt: UInt64 = 0

  /// The cross-call handler in progress began here.
  var handlerStart = QueuedCall.never {
    didSet { attention.set(.inHandler, handlerStart != QueuedCall.never) }
  }
  var otherHandlerStart = QueuedCall.never
  /// Until this time the CPU's events were lost.
  var gapEnd: UInt64 = 0
  /// The task that runs, as the last context switch said, or −1.
  var currentPid: Int32 = -1
  /// The CPU's stopper thread, or the pid of idle while that is not known.
  var stopperPid: Int32 = 0
  /// The CPU's latest event in a task that flushes the queue outside handlers: the idle task or the stopper thread. A flush of
  /// irq_work alone shows nothing there.
  var unseenBy: UInt64 = 0
  /// When wakeups were begun last.
  var lastWokeAt: UInt64 = 0
  /// The task that the last context switch left, or −1.
  var leavingPid: Int32 = -1
  /// The idle task ran, and whether an event of its own, outside interrupts, was ever seen.
  var idleRan = false
  var idleShowed = false
  /// The flush in progress, or −1.
  var flush: Int32 = -1
  /// It runs outside any handler.
  var flushIsImplicit: Bool {
    get { attention.contains(.implicitFlush) }
    set { attention.set(.implicitFlush, newValue) }
  }
  /// The flush before, if everything that happened since is known.
  var previousFlushKnown = false
  var previousFlushBegin: UInt64 = 0
  var previousFlushEnd: UInt64 = 0

  /// Whether what its queue holds was known at some time, and how many doubts there had been then.
  var isKnown = false
  var doubtsSeen = 0
  var knownAt: UInt64 = 0
  /// Since when it is not known, where that has a reason of its own.
  var unknownSince: UInt64 = 0
  var unknownReason = UndecidedReason.stateUnknown

  /// The callbacks in progress but the innermost, which lies beside: by far the most callbacks are alone.
  var outerFrames: ContiguousArray<Frame> = []
  static let deepestNesting: UInt8 = 64

  /// Takes note of an event of the CPU's. For most events that is all.
  /// - Returns: what the event has to be held against; ``Attention/otherTask`` alone, and nothing was noted, when it is not of
  ///   the task that is known to run.
  @inline(__always)
  mutating func note(_ event: TraceEvent, context: EventContext) -> Attention {
    event.pid == currentPid ? noteInTask(event, context: context) : .otherTask
  }

  @inline(__always)
  mutating func noteInTask(_ event: TraceEvent, context: EventContext) -> Attention {
    if event.pid == 0 {
      idleRan = true
      if context.level == .task { idleShowed = true }
      unseenBy = event.nanoseconds
    } else if event.pid == stopperPid {
      unseenBy = event.nanoseconds
    }
    return attention.intersection(context.concerned)
  }

  /// What it means for a call that it is queued to this CPU now.
  /// - Parameter gaps: how often events of any CPU were lost.
  @inline(__always)
  func arrival(at time: UInt64, gaps allGaps: UInt32) -> Arrival {
    var marks: QueuedCall.Marks = []
    if hotplug.mayHideFlushes { marks.insert(.hotplug) }
    if time < gapEnd { marks.insert(.targetGap) }
    return Arrival(timesGone: timesGone, gapsElsewhere: allGaps &- gaps, marks: marks, lastPending: lastPending)
  }

  /// The event has been taken.
  @inline(__always)
  mutating func pass(_ event: TraceEvent, isOutsideFlush: Bool) {
    latest = LatestEvent(event)
    if isOutsideFlush { lastOutsideFlush = event.nanoseconds }
  }

  /// The parts of a CPU's state that an event can end. Most events of a CPU find none of them, so that one look is enough.
  struct Attention: OptionSet {
    var rawValue: UInt16

    /// Its events had ended, by hotplug.
    static let gone = Attention(rawValue: 1 << 8)
    static let inHandler = Attention(rawValue: 1 << 9)
    static let implicitFlush = Attention(rawValue: 1 << 10)
    static let unproven = Attention(rawValue: 1 << 11)
    static let unsettled = Attention(rawValue: 1 << 12)
    /// Not a part of the state: the event is of another task than was known to run.
    static let otherTask = Attention(rawValue: 1 << 15)

    /// So it begins.
    static let noLevelSeen = Attention(rawValue: 0b1111_0000)

    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// What an event of a level can end: something of its own level and those above it, and everything without a level.
    static func concerning(_ level: ContextLevel) -> Attention {
      let levels = UInt16(0b1111) << UInt16(level.rawValue) & 0b1111
      let others = gone.rawValue | implicitFlush.rawValue
      // A handler has returned when something that it interrupted goes on.
      let belowHard = level < .hard ? inHandler.rawValue : 0
      let inTask = level == .task ? unproven.rawValue | unsettled.rawValue : 0
      return Attention(rawValue: levels | levels << 4 | others | belowHard | inTask)
    }

    var isOnlyOpenLevels: Bool { rawValue & ~0b1111 == 0 }

    @inline(__always)
    mutating func set(_ part: Attention, _ isPresent: Bool) {
      if isPresent { rawValue |= part.rawValue } else { rawValue &= ~part.rawValue }
    }

    /// Bit i is level i.
    var openLevels: UInt8 {
      get { UInt8(truncatingIfNeeded: rawValue & 0b1111) }
      set { rawValue = rawValue & ~0b1111 | UInt16(newValue & 0b1111) }
    }
    var unseenLevels: UInt8 {
      get { UInt8(truncatingIfNeeded: rawValue >> 4 & 0b1111) }
      set { rawValue = rawValue & ~0b1111_0000 | UInt16(newValue & 0b1111) << 4 }
    }
  }
}

/// What a target's state means for a call that is queued to it; as it begins, nothing.
struct Arrival {
  var timesGone: UInt32 = 0
  var gapsElsewhere: UInt32 = 0
  var marks: QueuedCall.Marks = []
  /// The call queued to it before, or −1.
  var lastPending: Int32 = -1
}

/// What an event's flags say, looked up.
struct EventContext {
  var level: ContextLevel
  /// What of its CPU's state the event can end.
  var concerned: CPUState.Attention
  /// The kinds of events, as bits, that can't come from inside a flush that runs outside handlers.
  private var kindsOutsideFlush: UInt32

  init(_ flags: ContextFlags) {
    level = flags.level
    concerned = .concerning(level)
    // Such a flush runs in a task, with interrupts off. What its callbacks do lies between their events; an irq_work has none,
    // so whatever else a task does with interrupts off may be an irq_work's doing.
    let never: UInt32 = 1 << UInt32(EventKind.schedSwitch.rawValue) | 1 << UInt32(EventKind.cpuIdle.rawValue)
    kindsOutsideFlush =
      switch level {
      case .nonMaskable: 0
      case .hard, .soft: .max
      case .task: flags.contains(.interruptsOff) ? never : .max
      }
  }

  /// Whether an event of a kind can't come from inside a flush that runs outside handlers.
  @inline(__always)
  func isOutsideFlush(_ kind: EventKind) -> Bool { kindsOutsideFlush &>> UInt32(kind.rawValue) & 1 == 1 }
}

/// What the flags of events say, by flags.
final class EventContexts {
  private let contexts: InlineArray<256, EventContext>

  init() {
    contexts = InlineArray { EventContext(ContextFlags(rawValue: UInt8($0))) }
  }

  subscript(flags: ContextFlags) -> EventContext {
    @inline(__always) get { contexts[Int(flags.rawValue)] }
  }
}

/// A call being made, by CPU and context level.
struct CallSlot {
  enum Phase: UInt8 {
    case closed
    /// The last queue event's add, and the call's kick, are not certain yet.
    case queueing
    /// The kick is decided; the caller has not been seen to move on.
    case kicked
    /// The callback runs locally, as part of the call.
    case runningLocally
  }

  var phase = Phase.closed
  /// The trace does not tell in which context it is made.
  var isOfUnknownContext = false
  var call: UInt64 = 0
}

/// A flush while it is being collected.
struct FlushRecord {
  var cpu: UInt16
  var inHandler: Bool
  /// The queue was taken at or after this time.
  var notBefore: UInt64
  /// The first callback's begin, or the end of an empty handler.
  var notAfter: UInt64
  var previousEnd: UInt64 = 0
  /// By when the target may last have flushed its queue without showing it.
  var unseenBy: UInt64 = 0
  /// The next one in the target's line.
  var nextWaiting: Int32 = -1
  /// Members with a callback, in the order of running.
  var first: Int32 = -1
  var last: Int32 = -1
  /// The wakeup whose callback stands for all.
  var wakeup: Int32 = -1
  /// Members without a callback.
  var firstSilent: Int32 = -1
  var lastSilent: Int32 = -1
  var undecidedKicks: Int32 = 0
  var otherKickPossible = false
  /// It ran a callback that nobody queued.
  var hasUnqueued = false
  /// Which call one of its callbacks belongs to is not certain.
  var hasUncertain = false
  /// A wakeup's callback was seen whose node is not known.
  var hasUnknownWakeup = false
  /// Why it can't be told what else was in the queue.
  var reason: UndecidedReason?
  /// Its end was not seen: some of its members may be missing.
  var isIncomplete = false

  /// Appends a member with a callback.
  /// - Parameter call: the member.
  /// - Returns: the member before it, or −1.
  @inline(__always)
  mutating func append(_ node: Int32, _ call: QueuedCall, isUncertain: Bool) -> Int32 {
    let previous = last
    last = node
    if previous < 0 { first = node }
    if call.kind == .wakeup { wakeup = node }
    if isUncertain { hasUncertain = true }
    if call.kick == .undecided { undecidedKicks += 1 }
    return previous
  }
}

/// A call while it is being collected.
struct CallRecord {
  /// What is handed on when it is complete.
  var shown: CompletedCall
  var level: ContextLevel
  var firstNode: Int32 = -1
  var lastNode: Int32 = -1
  var openNodes: Int32 = 0
  var slotOpen = false
  /// Its first queue events may be lost.
  var mayHaveBegunUnseen = false
  var localOpen = false

  /// Fills unused places.
  static let none = CallRecord(
    shown: CompletedCall(kind: .unknown, source: 0, pid: 0, function: 0, callsite: 0, flags: [], began: 0),
    level: .task)

  init(shown: CompletedCall, level: ContextLevel) {
    self.shown = shown
    self.level = level
  }

  init(_ event: TraceEvent, kind: CallKind, callsite: UInt64, level: ContextLevel) {
    self.init(
      shown: CompletedCall(
        kind: kind, source: event.cpu, pid: event.pid, function: event.function, callsite: callsite, flags: event.flags,
        began: event.nanoseconds), level: level)
  }

  var isComplete: Bool { openNodes == 0 && !slotOpen && !localOpen }

  @inline(__always)
  mutating func append(_ node: Int32) {
    if lastNode < 0 { firstNode = node }
    lastNode = node
    openNodes += 1
  }
}

/// The calls in progress, in the order of their first events.
///
/// A call's sequence number stays its name while it is in the ring.
struct CallRing: ~Copyable {
  private var storage = UniqueArray(repeating: CallRecord.none, count: 1024)
  private(set) var head: UInt64 = 0
  private(set) var tail: UInt64 = 0

  var count: Int { Int(truncatingIfNeeded: tail &- head) }

  func contains(_ sequence: UInt64) -> Bool { sequence >= head && sequence < tail }

  @inline(__always)
  mutating func append(_ call: CallRecord) -> UInt64 {
    if count == storage.count { grow() }
    storage[index(tail)] = call
    tail &+= 1
    return tail &- 1
  }

  /// - Precondition: the call is in the ring.
  subscript(sequence: UInt64) -> CallRecord {
    _read { yield storage[index(sequence)] }
    _modify { yield &storage[index(sequence)] }
  }

  /// Whether there is a first call, and nothing of it is still to come.
  var firstIsComplete: Bool {
    @inline(__always) get { head != tail && storage[index(head)].isComplete }
  }

  /// - Precondition: the ring is not empty.
  @inline(__always)
  mutating func removeFirst() -> CallRecord {
    head &+= 1
    return storage[index(head &- 1)]
  }

  @inline(__always)
  private func index(_ sequence: UInt64) -> Int { Int(truncatingIfNeeded: sequence) & (storage.count &- 1) }

  @inline(never)
  private mutating func grow() {
    var larger = UniqueArray(repeating: CallRecord.none, count: storage.count * 2)
    for sequence in head..<tail { larger[Int(truncatingIfNeeded: sequence) & (larger.count - 1)] = self[sequence] }
    swap(&storage, &larger)
  }
}
