import BasicContainers
import CallEngines
import TraceTypes
import Verdicts

// Who waits for ever. A CPU that waits with interrupts off runs nothing for others, and one that waits does not let go of the
// locks that it holds; if following what each waits for comes back to it, none of them ever moves again.
extension Simulator {
  /// A CPU has begun to wait.
  mutating func lookForDeadlock(from cpu: Int) {
    // Nearly always whoever it waits for moves.
    guard let first = awaited(by: cpu), cpus[first].waitKey >= 0 else { return }
    var way = [cpu]
    while true {
      let last = way[way.count - 1]
      guard let next = awaited(by: last), cpus[next].waitKey >= 0 else { return }
      // Whoever waits with interrupts on still runs what is queued for it.
      if cpus[last].waitCSD >= 0, machine.view(of: next).interruptsEnabled { return }
      if let first = way.firstIndex(of: next) { return report(Array(way[first...]), all: way) }
      // A way into a deadlock that is known.
      if cpus[next].isHung { return hang(way) }
      way.append(next)
    }
  }

  /// The CPU that has to move for another one to go on; nil where that is not one, or not known.
  private mutating func awaited(by cpu: Int) -> Int? {
    if cpus[cpu].waitKey & 3 == 1 { return lockHolders[cpus[cpu].waitKey >> 2].map(Int.init) }
    let csd = Int(cpus[cpu].waitCSD)
    guard csd >= 0, let call = machine.callHolding(csd: csd), places[call].firstTarget >= 0 else { return nil }
    // Of a call's targets the first that has not run: a csd per target names it by itself.
    if case .target(_, let target) = machine.owner(of: csd) { return target }
    let first = Int(places[call].firstTarget)
    for index in first..<first + Int(places[call].targetCount) where targets[index].state == .queued {
      return Int(targets[index].cpu)
    }
    return nil
  }

  /// A CPU makes steps and comes nowhere.
  mutating func goesRound(_ cpu: Int) {
    cpus[cpu].isHung = true
    recorder.deadlocked(
      EngineOutcome.Deadlock(
        timeNanoseconds: now,
        cycle: [
          EngineOutcome.Deadlock.Waiter(
            cpu: cpu, callback: nil, waitsFor: "the end of a list that goes round", waitsForCPU: nil)
        ]))
  }

  private mutating func hang(_ way: [Int]) {
    for cpu in way { cpus[cpu].isHung = true }
  }

  private mutating func report(_ cycle: [Int], all: [Int]) {
    hang(all)
    var waiters: [EngineOutcome.Deadlock.Waiter] = []
    for cpu in cycle {
      let other = awaited(by: cpu)
      waiters.append(waiter(cpu, for: other))
    }
    recorder.deadlocked(EngineOutcome.Deadlock(timeNanoseconds: now, cycle: waiters))
  }

  private func waiter(_ cpu: Int, for other: Int?) -> EngineOutcome.Deadlock.Waiter {
    let call = Int(cpus[cpu].waitCall)
    let words: String
    switch cpus[cpu].waitKey & 3 {
    case 0:
      let what = cpus[cpu].waitsForCompletion ? "the callback that it called" : "a csd that is still in use"
      words =
        switch other {
        case nil: "\(what), which is lost"
        case let other? where machine.state(of: other) != .online: "CPU \(other), which is offline, for \(what)"
        case let other? where machine.interruptsEnabled(other): "CPU \(other) to run \(what)"
        case let other?: "CPU \(other), which has its interrupts off, to run \(what)"
        }
    case 1:
      words =
        switch other {
        case cpu: "a lock of the engine that it holds itself, in what this call has interrupted"
        case nil: "a lock of the engine"
        case let holder?: "a lock of the engine that CPU \(holder) holds"
        }
    default: words = "its turn, which never comes"
    }
    return EngineOutcome.Deadlock.Waiter(
      cpu: cpu, callback: call >= 0 ? names.text(places[call].function) : nil, waitsFor: words, waitsForCPU: other)
  }

  // MARK: The end

  /// Lets everything end that ends, and counts what does not.
  mutating func finish() {
    run(until: .max)
    if let leaving { _ = endTakingDown(leaving) }
    tryOnceMore()
    // Whoever still waits does so for ever.
    var isStuck = [Bool](repeating: false, count: cpus.count)
    var late: [EngineOutcome.Deadlock] = []
    for cpu in 0..<cpus.count
    where (cpus[cpu].waitKey >= 0 || cpus[cpu].isHung) && cpus[cpu].waitKey != Self.hotplugKey {
      isStuck[cpu] = true
      if !cpus[cpu].isHung {
        cpus[cpu].isHung = true
        let other = awaited(by: cpu)
        late.append(EngineOutcome.Deadlock(timeNanoseconds: cpus[cpu].waitSince, cycle: [waiter(cpu, for: other)]))
      }
    }
    late.sort { ($0.timeNanoseconds, $0.cycle[0].cpu) < ($1.timeNanoseconds, $1.cycle[0].cpu) }
    for deadlock in late { recorder.deadlocked(deadlock) }
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
      let callback = places[place].callback >= 0 ? Int(places[place].callback) : nil
      recorder.notAsked(Int(places[place].targetCount), callback: callback)
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
        if isStuck[cpu], !machine.view(of: cpu).interruptsEnabled, !targets[index].isLeftBehind {
          recorder.fates.deadlocked &+= 1
        } else if !targets[index].isLeftBehind,
          machine.state(of: cpu) == .dead || isolates && options.userCPUs.contains(cpu)
        {
          // Queued for a CPU that was gone, as irq_work_queue_on() does with a warning; it looks when it comes back. Or its IPI was
          // deferred until the CPU enters the kernel.
          recorder.fates.pending &+= 1
        } else {
          recorder.fates.lost &+= 1
          timeline?.lost(places[place].ordinal, on: cpu, at: now)
        }
      }
    }
  }
}
