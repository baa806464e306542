internal import BasicContainers
public import CallHistories
public import TraceTypes

/// Counts and times complete calls, one by one, in memory that grows with the number of different call sites and CPU pairs
/// and not with the number of calls.
public struct CallStatistics: ~Copyable, Sendable {
  /// How many of the latest calls are kept.
  static let keptLateCalls = 20
  /// How many different callbacks, callers and sources are told apart; what comes later is counted in the totals only.
  static let keptKinds = 16_384

  public private(set) var total: UInt64 = 0
  public private(set) var queued: UInt64 = 0
  public private(set) var judged: UInt64 = 0
  public private(set) var executed: UInt64 = 0
  public private(set) var pending: UInt64 = 0
  public private(set) var lost: UInt64 = 0
  public private(set) var local: UInt64 = 0
  public private(set) var unqueued: UInt64 = 0
  public private(set) var kicks = KickCounts()
  public private(set) var kinds = CallSummary.Kinds()
  public private(set) var types = CallSummary.Types()
  private var notJudged = [UInt64](repeating: 0, count: UndecidedReason.allCases.count)

  private var queueToKick = DurationTally()
  private var kickToHandler = DurationTally()
  private var handlerToStart = DurationTally()
  private var callerWait = DurationTally()

  private var callbackTable = InternTable(limit: keptKinds)
  private var callbacks = UniqueArray<CallbackCount>()
  /// All callbacks beyond the limit.
  private var otherCallbacks = CallbackCount()
  /// By call site and function.
  private var callerTable = InternTable(limit: keptKinds)
  private var callers = UniqueArray<CallerCount>()
  /// By the caller's number and the task's pid: who calls most from where.
  private var taskTable = InternTable(limit: 4 * keptKinds)
  private var tasks = UniqueArray<UInt64>()
  /// Callers some of whose tasks were not counted, because there were too many.
  private var crowdedCallers: Set<Int> = []
  /// By source and target; the limit holds all pairs of 1,024 CPUs.
  private var pairTable = InternTable(limit: 1 << 20)
  private var pairs = UniqueArray<PairCount>()
  private var interference: [Int: InterferenceCount] = [:]
  private(set) var late: [LateCandidate] = []
  /// Calls with a longer delay are among those; nil while there is room for all.
  private var lateBeyond: UInt64?

  struct CallbackCount: ~Copyable, Sendable {
    var queued: UInt64 = 0
    var runs: UInt64 = 0
    var localRuns: UInt64 = 0
    var kicks: UInt64 = 0
    var delay = DurationTally()
    /// Of queued calls, and of runs that nothing had queued here.
    var run = DurationTally()
    var otherRun = DurationTally()

    @inline(__always)
    mutating func add(isKick: Bool, delay: UInt64?, run: UInt64?) {
      queued += 1
      if isKick { kicks += 1 }
      guard let delay else { return }
      runs += 1
      self.delay.record(delay)
      if let run { self.run.record(run) }
    }

    @inline(__always)
    mutating func addLocal(run: UInt64?) {
      runs += 1
      localRuns += 1
      if let run { otherRun.record(run) }
    }
  }

  struct CallerCount: Sendable {
    var calls: UInt64 = 0
    var targets: UInt64 = 0
    var kicks: UInt64 = 0
    /// Calls from contexts in which a call that waits could deadlock.
    var interruptsOff: UInt64 = 0
    var hard: UInt64 = 0
    var soft: UInt64 = 0

    mutating func add(_ call: CompletedCall, targets: UInt64, kicks: UInt64) {
      calls += 1
      self.targets += targets
      self.kicks += kicks
      // Wakeups and irq_work are made for these contexts.
      guard call.kind != .wakeup, call.kind != .irqWork, !call.flags.isUnknown else { return }
      switch call.flags.level {
      case .task: if call.flags.contains(.interruptsOff) { interruptsOff += 1 }
      case .soft: soft += 1
      case .hard, .nonMaskable: hard += 1
      }
    }
  }

  struct PairCount: Sendable {
    var calls: UInt64 = 0
    var ipis: UInt64 = 0

    @inline(__always)
    mutating func add(isIPI: Bool) {
      calls += 1
      if isIPI { ipis += 1 }
    }
  }

  private struct SourceKey: Hashable, Sendable {
    var callsite: UInt64
    var function: UInt64
    var source: UInt16
    var pid: Int32
  }

