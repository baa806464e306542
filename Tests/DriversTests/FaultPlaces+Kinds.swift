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
}

extension FaultPlaces {
  /// Every fault of a kind that the capture has a place for.
  ///
  /// The faults are made when they are asked for: each is a copy of the capture.
  func faults(_ kind: FaultKind) -> [() -> Fault] {
    judgedMembers.compactMap { place in
      let seen = flushes[place.flush]
      let member = seen.members[place.member]
      return switch kind {
      case .kickRemoved: kickRemoved(seen, member)
      case .bitOfMaskRemoved: bitOfMaskRemoved(seen, member)
      case .callbackMoved: callbackMoved(seen, member)
      case .wakeupsSwapped: wakeupsSwapped(seen, place.member)
      case .callbackRepeated: callbackRepeated(seen, member)
      case .queueEventDropped: queueEventDropped(seen, member)
      case .callbackRemoved: callbackRemoved(seen, member)
      case .asyncSwapped: asyncSwapped(seen, place.member)
      case .secondKick: secondKick(seen, member)
      }
    }
  }

  private func fault(
    _ rule: Rule, _ seen: SeenFlush, _ member: FlushMember, until end: UInt64, _ text: String,
    _ alter: @escaping (inout CapturedTrace) -> Void
  ) -> () -> Fault {
    {
      var altered = trace
      alter(&altered)
      return Fault(
        rule: rule, cpus: [member.source, seen.flush.cpu], times: member.queued...max(member.queued, end),
        text: "\(text), queued \(member.source) → \(seen.flush.cpu) at \(member.queued), run at \(member.started)",
        trace: altered)
    }
  }

  // MARK: Kicks

