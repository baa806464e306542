internal import BasicContainers
import TraceTypes

/// Calls in traces that do not tell the context of events: some forms of text.
///
/// Their slot is that of the highest level, so no event of unknown context proves anything about a known one. Nor do two events
/// of unknown context prove anything about each other, because the second may be an interrupt's: another queue event says
/// neither that the call before it needed no kick nor that its add is done. What is certain all the same:
/// - A context switch and the idle loop lie outside interrupts, and calls are made with preemption off. So all are over then.
/// - Only a queue event has a kick. A kick belongs to the latest queue event to its target, or to an earlier one that was
///   interrupted. Where there is no earlier one whose kick is open, it is the latest one's.
extension HistoryBuilder {
  /// What an event outside the task level, or of unknown context, says about a call of unknown context.
  mutating func closeUnknownContext(slot: Int, before event: TraceEvent, maskWords: Span<UInt64>) {
    // Inside a handler, which interrupted the call.
    guard event.flags.isUnknown else { return }
    let isLocalRun = event.kind == .csdFunctionEntry && event.csd == 0
    guard event.kind == .csdQueueCPU || isLocalRun, !continues(slot: slot, event, maskWords: maskWords) else { return }
    let cpu = slot / 4
    if slots[slot].phase == .queueing {
      var node = calls[slots[slot].call].firstNode
      while node >= 0 {
        cpus[cpu].unprovenTargets |= 1 << UInt64(nodes[Int(node)].target & 63)
        node = nodes[Int(node)].nextInCall
      }
    }
    close(slot: slot, at: QueuedCall.never, undecidedKick: .unknown)
  }

  /// A kick of unknown context: it is taken only where it can belong to no other call.
  mutating func kickedInUnknownContext(_ event: TraceEvent, slot: Int, kick: Kick, maskWords: Span<UInt64>) {
    guard slots[slot].phase == .queueing, continues(slot: slot, event, maskWords: maskWords) else { return }
    let cpu = Int(event.cpu)
    let unproven = cpus[cpu].unprovenTargets
    let first = Int(event.target)
    let count = Int(event.detail)
    func isTarget(_ target: Int32) -> Bool {
      kick == .maskIPI ? Self.mask(maskWords, first: first, count: count, contains: target) : target == event.target
    }
    guard !(targets(of: slots[slot].call) { isTarget($0) && unproven >> UInt64($0 & 63) & 1 == 1 }) else {
      return decideKicks(slot: slot, at: QueuedCall.never, kick: .unknown, provesAdd: false) { _ in true }
    }
    // The scheduler wakes polling CPUs without a queue event, too, and an interrupt may have done so here, before the add.
    decideKicks(slot: slot, at: event.nanoseconds, kick: kick, provesAdd: kick != .polling) { isTarget($0) }
  }
}
