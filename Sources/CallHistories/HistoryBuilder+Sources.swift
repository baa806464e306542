internal import BasicContainers
import TraceTypes

/// The source's side: queue events, kicks, and the moment at which both are certain.
extension HistoryBuilder {
  func slotIndex(_ cpu: UInt16, _ level: ContextLevel) -> Int { Int(cpu) * 4 + Int(level.rawValue) }

  // MARK: Queue events

  mutating func queued(_ event: TraceEvent, level: ContextLevel) {
    let target = Int(event.target)
    checkPossible(cpu: target)
    checkAddresses(event)
    guard target >= 0, target <= CPUMask.highestCPU else { return }
    ensure(cpu: target)
    let kind = kind(ofCallsite: event.callsite, function: event.function)
    let slot = slotIndex(event.cpu, level)
    // A slot that is still open here belongs to the same multi-CPU call: closeSlots() has closed every other.
    if slots[slot].phase == .closed { openSlot(slot, event, kind: kind, level: level) }
    let sequence = slots[slot].call
    let last = calls[sequence].lastNode
    checkQueueing(event, kind: kind, isFirst: last < 0)
    let node = lineUp(event, kind: kind, call: sequence, target: target)
    if last >= 0 { nodes[Int(last)].follow(node, at: event.nanoseconds) }
    calls[sequence].append(node)
    if orphans.mayHold(cpu: UInt16(truncatingIfNeeded: target), csd: event.csd) { noteSkew(event) }
    makeFindable(node, csd: event.csd)
    giveUpBeyondLimits(at: event.nanoseconds)
  }

  @inline(__always)
  private mutating func openSlot(_ slot: Int, _ event: TraceEvent, kind: CallKind, level: ContextLevel) {
    let cpu = Int(event.cpu)
    var call = CallRecord(event, kind: kind, callsite: event.callsite, level: level)
    call.shown.previousAt = cpus[cpu].latest.time(through: level)
    call.slotOpen = true
    call.mayHaveBegunUnseen =
      cpus[cpu].unseenLevels >> level.rawValue & 1 == 1
      && (cpus[cpu].gaps > 0 || statistics.hasSilentLosses(of: event.cpu))
    cpus[cpu].openLevels |= 1 << level.rawValue
    slots[slot] = CallSlot(phase: .queueing, isOfUnknownContext: event.flags.isUnknown, call: calls.append(call))
  }

  /// What a call site makes, by the name of the function that holds it.
  ///
  /// Seen on 6.12 and 6.18: all single calls are queued by `generic_exec_single()`, wakeups by `ttwu_queue_wakelist()` (or
  /// the function into which that was compiled), irq_work by `irq_work_queue_on()`, and everything else is the caller of
  /// `smp_call_function_many_cond()`.
  private mutating func kind(ofCallsite callsite: UInt64, function: UInt64) -> CallKind {
    if let wakeupFunction, function == wakeupFunction { return .wakeup }
    // A few call sites make nearly all of the calls.
    let place = Int(truncatingIfNeeded: (callsite &>> 2) & 63)
    if recentSites[place].callsite == callsite { return recentSites[place].kind }
    let kind = siteKind(callsite)
    recentSites[place] = (callsite, kind)
    return kind
  }

  /// A symbol without what compilers put behind it: `.constprop.0`, `.isra.0`, `.llvm.123`.
  static func withoutSuffix(_ symbol: String) -> Substring {
    guard let dot = symbol.firstIndex(of: "."), dot > symbol.startIndex else { return symbol[...] }
    return symbol[..<dot]
  }

  private mutating func siteKind(_ callsite: UInt64) -> CallKind {
    if let known = siteKinds[callsite] { return known }
    let kind: CallKind
    switch names.symbolName(containing: callsite).map(Self.withoutSuffix) {
    case nil: kind = .unknown
    case "generic_exec_single", "smp_call_function_single_async", "smp_call_function_single": kind = .single
    case "irq_work_queue_on": kind = .irqWork
    case "ttwu_queue_wakelist", "__ttwu_queue_wakelist": kind = .wakeup
    case .some: kind = .many
    }
    // Call sites are few; a hostile file must not make them many.
    if siteKinds.count < 65_536 { siteKinds[callsite] = kind }
    return kind
  }

