import TestSupport
import Testing
import TraceTypes

@testable import CallHistories

/// Takes everything and keeps nothing.
private final class Ignorer: CallHistoryConsumer {
  func flushCompleted(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
    later: ContiguousArray<FlushMember>
  ) -> FlushJudgement { FlushJudgement(.explained) }
  func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>) {}
  func anomalyFound(_ anomaly: HistoryAnomaly) {}
  func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {}
  func unqueuedCallback(_ event: TraceEvent) {}
  func stateUnknown(_ stretch: UnknownStretch) {}
}

/// Events that the recorder causes inside the probe of another event.
@Suite struct ProbeEventTests {
  private static func switched(_ time: UInt64, from: Int32, to: Int32) -> TraceEvent {
    TraceEvent(
      nanoseconds: time, cpu: 0, kind: .schedSwitch, flags: .interruptsOff, pid: from, target: to, detail: from)
  }

  private static func event(_ time: UInt64, _ kind: EventKind, pid: Int32, target: Int32 = 0) -> TraceEvent {
    TraceEvent(
      nanoseconds: time, cpu: 0, kind: kind, flags: .interruptsOff, pid: pid,
      function: kind == .ipiSendCPU ? ScriptNames.address(of: "rb_wake_up_waiters") : 0, target: target)
  }

  private static func silentLosses(_ events: [TraceEvent]) -> UInt64 {
    var settings = HistorySettings()
    settings.cpus = [0]
    settings.recordedKinds = Set(EventKind.allCases)
    var builder = HistoryBuilder(settings: settings, names: ScriptNames(), consumer: Ignorer())
    builder.consume(events.span, maskWords: [UInt64]().span)
    builder.finish()
    return builder.statistics.silentLosses[0] ?? 0
  }

  /// The recorder's self-IPI, raised while a context switch is traced, is still of the task that leaves.
  @Test(arguments: [false, true]) func aWakeupInTheProbeOfASwitchIsNoLoss(_ isArm: Bool) {
    var events = [Self.switched(10, from: 7, to: 8), Self.event(11, .ipiSendCPU, pid: 7)]
    if isArm { events.append(Self.event(12, .ipiRaise, pid: 7)) }
    events.append(Self.event(13, .cpuIdle, pid: 8))
    #expect(Self.silentLosses(events) == 0)
  }

  /// Anything else of that task, or the same of a third one, shows that events are missing.
  @Test func otherTasksAreStillNoticed() {
    let left = [Self.switched(10, from: 7, to: 8), Self.event(11, .cpuIdle, pid: 7)]
    #expect(Self.silentLosses(left) == 1)
    let third = [Self.switched(10, from: 7, to: 8), Self.event(11, .ipiSendCPU, pid: 9)]
    #expect(Self.silentLosses(third) == 1)
    let other = [Self.switched(10, from: 7, to: 8), Self.event(11, .ipiSendCPU, pid: 7, target: 1)]
    #expect(Self.silentLosses(other) == 1)
  }

  @Test(arguments: [
    ("generic_exec_single", "generic_exec_single"), ("generic_exec_single.constprop.0", "generic_exec_single"),
    ("irq_work_queue_on.isra.0.cold", "irq_work_queue_on"), ("__ttwu_queue_wakelist.llvm.123", "__ttwu_queue_wakelist"),
    (".hidden", ".hidden"), ("", ""),
  ]) func namesLoseTheSuffixesOfTheCompiler(_ name: String, _ expected: String) {
    #expect(HistoryBuilder.withoutSuffix(name) == expected)
  }
}
