import BasicContainers
import CallEngines

// CPUs that go and come, at the times at which they did.
//
// What the recording shows of a CPU that goes is when its interrupts went off at the earliest, and until when others queued
// calls for it. In between, the other CPUs have entered the stop and still take interrupts, whose handlers make those calls.
extension Simulator {
  /// A CPU begins to go or to come.
  /// - Returns: false if another one is on its way.
  mutating func begin(_ hotplug: LoadedHotplug) -> Bool {
    now = max(now, hotplug.time)
    if let leaving {
      guard engine.endTakingDown(leaving, &machine) else { return false }
      self.leaving = nil
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
    }
    return true
  }
}
