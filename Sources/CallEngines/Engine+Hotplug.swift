// The programs of hotplug. See Machine+Hotplug.swift for what they follow.
extension Engine {
  func takeDown(_ target: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    switch machine[frame, .cursor] {
    case 0:
      // One CPU at a time: cpus_write_lock().
      guard !machine.isHotplugBusy else { return .blocked(.hotplug) }
      guard beginTakingDown(target, &machine) else {
        machine[frame, .target] += 1
        return .moved
      }
      machine[frame, .cursor] = 1
      return .moved
    default:
      guard endTakingDown(target, &machine) else { return .blocked(.hotplug) }
      machine[frame, .cursor] = 0
      machine[frame, .target] += 1
      return .moved
    }
  }

  func bringUp(_ target: Int, on cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    switch machine[frame, .cursor] {
    case 0:
      guard !machine.isHotplugBusy else { return .blocked(.hotplug) }
      guard machine.state(of: target) == .dead else {
        machine[frame, .target] += 1
        return .moved
      }
      if generation.allocatesForCPUs, machine.isCPURefused() {
        machine[frame, .target] += 1
        machine.happened(.bringUpCanceled(cpu: target))
        if let stage = generation.canceledStage { machine.push(cpu, stage) }
        return .moved
      }
      _ = beginBringingUp(target, &machine)
      machine[frame, .cursor] = 1
      return .moved
    default:
      guard machine.state(of: target) == .online else { return .blocked(.hotplug) }
      machine[frame, .cursor] = 0
      machine[frame, .target] += 1
      return .moved
    }
  }

  /// Whether stop_machine() can take a CPU away from what it runs: a task between two calls, with interrupts on, or in a call
  /// that may be preempted there.
  ///
  /// The CPU that goes is only taken between two calls: its task is gone with it here, where the kernel moves it to another
  /// CPU, and a call half made would never end.
  public func canStop(_ cpu: Int, _ machine: borrowing Machine) -> Bool {
    guard machine.isWantedByStop(cpu), machine.interruptsEnabled(cpu) else { return false }
    switch machine.depth(cpu) {
    case 0: return true
    case 1:
      let point = machine.point(of: cpu)
      return (point == CommonPoint.task.rawValue || point == CommonPoint.caller.rawValue) && !holdsLock(cpu, machine)
    case 2:
      guard machine.stopTarget != cpu + 1, let point = machine.point(of: cpu), point < CommonPoint.first else {
        return false
      }
      return generation.isPreemptible(point) && !holdsLock(cpu, machine)
    default: return false
    }
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
    if machine.isInUser(cpu) {
      let frame = machine.push(cpu, CommonPoint.kernelEntry.rawValue)
      machine[frame, .value] = Int(CommonPoint.stopEntered.rawValue)
    } else {
      machine.push(cpu, CommonPoint.stopEntered.rawValue)
    }
    machine.setStopProgress(cpu, .entered)
    machine.note(.flagChanged)
    machine.happened(.stopEntered)
  }

  func stopStep(_ point: CommonPoint, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let isTarget = machine.stopTarget == cpu + 1
    switch point {
    case .stopEntered:
      // Interrupts go off when all CPUs have been given up; in two stages, on the one that goes when they are off on all others.
      let isLast = isTarget && generation.stopsInTwoStages
      guard machine.allStopped(isLast ? .interruptsOff : .entered, butTarget: isLast) else {
        return .blocked(.hotplug)
      }
      machine.disableInterrupts(cpu)
      machine.setStopProgress(cpu, .interruptsOff)
      machine.note(.flagChanged)
      return machine.go(frame, isTarget ? CommonPoint.dyingMarked : .stopWaits)
    case .stopWaits:
      let target = machine.stopTarget - 1
      guard
        target < 0 || machine.stopProgress(target) >= Machine.StopProgress.dyingStageOver.rawValue
          || machine.state(of: target) == .leaving || machine.state(of: target) == .dead
      else { return .blocked(.hotplug) }
      machine.enableInterrupts(cpu)
      machine.setStopProgress(cpu, .none)
      machine.note(.flagChanged)
      let returnsToUser = machine.hasFlag(frame, Machine.returnsToUser)
      machine.pop(cpu)
      machine.happened(.stopLeft)
      if returnsToUser { machine.enterUser(cpu) }
      return .moved
    case .dyingMarked:
      // Nothing is run before interrupts are off everywhere.
      guard machine.allStopped(.interruptsOff, butTarget: false) else { return .blocked(.hotplug) }
      machine.markOffline(cpu)
      machine.setStopProgress(cpu, .markedOffline)
      machine.note(.flagChanged)
      return machine.go(frame, CommonPoint.dyingStage)
    case .dyingStage:
      machine.go(frame, CommonPoint.dyingResumes.rawValue)
      if let stage = generation.dyingStage { machine.push(cpu, stage) }
      return .moved
    case .dyingResumes:
      machine.setStopProgress(cpu, .dyingStageOver)
      machine.setState(of: cpu, .leaving)
      machine.note(.flagChanged)
      machine.enableInterrupts(cpu)
      return machine.go(frame, CommonPoint.leaving)
    default:
      // The stopper sleeps and the idle task plays dead. Until then the CPU takes interrupts.
      machine.die(cpu)
      machine.note(.flagChanged)
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
