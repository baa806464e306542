internal import BasicContainers
import TraceTypes

/// The target's side: handlers, callbacks, and the flushes that they belong to.
extension HistoryBuilder {
  // MARK: Handlers

  mutating func crossCallHandlerEntered(_ event: TraceEvent) {
    let cpu = Int(event.cpu)
    // A handler that never returned, for the trace: its exit was lost.
    if cpus[cpu].flush >= 0 || cpus[cpu].handlerStart != QueuedCall.never {
      handlerReturnedUnseen(cpu: cpu, reason: .stateUnknown)
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

  /// The handler in progress, or a flush, is over, although that was not recorded: what waited for it may have run in it, and
  /// shown nothing.
  mutating func handlerReturnedUnseen(cpu: Int, reason: UndecidedReason) {
    abandonFlush(cpu: cpu, reason: reason)
    mark(pendingOn: cpu, .targetGap)
  }

  // MARK: Callbacks

  mutating func functionEntered(_ event: TraceEvent, level: ContextLevel) {
    let cpu = Int(event.cpu)
    if event.csd == 0 {
      checkLocalRun(event)
      let call = localRunBegan(event, level: level)
      push(CPUState.Frame(node: -1, localCall: call, csd: 0, function: event.function), cpu: cpu)
      return
    }
    checkAddresses(event)
    var flush = flushInProgress(event, level: level)
    let inHandler = flushes[Int(flush)].inHandler
    let node = take(event, inFlush: flush)
    if node < 0 {
      unqueued(event, flush: flush)
      let frame = CPUState.Frame(
        node: -1, localCall: .max, csd: event.csd, function: event.function, started: event.nanoseconds)
      push(frame, cpu: cpu)
      return
    }
    if !inHandler, flushes[Int(flush)].first >= 0, beginsNewImplicitFlush(node, flush: flush) {
      endFlush(cpu: cpu, notBefore: flushes[Int(flush)].notBefore, at: cpus[cpu].lastOutsideFlush)
      flush = beginFlush(event, inHandler: false, notBefore: cpus[cpu].lastOutsideFlush)
    }
    nodes[Int(node)].start(
      at: event.nanoseconds, in: flush, handler: inHandler ? flushes[Int(flush)].notBefore : QueuedCall.never)
    checkStart(of: node, event, flush: flush)
    if nodes[Int(node)].kind == .wakeup { cpus[cpu].lastWokeAt = event.nanoseconds }
    let isUncertain =
      !nodes[Int(node)].marks.isDisjoint(with: .uncertain) || orphanRan(event.csd, on: event.cpu, event.function)
    let previous = flushes[Int(flush)].append(node, nodes[Int(node)], isUncertain: isUncertain)
    if previous >= 0 { nodes[Int(previous)].nextInFlush = node }
    push(CPUState.Frame(node: node, localCall: .max, csd: event.csd, function: event.function), cpu: cpu)
  }

  mutating func functionExited(_ event: TraceEvent) {
    let cpu = Int(event.cpu)
    guard cpus[cpu].frameCount > 0 else { return }
    let last = innerFrames[cpu]
    guard last.csd == event.csd, last.function == event.function else { return }
    dropInnerFrame(cpu: cpu)
    if last.node >= 0 {
      nodes[Int(last.node)].endedAt = event.nanoseconds
    } else if last.localCall != .max {
      localRunEnded(last.localCall, at: event.nanoseconds, cpu: event.cpu)
    } else {
      consumer.unqueuedCallbackEnded(event, started: last.started)
    }
  }

  @inline(__always)
  private mutating func push(_ frame: CPUState.Frame, cpu: Int) {
    if cpus[cpu].frameCount > 0 {
      if cpus[cpu].frameCount >= CPUState.deepestNesting {
        dropFrames(cpu: cpu)
      } else {
        cpus[cpu].outerFrames.append(innerFrames[cpu])
      }
    }
    cpus[cpu].frameCount &+= 1
    innerFrames[cpu] = frame
  }

  @inline(__always)
  private mutating func dropInnerFrame(cpu: Int) {
    cpus[cpu].frameCount &-= 1
    if cpus[cpu].frameCount > 0 { innerFrames[cpu] = cpus[cpu].outerFrames.removeLast() }
  }

  /// Forgets callbacks whose end was not seen.
  @inline(__always)
  mutating func dropFrames(cpu: Int) {
    if cpus[cpu].frameCount > 0 { dropAllFrames(cpu: cpu) }
  }

  private mutating func dropAllFrames(cpu: Int) {
    while cpus[cpu].frameCount > 0 {
      let frame = innerFrames[cpu]
      dropInnerFrame(cpu: cpu)
      if frame.localCall != .max { localRunEnded(frame.localCall, at: QueuedCall.never, cpu: UInt16(cpu)) }
    }
  }

  // MARK: Flushes

  /// The flush that a callback belongs to, a new one if none is in progress.
  @inline(__always)
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
      FlushRecord(
        cpu: event.cpu, inHandler: inHandler, notBefore: notBefore, notAfter: event.nanoseconds,
        unseenBy: cpus[Int(event.cpu)].unseenBy))
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

  /// Ends a flush outside handlers when an event shows that it is over.
  mutating func endImplicitFlush(before event: TraceEvent, level: ContextLevel) {
    let cpu = Int(event.cpu)
    guard cpus[cpu].frameCount == 0 else { return }
    if event.kind == .csdFunctionEntry, event.csd != 0, level == .task || cpus[cpu].handlerStart == QueuedCall.never {
      return
    }
    guard EventContext(event.flags).isOutsideFlush(event.kind) else { return }
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

    endingFlushOf = cpu
    var node = cpus[cpu].firstPending
    while node >= 0, nodes[Int(node)].queued <= notAfter {
      let next = nodes[Int(node)].nextOnTarget
      // An open slot's add is certain by now only if the source is known to have moved on.
      if nodes[Int(node)].addedBy < notBefore {
        let presence = presence(node, hasWakeup: hasWakeup)
        if case .ranSilently = presence {
          if flush < 0 { flush = makeSilentFlush(cpu: cpu, notBefore: notBefore, notAfter: notAfter) }
          attachSilently(node, to: flush)
        } else {
          if nodes[Int(node)].kick != .coalesced { otherKick = true }
          switch presence {
          case .undecided(let reason): giveUp(node, reason: reason)
          // One callback too few and one too many: more likely a damaged record than a lost call.
          case .missed where current >= 0 && flushes[Int(current)].hasUnqueued:
            giveUp(node, reason: .unqueuedCompanion)
          case .missed, .ranSilently: missed(node, at: notBefore)
          }
        }
      } else if nodes[Int(node)].kind == .irqWork {
        // A handler that shows nothing may have run just this.
        if flush < 0 { flush = makeSilentFlush(cpu: cpu, notBefore: notBefore, notAfter: notAfter) }
      } else if hasWakeup, nodes[Int(node)].kind == .wakeup {
        nodes[Int(node)].marks.insert(.mayHaveRun)
      }
      node = next
    }

    let known = isQueueKnown(cpu: cpu)
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
      enqueue(flush)
    }
    cpus[cpu].flush = -1
    cpus[cpu].flushIsImplicit = false
    cpus[cpu].previousFlushKnown = cpus[cpu].hotplug == .none
    cpus[cpu].previousFlushBegin = notBefore
    cpus[cpu].previousFlushEnd = notAfter
    noteKnown(cpu: cpu, from: notAfter)
    endingFlushOf = -1
    judgeReadyFlushes(of: cpu)
  }