  // MARK: Kicks

  mutating func sentIPI(_ event: TraceEvent, level: ContextLevel) {
    // Callback 0 is a reschedule IPI; an IPI to the own CPU is an irq_work's.
    guard event.function != 0, event.target != Int32(event.cpu) else { return }
    checkCallback(event)
    let slot = slotIndex(event.cpu, level)
    if event.flags.isUnknown { return kickedInUnknownContext(event, slot: slot, kick: .ipi, maskWords: Span()) }
    if slots[slot].phase == .queueing {
      decideKicks(slot: slot, at: event.nanoseconds, kick: .ipi) { $0 == event.target }
    } else if isCrossCall(event.function) {
      kickedWithoutQueue(event, target: event.target)
    }
  }

  mutating func sentMaskIPI(_ event: TraceEvent, level: ContextLevel, maskWords: Span<UInt64>) {
    guard event.function != 0 else { return }
    checkCallback(event)
    guard isCrossCall(event.function) else { return }
    let slot = slotIndex(event.cpu, level)
    if event.flags.isUnknown { return kickedInUnknownContext(event, slot: slot, kick: .maskIPI, maskWords: maskWords) }
    let first = Int(event.target)
    let count = Int(event.detail)
    if slots[slot].phase == .queueing {
      let extra = targetsNotQueued(by: slots[slot].call, maskWords: maskWords, first: first, count: count)
      decideKicks(slot: slot, at: event.nanoseconds, kick: .maskIPI) {
        Self.mask(maskWords, first: first, count: count, contains: $0)
      }
      if let extra { kickedWithoutQueue(event, target: extra) }
    } else {
      let target = Self.firstCPU(maskWords, first: first, count: count)
      kickedWithoutQueue(event, target: target ?? -1)
    }
  }

  mutating func wokePolling(_ event: TraceEvent, level: ContextLevel) {
    let slot = slotIndex(event.cpu, level)
    if event.flags.isUnknown { return kickedInUnknownContext(event, slot: slot, kick: .polling, maskWords: Span()) }
    guard slots[slot].phase == .queueing else { return }
    decideKicks(slot: slot, at: event.nanoseconds, kick: .polling) { $0 == event.target }
  }

  private func isCrossCall(_ function: UInt64) -> Bool {
    if let crossCallFunction { function == crossCallFunction } else { true }
  }

  static func mask(_ words: Span<UInt64>, first: Int, count: Int, contains cpu: Int32) -> Bool {
    let word = Int(cpu) / 64
    guard cpu >= 0, word < count, first >= 0, first + word < words.count else { return false }
    return words[first + word] >> UInt64(cpu % 64) & 1 == 1
  }

  static func firstCPU(_ words: Span<UInt64>, first: Int, count: Int) -> Int32? {
    guard first >= 0, count >= 0, first + count <= words.count else { return nil }
    for word in 0..<count where words[first + word] != 0 {
      return Int32(word * 64 + words[first + word].trailingZeroBitCount)
    }
    return nil
  }

  /// The first CPU of a mask that the call has queued nothing for.
  private func targetsNotQueued(by sequence: UInt64, maskWords: Span<UInt64>, first: Int, count: Int) -> Int32? {
    guard first >= 0, count >= 0, first + count <= maskWords.count else { return nil }
    var node = calls[sequence].firstNode
    for word in 0..<count {
      var rest = maskWords[first + word]
      while rest != 0 {
        let cpu = word * 64 + rest.trailingZeroBitCount
        rest &= rest - 1
        // Both the mask and the call's targets ascend.
        while node >= 0, Int(nodes[Int(node)].target) < cpu { node = nodes[Int(node)].nextInCall }
        if node < 0 || Int(nodes[Int(node)].target) != cpu { return Int32(cpu) }
      }
    }
    return nil
  }

