extension Engine {
  /// What is wrong with a state in which nobody can move.
  ///
  /// A CPU that waits then waits for ever. A callback that was queued and has not run is lost, unless its target is one of those
  /// that wait, with interrupts off, and would run it.
  public func violationsAtEnd(_ machine: inout Machine) -> PropertySet {
    var violations: PropertySet = []
    for cpu in 0..<machine.layout.cpuCount where wait(of: cpu, &machine) != nil { violations.insert(.noDeadlock) }
    for (call, cpu) in machine.unfinished {
      if isStuck(cpu, machine) { continue }
      violations.insert(machine.workload.calls[call].kind == .queue ? .noLostRequest : .noLostCallback)
    }
    var isAnyoneStuck = false
    for cpu in 0..<machine.layout.cpuCount where isStuck(cpu, machine) { isAnyoneStuck = true }
    violations.formUnion(machine.violationsOfRequests(isAnyoneStuck: isAnyoneStuck))
    return violations
  }

  /// Whether a CPU waits with interrupts off, and would run what is queued for it.
  private func isStuck(_ cpu: Int, _ machine: borrowing Machine) -> Bool {
    machine.state(of: cpu) != .dead && machine.depth(cpu) > 0 && !machine.interruptsEnabled(cpu)
  }

  /// What a CPU that cannot move waits for; nil if it can, or has nothing to do.
  public func wait(of cpu: Int, _ machine: inout Machine) -> Wait? {
    guard machine.depth(cpu) > 0 else { return nil }
    let hash = machine.hash
    switch step(cpu, &machine) {
    case .blocked(.idle): return nil
    case .blocked(let wait): return wait
    case .moved:
      machine.takeBack(hash: hash)
      return nil
    }
  }

  /// Which call, or called function, a CPU is within: the lowest on its stack, + 1; 0 for none.
  public func place(of cpu: Int, _ machine: borrowing Machine) -> UInt32 {
    for level in 0..<machine.depth(cpu) {
      let call = machine[machine.frame(cpu, level), .call]
      if call != 0 { return UInt32(truncatingIfNeeded: call) }
    }
    return 0
  }
}
