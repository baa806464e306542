// The targets' side: two handlers, and idea 5, which lets a waiting caller run what they would.
extension Generic2008 {
  // MARK: generic_smp_call_function_single_interrupt()

  func flushStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let lock = queueLock(cpu, machine)
    switch point {
    case .flushLooks:
      if !machine.queueIsEmpty(cpu) { return machine.go(frame, Point.flushLocks) }
      return leaveHandler(cpu, frame, &machine)
    case .flushLocks:
      guard machine.acquire(lock, .singleQueue(cpu: cpu), by: cpu) else {
        return .blocked(.lock(.singleQueue(cpu: cpu)))
      }
      return machine.go(frame, Point.flushTakes)
    case .flushTakes:
      machine[frame, .batch] = machine.takeAll(of: cpu)
      machine.release(lock, .singleQueue(cpu: cpu))
      return machine.go(frame, Point.flushRuns)
    case .flushRuns:
      guard machine[frame, .batch] != 0 else { return machine.go(frame, Point.flushLooks) }
      let csd = machine[frame, .batch] - 1
      machine.touch(csd)
      machine[frame, .batch] = machine.next(csd)
      machine[frame, .cursor] = csd + 1
      // Read before the function runs, after which the csd may be gone.
      machine[frame, .value] = Int(machine.flags(csd))
      machine.go(frame, Point.flushAnswers.rawValue)
      let function = machine.function(csd)
      // The dummy of a call that quiesces does nothing.
      guard function < machine.workload.functions.count else { return .moved }
      runFunction(of: machine.call(csd), function: function, on: cpu, &machine)
      return .moved
    default:
      let csd = machine[frame, .cursor] - 1
      let flags = Int32(machine[frame, .value])
      machine[frame, .cursor] = 0
      machine[frame, .value] = 0
      machine.touch(csd)
      if flags & CSDFlags.wait != 0 {
        endWait(csd, &machine)
      } else if flags & CSDFlags.allocated != 0 {
        free(csd, &machine)
      }
      return machine.go(frame, Point.flushRuns)
    }
  }

  // MARK: generic_smp_call_function_interrupt()

  func walkStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let layout = machine.layout
    let entry = machine[frame, .cursor] - 1
    switch point {
    case .walkBegins:
      beginReading(cpu, &machine)
      let first = globalHead(machine)
      machine[frame, .cursor] = first
      return machine.go(frame, first == 0 ? Point.walkEnds : .walkLooks)
    case .walkLooks:
      machine.touch(entry)
      let isConcerned = machine.contains(maskAt: layout.csdMask(entry), cpu)
      machine.happened(.visited(csd: entry, concerned: isConcerned))
      return machine.go(frame, isConcerned ? Point.walkRuns : .walkNext)
    case .walkRuns:
      machine.touch(entry)
      machine.go(frame, Point.walkLocks.rawValue)
      runFunction(of: machine.call(entry), function: machine.function(entry), on: cpu, &machine)
      return .moved
    case .walkLocks:
      machine.touch(entry)
      guard machine.acquire(layout.csd(entry, .lock), .entry(csd: entry), by: cpu) else {
        return .blocked(.lock(.entry(csd: entry)))
      }
      return machine.go(frame, Point.walkDrops)
    case .walkDrops:
      machine.remove(cpu, maskAt: layout.csdMask(entry))
      let references = layout.csd(entry, .references)
      if !machine.isSet(references) {
        machine.violate(.noWarning)
        machine.happened(.warned(.noReferences(csd: entry)))
      }
      // An unsigned count: below 0 it is far from 0.
      machine.set(references, (machine.getInt(references) - 1) & 0xff)
      machine.release(layout.csd(entry, .lock), .entry(csd: entry))
      // Who dropped the last reference ends the call.
      return machine.go(frame, machine.isSet(references) ? Point.walkNext : .walkLocksQueue)
    case .walkLocksQueue:
      guard machine.acquire(globalLock(machine), .globalQueue, by: cpu) else { return .blocked(.lock(.globalQueue)) }
      return machine.go(frame, Point.walkUnlinks)
    case .walkUnlinks:
      machine.touch(entry)
      unlinkGlobally(entry, &machine)
      return machine.go(frame, Point.walkUnlocksQueue)
    case .walkUnlocksQueue:
      machine.release(globalLock(machine), .globalQueue)
      return machine.go(frame, Point.walkAnswers)
    case .walkAnswers:
      machine.touch(entry)
      if machine.hasFlag(csd: entry, CSDFlags.wait) { endWait(entry, &machine) }
      return machine.go(frame, Point.walkFrees)
    case .walkFrees:
      machine.touch(entry)
      if machine.hasFlag(csd: entry, CSDFlags.allocated) { freeLater(entry, &machine) }
      return machine.go(frame, Point.walkNext)
    case .walkNext:
      machine.touch(entry)
      machine[frame, .cursor] = machine.next(entry)
      return machine.go(frame, machine[frame, .cursor] == 0 ? Point.walkEnds : .walkLooks)
    default:
      endReading(cpu, &machine)
      return leaveHandler(cpu, frame, &machine)
    }
  }

  /// WAIT is cleared: from now on the csd is its caller's, who may be gone with it.
  private func endWait(_ csd: Int, _ machine: inout Machine) {
    machine.setFlags(csd, machine.flags(csd) & ~CSDFlags.wait)
    machine.setState(csd, .filled)
    machine.released(csd)
    machine.happened(.waitEnded(csd: csd))
  }

  private func leaveHandler(_ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    if machine.hasFlag(frame, FrameFlag.isPoll) {
      machine.restoreInterrupts(cpu, in: frame, flag: FrameFlag.interruptsWereOn)
      machine.pop(cpu)
    } else {
      machine.returnFromInterrupt(cpu)
    }
    return .moved
  }
}
