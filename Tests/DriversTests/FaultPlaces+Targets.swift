import CallEngines
import CallHistories
import TestSupport
import TraceTypes

/// Callbacks that come too late, and csds that are used too early.
extension FaultPlaces {
  /// Fault: a callback runs in the next flush of its target. Proof: that of a callback's absence; and the next flush is in a
  /// handler, in which the callback comes last, so that it disturbs no order. If it had a kick of its own, nothing else is in
  /// that flush, whose kick would have been one too many.
  func callbackDelayed(_ seen: SeenFlush, _ member: FlushMember) -> (() -> Fault)? {
    let target = seen.flush.cpu
    guard member.knowledge != .wakeup, absenceShows(seen, member), let callback = callback(member, of: seen),
      isBefore(member.source, member.addedBy, target, seen.flush.notBefore, without: [member.csd])
    else { return nil }
    let later = events(of: target, after: callback.exit)
    guard let end = later.first(where: { isExit(trace.events[$0]) }),
      let next = later.first(where: { $0 > end && isFlush(trace.events[$0]) }),
      trace.events[next].kind != .csdFunctionEntry,
      let nextEnd = later.first(where: { $0 > next && isExit(trace.events[$0]) })
    else { return nil }
    let begun = later.filter { $0 > next && $0 < nextEnd && trace.events[$0].kind == .csdFunctionEntry }
    let isAlone = begun.isEmpty
    guard isAlone || !member.kick.isKick else { return nil }
    let companions = flushes.first { $0.flush.cpu == target && $0.flush.notBefore == trace.events[next].nanoseconds }
    if !isAlone {
      guard let companions, companions.isExplained, companions.members.count == begun.count,
        companions.members.last?.knowledge != .wakeup
      else { return nil }
    }
    let time = trace.events[nextEnd].nanoseconds
    guard isSteady(target, member.queued, time), areShown([.csdFunctionEntry], from: member.queued, to: time),
      !isLost(target, from: member.queued, to: time),
      !others(member).contains(where: { $0.queued >= member.queued && $0.queued <= time })
    else { return nil }
    let queued = trace.events[callback.entry]
    let ran = self.callback(of: queued, at: trace.events[nextEnd])
    return fault(
      .missedByFlush, seen, member, until: time, naming: [member.queueEvent, EventReference(ran[0])],
      "callback delayed to \(time)"
    ) {
      $0.insert([(nextEnd, ran)])
      $0.events.remove(at: callback.exit)
      $0.events.remove(at: callback.entry)
    }
  }

  func isExit(_ event: TraceEvent) -> Bool {
    event.kind == .callFunctionExit || event.kind == .callFunctionSingleExit
  }

  private func isLost(_ cpu: UInt16, from begin: UInt64, to end: UInt64) -> Bool {
    trace.gaps.contains {
      $0.cpu == cpu && ($0.afterNanoseconds ?? 0) <= end && ($0.beforeNanoseconds ?? .max) >= begin
    }
  }

  /// Fault: a call uses the csd of another that is still on a queue. Proof: the other's handler, whose flush unlocks the csd,
  /// certainly began only later; and the callbacks can't be taken for each other's, or for those of a third call.
  func csdShared() -> [() -> Fault] {
    let all = judgedMembers.map { (seen: flushes[$0.flush], member: flushes[$0.flush].members[$0.member]) }
      .filter { $0.member.knowledge != .wakeup && isKnownCall($0.member, $0.seen) }
      .sorted { $0.member.queued < $1.member.queued }
    return all.indices.flatMap { index -> [() -> Fault] in
      let (seen, first) = all[index]
      let target = seen.flush.cpu
      guard isComplete(first, seen), showsItsIdleTask(seen), !isLost(target, from: first.queued, to: first.started)
      else { return [] }
      var result: [() -> Fault] = []
      for later in all[(index + 1)...] {
        let second = later.member
        if second.queued >= seen.flush.notBefore || result.count == 3 { break }
        let csds: Set<UInt64> = [first.csd, second.csd]
        let end = max(first.started, second.started)
        guard second.csd != first.csd, areShown([.csdFunctionEntry, .csdFunctionExit], from: first.queued, to: end),
          later.seen.flush.cpu != target || second.function != first.function,
          isBefore(second.source, second.queued, target, seen.flush.notBefore, without: csds),
          !others(first).contains(where: { $0.queued >= first.queued && $0.queued <= end }),
          let queued = event(second.source, second.queued, .csdQueueCPU, csd: second.csd),
          let callback = callback(second, of: later.seen)
        else { continue }
        let entry = EventReference(cpu: target, nanoseconds: first.started, kind: .csdFunctionEntry)
        result.append {
          var altered = trace
          for place in [queued, callback.entry, callback.exit] { altered.events[place].csd = first.csd }
          return Fault(
            rule: .csdReused, cpus: [first.source, second.source, target],
            events: [first.queueEvent, second.queueEvent, entry], times: second.queued...second.queued,
            text: "csd of the call \(first.source) → \(target) of \(first.queued) used again at \(second.queued)",
            trace: altered)
        }
      }
      return result
    }
  }

  /// Whether the symbols say what kind of call it is.
  private func isKnownCall(_ member: FlushMember, _ seen: SeenFlush) -> Bool {
    switch kinds[key(member, of: seen)]?.kind {
    case .single, .many: true
    default: false
    }
  }
}
