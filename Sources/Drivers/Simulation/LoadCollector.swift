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
  public func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {}
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

  /// - Parameter nodes: the NUMA node of each CPU, as far as known.
  public init(next: Next, nodes: [Int: Int], window: ClosedRange<UInt64>?) {
    self.next = next
    self.nodes = nodes
    chooser = CallChooser(window: window)
  }

  public mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
    for index in targets.indices { measure(at: index, of: targets) }
    chooser.look(at: call, targets: targets)
    notWaiting.look(at: call)
    next.write(call, targets: targets)
  }

  private mutating func measure(at index: Int, of targets: Span<QueuedCall>) {
    let target = targets[index]
    let following = index + 1 < targets.count ? targets[index + 1].queued : target.kicked
    if let following, following >= target.queued { costs.record(.add, following - target.queued) }
    if let kicked = target.kicked {
      if let handler = target.handler, handler >= kicked {
        switch target.kick {
        case .ipi:
          costs.record(.delivery, handler - kicked)
          if let source = nodes[Int(target.source)], let other = nodes[Int(target.target)] {
            costs.record(source == other ? .deliverySameNode : .deliveryOtherNode, handler - kicked)
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

/// Sees CPUs look at their queues by themselves.
///
/// A CPU that leaves the idle loop flushes its queue before it schedules. Where it ran something, its callbacks show it, and
/// else the switch away from the idle task does.
public struct OwnFlushReader: TraceEventConsumer, ~Copyable {
  private let simulation: Simulation
  /// By CPU: within a handler.
  private var isInHandler: [Bool] = []

  public init(simulation: Simulation) { self.simulation = simulation }

  public mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    guard events.count > 0 else { return }
    let cpu = Int(events[0].cpu)
    while isInHandler.count <= cpu { isInHandler.append(false) }
    for index in events.indices {
      switch events[index].kind {
      case .callFunctionSingleEntry, .callFunctionEntry: isInHandler[cpu] = true
      case .callFunctionSingleExit, .callFunctionExit: isInHandler[cpu] = false
      case .csdFunctionEntry:
        if !isInHandler[cpu], events[index].csd != 0, events[index].flags.level == .task {
          simulation.flushed(cpu, at: events[index].nanoseconds)
        }
      case .schedSwitch:
        isInHandler[cpu] = false
        if events[index].detail == 0 { simulation.flushed(cpu, at: events[index].nanoseconds) }
      default: break
      }
    }
  }

  public mutating func gapBegan(_ gap: TraceGap) {
    if Int(gap.cpu) < isInHandler.count { isInHandler[Int(gap.cpu)] = false }
  }
}

/// Hands events to two consumers.
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
    first.consume(events, maskWords: maskWords)
    second.consume(events, maskWords: maskWords)
  }

  public mutating func gapBegan(_ gap: TraceGap) {
    first.gapBegan(gap)
    second.gapBegan(gap)
  }
}
