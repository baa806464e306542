// CPUs that go and come. A CPU is taken down under stop_machine(): every CPU gives up what it runs, as soon as it may be
// preempted; when all have, all turn their interrupts off, in any order; when all have, the one that goes is marked offline
// and runs the dying stage; then all go on, the one that goes with interrupts on, until it plays dead.
//
// Until a CPU's interrupts are off it takes them, and their handlers may make calls. That the CPU that goes turns interrupts
// off last, when they are off on all others, is a patch of 2014 that 6.12 does not have; an engine can ask for it.
//
// Source: kernel/stop_machine.c (multi_cpu_stop) and kernel/cpu.c (take_cpu_down) of 6.12.
extension Machine {
  /// How far a CPU has come in stop_machine().
  enum StopProgress: Int {
    case none
    case entered
    case interruptsOff
    case markedOffline
    case dyingStageOver
  }

  // Inlined, as all that an engine asks often: Swift 6.3 copies the machine to call what is not.
  @inline(__always) public func state(of cpu: Int) -> CPUState {
    // The cell is written by `setState` only.
    CPUState(rawValue: UInt8(truncatingIfNeeded: get(layout.cpu(cpu, .state)))) ?? .dead
  }

  mutating func setState(of cpu: Int, _ state: CPUState) { set(layout.cpu(cpu, .state), Int32(state.rawValue)) }

  func stopProgress(_ cpu: Int) -> Int { getInt(layout.cpu(cpu, .stop)) }
  mutating func setStopProgress(_ cpu: Int, _ progress: StopProgress) {
    set(layout.cpu(cpu, .stop), progress.rawValue)
  }

  /// The CPU that is being taken down, as CPU + 1.
  var stopTarget: Int { getInt(layout.stopTarget) }

  /// Whether a CPU is on its way down or up: `cpus_write_lock()` is held.
  var isHotplugBusy: Bool {
    if stopTarget != 0 { return true }
    for cpu in 0..<layout.cpuCount where state(of: cpu) == .rising { return true }
    return false
  }

  /// Whether stop_machine() waits for this CPU to give up what it runs.
  public func isWantedByStop(_ cpu: Int) -> Bool {
    // Not again, once the CPU that goes has gone through it.
    stopTarget != 0 && stopProgress(cpu) == StopProgress.none.rawValue && state(of: cpu) == .online
      && state(of: stopTarget &- 1) == .online
  }

  /// Whether all CPUs that run, but perhaps the one that goes, have come this far.
  func allStopped(_ progress: StopProgress, butTarget: Bool) -> Bool {
    for cpu in 0..<layout.cpuCount where !(butTarget && cpu == stopTarget &- 1) {
      switch state(of: cpu) {
      case .online, .dying: if stopProgress(cpu) < progress.rawValue { return false }
      case .leaving, .dead, .rising: continue
      }
    }
    return true
  }

  var nobodyIsStopped: Bool {
    for cpu in 0..<layout.cpuCount where stopProgress(cpu) != StopProgress.none.rawValue { return false }
    return true
  }

  mutating func markOffline(_ cpu: Int) {
    remove(cpu, maskAt: layout.onlineMask)
    setState(of: cpu, .dying)
    happened(.markedOffline)
  }

  mutating func markOnline(_ cpu: Int) {
    insert(cpu, maskAt: layout.onlineMask)
    setState(of: cpu, .online)
    happened(.markedOnline)
  }

  /// Whether a CPU that is to come up is refused, because an allocation for it fails.
  mutating func isCPURefused() -> Bool {
    switch workload.allocation {
    case .succeeds: false
    case .fails: true
    case .either: choose(of: 2) == 1
    }
  }

  /// The CPU plays dead: what it ran is gone, and IPIs under way reach nobody.
  mutating func die(_ cpu: Int) {
    while depth(cpu) > 0 { pop(cpu) }
    for vector in Vector.allCases where isPending(vector, on: cpu) { happened(.ipiLost(vector)) }
    set(layout.cpu(cpu, .pending), 0)
    set(layout.cpu(cpu, .interrupts), 0)
    set(layout.cpu(cpu, .stop), 0)
    setState(of: cpu, .dead)
    happened(.died)
  }
}
