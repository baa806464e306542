import BasicContainers
import CallEngines
import CallHistories
import Verdicts

// What a step came to: what is counted, who is told, and what it costs.
extension Simulator {
  /// - Parameter cpu: the CPU that moved.
  /// - Returns: what the step costs, in nanoseconds.
  mutating func handleNotes(of cpu: Int) -> UInt64 {
    var cost: UInt64 = 0
    var index = 0
    var maskVector = false
    let count = machine.noteCount()
    while index < count {
      let note = machine.note(at: index)
      index &+= 1
      let subject = Int(note.subject)
      let other = Int(note.cpu)
      switch note.kind {
      case .queued:
        cost &+= queued(subject, on: other, by: cpu)
      case .added:
        if kinds.pollsWhileWaiting { lookAgain(other) }
      case .warned, .ipiLost:
        break
      case .coalesced:
        places[subject].isCoalesced = true
      case .sent:
        sent(subject, to: other, by: cpu, call: caller(on: cpu), isMask: false)
      case .sentToMask:
        maskVector = true
        sent(subject, to: other, by: cpu, call: caller(on: cpu), isMask: true)
      case .maskSent:
        if maskVector { recorder.interrupts.maskOperations &+= 1 }
      case .pollerWoken:
        woken(other, call: caller(on: cpu))
      case .deferred:
        recorder.interrupts.deferred &+= 1
        if let call = caller(on: cpu), let target = target(of: call, on: other) { targets[target].isKicked = true }
      case .taken:
        // The other half of the handler's begin; an empty queue ends it.
        cost &+=
          subject == 1
          ? (entryCost(of: cpu) &+ 1) / 2 : draw(.handlerExit, random.number(.handlerExit, UInt64(cpu), now))
      case .started:
        cost = max(cost, started(subject, on: other))
      case .finished:
        cost &+= finished(subject, on: other, by: cpu)
      case .returned:
        returned(subject, from: cpu, CallResult(rawValue: UInt8(truncatingIfNeeded: other)) ?? .success)
      case .csdReleased:
        release(key: Self.key(csd: subject))
      case .lockTaken:
        lockHolders[subject] = Int32(other)
      case .lockReleased:
        lockHolders[subject] = nil
        release(key: Self.key(lock: subject))
      case .flagChanged:
        release(key: Self.flagKey)
        release(key: Self.hotplugKey)
        shutIfOffline(cpu)
      case .allocated:
        if subject == 1 { recorder.allocations.made &+= 1 } else { recorder.allocations.failed &+= 1 }
      }
    }
    machine.forgetNotes()
    return cost
  }

  /// The call whose step has just sent something. It may have returned with that step.
  private mutating func caller(on cpu: Int) -> Int? {
    if let call = machine.topCall(of: cpu) { return call }
    for index in 0..<machine.noteCount() {
      let note = machine.note(at: index)
      if note.kind == .returned { return Int(note.subject) }
    }
    return nil
  }

  // MARK: The caller's side

  private mutating func queued(_ call: Int, on target: Int, by cpu: Int) -> UInt64 {
    guard let place = self.target(of: call, on: target) else { return 0 }
    targets[place].state = .queued
    targets[place].queuedAt = now
    places[call].open &+= 1
    timeline?.queued(places[call].ordinal, by: cpu, on: target, at: now)
    if kinds.pollsWhileWaiting { lookAgain(target) }
    let recorded = targets[place].addNanoseconds
    if recorded != SimulatedCPU.never { return recorded }
    return draw(.add, random.number(.add, places[call].ordinal, UInt64(target)))
  }

  private mutating func sent(_ vector: Int, to target: Int, by cpu: Int, call: Int?, isMask: Bool) {
    if isMask { recorder.interrupts.maskTargets &+= 1 } else { recorder.interrupts.single &+= 1 }
    // Who is called twice at once by one call does not exist, so that the call's target is the IPI's.
    let place = call.flatMap { self.target(of: $0, on: target) }
    let callback = call.flatMap { places[$0].callback >= 0 ? Int(places[$0].callback) : nil }
    recorder.interrupted(target, callback: callback)
    if let place {
      targets[place].isKicked = true
      if targets[place].kick.isKnown {
        if isMask { recorder.known.maskTargets &+= 1 } else { recorder.known.single &+= 1 }
      }
    }
    if let call { timeline?.sent(places[call].ordinal, by: cpu, to: target, isMask: isMask, at: now) }
    guard machine.hasPending(Vector(rawValue: UInt8(vector)) ?? .single, on: target) else { return }
    let index = target &* Self.vectors &+ vector
    // Two of one vector that are under way are one.
    guard arrivals[index] == SimulatedCPU.never, cpus[target].arrived & 1 << UInt8(vector) == 0 else { return }
    let arrival = arrival(from: cpu, to: target, call: call, place: place, isMask: isMask)
    arrivals[index] = arrival
    queue.add(.arrival, cpu: target, at: arrival, token: UInt32(vector))
  }

