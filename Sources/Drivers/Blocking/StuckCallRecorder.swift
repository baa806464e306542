import CallHistories
import TraceTypes
import Verdicts

/// Keeps the calls that never ran.
struct StuckCallRecorder {
  static let keptCalls = 20
  /// A call that is younger than this when the trace ends is nothing strange.
  static let thresholdNanoseconds: UInt64 = 1_000_000

  private struct Call {
    var call: QueuedCall
    var pid: Int32
  }

  private var count: UInt64 = 0
  private var oldest: [Call] = []

  /// Takes a call that is lost, or still pending at the end of the trace.
  mutating func add(_ call: QueuedCall, pid: Int32, end: TraceEnd?) {
    if call.outcome == .pending, let end, end.time - min(end.time, call.queued) < Self.thresholdNanoseconds { return }
    count += 1
    if oldest.count == Self.keptCalls, let youngest = oldest.last, call.queued >= youngest.call.queued { return }
    oldest.insert(Call(call: call, pid: pid), at: oldest.firstIndex { $0.call.queued > call.queued } ?? oldest.count)
    if oldest.count > Self.keptCalls { oldest.removeLast() }
  }

  func summary(end: TraceEnd, names: any AddressNaming, comm: (Int32) -> String?) -> BlockingSummary.StuckCalls {
    BlockingSummary.StuckCalls(
      thresholdNanoseconds: Self.thresholdNanoseconds, count: count,
      oldest: oldest.map { stuck in
        let call = stuck.call
        let targetSeen = end.lastEvent(of: call.target).flatMap { $0 > call.queued ? $0 - call.queued : nil }
        return BlockingSummary.StuckCalls.Call(
          kind: call.kind.name, source: Int(call.source), target: Int(call.target), callback: names.text(call.function),
          callsite: names.text(call.callsite), comm: comm(stuck.pid), queuedNanoseconds: call.queued,
          kickNanoseconds: call.kicked, ageNanoseconds: end.time > call.queued ? end.time - call.queued : 0,
          targetSeenNanoseconds: targetSeen, outcome: call.outcome == .lost ? .lost : .pending,
          sourceState: end.state(of: call.source, names: names, comm: comm),
          targetState: end.state(of: call.target, names: names, comm: comm))
      })
  }
}

/// What was last seen when the trace ended.
struct TraceEnd {
  var time: UInt64 = 0
  var states: [CPULastState] = []

  func lastEvent(of cpu: UInt16) -> UInt64? { Int(cpu) < states.count ? states[Int(cpu)].lastEvent?.nanoseconds : nil }

  /// A CPU's last state in words' reach; nil for a CPU of which the trace knows nothing.
  func state(of cpu: UInt16, names: any AddressNaming, comm: (Int32) -> String?) -> BlockingSummary.CPUState? {
    guard Int(cpu) < states.count else { return nil }
    let state = states[Int(cpu)]
    let hotplug: BlockingSummary.CPUState.Hotplug =
      switch state.hotplug {
      case .none: .none
      case .goingOffline: .goingOffline
      case .offline: .offline
      case .comingOnline: .comingOnline
      }
    let context: BlockingSummary.CPUState.Context =
      switch state.flags.level {
      case _ where state.lastEvent == nil: .unknown
      case .task: .task
      case .soft: .softInterrupt
      case .hard: .hardInterrupt
      case .nonMaskable: .nonMaskable
      }
    return BlockingSummary.CPUState(
      cpu: Int(cpu), timeNanoseconds: state.lastEvent?.nanoseconds, event: state.lastEvent?.kind.qualifiedName,
      context: context, interruptsOff: state.flags.contains(.interruptsOff), pid: state.pid.map(Int.init),
      comm: state.pid.flatMap(comm), handlerSinceNanoseconds: state.handlerStarted,
      callback: state.function.map(names.text), callbackSinceNanoseconds: state.functionStarted, hotplug: hotplug)
  }
}
