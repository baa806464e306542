// The two interrupt handlers. Both run with interrupts off.
extension PerCPU2009 {
  // MARK: generic_smp_call_function_interrupt()

  /// `cursor` is the node on which the walker stands, at first the list's head.
  func walkStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    switch point {
    case .walkFollows:
      // Without a lock: whatever the entry's next is by now.
      let node = machine[frame, .cursor]
      let next = machine.getInt(nextCell(node, machine.layout))
      leave(node, cpu, &machine)
      machine[frame, .cursor] = next
      return machine.go(frame, next == Self.listHead ? Point.walkEnds : .entryLocks)
    case .walkEnds:
      machine.clear(maskAt: visitedCell(cpu, machine.layout))
      machine.returnFromInterrupt(cpu)
      return .moved
    case .entryLocks, .entryTests, .entrySkips, .entryClears, .entryUnlocks, .entryRelocks, .entryUnlocksAgain:
      return entryLockStep(point, cpu, frame, &machine)
    case .queueLocks, .queueUnlinks, .queueUnlocks:
      return unlinkStep(point, cpu, frame, &machine)
    default:
      return entryStep(point, cpu, frame, &machine)
    }
  }

  /// What is done under the entry's lock, but for dropping the reference.
  private func entryLockStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let layout = machine.layout
    let owner = machine[frame, .cursor] - 1
    let entry = layout.ownEntry(of: owner)
    let lock = layout.csd(entry, .lock)
    switch point {
    case .entryLocks:
      guard machine.acquire(lock, .entry(csd: entry), by: cpu) else { return .blocked(.lock(.entry(csd: entry))) }
      return machine.go(frame, Point.entryTests)
    case .entryTests:
      let concerned = machine.contains(maskAt: layout.csdMask(entry), cpu)
      noteVisit(of: owner, concerned: concerned, by: cpu, &machine)
      return machine.go(frame, concerned ? Point.entryClears : .entrySkips)
    case .entrySkips:
      machine.release(lock, .entry(csd: entry))
      return machine.go(frame, Point.walkFollows)
    case .entryClears:
      machine.remove(cpu, maskAt: layout.csdMask(entry))
      return machine.go(frame, form == .mail ? Point.entryDrops : .entryUnlocks)
    case .entryUnlocks:
      machine.release(lock, .entry(csd: entry))
      let unlinks = form == .mail && machine.hasFlag(frame, FrameFlag.isLast)
      return machine.go(frame, unlinks ? Point.queueLocks : .entryRuns)
    case .entryRelocks:
      guard machine.acquire(lock, .entry(csd: entry), by: cpu) else { return .blocked(.lock(.entry(csd: entry))) }
      return machine.go(frame, Point.entryDrops)
    default:
      machine.release(lock, .entry(csd: entry))
      return machine.go(frame, machine.hasFlag(frame, FrameFlag.isLast) ? Point.entryReleases : .walkFollows)
    }
  }

  /// The last one takes the entry off the queue: in the mail's form behind the entry's lock, as merged under it.
  private func unlinkStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let lock = machine.layout.lock(0)
    switch point {
    case .queueLocks:
      guard machine.acquire(lock, .globalQueue, by: cpu) else { return .blocked(.lock(.globalQueue)) }
      return machine.go(frame, Point.queueUnlinks)
    case .queueUnlinks:
      unlink(entryOf: machine[frame, .cursor] - 1, &machine)
      return machine.go(frame, Point.queueUnlocks)
    default:
      machine.release(lock, .globalQueue)
      return machine.go(frame, form == .mail ? Point.entryReleases : .entryUnlocksAgain)
    }
  }

  private func entryStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let entry = machine.layout.ownEntry(of: machine[frame, .cursor] - 1)
    switch point {
    case .entryDrops:
      drop(entry, frame, &machine)
      if form == .mail { return machine.go(frame, Point.entryUnlocks) }
      return machine.go(frame, machine.hasFlag(frame, FrameFlag.isLast) ? Point.queueLocks : .entryUnlocksAgain)
    case .entryReleases:
      machine.unlockCSD(entry)
      if form == .mail { return machine.go(frame, Point.entryRuns) }
      machine[frame, .flags] = 0
      return machine.go(frame, Point.walkFollows)
    case .entryRuns:
      let completes =
        form == .mail && machine.hasFlag(frame, FrameFlag.isLast) && machine.hasFlag(frame, FrameFlag.waited)
      let next: Point = form == .merged ? .entryRelocks : completes ? .entryCompletes : .walkFollows
      run(entry, cpu, frame, then: next, &machine)
      if !completes { machine[frame, .flags] = 0 }
      return .moved
    default:
      // Whoever's entry it is by now: csd_complete() looks at nothing but the flags.
      machine[frame, .flags] = 0
      machine.setFlags(entry, machine.flags(entry) & ~CSDFlags.wait)
      machine.released(entry)
      machine.happened(.waitEnded(csd: entry))
      return machine.go(frame, Point.walkFollows)
    }
  }

  private func drop(_ entry: Int, _ frame: Int, _ machine: inout Machine) {
    machine.touch(entry)
    let cell = machine.layout.csd(entry, .references)
    let references = machine.getInt(cell)
    if references == 0 {
      machine.violate(.noWarning)
      machine.happened(.warned(.noReferences(csd: entry)))
    }
    // An unsigned count; what is below 0 stays far from it.
    machine.set(cell, (references - 1) & 0xff)
    if references == 1 { machine.setFlag(frame, FrameFlag.isLast, true) }
    if form == .mail {
      machine[frame, .call] = machine.call(entry) + 1
      machine[frame, .value] = machine.function(entry) + 1
      if machine.hasFlag(csd: entry, CSDFlags.wait) { machine.setFlag(frame, FrameFlag.waited, true) }
    }
  }

  /// Runs a function: in the mail's form the one that was copied, as merged what the csd says now.
  private func run(_ csd: Int, _ cpu: Int, _ frame: Int, then point: Point, _ machine: inout Machine) {
    var call = machine[frame, .call] - 1
    var function = machine[frame, .value] - 1
    if form == .merged {
      machine.touch(csd)
      call = machine.call(csd)
      function = machine.function(csd)
    }
    machine[frame, .call] = 0
    machine[frame, .value] = 0
    machine.go(frame, point.rawValue)
    runFunction(of: call, function: function, on: cpu, &machine)
  }

  // MARK: generic_smp_call_function_single_interrupt()

  /// `batch` is the list that was taken, `csd` the one at work.
  func handlerStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let lock = machine.layout.lock(1 + cpu)
    let csd = machine[frame, .csd] - 1
    switch point {
    case .handlerLocks:
      guard machine.acquire(lock, .singleQueue(cpu: cpu), by: cpu) else {
        return .blocked(.lock(.singleQueue(cpu: cpu)))
      }
      return machine.go(frame, Point.handlerTakes)
    case .handlerTakes:
      machine[frame, .batch] = machine.takeAll(of: cpu)
      return machine.go(frame, Point.handlerUnlocks)
    case .handlerUnlocks:
      machine.release(lock, .singleQueue(cpu: cpu))
      return machine.go(frame, Point.csdUnlinks)
    case .csdUnlinks:
      return unlinkSingle(frame, &machine)
    case .csdReleases:
      machine.unlockCSD(csd)
      if form == .mail { return machine.go(frame, Point.csdRuns) }
      return machine.go(frame, Point.csdUnlinks)
    case .csdRuns:
      let next: Point =
        switch form {
        case .mail: machine.hasFlag(frame, FrameFlag.waited) ? .csdCompletes : .csdUnlinks
        case .merged: machine.hasFlag(frame, FrameFlag.wasLocked) ? .csdReleases : .csdUnlinks
        }
      run(csd, cpu, frame, then: next, &machine)
      return .moved
    case .csdCompletes:
      // The caller's stack, which is gone as soon as the flag is clear.
      machine.setState(csd, .free)
      machine.setFlags(csd, machine.flags(csd) & ~CSDFlags.wait)
      machine.released(csd)
      machine.happened(.waitEnded(csd: csd))
      return machine.go(frame, Point.csdUnlinks)
    default:
      machine.returnFromInterrupt(cpu)
      return .moved
    }
  }

  /// Takes the first csd off the list, and looks at it.
  private func unlinkSingle(_ frame: Int, _ machine: inout Machine) -> Stepped {
    let first = machine[frame, .batch]
    machine[frame, .flags] = 0
    machine[frame, .csd] = first
    guard first != 0 else { return machine.go(frame, Point.handlerReturns) }
    let csd = first - 1
    machine.touch(csd)
    machine[frame, .batch] = machine.next(csd)
    let isLocked = machine.hasFlag(csd: csd, CSDFlags.lock)
    let isWaitedFor = machine.hasFlag(csd: csd, CSDFlags.wait)
    machine.setFlag(frame, FrameFlag.wasLocked, isLocked)
    machine.setFlag(frame, FrameFlag.waited, isWaitedFor)
    if form == .merged { return machine.go(frame, Point.csdRuns) }
    machine[frame, .call] = machine.call(csd) + 1
    machine[frame, .value] = machine.function(csd) + 1
    // With neither flag its owner may have it back from here on.
    if !isLocked, !isWaitedFor { machine.setState(csd, .free) }
    return machine.go(frame, isLocked ? Point.csdReleases : .csdRuns)
  }
}
