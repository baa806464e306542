/// The points of the programs that all engines share: tasks, functions, idling and hotplug.
enum CommonPoint: UInt8 {
  /// A task, between two operations. `call`: the CPU whose task it is; `target`: the operation.
  case task = 200
  /// A function that was called. `call`: the call + 1; `value`: the function; `target`: the operation.
  case function
  case idle
  case idleLeaves
  case idleFlushes
  // stop_machine(), on every CPU.
  case stopEntered
  case stopWaits
  // On the CPU that goes.
  case dyingMarked
  case dyingStage
  case dyingResumes
  case leaving
  // On the CPU that comes.
  case risingLocks
  case risingMarks
  case risingUnlocks
  case risingEnables
  /// Who makes a call that a driver has given: behind it, and before what it interrupts.
  case caller
  // The way from user space into the kernel. `value`: what goes on behind it, a point; 0 for what was there before.
  case kernelEntry
  case kernelEntered

  static let first: UInt8 = 200
}

extension Engine {
  /// Puts a CPU's task onto its stack, if it has one. A CPU whose task begins with idling idles at the start, and one whose
  /// task begins with user space is there.
  func beginTask(on cpu: Int, _ machine: inout Machine) {
    let operations = machine.workload.tasks[cpu].operations
    if operations.isEmpty { return }
    let frame = machine.push(cpu, CommonPoint.task.rawValue)
    switch operations.first {
    case .idlePolling: _ = perform(.idlePolling, cpu, frame, &machine)
    case .enterUser: _ = perform(.enterUser, cpu, frame, &machine)
    default: break
    }
  }

  func commonStep(_ rawPoint: UInt8, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    guard let point = CommonPoint(rawValue: rawPoint) else {
      preconditionFailure("CPU\(cpu) stands at \(rawPoint), which is no point")
    }
    switch point {
    case .task:
      let operation = machine[frame, .target]
      let program = machine.workload.tasks[cpu].operations
      if operation == program.count {
        machine.pop(cpu)
        return .moved
      }
      return perform(program[operation], cpu, frame, &machine)

    case .function:
      let operation = machine[frame, .target]
      let program = machine.workload.functions[machine[frame, .value]].body.operations
      if operation == program.count {
        let call = machine[frame, .call] - 1
        let function = machine[frame, .value]
        machine.pop(cpu)
        machine.finished(call, function: function, on: cpu)
        return .moved
      }
      return perform(program[operation], cpu, frame, &machine)

    case .idle, .idleLeaves, .idleFlushes:
      return idleStep(point, cpu, frame, &machine)
    case .stopEntered, .stopWaits, .dyingMarked, .dyingStage, .dyingResumes, .leaving:
      return stopStep(point, cpu, frame, &machine)
    case .risingLocks, .risingMarks, .risingUnlocks, .risingEnables:
      return risingStep(point, cpu, frame, &machine)
    case .caller:
      machine.restoreInterrupts(cpu, in: frame, flag: CallerFlag.interruptsWereOn)
      machine.pop(cpu)
      return .moved
    case .kernelEntry, .kernelEntered:
      return entryStep(point, cpu, frame, &machine)
    }
  }

  /// One operation of a task's or a function's program.
  private func perform(_ operation: Operation, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    switch operation {
    case .call(let call):
      machine[frame, .target] += 1
      // A function may be run more often than it was meant to; each call is made once.
      if machine.isSet(machine.layout.call(call, .progress)) { return .moved }
      guard let entry = generation.entry(for: machine.workload.calls[call].kind) else {
        preconditionFailure("\(self) has no \(machine.workload.calls[call].kind)")
      }
      let callFrame = machine.push(cpu, entry)
      machine[callFrame, .call] = call + 1
      machine.callBegan(call, owed: owed(by: machine.workload.calls[call], on: cpu, machine.layout.cpuCount))
      return .moved
    case .disableInterrupts:
      machine.disableInterrupts(cpu)
    case .enableInterrupts:
      machine.enableInterrupts(cpu)
    case .lock(let index):
      guard machine.acquire(machine.layout.callersLock(index), .callers(index), by: cpu) else {
        return .blocked(.lock(.callers(index)))
      }
    case .unlock(let index):
      machine.release(machine.layout.callersLock(index), .callers(index))
    case .takeDown(let target):
      return takeDown(target, frame, &machine)
    case .bringUp(let target):
      return bringUp(target, on: cpu, frame, &machine)
    case .startOver:
      // Its calls can be made again; they all wait, so that none is under way.
      for other in machine.workload.tasks[cpu].operations {
        if case .call(let call) = other { machine.forgetCall(call) }
      }
      machine[frame, .target] = 0
      return .moved
    case .enterUser:
      machine.enterUser(cpu)
      machine.enableInterrupts(cpu)
    case .leaveUser:
      machine[frame, .target] += 1
      machine.push(cpu, CommonPoint.kernelEntry.rawValue)
      return .moved
    case .idlePolling:
      machine[frame, .target] += 1
      machine.setPolling(cpu, true)
      machine.push(cpu, CommonPoint.idle.rawValue)
      machine.happened(.idled)
      return .moved
    }
    machine[frame, .target] += 1
    return .moved
  }

