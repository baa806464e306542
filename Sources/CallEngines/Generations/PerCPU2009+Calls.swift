// The callers' side.
extension PerCPU2009 {
  /// The flag that a waiting caller spins on.
  private var waitFlag: Int32 { form == .mail ? CSDFlags.wait : CSDFlags.lock }

  /// `WARN_ON(irqs_disabled())`; the first of many, as merged.
  private func warnIfInterruptsAreOff(_ cpu: Int, _ machine: inout Machine) {
    guard !machine.interruptsEnabled(cpu) else { return }
    machine.violate(.noWarning)
    machine.happened(.warned(.interruptsDisabled))
  }

  // MARK: smp_call_function_single()

  func singleStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    let call = machine.workload.calls[callIndex]
    let csd = machine[frame, .csd] - 1
    switch point {
    case .single:
      return beginSingle(to: call.target, callIndex, cpu, frame, &machine)
    case .async:
      // __smp_call_function_single(): the caller has filled the csd. Whether it is in use, the mail's form does not ask.
      machine[frame, .target] = call.target
      machine[frame, .csd] = machine.layout.privateCSD(call.storage) + 1
      if !machine.keepsBooks { return beginDrivenAsync(callIndex, cpu, frame, &machine) }
      machine.fill(machine.layout.privateCSD(call.storage), function: call.function, call: callIndex)
      if form == .merged { return machine.go(frame, Point.singleTestsLock) }
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.execLocksQueue)
    case .singleRunsLocally:
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return runInPlace(callIndex, then: Point.singleReturnsLocally, cpu, frame, &machine)
    case .singleReturnsLocally:
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return end(cpu, frame, &machine)
    case .singleTestsLock:
      if machine.hasFlag(csd: csd, CSDFlags.lock) { return machine.spins(on: csd, for: callIndex) }
      return machine.go(frame, Point.singleSetsLock)
    case .singleSetsLock:
      machine.setFlags(csd, CSDFlags.lock)
      machine.happened(.csdLocked(csd: csd))
      if call.kind != .singleAsync { return machine.go(frame, Point.singleFills) }
      if !machine.keepsBooks { machine.fill(csd, function: call.function, call: callIndex) }
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.execLocksQueue)
    case .singleFills:
      machine.fill(csd, function: call.function, call: callIndex)
      // generic_exec_single() begins with spin_lock_irqsave().
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.execLocksQueue)
    default:
      return machine.returnFromCall(cpu, frame, .noSuchCPU)
    }
  }

  /// A call with its caller's csd, where a recording says when: its caller, who has another engine there, does not know whether
  /// this one still uses the csd. As merged he waits for it, and fills it then. In the mail's form, which has no such check, he
  /// is taken to know, and to do without: what is queued twice is no list any more.
  private func beginDrivenAsync(_ callIndex: Int, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    if form == .merged { return machine.go(frame, Point.singleTestsLock) }
    let csd = machine[frame, .csd] - 1
    if machine.hasFlag(csd: csd, CSDFlags.lock) { return machine.returnFromCall(cpu, frame, .busy) }
    machine.setFlags(csd, CSDFlags.lock)
    machine.fill(csd, function: machine.workload.calls[callIndex].function, call: callIndex)
    machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
    return machine.go(frame, Point.execLocksQueue)
  }

  /// `smp_call_function_single()`, also as called by `smp_call_function_many()`.
  private func beginSingle(
    to target: Int, _ callIndex: Int, _ cpu: Int, _ frame: Int, _ machine: inout Machine
  ) -> Stepped {
    warnIfInterruptsAreOff(cpu, &machine)
    machine[frame, .target] = target
    if target == cpu { return machine.go(frame, Point.singleRunsLocally) }
    guard machine.isOnline(target) else { return machine.go(frame, Point.refuses) }
    if machine.workload.calls[callIndex].waits {
      // The csd on the stack is nobody else's yet.
      let csd = machine.layout.callCSD(callIndex)
      machine[frame, .csd] = csd + 1
      machine.setFlags(csd, waitFlag)
      return machine.go(frame, Point.singleFills)
    }
    machine[frame, .csd] = machine.layout.ownCSD(of: cpu) + 1
    return machine.go(frame, Point.singleTestsLock)
  }

  /// `generic_exec_single()`
  func execStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    let call = machine.workload.calls[callIndex]
    let csd = machine[frame, .csd] - 1
    let target = machine[frame, .target]
    let lock = machine.layout.lock(1 + target)
    switch point {
    case .execLocksQueue:
      guard machine.acquire(lock, .singleQueue(cpu: target), by: cpu) else {
        return .blocked(.lock(.singleQueue(cpu: target)))
      }
      return machine.go(frame, Point.execAdds)
    case .execAdds:
      noteOrderOnQueue(callIndex, behindQueueOf: target, &machine)
      machine.queued(callIndex, on: target, isOrdered: false)
      machine[frame, .value] = machine.append(csd, to: target) ? 1 : 0
      return machine.go(frame, Point.execUnlocksQueue)
    case .execUnlocksQueue:
      let owesKick = machine[frame, .value] == 1
      machine[frame, .value] = 0
      machine.release(lock, .singleQueue(cpu: target))
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      if owesKick { return machine.go(frame, Point.execKicks) }
      return call.waits ? machine.go(frame, Point.execWaits) : end(cpu, frame, &machine)
    case .execKicks:
      machine.sendIPI(.single, to: target)
      return call.waits ? machine.go(frame, Point.execWaits) : end(cpu, frame, &machine)
    default:
      if call.waits, machine.hasFlag(csd: csd, waitFlag) { return machine.spins(on: csd, for: callIndex) }
      return end(cpu, frame, &machine)
    }
  }

  // MARK: smp_call_function_many()

  func manyStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let layout = machine.layout
    let callIndex = machine[frame, .call] - 1
    let call = machine.workload.calls[callIndex]
    let wanted = call.mask.intersection(call.condition).removing(cpu)
    let entry = layout.ownEntry(of: cpu)
    switch point {
    case .many:
      warnIfInterruptsAreOff(cpu, &machine)
      var targets: [Int] = []
      for candidate in 0..<layout.cpuCount where wanted.contains(candidate) && machine.isOnline(candidate) {
        targets.append(candidate)
      }
      guard let first = targets.first else { return end(cpu, frame, &machine) }
      if targets.count == 1 { return beginSingle(to: first, callIndex, cpu, frame, &machine) }
      return machine.go(frame, Point.manyTestsLock)
    case .manyTestsLock:
      if machine.hasFlag(csd: entry, CSDFlags.lock) { return machine.spins(on: entry, for: callIndex) }
      return machine.go(frame, Point.manySetsLock)
    case .manySetsLock:
      // A plain store: what else stood in the flags is gone.
      machine.setFlags(entry, CSDFlags.lock)
      machine.happened(.csdLocked(csd: entry))
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.manyLocksEntry)
    case .manyLocksEntry:
      guard machine.acquire(layout.csd(entry, .lock), .entry(csd: entry), by: cpu) else {
        return .blocked(.lock(.entry(csd: entry)))
      }
      return machine.go(frame, form == .mail && call.waits ? Point.manyPreparesWait : .manyFills)
    case .manyPreparesWait:
      machine.setFlags(entry, machine.flags(entry) | CSDFlags.wait)
      return machine.go(frame, Point.manyFills)
    case .manyFills:
      machine.fill(entry, function: call.function, call: callIndex)
      machine.setMask(at: layout.csdMask(entry), online: wanted)
      machine.set(maskMemoryCell(cpu, layout), MaskMemory.filled.rawValue)
      machine.set(layout.csd(entry, .references), machine.count(maskAt: layout.csdMask(entry)))
      return machine.go(frame, Point.manyLocksQueue)
    case .manyLocksQueue:
      guard machine.acquire(layout.lock(0), .globalQueue, by: cpu) else { return .blocked(.lock(.globalQueue)) }
      return machine.go(frame, Point.manyPointsOn)
    case .manyPointsOn:
      pointOn(entryOf: cpu, &machine)
      return machine.go(frame, Point.manyLinks)
    case .manyLinks:
      noteQueued(callIndex, by: cpu, &machine)
      link(entryOf: cpu, &machine)
      return machine.go(frame, Point.manyUnlocksQueue)
    case .manyUnlocksQueue:
      machine.release(layout.lock(0), .globalQueue)
      return machine.go(frame, Point.manyUnlocksEntry)
    case .manyUnlocksEntry:
      machine.release(layout.csd(entry, .lock), .entry(csd: entry))
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.manyKicks)
    case .manyKicks:
      // Whoever has come here by another IPI meanwhile is in the mask no longer, and needs none.
      machine.sendIPI(.many, toMaskAt: layout.csdMask(entry))
      return call.waits ? machine.go(frame, Point.manyWaits) : end(cpu, frame, &machine)
    default:
      if call.waits, machine.hasFlag(csd: entry, waitFlag) { return machine.spins(on: entry, for: callIndex) }
      return end(cpu, frame, &machine)
    }
  }

  /// `on_each_cpu()`: first the others, waited for if asked, then the caller's own CPU.
  func eachStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    switch point {
    case .eachRunsLocally:
      machine.disableInterrupts(cpu)
      return runInPlace(callIndex, then: Point.eachReturnsLocally, cpu, frame, &machine)
    default:
      machine.enableInterrupts(cpu)
      return machine.returnFromCall(cpu, frame, .success)
    }
  }

  /// A call returns; `on_each_cpu()` goes on.
  private func end(_ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let call = machine.workload.calls[machine[frame, .call] - 1]
    if call.kind == .onEach, call.mask.contains(cpu), call.condition.contains(cpu) {
      return machine.go(frame, Point.eachRunsLocally)
    }
    return machine.returnFromCall(cpu, frame, .success)
  }
}
