import CallEngines
public import CallHistories
import TraceTypes
import Verdicts

/// Makes a load out of the complete calls of a recording, one by one.
///
/// What no event shows is taken to be as it mostly is, and counted: see ``assumptions``.
public struct LoadReader: Sendable {
  /// What had to be assumed, how often.
  public struct Assumptions: Sendable, Equatable {
    /// Calls that are taken to have waited, because the caller went on only when the callbacks were over.
    public var waits: UInt64 = 0
    /// Calls whose kind the trace does not tell, taken for single calls.
    public var kinds: UInt64 = 0
    /// Callbacks whose length was not seen.
    public var runs: UInt64 = 0

    public init() {}
  }

  public private(set) var assumptions = Assumptions()

  /// What one CPU's latest waiting call was, and when it returned.
  private struct Caller: Sendable {
    var pid: Int32
    var returned: UInt64
  }

  private var callers: ContiguousArray<Caller?> = []
  /// Which function was last seen with a csd, and by which source: a csd that one source uses for many functions is
  /// the CPU's own, not the caller's.
  private var owners = CSDOwners()

  private let notWaiting: WaitlessCallers
  private var handlers = RecentHandlers()
  private var releases = ReleaseTimes()
  private var released: [(UInt64, UInt64)] = []

  /// - Parameter notWaiting: those who were seen not to wait, anywhere in the recording.
  public init(notWaiting: WaitlessCallers) { self.notWaiting = notWaiting }

  /// Appends a call to a batch. A call that ran on the caller's CPU alone, in place, is left out: no engine has a part in it.
  /// - Complexity: O(targets · log targets).
  public mutating func append(_ call: CompletedCall, targets: Span<QueuedCall>, to batch: inout LoadBatch) {
    guard targets.count > 0 else { return }
    let first = batch.targets.count
    var lastEnd: UInt64?
    var allEnded = true
    var isSync = false
    for index in targets.indices {
      if targets[index].type == .sync { isSync = true }
      if let ended = targets[index].ended, !targets[index].inferred {
        lastEnd = max(lastEnd ?? 0, ended)
      } else {
        allEnded = false
      }
      batch.targets.append(target(at: index, of: targets))
    }
    batch.targets[first...].sort { $0.cpu < $1.cpu }
    for (csd, time) in released { releases.add(csd, at: time) }
    released.removeAll(keepingCapacity: true)

    if let localEnded = call.localEnded { lastEnd = max(lastEnd ?? 0, localEnded) }
    let context = context(of: call)
    let waits = waits(
      call, context, isSync: isSync, isAsync: targets[0].type == .async, lastEnd: allEnded ? lastEnd : nil)
    let source = Int(call.source)
    while callers.count <= source { callers.append(nil) }
    var think: UInt64?
    if context != .interrupt, let caller = callers[source], caller.pid == call.pid, caller.returned <= call.began {
      let between = call.began - caller.returned
      think = between - min(between, handlers.time(on: source, from: caller.returned, to: call.began))
    }
    if context != .interrupt {
      callers[source] = waits && allEnded ? lastEnd.map { Caller(pid: call.pid, returned: $0) } : nil
    }
    let (kind, storage) = kind(of: call, targets[0], waits: waits)
    batch.calls.append(
      LoadedCall(
        time: call.began, source: Int32(call.source), pid: call.pid, kind: kind, waits: waits, context: context,
        storage: storage, function: call.function, thinkNanoseconds: think,
        localNanoseconds: call.localStarted.map { start in call.localEnded.map { $0 &- start } ?? 0 },
        targets: first..<batch.targets.count, returned: waits && allEnded ? lastEnd : nil))
  }

  private mutating func target(at index: Int, of targets: Span<QueuedCall>) -> LoadedTarget {
    let queued = targets[index]
    let isSeen = !queued.inferred && !queued.followsUnseen
    var target = LoadedTarget(
      cpu: Int32(queued.target), kick: queued.kick, addNanoseconds: nil, resumeNanoseconds: nil, sent: nil,
      arrived: nil, runNanoseconds: nil,
      delayNanoseconds: nil)
    // The next event of the call: the next target's, or the kick.
    let next = index + 1 < targets.count ? targets[index + 1].queued : kicked(targets)
    if let next, next >= queued.queued {
      let handlers = handlers.time(on: Int(queued.source), from: queued.queued, to: next)
      var work = next - queued.queued
      if index + 1 < targets.count, let free = releases.release(of: targets[index + 1].csd), free > queued.queued,
        free < next
      {
        // The wait for that csd ended then; what came behind it is the next target's.
        work = 0
      }
      target.addNanoseconds = work - min(work, handlers)
    }
    if index > 0, let free = releases.release(of: queued.csd), free > targets[index - 1].queued, free < queued.queued {
      let handlers = handlers.time(on: Int(queued.source), from: free, to: queued.queued)
      target.resumeNanoseconds = queued.queued - free - min(queued.queued - free, handlers)
    }
    if queued.kind == .many, let free = isSeen ? (queued.type == .sync ? queued.ended : queued.started) : nil {
      released.append((queued.csd, free))
    }
    if let kicked = queued.kicked, queued.kick == .ipi || queued.kick == .maskIPI, let handler = queued.handler,
      handler >= kicked
    {
      target.sent = kicked
      target.arrived = handler
    }
    if isSeen, let started = queued.started {
      if started >= queued.queued { target.delayNanoseconds = started - queued.queued }
      if let ended = queued.ended, ended >= started { target.runNanoseconds = ended - started }
      if queued.kick == .polling, let kicked = queued.kicked, started >= kicked {
        target.sent = kicked
        target.arrived = started
      }
    }
    if target.runNanoseconds == nil, queued.kind == .single || queued.kind == .many { assumptions.runs += 1 }
    return target
  }

