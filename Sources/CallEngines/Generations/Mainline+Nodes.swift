// What else is linked on a CPU's queue: irq_works, and tasks to be woken.
extension Mainline {
  /// Source: 6.12 kernel/irq_work.c, irq_work_queue_on(); kernel/sched/core.c, ttwu_queue_wakelist().
  func nodeStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    let call = machine.workload.calls[callIndex]
    let node = machine.layout.privateCSD(call.storage)
    switch point {
    case .irqWork:
      let target = knownCPU(call.target, machine.layout)
      if !machine.isOnline(target) {
        // WARN_ON_ONCE(cpu_is_offline()), and on it goes; there is no queue only where there is no CPU.
        machine.violate(.noWarning)
        machine.happened(.warned(.invalidCPU(call.target)))
        if target == machine.layout.cpuCount { return machine.returnFromCall(cpu, frame, .invalid) }
      }
      // irq_work_claim()
      if machine.hasFlag(csd: node, CSDFlags.pending) { return coalesce(callIndex, with: node, cpu, frame, &machine) }
      claim(node, CSDFlags.pending | CSDFlags.busy, type: CSDType.irqWork, for: callIndex, &machine)
      machine[frame, .csd] = node + 1
      machine[frame, .target] = target
      return machine.go(frame, target == cpu ? Point.irqWorkRaises : firstOfAdd(call))
    case .irqWorkRaises:
      machine.queued(callIndex, on: cpu, isOrdered: false)
      let list = raisedList(cpu, machine.layout)
      let first = machine.getInt(list)
      machine.setNext(node, first)
      machine.set(list, node + 1)
      machine.note(.added, first == 0 ? 1 : 0, cpu: cpu)
      machine.happened(.added(csd: node, cpu: cpu, wasEmpty: first == 0))
      return machine.go(frame, first == 0 ? Point.irqWorkSends : .returns)
    case .irqWorkSends:
      machine.sendIPI(.irqWork, to: cpu)
      return machine.go(frame, Point.returns)

    default:
      // try_to_wake_up(): the task's lock is held, so that only one of two wakers finds it asleep.
      if machine.hasFlag(csd: node, NodeFlag.waking) { return coalesce(callIndex, with: node, cpu, frame, &machine) }
      let target = knownCPU(call.target, machine.layout)
      if wakeups == .placed { return beginPlacing(on: target, cpu, frame, &machine) }
      // ttwu_queue_cond(): not for the own CPU, which the waker puts the task on itself; not for one that goes.
      if target == cpu {
        runLocally(callIndex, then: .localReturns, cpu, frame, &machine)
        return .moved
      }
      guard machine.isOnline(target) else { return machine.returnFromCall(cpu, frame, .noSuchCPU) }
      claim(node, NodeFlag.waking, type: CSDType.ttwu, for: callIndex, &machine)
      machine[frame, .csd] = node + 1
      machine[frame, .target] = target
      return machine.go(frame, firstOfAdd(call))
    }
  }

  func claim(_ node: Int, _ flags: Int32, type: Int32, for call: Int, _ machine: inout Machine) {
    machine.setFlags(node, machine.flags(node) | flags)
    machine.set(machine.layout.csd(node, .type), type)
    machine.happened(.csdLocked(csd: node))
    machine.fill(node, function: machine.workload.calls[call].function, call: call)
  }

  // MARK: Requests that another one covers

  /// The node is on its way already: what is about to run there covers this request as well.
  private func coalesce(
    _ call: Int, with node: Int, _ cpu: Int, _ frame: Int, _ machine: inout Machine
  ) -> Stepped {
    if machine.keepsBooks {
      machine.queued(call, on: machine.workload.calls[machine.call(node)].target, isOrdered: false)
    }
    machine.note(.coalesced, call)
    machine.happened(.coalesced(call: call))
    return machine.returnFromCall(cpu, frame, .success)
  }

  /// A node's function starts, for all requests that it covers.
  func startCovered(by call: Int, on cpu: Int, _ machine: inout Machine) {
    guard machine.keepsBooks else { return }
    for other in 0..<machine.layout.callCount where covers(call, other, on: cpu, machine) {
      if machine.hasStarted(other, on: cpu) { continue }
      machine.started(other, function: machine.workload.calls[other].function, on: cpu)
    }
  }

  /// A node's function ended, for all requests that it covered.
  func finishCovered(by call: Int, on cpu: Int, _ machine: inout Machine) {
    guard machine.keepsBooks else { return }
    for other in 0..<machine.layout.callCount where covers(call, other, on: cpu, machine) {
      let runs = machine.hasStarted(other, on: cpu) && !machine.hasFinished(other, on: cpu)
      if runs { machine.finished(other, function: machine.workload.calls[other].function, on: cpu) }
    }
  }

  private func covers(_ call: Int, _ other: Int, on cpu: Int, _ machine: borrowing Machine) -> Bool {
    let (one, another) = (machine.workload.calls[call], machine.workload.calls[other])
    guard other != call, one.kind == another.kind, one.storage == another.storage else { return false }
    // Claimed anew already, it will run for itself.
    guard machine.call(machine.layout.privateCSD(one.storage)) != other else { return false }
    return (one.kind == .irqWork || one.kind == .wakeup)
      && machine.contains(maskAt: machine.layout.call(other, .queued), cpu)
  }
}
