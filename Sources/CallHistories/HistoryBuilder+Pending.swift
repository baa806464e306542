internal import BasicContainers
import TraceTypes

/// The calls that wait to run: found by csd and target, and walked by target in the order of their queue events.
extension HistoryBuilder {
  /// The longest chain of calls with one csd. In loss-free traces two are the most that ever occurs.
  static var longestChain: UInt16 { 64 }

  /// Makes a node that waits for its target, behind those that wait there.
  @inline(__always)
  mutating func lineUp(_ event: TraceEvent, kind: CallKind, call: UInt64, target: Int) -> Int32 {
    let arrival = cpus[target].arrival(at: event.nanoseconds, gaps: gaps)
    let node = makeNode(event, kind: kind, call: call, arrival: arrival)
    cpus[target].lastPending = node
    if arrival.lastPending >= 0 {
      nodes[Int(arrival.lastPending)].nextOnTarget = node
    } else {
      cpus[target].firstPending = node
    }
    return node
  }

  /// Puts a node behind those of the same csd.
  mutating func makeFindable(_ node: Int32, csd: UInt64) {
    var slot = table.slot(csd: csd)
    if table[slot].first >= 0 {
      settleEarlierUses(of: table[slot].first, queuedAgain: node)
      slot = table.slot(csd: csd)
      if table[slot].count >= Self.longestChain {
        giveUp(table[slot].first, reason: .openTooLong)
        slot = table.slot(csd: csd)
      }
    }
    var chain = table[slot]
    if chain.first < 0 {
      chain = PendingTable.Chain(csd: csd, count: 1, first: node, last: node)
    } else {
      nodes[Int(chain.last)].nextWithKey = node
      chain.last = node
      chain.count += 1
    }
    table.set(slot, to: chain)
  }

  private static let mostUnseenCSDs = 65_536

  /// A call is closed although its callback may still come. Where that was so for very many, it is taken to be so for all.
  private mutating func noteUnseen(_ node: Int32) {
    if unseenCSDs.count < Self.mostUnseenCSDs { unseenCSDs.insert(nodes[Int(node)].csd) }
  }

  private func mayFollowUnseen(_ csd: UInt64) -> Bool {
    unseenCSDs.count == Self.mostUnseenCSDs || unseenCSDs.contains(csd)
  }

  /// What it means for calls that are still waited for that their csd is queued again, to whatever target.
  private mutating func settleEarlierUses(of first: Int32, queuedAgain node: Int32) {
    var earlier = first
    while earlier >= 0 {
      let next = nodes[Int(earlier)].nextWithKey
      let marks = nodes[Int(earlier)].marks
      if marks.contains(.missed) {
        // A csd stays locked until its callback is due: queued again, it can no longer run for a call that a flush passed over.
        noteUnseen(earlier)
        closeAtEnd(earlier, pending: .undecided, reason: nil)
        completeCalls()
      } else if nodes[Int(earlier)].kind == .wakeup, marks.contains(.mayHaveRun) || hasWokenSince(earlier) {
        // A task's wake_entry is queued again only after the task was woken: a wakeup that may have run has run.
        noteUnseen(earlier)
        concludeWakeup(earlier)
      } else if nodes[Int(earlier)].reusedAt == QueuedCall.never {
        nodes[Int(earlier)].reusedAt = nodes[Int(node)].queued
        nodes[Int(earlier)].reusedBy = nodes[Int(node)].source
      }
      earlier = next
    }
  }

  /// Whether the target has begun wakeups since a wakeup was queued: they may have been this one's, too.
  private func hasWokenSince(_ node: Int32) -> Bool {
    cpus[Int(nodes[Int(node)].target)].lastWokeAt >= nodes[Int(node)].queued
  }

  private mutating func concludeWakeup(_ node: Int32) {
    let target = Int(nodes[Int(node)].target)
    unlink(node)
    nodes[Int(node)].inferred = true
    nodes[Int(node)].judged = true
    (nodes[Int(node)].type, nodes[Int(node)].typeEvidence) = (.wakeup, .callsite)
    close(node, outcome: .ran, reason: nil)
    judgeReadyFlushes(of: target)
    completeCalls()
  }

