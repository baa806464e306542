public import CallHistories
public import TraceTypes
public import Verdicts

/// Reads a short stretch of a trace for drawing. Feed it the events from a little before the stretch to a little after it.
public struct TimelineReader: TraceEventConsumer, ~Copyable {
  /// More is not readable in a picture.
  public static let mostSlices = 600
  public static let mostFlows = 300

  private var builder: HistoryBuilder
  private let collector: Collector
  private var idleSince: [UInt16: UInt64] = [:]

  final class Collector: CallHistoryConsumer {
    let window: ClosedRange<UInt64>
    let names: any AddressNaming
    var slices: [Timeline.Slice] = []
    var flows: [Timeline.Flow] = []
    var cpus: Set<Int> = []
    var truncated = false

    init(window: ClosedRange<UInt64>, names: any AddressNaming) {
      self.window = window
      self.names = names
    }

    func flushCompleted(
      _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
      later: ContiguousArray<FlushMember>
    ) -> FlushJudgement { FlushJudgement(.explained) }

    func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>) {
      for index in targets.indices {
        let target = targets[index]
        let end = target.ended ?? target.started ?? target.kicked ?? target.queued
        guard target.queued <= window.upperBound, end >= window.lowerBound else { continue }
        addFlow(target)
        if let started = target.started, let ended = target.ended, !target.inferred {
          addSlice(.callback, cpu: Int(target.target), name: names.text(target.function), started, ended)
        }
      }
      if let started = call.localStarted, let ended = call.localEnded {
        addSlice(.callback, cpu: Int(call.source), name: names.text(call.function), started, ended)
      }
    }

    private func addFlow(_ call: QueuedCall) {
      guard flows.count < TimelineReader.mostFlows else {
        truncated = true
        return
      }
      cpus.insert(Int(call.source))
      cpus.insert(Int(call.target))
      flows.append(
        Timeline.Flow(
          source: Int(call.source), target: Int(call.target), callback: names.text(call.function),
          kick: call.kick.name, queuedNanoseconds: call.queued, kickNanoseconds: call.kicked,
          startedNanoseconds: call.started, endedNanoseconds: call.ended))
    }

    func addSlice(_ kind: Timeline.Slice.Kind, cpu: Int, name: String, _ start: UInt64, _ end: UInt64) {
      guard start <= window.upperBound, end >= window.lowerBound else { return }
      guard slices.count < TimelineReader.mostSlices else {
        truncated = true
        return
      }
      cpus.insert(cpu)
      slices.append(Timeline.Slice(cpu: cpu, kind: kind, name: name, startNanoseconds: start, endNanoseconds: end))
    }

    func anomalyFound(_ anomaly: HistoryAnomaly) {}

    func stateUnknown(_ stretch: UnknownStretch) {}

    func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {
      let name =
        switch kind {
        case .crossCall: "call_function"
        case .reschedule: "reschedule"
        case .irqWork: "irq_work"
        }
      addSlice(.handler, cpu: Int(cpu), name: name, start, end)
    }

    func unqueuedCallback(_ event: TraceEvent) {}
  }

  public init(window: ClosedRange<UInt64>, settings: HistorySettings, names: any AddressNaming) {
    collector = Collector(window: window, names: names)
    builder = HistoryBuilder(settings: settings, names: names, consumer: collector)
  }

  public mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    // What is drawn comes in the order of time, nearly: a picture that has no room for all shows all that happened early on.
    var start = 0
    while start < events.count {
      var end = start + 1
      while end < events.count, events[end].cpu == events[start].cpu { end += 1 }
      builder.consume(events.extracting(start..<end), maskWords: maskWords)
      for index in start..<end where events[index].kind == .cpuIdle { idle(events[index]) }
      start = end
    }
  }

  private mutating func idle(_ event: TraceEvent) {
    if event.detail >= 0 {
      idleSince[event.cpu] = event.nanoseconds
    } else if let start = idleSince.removeValue(forKey: event.cpu) {
      collector.addSlice(.idle, cpu: Int(event.cpu), name: "idle", start, event.nanoseconds)
    }
  }

  public mutating func gapBegan(_ gap: TraceGap) { builder.gapBegan(gap) }

  /// The timeline of the window.
  public mutating func finish(choice: Timeline.Choice) -> Timeline {
    builder.finish()
    for (cpu, start) in idleSince.sorted(by: { $0.key < $1.key }) {
      collector.addSlice(.idle, cpu: Int(cpu), name: "idle", start, collector.window.upperBound)
    }
    let result = collector
    return Timeline(
      choice: choice, startNanoseconds: result.window.lowerBound, endNanoseconds: result.window.upperBound,
      cpus: result.cpus.sorted(),
      slices: result.slices.sorted {
        ($0.startNanoseconds, $0.cpu, $1.endNanoseconds) < ($1.startNanoseconds, $1.cpu, $0.endNanoseconds)
      },
      flows: result.flows.sorted {
        ($0.queuedNanoseconds, $0.source, $0.target) < ($1.queuedNanoseconds, $1.source, $1.target)
      },
      truncated: result.truncated)
  }
}
