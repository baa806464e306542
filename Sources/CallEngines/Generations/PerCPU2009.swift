/// The engine of 2.6.30: no allocation, one csd per CPU for single calls that do not wait, and one entry per CPU on the queue
/// that all CPUs walk.
///
/// Source: the mail "generic-ipi: remove kmalloc()" (v4, 17 February 2009); form ``Form/merged`` is `kernel/smp.c` of 2.6.30.
///
///     many     csd_lock ─ fill ─ link at the head (or tail) ─ IPI to the mask ─ wait for the flag
///     walker   follow next ─ own bit set? clear it ─ drop refs; the last one unlinks and unlocks ─ run
///
/// The walker takes no lock to follow `next`. An entry that is unlinked keeps its `next`, and one that is linked again gets a
/// new one, with a walker perhaps still standing on it.
public struct PerCPU2009: Sendable, Hashable {
  /// Where an entry is put on the global queue.
  public enum Reuse: String, CaseIterable, Sendable {
    case head
    case tail
  }

  public enum Form: String, CaseIterable, Sendable {
    /// LOCK and WAIT; a handler unlocks before it runs the function.
    case mail
    /// LOCK alone, which a handler clears after it has run the function.
    case merged
  }

  public var reuse: Reuse
  public var form: Form

  public init(reuse: Reuse, form: Form) {
    self.reuse = reuse
    self.form = form
  }

  /// The steps, in the order in which a call and a handler of the mail go through them.
  enum Point: UInt8 {
    // smp_call_function_single(), __smp_call_function_single()
    case single = 1
    case async
    case singleRunsLocally
    case singleReturnsLocally
    // csd_lock()
    case singleTestsLock
    case singleSetsLock
    case singleFills
    // generic_exec_single()
    case execLocksQueue
    case execAdds
    case execUnlocksQueue
    case execKicks
    case execWaits
    case refuses
    // smp_call_function_many()
    case many
    case manyTestsLock
    case manySetsLock
    case manyLocksEntry
    case manyPreparesWait
    case manyFills
    case manyLocksQueue
    case manyPointsOn
    case manyLinks
    case manyUnlocksQueue
    case manyUnlocksEntry
    case manyKicks
    case manyWaits
    // on_each_cpu()
    case eachRunsLocally
    case eachReturnsLocally
    // generic_smp_call_function_interrupt()
    case walkFollows
    case entryLocks
    case entryTests
    case entrySkips
    case entryClears
    case entryDrops
    case entryUnlocks
    case queueLocks
    case queueUnlinks
    case queueUnlocks
    case entryReleases
    case entryRuns
    case entryCompletes
    case walkEnds
    // … as merged: the entry is locked a second time, behind the function.
    case entryRelocks
    case entryUnlocksAgain
    // generic_smp_call_function_single_interrupt()
    case handlerLocks
    case handlerTakes
    case handlerUnlocks
    case csdUnlinks
    case csdReleases
    case csdRuns
    case csdCompletes
    case handlerReturns
  }

  /// A frame's flags.
  enum FrameFlag {
    static let interruptsWereOn = 1
    /// The handler dropped the last reference.
    static let isLast = 2
    /// What the handler saw of the csd's flags.
    static let wasLocked = 4
    static let waited = 8
  }
}

extension PerCPU2009: Generation {
  func needs(_ workload: Workload) -> MachineLayout.Needs {
    let cpus = workload.cpuCount
    // The links of all entries and of the list's head, whom each walker has visited, cfd_data->cpumask's memory, and whether
    // CPUs go or come.
    return MachineLayout.Needs(
      cells: 2 * (cpus + 1) + cpus * ((cpus + 7) / 8) + cpus + 1,
      // call_function.lock, and call_single_queue->lock of each CPU.
      locks: 1 + cpus, hasEntries: true)
  }

