public import CallHistories
public import TraceTypes

/// Hands the complete calls of a recording to a simulation.
///
/// Flushes are judged as in a replay, because what a flush shows of its nodes' types tells who waited.
public final class LoadCollector: CallHistoryConsumer {
  @exclusivity(unchecked) private var conformance = ConformanceDriver()
  private let simulation: Simulation
  private let kicksAreRecorded: Bool

  public init(simulation: Simulation, recordedKinds: Set<EventKind>) {
    self.simulation = simulation
    kicksAreRecorded = recordedKinds.isSuperset(of: [.ipiSendCPU, .ipiSendCPUMask, .schedWakeIdleWithoutIPI])
  }

  public func flushCompleted(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
    later: ContiguousArray<FlushMember>
  ) -> FlushJudgement {
    conformance.judge(flush, members: members, silent: silent, later: later, kicksAreRecorded: kicksAreRecorded)
  }

  public func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>) {
    simulation.write(call, targets: targets)
  }

  public func anomalyFound(_ anomaly: HistoryAnomaly) {}
  public func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {
    if kind == .crossCall, end >= start { simulation.handlerRan(on: Int(cpu), from: start, to: end) }
  }

  public func unqueuedCallback(_ event: TraceEvent) {}
  public func stateUnknown(_ stretch: UnknownStretch) {}
}

/// Measures what a simulation needs while a recording is replayed, and hands the calls on.
public struct SurveySink<Next: CompletedCallSink>: CompletedCallSink {
  public var costs = CostRecorder()
  public var chooser: CallChooser
  public var notWaiting = WaitlessCallers()
  public var next: Next
  private let nodes: [Int: Int]
  private let cores: [Int: Int]

  /// - Parameters:
  ///   - nodes: the NUMA node of each CPU, as far as known.
  ///   - cores: the core of each CPU, as far as known.
  public init(next: Next, nodes: [Int: Int], cores: [Int: Int] = [:], window: ClosedRange<UInt64>?) {
    self.next = next
    self.nodes = nodes
    self.cores = cores
    chooser = CallChooser(window: window)
  }

  public mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
    for index in targets.indices { measure(at: index, of: targets) }
    chooser.look(at: call, targets: targets)
    notWaiting.look(at: call)
    next.write(call, targets: targets)
  }

  public mutating func activitySeen(_ piece: CPUActivity) { next.activitySeen(piece) }

  public mutating func eventsLost(_ gap: TraceGap) { next.eventsLost(gap) }

  /// The item of an IPI between two CPUs; nil where it is not known how far apart they are.
  private func distance(from source: Int, to target: Int) -> CostModel.Item? {
    if let core = cores[source], core == cores[target] { return .deliverySameCore }
    guard let node = nodes[source], let other = nodes[target] else { return nil }
    return node == other ? .deliverySameNode : .deliveryOtherNode
  }

  private mutating func measure(at index: Int, of targets: Span<QueuedCall>) {
    let target = targets[index]
    // Between two targets there may be a wait for a csd as well.
    if targets.count == 1, let kicked = target.kicked, kicked >= target.queued {
      costs.record(.add, kicked - target.queued)
    }
    if let kicked = target.kicked {
      if let handler = target.handler, handler >= kicked {
        switch target.kick {
        case .ipi:
          costs.record(.delivery, handler - kicked)
          if let item = distance(from: Int(target.source), to: Int(target.target)) {
            costs.record(item, handler - kicked)
          }
        case .maskIPI: costs.record(.maskDelivery, handler - kicked)
        case .coalesced, .polling, .unknown, .undecided: break
        }
      }
      if target.kick == .polling, !target.inferred, let started = target.started, started >= kicked {
        costs.record(.pollingWake, started - kicked)
      }
    }
    if !target.inferred, let started = target.started, let ended = target.ended, ended >= started {
      costs.record(.callback, ended - started)
    }
  }
}

/// Sees what CPUs do by themselves: when they look at their queues, and how long they take no interrupt.
///
/// A CPU that leaves the idle loop flushes its queue before it schedules. Where it ran something, its callbacks show it, and
/// else the switch away from the idle task does. Between an IPI's sending and its target's next handler the target took none.
public struct OwnTimesReader: TraceEventConsumer, ~Copyable {
  private struct CPU {
    var isInHandler = false
    /// That handler's stretch, until its first callback begins.
    var stretch: LoadedStretch?
    /// When the first IPI was sent that it has not taken; `UInt64.max` without one.
    var sent = UInt64.max
    /// Its events were lost, and none has come since.
    var isInGap = false
  }

