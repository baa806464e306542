internal import BasicContainers
public import TraceTypes

/// Builds calls and flushes out of a trace's events, in one pass and bounded memory.
///
/// On the source's side, a `csd_queue_cpu` opens a *slot* for its CPU and context level. The node is added to the target's
/// queue somewhere between that event and the source's next event in the same context, which may be the kick, the next target
/// of the same call, or something else: then there was no kick. An event of a lower level proves the same, because the higher
/// one is over. Events of higher levels prove nothing: they interrupt.
///
/// On the target's side, callbacks are collected into *flushes*: one per handler of a cross-call interrupt, or one for a
/// stretch of callbacks outside of handlers (idle loop, migration thread). When the flush is over, every node that was certainly
/// added before it began must have been in it. When all its members' slots are closed, it is handed to the judge.
///
/// After a loss, at the start of the trace and around hotplug, what is queued unseen can make any kick superfluous. So each CPU
/// is *unsettled* until an event shows it outside any call, and a flush's kicks are judged only if all CPUs were settled when
/// the flush before it began.
public struct HistoryBuilder: TraceEventConsumer, ~Copyable {
  /// How many calls may be incomplete before the oldest is given up as undecided.
  public static var maximumOpenCalls: Int { 1 << 16 }
  /// How many targets these calls may have together.
  public static var maximumOpenTargets: Int { 1 << 17 }
  /// A CPU that shows no event at all for this long after the start of the trace is taken to make no call at the start. The
  /// longest time between queue event and add that was ever observed is 36 ms.
  static var settleNanoseconds: UInt64 { 100_000_000 }

  let consumer: any CallHistoryConsumer
  public internal(set) var statistics = HistoryStatistics()

  var settings: HistorySettings
  var names: any AddressNaming
  var nodes = UniqueArray<QueuedCall>()
  var freeNode: Int32 = -1
  var openNodes = 0
  var calls = CallRing()
  var flushes = UniqueArray<FlushRecord>()
  var freeFlush: Int32 = -1
  var table = PendingTable()
  var cpus = UniqueArray<CPUState>()
  /// By CPU: the innermost of the callbacks in progress, if there is one.
  var innerFrames = UniqueArray<CPUState.Frame>()
  private let contexts = EventContexts()
  var slots = UniqueArray<CallSlot>()
  var siteKinds: [UInt64: CallKind] = [:]
  var recentSites = UniqueArray(repeating: (callsite: UInt64(0), kind: CallKind.unknown), count: 64)
  var wakeupFunction: UInt64?
  var crossCallFunction: UInt64?
  var orphans = OrphanRing()
  var recordedMask: UInt32 = 0
  /// The kinds of ``HistorySettings/recordedKinds``, as bits.
  private var switchedOnMask: UInt32 = 0

  var unsettledCount = 0
  /// How often events of any CPU were lost, and until when at the latest.
  var gaps: UInt32 = 0
  var latestGapEnd: UInt64 = 0
  /// Until when events of some CPU are missing, marked or not; ``QueuedCall/never`` when one of them shows nothing more.
  var blindUntil: UInt64 = 0
  var lastSettled: UInt64 = 0
  var firstTime: UInt64?
  var lastTime: UInt64 = 0
  /// Behind this time, CPUs that have shown nothing are taken to make no call at the start; never once that was done.
  private var silentUntil = QueuedCall.never

  /// The CPU whose flush is being ended: until that is done, it is not known what belongs to it.
  var endingFlushOf = -1
  /// No event can name a CPU from here on.
  let cpuLimit: Int
  /// The kinds of events that were seen: bit i is the kind with this raw value.
  private var seenMask: UInt32 = 0
  /// By the raw value of the kind: the times of its first and its latest event.
  private var firstOfKind = InlineArray<32, UInt64>(repeating: 0)
  private var latestOfKind = InlineArray<32, UInt64>(repeating: 0)
  var doubts = DoubtRing()
  var asyncAddresses = AddressCache()
  /// The csds of calls that were closed before their callbacks were seen.
  var unseenCSDs = AddressSet()

