internal import BasicContainers
import TraceTypes

/// Rules that a single event decides, together with the state that it meets.
extension HistoryBuilder {
  // MARK: Damage

  /// Counts an event whose csd or function can't be the kernel's: both lie in its half of the address space, and a csd has
  /// pointers in it.
  @inline(__always)
  mutating func checkAddresses(_ event: TraceEvent) {
    guard settings.addressesAreRaw else { return }
    if event.csd & 7 != 0 || (event.csd & event.function) >> 63 == 0 { statistics.impossible += 1 }
  }

  /// Counts a kick whose callback can't be the kernel's.
  @inline(__always)
  mutating func checkCallback(_ event: TraceEvent) {
    if settings.addressesAreRaw, event.function >> 63 == 0 { statistics.impossible += 1 }
  }

  /// Counts an event that names a CPU which there can't be.
  @inline(__always)
  mutating func checkPossible(cpu: Int) {
    if cpu >= cpuLimit || cpu < 0 { statistics.impossible += 1 }
  }

  // MARK: On the source

  /// A queue event: where it comes from, and where it goes.
  @inline(__always)
  mutating func checkQueueing(_ event: TraceEvent, kind: CallKind, isFirst: Bool) {
    let target = UInt16(truncatingIfNeeded: event.target)
    if target == event.cpu { report(.localRun, event, cpus: [event.cpu]) }
    guard kind == .single || kind == .many else { return }
    if kind == .many, isFirst, isForbidden(event.flags) { report(.forbiddenContext, event, cpus: [event.cpu, target]) }
    // The step that brings it up is taken by any CPU: none may have been out of sight since.
    if cpus[Int(target)].hotplug == .offline, isSwitchedOn(.cpuhpEnter),
      cpus[Int(target)].offlineAt > max(latestGapEnd, blindUntil)
    {
      report(
        .addedToOffline, event, cpus: [event.cpu, target],
        comparisons: [
          ClockComparison(
            cpus[Int(target)].offlineBy, at: cpus[Int(target)].offlineAt, before: event.cpu, at: event.nanoseconds)
        ])
    }
  }

  /// Whether a context is one in which `smp_call_function_many_cond()` warns: interrupts off, or not a task.
  ///
  /// Of single calls nothing is said: those with a csd of the caller's are allowed there, and no event tells them from others.
  private func isForbidden(_ flags: ContextFlags) -> Bool {
    guard settings.contextIsKnown, !flags.isUnknown else { return false }
    return flags.level != .task || flags.contains(.interruptsOff)
  }

  /// A callback that runs in place.
  mutating func checkLocalRun(_ event: TraceEvent) {
    guard settings.contextIsKnown, !event.flags.contains(.interruptsOff), !event.flags.contains(.interruptsUnknown)
    else { return }
    report(.localRun, event, cpus: [event.cpu])
  }

  private func report(
    _ kind: HistoryAnomaly.Kind, _ event: TraceEvent, cpus: [UInt16], comparisons: [ClockComparison] = []
  ) {
    consumer.anomalyFound(
      HistoryAnomaly(
        kind: kind, time: event.nanoseconds, cpus: cpus, function: event.function, csd: event.csd,
        events: [EventReference(cpu: event.cpu, nanoseconds: event.nanoseconds, kind: event.kind)],
        comparisons: comparisons))
  }

  // MARK: On the target

  /// A queued call's callback begins.
  @inline(__always)
  mutating func checkStart(of node: Int32, _ event: TraceEvent, flush: Int32) {
    if nodes[Int(node)].reusedAt != QueuedCall.never { checkReuse(of: nodes[Int(node)], event) }
    if nodes[Int(node)].kick == .polling { checkPolling(of: nodes[Int(node)], event) }
    if nodes[Int(node)].marks.contains(.hotplug) { checkDying(of: nodes[Int(node)], event, flush: flush) }
  }

