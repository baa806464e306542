internal import BasicContainers
import TraceTypes

/// The target's side: handlers, callbacks, and the flushes that they belong to.
extension HistoryBuilder {
  // MARK: Handlers

  mutating func crossCallHandlerEntered(_ event: TraceEvent) {
    let cpu = Int(event.cpu)
    // A handler that never returned, for the trace: its exit was lost.
    if cpus[cpu].flush >= 0 || cpus[cpu].handlerStart != QueuedCall.never {
      abandonFlush(cpu: cpu, reason: .stateUnknown)
    }
    // Without the exits, what comes after a handler would be taken for a part of it.
    guard isRecorded(event.kind == .callFunctionEntry ? .callFunctionExit : .callFunctionSingleExit) else { return }
    cpus[cpu].handlerStart = event.nanoseconds
  }

  mutating func crossCallHandlerExited(_ event: TraceEvent) {
    let cpu = Int(event.cpu)
    let start = cpus[cpu].handlerStart
    guard start != QueuedCall.never else { return }
    consumer.handlerCompleted(.crossCall, cpu: event.cpu, start: start, end: event.nanoseconds)
    dropFrames(cpu: cpu)
    endFlush(cpu: cpu, notBefore: start, at: event.nanoseconds)
    cpus[cpu].handlerStart = QueuedCall.never
  }

  // MARK: Callbacks

  mutating func functionEntered(_ event: TraceEvent, level: ContextLevel) {
    let cpu = Int(event.cpu)
    if event.csd == 0 {
      let call = localRunBegan(event, level: level)
      push(CPUState.Frame(node: -1, localCall: call, csd: 0, function: event.function), cpu: cpu)
      return
    }
    var flush = flushInProgress(event, level: level)
    let inHandler = flushes[Int(flush)].inHandler
    let node = take(event, inFlush: flush)
    if node < 0 {
      unqueued(event, flush: flush)
      push(CPUState.Frame(node: -1, localCall: .max, csd: event.csd, function: event.function), cpu: cpu)
      return
    }
    if !inHandler, flushes[Int(flush)].first >= 0, beginsNewImplicitFlush(node, flush: flush) {
      endFlush(cpu: cpu, notBefore: flushes[Int(flush)].notBefore, at: cpus[cpu].lastOutsideFlush)
      flush = beginFlush(event, inHandler: false, notBefore: cpus[cpu].lastOutsideFlush)
    }
    nodes[Int(node)].startedAt = event.nanoseconds
    nodes[Int(node)].flush = flush
    if inHandler { nodes[Int(node)].handlerAt = flushes[Int(flush)].notBefore }
    if flushes[Int(flush)].last >= 0 {
      nodes[Int(flushes[Int(flush)].last)].nextInFlush = node
    } else {
      flushes[Int(flush)].first = node
    }
    flushes[Int(flush)].last = node
    if nodes[Int(node)].kind == .wakeup { flushes[Int(flush)].wakeup = node }
    if nodes[Int(node)].kick == .undecided { flushes[Int(flush)].undecidedKicks += 1 }
    push(CPUState.Frame(node: node, localCall: .max, csd: event.csd, function: event.function), cpu: cpu)
  }

  mutating func functionExited(_ event: TraceEvent) {
    let cpu = Int(event.cpu)
    guard let last = cpus[cpu].frames.last, last.csd == event.csd, last.function == event.function else { return }
    cpus[cpu].frames.removeLast()
    if last.node >= 0 {
      nodes[Int(last.node)].endedAt = event.nanoseconds
    } else if last.localCall != .max {
      localRunEnded(last.localCall, at: event.nanoseconds, cpu: event.cpu)
    }
  }

  private mutating func push(_ frame: CPUState.Frame, cpu: Int) {
    if cpus[cpu].frames.count >= CPUState.deepestNesting { dropFrames(cpu: cpu) }
    cpus[cpu].frames.append(frame)
  }

  /// Forgets callbacks whose end was not seen.
  mutating func dropFrames(cpu: Int) {
    while let frame = cpus[cpu].frames.popLast() {
      if frame.localCall != .max { localRunEnded(frame.localCall, at: QueuedCall.never, cpu: UInt16(cpu)) }
    }
  }