  /// Takes the call that a callback belongs to out of the pending ones.
  ///
  /// The oldest one with the target, csd and func, except that one queued after the flush had begun is not in it, and that the
  /// older ones may have run unseen.
  /// - Returns: the node, or −1.
  mutating func take(_ event: TraceEvent, inFlush flush: Int32) -> Int32 {
    let slot = table.slot(csd: event.csd)
    var node = matching(event, from: table[slot].first)
    guard node >= 0 else { return -1 }
    let isAlone = table[slot].count == 1
    if nodes[Int(node)].nextWithKey >= 0 { node = newest(from: node, event, flush: flush) }
    guard node >= 0 else { return -1 }
    if mayBelongToLostQueueEvent(node) {
      giveUp(node, reason: .targetGap)
      return -1
    }
    if flushes[Int(flush)].inHandler, nodes[Int(node)].queued > flushes[Int(flush)].notAfter { return -1 }
    if !unseenCSDs.isEmpty { nodes[Int(node)].followsUnseen = mayFollowUnseen(event.csd) }
    let wasMissed = nodes[Int(node)].marks.contains(.missed)
    if isAlone {
      // Nothing has touched the table since.
      unlinkFromTarget(node)
      nodes[Int(node)].marks.remove(.findable)
      table.remove(slot)
    } else {
      unlink(node)
    }
    if wasMissed { ranLate(node, event, flush: flush) }
    return node
  }

  /// Whether a call may have run in a gap of its target, and its csd have been queued again in a gap of another CPU: then a
  /// callback can belong to either.
  private func mayBelongToLostQueueEvent(_ node: Int32) -> Bool {
    let call = nodes[Int(node)]
    return call.marks.contains(.targetGap) && gaps &- cpus[Int(call.target)].gaps != call.gapsElsewhere
  }

  /// The first of a chain, from a node on, that a callback can belong to.
  private func matching(_ event: TraceEvent, from first: Int32) -> Int32 {
    var node = first
    while node >= 0, nodes[Int(node)].function != event.function || nodes[Int(node)].target != event.cpu {
      node = nodes[Int(node)].nextWithKey
    }
    return node
  }

  /// Of several calls with one csd, target and func the one that a callback belongs to.
  ///
  /// A csd is queued again only after it was unlocked, which an ASYNC one is just before its callback, and every other after
  /// that began. So a newer call counts if it was queued before the flush began, and a newer wakeup if it was queued before the
  /// callback: the older ones have run unseen. But where nothing of what the target does goes unseen, they have not run: then
  /// the csd was queued while it was locked, and the oldest call runs first. Where the older one's run is likely unseen and the
  /// newer one's time does not tell, neither is judged.
  /// - Returns: the node, or −1.
  private mutating func newest(from first: Int32, _ event: TraceEvent, flush: Int32) -> Int32 {
    var newest = first
    var node = matching(event, from: nodes[Int(first)].nextWithKey)
    while node >= 0 {
      let next = matching(event, from: nodes[Int(node)].nextWithKey)
      let call = nodes[Int(node)]
      let older = nodes[Int(newest)]
      let mayHaveRun = older.marks.contains(.targetGap)
      if older.kind != .wakeup, older.marks.isDisjoint(with: .uncertain), showsCallbacks(cpu: Int(event.cpu)) { break }
      let isNext =
        call.queued <= flushes[Int(flush)].notBefore || call.kind == .wakeup && call.queued < event.nanoseconds
        || mayHaveRun && call.marks.contains(.targetGap)
      if !isNext {
        guard mayHaveRun, call.queued <= flushes[Int(flush)].notAfter else { break }
        giveUp(newest, reason: .targetGap)
        giveUp(node, reason: .targetGap)
        return -1
      }
      giveUp(newest, reason: mayHaveRun ? .targetGap : .stateUnknown)
      newest = node
      node = next
    }
    return newest
  }

