internal import BasicContainers
import TraceTypes

/// The flushes of each target wait in line, in the order in which they took the queue, until all that bears on them is known.
///
/// A flush is ready once it has ended, the kicks of its members are decided, and no call is left open that was queued before its
/// batch was taken: such a call may have been in it. So it is known of every node whether it was in this batch, in a later one,
/// or in one of those between which the trace does not tell, because the node has no callback of its own.
extension HistoryBuilder {
  /// How many flushes behind one are searched for nodes that may have been in it, and how many such nodes are looked at.
  private static var farthestKicker: Int { 64 }
  private static var mostLaterNodes: Int { 64 }
  /// How many waiting flushes are told one by one that they need no kick; then all of them are.
  private static var mostExcused: Int { 256 }

  /// A flush has ended, or its end was not seen.
  @inline(__always)
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
  @inline(__always)
  mutating func judgeReadyFlushes(of cpu: Int) {
    if cpus[cpu].firstWaiting >= 0 { judgeWaitingFlushes(of: cpu) }
  }

  private mutating func judgeWaitingFlushes(of cpu: Int) {
    if cpu == endingFlushOf { return }
    while cpus[cpu].firstWaiting >= 0 {
      let flush = cpus[cpu].firstWaiting
      guard flushes[Int(flush)].undecidedKicks == 0 else { return }
      let pending = cpus[cpu].firstPending
      if pending >= 0, nodes[Int(pending)].queued <= flushes[Int(flush)].notAfter { return }
      judgeFirst(of: cpu)
    }
  }

  /// It is not known in which batch a call was that kicked: flushes that wait, and may have taken it, need no other kick.
  mutating func excuseKicks(before node: Int32) {
    guard nodes[Int(node)].kick != .coalesced else { return }
    let cpu = Int(nodes[Int(node)].target)
    var flush = cpus[cpu].firstWaiting
    var rest = Self.mostExcused
    while flush >= 0 {
      if rest == 0 {
        cpus[cpu].allAreExcused = true
        return
      }
      rest -= 1
      if nodes[Int(node)].queued <= flushes[Int(flush)].notAfter { flushes[Int(flush)].otherKickPossible = true }
      flush = flushes[Int(flush)].nextWaiting
    }
  }

  /// Hands on all flushes of a CPU, ready or not: nothing more will be known.
  mutating func judgeAllFlushes(of cpu: Int) {
    while cpus[cpu].firstWaiting >= 0 {
      let flush = cpus[cpu].firstWaiting
      var node = cpus[cpu].firstPending
      while node >= 0, nodes[Int(node)].queued <= flushes[Int(flush)].notAfter {
        if nodes[Int(node)].kick != .coalesced, nodes[Int(node)].kind == .unknown {
          flushes[Int(flush)].otherKickPossible = true
        }
        node = nodes[Int(node)].nextOnTarget
      }
      judgeFirst(of: cpu)
    }
  }

  private mutating func judgeFirst(of cpu: Int) {
    let flush = cpus[cpu].firstWaiting
    let next = flushes[Int(flush)].nextWaiting
    cpus[cpu].firstWaiting = next
    if next < 0 { cpus[cpu].lastWaiting = -1 }
    if !laterScratch.isEmpty { laterScratch.removeAll(keepingCapacity: true) }
    let sawAll = collectLater(behind: flush) && !cpus[cpu].allAreExcused
    if next < 0 { cpus[cpu].allAreExcused = false }

    let judgement = judgementOfLoneRun(in: flush) ?? thoroughJudgement(of: flush, sawAll: sawAll)
    let reason: UndecidedReason? =
      switch judgement.outcome {
      // What is explained is so whatever else was queued unseen. Only an incomplete flush says too little.
      case .explained: flushes[Int(flush)].isIncomplete ? flushes[Int(flush)].reason : nil
      case .diverges: nil
      case .undecided(let reason): reason
      }
    finish(from: flushes[Int(flush)].first, reason: reason, syncs: judgement.syncs)
    let silent = flushes[Int(flush)].firstSilent
    if silent >= 0 { finish(from: silent, reason: reason, syncs: nil) }
    freeFlush(flush)
    completeCalls()
  }