  // MARK: Flushes

  /// The flush that a callback belongs to, a new one if none is in progress.
  private mutating func flushInProgress(_ event: TraceEvent, level: ContextLevel) -> Int32 {
    let cpu = Int(event.cpu)
    if cpus[cpu].flush >= 0 { return cpus[cpu].flush }
    if cpus[cpu].handlerStart != QueuedCall.never, level >= .hard {
      return beginFlush(event, inHandler: true, notBefore: cpus[cpu].handlerStart)
    }
    return beginFlush(event, inHandler: false, notBefore: cpus[cpu].lastOutsideFlush)
  }

  private mutating func beginFlush(_ event: TraceEvent, inHandler: Bool, notBefore: UInt64) -> Int32 {
    let flush = makeFlush(
      FlushRecord(cpu: event.cpu, inHandler: inHandler, notBefore: notBefore, notAfter: event.nanoseconds))
    cpus[Int(event.cpu)].flush = flush
    cpus[Int(event.cpu)].flushIsImplicit = !inHandler
    return flush
  }

  /// Whether a callback outside handlers shows that a new flush has begun: its node was queued after the first callback of the
  /// flush so far, or the wakeups, which come last, have run, or the same csd has run already.
  private func beginsNewImplicitFlush(_ node: Int32, flush: Int32) -> Bool {
    if flushes[Int(flush)].wakeup >= 0 || nodes[Int(node)].queued > flushes[Int(flush)].notAfter { return true }
    return ranIn(flush, csd: nodes[Int(node)].csd) >= 0
  }

  private func ranIn(_ flush: Int32, csd: UInt64) -> Int32 {
    var member = flushes[Int(flush)].first
    while member >= 0 {
      if nodes[Int(member)].csd == csd { return member }
      member = nodes[Int(member)].nextInFlush
    }
    return -1
  }

  /// Whether an event can't come from inside a flush that runs outside handlers.
  ///
  /// Such a flush runs in a task, with interrupts off. What its callbacks do lies between their events; an irq_work has none, so
  /// whatever else a task does with interrupts off may be an irq_work's doing.
  static func isOutsideFlush(_ event: TraceEvent, level: ContextLevel) -> Bool {
    switch level {
    case .nonMaskable: return false
    case .hard, .soft: return true
    case .task: break
    }
    switch event.kind {
    case .schedSwitch, .cpuIdle: return true
    default: return !event.flags.contains(.interruptsOff)
    }
  }

  /// Ends a flush outside handlers when an event shows that it is over.
  mutating func endImplicitFlush(before event: TraceEvent, level: ContextLevel) {
    let cpu = Int(event.cpu)
    guard cpus[cpu].frames.isEmpty else { return }
    if event.kind == .csdFunctionEntry, event.csd != 0, level == .task || cpus[cpu].handlerStart == QueuedCall.never {
      return
    }
    guard Self.isOutsideFlush(event, level: level) else { return }
    endFlush(cpu: cpu, notBefore: flushes[Int(cpus[cpu].flush)].notBefore, at: event.nanoseconds)
  }