  /// Takes a node out of the pending ones, wherever it is.
  mutating func unlink(_ node: Int32) {
    unlinkFromTarget(node)
    unlinkFromTable(node)
  }

  private mutating func unlinkFromTarget(_ node: Int32) {
    guard nodes[Int(node)].marks.contains(.onTarget) else { return }
    nodes[Int(node)].marks.remove(.onTarget)
    let target = Int(nodes[Int(node)].target)
    let previous = nodes[Int(node)].previousOnTarget
    let next = nodes[Int(node)].nextOnTarget
    if previous >= 0 { nodes[Int(previous)].nextOnTarget = next } else { cpus[target].firstPending = next }
    if next >= 0 { nodes[Int(next)].previousOnTarget = previous } else { cpus[target].lastPending = previous }
  }

  private mutating func unlinkFromTable(_ node: Int32) {
    guard nodes[Int(node)].marks.contains(.findable) else { return }
    nodes[Int(node)].marks.remove(.findable)
    let slot = table.slot(csd: nodes[Int(node)].csd)
    var chain = table[slot]
    let next = nodes[Int(node)].nextWithKey
    nodes[Int(node)].nextWithKey = -1
    if chain.first == node {
      if next < 0 {
        table.remove(slot)
        return
      }
      chain.first = next
    } else {
      var previous = chain.first
      while nodes[Int(previous)].nextWithKey != node { previous = nodes[Int(previous)].nextWithKey }
      nodes[Int(previous)].nextWithKey = next
      if chain.last == node { chain.last = previous }
    }
    chain.count -= 1
    table.set(slot, to: chain)
  }

  // MARK: Anomalies

  /// A flush that began at a time must have taken the node: it is no longer waited for, but its callback may still come.
  mutating func missed(_ node: Int32, at time: UInt64) {
    unlinkFromTarget(node)
    excuseKicks(before: node)
    nodes[Int(node)].marks.insert(.missed)
    nodes[Int(node)].missedAt = time
  }

  private mutating func ranLate(_ node: Int32, _ event: TraceEvent, flush: Int32) {
    flushes[Int(flush)].reason = .stateUnknown
    flushes[Int(flush)].otherKickPossible = true
    let late = nodes[Int(node)]
    if orphanRan(late.csd, on: late.target, late.function) { return }
    consumer.anomalyFound(
      HistoryAnomaly(
        kind: .ranLater, time: event.nanoseconds, cpus: [late.source, late.target], function: late.function,
        csd: late.csd,
        events: [
          EventReference(cpu: late.source, nanoseconds: late.queued, kind: .csdQueueCPU),
          EventReference(cpu: event.cpu, nanoseconds: event.nanoseconds, kind: .csdFunctionEntry),
        ],
        comparisons: [ClockComparison(late.source, at: late.addedBy, before: late.target, at: late.missedAt)]))
  }

  /// A callback that nobody queued: the second run of one that is in the same flush, or unexplained.
  mutating func unqueued(_ event: TraceEvent, flush: Int32) {
    flushes[Int(flush)].otherKickPossible = true
    var member = flushes[Int(flush)].first
    while member >= 0, nodes[Int(member)].csd != event.csd { member = nodes[Int(member)].nextInFlush }
    if member >= 0, flushes[Int(flush)].inHandler, nodes[Int(member)].function == event.function {
      let first = nodes[Int(member)]
      consumer.anomalyFound(
        HistoryAnomaly(
          kind: .ranTwice, time: event.nanoseconds, cpus: [first.source, first.target], function: first.function,
          csd: first.csd,
          events: [
            EventReference(cpu: first.source, nanoseconds: first.queued, kind: .csdQueueCPU),
            EventReference(cpu: event.cpu, nanoseconds: first.startedAt, kind: .csdFunctionEntry),
            EventReference(cpu: event.cpu, nanoseconds: event.nanoseconds, kind: .csdFunctionEntry),
          ]))
    } else {
      statistics.unqueued += 1
      if event.function == wakeupFunction { flushes[Int(flush)].hasUnknownWakeup = true }
      flushes[Int(flush)].hasUnqueued = true
      flushes[Int(flush)].reason = flushes[Int(flush)].reason ?? .unqueuedCompanion
      orphans.add(
        OrphanRing.Orphan(
          cpu: event.cpu, csd: event.csd, function: event.function, time: event.nanoseconds,
          isFirm: !statistics.hasSilentLosses && unsettledCount == 0 && isKnown(cpu: Int(event.cpu))
        ))
    }
    consumer.unqueuedCallback(event)
  }

