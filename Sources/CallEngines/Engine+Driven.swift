import BasicContainers

// For a driver that makes calls as they come, and has no workload that could be written down beforehand.
extension Engine {
  /// A machine to which calls are given while it runs; see ``makeCall(_:on:interruptsOff:_:)``.
  ///
  /// It keeps no books and cannot take steps back, but takes notes. Each of its `callCount` places holds one call at a time,
  /// and has a csd that callers can own: `Call.storage` names the place whose csd it is.
  /// - Parameters:
  ///   - nodes: the NUMA node of each CPU.
  ///   - offline: the CPUs that are dead at the start.
  ///   - callCount: places for calls; see ``Machine/grow(byCalls:)``.
  ///   - stackDepth: frames on each CPU's stack.
  ///   - allocation: how allocations end; for `either`, see ``Machine/choice``.
  public func drivenMachine(
    nodes: [Int], offline: [Int], callCount: Int, stackDepth: Int, allocation: Workload.Allocation
  ) -> Machine {
    var workload = Workload(cpuCount: nodes.count)
    workload.nodes = nodes
    workload.offline = offline
    workload.allocation = allocation
    // All calls run the same function: how long it takes, and what else it does, is the driver's business.
    workload.functions = [Function(name: "")]
    workload.calls = Array(repeating: Call(kind: .single), count: callCount)
    let layout = MachineLayout(
      workload: workload, needs: generation.needs(workload), stackDepth: stackDepth, keepsBooks: false, grows: true)
    var machine = Machine(layout: layout, workload: workload, isTracking: false, keepsBooks: false, takesNotes: true)
    start(&machine)
    machine.forgetNotes()
    return machine
  }

  /// A caller begins the call of a place, on top of whatever its CPU runs.
  /// - Parameter interruptsOff: the caller has turned interrupts off, until the call returns.
  /// - Precondition: the engine has such a call, and there is room for two frames: the caller's, and the call's.
  public func makeCall(_ call: Int, on cpu: Int, interruptsOff: Bool, _ machine: inout Machine) {
    guard let entry = generation.entry(for: machine.workload.calls[call].kind) else {
      preconditionFailure("\(self) has no \(machine.workload.calls[call].kind)")
    }
    let frame = machine.push(cpu, CommonPoint.caller.rawValue)
    machine.setFlag(frame, CallerFlag.interruptsWereOn, machine.interruptsEnabled(cpu))
    if interruptsOff { machine.disableInterrupts(cpu) }
    let callFrame = machine.push(cpu, entry)
    machine[callFrame, .call] = call + 1
  }

  enum CallerFlag {
    static let interruptsWereOn = 1
  }

  /// Whether a flush, or what stands in its place, is topmost on a CPU, where a function has just ended, and has more to run.
  public func hasNodesLeft(_ cpu: Int, _ machine: inout Machine) -> Bool {
    guard machine.depth(cpu) > 0 else { return false }
    var frame = machine.top(cpu)
    if case .pendingQueue2014 = self, machine.get(frame) >= Int32(PendingQueue2014.Point.first), machine.depth(cpu) > 1
    {
      // The trampoline, which its flush called.
      frame = machine.frame(cpu, machine.depth(cpu) - 2)
    }
    let point = machine.get(frame)
    switch self {
    case .generic2008, .perCPU2009: return machine[frame, .batch] != 0
    case .lockLess2014, .pendingQueue2014:
      // A node leaves the list when it is unlocked behind its function.
      return point == Int32(LockLess2014.Point.flushUnlocks.rawValue)
        ? machine[frame, .cursor] != 0 : machine[frame, .batch] != 0
    case .crossCall2022, .mainline:
      // The next one has left it when the function before begins.
      return machine[frame, .batch] != 0 || point == Int32(Mainline.Point.asyncUnlocks.rawValue)
        || point == Int32(Mainline.Point.workClearsPending.rawValue)
    }
  }

  // MARK: Idle

  /// A CPU that has nothing to do idles polling NEED_RESCHED.
  /// - Precondition: its stack is empty.
  public func beginPolling(_ cpu: Int, _ machine: inout Machine) {
    precondition(machine.depth(cpu) == 0, "CPU\(cpu) idles in the middle of something")
    machine.setPolling(cpu, true)
    machine.push(cpu, CommonPoint.idle.rawValue)
  }

  /// Whether a CPU's stack is empty but for the idle loop that nobody has woken.
  public func idlesPolling(_ cpu: Int, _ machine: borrowing Machine) -> Bool {
    machine.depth(cpu) == 1 && machine.point(of: cpu) == CommonPoint.idle.rawValue && !machine.needsReschedule(cpu)
  }

  /// A CPU of which ``idlesPolling(_:_:)`` is true leaves the idle loop for a reason of its own.
  public func endPolling(_ cpu: Int, _ machine: inout Machine) {
    precondition(idlesPolling(cpu, machine), "CPU\(cpu) does not idle")
    machine.setPolling(cpu, false)
    machine.pop(cpu)
  }

  /// A CPU that idles leaves the idle loop for a reason of its own, and looks at its queue on the way, if the engine does that.
  /// - Returns: false if there is nothing to look at; nothing has changed.
  /// - Precondition: its stack is empty, or ``idlesPolling(_:_:)``.
  public func leaveIdle(_ cpu: Int, _ machine: inout Machine) -> Bool {
    guard generation.idleExit != nil, !machine.queueIsEmpty(cpu) else { return false }
    if machine.depth(cpu) > 0 { endPolling(cpu, &machine) }
    machine.push(cpu, CommonPoint.idleFlushes.rawValue)
    return true
  }

