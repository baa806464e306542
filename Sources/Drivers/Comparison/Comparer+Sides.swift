import TraceTypes
import Verdicts

extension Comparer {
  static func side(_ side: MeasuredSide) -> ComparedSide {
    let result = side.input.result
    return ComparedSide(
      name: side.input.name, form: side.input.slices == nil ? .savedResult : .recording, trace: result.trace,
      recordedCPUs: side.input.recordedCPUs, verdict: result.verdict.result,
      divergenceCount: result.verdict.divergenceCount,
      brokenRules: Set(result.verdict.divergences.map(\.rule)).sorted(),
      queued: result.verdict.accounting.queued, undecided: result.verdict.undecided,
      damage: result.health.filter { $0.severity != .info })
  }

  /// What was not the same on both sides. What neither side tells is the same.
  static func circumstances(_ before: MeasuredSide, _ after: MeasuredSide) -> [Comparison.Circumstance] {
    let (first, second) = (before.input, after.input)
    // A saved result tells only what was seen, not what was switched on.
    let tell = first.slices != nil && second.slices != nil
    let kinds = tell ? (Set(types(first)), Set(types(second))) : ([], [])
    func only(_ types: Set<String>, _ others: Set<String>) -> String? {
      let own = types.subtracting(others).sorted()
      return own.isEmpty ? nil : own.joined(separator: " ")
    }
    let all: [(Comparison.Circumstance.Kind, String?, String?)] = [
      (.kernel, first.result.trace.kernel, second.result.trace.kernel),
      (.clock, first.result.trace.clock, second.result.trace.clock),
      (.possibleCPUs, list(first.result.trace.cpus.possible), list(second.result.trace.cpus.possible)),
      (.onlineCPUs, list(first.result.trace.cpus.online), list(second.result.trace.cpus.online)),
      (.recordedCPUs, list(first.recordedCPUs), list(second.recordedCPUs)),
      (.isolatedCPUs, isolated(first.result.trace.cpus), isolated(second.result.trace.cpus)),
      (.recordedEvents, only(kinds.0, kinds.1), only(kinds.1, kinds.0)),
      (.engine, first.result.verdict.engine, second.result.verdict.engine),
    ]
    return all.filter { $0.1 != $0.2 }.map { Comparison.Circumstance(kind: $0.0, before: $0.1, after: $0.2) }
  }

  private static func types(_ input: ComparisonInput) -> [String] {
    input.recordedKinds.filter { $0 != .other }.map(\.qualifiedName)
  }

  private static func isolated(_ cpus: TraceSummary.CPUs) -> String? {
    guard cpus.isolated != nil || cpus.nohzFull != nil else { return nil }
    return list((cpus.isolated ?? []) + (cpus.nohzFull ?? []))
  }

  /// CPUs as the kernel lists them; numbers that no CPU has are left out.
  private static func list(_ cpus: [Int]?) -> String? {
    cpus.map { CPUMask($0.filter { $0 >= 0 && $0 <= CPUMask.highestCPU }).list }
  }
}