  private mutating func makeSilentFlush(cpu: Int, notBefore: UInt64, notAfter: UInt64) -> Int32 {
    makeFlush(
      FlushRecord(
        cpu: UInt16(cpu), inHandler: cpus[cpu].handlerStart != QueuedCall.never, notBefore: notBefore,
        notAfter: notAfter, unseenBy: cpus[cpu].unseenBy))
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
    // Wherever it ran, it would not show: by now every queue that it can have been on was taken.
    if nodes[Int(node)].kind == .irqWork, !marks.contains(.sourceGap) { return .ranSilently }
    if marks.contains(.hotplug) || nodes[Int(node)].timesGone != cpus[Int(nodes[Int(node)].target)].timesGone {
      return .undecided(.hotplug)
    }
    if marks.contains(.sourceGap) { return .undecided(.sourceGap) }
    switch nodes[Int(node)].kind {
    case .irqWork: return .undecided(.sourceGap)
    case .wakeup where hasWakeup || marks.contains(.mayHaveRun): return .ranSilently
    case .unknown: return .undecided(.typeUnknown)
    case .wakeup, .single, .many, .local:
      return showsCallbacks(cpu: Int(nodes[Int(node)].target)) ? .missed : .undecided(.eventsNotRecorded)
    }
  }

  /// Whether a CPU whose events are not lost shows every callback that it runs.
  ///
  /// Without hotplug events, a CPU that died and came back looks the same: its last flush shows nothing. And where the idle
  /// task shows nothing of what it does, its flushes show nothing either.
  func showsCallbacks(cpu: Int) -> Bool {
    isRecorded(.csdFunctionEntry) && isRecorded(.csdFunctionExit) && isSwitchedOn(.cpuhpEnter)
      && (cpus[cpu].idleShowed || !cpus[cpu].idleRan)
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
      enqueue(flush)
    }
    cpus[cpu].flush = -1
    cpus[cpu].flushIsImplicit = false
    cpus[cpu].handlerStart = QueuedCall.never
    cpus[cpu].previousFlushKnown = false
    forgetState(of: cpu, at: cpus[cpu].lastOutsideFlush, reason: reason)
    judgeReadyFlushes(of: cpu)
  }
}