  var memberScratch: ContiguousArray<FlushMember> = []
  var silentScratch: ContiguousArray<FlushMember> = []
  var laterScratch: ContiguousArray<FlushMember> = []
  var targetScratch = UniqueArray<QueuedCall>()

  public init(settings: HistorySettings, names: any AddressNaming, consumer: any CallHistoryConsumer) {
    self.settings = settings
    self.names = names
    self.consumer = consumer
    cpuLimit = settings.possibleCPUs?.cpus.last.map { $0 + 1 } ?? .max
    wakeupFunction = settings.wakeupFunction ?? names.addresses(ofSymbol: "sched_ttwu_pending").first
    crossCallFunction =
      settings.crossCallFunction ?? names.addresses(ofSymbol: "generic_smp_call_function_single_interrupt").first
    for kind in settings.recordedKinds {
      switchedOnMask |= 1 << UInt32(kind.rawValue)
      for decoded in kind.decodedKinds { recordedMask |= 1 << UInt32(decoded.rawValue) }
    }
    for cpu in settings.cpus.sorted() where cpu >= 0 && cpu <= CPUMask.highestCPU {
      ensure(cpu: cpu)
      cpus[cpu].unsettled = true
      unsettledCount += 1
    }
    if settings.someCPUsUnrecorded { unsettledCount += 1 }
  }

  /// The times of the first and the last event, or nil for a trace without events.
  public var span: ClosedRange<UInt64>? { firstTime.map { min($0, lastTime)...lastTime } }

  // MARK: Events

