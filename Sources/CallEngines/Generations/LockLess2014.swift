/// The engine of 3.15 and 3.16: a lock-less queue per CPU, and what becomes of it when the CPU goes offline.
///
/// Source: the mail "CPU hotplug, smp: Flush any pending IPI callbacks before CPU offline" (v6, 23 May 2014), on
/// `kernel/smp.c` of 3.15; form ``Form/merged`` is that of 3.16.
///
///     caller    csd_lock ─ fill ─ llist_add ─ IPI if it was empty ─ wait for the unlock
///     handler   llist_del_all ─ reverse ─ (offline? warn) ─ run each, then unlock it
public struct LockLess2014: Sendable, Hashable {
  /// Whether the CPU that goes flushes its queue in the dying stage.
  public enum Flush: String, CaseIterable, Sendable {
    case none
    case dying
  }

  /// The handler, as it stood before the mail, in the mail, and as merged.
  public enum Form: String, CaseIterable, Sendable {
    case before
    case mail
    case merged
  }

  public var flush: Flush
  public var form: Form

  public init(flush: Flush, form: Form) {
    self.flush = flush
    self.form = form
  }

  /// The steps, in the order in which a call and a flush go through them.
  enum Point: UInt8 {
    // smp_call_function_single(), smp_call_function_single_async() → generic_exec_single()
    case single = 1
    case async
    case execChecks
    case execRunsLocally
    case execReturnsLocally
    case execLocks
    case execFills
    case execAdds
    case execKicks
    case execWaits
    case execReturns
    case execRefuses
    // smp_call_function_many(), on_each_cpu_mask()
    case many
    case manySetsMask
    case manyLocks
    case manyFills
    case manyAdds
    case manyKicks
    case manyWaits
    case eachRunsLocally
    case eachReturnsLocally
    case manyReturns
    // smp_call_function_any()
    case any
    // generic_smp_call_function_single_interrupt()
    case handler
    case handlerChecks
    case handlerWarns
    // flush_smp_call_function_queue()
    case flushTakes
    case flushWarns
    case flushRuns
    case flushUnlocks
    case flushEnds
    case handlerReturns
    // CPU_DYING
    case dying
  }

  /// A frame's flags.
  enum FrameFlag {
    static let interruptsWereOn = 1
    static let isHandler = 2
    /// generic_exec_single() is called by smp_call_function_many() or _any().
    static let kickOwed = 4
  }
}

extension LockLess2014: Generation {
  func needs(_ workload: Workload) -> MachineLayout.Needs {
    // cfd_data->cpumask of each CPU, and whether the offline warning was given.
    MachineLayout.Needs(cells: workload.cpuCount * ((workload.cpuCount + 7) / 8) + 1, hasCSDPerTarget: true)
  }

  func entry(for kind: Call.Kind) -> UInt8? {
    switch kind {
    case .single: Point.single.rawValue
    case .singleAsync: Point.async.rawValue
    case .many, .onEach: Point.many.rawValue
    case .any: Point.any.rawValue
    case .queue, .irqWork, .wakeup, .xcall, .xcallMask, .xcallPrivate, .xcallAny: nil
    }
  }

  func handler(for vector: Vector) -> UInt8 { Point.handler.rawValue }

  var dyingStage: UInt8? { flush == .dying ? Point.dying.rawValue : nil }

  func isPrivate(_ point: UInt8) -> Bool {
    switch Point(rawValue: point) {
    case .single, .async, .execFills, .manyFills: true
    default: false
    }
  }

  private func maskCell(_ cpu: Int, _ layout: MachineLayout) -> Int { layout.engineCells + cpu * layout.maskCells }
  private func warnedCell(_ layout: MachineLayout) -> Int { layout.engineCells + layout.cpuCount * layout.maskCells }

