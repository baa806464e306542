// Calls to several CPUs.
extension Mainline {
  /// Source: 6.12 kernel/smp.c, smp_call_function_many_cond().
  func manyStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    let target = machine[frame, .target]
    switch point {
    case .many:
      // smp_call_function_many() leaves its own CPU out; on_each_cpu_cond_mask() does not.
      let runsLocally = machine.workload.calls[callIndex].kind != .many
      let wanted = machine.workload.calls[callIndex].mask
      return beginMany(wanted, runsLocally: runsLocally, cpu, frame, &machine)
    case .manySetsMask:
      let mask = targetMask(cpu, machine.layout)
      let wanted = targets(of: callIndex, frame, machine)
      machine.setMask(at: mask, online: wanted)
      machine.remove(cpu, maskAt: mask)
      machine.clear(maskAt: kickMask(cpu, machine.layout))
      return nextToQueue(from: 0, cpu, frame, &machine)
    case .manyLocks:
      let csd = machine.layout.manyCSD(of: cpu, for: target)
      guard !machine.hasFlag(csd: csd, CSDFlags.lock) else { return machine.spins(on: csd, for: callIndex) }
      return machine.go(frame, Point.manyFills)
    case .manyFills:
      let type = machine.workload.calls[callIndex].csdType
      lockAndFill(machine.layout.manyCSD(of: cpu, for: target), type: type, for: callIndex, &machine)
      return machine.go(frame, Point.manyAdds)
    case .manyAdds:
      machine.queued(callIndex, on: target)
      let wasEmpty = machine.addLockLess(machine.layout.manyCSD(of: cpu, for: target), to: target)
      if deferral != .none { return addedToManyByDeferral(wasEmpty: wasEmpty, cpu, frame, &machine) }
      return queued(isKickOwed: wasEmpty, cpu, frame, &machine)
    case .manyKicks:
      // No look at who polls.
      machine.sendIPI(.many, toMaskAt: kickMask(cpu, machine.layout))
      return machine.go(frame, Point.manyRunsLocally)
    case .manyRunsLocally:
      guard machine.hasFlag(frame, FrameFlag.runsLocally), machine.workload.calls[callIndex].condition.contains(cpu)
      else {
        return beginWaiting(cpu, frame, &machine)
      }
      runLocally(callIndex, then: .manyReturnsLocally, cpu, frame, &machine)
      return .moved
    case .manyReturnsLocally:
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return beginWaiting(cpu, frame, &machine)
    default:
      let csd = machine.layout.manyCSD(of: cpu, for: target)
      if machine.hasFlag(csd: csd, CSDFlags.lock) { return machine.spins(on: csd, for: callIndex) }
      return nextToWaitFor(from: target + 1, cpu, frame, &machine)
    }
  }

  /// smp_call_function_many_cond() begins: a first look at whom the mask concerns.
  func beginMany(
    _ wanted: CPUSet, runsLocally: Bool, _ cpu: Int, _ frame: Int, _ machine: inout Machine
  ) -> Stepped {
    warnIfInterruptsAreOff(cpu, &machine)
    machine.setFlag(frame, FrameFlag.isMany, true)
    let isWanted = wanted.contains(cpu)
    machine.setFlag(frame, FrameFlag.runsLocally, runsLocally && isWanted)
    let end = machine.layout.cpuCount
    var other = wanted.first(from: 0, below: end)
    while other < end {
      if other != cpu, machine.isOnline(other) {
        machine.setFlag(frame, FrameFlag.runsRemotely, true)
        return machine.go(frame, Point.manySetsMask)
      }
      other = wanted.first(from: other + 1, below: end)
    }
    return machine.go(frame, Point.manyRunsLocally)
  }

  /// The mask that a call to several CPUs was given.
  private func targets(of call: Int, _ frame: Int, _ machine: borrowing Machine) -> CPUSet {
    switch machine.workload.calls[call].kind {
    case .xcall: machine.workload.calls[call].target == -1 ? .all : CPUSet(cpu: machine.workload.calls[call].target)
    // The one that was chosen.
    case .xcallAny: CPUSet(cpu: machine[frame, .target])
    case .single, .singleAsync, .many, .onEach, .any, .queue, .irqWork, .wakeup, .xcallMask, .xcallPrivate:
      machine.workload.calls[call].mask
    }
  }

  /// A target was queued for.
  func queued(isKickOwed: Bool, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let target = machine[frame, .target]
    if isKickOwed {
      machine.insert(target, maskAt: kickMask(cpu, machine.layout))
      // nr_cpus and last_cpu
      machine[frame, .value] += 1
      machine[frame, .cursor] = target
    }
    return nextToQueue(from: target + 1, cpu, frame, &machine)
  }

  /// Goes on to the next target for which the condition is true; the others are taken off the mask. Behind the last one,
  /// those are kicked whose queues were empty.
  private func nextToQueue(from first: Int, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let mask = targetMask(cpu, machine.layout)
    let call = machine[frame, .call] - 1
    var candidate = machine.firstCPU(inMaskAt: mask, from: first)
    while candidate < machine.layout.cpuCount {
      if machine.workload.calls[call].condition.contains(candidate) {
        machine[frame, .target] = candidate
        return machine.go(frame, Point.manyLocks)
      }
      machine.remove(candidate, maskAt: mask)
      candidate = machine.firstCPU(inMaskAt: mask, from: candidate + 1)
    }
    machine[frame, .target] = machine[frame, .cursor]
    let count = machine[frame, .value]
    if count == 0 { return machine.go(frame, Point.manyRunsLocally) }
    switch masks {
    case .several: return machine.go(frame, count == 1 ? kick : .manyKicks)
    case .always: return machine.go(frame, Point.manyKicks)
    case .never: return kickNext(from: 0, cpu, frame, &machine)
    }
  }

  /// Goes on to kick the next CPU of those whose queues were empty. By now all are queued for: until its kick, each collects
  /// what others have for it, and no target waits behind the IPI of another.
  func kickNext(from first: Int, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let next = machine.firstCPU(inMaskAt: kickMask(cpu, machine.layout), from: first)
    guard next < machine.layout.cpuCount else { return machine.go(frame, Point.manyRunsLocally) }
    machine[frame, .target] = next
    return machine.go(frame, kick)
  }

  private func beginWaiting(_ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let call = machine[frame, .call] - 1
    guard machine.workload.calls[call].promisesWait, machine.hasFlag(frame, FrameFlag.runsRemotely) else {
      return machine.go(frame, Point.returns)
    }
    return nextToWaitFor(from: 0, cpu, frame, &machine)
  }

  private func nextToWaitFor(from first: Int, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let next = machine.firstCPU(inMaskAt: targetMask(cpu, machine.layout), from: first)
    if next == machine.layout.cpuCount { return machine.go(frame, Point.returns) }
    machine[frame, .target] = next
    return machine.go(frame, Point.manyWaits)
  }
}

extension Call {
  /// The type of the csds that a call queues: what `smp_xcall*()` is told, else whether somebody waits.
  var csdType: Int32 {
    switch kind {
    case .xcall, .xcallMask, .xcallPrivate, .xcallAny: Int32(flags >> 4)
    case .single, .singleAsync, .many, .onEach, .any, .queue, .irqWork, .wakeup:
      promisesWait ? Mainline.CSDType.sync : Mainline.CSDType.async
    }
  }
}
