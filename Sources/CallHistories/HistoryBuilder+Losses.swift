internal import BasicContainers
public import TraceTypes

/// What ends certainty: lost events, hotplug, and the end of the trace.
extension HistoryBuilder {
  // MARK: Lost events

  public mutating func gapBegan(_ gap: TraceGap) {
    let cpu = Int(gap.cpu)
    ensure(cpu: cpu)
    cpus[cpu].currentPid = -1
    gaps &+= 1
    cpus[cpu].gaps &+= 1
    latestGapEnd = max(latestGapEnd, gap.beforeNanoseconds ?? QueuedCall.never)
    lose(
      cpu: cpu, from: gap.afterNanoseconds ?? firstTime ?? 0, until: gap.beforeNanoseconds ?? QueuedCall.never)
    // A call that is queued while the gap lasts may run in it as well.
    cpus[cpu].gapEnd = max(cpus[cpu].gapEnd, gap.beforeNanoseconds ?? QueuedCall.never)
  }

  /// Another task runs than the last event said.
  ///
  /// A context switch names the next task, so where those are recorded, events are missing in between: some kernels drop events
  /// without a mark. Seen on a 6.18 kernel: all that the idle task of one CPU did outside interrupts, its flushes included.
  /// Whatever the CPU did since its previous event is unknown. It is noticed only now, but nothing can have been concluded
  /// meanwhile: a conclusion on a target needs an event of it.
  mutating func taskChanged(_ event: TraceEvent) {
    let cpu = Int(event.cpu)
    let known = cpus[cpu].currentPid
    if event.pid == cpus[cpu].leavingPid, Self.canBeRaisedInProbe(event) { return }
    cpus[cpu].currentPid = event.pid
    guard known >= 0, isRecorded(.schedSwitch) else { return }
    statistics.noteSilentLoss(of: event.cpu)
    consumer.silentLossFound(before: event)
    lose(cpu: cpu, from: cpus[cpu].lastOutsideFlush, until: event.nanoseconds)
  }

  /// Whether the recorder itself may have caused an event, inside the probe of the event before it.
  ///
  /// It wakes its reader with an irq_work, whose IPI to the own CPU is an event as well (on arm64 two). In the probe of a context
  /// switch the task that is about to leave is still the current one.
  private static func canBeRaisedInProbe(_ event: TraceEvent) -> Bool {
    switch event.kind {
    case .ipiSendCPU: event.function != 0 && event.target == Int32(event.cpu)
    case .ipiRaise: true
    default: false
    }
  }

  /// What a CPU did until a time is not known.
  private mutating func lose(cpu: Int, from begin: UInt64, until time: UInt64) {
    unsettle(cpu: cpu, at: begin, reason: .targetGap)
    blindUntil = max(blindUntil, time)
    cpus[cpu].unseenBy = time
    cpus[cpu].unseenLevels = 0b1111
    // What is found behind a loss may belong to other calls than it seems to.
    cpus[cpu].floor = CompletedFlush.Floor()
    cpus[cpu].latest.isCut = true

    // As a source: whatever it was doing, its kick was not seen.
    for level in 0..<4 where slots[cpu * 4 + level].phase != .closed {
      let slot = cpu * 4 + level
      var node = calls[slots[slot].call].firstNode
      while node >= 0 {
        nodes[Int(node)].marks.insert(.sourceGap)
        node = nodes[Int(node)].nextInCall
      }
      close(slot: slot, at: time, undecidedKick: .unknown)
    }

    // As a target: what was queued may have run unseen.
    abandonFlush(cpu: cpu, reason: .targetGap)
    cpus[cpu].otherHandlerStart = QueuedCall.never
    mark(pendingOn: cpu, .targetGap)
  }

  /// Marks all calls that wait for a CPU.
  /// - Complexity: amortized O(1) a call: what waited at an earlier loss has its mark, and everything older than that, too.
  mutating func mark(pendingOn cpu: Int, _ mark: QueuedCall.Marks) {
    var node = cpus[cpu].lastPending
    while node >= 0, !nodes[Int(node)].marks.contains(mark) {
      nodes[Int(node)].marks.insert(mark)
      node = nodes[Int(node)].previousOnTarget
    }
  }

  // MARK: Hotplug

