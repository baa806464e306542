// What is known about calls, and checked. No engine reads it.
extension Machine {
  /// A call begins: it owes its function to these CPUs, as far as they are online.
  mutating func callBegan(_ call: Int, owed: CPUSet) {
    guard keepsBooks else { return }
    for mask in CallMask.allCases { clear(maskAt: layout.call(call, mask)) }
    setMask(at: layout.call(call, .owed), online: owed)
    set(layout.call(call, .progress), 1)
    set(layout.call(call, .result), 0)
    if workload.calls[call].kind == .queue { requested(call) }
    happened(.callBegan(call: call))
  }

  /// A call that has returned may be made again.
  mutating func forgetCall(_ call: Int) {
    let start = layout.call(call, .progress)
    for offset in 0..<layout.callStride { set(start &+ offset, 0) }
    for other in 0..<layout.callCount {
      for cpu in 0..<layout.cpuCount { remove(call, maskAt: layout.ahead(of: other, on: cpu)) }
    }
  }

  /// A call was queued for a CPU, or is about to run there in place.
  /// - Parameters:
  ///   - isOrdered: whether it starts behind what was queued for that CPU before, in the same class.
  ///   - peers: the calls that can be on the same queue, one bit each.
  mutating func queued(
    _ call: Int, on cpu: Int, isOrdered: Bool = true, peers: UInt64 = .max
  ) {
    note(.queued, call, cpu: cpu)
    guard keepsBooks else { return }
    insert(cpu, maskAt: layout.call(call, .queued))
    noteConcurrency(of: call, on: cpu)
    guard isOrdered else { return }
    for other in 0..<layout.callCount where other != call && self.nodeClass(of: other) == self.nodeClass(of: call) {
      guard peers >> UInt64(other) & 1 == 1 else { continue }
      guard contains(maskAt: layout.call(other, .queued), cpu), !contains(maskAt: layout.call(other, .started), cpu)
      else { continue }
      // An irq_work has a list of its own where it was queued, and a request that it covers has no place on any.
      if workload.calls[other].kind == .irqWork, !isOnQueue(storageOf: other) { continue }
      insert(other, maskAt: layout.ahead(of: call, on: cpu))
    }
  }

  /// Whether the caller's own storage is on a CPU's queue for this very call.
  private func isOnQueue(storageOf call: Int) -> Bool {
    let csd = layout.privateCSD(workload.calls[call].storage)
    return csdState(csd) == .queued && self.call(csd) == call
  }

  /// The class in which a call's node runs, as far as its kind and flags say.
  func nodeClass(of call: Int) -> NodeClass {
    switch workload.calls[call].kind {
    case .wakeup: .wakeups
    case .irqWork, .singleAsync, .queue: .asyncAndIRQWork
    case .single, .many, .onEach, .any: workload.calls[call].waits ? .sync : .asyncAndIRQWork
    case .xcall, .xcallMask, .xcallPrivate, .xcallAny:
      switch workload.calls[call].flags & 0xf0 {
      case 0x10: .sync
      case 0x30: .wakeups
      default: .asyncAndIRQWork
      }
    }
  }

  /// Two calls under way at once.
  private mutating func noteConcurrency(of call: Int, on cpu: Int) {
    for other in 0..<layout.callCount where other != call {
      var cursor = firstCPU(inMaskAt: layout.call(other, .queued), from: 0)
      while cursor < layout.cpuCount {
        if !contains(maskAt: layout.call(other, .finished), cursor) {
          violate(.serialised)
          if cursor == cpu { violate(.serialisedPerTarget) }
        }
        cursor = firstCPU(inMaskAt: layout.call(other, .queued), from: cursor &+ 1)
      }
    }
  }

  /// A flush has taken these calls as one batch; their classes run one after the other.
  mutating func batchBegan(on cpu: Int, first: Int) {
    guard keepsBooks else { return }
    for nodeClass in NodeClass.allCases {
      for offset in 0..<layout.callSetCells { set(layout.batch(of: cpu, nodeClass) &+ offset, 0) }
    }
    var node = first
    while node != 0 {
      let call = call(node &- 1)
      if call >= 0 { insert(call, maskAt: layout.batch(of: cpu, nodeClass(of: call))) }
      node = next(node &- 1)
    }
  }

  /// A function starts on a CPU, for a call.
  mutating func started(_ call: Int, function: Int, on cpu: Int) {
    note(.started, call, cpu: cpu)
    guard keepsBooks else { return }
    let startedMask = layout.call(call, .started)
    if !contains(maskAt: layout.call(call, .queued), cpu) {
      violate(.noneOnWrongCPU)
    } else if contains(maskAt: startedMask, cpu) {
      violate(.noneRunTwice)
    }
    switch state(of: cpu) {
    case .online, .dying: break
    case .leaving, .dead, .rising: violate(.noneOnOfflineCPU)
    }
    insert(cpu, maskAt: startedMask)
    let ahead = layout.ahead(of: call, on: cpu)
    for other in 0..<layout.callCount where contains(maskAt: ahead, other) {
      if !contains(maskAt: layout.call(other, .started), cpu) { violate(.orderInBatch) }
    }
    // It has served; states that differ in nothing else shall be one.
    for offset in 0..<layout.callSetCells { set(ahead &+ offset, 0) }
    let ownClass = nodeClass(of: call)
    // What a function of the batch calls on its own CPU is not of the batch.
    if contains(maskAt: layout.batch(of: cpu, ownClass), call) {
      remove(call, maskAt: layout.batch(of: cpu, ownClass))
      for nodeClass in NodeClass.allCases where nodeClass.rawValue < ownClass.rawValue {
        for offset in 0..<layout.callSetCells where isSet(layout.batch(of: cpu, nodeClass) &+ offset) {
          violate(.classOrder)
        }
      }
    }
    happened(.functionStarted(function: function, call: call))
  }

