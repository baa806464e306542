// Calls to one CPU.
extension Mainline {
  /// Source: 6.12 kernel/smp.c, smp_call_function_single(), smp_call_function_single_async(), generic_exec_single().
  func singleStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    let csd = machine[frame, .csd] - 1
    let target = machine[frame, .target]
    switch point {
    case .single:
      machine[frame, .target] = knownCPU(machine.workload.calls[callIndex].target, machine.layout)
      return beginSingle(cpu, frame, &machine)
    case .any:
      // smp_call_function_single() refuses the number of CPUs, which stands for none.
      machine[frame, .target] = machine.preferredCPU(of: machine.workload.calls[callIndex].mask, for: cpu)
      return beginSingle(cpu, frame, &machine)
    case .singleLocks:
      // csd_lock(): the wait. Setting the flag is another step; an interrupt can come between.
      guard !machine.hasFlag(csd: csd, CSDFlags.lock) else { return machine.spins(on: csd, for: callIndex) }
      return machine.go(frame, Point.singleFills)
    case .singleFills:
      lockAndFill(csd, type: CSDType.async, for: callIndex, &machine)
      return machine.go(frame, target == cpu ? Point.localUnlocks : .execChecks)

    case .async:
      machine[frame, .target] = knownCPU(machine.workload.calls[callIndex].target, machine.layout)
      let own = machine.layout.privateCSD(machine.workload.calls[callIndex].storage)
      machine[frame, .csd] = own + 1
      if machine.hasFlag(csd: own, CSDFlags.lock) { return machine.returnFromCall(cpu, frame, .busy) }
      return machine.go(frame, Point.asyncLocks)
    case .asyncLocks:
      // A plain write: only callers that agree among each other come here one by one.
      machine.set(machine.layout.csd(csd, .type), CSDType.async)
      lockAndFill(csd, type: CSDType.async, for: callIndex, &machine)
      return machine.go(frame, target == cpu ? Point.localUnlocks : .execChecks)

    case .localUnlocks:
      unlock(csd, &machine)
      return machine.go(frame, Point.localRuns)
    case .localRuns:
      runLocally(callIndex, then: .localReturns, cpu, frame, &machine)
      return .moved
    case .localReturns:
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.returns)

    case .execChecks:
      guard machine.isOnline(target) else { return machine.go(frame, Point.execRefuses) }
      return machine.go(frame, deferral == .none ? .execAdds : firstOfAdd(machine.workload.calls[callIndex]))
    case .execRefuses:
      unlock(csd, &machine)
      return machine.returnFromCall(cpu, frame, .noSuchCPU)
    case .execAdds:
      machine.queued(callIndex, on: target)
      let wasEmpty = machine.addLockLess(csd, to: target)
      if deferral != .none { return addedByDeferral(wasEmpty: wasEmpty, frame, &machine) }
      return machine.go(frame, wasEmpty ? kick : .execWaits)
    case .kickPolls:
      // call_function_single_prep_ipi()
      return machine.wakeIfPolling(target) ? afterKick(cpu, frame, &machine) : machine.go(frame, Point.kickSends)
    case .kickSends:
      machine.sendIPI(.single, to: target)
      return afterKick(cpu, frame, &machine)
    case .execWaits:
      guard machine.workload.calls[callIndex].promisesWait else { return machine.go(frame, Point.returns) }
      if machine.hasFlag(csd: csd, CSDFlags.lock) { return machine.spins(on: csd, for: callIndex) }
      return machine.returnFromCall(cpu, frame, .success)
    default:
      return machine.returnFromCall(cpu, frame, .success)
    }
  }

  /// smp_call_function_single(): a csd on the stack for a call that waits, else the CPU's own.
  private func beginSingle(_ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    warnIfInterruptsAreOff(cpu, &machine)
    guard machine.workload.calls[callIndex].promisesWait else {
      machine[frame, .csd] = machine.layout.ownCSD(of: cpu) + 1
      return machine.go(frame, Point.singleLocks)
    }
    let csd = machine.layout.callCSD(callIndex)
    machine[frame, .csd] = csd + 1
    lockAndFill(csd, type: CSDType.sync, for: callIndex, &machine)
    return machine.go(frame, machine[frame, .target] == cpu ? Point.localUnlocks : .execChecks)
  }

  /// Where a kick of one CPU begins.
  @inline(__always) var kick: Point { polling == .polling ? .kickPolls : .kickSends }

  /// One CPU was kicked, or need not be.
  func afterKick(_ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    guard machine.hasFlag(frame, FrameFlag.isMany) else { return machine.go(frame, Point.execWaits) }
    if masks == .never { return kickNext(from: machine[frame, .target] + 1, cpu, frame, &machine) }
    return machine.go(frame, Point.manyRunsLocally)
  }

  // MARK: What all calls do

  /// A CPU, or the number of CPUs for all that are none.
  func knownCPU(_ cpu: Int, _ layout: MachineLayout) -> Int {
    cpu >= 0 && cpu < layout.cpuCount ? cpu : layout.cpuCount
  }

  /// A call that can wait, made with interrupts off: "Can deadlock when called with interrupts disabled".
  func warnIfInterruptsAreOff(_ cpu: Int, _ machine: inout Machine) {
    guard !machine.interruptsEnabled(cpu) else { return }
    machine.violate(.noWarning)
    machine.happened(.warned(.interruptsDisabled))
  }

  /// The second half of csd_lock(), and the writes to the csd that follow it.
  func lockAndFill(_ csd: Int, type: Int32, for call: Int, _ machine: inout Machine) {
    machine.setFlags(csd, machine.flags(csd) | CSDFlags.lock)
    machine.happened(.csdLocked(csd: csd))
    // Added to what is there, as the flags' other bits are; csd_unlock() left nothing.
    let cell = machine.layout.csd(csd, .type)
    machine.set(cell, machine.get(cell) | type)
    machine.fill(csd, function: machine.workload.calls[call].function, call: call)
  }

  /// csd_unlock(): all flags are cleared, the type among them.
  func unlock(_ csd: Int, _ machine: inout Machine) {
    machine.unlockCSD(csd)
    machine.setFlags(csd, 0)
    machine.set(machine.layout.csd(csd, .type), CSDType.async)
  }

  /// A call's function in place, with interrupts off.
  func runLocally(_ call: Int, then point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) {
    machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
    _ = runInPlace(call, then: point, cpu, frame, &machine)
  }
}
