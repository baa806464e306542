import BasicContainers
import CallEngines
import CallHistories
import Verdicts

// Calls: made when their time has come, forgotten when nobody needs them any longer.
extension Simulator {
  /// A call of the load is to be made, at its time or as soon behind it as its CPU can.
  /// - Precondition: calls come in the order of their times.
  mutating func make(_ call: LoadedCall, targets loaded: Span<LoadedTarget>) {
    run(until: call.time)
    now = max(now, call.time)
    ordinal &+= 1
    let source = Int(call.source)
    guard !cpus[source].isHung, let place = takePlace() else {
      callsNotMade &+= 1
      return
    }
    recorder.calls &+= 1
    for index in loaded.indices {
      recorder.asked(Int(loaded[index].cpu), callback: call.callback >= 0 ? Int(call.callback) : nil)
    }
    var new = CallPlace()
    new.ordinal = ordinal
    new.earliest = call.time
    new.source = call.source
    new.callback = call.callback
    new.function = call.function
    new.kind = call.kind
    new.context = call.context
    new.waits = call.waits
    new.isDeferrable = call.isDeferrable
    new.localNanoseconds = call.localNanoseconds ?? 0
    new.storageKey = call.storage
    // A task that is late catches up: it computes between its calls half as long as it did.
    if let think = call.thinkNanoseconds { new.earliest = max(new.earliest, cpus[source].returnedAt &+ think / 2) }
    new.firstTarget = Int32(takeTargets(loaded))
    new.targetCount = Int32(loaded.count)
    places[place] = new
    enter(place, of: source)
    disturb(source)
  }

  /// A CPU looks at its queue by itself, if it has nothing else to do.
  mutating func flush(_ cpu: Int, at time: UInt64) {
    run(until: time)
    now = max(now, time)
    let view = machine.view(of: cpu)
    guard view.isIdle, view.state == .online else { return }
    let flushes = isolates && engine.leaveUser(cpu, &machine)
    guard flushes || engine.leaveIdle(cpu, &machine) else { return }
    // Seen when it ran something, or when it was over.
    cpus[cpu].entryNanoseconds = 0
    cpus[cpu].token &+= 1
    cpus[cpu].readyAt = SimulatedCPU.never
    advance(cpu)
  }

  private mutating func enter(_ place: Int, of source: Int) {
    if places[place].context == .interrupt {
      if cpus[source].lastInterruptCall >= 0 {
        places[Int(cpus[source].lastInterruptCall)].next = Int32(place)
      } else {
        cpus[source].firstInterruptCall = Int32(place)
      }
      cpus[source].lastInterruptCall = Int32(place)
    } else {
      if cpus[source].lastTaskCall >= 0 {
        places[Int(cpus[source].lastTaskCall)].next = Int32(place)
      } else {
        cpus[source].firstTaskCall = Int32(place)
      }
      cpus[source].lastTaskCall = Int32(place)
    }
  }

  mutating func removeFirstInterruptCall(_ cpu: Int) {
    cpus[cpu].firstInterruptCall = places[Int(cpus[cpu].firstInterruptCall)].next
    if cpus[cpu].firstInterruptCall < 0 { cpus[cpu].lastInterruptCall = -1 }
  }

  mutating func removeFirstTaskCall(_ cpu: Int) {
    cpus[cpu].firstTaskCall = places[Int(cpus[cpu].firstTaskCall)].next
    if cpus[cpu].firstTaskCall < 0 { cpus[cpu].lastTaskCall = -1 }
  }

  /// The call of a place begins, on top of what its CPU runs.
  mutating func begin(_ place: Int) {
    places[place].isUnderWay = true
    places[place].began = now
    let cpu = Int(places[place].source)
    showPolling(of: place)
    var call = Call(kind: kinds.kind(for: places[place].kind))
    call.waits = places[place].waits
    call.isDeferrable = places[place].isDeferrable
    let first = Int(places[place].firstTarget)
    call.target = Int(targets[first].cpu)
    switch places[place].kind {
    case .many, .onEach:
      for index in first..<first + Int(places[place].targetCount) { call.mask.insert(Int(targets[index].cpu)) }
      if places[place].kind == .onEach { call.mask.insert(cpu) }
    default: break
    }
    switch call.kind {
    case .singleAsync, .queue, .irqWork, .wakeup: call.storage = takeStorage(for: place)
    default: break
    }
    if kinds.usesCrossCalls, let mapped = crossCall(call, from: cpu) { call = mapped }
    machine.setCall(place, call)
    timeline?.began(places[place].ordinal, on: cpu, at: now)
    engine.makeCall(place, on: cpu, interruptsOff: places[place].context != .task, &machine)
  }

  /// Under the interface of 2022. irq_works and wakeups stay what they are below it: see the article on the engine.
  private func crossCall(_ call: Call, from cpu: Int) -> Call? {
    switch call.kind {
    case .irqWork, .wakeup: nil
    default: call.asCrossCall(from: cpu, cpuCount: cpus.count)?.call
    }
  }