  /// A node that was missed and never ran: on another CPU, because the clocks disagree, or not at all.
  private mutating func neverRan(_ node: Int32) -> CallOutcome {
    let lost = nodes[Int(node)]
    if orphanRan(lost.csd, on: lost.target, lost.function) {
      nodes[Int(node)].reason = .clockSkew
      return .undecided
    }
    let elsewhere = orphans.take(csd: lost.csd) {
      $0.cpu != lost.target && $0.function == lost.function && $0.time > lost.queued
    }
    // Every later flush has passed it by, too.
    let latestMiss = max(lost.missedAt, cpus[Int(lost.target)].previousFlushBegin)
    var events = [EventReference(cpu: lost.source, nanoseconds: lost.queued, kind: .csdQueueCPU)]
    var concerned = [lost.source, lost.target]
    if let elsewhere {
      events.append(EventReference(cpu: elsewhere.cpu, nanoseconds: elsewhere.time, kind: .csdFunctionEntry))
      concerned.append(elsewhere.cpu)
    }
    consumer.anomalyFound(
      HistoryAnomaly(
        kind: elsewhere == nil ? .neverRan : .ranElsewhere, time: elsewhere?.time ?? lost.queued, cpus: concerned,
        function: lost.function, csd: lost.csd, events: events,
        comparisons: [
          ClockComparison(lost.source, at: lost.addedBy, before: lost.target, at: latestMiss)
        ], through: lost.missedAt))
    return elsewhere == nil ? .lost : .ran
  }

  /// Whether a callback with a csd has run on a CPU that nobody had queued there, though all sources were known: then the clocks
  /// disagree, and every callback with that csd may belong to the call before the one that it seems to belong to.
  func orphanRan(_ csd: UInt64, on cpu: UInt16, _ function: UInt64) -> Bool {
    orphans.containsFirm(cpu: cpu, csd: csd, function: function)
  }

  // MARK: Ends

  /// Gives a call up as undecided.
  mutating func giveUp(_ node: Int32, reason: UndecidedReason) {
    guard nodes[Int(node)].outcome == .open, nodes[Int(node)].flush < 0 else { return }
    let target = Int(nodes[Int(node)].target)
    noteUnseen(node)
    unlink(node)
    excuseKicks(before: node)
    close(node, outcome: .undecided, reason: reason)
    judgeReadyFlushes(of: target)
    completeCalls()
  }

  /// Decides a call's end, once.
  mutating func close(_ node: Int32, outcome: CallOutcome, reason: UndecidedReason?) {
    guard nodes[Int(node)].outcome == .open else { return }
    nodes[Int(node)].outcome = outcome
    nodes[Int(node)].reason = reason
    let call = nodes[Int(node)].call
    if calls.contains(call) { calls[call].openNodes -= 1 }
  }

  /// Keeps memory bounded, whatever the trace holds.
  mutating func giveUpBeyondLimits(at time: UInt64) {
    while calls.count > Self.maximumOpenCalls || openNodes > Self.maximumOpenTargets, calls.count > 0 {
      giveUpOldestCall(at: time)
    }
  }

