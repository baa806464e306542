// Ideas 1 to 4 of the mail: a gate that a call has to pass before it may queue anything, and that it leaves with its answers.
//
// Who finds the gate closed spins with interrupts on, whatever they were: the mail stresses it for the first idea, and the
// others deadlock at once without it. `Spin.interruptsAsFound` shows that.
extension Generic2008 {
  func gateStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let lock = gateLock(machine)
    let next = machine.hasFlag(frame, FrameFlag.isMany) ? Point.manyLocks : .execLocks
    switch point {
    case .gateLocks where gate == .lock:
      // The lock itself is the gate, and is held until the call is over.
      guard machine.acquire(lock, .fallback, by: cpu) else {
        machine.setFlag(frame, FrameFlag.interruptsWereOn, machine.interruptsEnabled(cpu))
        beginSpinning(cpu, &machine)
        return machine.go(frame, Point.gateSpins)
      }
      machine.setFlag(frame, FrameFlag.isInside, true)
      return machine.go(frame, next)
    case .gateLocks:
      guard machine.acquire(lock, .fallback, by: cpu) else { return .blocked(.lock(.fallback)) }
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.gateChecks)
    case .gateChecks:
      return machine.go(frame, mayProceed(cpu, frame, machine) ? Point.gateMarks : .gateUnlocks)
    case .gateMarks:
      mark(true, frame, &machine)
      machine.setFlag(frame, FrameFlag.isInside, true)
      return machine.go(frame, Point.gateUnlocks)
    case .gateUnlocks:
      machine.release(lock, .fallback)
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      if machine.hasFlag(frame, FrameFlag.isInside) { return machine.go(frame, next) }
      beginSpinning(cpu, &machine)
      return machine.go(frame, Point.gateSpins)
    case .gateSpins:
      guard mayProceed(cpu, frame, machine) else {
        return .blocked(gate == .lock ? .lock(.fallback) : .flag(.targeted))
      }
      // As the caller had them, and then once more under the lock.
      if !machine.hasFlag(frame, FrameFlag.interruptsWereOn) { machine.disableInterrupts(cpu) }
      return machine.go(frame, Point.gateLocks)

    case .leaveLocks where gate == .lock:
      machine.release(lock, .fallback)
      return machine.go(frame, Point.returns)
    case .leaveLocks:
      guard machine.acquire(lock, .fallback, by: cpu) else { return .blocked(.lock(.fallback)) }
      machine.saveInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.leaveUnmarks)
    case .leaveUnmarks:
      mark(false, frame, &machine)
      return machine.go(frame, Point.leaveUnlocks)
    default:
      machine.release(lock, .fallback)
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      return machine.go(frame, Point.returns)
    }
  }

  private func beginSpinning(_ cpu: Int, _ machine: inout Machine) {
    switch spin {
    case .interruptsOn: machine.enableInterrupts(cpu)
    case .interruptsAsFound: break
    }
  }

  /// Whether the gate is open for the call of a frame.
  private func mayProceed(_ cpu: Int, _ frame: Int, _ machine: borrowing Machine) -> Bool {
    let own = machine.layout.engineCells
    let cells = cells(machine)
    switch gate {
    case .none: return true
    case .lock: return !machine.isSet(gateLock(machine))
    case .counters: return !machine.isSet(own + cells.timesTargeted(cpu))
    case .mask:
      if machine.contains(maskAt: own + cells.targeted, cpu) { return false }
      for target in 0..<machine.layout.cpuCount where isTarget(target, of: frame, machine) {
        if machine.contains(maskAt: own + cells.targeted, target) { return false }
      }
      return true
    }
  }

  private func isTarget(_ cpu: Int, of frame: Int, _ machine: borrowing Machine) -> Bool {
    guard machine.hasFlag(frame, FrameFlag.isMany) else { return machine[frame, .target] == cpu }
    return machine.contains(maskAt: targetsCell(machine[frame, .call] - 1, machine), cpu)
  }

  /// The targets of a frame's call are targeted now, or no longer.
  private func mark(_ isTargeted: Bool, _ frame: Int, _ machine: inout Machine) {
    let own = machine.layout.engineCells
    let cells = cells(machine)
    for target in 0..<machine.layout.cpuCount where isTarget(target, of: frame, machine) {
      if gate == .counters {
        let counter = own + cells.timesTargeted(target)
        machine.set(counter, machine.getInt(counter) + (isTargeted ? 1 : -1))
      } else if isTargeted {
        machine.insert(target, maskAt: own + cells.targeted)
      } else {
        machine.remove(target, maskAt: own + cells.targeted)
      }
      machine.note(.flagChanged)
      machine.happened(.flagChanged(.targeted, cpu: target, isSet: isTargeted))
    }
  }
}