  private struct SourceCount: Sendable {
    var count: UInt64 = 0
    var ipis: UInt64 = 0
    var run: UInt64 = 0
    var longest: UInt64 = 0

    mutating func add(_ other: SourceCount) {
      count += other.count
      ipis += other.ipis
      run &+= other.run
      longest = max(longest, other.longest)
    }
  }

  /// What a source is called: tasks of one name are one.
  private struct NamedSource: Hashable {
    var callsite: UInt64
    var function: UInt64
    var source: UInt16
    var comm: String?
  }

  private struct InterferenceCount: Sendable {
    var selectedAs: Interference.Selection
    var handlers: UInt64 = 0
    var handlerTime: UInt64 = 0
    var callbacks: UInt64 = 0
    var callbackTime: UInt64 = 0
    var reschedules: UInt64 = 0
    var sources: [SourceKey: SourceCount] = [:]
    /// Callbacks that no event queued, by function, and those beyond the limit.
    var unqueued: [UInt64: SourceCount] = [:]
    var otherUnqueued = SourceCount()
  }

  struct LateCandidate: Sendable {
    var call: QueuedCall
    var pid: Int32
    var delay: UInt64
  }

  /// - Parameter watched: the CPUs whose interference is told apart by source.
  public init(watched: [Int: Interference.Selection] = [:]) {
    for (cpu, selection) in watched { interference[cpu] = InterferenceCount(selectedAs: selection) }
  }

  // MARK: Taking

  /// Counts one complete call.
  /// - Returns: its caller's place in ``callerKeys``; nil where it has none.
  @discardableResult
  public mutating func add(_ call: CompletedCall, targets: Span<QueuedCall>) -> Int? {
    total += 1
    count(kind: call.kind)
    var kicked: UInt64 = 0
    for index in targets.indices {
      if targets[index].kick.isKick { kicked += 1 }
      add(targets, index, pid: call.pid)
    }
    var caller: Int?
    if targets.count > 0 {
      caller = count(caller: call, targets: UInt64(targets.count), kicks: kicked)
      if call.waits != false, let moved = call.callerMovedOn { callerWait.record(moved &- call.began) }
    }
    if let started = call.localStarted { addLocal(call, started: started) }
    return caller
  }

  /// Call site and function of every caller, by its number.
  package var callerKeys: ContiguousArray<(UInt64, UInt64)> { callerTable.keys }

  private mutating func count(kind: CallKind) {
    switch kind {
    case .single: kinds.single += 1
    case .many: kinds.many += 1
    case .wakeup: kinds.wakeup += 1
    case .irqWork: kinds.irqWork += 1
    case .local: kinds.local += 1
    case .unknown: kinds.unknown += 1
    }
  }

  private mutating func count(caller call: CompletedCall, targets: UInt64, kicks: UInt64) -> Int? {
    guard let index = callerTable.number(call.callsite, call.function) else { return nil }
    if index == callers.count { callers.append(CallerCount()) }
    callers[index].add(call, targets: targets, kicks: kicks)
    guard let task = taskTable.number(UInt64(index), UInt64(UInt32(bitPattern: call.pid))) else {
      crowdedCallers.insert(index)
      return index
    }
    if task == tasks.count { tasks.append(0) }
    tasks[task] += 1
    return index
  }

  /// The place of a callback's counts, or nil beyond the limit.
  @inline(__always)
  private mutating func callbackIndex(_ function: UInt64) -> Int? {
    guard let index = callbackTable.number(function, 0) else { return nil }
    if index == callbacks.count { callbacks.append(CallbackCount()) }
    return index
  }

  @inline(__always)
  private mutating func count(pair source: UInt16, _ target: UInt16, isIPI: Bool) {
    guard let index = pairTable.number(UInt64(source), UInt64(target)) else { return }
    if index == pairs.count { pairs.append(PairCount()) }
    pairs[index].add(isIPI: isIPI)
  }

  // What is handed on is the place of a call and not the call, which is large.
  @inline(__always)
  private mutating func add(_ targets: Span<QueuedCall>, _ index: Int, pid: Int32) {
    queued += 1
    let kick = targets[index].kick
    switch kick {
    case .ipi: kicks.ipi += 1
    case .maskIPI: kicks.maskIPI += 1
    case .coalesced: kicks.coalesced += 1
    case .polling: kicks.polling += 1
    case .unknown, .undecided: kicks.unknown += 1
    }
    account(targets, index)
    switch targets[index].type {
    case .sync: types.sync += 1
    case .async: types.async += 1
    case .irqWork: types.irqWork += 1
    case .wakeup: types.wakeup += 1
    case nil: types.unknown += 1
    }

    let isIPI = kick == .ipi || kick == .maskIPI
    count(pair: targets[index].source, targets[index].target, isIPI: isIPI)

    time(targets, index, pid: pid)
    if !interference.isEmpty { interfere(targets[index], pid: pid, isIPI: isIPI) }
  }

