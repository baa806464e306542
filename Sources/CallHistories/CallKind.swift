/// What a call was, as far as its call site tells.
public enum CallKind: UInt8, CaseIterable, Sendable {
  /// `smp_call_function_single()`, `smp_call_function_single_async()` and what is built on them.
  case single
  /// `smp_call_function_many_cond()`: several targets in general, one or none in particular.
  case many
  /// A wakeup handed to the target, `ttwu_queue_wakelist()`.
  case wakeup
  /// `irq_work_queue_on()`.
  case irqWork
  /// Run in place on the calling CPU; nothing was queued.
  case local
  /// The trace has no symbols to tell it.
  case unknown

  /// The name in JSON.
  public var name: String {
    switch self {
    case .single: "single"
    case .many: "many"
    case .wakeup: "wakeup"
    case .irqWork: "irq_work"
    case .local: "local"
    case .unknown: "unknown"
    }
  }
}

/// The type of a node, which decides when a flush runs it: the kernel's `CSD_TYPE_*`. No event tells it.
public enum CallType: UInt8, CaseIterable, Sendable {
  /// Run first, and unlocked behind its callback: the caller waits for it.
  case sync
  /// Unlocked just before its callback.
  case async
  /// An irq_work: no callback is shown.
  case irqWork
  /// A wakeup, run last, all of a flush at once.
  case wakeup

  /// The name in JSON, which is the kernel's in lower case.
  public var name: String {
    switch self {
    case .sync: "sync"
    case .async: "async"
    case .irqWork: "irq_work"
    case .wakeup: "ttwu"
    }
  }
}

/// What shows a node's type.
public struct TypeEvidence: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The function that queued it, or the one that it runs.
  public static let callsite = TypeEvidence(rawValue: 1)
  /// The caller did something else before the callback had returned, so it did not wait.
  public static let callerMovedOn = TypeEvidence(rawValue: 2)
  /// Its place among the callbacks of its flush, and the times of the adds.
  public static let order = TypeEvidence(rawValue: 4)
  /// The csd's address has been used without waiting before, by this source: it is on no caller's stack.
  public static let address = TypeEvidence(rawValue: 8)

  /// The names in JSON, in a fixed order.
  public var names: [String] {
    var names: [String] = []
    if contains(.callsite) { names.append("callsite") }
    if contains(.callerMovedOn) { names.append("callerMovedOn") }
    if contains(.order) { names.append("order") }
    if contains(.address) { names.append("address") }
    return names
  }
}

/// What made the target look at its queue after a node was added.
public enum Kick: UInt8, CaseIterable, Sendable {
  /// The source's next event has not been seen yet.
  case undecided
  /// `ipi_send_cpu` for this call.
  case ipi
  /// A place in an `ipi_send_cpumask`.
  case maskIPI
  /// None: the source went on without a kick, so the queue was not empty.
  case coalesced
  /// `sched_wake_idle_without_ipi`: the target idled polling.
  case polling
  /// The source's events were lost, or the trace ended.
  case unknown

  /// The name in JSON. `coalesced` is a place in a queue that was not empty.
  public var name: String {
    switch self {
    case .undecided, .unknown: "unknown"
    case .ipi: "ipi"
    case .maskIPI: "maskIPI"
    case .coalesced: "coalesced"
    case .polling: "polling"
    }
  }

  /// Whether a kick was seen.
  @inlinable public var isKick: Bool { self == .ipi || self == .maskIPI || self == .polling }
}

/// How a queued call ended.
public enum CallOutcome: UInt8, CaseIterable, Sendable {
  /// Not decided yet; never in a completed call.
  case open
  case ran
  /// Still queued when the trace ended.
  case pending
  /// It cannot be told; the reason says why.
  case undecided
  /// A flush that must have taken it passed without it, and it never ran.
  case lost
}

/// Why a queued call could not be judged.
public enum UndecidedReason: UInt8, CaseIterable, Sendable {
  /// Events of the target were lost while the call was queued.
  case targetGap
  /// Events of the source were lost while the call was made.
  case sourceGap
  /// The call ran, but what else was queued before it is not known: the trace began, or events were lost, shortly before.
  case stateUnknown
  /// The target or a possible source was going offline or coming online.
  case hotplug
  /// The call's type is not known: the trace has no symbols.
  case typeUnknown
  /// The clocks of the CPUs disagree by more than the observation's margin.
  case clockSkew
  /// A type of event that the decision needs was not recorded.
  case eventsNotRecorded
  /// The same flush ran a callback that no event of this trace queued.
  case unqueuedCompanion
  /// Two flushes outside any handler could not be told apart.
  case flushBoundaryUnknown
  /// Too many later calls were complete before this one was.
  case openTooLong
  /// The trace ended in the middle of the flush.
  case traceEnd
  /// The recording's bytes were changed: something in it can't be what a kernel wrote. What else was changed is not known.
  case damagedRecording

  /// The reason's one name, in JSON and elsewhere.
  public var name: String { String(describing: self) }
}
