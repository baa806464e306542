import BasicContainers
import CallEngines
import TraceTypes
import Verdicts

// Who waits for ever. A CPU that waits with interrupts off runs nothing for others; if following what each waits for comes
// back to it, none of them ever moves again.
extension Simulator {
  /// A CPU has begun to wait with interrupts off.
  mutating func lookForDeadlock(from cpu: Int, _ wait: Wait) {
    var way = [cpu]
    while true {
      guard let next = awaited(by: way[way.count - 1]) else { return }
      guard cpus[next].waitKey >= 0, !machine.interruptsEnabled(next) || isHeld(next) else { return }
      if let first = way.firstIndex(of: next) { return report(Array(way[first...])) }
      // A way into a deadlock that is known.
      if cpus[next].isHung { return hang(way) }
      way.append(next)
    }
  }

  /// A lock's holder that waits need not have interrupts off to hold everybody up; it never lets go.
  private func isHeld(_ cpu: Int) -> Bool { cpus[cpu].waitKey & 3 == 1 }

  /// The CPU that has to move for another one to go on; nil where that is not one, or not known.
  private func awaited(by cpu: Int) -> Int? {
    let csd = Int(cpus[cpu].waitCSD)
    guard csd >= 0, let call = machine.callHolding(csd: csd), places[call].firstTarget >= 0 else { return nil }
    // Of a call's targets the first that has not run: a csd per target names it by itself.
    if case .target(_, let target) = machine.layout.owner(of: csd) { return target }
    let first = Int(places[call].firstTarget)
    for index in first..<first + Int(places[call].targetCount) where targets[index].state == .queued {
      return Int(targets[index].cpu)
    }
    return nil
  }

  private mutating func hang(_ way: [Int]) {
    for cpu in way { cpus[cpu].isHung = true }
  }

  private mutating func report(_ cycle: [Int]) {
    hang(cycle)
    recorder.deadlocked(
      EngineOutcome.Deadlock(
        timeNanoseconds: now, cycle: cycle.map { waiter($0, for: awaited(by: $0)) }))
  }

  private func waiter(_ cpu: Int, for other: Int?) -> EngineOutcome.Deadlock.Waiter {
    let call = Int(cpus[cpu].waitCall)
    let words: String
    switch cpus[cpu].waitKey & 3 {
    case 0:
      let what = cpus[cpu].waitsForCompletion ? "the callback that it called" : "a csd that is still in use"
      words = other.map { "CPU \($0), which has its interrupts off, to run \(what)" } ?? "\(what), which is lost"
    case 1: words = "a lock of the engine"
    default: words = "the machine to stop"
    }
    return EngineOutcome.Deadlock.Waiter(
      cpu: cpu, callback: call >= 0 ? names.text(places[call].function) : nil, waitsFor: words, waitsForCPU: other)
  }

  // MARK: The end

  /// Lets everything end that ends, and counts what does not.
  mutating func finish() {
    run(until: .max)
    tryOnceMore()
    // Whoever still waits does so for ever.
    var isStuck = [Bool](repeating: false, count: cpus.count)
    for cpu in 0..<cpus.count where cpus[cpu].waitKey >= 0 && cpus[cpu].waitKey & 3 != 2 {
      isStuck[cpu] = true
      if !cpus[cpu].isHung {
        cpus[cpu].isHung = true
        recorder.deadlocked(
          EngineOutcome.Deadlock(timeNanoseconds: cpus[cpu].waitSince, cycle: [waiter(cpu, for: awaited(by: cpu))]))
      }
    }
    for place in 0..<places.count where places[place].firstTarget >= 0 { count(unfinished: place, isStuck) }
  }

  /// Nothing happens any more: whoever waits must find that he has to. Else a release was not told of.
  private mutating func tryOnceMore() {
    for cpu in 0..<cpus.count where cpus[cpu].waitKey >= 0 && !cpus[cpu].isHung {
      let key = cpus[cpu].waitKey
      let steps = steps
      let since = cpus[cpu].waitSince
      stopWaiting(cpu)
      advance(cpu)
      if cpus[cpu].waitKey == key, self.steps == steps + 1 {
        cpus[cpu].waitSince = since
      } else {
        missedWakeups += 1
        run(until: .max)
      }
    }
  }

  private mutating func count(unfinished place: Int, _ isStuck: [Bool]) {
    let first = Int(places[place].firstTarget)
    guard places[place].isUnderWay || places[place].hasReturned else {
      // Its CPU never came to it.
      callsNotMade &+= 1
      recorder.calls &-= 1
      recorder.targets &-= UInt64(places[place].targetCount)
      return
    }
    for index in first..<first + Int(places[place].targetCount) {
      let cpu = Int(targets[index].cpu)
      if targets[index].state != .ended, targets[index].state != .asked, !targets[index].isKicked {
        if places[place].isUnderWay {
          recorder.interrupts.saved &+= 1
          if targets[index].kick.isKnown { recorder.known.saved &+= 1 }
        }
      }
      switch targets[index].state {
      case .ended: continue
      case .asked where places[place].hasReturned: continue
      case .asked: recorder.fates.deadlocked &+= 1
      case .queued, .started:
        if isStuck[cpu], !machine.interruptsEnabled(cpu) {
          recorder.fates.deadlocked &+= 1
        } else if options.userCPUs.contains(cpu) {
          recorder.fates.pending &+= 1
        } else {
          recorder.fates.lost &+= 1
          timeline?.lost(places[place].ordinal, on: cpu, at: now)
        }
      }
    }
  }
}