  private mutating func woken(_ target: Int, call: Int?) {
    recorder.interrupts.polling &+= 1
    if let call, let place = self.target(of: call, on: target) {
      targets[place].isKicked = true
      if targets[place].kick.isKnown { recorder.known.polling &+= 1 }
    }
    // An interrupt on top of the idle loop may be at work, or wait: what is below it is looked at behind it.
    guard cpus[target].readyAt == SimulatedCPU.never, cpus[target].waitKey < 0 else { return }
    // The flush's own beginning is in it.
    let cost = pollingWakeCost(of: target, call: call)
    cpus[target].entryNanoseconds = 0
    schedule(target, at: now &+ cost)
  }

  private mutating func returned(_ call: Int, from cpu: Int, _ result: CallResult) {
    places[call].isUnderWay = false
    places[call].hasReturned = true
    timeline?.returned(places[call].ordinal, from: cpu, at: now)
    if places[call].waits || places[call].hasWaited {
      recorder.callerWaited(cpu, now &- places[call].began)
      if places[call].context != .interrupt { cpus[cpu].returnedAt = now }
    }
    var index = Int(places[call].firstTarget)
    let end = index + Int(places[call].targetCount)
    while index < end {
      if targets[index].state == .asked {
        if places[call].isCoalesced {
          recorder.fates.coalescedRequests &+= 1
        } else {
          recorder.fates.refused &+= 1
          timeline?.refused(places[call].ordinal, on: Int(targets[index].cpu), at: now)
        }
      } else if !targets[index].isKicked {
        recorder.interrupts.saved &+= 1
        if targets[index].kick.isKnown { recorder.known.saved &+= 1 }
      }
      index &+= 1
    }
    releaseIfOver(call)
  }

  // MARK: The target's side

  private mutating func started(_ call: Int, on cpu: Int) -> UInt64 {
    guard let place = target(of: call, on: cpu) else {
      // On the caller's own CPU, in place.
      timeline?.started(places[call].ordinal, places[call].function, on: cpu, at: now)
      return places[call].localNanoseconds
    }
    // What is run once more, as an engine may do by mistake, has had its end.
    if targets[place].state == .queued { targets[place].state = .started }
    let callback = places[call].callback >= 0 ? Int(places[call].callback) : nil
    recorder.started(
      on: cpu, callback: callback, delay: targets[place].isTimed ? now &- targets[place].queuedAt : nil)
    timeline?.started(places[call].ordinal, places[call].function, on: cpu, at: now)
    let recorded = targets[place].runNanoseconds
    let run =
      recorded != SimulatedCPU.never
      ? recorded : draw(unseenRun(of: call), random.number(.run, places[call].ordinal, UInt64(cpu)))
    recorder.ran(on: cpu, run)
    return run
  }

  /// What the length of a callback is drawn from that was not seen: irq_works and wakeups never show one.
  private func unseenRun(of call: Int) -> CostModel.Item {
    switch places[call].kind {
    case .irqWork, .wakeup: .silentCallback
    default: .callback
    }
  }

  private mutating func finished(_ call: Int, on cpu: Int, by mover: Int) -> UInt64 {
    timeline?.finished(places[call].ordinal, on: cpu, at: now)
    guard let place = target(of: call, on: cpu) else { return 0 }
    if targets[place].state == .started {
      targets[place].state = .ended
      recorder.fates.ran &+= 1
      places[call].open &-= 1
      releaseIfOver(call)
    }
    // A task that its waker put onto the run queue itself.
    if mover != cpu { return 0 }
    if engine.hasNodesLeft(cpu, &machine) {
      return draw(.nextCallback, random.number(.nextCallback, places[call].ordinal, UInt64(cpu)))
    }
    // Outside handlers nothing is left to do.
    guard cpus[cpu].handlerDepth > 0 else { return 0 }
    return draw(.handlerExit, random.number(.handlerExit, places[call].ordinal, UInt64(cpu)))
  }
}

extension Kick {
  /// Whether the recording tells what the kick was.
  var isKnown: Bool {
    switch self {
    case .ipi, .maskIPI, .coalesced, .polling: true
    case .undecided, .unknown: false
    }
  }
}
