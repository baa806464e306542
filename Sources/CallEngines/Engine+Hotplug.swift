// The programs of hotplug. See Machine+Hotplug.swift for what they follow.
extension Engine {
  func takeDown(_ target: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    switch machine[frame, .cursor] {
    case 0:
      // One CPU at a time: cpus_write_lock().
      guard machine.stopTarget == 0 else { return .blocked(.hotplug) }
      machine.set(machine.layout.stopTarget, target + 1)
      machine[frame, .cursor] = 1
      machine.happened(.stopRequested(cpu: target))
      return .moved
    default:
      guard machine.state(of: target) == .dead, machine.nobodyIsStopped else { return .blocked(.hotplug) }
      generation.buried(target, &machine)
      machine.set(machine.layout.stopTarget, 0)
      machine[frame, .cursor] = 0
      machine[frame, .target] += 1
      return .moved
    }
  }

  func bringUp(_ target: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    switch machine[frame, .cursor] {
    case 0:
      guard machine.stopTarget == 0 else { return .blocked(.hotplug) }
      guard machine.state(of: target) == .dead, generation.prepares(target, &machine) else {
        machine[frame, .target] += 1
        return .moved
      }
      machine.setState(of: target, .rising)
      machine.push(target, (generation.locksOnlining ? CommonPoint.risingLocks : .risingMarks).rawValue)
      machine[frame, .cursor] = 1
      return .moved
    default:
      guard machine.state(of: target) == .online else { return .blocked(.hotplug) }
      machine[frame, .cursor] = 0
      machine[frame, .target] += 1
      return .moved
    }
  }

  /// Whether stop_machine() can take a CPU away from what it runs: a task between two calls, with interrupts on.
  public func canStop(_ cpu: Int, _ machine: borrowing Machine) -> Bool {
    guard machine.isWantedByStop(cpu), machine.interruptsEnabled(cpu), machine.depth(cpu) <= 1 else { return false }
    guard machine.depth(cpu) == 1 else { return true }
    return machine.point(of: cpu) == CommonPoint.task.rawValue && !holdsLock(cpu, machine)
  }

  /// A spinning or holding task is not preempted.
  private func holdsLock(_ cpu: Int, _ machine: borrowing Machine) -> Bool {
    for index in 0..<machine.workload.lockCount where machine.getInt(machine.layout.callersLock(index)) == cpu + 1 {
      return true
    }
    return false
  }

  /// The stopper takes over on a CPU.
  /// - Precondition: ``canStop(_:_:)``, and ``hasRoom(on:in:)``.
  public func enterStop(_ cpu: Int, _ machine: inout Machine) {
    machine.push(cpu, CommonPoint.stopEntered.rawValue)
    machine.setStopProgress(cpu, .entered)
    machine.happened(.stopEntered)
  }

  func stopStep(_ point: CommonPoint, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let isTarget = machine.stopTarget == cpu + 1
    switch point {
    case .stopEntered:
      // First all others turn interrupts off, then the one that goes.
      guard machine.allStopped(isTarget ? .interruptsOff : .entered, butTarget: isTarget) else {
        return .blocked(.hotplug)
      }
      machine.disableInterrupts(cpu)
      machine.setStopProgress(cpu, .interruptsOff)
      return machine.go(frame, isTarget ? CommonPoint.dyingMarked : .stopWaits)
    case .stopWaits:
      let target = machine.stopTarget - 1
      guard
        target < 0 || machine.stopProgress(target) >= Machine.StopProgress.dyingStageOver.rawValue
          || machine.state(of: target) == .leaving || machine.state(of: target) == .dead
      else { return .blocked(.hotplug) }
      machine.enableInterrupts(cpu)
      machine.setStopProgress(cpu, .none)
      machine.pop(cpu)
      machine.happened(.stopLeft)
      return .moved
    case .dyingMarked:
      machine.markOffline(cpu)
      machine.setStopProgress(cpu, .markedOffline)
      return machine.go(frame, CommonPoint.dyingStage)
    case .dyingStage:
      machine.go(frame, CommonPoint.dyingResumes.rawValue)
      if let stage = generation.dyingStage { machine.push(cpu, stage) }
      return .moved
    case .dyingResumes:
      machine.setStopProgress(cpu, .dyingStageOver)
      machine.setState(of: cpu, .leaving)
      machine.enableInterrupts(cpu)
      return machine.go(frame, CommonPoint.leaving)
    default:
      // The stopper sleeps and the idle task plays dead. Until then the CPU takes interrupts.
      machine.die(cpu)
      return .moved
    }
  }

  func risingStep(_ point: CommonPoint, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let lock = machine.layout.lock(0)
    switch point {
    case .risingLocks:
      guard machine.acquire(lock, .globalQueue, by: cpu) else { return .blocked(.lock(.globalQueue)) }
      return machine.go(frame, CommonPoint.risingMarks)
    case .risingMarks:
      machine.markOnline(cpu)
      return machine.go(frame, generation.locksOnlining ? CommonPoint.risingUnlocks : .risingEnables)
    case .risingUnlocks:
      machine.release(lock, .globalQueue)
      return machine.go(frame, CommonPoint.risingEnables)
    default:
      machine.enableInterrupts(cpu)
      machine.pop(cpu)
      return .moved
    }
  }
}
