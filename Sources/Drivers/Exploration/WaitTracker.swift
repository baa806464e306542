import CallEngines
import Verdicts

/// Who holds what, as far as the happenings of a run tell: it says who keeps whom waiting.
struct WaitTracker {
  private struct Place: Hashable {
    var call: Int
    var cpu: Int
  }

  private var holders: [LockName: Int] = [:]
  /// Who has locked a csd and not yet queued it.
  private var owners: [Int: Int] = [:]
  /// The call for which each csd was filled last.
  private var callOfCSD: [Int: Int] = [:]
  private var started: Set<Place> = []
  /// The calls that each CPU is within, the innermost last.
  private var calls: [Int: [Int]] = [:]
  /// For each CPU, those that have marked it as a target.
  private var markers: [Int: [Int]] = [:]

  mutating func note(_ happening: Happening, on cpu: Int) {
    switch happening {
    case .callBegan(let call): calls[cpu, default: []].append(call)
    case .callReturned(let call, _): calls[cpu]?.removeAll { $0 == call }
    case .flagChanged(.targeted, let target?, true): markers[target, default: []].append(cpu)
    case .flagChanged(.targeted, let target?, false):
      if let index = markers[target]?.firstIndex(of: cpu) { markers[target]?.remove(at: index) }
    case .lockTaken(let lock): holders[lock] = cpu
    case .lockReleased(let lock): holders[lock] = nil
    case .csdLocked(let csd): owners[csd] = cpu
    case .csdUnlocked(let csd), .added(let csd, _, _), .addedGlobally(let csd, _): owners[csd] = nil
    case .filled(let csd, let call): callOfCSD[csd] = call
    case .functionStarted(_, let call): started.insert(Place(call: call, cpu: cpu))
    default: break
    }
  }

  /// Whether a call's function has started on a CPU.
  func hasStarted(_ call: Int, on cpu: Int) -> Bool { started.contains(Place(call: call, cpu: cpu)) }

  /// The CPUs that would have to move before this wait can end; empty where that is not known, or there are none.
  func cpus(
    waitedForBy cpu: Int, _ wait: Wait, _ engine: Engine, _ machine: borrowing Machine
  ) -> [Int] {
    switch wait {
    case .csd(let csd), .flag(.pending(let csd)):
      if let owner = owners[csd] { return [owner] }
      guard let call = callOfCSD[csd] else { return [] }
      let targets = machine.unfinished.filter { $0.call == call }.map(\.cpu)
      if case .target(_, let target) = machine.layout.owner(of: csd) { return targets.filter { $0 == target } }
      return targets
    case .lock(let lock): return holders[lock].map { [$0] } ?? []
    case .hotplug:
      return (0..<machine.layout.cpuCount).filter {
        $0 != cpu && machine.isWantedByStop($0) && !engine.canStop($0, machine)
      }
    case .flag(.targeted):
      let targets = calls[cpu]?.last.map { machine.workload.calls[$0].targets(of: machine.layout.cpuCount) } ?? []
      return Set(([cpu] + targets).flatMap { markers[$0] ?? [] }).sorted()
    case .idle: return []
    }
  }

  /// CPUs that wait for each other in a circle, the lowest first; empty if there is none.
  static func cycle(in cpus: [Counterexample.CPU]) -> [Int] {
    for first in cpus.map(\.cpu) {
      var visited: Set<Int> = []
      if let way = way(from: first, to: first, in: cpus, &visited) { return way }
    }
    return []
  }

  /// The CPUs on a way along the waits, `goal` not again at its end.
  private static func way(
    from cpu: Int, to goal: Int, in cpus: [Counterexample.CPU], _ visited: inout Set<Int>
  ) -> [Int]? {
    for next in cpus[cpu].waitsForCPUs {
      if next == goal { return [cpu] }
      guard visited.insert(next).inserted else { continue }
      if let rest = way(from: next, to: goal, in: cpus, &visited) { return [cpu] + rest }
    }
    return nil
  }
}

extension Call {
  /// The CPUs that it names.
  fileprivate func targets(of cpuCount: Int) -> [Int] {
    mask.isEmpty ? [target] : mask.cpus(below: cpuCount)
  }
}
