import CallEngines
import CallHistories
import Drivers
import TestSupport
import TraceTypes
import Verdicts

/// A side of a comparison, made of events as `ipitrace diff` makes it of a file.
struct ComparedEvents {
  var events: [TraceEvent]
  var maskWords: [UInt64] = []
  var gaps: [TraceGap] = []
  var kinds = SyntheticLoad.kinds
  var cpus = [0, 1, 2, 3]
  var names: any AddressNaming = ScriptNames(names: ["flush_tlb_func", "ipi_mb", "nohz_csd_func", "new_func"])
  var name = "events"
  var clock: String? = "mono"
  /// CPU → events that were lost, as the reader counts them.
  var lost: [Int: UInt64] = [:]
  var health = TraceHealth()
  var watched: [Int: Interference.Selection] = [:]

  init(_ events: [TraceEvent]) { self.events = events }

  init(_ load: SyntheticLoad, _ random: inout RepeatableRandom) {
    self.init(load.events(&random))
    cpus = Array(0..<load.cpuCount)
  }

  /// With what the resampling needs.
  var recording: ComparisonInput { input(isSaved: false) }
  /// As its saved result.
  var saved: ComparisonInput { input(isSaved: true) }

  private func input(isSaved: Bool) -> ComparisonInput {
    var settings = HistorySettings()
    settings.cpus = cpus
    settings.recordedKinds = kinds
    let analysis = ReplayAnalysis(watched: watched, recordedKinds: kinds, sink: SliceSink(names: names))
    var builder = HistoryBuilder(settings: settings, names: names, consumer: analysis)
    TraceScript(events: events, gaps: gaps, maskWords: maskWords).feed(&builder)
    builder.finish()
    let verdict = analysis.verdict(of: builder, clockIsShared: true, lossWindows: []) { found in
      Divergence(
        rule: found.rule.rawValue, timeNanoseconds: found.time, cpus: [], callback: nil, events: [], expected: "",
        explanation: "")
    }
    let result = ReplayResult(
      trace: summary(builder.span), health: health.items.map(HealthItem.init), verdict: verdict,
      calls: analysis.statistics.calls(names: names, comm: { _ in nil }), kicks: analysis.statistics.kicks,
      latency: analysis.statistics.latency, matrix: analysis.statistics.matrix,
      interference: analysis.statistics.interference(names: names, comm: { _ in nil }),
      blocking: BlockingSummary(latestCalls: [], delicateContexts: []),
      timeline: Timeline(
        choice: .empty, startNanoseconds: 0, endNanoseconds: 0, cpus: [], slices: [], flows: [], truncated: false),
      engines: [])
    if isSaved { return ComparisonInput(name: name, result: result) }
    return ComparisonInput(
      name: name, result: result, slices: analysis.sink.statistics, recordedKinds: kinds, recordedCPUs: cpus)
  }

  private func summary(_ span: ClosedRange<UInt64>?) -> TraceSummary {
    var byType: [String: UInt64] = [:]
    var byCPU: [Int: UInt64] = [:]
    for event in events {
      byType[event.kind.qualifiedName, default: 0] += 1
      byCPU[Int(event.cpu), default: 0] += 1
    }
    return TraceSummary(
      kernel: "6.12", clock: clock, startNanoseconds: span?.lowerBound, endNanoseconds: span?.upperBound,
      cpus: .init(possible: nil, online: nil, isolated: nil, nohzFull: nil),
      events: .init(
        total: UInt64(events.count), lost: lost.values.reduce(0, +), byType: byType,
        byCPU: byCPU.sorted { $0.key < $1.key }.map {
          TraceSummary.CPUCount(cpu: $0.key, events: $0.value, lost: lost[$0.key] ?? 0)
        }))
  }
}

extension Comparison {
  /// Everything that is called different, in one line each.
  var differences: [String] {
    func name(_ place: String, _ items: [ComparedItem]) -> [String] {
      items.filter { $0.isSignificant == true }.map { "\(place) \($0.measure.rawValue) \($0.change ?? .infinity)" }
    }
    return name("all", total) + byCallback.flatMap { name($0.callback, $0.items) }
      + byCPU.flatMap { name("CPU \($0.cpu)", $0.items) }
  }

  func item(_ measure: ComparedMeasure) -> ComparedItem? { total.first { $0.measure == measure } }

  func item(_ measure: ComparedMeasure, callback: String) -> ComparedItem? {
    byCallback.first { $0.callback == callback }?.items.first { $0.measure == measure }
  }

  func item(_ measure: ComparedMeasure, cpu: Int) -> ComparedItem? {
    byCPU.first { $0.cpu == cpu }?.items.first { $0.measure == measure }
  }
}
