import TraceTypes
import Verdicts

/// What is missing from one side.
struct ComparedLosses {
  /// Up to this share of the events, what was lost may be counted on either side's account; beyond, nothing is judged.
  private static let tolerated = 0.01

  private var events: [Int: UInt64] = [:]
  private var lost: [Int: UInt64] = [:]
  private var unknown: Set<Int> = []
  private var isUnknownEverywhere = false
  let clocksDisagree: Bool

  init(_ result: ReplayResult) {
    for cpu in result.trace.events.byCPU {
      events[cpu.cpu] = cpu.events
      lost[cpu.cpu] = cpu.lost
    }
    for item in result.health where item.severity != .info {
      switch item.name {
      // Counted above; not about events that are missing here and there.
      case "lostEvents", "missingEvents", "clockSkew", "backwardTimes", "contextNotRecorded": break
      default:
        if let cpu = item.cpu { unknown.insert(cpu) } else { isUnknownEverywhere = true }
      }
    }
    clocksDisagree =
      !result.verdict.clockDisagreements.isEmpty
      || result.health.contains { $0.name == "clockSkew" || $0.name == "backwardTimes" }
  }

  /// How many events may be missing that a measure is made of, or why that says nothing.
  /// - Parameter cpu: the CPU that records it; nil if any may have.
  func missing(cpu: Int?, measure: ComparedMeasure) -> Result<Double, TimeBlocks.NotJudgeable> {
    if isUnknownEverywhere || (cpu.map(unknown.contains) ?? !unknown.isEmpty) {
      return .failure(TimeBlocks.NotJudgeable(reason: .lossUnknown))
    }
    let missing = cpu.map { Double(lost[$0] ?? 0) } ?? lost.values.reduce(0) { $0 + Double($1) }
    let seen = cpu.map { Double(events[$0] ?? 0) } ?? events.values.reduce(0) { $0 + Double($1) }
    if missing == 0 { return .success(0) }
    let isBounded =
      switch measure.form {
      case .count, .percentile: true
      // One event can hide any time.
      case .time, .mean: false
      }
    guard isBounded, missing <= Self.tolerated * (seen + missing) else {
      return .failure(TimeBlocks.NotJudgeable(reason: .eventsLost))
    }
    return .success(missing)
  }
}