  public mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    guard events.count > 0 else { return }
    if firstTime == nil { begin(at: events[0].nanoseconds) }
    for index in events.indices { process(events[index], maskWords: maskWords) }
    lastTime = max(lastTime, events[events.count - 1].nanoseconds)
  }

  @inline(__always)
  private mutating func process(_ event: TraceEvent, maskWords: Span<UInt64>) {
    let cpu = Int(event.cpu)
    ensure(cpu: cpu)
    let context = contexts[event.flags]
    let level = context.level
    noteSeen(event)
    if unsettledCount != 0, event.nanoseconds > silentUntil { settleSilentCPUs(at: event.nanoseconds) }
    var attention = cpus[cpu].note(event, context: context)
    if !attention.isEmpty {
      if attention.contains(.otherTask) {
        taskChanged(event)
        attention = cpus[cpu].noteInTask(event, context: context)
      }
      if attention.isOnlyOpenLevels {
        closeSlots(before: event, cpu: cpu, open: attention.openLevels, level: level, maskWords: maskWords)
      } else {
        endWhatIsOver(before: event, cpu: cpu, level: level, maskWords: maskWords)
      }
    }

    switch event.kind {
    case .csdQueueCPU: queued(event, level: level)
    case .csdFunctionEntry: functionEntered(event, level: level)
    case .csdFunctionExit:
      functionExited(event)
      if event.csd != 0 { cpus[cpu].lastOutsideFlush = event.nanoseconds }
    case .ipiSendCPU: sentIPI(event, level: level)
    case .ipiSendCPUMask: sentMaskIPI(event, level: level, maskWords: maskWords)
    case .schedWakeIdleWithoutIPI: wokePolling(event, level: level)
    case .callFunctionSingleEntry, .callFunctionEntry: crossCallHandlerEntered(event)
    case .callFunctionSingleExit, .callFunctionExit: crossCallHandlerExited(event)
    case .rescheduleEntry, .irqWorkEntry: cpus[cpu].otherHandlerStart = event.nanoseconds
    case .rescheduleExit: otherHandlerExited(.reschedule, event)
    case .irqWorkExit: otherHandlerExited(.irqWork, event)
    case .cpuhpEnter, .cpuhpMultiEnter: hotplugStepEntered(event)
    case .cpuhpExit: hotplugStepExited(event)
    case .schedSwitch: switched(event)
    case .ipiRaise, .ipiEntry, .ipiExit, .cpuIdle, .other: break
    }
    if attention.unseenLevels != 0 { noteContext(event, level: level) }
    cpus[cpu].pass(event, isOutsideFlush: context.isOutsideFlush(event.kind))
  }

  @inline(never)
  private mutating func begin(at time: UInt64) {
    firstTime = time
    let until = time.addingReportingOverflow(Self.settleNanoseconds)
    silentUntil = until.overflow ? QueuedCall.never : until.partialValue
  }

  /// What of its CPU's state an event shows to be over.
  @inline(never)
  private mutating func endWhatIsOver(
    before event: TraceEvent, cpu: Int, level: ContextLevel, maskWords: Span<UInt64>
  ) {
    if cpus[cpu].unsettled { settle(event) }
    if cpus[cpu].hotplug.rawValue >= CPUState.Hotplug.offline.rawValue { cameUp(cpu: cpu, at: event.nanoseconds) }
    if level < .hard, cpus[cpu].handlerStart != QueuedCall.never, settings.contextIsKnown {
      // A handler has returned when something that it interrupted goes on.
      handlerReturnedUnseen(cpu: cpu, reason: .eventsNotRecorded)
    }
    if cpus[cpu].flushIsImplicit { endImplicitFlush(before: event, level: level) }
    let open = (cpus[cpu].openLevels >> level.rawValue) << level.rawValue
    if open != 0 { closeSlots(before: event, cpu: cpu, open: open, level: level, maskWords: maskWords) }
    if level == .task, cpus[cpu].unprovenTargets != 0 { cpus[cpu].unprovenTargets = 0 }
  }

  /// An event shows that whatever interrupts its context has not begun yet, or is over, and that its own context does no call
  /// whose begin was not seen; unless it is a part of one.
  @inline(never)
  private mutating func noteContext(_ event: TraceEvent, level: ContextLevel) {
    var below = UInt8(1) << level.rawValue &- 1
    switch event.kind {
    case .ipiSendCPU, .ipiSendCPUMask, .ipiRaise, .schedWakeIdleWithoutIPI: below |= 1 << level.rawValue
    default: break
    }
    cpus[Int(event.cpu)].unseenLevels &= below
  }

  @inline(__always)
  private mutating func noteSeen(_ event: TraceEvent) {
    let kind = Int(event.kind.rawValue & 31)
    // Not seen yet, or only at the time 0.
    if latestOfKind[kind] == 0 { noteFirst(event) }
    latestOfKind[kind] = event.nanoseconds
  }

  @inline(never)
  private mutating func noteFirst(_ event: TraceEvent) {
    let kind = Int(event.kind.rawValue)
    guard seenMask >> UInt32(kind) & 1 == 0 else { return }
    seenMask |= 1 << UInt32(kind)
    recordedMask |= 1 << UInt32(kind)
    firstOfKind[kind] = event.nanoseconds
  }

  private mutating func switched(_ event: TraceEvent) {
    let cpu = Int(event.cpu)
    cpus[cpu].currentPid = event.target
    cpus[cpu].leavingPid = event.detail
    // The first eight letters of "migration/N".
    if event.csd == 0x6f69_7461_7267_696d { cpus[cpu].stopperPid = event.target }
  }

  private mutating func otherHandlerExited(_ kind: HandlerKind, _ event: TraceEvent) {
    let start = cpus[Int(event.cpu)].otherHandlerStart
    guard start != QueuedCall.never else { return }
    cpus[Int(event.cpu)].otherHandlerStart = QueuedCall.never
    consumer.handlerCompleted(kind, cpu: event.cpu, start: start, end: event.nanoseconds)
  }

  // MARK: Settling

  /// An event of the task level shows that its CPU makes no call whose begin was not seen; unless it can be a part of one.
  private mutating func settle(_ event: TraceEvent) {
    let cpu = Int(event.cpu)
    guard cpus[cpu].hotplug == .none, event.flags.level == .task else { return }
    switch event.kind {
    case .csdQueueCPU, .ipiSendCPU, .ipiSendCPUMask, .schedWakeIdleWithoutIPI, .csdFunctionEntry, .ipiRaise: break
    default: settled(cpu: cpu, at: event.nanoseconds)
    }
  }

  @inline(never)
  private mutating func settleSilentCPUs(at time: UInt64) {
    silentUntil = QueuedCall.never
    for cpu in 0..<cpus.count where cpus[cpu].unsettled && !cpus[cpu].seen && cpus[cpu].hotplug == .none {
      settled(cpu: cpu, at: time)
    }
  }

  mutating func settled(cpu: Int, at time: UInt64) {
    guard cpus[cpu].unsettled else { return }
    cpus[cpu].unsettled = false
    unsettledCount -= 1
    if unsettledCount == 0 { lastSettled = time }
  }

  mutating func unsettle(cpu: Int, at time: UInt64, reason: UndecidedReason) {
    guard !cpus[cpu].unsettled else { return }
    cpus[cpu].unsettled = true
    unsettledCount += 1
    if unsettledCount == 1 { doubts.begin(at: time, reason: reason) }
  }

  /// When events of a kind were seen; nil: none was.
  public func occurrences(of kind: EventKind) -> EventOccurrences? {
    let place = Int(kind.rawValue)
    guard seenMask >> UInt32(place) & 1 == 1 else { return nil }
    return EventOccurrences(first: firstOfKind[place], last: latestOfKind[place])
  }

  /// Whether events of a kind are known to be in the trace when they happen.
  func isRecorded(_ kind: EventKind) -> Bool { recordedMask >> UInt32(kind.rawValue) & 1 == 1 }

  /// Whether events of a kind are known to have been switched on, seen or not.
  @inline(__always)
  func isSwitchedOn(_ kind: EventKind) -> Bool { switchedOnMask >> UInt32(kind.rawValue) & 1 == 1 }

  // MARK: Storage

  @inline(__always)
  mutating func ensure(cpu: Int) {
    if cpus.count <= cpu { makeRoom(forCPU: cpu) }
  }

  @inline(never)
  private mutating func makeRoom(forCPU cpu: Int) {
    while cpus.count <= cpu {
      cpus.append(CPUState())
      innerFrames.append(CPUState.Frame(node: -1, localCall: .max, csd: 0, function: 0))
      for _ in ContextLevel.allCases { slots.append(CallSlot()) }
    }
  }

  @inline(__always)
  mutating func makeNode(_ event: TraceEvent, kind: CallKind, call: UInt64, arrival: Arrival) -> Int32 {
    statistics.queued += 1
    openNodes += 1
    if freeNode >= 0 {
      let index = freeNode
      freeNode = nodes[Int(index)].nextInCall
      // Made where it is assigned, it is written once.
      nodes[Int(index)] = QueuedCall(event: event, kind: kind, call: call, arrival: arrival)
      return index
    }
    nodes.append(QueuedCall(event: event, kind: kind, call: call, arrival: arrival))
    return Int32(nodes.count - 1)
  }

  mutating func freeNode(_ index: Int32) {
    openNodes -= 1
    nodes[Int(index)].nextInCall = freeNode
    freeNode = index
  }

  @inline(__always)
  mutating func makeFlush(_ flush: FlushRecord) -> Int32 {
    if freeFlush >= 0 {
      let index = freeFlush
      freeFlush = flushes[Int(index)].first
      flushes[Int(index)] = flush
      return index
    }
    flushes.append(flush)
    return Int32(flushes.count - 1)
  }

  mutating func freeFlush(_ index: Int32) {
    flushes[Int(index)].first = freeFlush
    freeFlush = index
  }
}