  /// The CPUs that a call promises to reach, as far as they are online.
  private func owed(by call: Call, on cpu: Int, _ cpuCount: Int) -> CPUSet {
    let one = call.target >= 0 && call.target < cpuCount ? CPUSet(cpu: call.target) : CPUSet()
    switch call.kind {
    case .single, .singleAsync, .irqWork, .wakeup, .xcallPrivate: return one
    case .many: return call.mask.intersection(call.condition).removing(cpu)
    case .onEach, .xcallMask: return call.mask.intersection(call.condition)
    case .xcall: return (call.target == -1 ? .all : one).intersection(call.condition)
    // Which one, the engine chooses; a request may be coalesced.
    case .any, .xcallAny, .queue: return CPUSet()
    }
  }

  // MARK: Idle

  /// Source: 6.12 kernel/sched/idle.c, do_idle(): polling is set, then NEED_RESCHED is watched; when it is set, polling is
  /// cleared and the queue flushed before scheduling.
  private func idleStep(_ point: CommonPoint, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    switch point {
    case .idle:
      guard machine.needsReschedule(cpu) || machine.isWantedByStop(cpu) else { return .blocked(.idle) }
      return machine.go(frame, CommonPoint.idleLeaves)
    case .idleLeaves:
      machine.setPolling(cpu, false)
      machine.happened(.idleLeft)
      if generation.idleExit == nil { return leaveIdle(cpu, &machine) }
      return machine.go(frame, CommonPoint.idleFlushes)
    default:
      // flush_smp_call_function_queue() looks at the queue with interrupts on, and flushes it with interrupts off.
      guard let flush = generation.idleExit, !machine.queueIsEmpty(cpu) else { return leaveIdle(cpu, &machine) }
      if machine.interruptsEnabled(cpu) {
        machine.disableInterrupts(cpu)
        machine.push(cpu, flush)
        return .moved
      }
      return leaveIdle(cpu, &machine)
    }
  }

  private func leaveIdle(_ cpu: Int, _ machine: inout Machine) -> Stepped {
    machine.pop(cpu)
    machine.clearNeedsReschedule(cpu)
    machine.enableInterrupts(cpu)
    return .moved
  }

  // MARK: User space

  /// Into the kernel, by a system call or an interrupt: both bits are cleared with interrupts off, before anything else. If
  /// work waits, the queue is flushed there.
  private func entryStep(_ point: CommonPoint, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    if point == .kernelEntry {
      machine.saveInterrupts(cpu, in: frame, flag: CallerFlag.interruptsWereOn)
      if machine.leaveUser(cpu), let flush = generation.idleExit {
        machine.go(frame, CommonPoint.kernelEntered.rawValue)
        machine.push(cpu, flush)
        return .moved
      }
    }
    machine.restoreInterrupts(cpu, in: frame, flag: CallerFlag.interruptsWereOn)
    let next = machine[frame, .value]
    if next == 0 {
      machine.pop(cpu)
    } else {
      machine[frame, .value] = 0
      machine[frame, .flags] = Machine.returnsToUser
      machine.go(frame, UInt8(truncatingIfNeeded: next))
    }
    return .moved
  }
}
