import CallHistories
import TraceTypes
import Verdicts

/// One side's values, wherever they come from.
struct MeasuredSide {
  /// What is measured.
  enum Place: Hashable {
    case total
    case callback(String)
    case cpu(Int)
  }

  let input: ComparisonInput
  let losses: ComparedLosses
  /// The length of the recording; nil where it has none, or where the clock does not count nanoseconds.
  let seconds: Double?
  let span: ClosedRange<UInt64>?
  /// All slices together.
  private let whole: SlicedStatistics.Slice
  private let callbackNumbers: [String: Int]
  private let cpuNumbers: [Int: Int]
  private let savedCallbacks: [String: [CallSummary.Callback]]
  private let savedCPUs: [Int: (calls: UInt64, ipis: UInt64)]
  private let savedInterference: [Int: Interference]

  init(_ input: ComparisonInput) {
    self.input = input
    losses = ComparedLosses(input.result)
    let trace = input.result.trace
    if let start = trace.startNanoseconds, let end = trace.endNanoseconds, end > start {
      span = start...end
    } else {
      span = nil
    }
    let countsTime = TraceClock.countsNanoseconds(trace.clock)
    seconds = countsTime ? span.map { Double($0.upperBound - $0.lowerBound) / 1e9 } : nil
    var whole = SlicedStatistics.Slice()
    for slice in input.slices?.slices ?? [] { whole.add(slice) }
    self.whole = whole
    let names = input.slices?.callbackNames ?? []
    callbackNumbers = Dictionary(zip(names, names.indices)) { first, _ in first }
    let cpus = input.slices?.cpus ?? []
    cpuNumbers = Dictionary(zip(cpus, cpus.indices)) { first, _ in first }
    if input.slices == nil {
      savedCallbacks = Dictionary(grouping: input.result.calls.byCallback) { CallbackName.comparable($0.callback) }
      var cells: [Int: (calls: UInt64, ipis: UInt64)] = [:]
      // What runs in place is no call to another CPU.
      for cell in input.result.matrix.cells where cell.source != cell.target {
        let sum = cells[cell.target] ?? (0, 0)
        cells[cell.target] = (sum.calls.plus(cell.calls), sum.ipis.plus(cell.ipis))
      }
      savedCPUs = cells
      savedInterference = Dictionary(input.result.interference.map { ($0.cpu, $0) }) { first, _ in first }
    } else {
      (savedCallbacks, savedCPUs, savedInterference) = ([:], [:], [:])
    }
  }

  var callbacks: [String] { input.slices?.callbackNames ?? savedCallbacks.keys.sorted() }

  /// CPUs that were recorded or called.
  var cpus: Set<Int> {
    Set(input.recordedCPUs).union(cpuNumbers.keys).union(
      savedCPUs.keys.filter { $0 >= 0 && $0 <= CPUMask.highestCPU })
  }

  /// Whether anything was seen of it.
  func has(_ place: Place) -> Bool {
    switch place {
    case .total: true
    case .callback(let name): callbackNumbers[name] != nil || savedCallbacks[name] != nil
    case .cpu(let cpu): cpus.contains(cpu)
    }
  }

  func key(_ place: Place) -> SlicedStatistics.Key? {
    switch place {
    case .total: .total
    case .callback(let name): callbackNumbers[name].map { .callback($0) }
    case .cpu(let cpu): cpuNumbers[cpu].map { .cpu($0) }
    }
  }

  /// What was counted in all, empty where nothing was; nil for a saved result.
  func cell(_ place: Place) -> SlicedStatistics.Cell? {
    if input.slices == nil { return nil }
    return key(place).flatMap { whole.cell($0) } ?? SlicedStatistics.Cell()
  }

  /// The types of events that a measure is made of, as far as they are recorded.
  func kinds(of measure: ComparedMeasure) -> Set<EventKind> { input.recordedKinds.intersection(Self.needed(measure)) }

  private static func needed(_ measure: ComparedMeasure) -> Set<EventKind> {
    switch measure {
    case .calls: [.csdQueueCPU]
    case .interrupts: [.csdQueueCPU, .ipiSendCPU, .ipiSendCPUMask]
    case .callbacks: [.csdFunctionEntry]
    case .callbackTime, .runMean, .runP50, .runP99: [.csdFunctionEntry, .csdFunctionExit]
    case .handlers, .handlerTime:
      [.callFunctionEntry, .callFunctionExit, .callFunctionSingleEntry, .callFunctionSingleExit]
    case .reschedules: [.rescheduleEntry, .rescheduleExit]
    case .mean, .p50, .p99: [.csdQueueCPU, .csdFunctionEntry]
    }
  }

  /// Why the value is not known, or nil where it is.
  func absence(_ measure: ComparedMeasure, _ place: Place) -> NotComparedReason? {
    let kinds = kinds(of: measure)
    let isRecorded =
      switch measure {
      case .calls, .callbacks, .callbackTime, .runMean, .runP50, .runP99, .reschedules, .mean, .p50, .p99:
        kinds == Self.needed(measure)
      case .interrupts: kinds.contains(.csdQueueCPU) && kinds.count > 1
      case .handlers, .handlerTime:
        kinds.isSuperset(of: [.callFunctionEntry, .callFunctionExit])
          || kinds.isSuperset(of: [.callFunctionSingleEntry, .callFunctionSingleExit])
      }
    if !isRecorded { return .eventsNotRecorded }
    if case .cpu(let cpu) = place, !cpus.contains(cpu) { return .cpuNotRecorded }
    if input.slices?.isCrowded == true, key(place) == nil { return .tooMany }
    return input.slices == nil && saved(measure, place) == nil ? .notInResult : nil
  }