  /// What the recorded kicks say of the targets: polling, or not.
  private mutating func showPolling(of place: Int) {
    let first = Int(places[place].firstTarget)
    for index in first..<first + Int(places[place].targetCount) {
      let cpu = Int(targets[index].cpu)
      switch targets[index].kick {
      case .polling:
        let view = machine.view(of: cpu)
        guard view.depth == 0, view.state == .online, cpus[cpu].readyAt == SimulatedCPU.never else {
          continue
        }
        engine.beginPolling(cpu, &machine)
      case .ipi:
        if machine.view(of: cpu).idlesPolling { engine.endPolling(cpu, &machine) }
      case .maskIPI, .coalesced, .unknown, .undecided: continue
      }
    }
  }

  // MARK: Places

  private mutating func takePlace() -> Int? {
    if freePlaces.count == 0 {
      reclaimPlaces()
      if freePlaces.count < places.count / 4 { addPlaces() }
    }
    guard freePlaces.count > 0 else { return nil }
    return Int(freePlaces.removeLast())
  }

  private mutating func addPlaces() {
    let count = min(places.count, Self.mostPlaces - places.count)
    guard count > 0 else { return }
    machine.grow(byCalls: count)
    for place in stride(from: places.count + count - 1, through: places.count, by: -1) {
      freePlaces.append(Int32(place))
    }
    for _ in 0..<count { places.append(CallPlace()) }
  }

  /// Frees the places that nobody can look at any more: every handler that was there when one was released has ended.
  private mutating func reclaimPlaces() {
    var oldest = UInt64.max
    for cpu in 0..<cpus.count where cpus[cpu].handlerDepth > 0 && !cpus[cpu].isHung {
      oldest = min(oldest, cpus[cpu].handlerSince)
    }
    while firstResting < restingPlaces.count {
      let place = Int(restingPlaces[firstResting])
      if places[place].releasedAt >= oldest { break }
      firstResting &+= 1
      machine.clearCall(place)
      freePlaces.append(Int32(place))
    }
    guard firstResting > restingPlaces.count / 2 else { return }
    restingPlaces.removeSubrange(0..<firstResting)
    firstResting = 0
  }

  /// A place is left when its call has returned, its targets have run, and nobody uses its private csd.
  mutating func releaseIfOver(_ place: Int) {
    guard places[place].hasReturned, places[place].open == 0, places[place].firstTarget >= 0 else { return }
    giveBackTargets(place)
    let storage = Int(places[place].storage)
    if storage >= 0 {
      places[place].storage = -1
      places[storage].storageUsers &-= 1
      if places[storage].storageUsers == 0 {
        storages[storageKey(of: storage)] = nil
        if storage != place { restIfUnused(storage) }
      }
    }
    restIfUnused(place)
  }

  private mutating func restIfUnused(_ place: Int) {
    guard places[place].hasReturned, places[place].firstTarget < 0, places[place].storageUsers == 0 else { return }
    places[place].hasReturned = false
    places[place].releasedAt = now
    restingPlaces.append(Int32(place))
  }

  private func storageKey(of place: Int) -> StorageKey {
    StorageKey(address: places[place].storageKey, kind: kinds.kind(for: places[place].kind))
  }

  /// The place whose private csd stands for the caller's: that of the first call under way which has the same.
  private mutating func takeStorage(for place: Int) -> Int {
    let key = storageKey(of: place)
    let owner = key.address == 0 ? place : storages[key].map(Int.init) ?? place
    if owner == place, key.address != 0 { storages[key] = Int32(place) }
    places[place].storage = Int32(owner)
    places[owner].storageUsers &+= 1
    return owner
  }

  // MARK: Targets

  private func sizeClass(_ count: Int) -> Int { count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount }

  private mutating func takeTargets(_ loaded: Span<LoadedTarget>) -> Int {
    let size = sizeClass(loaded.count)
    while freeTargets.count <= size { freeTargets.append([]) }
    let first: Int
    if let free = freeTargets[size].popLast() {
      first = Int(free)
    } else {
      first = targets.count
      for _ in 0..<1 << size { targets.append(TargetPlace()) }
    }
    for index in loaded.indices {
      var target = TargetPlace()
      target.cpu = loaded[index].cpu
      target.kick = loaded[index].kick
      target.isTimed = loaded[index].delayNanoseconds != nil
      target.runNanoseconds = loaded[index].runNanoseconds ?? SimulatedCPU.never
      if options.usesRecordedTimes {
        target.resumeNanoseconds = loaded[index].resumeNanoseconds ?? 0
        target.addNanoseconds = loaded[index].addNanoseconds ?? SimulatedCPU.never
      }
      if options.usesRecordedTimes || options.usesClosedStretches, let sent = loaded[index].sent,
        let arrived = loaded[index].arrived
      {
        target.sent = sent
        target.arrived = arrived
      }
      targets[first + index] = target
    }
    return first
  }

  private mutating func giveBackTargets(_ place: Int) {
    freeTargets[sizeClass(Int(places[place].targetCount))].append(places[place].firstTarget)
    places[place].firstTarget = -1
  }

  /// A call's target on a CPU, by halving: they ascend.
  func target(of call: Int, on cpu: Int) -> Int? {
    var low = Int(places[call].firstTarget)
    guard low >= 0 else { return nil }
    var high = low &+ Int(places[call].targetCount)
    while low < high {
      let middle = (low &+ high) &>> 1
      if Int(targets[middle].cpu) < cpu { low = middle &+ 1 } else { high = middle }
    }
    return low < Int(places[call].firstTarget) &+ Int(places[call].targetCount) && Int(targets[low].cpu) == cpu
      ? low : nil
  }
}
