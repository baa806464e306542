import CallEngines
import CallHistories
import TestSupport
import TraceTypes

/// The ways in which one thing of a capture is altered.
enum FaultKind: String, CaseIterable, Sendable {
  case kickRemoved
  case bitOfMaskRemoved
  case callbackMoved
  case wakeupsSwapped
  case callbackRepeated
  case queueEventDropped
  case callbackRemoved
  case asyncSwapped
  case secondKick
  case madeWakeup
  case callAhead
  case callbackDelayed
  case kickLeftOut
  case csdShared
  case interruptsOff
  case callToOffline
  case manyCallToOffline
  case leftByDyingFlush
  case interruptsOnInPlace
  case queuedToItself

  var rule: Rule {
    switch self {
    case .kickRemoved, .bitOfMaskRemoved: .kickMissing
    case .callbackMoved: .wrongCPU
    case .wakeupsSwapped, .madeWakeup: .classOrder
    case .callbackRepeated: .ranTwice
    case .queueEventDropped: .kickWithoutQueue
    case .callbackRemoved: .lostCallback
    case .asyncSwapped, .callAhead: .fifoOrder
    case .secondKick: .kickNotOwed
    case .callbackDelayed: .missedByFlush
    case .kickLeftOut: .polledNotIdle
    case .csdShared: .csdReused
    case .interruptsOff: .forbiddenContext
    case .callToOffline, .manyCallToOffline: .addToOffline
    case .leftByDyingFlush: .missedByDyingFlush
    case .interruptsOnInPlace, .queuedToItself: .localRun
    }
  }
}

extension FaultPlaces {
  /// Every fault of a kind that the capture has a place for.
  ///
  /// The faults are made when they are asked for: each is a copy of the capture.
  func faults(_ kind: FaultKind) -> [() -> Fault] {
    switch kind {
    case .kickRemoved: atMembers { kickRemoved($0, $0.members[$1]) }
    case .bitOfMaskRemoved: atMembers { bitOfMaskRemoved($0, $0.members[$1]) }
    case .callbackMoved: atMembers { callbackMoved($0, $0.members[$1]) }
    case .wakeupsSwapped: atMembers(wakeupsSwapped)
    case .callbackRepeated: atMembers { callbackRepeated($0, $0.members[$1]) }
    case .queueEventDropped: atMembers { queueEventDropped($0, $0.members[$1]) }
    case .callbackRemoved: atMembers { callbackRemoved($0, $0.members[$1]) }
    case .asyncSwapped: atMembers(asyncSwapped)
    case .secondKick: atMembers { secondKick($0, $0.members[$1]) }
    case .madeWakeup: atMembers(madeWakeup)
    case .callAhead: atMembers(callAhead)
    case .callbackDelayed: atMembers { callbackDelayed($0, $0.members[$1]) }
    case .kickLeftOut: atMembers { kickLeftOut($0, $0.members[$1]) }
    case .csdShared: csdShared()
    case .interruptsOff: made.compactMap(interruptsOff)
    case .callToOffline: callToOffline()
    case .manyCallToOffline: manyCallToOffline()
    case .leftByDyingFlush: leftByDyingFlush()
    case .interruptsOnInPlace: trace.events.indices.compactMap(interruptsOnInPlace)
    case .queuedToItself: atMembers { queuedToItself($0, $0.members[$1]) }
    }
  }

  private func atMembers(_ make: (SeenFlush, Int) -> (() -> Fault)?) -> [() -> Fault] {
    judgedMembers.compactMap { make(flushes[$0.flush], $0.member) }
  }

  func fault(
    _ rule: Rule, _ seen: SeenFlush, _ member: FlushMember, until end: UInt64, naming events: [EventReference]? = nil,
    besides consequences: Set<Rule> = [], _ text: String, _ alter: @escaping (inout CapturedTrace) -> Void
  ) -> () -> Fault {
    {
      var altered = trace
      alter(&altered)
      return Fault(
        rule: rule, cpus: [member.source, seen.flush.cpu], events: events ?? [member.queueEvent],
        times: member.queued...max(member.queued, end), consequences: consequences,
        text: "\(text), queued \(member.source) → \(seen.flush.cpu) at \(member.queued), run at \(member.started)",
        trace: altered)
    }
  }

  // MARK: Kicks

  /// Proof: the source is seen to go on in the same context without another kick for this target, kicks are recorded all the
  /// time, and nothing unseen can have been on the queue: the histories know all that was, and the node was queued after the
  /// flush before had begun its callbacks, so that no other flush can account for it. All other members needed no kick, which
  /// is what makes this one the only possible explanation.
  private func kickRemoved(_ seen: SeenFlush, _ member: FlushMember) -> (() -> Fault)? {
    guard member.kick == .ipi, let kick = event(member.source, member.kicked, .ipiSendCPU),
      missingKickShows(seen, member),
      goesOnWithoutKick(member, target: seen.flush.cpu, after: kick)
    else { return nil }
    return fault(.kickMissing, seen, member, until: member.started, "kick removed") { $0.events.remove(at: kick) }
  }

