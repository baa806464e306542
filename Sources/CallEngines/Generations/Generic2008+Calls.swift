// The callers' side.
extension Generic2008 {
  // MARK: smp_call_function_single(), generic_exec_single()

  func singleStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    let call = machine.workload.calls[callIndex]
    let csd = machine[frame, .csd] - 1
    let target = machine[frame, .target]
    switch point {
    case .single:
      begin(cpu, &machine)
      guard call.target >= 0, call.target < machine.layout.cpuCount else {
        return machine.go(frame, Point.refusesCPU)
      }
      machine[frame, .target] = call.target
      if call.target == cpu { return machine.go(frame, Point.singleRunsLocally) }
      return machine.go(frame, machine.isOnline(call.target) ? Point.singleAllocates : .refusesCPU)
    case .singleRunsLocally:
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return runInPlace(callIndex, then: Point.singleReturnsLocally, cpu, frame, &machine)
    case .singleReturnsLocally:
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.returns)
    case .singleAllocates:
      // A caller that waits has the csd on its stack.
      return allocate(!call.waits, thenWaits: false, then: .execLocks, cpu, frame, &machine)

    case .execLocks:
      let lock = queueLock(target, machine)
      guard machine.acquire(lock, .singleQueue(cpu: target), by: cpu) else {
        return .blocked(.lock(.singleQueue(cpu: target)))
      }
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.execAdds)
    case .execAdds:
      if !machine.hasFlag(frame, FrameFlag.isQuiescing) {
        let peers = peers(of: callIndex, machine)
        machine.queued(callIndex, on: target, peers: peers)
      }
      let wasEmpty = machine.append(csd, to: target)
      machine.setFlag(frame, FrameFlag.kickOwed, wasEmpty)
      return machine.go(frame, Point.execUnlocks)
    case .execUnlocks:
      machine.release(queueLock(target, machine), .singleQueue(cpu: target))
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      if machine.hasFlag(frame, FrameFlag.kickOwed) { return machine.go(frame, Point.execKicks) }
      return machine.go(frame, machine.hasFlag(frame, FrameFlag.waits) ? Point.execWaits : .returns)
    case .execKicks:
      machine.sendIPI(.single, to: target)
      return machine.go(frame, machine.hasFlag(frame, FrameFlag.waits) ? Point.execWaits : .returns)
    default:
      if let spun = spin(on: csd, cpu, callIndex, &machine) { return spun }
      if machine.hasFlag(frame, FrameFlag.isQuiescing) { return machine.go(frame, Point.quiesceNext) }
      return machine.go(frame, last(frame, machine))
    }
  }

  // MARK: smp_call_function_mask()

  func manyStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let layout = machine.layout
    let callIndex = machine[frame, .call] - 1
    let call = machine.workload.calls[callIndex]
    let csd = machine[frame, .csd] - 1
    let targets = targetsCell(callIndex, machine)
    switch point {
    case .many:
      begin(cpu, &machine)
      machine.setMask(at: targets, online: call.mask.intersection(call.condition).removing(cpu))
      switch machine.count(maskAt: targets) {
      case 0:
        return machine.go(frame, Point.returns)
      case 1:
        machine[frame, .target] = machine.firstCPU(inMaskAt: targets, from: 0)
        return machine.go(frame, Point.singleAllocates)
      default:
        machine.setFlag(frame, FrameFlag.isMany, true)
        return machine.go(frame, Point.manyAllocates)
      }
    case .manyAllocates:
      // Who waits has it allocated as well: only then do others leave it alone in time, without quiescing.
      return allocate(true, thenWaits: call.waits, then: .manyLocks, cpu, frame, &machine)
    case .manyLocks:
      guard machine.acquire(globalLock(machine), .globalQueue, by: cpu) else { return .blocked(.lock(.globalQueue)) }
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.manyAdds)
    case .manyAdds:
      let peers = peers(of: callIndex, machine)
      for target in 0..<layout.cpuCount where machine.contains(maskAt: targets, target) {
        machine.queued(callIndex, on: target, peers: peers)
      }
      appendGlobally(csd, &machine)
      return machine.go(frame, Point.manyUnlocks)
    case .manyUnlocks:
      machine.release(globalLock(machine), .globalQueue)
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.manyKicks)
    case .manyKicks:
      machine.sendIPI(.many, toMaskAt: targets)
      return machine.go(frame, machine.hasFlag(frame, FrameFlag.waits) ? Point.manyWaits : .returns)
    case .manyWaits:
      if let spun = spin(on: csd, cpu, callIndex, &machine) { return spun }
      if machine.hasFlag(frame, FrameFlag.isAllocated) { return machine.go(frame, last(frame, machine)) }
      return machine.go(frame, Point.quiesceBegins)

    // A csd of its own on the stack, used for one CPU after the other.
    case .quiesceBegins:
      machine.setFlag(frame, FrameFlag.isQuiescing, true)
      let dummy = layout.secondCSD(of: callIndex)
      machine[frame, .csd] = dummy + 1
      machine.fill(dummy, function: machine.workload.functions.count, call: callIndex)
      machine.setFlags(dummy, CSDFlags.wait)
      machine[frame, .target] = nextQuiesced(from: 0, cpu, callIndex, machine)
      return machine.go(frame, Point.execLocks)
    default:
      let next = nextQuiesced(from: machine[frame, .target] + 1, cpu, callIndex, machine)
      if next == layout.cpuCount {
        machine.forget(csd)
        return machine.go(frame, last(frame, machine))
      }
      machine[frame, .target] = next
      machine.setFlags(csd, CSDFlags.wait)
      return machine.go(frame, Point.execLocks)
    }
  }

  /// The next CPU that quiesces: of the call's mask, or of all that are online.
  private func nextQuiesced(from first: Int, _ cpu: Int, _ call: Int, _ machine: borrowing Machine) -> Int {
    switch quiesced {
    case .targets:
      return machine.firstCPU(inMaskAt: targetsCell(call, machine), from: first)
    case .everyone:
      let next = machine.firstCPU(inMaskAt: machine.layout.onlineMask, from: first)
      return next == cpu ? machine.firstCPU(inMaskAt: machine.layout.onlineMask, from: next + 1) : next
    }
  }

  // MARK: Shared by both

  /// `get_cpu()`, and the warning for interrupts that are off.
  private func begin(_ cpu: Int, _ machine: inout Machine) {
    if gracePeriod == .classic { beginReading(cpu, &machine) }
    if !machine.interruptsEnabled(cpu) {
      machine.violate(.noWarning)
      machine.happened(.warned(.interruptsDisabled))
    }
  }

  /// `kmalloc(GFP_ATOMIC)`, and what the fallback makes of its failure. Fills what is there then, which nobody else sees yet.
  /// - Parameters:
  ///   - isTried: whether the call would have its csd allocated.
  ///   - thenWaits: whether it waits also if that succeeds.
  private func allocate(
    _ isTried: Bool, thenWaits: Bool, then: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine
  ) -> Stepped {
    let isAlwaysOnStack: Bool
    switch fallback {
    case .globalLock, .targetMask, .targetCounters: isAlwaysOnStack = true
    case .wait, .enomem, .allocatedFree, .pollOwnQueue: isAlwaysOnStack = false
    }
    if isTried, !isAlwaysOnStack {
      let succeeds: Bool
      switch machine.workload.allocation {
      case .succeeds: succeeds = true
      case .fails: succeeds = false
      case .either: succeeds = machine.choose(of: 2) == 0
      }
      let call = machine[frame, .call] - 1
      machine.note(.allocated, succeeds ? 1 : 0)
      machine.happened(.allocated(call: call, succeeded: succeeds))
      if succeeds {
        machine.setFlag(frame, FrameFlag.isAllocated, true)
        machine.setFlag(frame, FrameFlag.waits, thenWaits)
        fill(frame, &machine)
        return machine.go(frame, then)
      }
      if fallback == .enomem { return machine.go(frame, Point.refusesMemory) }
    }
    machine.setFlag(frame, FrameFlag.waits, true)
    fill(frame, &machine)
    return machine.go(frame, gate == .none ? then : .gateLocks)
  }

  /// Function, argument and flags; references and mask if it is for the shared queue.
  private func fill(_ frame: Int, _ machine: inout Machine) {
    let layout = machine.layout
    let call = machine[frame, .call] - 1
    let csd = layout.callCSD(call)
    machine[frame, .csd] = csd + 1
    let function = machine.workload.calls[call].function
    machine.fill(csd, function: function, call: call)
    var flags: Int32 = 0
    if machine.hasFlag(frame, FrameFlag.isAllocated) { flags |= CSDFlags.allocated }
    if machine.hasFlag(frame, FrameFlag.waits) { flags |= CSDFlags.wait }
    machine.setFlags(csd, flags)
    guard machine.hasFlag(frame, FrameFlag.isMany) else { return }
    let targets = targetsCell(call, machine)
    machine.set(layout.csd(csd, .references), machine.count(maskAt: targets))
    for offset in 0..<layout.maskCells {
      machine.set(layout.csdMask(csd) + offset, machine.getInt(targets + offset))
    }
  }

  /// The calls that are on the same kind of queue as this one, one bit each: order is promised among them.
  private func peers(of call: Int, _ machine: borrowing Machine) -> UInt64 {
    guard machine.keepsBooks else { return 0 }
    let layout = machine.layout
    let isEntry = machine.isSet(layout.csd(layout.callCSD(call), .references))
    var peers: UInt64 = 0
    for other in 0..<layout.callCount
    where machine.isSet(layout.csd(layout.callCSD(other), .references)) == isEntry {
      peers |= 1 << UInt64(other)
    }
    return peers
  }

  /// `csd_flag_wait()`. With idea 5 the CPU runs, with interrupts off, what waits for it.
  /// - Returns: nil when WAIT is clear.
  private func spin(on csd: Int, _ cpu: Int, _ call: Int, _ machine: inout Machine) -> Stepped? {
    machine.touch(csd)
    guard machine.hasFlag(csd: csd, CSDFlags.wait) else { return nil }
    guard fallback == .pollOwnQueue else { return machine.spins(on: csd, for: call) }
    let handler: Point
    if !machine.queueIsEmpty(cpu) {
      handler = .flushLooks
    } else if polled == .bothQueues, isWantedGlobally(cpu, machine) {
      handler = .walkBegins
    } else {
      return machine.spins(on: csd, for: call)
    }
    let frame = machine.push(cpu, handler.rawValue)
    machine.setFlag(frame, FrameFlag.isPoll, true)
    machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
    return .moved
  }

  /// What follows when the answers are in.
  private func last(_ frame: Int, _ machine: borrowing Machine) -> Point {
    machine.hasFlag(frame, FrameFlag.isInside) ? .leaveLocks : .returns
  }

  // MARK: on_each_cpu()

  /// A call is over; `on_each_cpu()` goes on, also where nothing could be allocated: it keeps that for its caller, and has not
  /// looked at it.
  func callEnds(_ result: CallResult, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let call = machine.workload.calls[machine[frame, .call] - 1]
    guard call.kind == .onEach, call.mask.contains(cpu), call.condition.contains(cpu) else {
      return end(result, cpu, frame, &machine)
    }
    machine[frame, .value] = Int(result.rawValue)
    return machine.go(frame, Point.eachRunsLocally)
  }

  /// First the others, waited for if asked, then the caller's own CPU, with preemption off all the while.
  func eachStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    switch point {
    case .eachRunsLocally:
      machine.disableInterrupts(cpu)
      return runInPlace(machine[frame, .call] - 1, then: Point.eachReturnsLocally, cpu, frame, &machine)
    default:
      // local_irq_enable(), however they were.
      machine.enableInterrupts(cpu)
      let result = CallResult(rawValue: UInt8(truncatingIfNeeded: machine[frame, .value])) ?? .success
      return end(result, cpu, frame, &machine)
    }
  }

  /// Back to the caller: `put_cpu()`.
  func end(_ result: CallResult, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let call = machine[frame, .call] - 1
    machine.clear(maskAt: targetsCell(call, machine))
    if machine.hasFlag(frame, FrameFlag.isAllocated) {
      // What was allocated is no longer the caller's.
      machine.pop(cpu)
      machine.callReturned(call, result)
    } else {
      _ = machine.returnFromCall(cpu, frame, result)
    }
    if gracePeriod == .classic { endReading(cpu, &machine) }
    return .moved
  }
}