  private mutating func kickedWithoutQueue(_ event: TraceEvent, target: Int32) {
    if target >= 0 { checkPossible(cpu: Int(target)) }
    // Before the CPU has been seen outside any call, the queue event may lie before the trace or in a gap.
    // And that some queue events are seen does not mean that all are recorded: a recording can be filtered.
    guard !cpus[Int(event.cpu)].unsettled, isSwitchedOn(.csdQueueCPU), target >= 0,
      target <= CPUMask.highestCPU
    else {
      return
    }
    consumer.anomalyFound(
      HistoryAnomaly(
        kind: .kickWithoutQueue, time: event.nanoseconds, cpus: [event.cpu, UInt16(truncatingIfNeeded: target)],
        function: event.function, csd: 0,
        events: [EventReference(cpu: event.cpu, nanoseconds: event.nanoseconds, kind: event.kind)]))
  }

  // MARK: Closing

  /// Closes what an event proves to be over: the slots of its own level and of higher ones, but not those that it continues.
  /// - Parameter open: the slots of these levels are open; bit i is level i.
  @inline(never)
  mutating func closeSlots(
    before event: TraceEvent, cpu: Int, open: UInt8, level: ContextLevel, maskWords: Span<UInt64>
  ) {
    // A self-IPI of irq_work can be raised by the recorder inside the probe of the queue event, before the add.
    if event.kind == .ipiSendCPU, event.function != 0, event.target == Int32(event.cpu) { return }
    var open = open
    while open != 0 {
      let current = open.trailingZeroBitCount
      open &= open &- 1
      let slot = cpu &* 4 &+ current
      if slots[slot].isOfUnknownContext, level != .task {
        closeUnknownContext(slot: slot, before: event, maskWords: maskWords)
      } else if current != Int(level.rawValue) || !continues(slot: slot, event, maskWords: maskWords) {
        close(slot: slot, at: event.nanoseconds, undecidedKick: .coalesced)
      }
    }
  }

  func continues(slot: Int, _ event: TraceEvent, maskWords: Span<UInt64>) -> Bool {
    let phase = slots[slot].phase
    let sequence = slots[slot].call
    switch event.kind {
    case .csdQueueCPU:
      let call = calls[sequence].shown
      let last = calls[sequence].lastNode
      guard phase == .queueing, call.kind == .many || call.kind == .unknown, call.function == event.function,
        call.callsite == event.callsite, call.pid == event.pid, last >= 0
      else { return false }
      return Int32(nodes[Int(last)].target) < event.target
    case .ipiSendCPU, .schedWakeIdleWithoutIPI:
      guard phase == .queueing else { return false }
      if event.kind == .ipiSendCPU, event.function == 0 { return false }
      return targets(of: sequence) { $0 == event.target }
    case .ipiSendCPUMask:
      let first = Int(event.target)
      let count = Int(event.detail)
      return phase == .queueing
        && targets(of: sequence) { Self.mask(maskWords, first: first, count: count, contains: $0) }
    case .csdFunctionEntry:
      let call = calls[sequence].shown
      return (phase == .queueing || phase == .kicked) && event.csd == 0 && call.function == event.function
        && (call.kind == .many || call.kind == .unknown) && call.localStartedAt == QueuedCall.never
    case .csdFunctionExit:
      return phase == .runningLocally && event.csd == 0
    case .ipiRaise:
      // The second event of a send (arm, arm64). It proves nothing that the first one has not, and the call goes on: its
      // caller may wait. After a self-IPI of irq_work, whose first event is passed over above, neither does its second one.
      return true
    default:
      return phase == .runningLocally
    }
  }

  func targets(of sequence: UInt64, contain matches: (Int32) -> Bool) -> Bool {
    var node = calls[sequence].firstNode
    while node >= 0 {
      if matches(Int32(nodes[Int(node)].target)) { return true }
      node = nodes[Int(node)].nextInCall
    }
    return false
  }

