import CallEngines
import CallHistories
import TestSupport
import TraceTypes

/// Calls that are made where, when or in a way in which none may be made.
extension FaultPlaces {
  // MARK: Contexts

  /// Fault: a task calls several CPUs with interrupts off.
  /// Proof: the flags of the queue event itself. What the flags of a task's event say besides is when a flush outside handlers
  /// is over; no such flush comes just before.
  func interruptsOff(_ kept: KeepingSink.Kept) -> (() -> Fault)? {
    let call = kept.call
    guard call.kind == .many, call.flags.level == .task, !call.flags.contains(.interruptsOff),
      let first = kept.targets.first
    else { return nil }
    let queued = kept.targets.compactMap { event(call.source, $0.queued, .csdQueueCPU, csd: $0.csd) }
    guard queued.count == kept.targets.count else { return nil }
    if let last = events(of: call.source, before: queued[0]).last, trace.events[last].kind == .csdFunctionExit {
      return nil
    }
    return {
      var altered = trace
      for place in queued { altered.events[place].flags.insert(.interruptsOff) }
      return Fault(
        rule: .forbiddenContext, cpus: [call.source, first.target], events: [EventReference(trace.events[queued[0]])],
        times: call.began...call.began, text: "interrupts off for the call of CPU \(call.source) at \(call.began)",
        trace: altered)
    }
  }

  /// Fault: a callback in place begins with interrupts on.
  /// Proof: the flags of its event itself; as above, no flush outside handlers comes just before.
  func interruptsOnInPlace(_ place: Int) -> (() -> Fault)? {
    let entry = trace.events[place]
    guard entry.kind == .csdFunctionEntry, entry.csd == 0, entry.flags.contains(.interruptsOff),
      !entry.flags.contains(.interruptsUnknown)
    else { return nil }
    if let last = events(of: entry.cpu, before: place).last, trace.events[last].kind == .csdFunctionExit,
      trace.events[last].csd != 0
    {
      return nil
    }
    return {
      var altered = trace
      altered.events[place].flags.remove(.interruptsOff)
      return Fault(
        rule: .localRun, cpus: [entry.cpu], events: [EventReference(entry)],
        times: entry.nanoseconds...entry.nanoseconds, text: "interrupts on at \(entry.nanoseconds) on \(entry.cpu)",
        trace: altered)
    }
  }

  /// Fault: a call to another CPU becomes one to the own, queued all the same. Proof: the event names the CPU that it is on.
  ///
  /// The callback stays where it was. So what is now on the own CPU's queue never runs there: if a flush of that CPU shows it,
  /// that is a divergence as well.
  func queuedToItself(_ seen: SeenFlush, _ member: FlushMember) -> (() -> Fault)? {
    guard kinds[key(member, of: seen)]?.targets == 1, member.knowledge != .wakeup, member.kick == .ipi,
      let queued = event(member.source, member.queued, .csdQueueCPU, csd: member.csd),
      let kick = event(member.source, member.kicked, .ipiSendCPU)
    else { return nil }
    return {
      var altered = trace
      altered.events[queued].target = Int32(member.source)
      altered.events.remove(at: kick)
      return Fault(
        rule: .localRun, cpus: [member.source], events: [member.queueEvent], times: member.queued...member.queued,
        consequences: [.wrongCPU, .lostCallback], text: "queued to itself: CPU \(member.source) at \(member.queued)",
        trace: altered)
    }
  }

  // MARK: Kicks without an IPI

  /// Fault: the only IPI for a flush was left out, as if the target had been polling.
  /// Proof: since before the call was queued, the target's events up to the callback are all of ordinary tasks; the idle task
  /// was seen on it earlier, so that it is one that shows; and nothing is missing.
  func kickLeftOut(_ seen: SeenFlush, _ member: FlushMember) -> (() -> Fault)? {
    let target = seen.flush.cpu
    guard member.kick == .ipi, isComplete(member, seen),
      areShown([.schedSwitch], from: member.queued, to: member.started),
      let kick = event(member.source, member.kicked, .ipiSendCPU),
      (seen.members + seen.silent).count(where: { $0.kick.isKick }) == 1,
      let callback = callback(member, of: seen),
      let idle = events(of: target, before: callback.entry).last(where: { !isOrdinary(trace.events[$0]) }),
      isBefore(target, trace.events[idle].nanoseconds, member.source, member.queued, without: [member.csd]),
      isBefore(member.source, member.kicked, target, member.started, without: [member.csd])
    else { return nil }
    // Who runs is known from what the CPU has shown since its last loss.
    guard !trace.gaps.contains(where: { $0.cpu == target && ($0.beforeNanoseconds ?? .max) > member.queued }) else {
      return nil
    }
    return fault(
      .polledNotIdle, seen, member, until: member.started,
      naming: [
        member.queueEvent,
        EventReference(cpu: member.source, nanoseconds: member.kicked, kind: .schedWakeIdleWithoutIPI),
      ], "IPI left out"
    ) {
      $0.events[kick].kind = .schedWakeIdleWithoutIPI
      $0.events[kick].function = 0
      $0.events[kick].callsite = 0
    }
  }

  // MARK: Offline CPUs

  /// A stretch in which a CPU was offline.
  struct Offline {
    var cpu: UInt16
    /// The places of the event that says that it is gone, and of the first behind it that shows it again or brings it up.
    var gone: Int
    var back: Int
  }