  /// Proof: the source is seen to go on in the same context without another kick for this target, and nothing unseen can have
  /// been on the queue: the histories know all that was, and the node was queued after the flush before had begun its
  /// callbacks, so that no other flush can account for it. All other members needed no kick, which is what makes this one
  /// the only possible explanation.
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
    // A limit of the judge and not of the trace: it does not wait for the kick of a call that may or may not be in the batch.
    let isInTheMaking = pending(on: seen.flush.cpu, queuedBy: seen.flush.notAfter, startedFrom: seen.flush.notBefore)
      .contains { $0.addedBy >= seen.flush.notBefore && ($0.inferred || ($0.started ?? .max) > member.started) }
    return !isInTheMaking && seen.flush.kicksUndecidable == nil && isComplete(member, seen)
      && seen.members.allSatisfy { $0.queued > seen.flush.previousEnd }
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
        rule: .kickNotOwed, cpus: [member.source, seen.flush.cpu],
        times: (seen.members.map(\.queued).min() ?? 0)...end,
        text: "second kick for the call queued at \(member.queued)",
        trace: altered)
    }
  }

  /// Proof: the source has been seen outside any call, and no other queue event in the same context can have led to the IPI:
  /// the one before it, if any, is for another target.
  private func queueEventDropped(_ seen: SeenFlush, _ member: FlushMember) -> (() -> Fault)? {
    guard member.kick == .ipi || member.kick == .maskIPI, isComplete(member, seen),
      let queued = event(member.source, member.queued, .csdQueueCPU, csd: member.csd)
    else { return nil }
    let level = trace.events[queued].flags.level
    let earlier = events(of: member.source, before: queued)
    guard earlier.contains(where: { trace.events[$0].kind == .schedSwitch }),
      let last = earlier.last(where: { trace.events[$0].flags.level <= level })
    else { return nil }
    if trace.events[last].kind == .csdQueueCPU, trace.events[last].target == Int32(seen.flush.cpu) { return nil }
    return fault(.kickWithoutQueue, seen, member, until: member.kicked, "queue event dropped") {
      $0.events.remove(at: queued)
    }
  }

  // MARK: Callbacks

  /// Fault: a callback with a csd of its own; a wakeup only where it stands for no other, and no other can stand for it,
  /// because the target began none since it was queued.
  /// Proof: the node was certainly on the queue when its handler began, and the target's events are complete: its idle task is
  /// known to show its flushes, and no callback of the handler is left over that the node's could be, in a damaged record.
  private func absenceShows(_ seen: SeenFlush, _ member: FlushMember) -> Bool {
    if member.knowledge == .wakeup, !seen.silent.isEmpty || wokeOthers(seen, member) { return false }
    return member.addedBy < seen.flush.notBefore && isComplete(member, seen) && showsItsIdleTask(seen)
      && knowsAllCallbacks(seen)
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
    guard
      !others(member).contains(where: { $0.target == seen.flush.cpu && $0.queued <= end && ($0.started ?? .max) > end })
    else { return nil }
    return fault(.ranTwice, seen, member, until: end, "callback repeated") {
      var entry = $0.events[callback.entry]
      entry.nanoseconds = end
      $0.events.insert(contentsOf: [entry, $0.events[callback.exit]], at: callback.exit + 1)
    }
  }

  // MARK: Order

  private func swapped(_ seen: SeenFlush, _ first: Int, _ second: Int) -> ((inout CapturedTrace) -> Void)? {
    guard let one = callback(seen.members[first], of: seen), let other = callback(seen.members[second], of: seen) else {
      return nil
    }
    return { trace in
      for (left, right) in [(one.entry, other.entry), (one.exit, other.exit)] {
        let (before, after) = (trace.events[left], trace.events[right])
        (trace.events[left].csd, trace.events[left].function) = (after.csd, after.function)
        (trace.events[right].csd, trace.events[right].function) = (before.csd, before.function)
      }
    }
  }

  /// Fault: wakeups come last in every flush.
  private func wakeupsSwapped(_ seen: SeenFlush, _ index: Int) -> (() -> Fault)? {
    let last = seen.members.count - 1
    guard index < last, seen.members[last].knowledge == .wakeup, let alter = swapped(seen, index, last) else {
      return nil
    }
    let begin = seen.members.map(\.queued).min() ?? 0
    return {
      var altered = trace
      alter(&altered)
      return Fault(
        rule: .classOrder, cpus: [seen.flush.cpu], times: begin...seen.members[last].started,
        text: "wakeups swapped with member \(index) of the flush at \(seen.flush.notBefore)", trace: altered)
    }
  }

  /// Fault: two callbacks, the first of them certainly added before the second, and the second not SYNC, so that it can't have
  /// overtaken. Proof: the second's caller had gone on before the flush began, so that it is not SYNC wherever it runs.
  private func asyncSwapped(_ seen: SeenFlush, _ index: Int) -> (() -> Fault)? {
    let first = seen.members[index]
    guard first.knowledge != .wakeup else { return nil }
    for other in seen.members.indices where other > index {
      let second = seen.members[other]
      guard second.knowledge == .notSync, first.addedBy < second.queued,
        movedOn(second, before: seen.flush.notBefore), let alter = swapped(seen, index, other)
      else { continue }
      return {
        var altered = trace
        alter(&altered)
        return Fault(
          rule: .fifoOrder, cpus: [seen.flush.cpu], times: first.queued...second.started,
          text: "members \(index) and \(other) swapped in the flush at \(seen.flush.notBefore)", trace: altered)
      }
    }
    return nil
  }

  /// Whether the caller's next event in the same context, behind the kick if there was one, comes before a time.
  private func movedOn(_ member: FlushMember, before time: UInt64) -> Bool {
    guard let queued = event(member.source, member.queued, .csdQueueCPU, csd: member.csd) else { return false }
    let level = trace.events[queued].flags.level
    for next in events(of: member.source, after: queued) {
      let event = trace.events[next]
      if event.nanoseconds >= time { return false }
      if event.flags.level > level || event.nanoseconds <= member.kicked && member.kick.isKick { continue }
      return true
    }
    return false
  }
}
