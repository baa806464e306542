// `call_function.queue`: a doubly linked list, and the walkers on it.
//
// Nodes are numbered: 0 is the list's head, which is no entry, and CPU + 1 is the entry of that CPU. A list that is all zero is
// empty.
extension PerCPU2009 {
  /// The memory of a CPU's `cfd_data->cpumask`, where masks are allocated (`CONFIG_CPUMASK_OFFSTACK`).
  enum MaskMemory: Int {
    case none
    /// Nobody has written to it.
    case allocated
    case filled
  }

  static var listHead: Int { 0 }

  func nextCell(_ node: Int, _ layout: MachineLayout) -> Int { layout.engineCells + node }
  func previousCell(_ node: Int, _ layout: MachineLayout) -> Int { layout.engineCells + layout.cpuCount + 1 + node }
  /// Whose entries a CPU's walk has visited. No engine reads it.
  func visitedCell(_ cpu: Int, _ layout: MachineLayout) -> Int {
    layout.engineCells + 2 * (layout.cpuCount + 1) + cpu * layout.maskCells
  }
  func maskMemoryCell(_ cpu: Int, _ layout: MachineLayout) -> Int {
    visitedCell(layout.cpuCount, layout) + cpu
  }
  /// Whether the workload takes CPUs down or up: constant.
  func hotplugCell(_ layout: MachineLayout) -> Int { maskMemoryCell(layout.cpuCount, layout) }

  // MARK: Links, under call_function.lock

  /// The first half of `list_add_rcu()`, or of `list_add_tail_rcu()`: the entry's own links.
  ///
  /// Who still stands on the entry goes on to where it points from now on.
  func pointOn(entryOf cpu: Int, _ machine: inout Machine) {
    let layout = machine.layout
    let node = cpu + 1
    switch reuse {
    case .head:
      machine.set(nextCell(node, layout), machine.get(nextCell(Self.listHead, layout)))
      machine.set(previousCell(node, layout), Self.listHead)
    case .tail:
      machine.set(nextCell(node, layout), Self.listHead)
      machine.set(previousCell(node, layout), machine.get(previousCell(Self.listHead, layout)))
    }
  }

  /// The second half: the links to the entry. From now on walkers come to it.
  func link(entryOf cpu: Int, _ machine: inout Machine) {
    let layout = machine.layout
    let node = cpu + 1
    let entry = layout.ownEntry(of: cpu)
    if machine.keepsBooks, isLinked(entryOf: cpu, machine) { machine.violate(.noCSDReuse) }
    machine.setState(entry, .queued)
    machine.set(nextCell(machine.getInt(previousCell(node, layout)), layout), node)
    machine.set(previousCell(machine.getInt(nextCell(node, layout)), layout), node)
    machine.happened(.addedGlobally(csd: entry, atHead: reuse == .head))
  }

  /// `list_del_rcu()`: the neighbours' links pass the entry by. Its own `next` stays.
  func unlink(entryOf cpu: Int, _ machine: inout Machine) {
    let layout = machine.layout
    let node = cpu + 1
    let next = machine.getInt(nextCell(node, layout))
    let previous = machine.getInt(previousCell(node, layout))
    machine.set(nextCell(previous, layout), next)
    machine.set(previousCell(next, layout), previous)
    // The kernel poisons it; nobody reads it before it is written again.
    machine.set(previousCell(node, layout), 0)
    machine.setState(layout.ownEntry(of: cpu), .taken)
    machine.happened(.unlinked(csd: layout.ownEntry(of: cpu)))
  }

  /// A walker leaves a node.
  func leave(_ node: Int, _ cpu: Int, _ machine: inout Machine) {
    guard node != Self.listHead, machine.keepsBooks else { return }
    switch machine.csdState(machine.layout.ownEntry(of: node - 1)) {
    case .queued, .filled: return
    case .free, .taken: break
    }
    // Nobody comes back to an entry that is not linked. Zero, so that equal states are equal cells.
    if !isWalkedOver(entryOf: node - 1, by: cpu, machine) { machine.set(nextCell(node, machine.layout), 0) }
  }