/// When the events of one kind were seen.
public struct EventOccurrences: Sendable {
  /// The times of the first and the last one, in nanoseconds.
  public var first: UInt64
  public var last: UInt64

  /// Whether it was seen that events of this type are recorded, both before a stretch and behind it.
  ///
  /// What was switched on late, or off early, shows nothing there, and nothing else tells of it.
  public func surround(_ stretch: ClosedRange<UInt64>) -> Bool {
    first <= stretch.lowerBound && last >= stretch.upperBound
  }
}

/// Counts that a builder keeps by itself.
public struct HistoryStatistics: Sendable, Equatable {
  /// Queue events.
  public var queued: UInt64 = 0
  /// Callbacks that no event of this trace queued.
  public var unqueued: UInt64 = 0
  /// Events that name a CPU that the machine can't have, or an address that is none.
  public var impossible: UInt64 = 0
  /// How often each CPU was seen to run another task than the one it had switched to: events are missing that no mark tells of.
  /// CPUs that were never are left out.
  public var silentLosses: [UInt16: UInt64] {
    var losses: [UInt16: UInt64] = [:]
    for (cpu, count) in silentLossesByCPU.enumerated() where count > 0 { losses[UInt16(cpu)] = count }
    return losses
  }
  /// They can be as frequent as events.
  private var silentLossesByCPU: [UInt64] = []
  /// Signs that the clocks of two CPUs disagree: for each pair that with the least difference.
  public private(set) var clockEvidence: [ClockEvidence] = []

