// What the engine of 2008 has beside csds and the queues of CPUs: the shared queue, grace periods, and who is targeted.
extension Generic2008 {
  /// Where the engine's own cells are, from the first of them.
  struct Cells {
    let cpuCount: Int
    private let maskCells: Int

    init(cpuCount: Int) {
      self.cpuCount = cpuCount
      maskCells = (cpuCount + 7) / 8
    }

    /// First node of `call_function_queue`, as csd + 1.
    var head: Int { 0 }
    var tail: Int { 1 }
    /// The CPUs that are targets now: of idea 2.
    var targeted: Int { 2 }
    /// How often a CPU is a target now: of idea 3.
    func timesTargeted(_ cpu: Int) -> Int { 2 + maskCells + cpu }
    /// How many read-side critical sections a CPU is inside.
    func readers(_ cpu: Int) -> Int { timesTargeted(cpuCount) + cpu }
    var count: Int { readers(cpuCount) }
  }

  func cells(_ machine: borrowing Machine) -> Cells {
    Cells(cpuCount: machine.layout.cpuCount)
  }

  /// The mask of a multi-CPU call, as its caller has it.
  func targetsCell(_ call: Int, _ machine: borrowing Machine) -> Int {
    machine.layout.furtherMask(0, of: machine.layout.callCSD(call))
  }

  /// The CPUs for which the freeing of an entry waits.
  private func freeWaitsCell(_ csd: Int, _ machine: borrowing Machine) -> Int { machine.layout.furtherMask(1, of: csd) }

  func globalLock(_ machine: borrowing Machine) -> Int { machine.layout.lock(0) }
  func gateLock(_ machine: borrowing Machine) -> Int { machine.layout.lock(1) }
  func queueLock(_ cpu: Int, _ machine: borrowing Machine) -> Int { machine.layout.lock(2 + cpu) }

  // MARK: The shared queue

  func globalHead(_ machine: borrowing Machine) -> Int {
    machine.getInt(machine.layout.engineCells + cells(machine).head)
  }

  /// `list_add_tail_rcu()`
  func appendGlobally(_ csd: Int, _ machine: inout Machine) {
    let layout = machine.layout
    if machine.csdState(csd) != .filled { machine.violate(.noCSDReuse) }
    machine.setState(csd, .queued)
    machine.setNext(csd, 0)
    let tail = layout.engineCells + cells(machine).tail
    let last = machine.getInt(tail)
    if last == 0 {
      machine.set(layout.engineCells + cells(machine).head, csd + 1)
    } else {
      machine.setNext(last - 1, csd + 1)
    }
    machine.set(tail, csd + 1)
    machine.happened(.addedGlobally(csd: csd, atHead: false))
  }

  /// `list_del_rcu()`: the entry's own link stays, for walkers that stand on it.
  func unlinkGlobally(_ csd: Int, _ machine: inout Machine) {
    let layout = machine.layout
    var previous = 0
    var node = globalHead(machine)
    while node != 0, node != csd + 1 {
      previous = node
      node = machine.next(node - 1)
    }
    // To unlink what is not linked corrupts the list.
    guard node != 0 else { return machine.violate(.noCSDReuse) }
    let following = machine.next(csd)
    if previous == 0 {
      machine.set(layout.engineCells + cells(machine).head, following)
    } else {
      machine.setNext(previous - 1, following)
    }
    let tail = layout.engineCells + cells(machine).tail
    if machine.getInt(tail) == csd + 1 { machine.set(tail, previous) }
    machine.setState(csd, .taken)
    machine.happened(.unlinked(csd: csd))
  }

  /// Whether an entry of the shared queue waits for this CPU.
  func isWantedGlobally(_ cpu: Int, _ machine: borrowing Machine) -> Bool {
    var node = globalHead(machine)
    while node != 0 {
      if machine.contains(maskAt: machine.layout.csdMask(node - 1), cpu) { return true }
      node = machine.next(node - 1)
    }
    return false
  }

  // MARK: RCU

  /// `rcu_read_lock()`; in classic RCU `preempt_disable()` as well.
  func beginReading(_ cpu: Int, _ machine: inout Machine) {
    let readers = machine.layout.engineCells + cells(machine).readers(cpu)
    machine.set(readers, machine.getInt(readers) + 1)
  }

  /// `rcu_read_unlock()`: what this CPU was the last to hold back is freed now, the earliest moment that there is.
  func endReading(_ cpu: Int, _ machine: inout Machine) {
    let layout = machine.layout
    let readers = layout.engineCells + cells(machine).readers(cpu)
    machine.set(readers, machine.getInt(readers) - 1)
    if machine.isSet(readers) { return }
    // Without books nobody asks when memory is free, and a csd is not used again before its call has been forgotten.
    guard machine.keepsBooks else { return }
    for call in 0..<layout.callCount {
      let waits = freeWaitsCell(layout.callCSD(call), machine)
      guard machine.contains(maskAt: waits, cpu) else { continue }
      machine.remove(cpu, maskAt: waits)
      if machine.isEmpty(maskAt: waits) { free(layout.callCSD(call), &machine) }
    }
  }

  /// `call_rcu()`: frees an entry when every CPU that reads now has stopped.
  func freeLater(_ csd: Int, _ machine: inout Machine) {
    let layout = machine.layout
    guard machine.keepsBooks else { return }
    let waits = freeWaitsCell(csd, machine)
    for cpu in 0..<layout.cpuCount where machine.isSet(layout.engineCells + cells(machine).readers(cpu)) {
      machine.insert(cpu, maskAt: waits)
    }
  }

  /// `kfree()`
  func free(_ csd: Int, _ machine: inout Machine) {
    machine.setState(csd, .filled)
    machine.forget(csd)
  }
}