  func prepare(_ machine: inout Machine) {
    for cpu in 0..<machine.layout.cpuCount where machine.isOnline(cpu) {
      machine.set(maskMemoryCell(cpu, machine.layout), MaskMemory.allocated.rawValue)
    }
    machine.set(hotplugCell(machine.layout), machine.workload.hasHotplug ? 1 : 0)
  }

  func entry(for kind: Call.Kind) -> UInt8? {
    switch kind {
    case .single: Point.single.rawValue
    case .singleAsync: Point.async.rawValue
    case .many, .onEach: Point.many.rawValue
    case .any, .queue, .irqWork, .wakeup, .xcall, .xcallMask, .xcallPrivate, .xcallAny: nil
    }
  }

  func handler(for vector: Vector) -> UInt8 {
    switch vector {
    case .many: Point.walkFollows.rawValue
    case .single, .irqWork, .reschedule: Point.handlerLocks.rawValue
    }
  }

  /// `ipi_call_lock()` is `call_function.lock`, the first of the engine's locks.
  var locksOnlining: Bool { true }

  /// What lies under the lock of an entry or a queue is nobody else's, but for the links, which walkers follow without one, and
  /// the mask, which its sender reads without one.
  func isPrivate(_ point: UInt8) -> Bool {
    switch Point(rawValue: point) {
    case .execUnlocksQueue, .manyUnlocksQueue, .manyUnlocksEntry, .entryTests, .entrySkips, .entryDrops, .entryUnlocks,
      .queueUnlocks, .entryRuns, .entryUnlocksAgain, .walkEnds, .handlerTakes, .handlerUnlocks, .csdUnlinks, .csdRuns,
      .handlerReturns:
      true
    default: false
    }
  }

  func isPrivate(_ point: UInt8, on cpu: Int, in machine: borrowing Machine) -> Bool {
    switch Point(rawValue: point) {
    case .entryClears:
      // The one who reads the mask without the lock sends it now, or not before this bit has gone.
      let owner = machine[machine.top(cpu), .cursor] - 1
      return !machine.stands(on: owner, at: Point.manyKicks.rawValue)
    case .manyFills:
      // It reads which CPUs are online.
      return !machine.isSet(hotplugCell(machine.layout))
    case .manyPointsOn:
      // An entry that is not linked gets no new walkers.
      return !isWalkedOver(entryOf: cpu, by: nil, machine)
    default:
      return isPrivate(point)
    }
  }

  func step(_ rawPoint: UInt8, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    guard let point = Point(rawValue: rawPoint) else {
      preconditionFailure("CPU\(cpu) stands at \(rawPoint), which is no point of percpu-2009")
    }
    switch point {
    case .single, .async, .singleRunsLocally, .singleReturnsLocally, .singleTestsLock, .singleSetsLock, .singleFills,
      .refuses:
      return singleStep(point, cpu, frame, &machine)
    case .execLocksQueue, .execAdds, .execUnlocksQueue, .execKicks, .execWaits:
      return execStep(point, cpu, frame, &machine)
    case .many, .manyTestsLock, .manySetsLock, .manyLocksEntry, .manyPreparesWait, .manyFills, .manyLocksQueue,
      .manyPointsOn, .manyLinks, .manyUnlocksQueue, .manyUnlocksEntry, .manyKicks, .manyWaits:
      return manyStep(point, cpu, frame, &machine)
    case .eachRunsLocally, .eachReturnsLocally:
      return eachStep(point, cpu, frame, &machine)
    case .walkFollows, .entryLocks, .entryTests, .entrySkips, .entryClears, .entryDrops, .entryUnlocks, .queueLocks,
      .queueUnlinks, .queueUnlocks, .entryReleases, .entryRuns, .entryCompletes, .walkEnds, .entryRelocks,
      .entryUnlocksAgain:
      return walkStep(point, cpu, frame, &machine)
    case .handlerLocks, .handlerTakes, .handlerUnlocks, .csdUnlinks, .csdReleases, .csdRuns, .csdCompletes,
      .handlerReturns:
      return handlerStep(point, cpu, frame, &machine)
    }
  }
}