  /// When the call was over with its queueing: its first kick.
  private func kicked(_ targets: Span<QueuedCall>) -> UInt64? {
    var first: UInt64?
    for index in targets.indices {
      if let kicked = targets[index].kicked { first = min(first ?? kicked, kicked) }
    }
    return first
  }

  /// A handler of cross calls ran.
  public mutating func handlerRan(on cpu: Int, from start: UInt64, to end: UInt64) {
    handlers.add(cpu, start, end)
  }

  private mutating func waits(
    _ call: CompletedCall, _ context: LoadedCall.Context, isSync: Bool, isAsync: Bool, lastEnd: UInt64?
  ) -> Bool {
    if let waits = call.waits { return waits }
    if call.kind == .wakeup || call.kind == .irqWork || isAsync { return false }
    if isSync { return true }
    // With interrupts off nobody may wait; and who did not wait once does not.
    if context != .task || notWaiting.contains(call) { return false }
    guard let movedOn = call.callerMovedOn, let lastEnd, movedOn >= lastEnd else { return false }
    assumptions.waits += 1
    return true
  }

  private func context(of call: CompletedCall) -> LoadedCall.Context {
    if call.flags.isUnknown { return .task }
    if call.flags.level != .task { return .interrupt }
    return call.flags.contains(.interruptsOff) ? .interruptsOff : .task
  }

  private mutating func kind(
    of call: CompletedCall, _ first: QueuedCall, waits: Bool
  ) -> (Call.Kind, storage: UInt64) {
    switch call.kind {
    case .many: return (call.localStarted == nil ? .many : .onEach, 0)
    case .wakeup: return (.wakeup, first.csd)
    case .irqWork: return (.irqWork, first.csd)
    case .local: return (.single, 0)
    case .unknown, .single:
      if call.kind == .unknown { assumptions.kinds += 1 }
      if waits { return (.single, 0) }
      return owners.isCPUsOwn(csd: first.csd, source: call.source, function: call.function)
        ? (.single, 0) : (.singleAsync, first.csd)
    }
  }
}

/// The handlers that each CPU ran last.
private struct RecentHandlers: Sendable {
  private static let kept = 128
  private var rings: [ContiguousArray<(start: UInt64, end: UInt64)>] = []
  private var counts: [Int] = []

  mutating func add(_ cpu: Int, _ start: UInt64, _ end: UInt64) {
    while rings.count <= cpu {
      rings.append([])
      counts.append(0)
    }
    if rings[cpu].count < Self.kept {
      rings[cpu].append((start, end))
    } else {
      rings[cpu][counts[cpu] % Self.kept] = (start, end)
    }
    counts[cpu] += 1
  }

  /// How much of a stretch a CPU spent in handlers.
  /// - Complexity: O(1) for a short stretch: nothing is looked up where no handler can have fitted.
  func time(on cpu: Int, from start: UInt64, to end: UInt64) -> UInt64 {
    guard cpu < rings.count, end - start > 1_000 else { return 0 }
    var sum: UInt64 = 0
    for handler in rings[cpu] where handler.start < end && handler.end > start {
      sum += min(handler.end, end) - max(handler.start, start)
    }
    return sum
  }
}

/// When csds of multi-CPU calls were last unlocked.
private struct ReleaseTimes: Sendable {
  /// By a hash of the csd; a newer one takes the place of an older one.
  private var entries = ContiguousArray(repeating: (csd: UInt64(0), time: UInt64(0)), count: 16_384)

  private func place(_ csd: UInt64) -> Int { Int(truncatingIfNeeded: (csd &* 0x9E37_79B9_7F4A_7C15) &>> 50) }

  mutating func add(_ csd: UInt64, at time: UInt64) { entries[place(csd)] = (csd, time) }

  func release(of csd: UInt64) -> UInt64? {
    let entry = entries[place(csd)]
    return entry.csd == csd ? entry.time : nil
  }
}

/// Callers that were seen not to wait, by call site and function.
public struct WaitlessCallers: Sendable {
  private static let most = 1 << 16
  private var keys: Set<UInt64> = []

  public init() {}

  private static func key(_ call: CompletedCall) -> UInt64 { RandomNumbers.mix(call.callsite) ^ call.function }

  mutating func look(at call: CompletedCall) {
    if call.waits == false, keys.count < Self.most { keys.insert(Self.key(call)) }
  }

  func contains(_ call: CompletedCall) -> Bool { keys.contains(Self.key(call)) }
}

/// Tells the csd of a CPU's own from those of callers: it is used by one CPU alone, for one function and another.
private struct CSDOwners: Sendable {
  private struct Use: Sendable {
    var csd: UInt64 = 0
    var function: UInt64 = 0
    var source: UInt16 = 0
    var isShared = false
    var hasOthers = false
  }

  /// By a hash of the csd; a newer one takes the place of an older one.
  private var uses = ContiguousArray(repeating: Use(), count: 4_096)

  mutating func isCPUsOwn(csd: UInt64, source: UInt16, function: UInt64) -> Bool {
    let place = Int(truncatingIfNeeded: (csd &* 0x9E37_79B9_7F4A_7C15) &>> 52)
    guard uses[place].csd == csd else {
      uses[place] = Use(csd: csd, function: function, source: source)
      return false
    }
    if uses[place].source != source { uses[place].isShared = true }
    if uses[place].function != function { uses[place].hasOthers = true }
    return uses[place].hasOthers && !uses[place].isShared
  }
}