  /// Whether a walker stands on a CPU's entry.
  /// - Parameter exception: a CPU that does not count.
  func isWalkedOver(entryOf owner: Int, by exception: Int?, _ machine: borrowing Machine) -> Bool {
    for cpu in 0..<machine.layout.cpuCount where cpu != exception {
      for level in 0..<machine.depth(cpu) {
        let frame = machine.frame(cpu, level)
        // No other frames of this engine have a cursor but those of hotplug, which are no handlers.
        if machine.get(frame) < Int32(CommonPoint.first), machine[frame, .cursor] == owner + 1 { return true }
      }
    }
    return false
  }

  // MARK: What is known, and checked

  /// A walker has come to an entry.
  func noteVisit(of owner: Int, concerned: Bool, by cpu: Int, _ machine: inout Machine) {
    let layout = machine.layout
    // Read after it was freed, or before it was ever written.
    if machine.getInt(maskMemoryCell(owner, layout)) != MaskMemory.filled.rawValue { machine.violate(.noCSDReuse) }
    if machine.contains(maskAt: visitedCell(cpu, layout), owner) { machine.violate(.visitsOnce) }
    machine.insert(owner, maskAt: visitedCell(cpu, layout))
    machine.happened(.visited(csd: layout.ownEntry(of: owner), concerned: concerned))
  }

  /// Whether a walk from the list's head comes to a CPU's entry.
  private func isLinked(entryOf cpu: Int, _ machine: borrowing Machine) -> Bool {
    var node = machine.getInt(nextCell(Self.listHead, machine.layout))
    // Never longer than there are entries, whatever a fault does to the links.
    for _ in 0..<machine.layout.cpuCount where node != Self.listHead {
      if node == cpu + 1 { return true }
      node = machine.getInt(nextCell(node, machine.layout))
    }
    return false
  }

  /// A call is put on the global queue, behind all that the queue holds for the same targets.
  func noteQueued(_ call: Int, by source: Int, _ machine: inout Machine) {
    let layout = machine.layout
    let ownMask = layout.csdMask(layout.ownEntry(of: source))
    for target in 0..<layout.cpuCount where machine.contains(maskAt: ownMask, target) {
      machine.queued(call, on: target, isOrdered: false)
      guard machine.keepsBooks else { continue }
      var node = machine.getInt(nextCell(Self.listHead, layout))
      for _ in 0..<layout.cpuCount where node != Self.listHead {
        let other = layout.ownEntry(of: node - 1)
        if other != layout.ownEntry(of: source), machine.contains(maskAt: layout.csdMask(other), target) {
          machine.insert(machine.call(other), maskAt: layout.ahead(of: call, on: target))
        }
        node = machine.getInt(nextCell(node, layout))
      }
    }
  }

  /// A call is put on a CPU's single queue, behind all that it holds.
  func noteOrderOnQueue(_ call: Int, behindQueueOf target: Int, _ machine: inout Machine) {
    guard machine.keepsBooks else { return }
    var node = machine.getInt(machine.layout.cpu(target, .queueHead))
    while node != 0 {
      machine.insert(machine.call(node - 1), maskAt: machine.layout.ahead(of: call, on: target))
      node = machine.next(node - 1)
    }
  }

  // MARK: hotplug_cfd()

  /// `CPU_UP_PREPARE`: the CPU's mask is allocated, and not cleared. Without memory the CPU does not come up.
  var allocatesForCPUs: Bool { true }

  func prepared(_ cpu: Int, _ machine: inout Machine) {
    machine.set(maskMemoryCell(cpu, machine.layout), MaskMemory.allocated.rawValue)
  }

  /// `CPU_DEAD`: the mask is freed; not in the mail's form, whose `#ifdef` names an option that does not exist.
  func died(_ cpu: Int, _ machine: inout Machine) {
    if form == .merged { machine.set(maskMemoryCell(cpu, machine.layout), MaskMemory.none.rawValue) }
  }
}