  /// A step began that changes a CPU's state.
  ///
  /// Seen on 6.12: the steps of a CPU that is running are taken by a thread of its own. Those that another CPU takes for it
  /// with the aim 0 begin with `takedown_cpu()`, in which the CPU dies; those with a higher aim prepare it and bring it up, or
  /// wait for its own thread. From the step's begin until the CPU is certainly dead, or shows an event of its own, it can run
  /// code whose tracepoints do not fire: an unseen source, and a target that flushes unseen.
  mutating func hotplugStepEntered(_ event: TraceEvent) {
    guard event.target >= 0, event.target <= CPUMask.highestCPU, event.target != Int32(event.cpu) else { return }
    let cpu = Int(event.target)
    ensure(cpu: cpu)
    let isDown = event.callsite == 0
    guard cpus[cpu].hotplug == .none || (cpus[cpu].hotplug == .offline && !isDown) else { return }
    if !isDown, cpus[cpu].hotplug == .none, isCertainlyOnline(cpu: cpu) { return }
    cpus[cpu].hotplug = isDown ? .dying : .rising
    cpus[cpu].hotplugStep = event.detail
    unsettle(cpu: cpu, at: event.nanoseconds, reason: .hotplug)
    forgetState(of: cpu, at: event.nanoseconds, reason: .hotplug)
    if cpus[cpu].flush >= 0 { flushes[Int(cpus[cpu].flush)].reason = .hotplug }
    cpus[cpu].previousFlushKnown = false
    if !isDown { goes(cpu: cpu) }
  }

  /// From its last event on, a CPU may have flushed its queue and not shown it.
  private mutating func goes(cpu: Int) {
    cpus[cpu].timesGone &+= 1
    mark(pendingOn: cpu, .hotplug)
  }

  /// Whether a CPU has shown an event since which it can't have gone offline unnoticed.
  ///
  /// Steps are taken for CPUs that are online, too, whenever somebody registers a new one: each new ring buffer does.
  private func isCertainlyOnline(cpu: Int) -> Bool {
    cpus[cpu].lastOutsideFlush > 0 && cpus[cpu].lastOutsideFlush > latestGapEnd
      && isSwitchedOn(.cpuhpEnter)
  }

  mutating func hotplugStepExited(_ event: TraceEvent) {
    let cpu = Int(event.target)
    guard event.target >= 0, cpu < cpus.count, cpus[cpu].hotplug == .dying, event.detail == cpus[cpu].hotplugStep else {
      return
    }
    // The step failed: the CPU runs on.
    if event.function != 0 {
      cameUp(cpu: cpu, at: event.nanoseconds)
      return
    }
    cpus[cpu].hotplug = .offline
    cpus[cpu].offlineAt = event.nanoseconds
    cpus[cpu].offlineBy = event.cpu
    goes(cpu: cpu)
    // What ran while it died is not shown; that is known, and no loss.
    cpus[cpu].currentPid = -1
    abandonFlush(cpu: cpu, reason: .hotplug)
    settled(cpu: cpu, at: event.nanoseconds)
  }

  /// An event of a CPU that was coming up, or that had only been asked to take steps of its own: tracepoints fire on it.
  mutating func cameUp(cpu: Int, at time: UInt64) {
    cpus[cpu].hotplug = .none
    cpus[cpu].cameUpAt = time
    cpus[cpu].unseenBy = time
    settled(cpu: cpu, at: time)
  }

  // MARK: The end

  /// Ends the trace: what is open is closed, with the reason, and every call is handed on.
  public mutating func finish() {
    consumer.traceWillEnd(at: lastTime, states: lastStates())
    for slot in 0..<slots.count where slots[slot].phase != .closed {
      close(slot: slot, at: QueuedCall.never, undecidedKick: .unknown)
    }
    for cpu in 0..<cpus.count {
      let isAtRest = cpus[cpu].flush < 0 && cpus[cpu].handlerStart == QueuedCall.never
      let isKnown = isAtRest && isQueueKnown(cpu: cpu)
      abandonFlush(cpu: cpu, reason: .traceEnd)
      judgeAllFlushes(of: cpu)
      if isKnown { judgeRemainder(of: cpu) }
      if cpus[cpu].seen { reportUnknown(cpu: cpu, until: lastTime) }
    }
    while calls.count > 0 {
      let sequence = calls.head
      calls[sequence].localOpen = false
      calls[sequence].slotOpen = false
      var node = calls[sequence].firstNode
      while node >= 0 {
        let next = nodes[Int(node)].nextInCall
        closeAtEnd(node, pending: .pending, reason: nil)
        node = next
      }
      completeCalls()
    }
  }
}