  /// The value, as far as it is known.
  func value(_ measure: ComparedMeasure, _ place: Place) -> ComparedItem.Value {
    guard absence(measure, place) == nil else { return ComparedItem.Value(count: nil, value: nil) }
    if input.slices == nil { return saved(measure, place) ?? ComparedItem.Value(count: nil, value: nil) }
    let cell = cell(place) ?? SlicedStatistics.Cell()
    switch measure {
    case .calls: return rate(cell.calls)
    case .interrupts: return rate(cell.interrupts)
    case .callbacks: return rate(cell.callbacks)
    case .callbackTime: return rate(cell.callbackTime)
    case .handlers: return rate(cell.handlers)
    case .handlerTime: return rate(cell.handlerTime)
    case .reschedules: return rate(cell.reschedules)
    case .mean, .p50, .p99: return Self.duration(measure, durations(place)?.delay)
    case .runMean, .runP50, .runP99: return Self.duration(measure, durations(place)?.run)
    }
  }

  private func durations(_ place: Place) -> SlicedStatistics.Durations? {
    guard let slices = input.slices, let key = key(place) else { return nil }
    switch key {
    case .total: return slices.total
    case .callback(let number): return slices.callbackDurations[number]
    case .cpu(let number): return slices.cpuDurations[number]
    }
  }

  private func rate(_ count: UInt64) -> ComparedItem.Value {
    ComparedItem.Value(count: count, value: seconds.map { Double(count) / $0 })
  }

  private static func duration(_ measure: ComparedMeasure, _ summary: DurationSummary?) -> ComparedItem.Value {
    guard let summary else { return ComparedItem.Value(count: 0, value: nil) }
    let value: Double? =
      switch measure {
      case .p50, .runP50: summary.p50Nanoseconds.map { Double($0) }
      case .p99, .runP99: summary.p99Nanoseconds.map { Double($0) }
      default: summary.count > 0 ? Double(summary.sumNanoseconds) / Double(summary.count) : nil
      }
    return ComparedItem.Value(count: summary.count, value: value)
  }

  // MARK: Saved results

  private func saved(_ measure: ComparedMeasure, _ place: Place) -> ComparedItem.Value? {
    let result = input.result
    switch place {
    case .total:
      switch measure {
      case .calls: return rate(result.verdict.accounting.queued)
      case .interrupts: return rate(result.kicks.ipi.plus(result.kicks.maskIPI))
      case .mean, .p50, .p99: return Self.duration(measure, result.latency.queueToStart.summary)
      case .runMean, .runP50, .runP99: return Self.duration(measure, result.latency.startToEnd.summary)
      case .callbacks, .callbackTime, .handlers, .handlerTime, .reschedules: return nil
      }
    case .callback(let name): return saved(measure, callback: savedCallbacks[name] ?? [])
    case .cpu(let cpu):
      switch measure {
      case .calls: return rate(savedCPUs[cpu]?.calls ?? 0)
      case .interrupts: return rate(savedCPUs[cpu]?.ipis ?? 0)
      default: return saved(measure, interference: savedInterference[cpu])
      }
    }
  }

  private func saved(_ measure: ComparedMeasure, callback rows: [CallSummary.Callback]) -> ComparedItem.Value? {
    switch measure {
    case .calls: return rate(rows.reduce(0) { $0.plus($1.queued) })
    case .interrupts:
      // The rows count kicks of polling CPUs as well.
      return input.result.kicks.polling == 0 ? rate(rows.reduce(0) { $0.plus($1.kicks) }) : nil
    // Percentiles of several rows can't be put together.
    case .mean, .p50, .p99: return rows.count > 1 ? nil : Self.duration(measure, rows.first?.delay)
    case .runMean, .runP50, .runP99: return rows.count > 1 ? nil : Self.duration(measure, rows.first?.run)
    case .callbacks, .callbackTime, .handlers, .handlerTime, .reschedules: return nil
    }
  }

  private func saved(_ measure: ComparedMeasure, interference cpu: Interference?) -> ComparedItem.Value? {
    switch measure {
    case .callbacks: cpu?.callbacks.map(rate)
    case .callbackTime: cpu?.callbackNanoseconds.map(rate)
    case .handlers: cpu?.handlers.map(rate)
    case .handlerTime: cpu?.handlerNanoseconds.map(rate)
    case .reschedules: cpu?.reschedules.map(rate)
    default: nil
    }
  }
}

extension UInt64 {
  /// The sum, or the largest value where it would be larger: a saved result may hold any number.
  fileprivate func plus(_ other: UInt64) -> UInt64 {
    let sum = addingReportingOverflow(other)
    return sum.overflow ? .max : sum.partialValue
  }
}
