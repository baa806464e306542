internal import BasicContainers
import TraceTypes

/// The flushes of each target wait in line, in the order in which they took the queue, until all that bears on them is known.
///
/// A flush is ready once it has ended, the kicks of its members are decided, and no call is left open that was queued before its
/// batch was taken: such a call may have been in it. So it is known of every node whether it was in this batch, in a later one,
/// or in one of those between which the trace does not tell, because the node has no callback of its own.
extension HistoryBuilder {
  /// How many flushes behind one are searched for a node that may have kicked for it.
  private static var farthestKicker: Int { 64 }

  /// A flush has ended, or its end was not seen.
  mutating func enqueue(_ flush: Int32) {
    let cpu = Int(flushes[Int(flush)].cpu)
    if cpus[cpu].lastWaiting >= 0 {
      flushes[Int(cpus[cpu].lastWaiting)].nextWaiting = flush
    } else {
      cpus[cpu].firstWaiting = flush
    }
    cpus[cpu].lastWaiting = flush
  }

  /// Hands on the flushes at the head of a CPU's line that are ready.
  /// - Complexity: amortized O(1) a flush and member.
  mutating func judgeReadyFlushes(of cpu: Int) {
    if cpu == endingFlushOf { return }
    while cpus[cpu].firstWaiting >= 0 {
      let flush = cpus[cpu].firstWaiting
      guard flushes[Int(flush)].undecidedKicks == 0 else { return }
      let pending = cpus[cpu].firstPending
      if pending >= 0, nodes[Int(pending)].queued <= flushes[Int(flush)].notAfter { return }
      judgeFirst(of: cpu)
    }
  }

  /// Hands on all flushes of a CPU, ready or not: nothing more will be known.
  mutating func judgeAllFlushes(of cpu: Int) {
    while cpus[cpu].firstWaiting >= 0 {
      let flush = cpus[cpu].firstWaiting
      var node = cpus[cpu].firstPending
      while node >= 0, nodes[Int(node)].queued <= flushes[Int(flush)].notAfter {
        if nodes[Int(node)].kick != .coalesced { flushes[Int(flush)].otherKickPossible = true }
        node = nodes[Int(node)].nextOnTarget
      }
      judgeFirst(of: cpu)
    }
  }

  private mutating func judgeFirst(of cpu: Int) {
    let flush = cpus[cpu].firstWaiting
    let record = flushes[Int(flush)]
    cpus[cpu].firstWaiting = record.nextWaiting
    if record.nextWaiting < 0 { cpus[cpu].lastWaiting = -1 }

    memberScratch.removeAll(keepingCapacity: true)
    if !silentScratch.isEmpty { silentScratch.removeAll(keepingCapacity: true) }
    if !laterScratch.isEmpty { laterScratch.removeAll(keepingCapacity: true) }
    laterNodes.removeAll(keepingCapacity: true)
    let kicked = collect(from: record.first, silently: false)
    _ = collect(from: record.firstSilent, silently: true)
    let sawAllKickers = kicked || memberScratch.isEmpty || collectLater(behind: record)

    let completed = CompletedFlush(
      cpu: record.cpu, inHandler: record.inHandler, notBefore: record.notBefore, notAfter: record.notAfter,
      previousEnd: record.previousEnd, unseenBy: record.unseenBy, floor: cpus[cpu].floor,
      kicksUndecidable: record.reason,
      otherKickPossible: record.otherKickPossible || !sawAllKickers,
      doubt: record.hasUncertain ? .targetGap : nil)
    let judgement = consumer.flushCompleted(
      completed, members: memberScratch, silent: silentScratch, later: laterScratch)
    if let index = judgement.laterKicker { nodes[Int(laterNodes[index])].marks.insert(.kickedForOthers) }
    raiseFloor(cpu: cpu, record)
    let reason: UndecidedReason? =
      switch judgement.outcome {
      // What is explained is so whatever else was queued unseen. Only an incomplete flush says too little.
      case .explained: record.isIncomplete ? record.reason : nil
      case .diverges: nil
      case .undecided(let reason): reason
      }
    finish(from: record.first, reason: reason, syncs: judgement.syncs)
    finish(from: record.firstSilent, reason: reason, syncs: nil)
    freeFlush(flush)
    completeCalls()
  }

