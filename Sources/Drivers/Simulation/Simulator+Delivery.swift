import BasicContainers
import CallEngines
import CallHistories
import Verdicts

/// Costs by which recorded times are judged.
struct TimedCosts: Sendable {
  /// A longer time between two steps of a caller holds something else as well: an interrupt, or a wait.
  let longestAdd: UInt64
  let medianEntry: UInt64
  /// A delivery that takes longer has found its target closed.
  let longestDelivery: UInt64
  let shortestDelivery: UInt64
  let hasNodes: Bool

  init(_ costs: CostModel, nodes: [Int]) {
    longestAdd = costs[.add].isAssumed ? 0 : costs[.add].median &* 8
    medianEntry = costs[.handlerEntry].median
    longestDelivery = costs[.delivery].p10 &* 2
    shortestDelivery = costs[.delivery].smallest
    hasNodes = Set(nodes).count > 1
  }
}

// When an IPI reaches its target. Where the recording shows that a target took no interrupt until some moment, an IPI of the
// simulation that falls into that stretch arrives at its end.
extension Simulator {
  mutating func arrival(from source: Int, to target: Int, call: Int?, place: Int?, isMask: Bool) -> UInt64 {
    let held = !isMask ? options.coalescingNanoseconds : 0
    let sent = now &+ held
    if options.usesRecordedTimes, let place, targets[place].sent != SimulatedCPU.never,
      targets[place].kick != .polling
    {
      let stretch = ClosedStretch(from: targets[place].sent, to: targets[place].arrived)
      let delay = stretch.to &- stretch.from
      cpus[target].entryNanoseconds = targets[place].entryNanoseconds
      if delay <= timedCosts.longestDelivery || !options.usesClosedStretches { return sent &+ delay }
      // Long: the target was closed. Its opening is what was seen, if this IPI comes at about the same time.
      if sent < stretch.to { return max(stretch.to, sent &+ timedCosts.shortestDelivery) }
    }
    if let end = endOfStretch(at: sent, of: target) { return max(end, sent &+ timedCosts.shortestDelivery) }
    let ordinal = call.map { places[$0].ordinal } ?? now
    return sent
      &+ costs[delivery(from: source, to: target, isMask: isMask)].draw(
        random.number(.delivery, ordinal, UInt64(target)))
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
    costs[item].draw(options.usesClosedStretches && options.usesRecordedTimes ? random &- random / 64 : random)
  }

  private func delivery(from source: Int, to target: Int, isMask: Bool) -> CostModel.Item {
    if isMask { return .maskDelivery }
    guard timedCosts.hasNodes else { return .delivery }
    return options.nodes[source] == options.nodes[target] ? .deliverySameNode : .deliveryOtherNode
  }

  // MARK: Stretches

  /// Keeps a stretch in which a CPU took no interrupt. They come in the order of their calls.
  mutating func addStretch(_ stretch: ClosedStretch, of cpu: Int) {
    guard options.usesClosedStretches, options.usesRecordedTimes else { return }
    guard stretch.to &- stretch.from > timedCosts.longestDelivery else { return }
    let index = Int(stretchCounts[cpu]) % Self.keptStretches
    stretches[cpu &* Self.keptStretches &+ index] = stretch
    stretchCounts[cpu] &+= 1
  }

  private func endOfStretch(at time: UInt64, of cpu: Int) -> UInt64? {
    guard options.usesClosedStretches, options.usesRecordedTimes else { return nil }
    let first = cpu &* Self.keptStretches
    for index in first..<first &+ Self.keptStretches {
      if stretches[index].from <= time, time < stretches[index].to { return stretches[index].to }
    }
    return nil
  }
}
