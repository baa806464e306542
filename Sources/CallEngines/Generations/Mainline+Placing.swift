// Wakeups without the queue: the waker puts the task onto the run queue of its CPU, under the run queue's lock.
//
// Only wakers take the lock here. The scheduler of the CPU takes it as well, and holds it longer than they do.
extension Mainline {
  /// Source: 6.12 kernel/sched/core.c, try_to_wake_up() with interrupts off, ttwu_queue() without TTWU_QUEUE.
  func beginPlacing(on target: Int, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    let node = machine.layout.privateCSD(machine.workload.calls[callIndex].storage)
    guard target == cpu || machine.isOnline(target) else { return machine.returnFromCall(cpu, frame, .noSuchCPU) }
    claim(node, NodeFlag.waking, type: CSDType.ttwu, for: callIndex, &machine)
    machine[frame, .csd] = node + 1
    machine[frame, .target] = target
    machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
    return machine.go(frame, Point.wakeupLocks)
  }

  /// Source: 6.12 kernel/sched/core.c, ttwu_do_activate() and resched_curr(); the task always preempts what runs.
  func placeStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let target = machine[frame, .target]
    switch point {
    case .wakeupLocks:
      guard machine.acquire(machine.layout.lock(target), .runQueue(cpu: target), by: cpu) else {
        // The queue is there for this: with it, no wakeup waits for another CPU.
        machine.violate(.neverWaits)
        return .blocked(.lock(.runQueue(cpu: target)))
      }
      return machine.go(frame, Point.wakeupPlaces)
    case .wakeupPlaces:
      place(on: target, frame, isOver: false, &machine)
      // The own CPU looks at NEED_RESCHED when interrupts are on again.
      return machine.go(frame, target == cpu ? Point.wakeupUnlocks : .wakeupPolls)
    case .wakeupPolls:
      // NEED_RESCHED is set, whoever polls or not. That of a CPU which does not is its interrupt here, until that comes: who
      // finds it set sends no other.
      if polling == .polling, machine.wakeIfPolling(target) { return machine.go(frame, Point.wakeupUnlocks) }
      return machine.go(frame, machine.isPending(.reschedule, on: target) ? Point.wakeupUnlocks : .wakeupSends)
    case .wakeupSends:
      machine.sendIPI(.reschedule, to: target)
      return machine.go(frame, Point.wakeupUnlocks)
    case .wakeupUnlocks:
      place(on: target, frame, isOver: true, &machine)
      machine.release(machine.layout.lock(target), .runQueue(cpu: target))
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.returns)
    default:
      // scheduler_ipi(): what it is for happens behind it. An idle CPU finds NEED_RESCHED, which came with it.
      if machine.isPolling(cpu) { machine.setNeedsReschedule(cpu) }
      machine.returnFromInterrupt(cpu)
      return .moved
    }
  }

  /// Puts the task onto the run queue, and takes note when that is over: it is all that a wakeup is, for whoever asked for it.
  private func place(on target: Int, _ frame: Int, isOver: Bool, _ machine: inout Machine) {
    let call = machine[frame, .call] - 1
    let function = machine.workload.calls[call].function
    // Nothing is called.
    let isNarrating = machine.isNarrating
    machine.isNarrating = false
    if isOver {
      machine.finished(call, function: function, on: target)
      finishCovered(by: call, on: target, &machine)
    } else {
      let node = machine[frame, .csd] - 1
      machine.queued(call, on: target, isOrdered: false)
      machine.started(call, function: function, on: target)
      startCovered(by: call, on: target, &machine)
      machine.setFlags(node, machine.flags(node) & ~NodeFlag.waking)
      machine.setState(node, .free)
    }
    machine.isNarrating = isNarrating
    if !isOver { machine.happened(.taskPlaced(call: call, cpu: target)) }
  }
}