  /// The flush in progress is over, or a handler that ran nothing: everything that was certainly queued before it began has
  /// to be in it.
  private mutating func endFlush(cpu: Int, notBefore: UInt64, at time: UInt64) {
    let current = cpus[cpu].flush
    let notAfter = current >= 0 ? flushes[Int(current)].notAfter : time
    var flush = current
    var otherKick = false
    let hasWakeup =
      current >= 0 && (flushes[Int(current)].wakeup >= 0 || flushes[Int(current)].hasUnknownWakeup)

    var node = cpus[cpu].firstPending
    while node >= 0, nodes[Int(node)].queued <= notAfter {
      let next = nodes[Int(node)].nextOnTarget
      // An open slot's add is certain by now only if the source is known to have moved on.
      if nodes[Int(node)].addedBy < notBefore {
        switch presence(node, hasWakeup: hasWakeup) {
        case .ranSilently:
          if flush < 0 {
            flush = makeFlush(
              FlushRecord(
                cpu: UInt16(cpu), inHandler: cpus[cpu].handlerStart != QueuedCall.never, notBefore: notBefore,
                notAfter: notAfter))
          }
          attachSilently(node, to: flush)
        case .missed where current >= 0 && flushes[Int(current)].hasUnqueued:
          // One callback too few and one too many: more likely a damaged record than a lost call.
          if nodes[Int(node)].kick != .coalesced { otherKick = true }
          giveUp(node, reason: .unqueuedCompanion)
        case .missed:
          if nodes[Int(node)].kick != .coalesced { otherKick = true }
          missed(node)
        case .undecided(let reason):
          if nodes[Int(node)].kick != .coalesced { otherKick = true }
          giveUp(node, reason: reason)
        }
      } else {
        if nodes[Int(node)].kick != .coalesced { otherKick = true }
        if hasWakeup, nodes[Int(node)].kind == .wakeup { nodes[Int(node)].marks.insert(.mayHaveRun) }
      }
      node = next
    }

    let known = cpus[cpu].previousFlushKnown && unsettledCount == 0 && lastSettled <= cpus[cpu].previousFlushBegin
    if flush >= 0 {
      // Where callbacks have no ends, a flush outside handlers has none either.
      if !flushes[Int(flush)].inHandler, !isRecorded(.csdFunctionExit) {
        flushes[Int(flush)].reason = .eventsNotRecorded
        flushes[Int(flush)].isIncomplete = true
      }
      flushes[Int(flush)].previousEnd = cpus[cpu].previousFlushEnd
      flushes[Int(flush)].otherKickPossible = flushes[Int(flush)].otherKickPossible || otherKick
      if !known, flushes[Int(flush)].reason == nil {
        flushes[Int(flush)].reason = cpus[cpu].hotplug != .none ? .hotplug : .stateUnknown
      }
      flushes[Int(flush)].ended = true
      judgeIfReady(flush)
    }
    cpus[cpu].flush = -1
    cpus[cpu].flushIsImplicit = false
    cpus[cpu].previousFlushKnown = cpus[cpu].hotplug == .none
    cpus[cpu].previousFlushBegin = notBefore
    cpus[cpu].previousFlushEnd = notAfter
  }

  private enum Presence {
    case ranSilently
    case missed
    case undecided(UndecidedReason)
  }

  /// What it means that a flush passed which must have taken a node, and that showed no callback for it.
  private func presence(_ node: Int32, hasWakeup: Bool) -> Presence {
    let marks = nodes[Int(node)].marks
    if marks.contains(.targetGap) { return .undecided(.targetGap) }
    if marks.contains(.hotplug) { return .undecided(.hotplug) }
    if marks.contains(.sourceGap) { return .undecided(.sourceGap) }
    switch nodes[Int(node)].kind {
    case .irqWork: return .ranSilently
    case .wakeup where hasWakeup || marks.contains(.mayHaveRun): return .ranSilently
    case .unknown: return .undecided(.typeUnknown)
    case .wakeup, .single, .many, .local:
      // Without hotplug events, a CPU that died and came back looks the same: its last flush shows nothing.
      // And where the idle task shows nothing of what it does, its flushes show nothing either.
      let target = Int(nodes[Int(node)].target)
      let decidable =
        isRecorded(.csdFunctionEntry) && isRecorded(.csdFunctionExit) && settings.recordedKinds.contains(.cpuhpEnter)
        && (cpus[target].idleShowed || !cpus[target].idleRan)
      return decidable ? .missed : .undecided(.eventsNotRecorded)
    }
  }