  @inline(__always)
  private mutating func account(_ targets: Span<QueuedCall>, _ index: Int) {
    let isJudged = targets[index].judged
    if isJudged { judged += 1 }
    switch targets[index].outcome {
    case .ran where isJudged: executed += 1
    case .lost: lost += 1
    case .pending: pending += 1
    case .ran, .undecided, .open: notJudged[Int((targets[index].reason ?? .stateUnknown).rawValue)] += 1
    }
  }

  @inline(__always)
  private mutating func time(_ targets: Span<QueuedCall>, _ index: Int, pid: Int32) {
    let queued = targets[index].queued
    let handler = targets[index].handler
    let kick = targets[index].kick
    let isInferred = targets[index].inferred
    let started = isInferred ? nil : targets[index].started
    let ended = isInferred ? nil : targets[index].ended
    if let kicked = targets[index].kicked, kicked >= queued {
      queueToKick.record(kicked &- queued)
      if kick != .polling, let handler, handler >= kicked { kickToHandler.record(handler &- kicked) }
    }
    if let started, let handler, started >= handler { handlerToStart.record(started &- handler) }

    var delay: UInt64?
    var run: UInt64?
    if let started, started >= queued {
      delay = started &- queued
      if let ended { run = ended &- started }
    }
    if let callback = callbackIndex(targets[index].function) {
      callbacks[callback].add(isKick: kick.isKick, delay: delay, run: run)
    } else {
      otherCallbacks.add(isKick: kick.isKick, delay: delay, run: run)
    }
    guard let delay else { return }
    if let lateBeyond, delay <= lateBeyond { return }
    keepLate(targets[index], pid: pid, delay: delay)
  }

  @inline(never)
  private mutating func keepLate(_ call: QueuedCall, pid: Int32, delay: UInt64) {
    let position = late.firstIndex { $0.delay < delay } ?? late.count
    late.insert(LateCandidate(call: call, pid: pid, delay: delay), at: position)
    if late.count > Self.keptLateCalls { late.removeLast() }
    if late.count == Self.keptLateCalls { lateBeyond = late.last?.delay }
  }

  private mutating func interfere(_ call: QueuedCall, pid: Int32, isIPI: Bool) {
    guard interference[Int(call.target)] != nil else { return }
    let run = call.inferred ? 0 : (call.started.flatMap { start in call.ended.map { $0 &- start } } ?? 0)
    let key = SourceKey(callsite: call.callsite, function: call.function, source: call.source, pid: pid)
    func count(_ cpu: inout InterferenceCount) {
      guard call.outcome == .ran else { return }
      cpu.callbacks += 1
      cpu.callbackTime &+= run
      guard cpu.sources[key] != nil || cpu.sources.count < Self.keptKinds else { return }
      func count(_ source: inout SourceCount) {
        source.count += 1
        if isIPI { source.ipis += 1 }
        source.run &+= run
        source.longest = max(source.longest, run)
      }
      count(&cpu.sources[key, default: SourceCount()])
    }
    count(&interference[Int(call.target)]!)
  }

  private mutating func addLocal(_ call: CompletedCall, started: UInt64) {
    local += 1
    count(pair: call.source, call.source, isIPI: false)
    guard let callback = callbackIndex(call.function) else { return }
    callbacks[callback].addLocal(run: call.localEnded.map { $0 &- started })
  }

  /// Counts a callback that no event queued: it interrupts as every other does, and who asked for it is not known.
  public mutating func addUnqueued(_ event: TraceEvent) {
    unqueued += 1
    if let callback = callbackIndex(event.function) { callbacks[callback].runs += 1 }
    interfere(unqueued: event.function, cpu: event.cpu) { $0.count += 1 }
  }

  /// Times a callback that no event queued.
  public mutating func addUnqueuedEnd(_ event: TraceEvent, started: UInt64) {
    let run = event.nanoseconds &- started
    if let callback = callbackIndex(event.function) { callbacks[callback].otherRun.record(run) }
    interfere(unqueued: event.function, cpu: event.cpu) {
      $0.run &+= run
      $0.longest = max($0.longest, run)
    }
  }

