import BasicContainers
import CallEngines
import Verdicts

// Who waits for what. Nobody spins in a simulation: who waits is tried again when what he waits for is released, those who
// wait longest first.
extension Simulator {
  static var flagKey: Int { 2 }
  static var hotplugKey: Int { 3 }
  static func key(csd: Int) -> Int { csd &<< 2 }
  static func key(lock: Int) -> Int { lock &<< 2 | 1 }

  static func key(of wait: Wait) -> Int {
    switch wait {
    case .csd(let csd): key(csd: csd)
    case .lock(let name): key(lock: name.key)
    case .flag: flagKey
    case .hotplug: hotplugKey
    case .idle: -1
    }
  }

  @inline(__always) private func bucket(_ key: Int) -> Int {
    Int(truncatingIfNeeded: (UInt64(truncatingIfNeeded: key) &* 0x9E37_79B9_7F4A_7C15) &>> 32) & waiterMask
  }

  /// A step of a CPU could not be taken.
  mutating func beginWaiting(_ cpu: Int, _ wait: Wait, call: Int?) {
    if case .idle = wait { return }
    let key = Self.key(of: wait)
    // Tried again in vain: it keeps its place among those who wait.
    if cpus[cpu].waitKey != key { cpus[cpu].waitSince = now }
    cpus[cpu].waitKey = key
    cpus[cpu].waitCall = Int32(call ?? -1)
    cpus[cpu].waitCSD = -1
    cpus[cpu].waitsForCompletion = false
    if case .csd(let csd) = wait {
      cpus[cpu].waitCSD = Int32(truncatingIfNeeded: csd)
      cpus[cpu].waitsForCompletion = call != nil && machine.callHolding(csd: csd) == call
      if let call, cpus[cpu].waitsForCompletion { places[call].hasWaited = true }
    }
    enter(cpu, key)
    if key != Self.hotplugKey { lookForDeadlock(from: cpu) }
  }

  /// In the order of their beginning, and of their numbers.
  private mutating func enter(_ cpu: Int, _ key: Int) {
    let bucket = bucket(key)
    var previous: Int32 = -1
    var next = waiters[bucket]
    while next >= 0 {
      let other = Int(next)
      if (cpus[other].waitSince, other) > (cpus[cpu].waitSince, cpu) { break }
      previous = next
      next = cpus[other].nextWaiter
    }
    cpus[cpu].nextWaiter = next
    if previous < 0 { waiters[bucket] = Int32(cpu) } else { cpus[Int(previous)].nextWaiter = Int32(cpu) }
  }

  private mutating func leave(_ cpu: Int) {
    let bucket = bucket(cpus[cpu].waitKey)
    var previous: Int32 = -1
    var next = waiters[bucket]
    while next >= 0, next != Int32(cpu) {
      previous = next
      next = cpus[Int(next)].nextWaiter
    }
    guard next >= 0 else { return }
    if previous < 0 {
      waiters[bucket] = cpus[cpu].nextWaiter
    } else {
      cpus[Int(previous)].nextWaiter = cpus[cpu].nextWaiter
    }
    cpus[cpu].nextWaiter = -1
  }

  /// A CPU no longer waits, or is about to look whether it must.
  mutating func stopWaiting(_ cpu: Int) {
    leave(cpu)
    count(waitOf: cpu)
    cpus[cpu].waitKey = -1
  }

  private mutating func count(waitOf cpu: Int) {
    let waited = now &- cpus[cpu].waitSince
    if cpus[cpu].waitCSD >= 0 {
      if !cpus[cpu].waitsForCompletion { recorder.csdLockWaited(cpu, waited) }
    } else if cpus[cpu].waitKey != Self.hotplugKey {
      recorder.engineLockWaited(cpu, waited)
    }
    timeline?.waited(
      on: cpu, from: cpus[cpu].waitSince, to: now,
      cpus[cpu].waitCSD < 0 ? "lock" : cpus[cpu].waitsForCompletion ? "callbacks" : "csd")
  }

  /// A CPU that waits looks again, now, after what is going on at this moment.
  mutating func lookAgain(_ cpu: Int) {
    if cpus[cpu].waitKey < 0 || cpus[cpu].isHung { return }
    let resume = resumeCost(of: cpu)
    stopWaiting(cpu)
    schedule(cpu, at: now &+ resume)
  }

  /// How long a caller that waited for a target's csd took to go on, as recorded.
  private mutating func resumeCost(of cpu: Int) -> UInt64 {
    guard cpus[cpu].waitCSD >= 0, cpus[cpu].waitCall >= 0, !cpus[cpu].waitsForCompletion,
      case .target(_, let target) = machine.owner(of: Int(cpus[cpu].waitCSD)),
      let place = self.target(of: Int(cpus[cpu].waitCall), on: target)
    else { return 0 }
    return targets[place].resumeNanoseconds
  }

  /// What somebody may wait for is free. A lock has one taker; all others would look in vain.
  mutating func release(key: Int) {
    var next = waiters[bucket(key)]
    while next >= 0 {
      let cpu = Int(next)
      next = cpus[cpu].nextWaiter
      guard cpus[cpu].waitKey == key, !cpus[cpu].isHung else { continue }
      lookAgain(cpu)
      if key & 3 == 1 { return }
    }
  }
}