  /// By far the most flushes run one call. Of those it can be said at once, from little, whether there is anything to find out.
  /// - Returns: nil where there is.
  @inline(__always)
  private mutating func judgementOfLoneRun(in flush: Int32) -> FlushJudgement? {
    let first = flushes[Int(flush)].first
    guard first >= 0, first == flushes[Int(flush)].last, flushes[Int(flush)].firstSilent < 0, laterScratch.isEmpty
    else { return nil }
    let cpu = Int(flushes[Int(flush)].cpu)
    let run = LoneRun(
      kick: nodes[Int(first)].kick, knowledge: Self.knowledge(nodes[Int(first)], movedOn(first)),
      tellsType: flushes[Int(flush)].inHandler && !flushes[Int(flush)].hasUncertain, queued: nodes[Int(first)].queued,
      addedBy: addedBy(first), started: nodes[Int(first)].startedAt, floor: cpus[cpu].floor.queued)
    guard let judgement = consumer.loneRunCompleted(run) else { return nil }
    if !flushes[Int(flush)].hasUncertain, !flushes[Int(flush)].hasUnqueued, run.addedBy != QueuedCall.never {
      raiseFloor(cpu: cpu, queued: run.queued, source: nodes[Int(first)].source, started: run.started)
    }
    return judgement
  }

  @inline(never)
  private mutating func thoroughJudgement(of flush: Int32, sawAll: Bool) -> FlushJudgement {
    let record = flushes[Int(flush)]
    let cpu = Int(record.cpu)
    memberScratch.removeAll(keepingCapacity: true)
    silentScratch.removeAll(keepingCapacity: true)
    collect(from: record.first, silently: false)
    collect(from: record.firstSilent, silently: true)
    let completed = CompletedFlush(
      cpu: record.cpu, inHandler: record.inHandler, notBefore: record.notBefore, notAfter: record.notAfter,
      previousEnd: record.previousEnd, unseenBy: record.unseenBy, floor: cpus[cpu].floor,
      kicksUndecidable: record.reason, otherKickPossible: record.otherKickPossible || !sawAll,
      doubt: record.hasUncertain ? .targetGap : nil)
    let judgement = consumer.flushCompleted(
      completed, members: memberScratch, silent: silentScratch, later: laterScratch)
    if !record.hasUncertain, !record.hasUnqueued {
      for member in memberScratch where member.addedBy != QueuedCall.never {
        raiseFloor(cpu: cpu, queued: member.queued, source: member.source, started: member.started)
      }
    }
    return judgement
  }

  /// Judges what is on a queue that is known when the trace ends: whoever came first has kicked, though nothing has come of it yet.
  ///
  /// Only if all CPUs were seen since, so that no other call's events can be cut off.
  mutating func judgeRemainder(of cpu: Int) {
    silentScratch.removeAll(keepingCapacity: true)
    var node = cpus[cpu].firstPending
    var latest: UInt64 = 0
    while node >= 0 {
      let call = nodes[Int(node)]
      guard call.addedBy != QueuedCall.never, call.kick != .unknown, call.marks.isDisjoint(with: .uncertain),
        call.timesGone == cpus[cpu].timesGone, silentScratch.count < 64
      else { return }
      latest = max(latest, call.addedBy)
      silentScratch.append(member(node))
      node = call.nextOnTarget
    }
    if silentScratch.isEmpty { return }
    for other in 0..<cpus.count where cpus[other].seen && cpus[other].lastOutsideFlush < latest { return }
    memberScratch.removeAll(keepingCapacity: true)
    laterScratch.removeAll(keepingCapacity: true)
    _ = consumer.flushCompleted(
      CompletedFlush(
        cpu: UInt16(cpu), inHandler: true, notBefore: lastTime, notAfter: .max,
        previousEnd: cpus[cpu].previousFlushEnd, unseenBy: cpus[cpu].unseenBy, floor: cpus[cpu].floor,
        kicksUndecidable: nil, otherKickPossible: false, isToCome: true),
      members: memberScratch, silent: silentScratch, later: laterScratch)
  }