  private mutating func interfere(unqueued function: UInt64, cpu: UInt16, count: (inout SourceCount) -> Void) {
    guard !interference.isEmpty, interference[Int(cpu)] != nil else { return }
    func add(_ cpu: inout InterferenceCount) {
      guard cpu.unqueued[function] != nil || cpu.unqueued.count < Self.keptKinds else {
        count(&cpu.otherUnqueued)
        return
      }
      count(&cpu.unqueued[function, default: SourceCount()])
    }
    add(&interference[Int(cpu)]!)
  }

  /// Counts a handler.
  public mutating func addHandler(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {
    guard !interference.isEmpty, interference[Int(cpu)] != nil else { return }
    switch kind {
    case .crossCall:
      interference[Int(cpu)]!.handlers += 1
      interference[Int(cpu)]!.handlerTime &+= end &- start
    case .reschedule: interference[Int(cpu)]!.reschedules += 1
    case .irqWork: break
    }
  }

  // MARK: Giving

  /// The sums that must add up: see ``Accounting``.
  public var accounting: Accounting {
    let notJudged = notJudged
    return Accounting(
      queued: queued, executed: executed, lost: lost, pending: pending,
      notJudged: UndecidedReason.allCases.compactMap { reason in
        let count = notJudged[Int(reason.rawValue)]
        return count == 0 ? nil : Accounting.Reason(reason: reason.name, count: count)
      }, local: local, unqueued: unqueued)
  }

  public var latency: LatencySplit {
    // Of all callbacks.
    var queueToStart = otherCallbacks.delay.recorder
    var startToEnd = otherCallbacks.run.recorder
    for index in 0..<callbacks.count {
      queueToStart.add(callbacks[index].delay)
      startToEnd.add(callbacks[index].run)
    }
    return LatencySplit(
      queueToKick: queueToKick.recorder.distribution, kickToHandler: kickToHandler.recorder.distribution,
      handlerToStart: handlerToStart.recorder.distribution, queueToStart: queueToStart.distribution,
      startToEnd: startToEnd.distribution, callerWaitAtMost: callerWait.recorder.distribution)
  }

  public var matrix: CallMatrix {
    var cells: [CallMatrix.Cell] = []
    for (index, key) in pairTable.keys.enumerated() {
      cells.append(
        CallMatrix.Cell(
          source: Int(key.0), target: Int(key.1), calls: pairs[index].calls, ipis: pairs[index].ipis))
    }
    cells.sort { ($0.source, $0.target) < ($1.source, $1.target) }
    return CallMatrix(cpus: Set(cells.flatMap { [$0.source, $0.target] }).sorted(), cells: cells)
  }

  /// Calls by kind, callback and caller.
  /// - Parameter comm: the name of a task.
  public func calls(names: any AddressNaming, comm: (Int32) -> String?) -> CallSummary {
    var byCallback: [CallSummary.Callback] = []
    for (index, key) in callbackTable.keys.enumerated() {
      var run = callbacks[index].run.recorder
      run.add(callbacks[index].otherRun)
      byCallback.append(
        CallSummary.Callback(
          callback: names.text(key.0), queued: callbacks[index].queued, runs: callbacks[index].runs,
          localRuns: callbacks[index].localRuns, kicks: callbacks[index].kicks,
          delay: callbacks[index].delay.recorder.summary, run: run.summary))
    }
    let busiest = busiestTasks(comm: comm)
    var byCaller: [CallSummary.Caller] = []
    for (index, key) in callerTable.keys.enumerated() {
      byCaller.append(
        CallSummary.Caller(
          callsite: names.text(key.0), callback: names.text(key.1), comm: busiest[index],
          calls: callers[index].calls, targets: callers[index].targets, kicks: callers[index].kicks))
    }
    return CallSummary(
      total: total, byKind: kinds, byType: types,
      byCallback: byCallback.sorted {
        ($1.queued &+ $1.localRuns, $1.runs, $0.callback) < ($0.queued &+ $0.localRuns, $0.runs, $1.callback)
      },
      byCaller: byCaller.sorted { ($1.calls, $0.callsite, $0.callback) < ($0.calls, $1.callsite, $1.callback) })
  }

  /// By caller: the name under which most of its calls were made, or nil where that is not known.
  private func busiestTasks(comm: (Int32) -> String?) -> [String?] {
    var counts = [[String: UInt64]](repeating: [:], count: callers.count)
    var unnamed = [UInt64](repeating: 0, count: callers.count)
    for (index, key) in taskTable.keys.enumerated() {
      let count = tasks[index]
      if let name = comm(Int32(truncatingIfNeeded: key.1)) {
        counts[Int(key.0)][name, default: 0] += count
      } else {
        unnamed[Int(key.0)] += count
      }
    }
    let crowdedCallers = crowdedCallers
    return counts.indices.map { index in
      let best = counts[index].max { ($0.value, $1.key) < ($1.value, $0.key) }
      guard let best, best.value > unnamed[index], !crowdedCallers.contains(index) else { return nil }
      return best.key
    }
  }

  public func interference(names: any AddressNaming, comm: (Int32) -> String?) -> [Interference] {
    let interference = interference
    return interference.keys.sorted().map { cpu in
      let count = interference[cpu]!
      var named: [NamedSource: SourceCount] = [:]
      for (key, source) in count.sources {
        let name = NamedSource(
          callsite: key.callsite, function: key.function, source: key.source, comm: comm(key.pid))
        named[name, default: SourceCount()].add(source)
      }
      var sources = named.map { key, source in
        Interference.Source(
          callback: names.text(key.function), callsite: names.text(key.callsite), comm: key.comm,
          sourceCPU: Int(key.source), count: source.count, ipis: source.ipis, runNanoseconds: source.run,
          maxRunNanoseconds: source.longest)
      }
      var unqueued = count.otherUnqueued
      for (function, source) in count.unqueued {
        unqueued.add(source)
        sources.append(
          Interference.Source(
            callback: names.text(function), callsite: nil, comm: nil, sourceCPU: nil, count: source.count,
            ipis: source.ipis, runNanoseconds: source.run, maxRunNanoseconds: source.longest))
      }
      return Interference(
        cpu: cpu, selectedAs: count.selectedAs, handlers: count.handlers, handlerNanoseconds: count.handlerTime,
        callbacks: count.callbacks + unqueued.count, callbackNanoseconds: count.callbackTime &+ unqueued.run,
        reschedules: count.reschedules,
        sources: sources.sorted {
          ($1.count, $0.callback, $0.callsite ?? "", $0.sourceCPU ?? -1, $0.comm ?? "")
            < ($0.count, $1.callback, $1.callsite ?? "", $1.sourceCPU ?? -1, $1.comm ?? "")
        })
    }
  }

  public func blocking(names: any AddressNaming, comm: (Int32) -> String?) -> BlockingSummary {
    let calls = late.map { candidate in
      let call = candidate.call
      return BlockingSummary.LateCall(
        source: Int(call.source), target: Int(call.target), callback: names.text(call.function),
        callsite: names.text(call.callsite), comm: comm(candidate.pid), queuedNanoseconds: call.queued,
        kickNanoseconds: call.kicked, handlerNanoseconds: call.handler, startedNanoseconds: call.started ?? call.queued,
        endedNanoseconds: call.ended, cause: Self.cause(call, delay: candidate.delay))
    }
    var delicate: [BlockingSummary.Context] = []
    for (index, key) in callerTable.keys.enumerated() {
      let count = callers[index]
      if count.interruptsOff == 0, count.hard == 0, count.soft == 0 { continue }
      delicate.append(
        BlockingSummary.Context(
          callsite: names.text(key.0), callback: names.text(key.1), interruptsOff: count.interruptsOff,
          hardInterrupt: count.hard, softInterrupt: count.soft))
    }
    return BlockingSummary(
      latestCalls: calls,
      delicateContexts: delicate.sorted {
        let left = $0.interruptsOff &+ $0.hardInterrupt &+ $0.softInterrupt
        let right = $1.interruptsOff &+ $1.hardInterrupt &+ $1.softInterrupt
        return (right, $0.callsite, $0.callback) < (left, $1.callsite, $1.callback)
      })
  }

  /// Which part of the delay is more than half of it.
  package static func cause(_ call: QueuedCall, delay: UInt64) -> BlockingSummary.Cause {
    guard let started = call.started else { return .unknown }
    if let handler = call.handler, started > handler, (started &- handler) > delay / 2 { return .callbackAhead }
    guard let kicked = call.kicked, kicked >= call.queued else { return .unknown }
    if kicked &- call.queued > delay / 2 { return .kickDelayed }
    if let handler = call.handler, handler > kicked, handler &- kicked > delay / 2 { return .targetLate }
    return .unknown
  }
}