  private func bitOfMaskRemoved(_ seen: SeenFlush, _ member: FlushMember) -> (() -> Fault)? {
    guard member.kick == .maskIPI, let kick = event(member.source, member.kicked, .ipiSendCPUMask),
      missingKickShows(seen, member)
    else { return nil }
    let cpu = Int(seen.flush.cpu)
    let first = Int(trace.events[kick].target)
    return fault(.kickMissing, seen, member, until: member.started, "bit removed from the mask") {
      $0.maskWords[first + cpu / 64] &= ~(1 << UInt64(cpu % 64))
    }
  }

  private func missingKickShows(_ seen: SeenFlush, _ member: FlushMember) -> Bool {
    // Calls without a callback that may or may not be in the batch: one that kicked would account for it.
    let open = pending(on: seen.flush.cpu, queuedBy: seen.flush.notAfter, startedFrom: seen.flush.notBefore)
      .filter { $0.addedBy >= seen.flush.notBefore && $0.inferred }
    var kinds: [EventKind] = [.csdQueueCPU, .ipiSendCPU]
    if !open.isEmpty || !seen.silent.isEmpty { kinds += [.callFunctionSingleEntry, .callFunctionEntry] }
    if seen.members.contains(where: \.isMany) { kinds.append(.ipiSendCPUMask) }
    let begin = (seen.members + seen.silent).map(\.queued).min() ?? 0
    let end = max(seen.flush.notAfter, seen.members.map(\.queued).max() ?? 0, member.kicked)
    return open.allSatisfy { !$0.kick.isKick }
      && areShown(kinds, from: min(begin, seen.flush.previousEnd, open.map(\.queued).min() ?? begin), to: end)
      && seen.flush.kicksUndecidable == nil && isComplete(member, seen)
      && seen.members.count { $0.kick.isKick } == 1 && seen.silent.allSatisfy { !$0.kick.isKick }
  }

  /// Whether the source's next event in the same context or a lower one exists, and is no kick for the target.
  private func goesOnWithoutKick(_ member: FlushMember, target: UInt16, after place: Int) -> Bool {
    let level = trace.events[place].flags.level
    for next in events(of: member.source, after: place) {
      let event = trace.events[next]
      if event.flags.level > level { continue }
      switch event.kind {
      case .ipiSendCPU, .schedWakeIdleWithoutIPI: return event.target != Int32(target)
      case .ipiSendCPUMask: return false
      default: return true
      }
    }
    return false
  }

  /// Fault: the node was not the first on its queue: another member, with a callback of its own, kicked by an IPI. Proof: the
  /// call has one target, so the IPI behind its queue event can only be its own.
  private func secondKick(_ seen: SeenFlush, _ member: FlushMember) -> (() -> Fault)? {
    guard member.kick == .coalesced, kinds[key(member, of: seen)]?.targets == 1,
      seen.members.contains(where: { $0.kick == .ipi || $0.kick == .maskIPI }),
      let queued = event(member.source, member.queued, .csdQueueCPU, csd: member.csd)
    else { return nil }
    var kick = trace.events[queued]
    kick.kind = .ipiSendCPU
    kick.csd = 0
    kick.function = crossCall
    kick.target = Int32(seen.flush.cpu)
    // Which of the two was one too many can't be told; the flush is what both belong to.
    let end = seen.members.map(\.started).max() ?? member.started
    return {
      var altered = trace
      altered.events.insert(kick, at: queued + 1)
      return Fault(
        rule: .kickNotOwed, cpus: [member.source, seen.flush.cpu], events: [member.queueEvent, EventReference(kick)],
        times: (seen.members.map(\.queued).min() ?? 0)...end,
        text: "second kick for the call queued at \(member.queued)",
        trace: altered)
    }
  }

  /// Proof: the source has been seen outside any call, and no other queue event in the same context can have led to the IPI:
  /// the one before it, if any, is for another target.
  private func queueEventDropped(_ seen: SeenFlush, _ member: FlushMember) -> (() -> Fault)? {
    guard member.kick == .ipi || member.kick == .maskIPI, isComplete(member, seen),
      areShown([.csdQueueCPU], from: member.queued, to: member.kicked),
      let queued = event(member.source, member.queued, .csdQueueCPU, csd: member.csd)
    else { return nil }
    let level = trace.events[queued].flags.level
    let earlier = events(of: member.source, before: queued)
    guard earlier.contains(where: { trace.events[$0].kind == .schedSwitch }),
      let last = earlier.last(where: { trace.events[$0].flags.level <= level })
    else { return nil }
    if trace.events[last].kind == .csdQueueCPU, trace.events[last].target == Int32(seen.flush.cpu) { return nil }
    let kick = EventReference(
      cpu: member.source, nanoseconds: member.kicked, kind: member.kick == .ipi ? .ipiSendCPU : .ipiSendCPUMask)
    return fault(.kickWithoutQueue, seen, member, until: member.kicked, naming: [kick], "queue event dropped") {
      $0.events.remove(at: queued)
    }
  }

  // MARK: Callbacks