  private mutating func collect(from first: Int32, silently: Bool) {
    var index = first
    while index >= 0 {
      let member = member(index)
      if silently { silentScratch.append(member) } else { memberScratch.append(member) }
      index = nodes[Int(index)].nextInFlush
    }
  }

  /// Nodes without a callback that later flushes must have taken, or none, and that this one may have.
  /// - Returns: whether these are all.
  @inline(__always)
  private mutating func collectLater(behind flush: Int32) -> Bool {
    let pending = cpus[Int(flushes[Int(flush)].cpu)].firstPending
    if flushes[Int(flush)].nextWaiting < 0,
      pending < 0 || nodes[Int(pending)].queued > flushes[Int(flush)].notAfter
    {
      return true
    }
    return searchLater(behind: flush, from: pending)
  }

  @inline(never)
  private mutating func searchLater(behind first: Int32, from pending: Int32) -> Bool {
    let notAfter = flushes[Int(first)].notAfter
    var flush = flushes[Int(first)].nextWaiting
    var rest = Self.farthestKicker
    while flush >= 0 {
      if rest == 0 || laterScratch.count > Self.mostLaterNodes { return false }
      var node = flushes[Int(flush)].firstSilent
      while node >= 0 {
        if nodes[Int(node)].queued <= notAfter { laterScratch.append(member(node)) }
        node = nodes[Int(node)].nextInFlush
      }
      flush = flushes[Int(flush)].nextWaiting
      rest -= 1
    }
    var node = pending
    while node >= 0, nodes[Int(node)].queued <= notAfter {
      if laterScratch.count > Self.mostLaterNodes { return false }
      if nodes[Int(node)].kind == .irqWork || nodes[Int(node)].kind == .wakeup { laterScratch.append(member(node)) }
      node = nodes[Int(node)].nextOnTarget
    }
    return true
  }

  private func member(_ index: Int32) -> FlushMember {
    let node = nodes[Int(index)]
    let movedOn = movedOn(index)
    var member = FlushMember(
      csd: node.csd, function: node.function, source: node.source, queued: node.queued, addedBy: addedBy(index),
      started: node.startedAt, kicked: node.kickedAt,
      kick: node.kick, knowledge: Self.knowledge(node, movedOn),
      movedOn: movedOn, ended: node.endedAt,
      isMany: node.kind == .many || node.kind == .unknown, id: index)
    member.mayBeWakeup = node.kind == .unknown && wakeupFunction == nil
    return member
  }

  /// When a node's caller was seen to do something else, or never.
  @inline(__always)
  private func movedOn(_ node: Int32) -> UInt64 {
    let call = nodes[Int(node)].call
    return calls.contains(call) ? calls[call].shown.movedOnAt : QueuedCall.never
  }

  /// One that a flush passed over is reported as such; when it was added says nothing about its flush.
  @inline(__always)
  private func addedBy(_ node: Int32) -> UInt64 {
    nodes[Int(node)].marks.isDisjoint(with: [.missed, .targetGap]) ? nodes[Int(node)].addedBy : QueuedCall.never
  }

  @inline(__always)
  private static func knowledge(_ node: QueuedCall, _ movedOn: UInt64) -> FlushMember.Knowledge {
    switch node.kind {
    case .wakeup: return .wakeup
    case .irqWork: return .irqWork
    case .single, .many, .local, .unknown:
      // The caller of a SYNC call spins until the callback is over.
      return node.endedAt != QueuedCall.never && movedOn < node.endedAt ? .notSync : .unknown
    }
  }

  /// Whatever a later flush runs was added after everything that this one ran.
  @inline(__always)
  private mutating func raiseFloor(cpu: Int, queued: UInt64, source: UInt16, started: UInt64) {
    guard queued > cpus[cpu].floor.queued else { return }
    cpus[cpu].floor = CompletedFlush.Floor(queued: queued, source: source, started: started)
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
    if innerFrames[cpu].node == node { innerFrames[cpu].node = -1 }
    for index in cpus[cpu].outerFrames.indices where cpus[cpu].outerFrames[index].node == node {
      cpus[cpu].outerFrames[index].node = -1
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
