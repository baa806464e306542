import CallEngines
import CallHistories
import TestSupport
import TraceDecoding
import TraceTypes

/// Callbacks in an order in which no flush runs them.
extension FaultPlaces {
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
  func wakeupsSwapped(_ seen: SeenFlush, _ index: Int) -> (() -> Fault)? {
    let last = seen.members.count - 1
    guard index < last, seen.members[last].knowledge == .wakeup, let alter = swapped(seen, index, last) else {
      return nil
    }
    let begin = seen.members.map(\.queued).min() ?? 0
    return {
      var altered = trace
      alter(&altered)
      return Fault(
        rule: .classOrder, cpus: [seen.flush.cpu], events: [seen.members[last].queueEvent],
        times: begin...seen.members[last].started,
        text: "wakeups swapped with member \(index) of the flush at \(seen.flush.notBefore)", trace: altered)
    }
  }

  /// Fault: two callbacks, the first of them certainly added before the second, and the second not SYNC, so that it can't have
  /// overtaken. Proof: the second's caller had gone on before the flush began, so that it is not SYNC wherever it runs.
  func asyncSwapped(_ seen: SeenFlush, _ index: Int) -> (() -> Fault)? {
    let first = seen.members[index]
    guard first.knowledge != .wakeup else { return nil }
    for other in seen.members.indices where other > index {
      let second = seen.members[other]
      guard second.knowledge == .notSync,
        isBefore(first.source, first.addedBy, second.source, second.queued),
        movedOn(second, before: seen.flush), let alter = swapped(seen, index, other)
      else { continue }
      return {
        var altered = trace
        alter(&altered)
        return Fault(
          rule: .fifoOrder, cpus: [seen.flush.cpu], events: [second.queueEvent], times: first.queued...second.started,
          text: "members \(index) and \(other) swapped in the flush at \(seen.flush.notBefore)", trace: altered)
      }
    }
    return nil
  }

  /// Whether the caller's next event in the same context, behind the kick if there was one, certainly comes before a flush.
  private func movedOn(_ member: FlushMember, before flush: CompletedFlush) -> Bool {
    guard let queued = event(member.source, member.queued, .csdQueueCPU, csd: member.csd) else { return false }
    let level = trace.events[queued].flags.level
    for next in events(of: member.source, after: queued) {
      let event = trace.events[next]
      guard isBefore(member.source, event.nanoseconds, flush.cpu, flush.notBefore) else { return false }
      if event.flags.level > level || event.nanoseconds <= member.kicked && member.kick.isKick { continue }
      return true
    }
    return false
  }

  // MARK: Calls that were not made so

  /// Fault: a call with a callback of its own that ran before others of its flush becomes a wakeup, which comes last.
  /// Proof: no other wakeup is in the flush, which the callback could belong to.
  func madeWakeup(_ seen: SeenFlush, _ index: Int) -> (() -> Fault)? {
    let member = seen.members[index]
    guard index < seen.members.count - 1, (seen.members + seen.silent).allSatisfy({ $0.knowledge != .wakeup }),
      kinds[key(member, of: seen)]?.targets == 1,
      let wakeup = trace.symbols.addresses(ofSymbol: "sched_ttwu_pending").first,
      let queued = event(member.source, member.queued, .csdQueueCPU, csd: member.csd),
      let callback = callback(member, of: seen)
    else { return nil }
    return fault(
      .classOrder, seen, member, until: seen.members[index + 1].started,
      naming: [member.queueEvent, EventReference(trace.events[callback.entry])], "made a wakeup"
    ) {
      for place in [queued, callback.entry, callback.exit] { $0.events[place].function = wakeup }
    }
  }

  /// Fault: one more call to the target runs before all others of the flush, although it was added behind them, and its caller
  /// did not wait. Proof: everybody else of the flush had certainly added before it was queued, and its caller had certainly
  /// gone on before the flush began.
  func callAhead(_ seen: SeenFlush, _ index: Int) -> (() -> Fault)? {
    guard index == 0, seen.members[0].knowledge != .wakeup, let first = callback(seen.members[0], of: seen) else {
      return nil
    }
    let target = seen.flush.cpu
    for cpu in trace.cpus.map(UInt16.init) where cpu != target {
      guard let last = seen.members.map(\.addedBy).max(), last < seen.flush.notBefore,
        let place = trace.place(from: last)
      else { continue }
      let spot = spots(on: cpu, in: place..<first.entry).first { spot in
        isBefore(cpu, spot.over, target, seen.flush.notBefore)
          && seen.members.allSatisfy { isBefore($0.source, $0.addedBy, cpu, spot.time) }
      }
      guard let spot, let call = singleCall(at: spot, target: target, isKicked: false) else { continue }
      let ran = self.callback(of: call[0], at: trace.events[first.entry])
      return {
        var altered = trace
        altered.insert([(spot.place, call), (first.entry, ran)])
        return Fault(
          rule: .fifoOrder, cpus: [cpu, target], events: [EventReference(call[0]), EventReference(ran[0])],
          times: seen.members[0].queued...(seen.members.last?.started ?? 0),
          text: "call \(cpu) → \(target) of \(spot.time) first in the flush at \(seen.flush.notBefore)", trace: altered)
      }
    }
    return nil
  }
}

extension CapturedTrace {
  /// The first event at or after a time.
  func place(from time: UInt64) -> Int? {
    var (low, high) = (0, events.count)
    while low < high {
      let middle = (low + high) / 2
      if events[middle].nanoseconds < time { low = middle + 1 } else { high = middle }
    }
    return low < events.count ? low : nil
  }
}