  func step(_ rawPoint: UInt8, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    guard let point = Point(rawValue: rawPoint) else {
      preconditionFailure("CPU\(cpu) stands at \(rawPoint), which is no point of llist-2014")
    }
    switch point {
    case .single, .async, .execChecks, .execRunsLocally, .execReturnsLocally, .execLocks, .execFills, .execAdds,
      .execKicks, .execWaits, .execReturns, .execRefuses:
      return singleStep(point, cpu, frame, &machine)
    case .many, .manySetsMask, .manyLocks, .manyFills, .manyAdds, .manyKicks, .manyWaits, .eachRunsLocally,
      .eachReturnsLocally, .manyReturns, .any:
      return manyStep(point, cpu, frame, &machine)
    case .handler, .handlerChecks, .handlerWarns, .flushTakes, .flushWarns, .flushRuns, .flushUnlocks, .flushEnds,
      .handlerReturns, .dying:
      return flushStep(point, cpu, frame, &machine)
    }
  }

  // MARK: generic_exec_single()

  private func singleStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    let call = machine.workload.calls[callIndex]
    let csd = machine[frame, .csd] - 1
    let target = machine[frame, .target]
    switch point {
    case .single:
      machine[frame, .target] = call.target
      let own = call.waits ? machine.layout.callCSD(callIndex) : machine.layout.ownCSD(of: cpu)
      machine[frame, .csd] = own + 1
      return machine.go(frame, Point.execChecks)
    case .async:
      machine[frame, .target] = call.target
      machine[frame, .csd] = machine.layout.privateCSD(call.storage) + 1
      return machine.go(frame, Point.execChecks)
    case .execChecks:
      if target == cpu { return machine.go(frame, Point.execRunsLocally) }
      return machine.go(frame, machine.isOnline(target) ? Point.execLocks : .execRefuses)
    case .execRunsLocally:
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      machine.go(frame, Point.execReturnsLocally.rawValue)
      machine.queued(callIndex, on: cpu, isOrdered: false)
      runFunction(of: callIndex, function: call.function, on: cpu, &machine)
      return .moved
    case .execReturnsLocally:
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.execReturns)
    case .execLocks:
      guard machine.lockCSD(csd) else { return machine.spins(on: csd, for: callIndex) }
      return machine.go(frame, Point.execFills)
    case .execFills:
      machine.fill(csd, function: call.function, call: callIndex)
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
      return machine.go(frame, Point.execReturns)
    case .execReturns:
      return machine.returnFromCall(cpu, frame, .success)
    default:
      return machine.returnFromCall(cpu, frame, .noSuchCPU)
    }
  }

  // MARK: smp_call_function_many()

  private func manyStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let layout = machine.layout
    let callIndex = machine[frame, .call] - 1
    let call = machine.workload.calls[callIndex]
    let mask = maskCell(cpu, layout)
    let target = machine[frame, .target]
    switch point {
    case .any:
      let chosen = machine.preferredCPU(of: call.mask, for: cpu)
      guard chosen < layout.cpuCount else { return machine.go(frame, Point.execRefuses) }
      machine[frame, .target] = chosen
      machine[frame, .csd] = (call.waits ? layout.callCSD(callIndex) : layout.ownCSD(of: cpu)) + 1
      return machine.go(frame, Point.execChecks)
    case .many:
      // First a look at how many there are; one is made a single call.
      let wanted = call.mask & call.condition & ~(1 << UInt64(cpu))
      var first = layout.cpuCount
      var count = 0
      for candidate in 0..<layout.cpuCount where wanted >> UInt64(candidate) & 1 == 1 && machine.isOnline(candidate) {
        if count == 0 { first = candidate }
        count += 1
      }
      if count == 0 { return machine.go(frame, Point.eachRunsLocally) }
      // on_each_cpu_mask() runs its own part behind the call; as a single call it would not come back here.
      if count > 1 || call.kind == .onEach { return machine.go(frame, Point.manySetsMask) }
      machine[frame, .target] = first
      machine[frame, .csd] = (call.waits ? layout.callCSD(callIndex) : layout.ownCSD(of: cpu)) + 1
      return machine.go(frame, Point.execChecks)
    case .manySetsMask:
      machine.setMask(at: mask, online: call.mask & call.condition & ~(1 << UInt64(cpu)))
      return beginTargets(.manyLocks, cpu, frame, &machine)
    case .manyLocks:
      let csd = layout.manyCSD(of: cpu, for: target)
      guard machine.lockCSD(csd) else { return machine.spins(on: csd, for: callIndex) }
      return machine.go(frame, Point.manyFills)
    case .manyFills:
      machine.fill(layout.manyCSD(of: cpu, for: target), function: call.function, call: callIndex)
      return machine.go(frame, Point.manyAdds)
    case .manyAdds:
      machine.queued(callIndex, on: target)
      _ = machine.addLockLess(layout.manyCSD(of: cpu, for: target), to: target)
      return nextTarget(.manyLocks, then: .manyKicks, cpu, frame, &machine)
    case .manyKicks:
      machine.sendIPI(.many, toMaskAt: mask)
      if !call.waits { return machine.go(frame, Point.eachRunsLocally) }
      return beginTargets(.manyWaits, cpu, frame, &machine)
    case .manyWaits:
      let csd = layout.manyCSD(of: cpu, for: target)
      if machine.hasFlag(csd: csd, CSDFlags.lock) { return machine.spins(on: csd, for: callIndex) }
      return nextTarget(.manyWaits, then: .eachRunsLocally, cpu, frame, &machine)
    case .eachRunsLocally:
      guard call.kind == .onEach, call.mask & call.condition >> UInt64(cpu) & 1 == 1 else {
        return machine.go(frame, Point.manyReturns)
      }
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      machine.go(frame, Point.eachReturnsLocally.rawValue)
      machine.queued(callIndex, on: cpu, isOrdered: false)
      runFunction(of: callIndex, function: call.function, on: cpu, &machine)
      return .moved
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

  // MARK: Handler and flush

  private func flushStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let batch = machine[frame, .batch]
    switch point {
    case .handler:
      machine.setFlag(frame, FrameFlag.isHandler, true)
      return machine.go(frame, form == .mail ? Point.handlerChecks : .flushTakes)
    case .dying:
      return machine.go(frame, Point.flushTakes)

    // The mail's handler looks before it flushes, and takes the queue in order to print it.
    case .handlerChecks:
      let warns = !machine.isOnline(cpu) && !machine.isSet(warnedCell(machine.layout))
      return machine.go(frame, warns ? Point.handlerWarns : .flushTakes)
    case .handlerWarns:
      warn(cpu, about: machine.reverse(machine.takeAll(of: cpu)), &machine)
      return machine.go(frame, Point.flushTakes)

    case .flushTakes:
      let first = machine.reverse(machine.takeAll(of: cpu))
      machine[frame, .batch] = first
      machine.batchBegan(on: cpu, first: first)
      // The mail's flush does not warn; the other forms' does, for a handler.
      let looks = form != .mail && machine.hasFlag(frame, FrameFlag.isHandler)
      return machine.go(frame, looks ? Point.flushWarns : .flushRuns)
    case .flushWarns:
      if !machine.isOnline(cpu), !machine.isSet(warnedCell(machine.layout)) {
        // As merged, it also asks that the queue be non-empty, after having emptied it.
        if form == .before || !machine.queueIsEmpty(cpu) { warn(cpu, about: batch, &machine) }
      }
      return machine.go(frame, Point.flushRuns)
    case .flushRuns:
      guard batch != 0 else { return machine.go(frame, Point.flushEnds) }
      let csd = batch - 1
      machine.touch(csd)
      machine.go(frame, Point.flushUnlocks.rawValue)
      runFunction(of: machine.call(csd), function: machine.function(csd), on: cpu, &machine)
      return .moved
    case .flushUnlocks:
      // The next one is read before: the unlocked one may be filled again at once.
      machine[frame, .batch] = machine.next(batch - 1)
      machine.unlockCSD(batch - 1)
      return machine.go(frame, Point.flushRuns)
    case .flushEnds:
      if machine.hasFlag(frame, FrameFlag.isHandler) { return machine.go(frame, Point.handlerReturns) }
      machine.pop(cpu)
      return .moved
    default:
      machine.returnFromInterrupt(cpu)
      return .moved
    }
  }

  /// "IPI on offline CPU", and the callbacks that it names.
  private func warn(_ cpu: Int, about first: Int, _ machine: inout Machine) {
    machine.set(warnedCell(machine.layout), 1)
    machine.violate(.noOfflineWarning)
    machine.happened(.warned(.ipiOnOfflineCPU))
    var node = first
    while node != 0 {
      let call = machine.call(node - 1)
      machine.happened(.warned(.namesCallback(call: call)))
      node = machine.next(node - 1)
    }
  }
}