  private mutating func attachSilently(_ node: Int32, to flush: Int32) {
    unlink(node)
    nodes[Int(node)].flush = flush
    nodes[Int(node)].inferred = true
    if flushes[Int(flush)].inHandler, !nodes[Int(node)].marks.contains(.mayHaveRun) {
      nodes[Int(node)].handlerAt = flushes[Int(flush)].notBefore
    }
    if nodes[Int(node)].kind == .wakeup, !nodes[Int(node)].marks.contains(.mayHaveRun) {
      let wakeup = flushes[Int(flush)].wakeup
      if wakeup >= 0 {
        nodes[Int(node)].startedAt = nodes[Int(wakeup)].startedAt
        nodes[Int(node)].endedAt = nodes[Int(wakeup)].endedAt
      }
    }
    if flushes[Int(flush)].lastSilent >= 0 {
      nodes[Int(flushes[Int(flush)].lastSilent)].nextInFlush = node
    } else {
      flushes[Int(flush)].firstSilent = node
    }
    flushes[Int(flush)].lastSilent = node
    if nodes[Int(node)].kick == .undecided { flushes[Int(flush)].undecidedKicks += 1 }
  }

  /// A flush whose end was not seen: what ran in it ran, and nothing else can be concluded.
  mutating func abandonFlush(cpu: Int, reason: UndecidedReason) {
    dropFrames(cpu: cpu)
    let flush = cpus[cpu].flush
    if flush >= 0 {
      flushes[Int(flush)].reason = reason
      flushes[Int(flush)].isIncomplete = true
      flushes[Int(flush)].otherKickPossible = true
      flushes[Int(flush)].ended = true
      judgeIfReady(flush)
    }
    cpus[cpu].flush = -1
    cpus[cpu].flushIsImplicit = false
    cpus[cpu].handlerStart = QueuedCall.never
    cpus[cpu].previousFlushKnown = false
  }

  // MARK: Judging

  /// Hands a flush to the judge once it has ended and its members' kicks are decided.
  mutating func judgeIfReady(_ flush: Int32) {
    let record = flushes[Int(flush)]
    guard record.ended, record.undecidedKicks == 0 else { return }
    memberScratch.removeAll(keepingCapacity: true)
    if !silentScratch.isEmpty { silentScratch.removeAll(keepingCapacity: true) }
    collect(from: record.first, silently: false)
    collect(from: record.firstSilent, silently: true)
    let completed = CompletedFlush(
      cpu: record.cpu, inHandler: record.inHandler, notBefore: record.notBefore, notAfter: record.notAfter,
      previousEnd: record.previousEnd, kicksUndecidable: record.reason, otherKickPossible: record.otherKickPossible)
    let judgement = consumer.flushCompleted(completed, members: memberScratch, silent: silentScratch)
    let reason: UndecidedReason? =
      switch judgement {
      // What is explained is so whatever else was queued unseen. Only an incomplete flush says too little.
      case .explained: record.isIncomplete ? record.reason : nil
      case .diverges: nil
      case .undecided(let reason): reason
      }
    finish(from: record.first, reason: reason)
    finish(from: record.firstSilent, reason: reason)
    freeFlush(flush)
    completeCalls()
  }

  private mutating func collect(from first: Int32, silently: Bool) {
    var index = first
    while index >= 0 {
      let node = nodes[Int(index)]
      let member = FlushMember(
        csd: node.csd, function: node.function, source: node.source, queued: node.queued, addedBy: node.addedBy,
        started: node.startedAt, kicked: node.kickedAt, kick: node.kick, knowledge: knowledge(node),
        ended: node.endedAt)
      if silently { silentScratch.append(member) } else { memberScratch.append(member) }
      index = node.nextInFlush
    }
  }

  private func knowledge(_ node: QueuedCall) -> FlushMember.Knowledge {
    switch node.kind {
    case .wakeup: return .wakeup
    case .irqWork: return .irqWork
    case .single, .many, .local, .unknown:
      guard node.endedAt != QueuedCall.never, calls.contains(node.call) else { return .unknown }
      // The caller of a SYNC call spins until the callback is over.
      return calls[node.call].movedOn < node.endedAt ? .notSync : .unknown
    }
  }

  private mutating func finish(from first: Int32, reason: UndecidedReason?) {
    var index = first
    while index >= 0 {
      let next = nodes[Int(index)].nextInFlush
      nodes[Int(index)].judged = reason == nil
      close(index, outcome: .ran, reason: reason)
      index = next
    }
  }
}