  func offlineStretches() -> [Offline] {
    var result: [Offline] = []
    for place in trace.events.indices {
      let event = trace.events[place]
      // The step that takes a CPU down is the first with the aim 0 that another CPU takes for it.
      guard event.kind == .cpuhpEnter, event.callsite == 0, event.target >= 0, event.target != Int32(event.cpu),
        !result.contains(where: { Int32($0.cpu) == event.target && $0.back > place }),
        let gone = trace.events[place...].firstIndex(where: {
          $0.kind == .cpuhpExit && $0.target == event.target && $0.detail == event.detail
        }), trace.events[gone].function == 0
      else { continue }
      let back = trace.events[(gone + 1)...].firstIndex {
        Int32($0.cpu) == event.target
          || ($0.kind == .cpuhpEnter || $0.kind == .cpuhpMultiEnter) && $0.target == event.target && $0.callsite != 0
      }
      result.append(Offline(cpu: UInt16(event.target), gone: gone, back: back ?? trace.events.count))
    }
    return result
  }

  /// Fault: a single call to a CPU that is offline is not refused. Proof: the CPU was certainly gone by then, and nobody had
  /// begun to bring it up.
  func callToOffline() -> [() -> Fault] {
    offlineStretches().flatMap { stretch in
      trace.cpus.map(UInt16.init).filter { $0 != stretch.cpu }.flatMap { source in
        spots(on: source, in: stretch.gone..<stretch.back).compactMap { spot in
          guard spot.place < stretch.back, isGone(stretch, source, spot.time),
            let call = singleCall(at: spot, target: stretch.cpu, isKicked: true)
          else { return nil }
          return offlineFault(call[0], "a call") { $0.insert([(spot.place, call)]) }
        }
      }
    }
  }

  /// Fault: a call to several CPUs goes to one more, which is offline. Proof: as above.
  func manyCallToOffline() -> [() -> Fault] {
    offlineStretches().flatMap { stretch in
      made.compactMap { kept in
        // A call's targets come in the order of their numbers.
        guard kept.call.kind == .many, kept.call.source != stretch.cpu,
          let near = kept.targets.last(where: { $0.target < stretch.cpu }) ?? kept.targets.first,
          isGone(stretch, kept.call.source, near.queued),
          let place = event(kept.call.source, near.queued, .csdQueueCPU, csd: near.csd),
          place > stretch.gone, place < stretch.back
        else { return nil }
        var queued = trace.events[place]
        queued.target = Int32(stretch.cpu)
        queued.csd = Self.newCSD
        let addition = (place: near.target < stretch.cpu ? place + 1 : place, events: [queued])
        return offlineFault(queued, "one more target") { $0.insert([addition]) }
      }
    }
  }

  private func isGone(_ stretch: Offline, _ source: UInt16, _ time: UInt64) -> Bool {
    let gone = trace.events[stretch.gone]
    return source == gone.cpu || isBefore(gone.cpu, gone.nanoseconds, source, time)
  }

  private func offlineFault(
    _ queued: TraceEvent, _ text: String, _ alter: @escaping (inout CapturedTrace) -> Void
  ) -> () -> Fault {
    {
      var altered = trace
      alter(&altered)
      return Fault(
        rule: .addToOffline, cpus: [queued.cpu, UInt16(queued.target)], events: [EventReference(queued)],
        times: queued.nanoseconds...queued.nanoseconds,
        text: "\(text) \(queued.cpu) → \(queued.target) at \(queued.nanoseconds)", trace: altered)
    }
  }

  /// Fault: a call that was added to a CPU's queue before the CPU was gone runs only after it has come back.
  /// Proof: it was certainly added before the CPU was gone; the CPU did not flush its queue in between; and the callback is the
  /// first that the CPU runs when it is back.
  func leftByDyingFlush() -> [() -> Fault] {
    offlineStretches().flatMap { stretch -> [() -> Fault] in
      let gone = trace.events[stretch.gone]
      let target = stretch.cpu
      guard let last = events(of: target, before: stretch.gone).last,
        let next = events(of: target, after: stretch.gone).first(where: { isFlush(trace.events[$0]) }),
        trace.events[next].kind != .csdFunctionEntry
      else { return [] }
      return trace.cpus.map(UInt16.init).filter { $0 != target }.flatMap { source in
        spots(on: source, in: last..<stretch.gone).compactMap { spot in
          guard spot.place <= stretch.gone, spot.over < gone.nanoseconds,
            isBefore(source, spot.over, gone.cpu, gone.nanoseconds),
            let call = singleCall(at: spot, target: target, isKicked: true)
          else { return nil }
          let ran = callback(of: call[0], at: trace.events[next])
          return {
            var altered = trace
            altered.insert([(spot.place, call), (next + 1, ran)])
            return Fault(
              rule: .missedByDyingFlush, cpus: [source, target],
              events: [EventReference(call[0]), EventReference(ran[0])],
              times: ran[0].nanoseconds...ran[0].nanoseconds,
              text: "call \(source) → \(target) of \(spot.time), run when it was back at \(ran[0].nanoseconds)",
              trace: altered)
          }
        }
      }
    }
  }

  /// A handler begins, or a callback.
  func isFlush(_ event: TraceEvent) -> Bool {
    switch event.kind {
    case .callFunctionEntry, .callFunctionSingleEntry: true
    case .csdFunctionEntry: event.csd != 0
    default: false
    }
  }
}