  /// The oldest call has been open for too many later ones: whatever of it is undecided stays so.
  mutating func giveUpOldestCall(at time: UInt64) {
    let sequence = calls.head
    let slot = Int(calls[sequence].shown.source) * 4 + Int(calls[sequence].level.rawValue)
    if slots[slot].phase != .closed, slots[slot].call == sequence {
      close(slot: slot, at: time, undecidedKick: .unknown)
    }
    guard calls.contains(sequence) else { return }
    calls[sequence].localOpen = false
    var node = calls[sequence].firstNode
    while node >= 0 {
      let next = nodes[Int(node)].nextInCall
      closeAtEnd(node, pending: .undecided, reason: .openTooLong)
      node = next
    }
    completeCalls()
  }

  /// Closes a node for which nothing more will come.
  mutating func closeAtEnd(_ node: Int32, pending: CallOutcome, reason: UndecidedReason?) {
    guard nodes[Int(node)].outcome == .open else { return }
    let marks = nodes[Int(node)].marks
    let target = Int(nodes[Int(node)].target)
    unlink(node)
    defer { judgeReadyFlushes(of: target) }
    if nodes[Int(node)].flush >= 0 {
      // It ran, and its flush waits for other members' sources, or has not ended.
      detachFromFlush(node)
      close(node, outcome: .ran, reason: reason ?? .traceEnd)
    } else if marks.contains(.missed) {
      let outcome = neverRan(node)
      nodes[Int(node)].judged = outcome != .undecided
      close(node, outcome: outcome, reason: nodes[Int(node)].reason)
    } else if marks.contains(.targetGap) {
      close(node, outcome: .undecided, reason: .targetGap)
    } else if marks.contains(.hotplug) {
      close(node, outcome: .undecided, reason: .hotplug)
    } else {
      close(node, outcome: pending, reason: reason)
    }
  }

  // MARK: Completion

  /// Hands on the complete calls at the head of the ring.
  @inline(__always)
  mutating func completeCalls() {
    if calls.firstIsComplete { handOnCompleteCalls() }
  }

  @inline(never)
  private mutating func handOnCompleteCalls() {
    while calls.firstIsComplete { handOn(calls.removeFirst()) }
  }

  @inline(__always)
  private mutating func handOn(_ call: CallRecord) {
    let first = Int(call.firstNode)
    if first >= 0, nodes[first].nextInCall < 0 {
      // By far the most calls have one target: it is shown where it lies.
      deliver(call, targets: nodes.span.extracting(first..<first + 1))
      freeNode(call.firstNode)
      return
    }
    targetScratch.removeAll(keepingCapacity: true)
    var node = call.firstNode
    while node >= 0 {
      let next = nodes[Int(node)].nextInCall
      targetScratch.append(nodes[Int(node)])
      freeNode(node)
      node = next
    }
    deliver(call, targets: targetScratch.span)
  }

  @inline(__always)
  private func deliver(_ call: CallRecord, targets: Span<QueuedCall>) {
    var shown = call.shown
    shown.mayBeSeveral = Self.mayBeSeveral(shown, targets: targets)
    shown.waits = Self.waits(shown.kind, targets: targets)
    consumer.callCompleted(shown, targets: targets)
  }

  @inline(__always)
  private static func mayBeSeveral(_ call: CompletedCall, targets: Span<QueuedCall>) -> Bool {
    let count = targets.count
    if count == 0 || call.kind != .many && call.kind != .unknown { return false }
    if call.localStartedAt != QueuedCall.never { return true }
    if count == 1 { return false }
    return targets[0].kick == .coalesced
  }

  @inline(__always)
  private static func waits(_ kind: CallKind, targets: Span<QueuedCall>) -> Bool? {
    switch kind {
    case .wakeup, .irqWork: return false
    case .local: return nil
    case .single, .many, .unknown:
      // All nodes of a call have one type.
      var waits: Bool?
      for index in targets.indices {
        switch targets[index].type {
        case .async: waits = false
        case .sync: waits = waits ?? true
        case .irqWork, .wakeup, nil: break
        }
      }
      return waits
    }
  }
}