  /// The call's kick has been seen: its targets that match got it, the others needed none.
  /// - Parameter provesAdd: whether the last node is certain to have been added by now.
  mutating func decideKicks(
    slot: Int, at time: UInt64, kick: Kick, provesAdd: Bool = true, where matches: (Int32) -> Bool
  ) {
    let sequence = slots[slot].call
    slots[slot].phase = .kicked
    let last = calls[sequence].lastNode
    if provesAdd, nodes[Int(last)].addedBy > time { nodes[Int(last)].addedBy = time }
    var node = calls[sequence].firstNode
    while node >= 0 {
      let next = nodes[Int(node)].nextInCall
      if matches(Int32(nodes[Int(node)].target)) {
        nodes[Int(node)].kickedAt = time
        decided(node, kick: kick)
      } else {
        decided(node, kick: .coalesced)
      }
      node = next
    }
  }

  /// Closes a slot: the caller has moved on, or will not be seen to.
  mutating func close(slot: Int, at time: UInt64, undecidedKick: Kick) {
    let phase = slots[slot].phase
    guard phase != .closed else { return }
    let sequence = slots[slot].call
    slots[slot].phase = .closed
    cpus[slot / 4].openLevels &= ~(1 << UInt8(slot % 4))
    // Where events of the source were lost, what comes next may be a part of the same call.
    if phase != .runningLocally, undecidedKick != .unknown, !calls[sequence].mayHaveBegunUnseen {
      calls[sequence].shown.movedOnAt = time
    }
    if phase == .queueing { decideAll(sequence, at: time, kick: undecidedKick) }
    calls[sequence].slotOpen = false
    completeCalls()
  }

  private mutating func decideAll(_ sequence: UInt64, at time: UInt64, kick: Kick) {
    let last = calls[sequence].lastNode
    if last >= 0, nodes[Int(last)].addedBy > time { nodes[Int(last)].addedBy = time }
    var node = calls[sequence].firstNode
    while node >= 0 {
      let next = nodes[Int(node)].nextInCall
      decided(node, kick: kick)
      node = next
    }
  }

  private mutating func decided(_ node: Int32, kick: Kick) {
    guard nodes[Int(node)].kick == .undecided else { return }
    nodes[Int(node)].kick = kick
    let flush = nodes[Int(node)].flush
    if flush >= 0 {
      flushes[Int(flush)].undecidedKicks -= 1
      judgeReadyFlushes(of: Int(nodes[Int(node)].target))
    }
  }

  // MARK: Local runs

  /// A callback begins in place. It is part of the call that this context is making, if that calls the same function.
  /// - Returns: the call's sequence number.
  mutating func localRunBegan(_ event: TraceEvent, level: ContextLevel) -> UInt64 {
    let slot = slotIndex(event.cpu, level)
    switch slots[slot].phase {
    case .queueing, .kicked:
      let sequence = slots[slot].call
      if slots[slot].phase == .queueing { decideAll(sequence, at: event.nanoseconds, kick: .coalesced) }
      slots[slot].phase = .runningLocally
      calls[sequence].shown.localStartedAt = event.nanoseconds
      calls[sequence].localOpen = true
      return sequence
    case .closed, .runningLocally:
      // What this context did before was lost: it may be a part of a call to many CPUs.
      let isLoneRun = cpus[Int(event.cpu)].unseenLevels >> level.rawValue & 1 == 0
      var call = CallRecord(event, kind: isLoneRun ? .local : .unknown, callsite: 0, level: level)
      call.shown.localStartedAt = event.nanoseconds
      call.localOpen = true
      let sequence = calls.append(call)
      giveUpBeyondLimits(at: event.nanoseconds)
      return sequence
    }
  }

  mutating func localRunEnded(_ sequence: UInt64, at time: UInt64, cpu: UInt16) {
    guard calls.contains(sequence), calls[sequence].localOpen else { return }
    if time != QueuedCall.never { calls[sequence].shown.localEndedAt = time }
    calls[sequence].localOpen = false
    let slot = Int(cpu) * 4 + Int(calls[sequence].level.rawValue)
    if slots[slot].phase == .runningLocally, slots[slot].call == sequence { slots[slot].phase = .kicked }
    completeCalls()
  }
}