  mutating func finished(_ call: Int, function: Int, on cpu: Int) {
    note(.finished, call, cpu: cpu)
    guard keepsBooks else { return }
    insert(cpu, maskAt: layout.call(call, .finished))
    happened(.functionFinished(function: function, call: call))
  }

  func hasStarted(_ call: Int, on cpu: Int) -> Bool { contains(maskAt: layout.call(call, .started), cpu) }
  func hasFinished(_ call: Int, on cpu: Int) -> Bool { contains(maskAt: layout.call(call, .finished), cpu) }

  /// A call returns to its caller.
  mutating func callReturned(_ call: Int, _ result: CallResult) {
    note(.returned, call, cpu: Int(result.rawValue))
    if keepsBooks { noteReturn(of: call, result) }
  }

  private mutating func noteReturn(of call: Int, _ result: CallResult) {
    let request = workload.calls[call]
    set(layout.call(call, .progress), 2)
    set(layout.call(call, .result), Int32(result.rawValue))
    if !request.expectedResults.isEmpty, !request.expectedResults.contains(CallResultSet(result)) {
      violate(.returnValues)
    }
    if result != .success {
      violate(.noRefusal)
      if request.kind == .queue { requestRefused(call) }
    }
    let queuedMask = layout.call(call, .queued)
    let finishedMask = layout.call(call, .finished)
    for cpu in 0..<layout.cpuCount {
      let isQueued = contains(maskAt: queuedMask, cpu)
      if request.promisesWait, isQueued, !contains(maskAt: finishedMask, cpu) { violate(.waitsForAll) }
      if result == .success, !isQueued, contains(maskAt: layout.call(call, .owed), cpu), isOnline(cpu) {
        violate(.reachesAll)
      }
    }
    happened(.callReturned(call: call, result))
  }

  /// The topmost program, a call, returns to its caller.
  mutating func returnFromCall(_ cpu: Int, _ frame: Int, _ result: CallResult) -> Stepped {
    let call = self[frame, .call] - 1
    // The stack is gone with the frame, and what was on it.
    if csdState(layout.callCSD(call)) != .free || flags(layout.callCSD(call)) != 0 { forget(layout.callCSD(call)) }
    pop(cpu)
    callReturned(call, result)
    return .moved
  }

  /// A call spins on a csd.
  mutating func spins(on csd: Int, for call: Int) -> Stepped {
    if workload.calls[call].promisesNoWait { violate(.neverWaits) }
    return .blocked(.csd(csd))
  }

  /// The CPU of a mask that `smp_call_function_any()` prefers: the caller's own, then one of its node, then any online one.
  /// - Returns: the number of CPUs if none is online.
  func preferredCPU(of mask: CPUSet, for cpu: Int) -> Int {
    if mask.contains(cpu) { return cpu }
    var fallback = layout.cpuCount
    for candidate in 0..<layout.cpuCount where mask.contains(candidate) && isOnline(candidate) {
      if workload.nodes[candidate] == workload.nodes[cpu] { return candidate }
      if fallback == layout.cpuCount { fallback = candidate }
    }
    return fallback
  }

  /// The calls that were queued and have not run everywhere, with the CPUs where they have not.
  /// - Precondition: the machine keeps books.
  public var unfinished: [(call: Int, cpu: Int)] {
    var result: [(call: Int, cpu: Int)] = []
    for call in 0..<layout.callCount {
      for cpu in 0..<layout.cpuCount
      where contains(maskAt: layout.call(call, .queued), cpu) && !contains(maskAt: layout.call(call, .finished), cpu) {
        result.append((call, cpu))
      }
    }
    return result
  }
}

extension Call {
  /// Whether the interface says that it returns after the function has run everywhere.
  public var promisesWait: Bool {
    switch kind {
    case .single, .many, .onEach, .any: waits
    case .singleAsync, .queue, .irqWork, .wakeup: false
    case .xcall, .xcallMask, .xcallPrivate, .xcallAny: flags & 0xf0 == 0x10
    }
  }

  /// Whether the interface says that it never waits for another CPU.
  public var promisesNoWait: Bool {
    switch kind {
    case .singleAsync, .queue, .irqWork, .wakeup: true
    case .xcallPrivate: flags & 0xf0 == 0
    case .single, .many, .onEach, .any, .xcall, .xcallMask, .xcallAny: false
    }
  }
}
