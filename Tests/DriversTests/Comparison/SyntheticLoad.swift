import CallEngines
import CallHistories
import Drivers
import Glibc
import TestSupport
import TraceTypes
import Verdicts

/// A load whose rates and times are known, as a recording of a machine under it would show it.
struct SyntheticLoad {
  /// How calls follow each other.
  enum Shape: CaseIterable {
    /// Each at its own time.
    case even
    /// Some ten at once, all slow or all fast.
    case bursts
    /// Busy for some hundredths of the recording, then quiet, and so on.
    case phases
  }

  struct Source {
    var callback: String
    var callsPerSecond: Double
    /// In nanoseconds, from queueing to begin.
    var medianDelay: Double
    /// In nanoseconds.
    var medianRun = 900.0
  }

  var shape: Shape
  var seconds = 1.0
  var cpuCount = 4
  var sources = [
    Source(callback: "flush_tlb_func", callsPerSecond: 500, medianDelay: 4_000),
    Source(callback: "ipi_mb", callsPerSecond: 250, medianDelay: 2_500),
    Source(callback: "nohz_csd_func", callsPerSecond: 60, medianDelay: 9_000),
  ]

  static let kinds: Set<EventKind> = [
    .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU, .ipiSendCPUMask, .callFunctionSingleEntry,
    .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit, .rescheduleEntry, .rescheduleExit,
    .schedWakeIdleWithoutIPI, .schedSwitch,
  ]
  static let start: UInt64 = 7_123_456_789

  private struct Arrival {
    var time: Double
    var source: Int
    /// Times of one burst go together.
    var slowness: Double
  }

  /// The recording's events: every call runs before the next is made.
  func events(_ random: inout RepeatableRandom) -> [TraceEvent] {
    let arrivals = sources.indices.flatMap { self.arrivals($0, &random) }.sorted { $0.time < $1.time }
    var events: [TraceEvent] = []
    var time = Self.start
    for cpu in 0..<cpuCount {
      events.append(TraceEvent(nanoseconds: time, cpu: UInt16(cpu), kind: .schedSwitch, pid: 100, target: 100))
    }
    time += 1_000
    for arrival in arrivals {
      let source = sources[arrival.source]
      time = max(time, Self.start + UInt64(arrival.time * 1e9))
      let cpu = random.below(cpuCount)
      let target = (cpu + 1 + random.below(cpuCount - 1)) % cpuCount
      let delay = source.medianDelay * arrival.slowness * Self.spread(&random)
      let run = source.medianRun * Self.spread(&random)
      time = append(
        source.callback, from: cpu, to: target, at: time, delay: max(400, UInt64(delay)), run: UInt64(run), to: &events)
    }
    let end = max(time, Self.start + UInt64(seconds * 1e9))
    events.append(TraceEvent(nanoseconds: end, cpu: 0, kind: .schedSwitch, pid: 100, target: 100))
    return events
  }

  /// A factor between a quarter and four, seldom far from one.
  private static func spread(_ random: inout RepeatableRandom) -> Double {
    let sum = (0..<3).reduce(0.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
    return exp2(4 * sum / 3 - 2)
  }

  private static func gap(_ rate: Double, _ random: inout RepeatableRandom) -> Double {
    -log(1 - Double.random(in: 0..<1, using: &random)) / rate
  }

  private func arrivals(_ index: Int, _ random: inout RepeatableRandom) -> [Arrival] {
    let rate = sources[index].callsPerSecond
    var result: [Arrival] = []
    var time = 0.0
    switch shape {
    case .even:
      time = Self.gap(rate, &random)
      while time < seconds {
        result.append(Arrival(time: time, source: index, slowness: 1))
        time += Self.gap(rate, &random)
      }
    case .bursts:
      time = Self.gap(rate / 10, &random)
      while time < seconds {
        let slowness = Self.spread(&random)
        var moment = time
        repeat {
          result.append(Arrival(time: moment, source: index, slowness: slowness))
          moment += 30e-6
        } while random.chance(9.0 / 10) && moment < seconds
        time += Self.gap(rate / 10, &random)
      }
    case .phases:
      var isBusy = random.chance(0.5)
      var end = Self.gap(25 / seconds, &random)
      while time < seconds {
        time += Self.gap(isBusy ? rate * 1.8 : rate * 0.2, &random)
        if time >= end {
          time = end
          end += Self.gap(25 / seconds, &random)
          isBusy.toggle()
        } else if time < seconds {
          result.append(Arrival(time: time, source: index, slowness: 1))
        }
      }
    }
    return result
  }

  /// - Returns: the time after the call.
  private func append(
    _ callback: String, from source: Int, to target: Int, at time: UInt64, delay: UInt64, run: UInt64,
    to events: inout [TraceEvent]
  ) -> UInt64 {
    let function = ScriptNames.address(of: callback)
    let csd = ScriptNames.address(of: "csd \(source) \(target)")
    let (source, target) = (UInt16(source), UInt16(target))
    let hard: ContextFlags = [.hardInterrupt, .interruptsOff]
    func event(_ after: UInt64, _ cpu: UInt16, _ kind: EventKind, _ change: (inout TraceEvent) -> Void = { _ in }) {
      var event = TraceEvent(nanoseconds: time + after, cpu: cpu, kind: kind, pid: 100 + Int32(cpu))
      if cpu == target { event.flags = hard }
      change(&event)
      events.append(event)
    }
    event(0, source, .csdQueueCPU) {
      ($0.target, $0.function, $0.csd) = (Int32(target), function, csd)
      $0.callsite = ScriptNames.address(of: "generic_exec_single")
    }
    event(100, source, .ipiSendCPU) {
      ($0.target, $0.function) = (Int32(target), ScriptNames.address(of: ScriptNames.crossCall))
    }
    event(delay - 100, target, .callFunctionSingleEntry)
    event(delay, target, .csdFunctionEntry) { ($0.function, $0.csd) = (function, csd) }
    event(delay + run, target, .csdFunctionExit) { ($0.function, $0.csd) = (function, csd) }
    event(delay + run + 50, target, .callFunctionSingleExit)
    event(delay + run + 100, source, .schedSwitch) { $0.target = $0.pid }
    return time + delay + run + 200
  }
}

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