  /// Fault: a callback with a csd of its own; a wakeup only where it stands for no other, and no other can stand for it,
  /// because the target began none since it was queued.
  /// Proof: the node was certainly on the queue when its handler began, callbacks are recorded all the time, and the target's events are complete: its idle task is
  /// known to show its flushes, and no callback of the handler is left over that the node's could be, in a damaged record.
  func absenceShows(_ seen: SeenFlush, _ member: FlushMember) -> Bool {
    if member.knowledge == .wakeup, !seen.silent.isEmpty || wokeOthers(seen, member) { return false }
    return areShown([.csdFunctionEntry, .csdFunctionExit], from: member.queued, to: member.ended)
      && isCertainlyMissed(member, seen)
      && member.addedBy < seen.flush.notBefore && isComplete(member, seen) && showsItsIdleTask(seen)
      && knowsAllCallbacks(seen)
  }

  /// Whether the node was certainly added before the target's last flush began that was over before its csd was queued again,
  /// or the trace ended.
  private func isCertainlyMissed(_ member: FlushMember, _ seen: SeenFlush) -> Bool {
    let again = others(member).map(\.queued).filter { $0 > member.queued }.min()
    let limit = again.flatMap { trace.place(from: $0) } ?? trace.events.count
    let events = events(of: seen.flush.cpu, before: limit)
    guard let end = events.last(where: { isExit(trace.events[$0]) }),
      let begin = events.last(where: { $0 < end && isFlush(trace.events[$0]) && trace.events[$0].csd == 0 })
    else { return false }
    return isBefore(
      member.source, member.addedBy, seen.flush.cpu, trace.events[begin].nanoseconds, without: [member.csd])
  }

  private func wokeOthers(_ seen: SeenFlush, _ member: FlushMember) -> Bool {
    flushes.contains {
      $0.flush.cpu == seen.flush.cpu
        && $0.members.contains {
          $0.knowledge == .wakeup && $0.started >= member.queued && $0.started < member.started
        }
    }
  }

  private func callbackRemoved(_ seen: SeenFlush, _ member: FlushMember) -> (() -> Fault)? {
    guard absenceShows(seen, member), let callback = callback(member, of: seen) else { return nil }
    return fault(.lostCallback, seen, member, until: member.started, "callback removed") {
      $0.events.remove(at: callback.exit)
      $0.events.remove(at: callback.entry)
    }
  }

  /// Proof, beyond that of an absence: nothing is queued for the other CPU, because a callback there is a flush, which would have
  /// to take it; and that CPU is idle or in a task, between two of its events: what it runs there disturbs nothing.
  private func callbackMoved(_ seen: SeenFlush, _ member: FlushMember) -> (() -> Fault)? {
    guard absenceShows(seen, member), let callback = callback(member, of: seen) else { return nil }
    let end = trace.events[callback.exit].nanoseconds
    for other in trace.cpus.map(UInt16.init) where other != seen.flush.cpu && !forgetfulCPUs.contains(other) {
      guard isSteady(other, member.queued, end), let before = events(of: other, before: callback.entry).last,
        let after = events(of: other, after: callback.entry).first, after > callback.exit,
        trace.events[before].flags.level == .task,
        trace.events[after].flags.level == .task || opens(trace.events[after]),
        trace.events[before].kind == .schedSwitch || trace.events[before].kind == .cpuIdle,
        pending(on: other, queuedBy: end, startedFrom: member.started).isEmpty
      else { continue }
      let event = trace.events[before]
      let pid = event.kind == .schedSwitch ? event.target : event.pid
      return fault(.wrongCPU, seen, member, until: member.started, "callback moved to CPU \(other)") {
        for place in [callback.entry, callback.exit] {
          $0.events[place].cpu = other
          $0.events[place].pid = pid
          $0.events[place].flags = [.interruptsOff]
        }
      }
    }
    return nil
  }

  /// An interrupt's handler begins.
  private func opens(_ event: TraceEvent) -> Bool {
    switch event.kind {
    case .callFunctionSingleEntry, .callFunctionEntry, .rescheduleEntry, .irqWorkEntry: true
    default: false
    }
  }

  /// Proof: no other call with the same csd can be meant: none was queued before the flush took its batch and ran later.
  private func callbackRepeated(_ seen: SeenFlush, _ member: FlushMember) -> (() -> Fault)? {
    guard let callback = callback(member, of: seen) else { return nil }
    let end = trace.events[callback.exit].nanoseconds
    guard areShown([.csdQueueCPU], from: member.queued, to: end),
      !others(member).contains(where: { $0.target == seen.flush.cpu && $0.queued <= end && ($0.started ?? .max) > end })
    else { return nil }
    return fault(.ranTwice, seen, member, until: end, "callback repeated") {
      var entry = $0.events[callback.entry]
      entry.nanoseconds = end
      $0.events.insert(contentsOf: [entry, $0.events[callback.exit]], at: callback.exit + 1)
    }
  }
}

extension FlushMember {
  var queueEvent: EventReference { EventReference(cpu: source, nanoseconds: queued, kind: .csdQueueCPU) }
}
