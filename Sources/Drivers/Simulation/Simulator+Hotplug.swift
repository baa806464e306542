import BasicContainers
import CallEngines

// CPUs that go and come, at the times at which they did.
//
// What the recording shows of a CPU that goes is when its interrupts went off at the earliest, and until when others queued
// calls for it. In between, the other CPUs have entered the stop and still take interrupts, whose handlers make those calls.
extension Simulator {
  /// The CPU that goes was marked offline: what it has not taken until then, it never takes. So does the hotplug code of the
  /// kernel that was recorded (`apic_soft_disable()` since 5.9), whatever the engine.
  mutating func shutIfOffline(_ cpu: Int) {
    guard cpu == leaving, machine.state(of: cpu) != .online else { return }
    machine.dropInterrupts(cpu)
    cpus[cpu].arrived = 0
    for vector in 0..<Self.vectors { arrivals[cpu &* Self.vectors &+ vector] = SimulatedCPU.never }
    if machine.state(of: cpu) == .dead { leaveQueueBehind(cpu) }
  }

  /// A CPU has died. What is on its queue now stays there; what is queued later knew of it.
  private mutating func leaveQueueBehind(_ cpu: Int) {
    for place in 0..<places.count where places[place].firstTarget >= 0 && places[place].open > 0 {
      if let target = target(of: place, on: cpu), targets[target].state == .queued {
        targets[target].isLeftBehind = true
      }
    }
  }

  /// Ends taking a CPU down, if it is dead.
  mutating func endTakingDown(_ cpu: Int) -> Bool {
    guard engine.endTakingDown(cpu, &machine) else { return false }
    leaving = nil
    return true
  }

  /// A CPU begins to go or to come.
  /// - Returns: false if another one is on its way.
  mutating func begin(_ hotplug: LoadedHotplug) -> Bool {
    now = max(now, hotplug.time)
    if let leaving {
      guard endTakingDown(leaving) else { return false }
    }
    switch hotplug.change {
    case .down(let lastCalled):
      guard machine.state(of: hotplug.cpu) == .online else { return true }
      guard engine.beginTakingDown(hotplug.cpu, &machine) else { return false }
      leaving = hotplug.cpu
      machine.forgetNotes()
      for cpu in 0..<cpus.count {
        cpus[cpu].heldUntil = cpu == hotplug.cpu ? 0 : lastCalled &+ 1
      }
      for cpu in 0..<cpus.count { disturb(cpu) }
    case .up:
      guard machine.state(of: hotplug.cpu) == .dead else { return true }
      guard engine.beginBringingUp(hotplug.cpu, &machine) else { return false }
      machine.forgetNotes()
      advance(hotplug.cpu)
      // Its hotplug thread takes it out of the idle loop, where it looks at what was queued for it while it was gone.
      let view = machine.view(of: hotplug.cpu)
      if view.isIdle, view.state == .online, engine.leaveIdle(hotplug.cpu, &machine) {
        cpus[hotplug.cpu].entryNanoseconds = 0
        cpus[hotplug.cpu].token &+= 1
        cpus[hotplug.cpu].readyAt = SimulatedCPU.never
        advance(hotplug.cpu)
      }
    }
    return true
  }
}