  /// - Returns: whether one of them kicked, or may have.
  private mutating func collect(from first: Int32, silently: Bool) -> Bool {
    var index = first
    var kicked = false
    while index >= 0 {
      let member = member(index)
      if member.kick != .coalesced { kicked = true }
      if silently { silentScratch.append(member) } else { memberScratch.append(member) }
      index = nodes[Int(index)].nextInFlush
    }
    return kicked
  }

  /// Nodes without a callback that later flushes must have taken, and that this one may have.
  /// - Returns: whether these are all.
  private mutating func collectLater(behind record: FlushRecord) -> Bool {
    var flush = record.nextWaiting
    var rest = Self.farthestKicker
    while flush >= 0 {
      if rest == 0 { return false }
      var node = flushes[Int(flush)].firstSilent
      while node >= 0 {
        if nodes[Int(node)].queued <= record.notAfter, !nodes[Int(node)].marks.contains(.kickedForOthers) {
          laterScratch.append(member(node))
          laterNodes.append(node)
        }
        node = nodes[Int(node)].nextInFlush
      }
      flush = flushes[Int(flush)].nextWaiting
      rest -= 1
    }
    return true
  }

  private func member(_ index: Int32) -> FlushMember {
    let node = nodes[Int(index)]
    // One that a flush passed over is reported as such; when it was added says nothing about this flush.
    let addedBy = node.marks.isDisjoint(with: [.missed, .targetGap]) ? node.addedBy : QueuedCall.never
    var member = FlushMember(
      csd: node.csd, function: node.function, source: node.source, queued: node.queued, addedBy: addedBy,
      started: node.startedAt, kicked: node.kickedAt,
      kick: node.marks.contains(.kickedForOthers) ? .coalesced : node.kick, knowledge: knowledge(node),
      movedOn: calls.contains(node.call) ? calls[node.call].movedOn : QueuedCall.never, ended: node.endedAt,
      isMany: node.kind == .many || node.kind == .unknown)
    member.mayBeWakeup = node.kind == .unknown && wakeupFunction == nil
    return member
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

  /// Whatever a later flush runs was added after everything that this one ran.
  private mutating func raiseFloor(cpu: Int, _ record: FlushRecord) {
    if record.hasUncertain || record.hasUnqueued { return }
    for member in memberScratch where member.queued > cpus[cpu].floor.queued && member.addedBy != QueuedCall.never {
      cpus[cpu].floor = CompletedFlush.Floor(
        queued: member.queued, source: member.source, started: member.started)
    }
  }

  private mutating func finish(from first: Int32, reason: UndecidedReason?, syncs: ClosedRange<Int>?) {
    var index = first
    var position = 0
    while index >= 0 {
      let next = nodes[Int(index)].nextInFlush
      nodes[Int(index)].judged = reason == nil
      learnType(of: index, at: position, syncs: syncs)
      close(index, outcome: .ran, reason: reason)
      index = next
      position += 1
    }
  }

  /// Takes a node out of a flush that waits: nothing more of it will be known.
  mutating func detachFromFlush(_ node: Int32) {
    let flush = Int(nodes[Int(node)].flush)
    if nodes[Int(node)].kick == .undecided { flushes[flush].undecidedKicks -= 1 }
    (flushes[flush].first, flushes[flush].last) = chain(
      from: flushes[flush].first, to: flushes[flush].last, without: node)
    (flushes[flush].firstSilent, flushes[flush].lastSilent) = chain(
      from: flushes[flush].firstSilent, to: flushes[flush].lastSilent, without: node)
    flushes[flush].reason = .openTooLong
    flushes[flush].isIncomplete = true
    flushes[flush].otherKickPossible = true
    if flushes[flush].wakeup == node { flushes[flush].wakeup = -1 }
    let cpu = Int(nodes[Int(node)].target)
    for index in cpus[cpu].frames.indices where cpus[cpu].frames[index].node == node {
      cpus[cpu].frames[index].node = -1
    }
    nodes[Int(node)].flush = -1
    judgeReadyFlushes(of: cpu)
  }

  private mutating func chain(from first: Int32, to last: Int32, without node: Int32) -> (Int32, Int32) {
    var previous: Int32 = -1
    var index = first
    while index >= 0 {
      let next = nodes[Int(index)].nextInFlush
      if index == node {
        if previous >= 0 { nodes[Int(previous)].nextInFlush = next }
        return (previous >= 0 ? first : next, last == node ? previous : last)
      }
      previous = index
      index = next
    }
    return (first, last)
  }
}