  /// The largest number of pairs of CPUs of which evidence is kept.
  static let keptEvidence = 4_096

  public init() {}

  var hasSilentLosses: Bool { !silentLossesByCPU.isEmpty }

  func hasSilentLosses(of cpu: UInt16) -> Bool {
    Int(cpu) < silentLossesByCPU.count && silentLossesByCPU[Int(cpu)] > 0
  }

  mutating func noteSilentLoss(of cpu: UInt16) {
    while silentLossesByCPU.count <= Int(cpu) { silentLossesByCPU.append(0) }
    silentLossesByCPU[Int(cpu)] += 1
  }

  /// - Complexity: O(number of pairs); evidence is rare.
  mutating func note(_ evidence: ClockEvidence) {
    if let index = clockEvidence.firstIndex(where: { $0.ahead == evidence.ahead && $0.behind == evidence.behind }) {
      clockEvidence[index].nanoseconds = min(clockEvidence[index].nanoseconds, evidence.nanoseconds)
      clockEvidence[index].firmSigns += evidence.firmSigns
    } else if clockEvidence.count < Self.keptEvidence {
      clockEvidence.append(evidence)
    }
  }
}

/// A callback that was queued only after it had run, by the times that two CPUs gave: either their clocks disagree, or it
/// belongs to another call whose queue event is missing.
public struct ClockEvidence: Sendable, Hashable {
  /// The CPU whose clock would be ahead …
  public var ahead: UInt16
  /// … and the one whose clock would be behind …
  public var behind: UInt16
  /// … by this much at least.
  public var nanoseconds: UInt64
  /// How many callbacks say so of which the queue event can't be missing, because all sources were known.
  public var firmSigns: UInt64

  public init(ahead: UInt16, behind: UInt16, nanoseconds: UInt64, firmSigns: UInt64) {
    self.ahead = ahead
    self.behind = behind
    self.nanoseconds = nanoseconds
    self.firmSigns = firmSigns
  }
}

/// What the builder has to know of the trace beforehand.
public struct HistorySettings: Sendable {
  /// The CPUs that were recorded.
  public var cpus: [Int] = []
  /// CPUs ran whose events were not recorded: queue events of theirs are missing throughout.
  public var someCPUsUnrecorded = false
  /// Where `sched_ttwu_pending()` begins; nil: the builder asks the symbols.
  public var wakeupFunction: UInt64?
  /// Where `generic_smp_call_function_single_interrupt()` begins; nil: the builder asks the symbols.
  public var crossCallFunction: UInt64?
  /// Event types known to have been switched on. Types that are seen count as well.
  public var recordedKinds: Set<EventKind> = []
  /// The CPUs that the machine can have, or nil when that is not known.
  public var possibleCPUs: CPUMask?
  /// Addresses in events are those of a 64-bit kernel, neither hashed nor made up.
  public var addressesAreRaw = false
  /// Whether the flags of the events say in which context they happened. Text can lack them.
  public var contextIsKnown = true

  public init() {}
}