  /// The csd was unlocked after the target's previous event at the earliest, and queued again before that.
  private func checkReuse(of call: QueuedCall, _ event: TraceEvent) {
    let cpu = Int(event.cpu)
    guard call.reusedAt < cpus[cpu].lastOutsideFlush, call.marks.isDisjoint(with: .uncertain), showsCallbacks(cpu: cpu),
      call.kind != .unknown, !orphanRan(call.csd, on: call.target, call.function)
    else { return }
    consumer.anomalyFound(
      HistoryAnomaly(
        kind: .csdReused, time: call.reusedAt, cpus: [call.reusedBy, call.source, call.target],
        function: call.function, csd: call.csd,
        events: [
          EventReference(cpu: call.source, nanoseconds: call.queued, kind: .csdQueueCPU),
          EventReference(cpu: call.reusedBy, nanoseconds: call.reusedAt, kind: .csdQueueCPU),
          EventReference(cpu: event.cpu, nanoseconds: event.nanoseconds, kind: .csdFunctionEntry),
        ],
        comparisons: [
          ClockComparison(call.reusedBy, at: call.reusedAt, before: call.target, at: cpus[cpu].lastOutsideFlush)
        ]))
  }

  /// An idle task polls only while it runs, and the target ran others all the time.
  private func checkPolling(of call: QueuedCall, _ event: TraceEvent) {
    let cpu = Int(event.cpu)
    guard call.marks.isDisjoint(with: .uncertain), isSwitchedOn(.schedSwitch),
      cpus[cpu].currentPid > 0, cpus[cpu].unseenBy < call.queued, cpus[cpu].unseenBy > 0,
      !statistics.hasSilentLosses(of: event.cpu)
    else { return }
    consumer.anomalyFound(
      HistoryAnomaly(
        kind: .polledNotIdle, time: call.kickedAt, cpus: [call.source, call.target], function: call.function,
        csd: call.csd,
        events: [
          EventReference(cpu: call.source, nanoseconds: call.queued, kind: .csdQueueCPU),
          EventReference(cpu: call.source, nanoseconds: call.kickedAt, kind: .schedWakeIdleWithoutIPI),
          EventReference(cpu: event.cpu, nanoseconds: event.nanoseconds, kind: .csdFunctionEntry),
        ],
        comparisons: [
          ClockComparison(call.target, at: cpus[cpu].unseenBy, before: call.source, at: call.queued),
          ClockComparison(call.source, at: call.kickedAt, before: call.target, at: event.nanoseconds),
        ]))
  }

  /// The target went offline and came back in between, so that its last flush must have taken the node.
  ///
  /// A call that may be made at that time is made with preemption off, and `stop_machine()` waits for that; an irq_work can be
  /// queued whenever somebody likes, and runs after the CPU has come back.
  private mutating func checkDying(of call: QueuedCall, _ event: TraceEvent, flush: Int32) {
    let cpu = Int(event.cpu)
    guard call.kind == .single || call.kind == .many, cpus[cpu].hotplug == .none, call.addedBy < cpus[cpu].offlineAt,
      cpus[cpu].offlineAt < cpus[cpu].cameUpAt, !call.marks.contains(.targetGap), !call.marks.contains(.sourceGap),
      isSwitchedOn(.cpuhpEnter)
    else { return }
    flushes[Int(flush)].reason = .hotplug
    consumer.anomalyFound(
      HistoryAnomaly(
        kind: .missedByDyingFlush, time: event.nanoseconds, cpus: [call.source, call.target], function: call.function,
        csd: call.csd,
        events: [
          EventReference(cpu: call.source, nanoseconds: call.queued, kind: .csdQueueCPU),
          EventReference(cpu: cpus[cpu].offlineBy, nanoseconds: cpus[cpu].offlineAt, kind: .cpuhpExit),
          EventReference(cpu: event.cpu, nanoseconds: event.nanoseconds, kind: .csdFunctionEntry),
        ],
        comparisons: [
          ClockComparison(call.source, at: call.addedBy, before: cpus[cpu].offlineBy, at: cpus[cpu].offlineAt)
        ]))
  }

  // MARK: Clocks

  /// A callback that nobody had queued, and now somebody queues just that: the source's clock may be ahead of the target's.
  mutating func noteSkew(_ event: TraceEvent) {
    guard let found = orphans.match(event) else { return }
    statistics.note(
      ClockEvidence(
        ahead: event.cpu, behind: found.orphan.cpu, nanoseconds: event.nanoseconds - found.orphan.time,
        firmSigns: found.orphan.isFirm && found.isFirst ? 1 : 0))
  }
}