  // MARK: Hotplug

  /// A CPU is to be taken down: from now on stop_machine() waits for all.
  /// - Returns: false if another one is on its way, or if this one is not online.
  public func beginTakingDown(_ cpu: Int, _ machine: inout Machine) -> Bool {
    guard !machine.isHotplugBusy, machine.state(of: cpu) == .online else { return false }
    machine.set(machine.layout.stopTarget, cpu + 1)
    machine.note(.flagChanged)
    machine.happened(.stopRequested(cpu: cpu))
    return true
  }

  /// Whether the stopper has taken over on a CPU, and no interrupt is on top of it.
  public func isStopped(_ cpu: Int, _ machine: inout Machine) -> Bool {
    machine.depth(cpu) > 0 && machine.point(of: cpu) == CommonPoint.stopEntered.rawValue
  }

  /// Ends taking a CPU down.
  /// - Returns: false if it is not dead yet.
  public func endTakingDown(_ cpu: Int, _ machine: inout Machine) -> Bool {
    guard machine.state(of: cpu) == .dead, machine.nobodyIsStopped else { return false }
    generation.died(cpu, &machine)
    machine.set(machine.layout.stopTarget, 0)
    return true
  }

  /// A dead CPU begins to come up. It is online when its own program is over.
  /// - Returns: false if another one is on its way, or if this one is not dead.
  public func beginBringingUp(_ cpu: Int, _ machine: inout Machine) -> Bool {
    guard !machine.isHotplugBusy, machine.state(of: cpu) == .dead else { return false }
    generation.prepared(cpu, &machine)
    machine.setState(of: cpu, .rising)
    machine.push(cpu, (generation.locksOnlining ? CommonPoint.risingLocks : .risingMarks).rawValue)
    return true
  }
}

/// How a CPU stands, for a driver.
public struct CPUView: Sendable {
  /// Frames on its stack.
  public var depth: Int
  public var interruptsEnabled: Bool
  public var state: CPUState
  /// The topmost program is a function that was called.
  public var runsFunction: Bool
  /// Its stack is empty but for the idle loop that nobody has woken.
  public var idlesPolling: Bool

  public var takesInterrupts: Bool { interruptsEnabled && state != .dead }
  /// Nothing is to be done here: a task may begin something.
  public var isIdle: Bool { depth == 0 || idlesPolling }
}

// What a driver asks at every step. Nothing is changed; but Swift 6.3 copies a large noncopyable struct onto the stack when
// another module's function borrows it, and not when that may change it.
extension Machine {
  /// Frames on a CPU's stack.
  public mutating func stackDepth(of cpu: Int) -> Int { depth(cpu) }

  public mutating func view(of cpu: Int) -> CPUView {
    let depth = depth(cpu)
    let point = depth == 0 ? 0 : UInt8(truncatingIfNeeded: get(frame(cpu, depth &- 1)))
    return CPUView(
      depth: depth, interruptsEnabled: interruptsEnabled(cpu), state: state(of: cpu),
      runsFunction: point == CommonPoint.function.rawValue,
      idlesPolling: depth == 1 && point == CommonPoint.idle.rawValue && !needsReschedule(cpu))
  }

  /// Whether an IPI is under way to a CPU, or waits there.
  public mutating func hasPending(_ vector: Vector, on cpu: Int) -> Bool { isPending(vector, on: cpu) }

  public mutating func noteCount() -> Int { notes.count }
  public mutating func note(at index: Int) -> Note { notes[index] }

  /// The call that the topmost program of a CPU does something for; nil for none.
  public mutating func topCall(of cpu: Int) -> Int? {
    guard depth(cpu) > 0 else { return nil }
    let call = self[top(cpu), .call]
    return call == 0 ? nil : call &- 1
  }

  /// The call for which a csd was filled last; nil if it was not.
  public mutating func callHolding(csd: Int) -> Int? {
    let call = call(csd)
    return call < 0 ? nil : call
  }

  /// Whose a csd is; see ``MachineLayout/owner(of:)``.
  public mutating func owner(of csd: Int) -> CSDOwner { layout.owner(of: csd) }
}

extension Machine {
  /// Makes room for more calls, of a machine made by ``Engine/drivenMachine(nodes:offline:callCount:stackDepth:allocation:)``.
  public mutating func grow(byCalls count: Int) {
    layout.grow(byCalls: count)
    workload.calls.append(contentsOf: repeatElement(Call(kind: .single), count: count))
    cells.reserveCapacity(layout.cellCount)
    while cells.count < layout.cellCount { cells.append(0) }
  }

  /// Interrupts that a CPU has not taken never reach it: its interrupt controller is shut when it is marked offline.
  public mutating func dropInterrupts(_ cpu: Int) { set(layout.cpu(cpu, .pending), 0) }

  /// Puts a call into a place.
  public mutating func setCall(_ index: Int, _ call: consuming Call) { workload.calls[index] = call }

  /// Forgets everything about a place's own csds.
  /// - Precondition: nobody looks at them any more.
  public mutating func clearCall(_ index: Int) {
    let first = layout.csd(layout.privateCSD(index), .flags)
    // The private csd lies before those of the call.
    let last = layout.csd(layout.privateCSD(index + 1), .flags)
    var cell = first
    while cell < last {
      cells[cell] = 0
      cell &+= 1
    }
  }
}
