import BasicContainers
import CallEngines
import CallHistories
import Verdicts

/// Costs by which recorded times are judged.
struct TimedCosts: Sendable {
  /// A delivery that takes longer has found its target closed.
  let longestDelivery: UInt64
  let shortestDelivery: UInt64
  /// The share of deliveries that are usual, by the item's number: drawn are these, because closed targets come from the load.
  let usualShares: [Double]
  /// How far a simulated time may be from the recorded one of the same thing.
  let tolerance: UInt64
  /// Not all CPUs are equally far from each other.
  let hasDistances: Bool

  init(_ costs: CostModel, nodes: [Int], cores: [Int?]) {
    longestDelivery = costs.fastFarDelivery &* 2
    shortestDelivery = costs[.delivery].smallest
    tolerance = costs.recordedDelivery.smallest
    let isMeasured = costs.source == CostModel.measured
    usualShares = CostModel.Item.allCases.map { item in
      let drawn = costs[isMeasured ? .delivery : item]
      return max(0.01, drawn.share(upTo: drawn.p10 &* 2))
    }
    let known = cores.compactMap { $0 }
    hasDistances = Set(nodes).count > 1 || Set(known).count < known.count
  }
}

// When an IPI reaches its target. Where the recording shows that a target took no interrupt until some moment, an IPI of the
// simulation that falls into that stretch arrives at its end.
extension Simulator {
  mutating func arrival(from source: Int, to target: Int, call: Int?, place: Int?, isMask: Bool) -> UInt64 {
    let held = !isMask ? options.coalescingNanoseconds : 0
    let sent = now &+ held
    if options.usesRecordedTimes {
      if let place, targets[place].kick != .polling, targets[place].sent != SimulatedCPU.never {
        cpus[target].entryNanoseconds = recordedEntry(of: target, at: targets[place].arrived)
        let delay = targets[place].arrived &- targets[place].sent
        // A usual delay is one of any IPI; a longer one ended when the CPU opened.
        if delay <= timedCosts.longestDelivery || !options.usesClosedStretches { return sent &+ delay }
        if sent < targets[place].arrived { return max(targets[place].arrived, sent &+ timedCosts.shortestDelivery) }
      }
      if let arrival = arrival(at: sent, of: target) { return arrival }
    }
    let ordinal = call.map { places[$0].ordinal } ?? now
    var number = random.number(.delivery, ordinal, UInt64(target))
    let item = delivery(from: source, to: target, isMask: isMask)
    // Where the recording shows when CPUs were closed, this one is open.
    if options.usesClosedStretches {
      number = UInt64(Double(number) * timedCosts.usualShares[item.index] * 0.999_999)
    }
    let arrival = sent &+ costs[item].draw(number)
    if options.usesRecordedTimes || !options.usesClosedStretches { return arrival }
    return max(arrival, opening(of: target, at: sent, place: place) ?? 0)
  }

  /// When a CPU opens that is closed at a time; nil if it is open. That is part of the load, however long an IPI takes.
  private func opening(of cpu: Int, at time: UInt64, place: Int?) -> UInt64? {
    if let place, targets[place].kick != .polling, targets[place].sent != SimulatedCPU.never,
      targets[place].arrived &- targets[place].sent > timedCosts.longestDelivery, time < targets[place].arrived
    {
      return targets[place].arrived
    }
    guard let stretch = stretch(at: time, of: cpu), stretch.to &- stretch.from > timedCosts.longestDelivery else {
      return nil
    }
    return stretch.to
  }

  /// From a polling target's being woken to its first callback.
  func pollingWakeCost(of target: Int, call: Int?) -> UInt64 {
    if options.usesRecordedTimes, let call, let place = self.target(of: call, on: target),
      targets[place].kick == .polling, targets[place].sent != SimulatedCPU.never
    {
      return targets[place].arrived &- targets[place].sent
    }
    let ordinal = call.map { places[$0].ordinal } ?? now
    return draw(.pollingWake, random.number(.pollingWake, ordinal, UInt64(target)))
  }

  /// What the beginning of a CPU's handler costs.
  /// - Parameter keep: half of it is still to come.
  mutating func entryCost(of cpu: Int, keep: Bool = false) -> UInt64 {
    if cpus[cpu].entryNanoseconds == SimulatedCPU.never {
      cpus[cpu].entryNanoseconds = draw(.handlerEntry, random.number(.handlerEntry, UInt64(cpu), now))
    }
    let cost = cpus[cpu].entryNanoseconds
    if !keep { cpus[cpu].entryNanoseconds = SimulatedCPU.never }
    return cost
  }

  /// Draws a cost. Beside recorded times, what is longer than nearly all others is left out: it is a standstill of the CPU,
  /// and those come as stretches, when they came.
  @inline(__always) func draw(_ item: CostModel.Item, _ random: UInt64) -> UInt64 {
    costs[item].draw(options.usesClosedStretches ? random &- random / 16 : random)
  }

  private func delivery(from source: Int, to target: Int, isMask: Bool) -> CostModel.Item {
    if isMask { return .maskDelivery }
    guard timedCosts.hasDistances else { return .delivery }
    if source < options.cores.count, let core = options.cores[source], core == options.cores[target] {
      return .deliverySameCore
    }
    return options.nodes[source] == options.nodes[target] ? .deliverySameNode : .deliveryOtherNode
  }

  // MARK: Stretches

  /// Keeps a stretch in which a CPU took no interrupt.
  mutating func addStretch(_ stretch: LoadedStretch) {
    guard options.usesClosedStretches else { return }
    let cpu = Int(stretch.cpu)
    let index = Int(stretchCounts[cpu]) % Self.keptStretches
    stretches[cpu &* Self.keptStretches &+ index] = stretch
    stretchCounts[cpu] &+= 1
  }

  /// What the beginning of a recorded handler took; `never` where that is not known.
  private func recordedEntry(of cpu: Int, at time: UInt64) -> UInt64 {
    guard options.usesClosedStretches else { return SimulatedCPU.never }
    let first = cpu &* Self.keptStretches
    for index in first..<first &+ Self.keptStretches where stretches[index].to == time {
      return stretches[index].entryNanoseconds ?? SimulatedCPU.never
    }
    return SimulatedCPU.never
  }

  /// When an IPI arrives that is sent at a time, if a recorded one was under way then.
  private func arrival(at time: UInt64, of cpu: Int) -> UInt64? {
    guard let found = stretch(at: time, of: cpu) else { return nil }
    let delay = found.to &- found.from
    return delay <= timedCosts.longestDelivery
      ? time &+ delay : max(found.to, time &+ timedCosts.shortestDelivery)
  }

  /// The earliest stretch of a CPU that a time is in.
  private func stretch(at time: UInt64, of cpu: Int) -> LoadedStretch? {
    guard options.usesClosedStretches else { return nil }
    let first = cpu &* Self.keptStretches
    var found: LoadedStretch?
    for index in first..<first &+ Self.keptStretches {
      let stretch = stretches[index]
      // The simulation may be a little ahead of the recording.
      guard stretch.from <= time &+ timedCosts.tolerance, time < stretch.to else { continue }
      if found.map({ stretch.from < $0.from }) ?? true { found = stretch }
    }
    return found
  }
}
