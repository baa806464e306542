// The caller's side: one target, and several.
extension LockLess2014 {
  // MARK: generic_exec_single()

  func singleStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    let call = machine.workload.calls[callIndex]
    let csd = machine[frame, .csd] - 1
    let target = machine[frame, .target]
    switch point {
    case .single:
      warnIfInterruptsAreOff(cpu, &machine)
      prepareSingle(machine.layout.existingCPU(call.target), callIndex, cpu, frame, &machine)
      return machine.go(frame, Point.execChecks)
    case .async:
      machine[frame, .target] = machine.layout.existingCPU(call.target)
      machine[frame, .csd] = machine.layout.privateCSD(call.storage) + 1
      return machine.go(frame, Point.execChecks)
    case .any:
      // Which is then called like any one CPU. If none is online, that is one that does not exist.
      let chosen = machine.preferredCPU(of: call.mask, for: cpu)
      warnIfInterruptsAreOff(cpu, &machine)
      prepareSingle(chosen, callIndex, cpu, frame, &machine)
      return machine.go(frame, Point.execChecks)

    case .execChecks:
      // 3.15 looks whether the target is online before it takes the csd, so there is nothing to unlock on the way back.
      // (Later kernels lock first.) Preemption is off: an online target stays online until the call returns.
      if target == cpu { return machine.go(frame, Point.execRunsLocally) }
      if machine.isOnline(target) { return machine.go(frame, Point.execLockWaits) }
      machine.go(frame, pointBehindExec(call, succeeded: false))
      return .moved
    case .execRunsLocally:
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      machine.go(frame, Point.execReturnsLocally.rawValue)
      machine.queued(callIndex, on: cpu, isOrdered: false)
      runCallback(function(of: call, &machine), of: callIndex, on: cpu, &machine)
      return .moved
    case .execReturnsLocally:
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      machine.go(frame, pointBehindExec(call, succeeded: true))
      return .moved

    // Two steps, as in the kernel. Between them an interrupt on this CPU, or another caller with the same csd, may take it.
    case .execLockWaits:
      if machine.hasFlag(csd: csd, CSDFlags.lock) { return machine.spins(on: csd, for: callIndex) }
      return machine.go(frame, Point.execLocks)
    case .execLocks:
      if call.kind == .queue { machine.requestTakesCSD(callIndex) }
      machine.setLock(csd, isWaitedFor: call.waits)
      return machine.go(frame, Point.execFills)
    case .execFills:
      machine.fill(csd, function: function(of: call, &machine), call: callIndex)
      return machine.go(frame, Point.execAdds)
    case .execAdds:
      machine.queued(callIndex, on: target)
      let wasEmpty = machine.addLockLess(csd, to: target)
      return machine.go(frame, wasEmpty ? Point.execKicks : .execWaits)
    case .execKicks:
      machine.sendIPI(.single, to: target)
      return machine.go(frame, Point.execWaits)
    case .execWaits:
      if call.waits, machine.hasFlag(csd: csd, CSDFlags.lock) { return machine.spins(on: csd, for: callIndex) }
      machine.go(frame, pointBehindExec(call, succeeded: true))
      return .moved
    case .execReturns:
      return machine.returnFromCall(cpu, frame, .success)
    default:
      return machine.returnFromCall(cpu, frame, .noSuchCPU)
    }
  }

  /// Who waits has its csd on the stack, who does not wait takes the CPU's own.
  private func prepareSingle(_ target: Int, _ callIndex: Int, _ cpu: Int, _ frame: Int, _ machine: inout Machine) {
    let layout = machine.layout
    let waits = machine.workload.calls[callIndex].waits
    machine[frame, .target] = target
    machine[frame, .csd] = (waits ? layout.callCSD(callIndex) : layout.ownCSD(of: cpu)) + 1
  }

  /// What is put into the csd: the client's own function has the number behind the workload's.
  private func function(of call: Call, _ machine: inout Machine) -> Int {
    call.kind == .queue ? machine.workload.functions.count : call.function
  }

  /// Who called generic_exec_single() gets its result.
  private func pointBehindExec(_ call: Call, succeeded: Bool) -> UInt8 {
    switch call.kind {
    // As the only target of a call with a mask; the result is dropped.
    case .many: Point.manyReturns.rawValue
    case .onEach: Point.eachRunsLocally.rawValue
    case .queue: (succeeded ? client?.succeeded : client?.failed) ?? Point.execReturns.rawValue
    case .single, .singleAsync, .any, .irqWork, .wakeup, .xcall, .xcallMask, .xcallPrivate, .xcallAny:
      (succeeded ? Point.execReturns : .execRefuses).rawValue
    }
  }

  private func warnIfInterruptsAreOff(_ cpu: Int, _ machine: inout Machine) {
    guard !machine.interruptsEnabled(cpu), machine.isOnline(cpu) else { return }
    machine.violate(.noWarning)
    machine.happened(.warned(.interruptsDisabled))
  }

  // MARK: smp_call_function_many(), on_each_cpu_mask()

  func manyStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let layout = machine.layout
    let callIndex = machine[frame, .call] - 1
    let call = machine.workload.calls[callIndex]
    let mask = maskCell(cpu, layout)
    let target = machine[frame, .target]
    switch point {
    case .many:
      warnIfInterruptsAreOff(cpu, &machine)
      // First a look at how many there are; one is made a single call.
      let wanted = call.mask.intersection(call.condition).removing(cpu)
      var first = layout.cpuCount
      var count = 0
      for candidate in 0..<layout.cpuCount where wanted.contains(candidate) && machine.isOnline(candidate) {
        if count == 0 { first = candidate }
        count += 1
      }
      if count == 0 { return machine.go(frame, Point.eachRunsLocally) }
      if count > 1 { return machine.go(frame, Point.manySetsMask) }
      prepareSingle(first, callIndex, cpu, frame, &machine)
      return machine.go(frame, Point.execChecks)
    case .manySetsMask:
      machine.setMask(at: mask, online: call.mask.intersection(call.condition).removing(cpu))
      return beginTargets(.manyLockWaits, cpu, frame, &machine)
    case .manyLockWaits:
      let csd = layout.manyCSD(of: cpu, for: target)
      if machine.hasFlag(csd: csd, CSDFlags.lock) { return machine.spins(on: csd, for: callIndex) }
      return machine.go(frame, Point.manyLocks)
    case .manyLocks:
      machine.setLock(layout.manyCSD(of: cpu, for: target), isWaitedFor: call.waits)
      return machine.go(frame, Point.manyFills)
    case .manyFills:
      machine.fill(layout.manyCSD(of: cpu, for: target), function: call.function, call: callIndex)
      return machine.go(frame, Point.manyAdds)
    case .manyAdds:
      machine.queued(callIndex, on: target)
      _ = machine.addLockLess(layout.manyCSD(of: cpu, for: target), to: target)
      return nextTarget(.manyLockWaits, then: .manyKicks, cpu, frame, &machine)
    case .manyKicks:
      // To all of them, also where the queue was not empty.
      machine.sendIPI(.many, toMaskAt: mask)
      if !call.waits { return machine.go(frame, Point.eachRunsLocally) }
      return beginTargets(.manyWaits, cpu, frame, &machine)
    case .manyWaits:
      let csd = layout.manyCSD(of: cpu, for: target)
      if machine.hasFlag(csd: csd, CSDFlags.lock) { return machine.spins(on: csd, for: callIndex) }
      return nextTarget(.manyWaits, then: .eachRunsLocally, cpu, frame, &machine)
    case .eachRunsLocally:
      guard call.kind == .onEach, call.mask.contains(cpu), call.condition.contains(cpu) else {
        return machine.go(frame, Point.manyReturns)
      }
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return runInPlace(callIndex, then: Point.eachReturnsLocally, cpu, frame, &machine)
    case .eachReturnsLocally:
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.manyReturns)
    default:
      return machine.returnFromCall(cpu, frame, .success)
    }
  }

  /// Goes to the step of the first target of the CPU's mask.
  private func beginTargets(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let first = machine.firstCPU(inMaskAt: maskCell(cpu, machine.layout), from: 0)
    if first == machine.layout.cpuCount { return machine.go(frame, Point.eachRunsLocally) }
    machine[frame, .target] = first
    return machine.go(frame, point)
  }

  private func nextTarget(
    _ point: Point, then end: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine
  ) -> Stepped {
    let next = machine.firstCPU(inMaskAt: maskCell(cpu, machine.layout), from: machine[frame, .target] + 1)
    machine[frame, .target] = next
    return machine.go(frame, next == machine.layout.cpuCount ? end : point)
  }
}
