import CallEngines
import CallHistories

/// Makes a heavier load out of a recorded one: time runs faster, and each call is made several times, from as many CPUs.
///
/// A machine of N CPUs becomes one of K · N, in K groups. Copy k of a call comes from the caller's CPU in group k, a little
/// later, and goes to the CPUs that were called, each in a group that chance decides. So every CPU makes and gets as many
/// calls as before, but from everywhere.
struct ScaledLoad {
  /// Copies come this much later at most, in nanoseconds.
  private static let latestCopy: UInt64 = 100_000

  private let scaling: Simulation.Scaling
  /// CPUs of the recording, and of the simulation.
  let recordedCPUs: Int
  let cpuCount: Int
  private let random: RandomNumbers
  private var start: UInt64?
  private var ordinal: UInt64 = 0
  /// Targets that a map put onto their caller's CPU: no call to another CPU any more.
  private(set) var droppedTargets: UInt64 = 0

  private struct Held {
    var call: LoadedCall
    var targets: [LoadedTarget]
  }

  /// Copies that are to come, the latest first.
  private var held: [Held] = []

  init(_ scaling: Simulation.Scaling, cpuCount: Int, seed: UInt64) {
    self.scaling = scaling
    recordedCPUs = cpuCount
    let mapped = scaling.cpusMap.values.max() ?? -1
    self.cpuCount = max(cpuCount * scaling.copies, mapped + 1)
    random = RandomNumbers(seed: seed)
  }

  var isIdentity: Bool { scaling.isIdentity }

  /// A CPU of the recording, in a group.
  private func cpu(_ cpu: Int, group: Int) -> Int {
    let mapped = scaling.cpusMap[cpu] ?? cpu
    return group * recordedCPUs + mapped
  }

  private func time(_ time: UInt64) -> UInt64 {
    guard let start, scaling.speedup != 1, time > start else { return time }
    return start + UInt64(Double(time - start) / scaling.speedup)
  }

  func cpus(_ cpus: [Int]) -> [Int] {
    (0..<scaling.copies).flatMap { group in cpus.map { cpu($0, group: group) } }
  }

  /// By CPU of the simulation: each group has nodes of its own.
  func nodes(_ nodes: [Int: Int]) -> [Int] {
    var known = nodes
    for cpu in 0..<recordedCPUs where known[cpu] == nil { known[cpu] = 0 }
    return places(known).map { $0 ?? 0 }
  }

  /// By CPU of the simulation: each group has cores of its own; nil where a CPU's core is not known.
  func cores(_ cores: [Int: Int]) -> [Int?] { places(cores) }

  private func places(_ places: [Int: Int]) -> [Int?] {
    let count = (places.values.max() ?? 0) + 1
    var result = [Int?](repeating: nil, count: cpuCount)
    for group in 0..<scaling.copies {
      for recorded in 0..<recordedCPUs {
        result[cpu(recorded, group: group)] = places[recorded].map { $0 + group * count }
      }
    }
    return result
  }

  /// One CPU that goes takes those of the other groups with it.
  func hotplugs(_ hotplugs: [LoadedHotplug], from start: UInt64?) -> [LoadedHotplug] {
    if isIdentity { return hotplugs }
    var timed = self
    timed.start = start
    return hotplugs.flatMap { hotplug in
      (0..<scaling.copies).map { group in
        let change: LoadedHotplug.Change =
          switch hotplug.change {
          case .down(let lastCalled): .down(lastCalled: timed.time(lastCalled))
          case .up: .up
          }
        return LoadedHotplug(time: timed.time(hotplug.time), cpu: cpu(hotplug.cpu, group: group), change: change)
      }
    }
  }

  // MARK: Calls

  /// Takes a call of the recording, and hands out all that come before the next one can.
  mutating func append(_ call: LoadedCall, targets: ArraySlice<LoadedTarget>, to batch: inout LoadBatch) {
    if start == nil { start = call.time }
    ordinal &+= 1
    let begun = time(call.time)
    release(before: begun, to: &batch)
    for group in 0..<scaling.copies {
      var copy = call
      copy.time = begun
      if group > 0 { copy.time &+= random.number(.copy, ordinal, UInt64(group)) % Self.latestCopy }
      copy.source = Int32(cpu(Int(call.source), group: group))
      if let think = call.thinkNanoseconds { copy.thinkNanoseconds = UInt64(Double(think) / scaling.speedup) }
      if call.storage != 0, group > 0 { copy.storage = RandomNumbers.mix(call.storage ^ UInt64(group)) | 1 }
      var mapped: [LoadedTarget] = []
      for target in targets {
        var other = target
        let chosen =
          scaling.copies == 1
          ? 0 : Int(random.number(.copy, ordinal &<< 10 | UInt64(group), UInt64(target.cpu)) % UInt64(scaling.copies))
        other.cpu = Int32(cpu(Int(target.cpu), group: chosen))
        if other.cpu == copy.source || mapped.contains(where: { $0.cpu == other.cpu }) {
          droppedTargets += 1
        } else {
          mapped.append(other)
        }
      }
      guard !mapped.isEmpty else { continue }
      mapped.sort { $0.cpu < $1.cpu }
      hold(Held(call: copy, targets: mapped))
    }
    release(before: begun &+ 1, to: &batch)
  }

  /// Each group's CPU does what the recorded one did.
  mutating func append(_ flush: LoadedFlush, to batch: inout LoadBatch) {
    if start == nil { start = flush.time }
    for group in 0..<scaling.copies {
      batch.flushes.append(
        LoadedFlush(time: time(flush.time), cpu: Int32(cpu(Int(flush.cpu), group: group))))
    }
  }

  private mutating func hold(_ copy: Held) {
    var place = held.count
    while place > 0, held[place - 1].call.time <= copy.call.time { place -= 1 }
    held.insert(copy, at: place)
  }

  /// Hands out what comes before a time.
  mutating func release(before time: UInt64, to batch: inout LoadBatch) {
    while let copy = held.last, copy.call.time < time {
      held.removeLast()
      var call = copy.call
      let first = batch.targets.count
      batch.targets.append(contentsOf: copy.targets)
      call.targets = first..<batch.targets.count
      batch.calls.append(call)
    }
  }
}