  private let simulation: Simulation
  private var cpus: [CPU] = []
  private let crossCall: UInt64?

  public init(simulation: Simulation, names: any AddressNaming) {
    self.simulation = simulation
    crossCall = names.addresses(ofSymbol: "generic_smp_call_function_single_interrupt").first
  }

  public mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    for index in events.indices {
      let event = events[index]
      let cpu = Int(event.cpu)
      ensure(cpu)
      cpus[cpu].isInGap = false
      switch event.kind {
      case .callFunctionSingleEntry, .callFunctionEntry:
        cpus[cpu].isInHandler = true
        endStretch(of: cpu)
        if cpus[cpu].sent < event.nanoseconds {
          cpus[cpu].stretch = LoadedStretch(from: cpus[cpu].sent, to: event.nanoseconds, cpu: Int32(cpu))
        }
        cpus[cpu].sent = .max
      case .callFunctionSingleExit, .callFunctionExit:
        endStretch(of: cpu)
        cpus[cpu].isInHandler = false
      case .ipiSendCPU:
        if isCrossCall(event) { sent(to: Int(event.target), at: event.nanoseconds) }
      case .ipiSendCPUMask:
        if isCrossCall(event) { sent(event, maskWords) }
      case .csdFunctionEntry:
        if let stretch = cpus[cpu].stretch {
          cpus[cpu].stretch?.entryNanoseconds = event.nanoseconds &- stretch.to
          endStretch(of: cpu)
        }
        if !cpus[cpu].isInHandler, event.csd != 0, event.flags.level == .task {
          simulation.flushed(cpu, at: event.nanoseconds)
        }
      case .schedSwitch:
        cpus[cpu].isInHandler = false
        if event.detail == 0 { simulation.flushed(cpu, at: event.nanoseconds) }
      default: break
      }
    }
  }

  private mutating func endStretch(of cpu: Int) {
    if let stretch = cpus[cpu].stretch { simulation.wasClosed(stretch) }
    cpus[cpu].stretch = nil
  }

  private func isCrossCall(_ event: TraceEvent) -> Bool { crossCall.map { $0 == event.function } ?? true }

  private mutating func ensure(_ cpu: Int) {
    while cpus.count <= cpu { cpus.append(CPU()) }
  }

  private mutating func sent(to target: Int, at time: UInt64) {
    guard target >= 0, target < Simulation.mostCPUs else { return }
    ensure(target)
    // Its handler may be among what was lost.
    if cpus[target].isInGap { return }
    cpus[target].sent = min(cpus[target].sent, time)
  }

  private mutating func sent(_ event: TraceEvent, _ words: Span<UInt64>) {
    let first = Int(event.target)
    guard first >= 0, event.detail >= 0, first + Int(event.detail) <= words.count else { return }
    for index in 0..<Int(event.detail) {
      var rest = words[first + index]
      while rest != 0 {
        sent(to: index * 64 + rest.trailingZeroBitCount, at: event.nanoseconds)
        rest &= rest - 1
      }
    }
  }

  public mutating func gapBegan(_ gap: TraceGap) {
    ensure(Int(gap.cpu))
    cpus[Int(gap.cpu)] = CPU(isInGap: true)
  }
}

/// Hands events to two consumers, first those of one CPU in a row to both: neither sees much more than the other.
public struct EventPair<First: TraceEventConsumer & ~Copyable, Second: TraceEventConsumer & ~Copyable>:
  TraceEventConsumer, ~Copyable
{
  public var first: First
  public var second: Second

  public init(_ first: consuming First, _ second: consuming Second) {
    self.first = first
    self.second = second
  }

  public mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    var start = 0
    while start < events.count {
      var end = start + 1
      while end < events.count, events[end].cpu == events[start].cpu { end += 1 }
      let run = events.extracting(start..<end)
      first.consume(run, maskWords: maskWords)
      second.consume(run, maskWords: maskWords)
      start = end
    }
  }

  public mutating func gapBegan(_ gap: TraceGap) {
    first.gapBegan(gap)
    second.gapBegan(gap)
  }
}
