public import TraceTypes
import Verdicts

/// What can't be answered, because types of events can't be in the trace: the kernel was too old, or they were not
/// recorded.
extension HealthWords {
  /// One item per question that stays open, with what is left.
  /// - Parameter readable: the kinds that may be in the trace: switched on, as far as that is known, and described by
  ///   the file.
  public static func unanswered(readable: Set<EventKind>) -> [TraceHealth.Item] {
    func item(_ name: String, _ absent: [EventKind], _ remedy: String) -> TraceHealth.Item {
      TraceHealth.Item(
        name: name, count: UInt64(absent.count { !readable.contains($0) }), severity: .dataLoss, remedy: remedy)
    }
    var items: [TraceHealth.Item] = []
    if !readable.contains(.csdQueueCPU) {
      let remedy =
        "The trace can't have csd:csd_queue_cpu, which kernels have since 6.5. So nothing tells who calls whom, when "
        + "and from where: no call is counted or judged, and no delay is known. "
      items.append(item(callsNotRecorded, [.csdQueueCPU], remedy + whatIsLeft(readable)))
    }
    if !readable.isSuperset(of: [.csdFunctionEntry, .csdFunctionExit]) {
      let remedy =
        "The trace can't have both csd:csd_function_entry and csd:csd_function_exit, which kernels have since 6.4. So "
        + "nothing tells which callbacks ran and for how long, and lost, late or reordered calls are not judged."
      items.append(item("callbacksNotRecorded", [.csdFunctionEntry, .csdFunctionExit], remedy))
    }
    if !readable.isSuperset(of: [.ipiSendCPU, .ipiSendCPUMask]) {
      let remedy =
        "The trace can't have both ipi:ipi_send_cpu and ipi:ipi_send_cpumask, which kernels have since 6.4. So "
        + "nothing tells who sent an IPI, and missing or needless kicks are not judged."
      items.append(item("sendsNotRecorded", [.ipiSendCPU, .ipiSendCPUMask], remedy))
    }
    if !recordsHandlers(readable) {
      let remedy =
        "The trace can't have the begins and ends of interrupt handlers: irq_vectors:call_function* on x86, "
        + "ipi:ipi_entry and ipi:ipi_exit, with the texts of their reasons, on arm. So nothing tells how often a CPU "
        + "was interrupted and for how long."
      items.append(item("handlersNotRecorded", [.callFunctionSingleEntry, .callFunctionEntry, .ipiEntry], remedy))
    }
    return items
  }

  static let callsNotRecorded = "callsNotRecorded"

  /// Whether handlers of cross calls can be told from beginning to end.
  public static func recordsHandlers(_ readable: Set<EventKind>) -> Bool {
    readable.isSuperset(of: [.ipiEntry, .ipiExit])
      || readable.isSuperset(of: [
        .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit,
      ])
  }

  private static func whatIsLeft(_ readable: Set<EventKind>) -> String {
    let handlers = recordsHandlers(readable)
    let callbacks = readable.isSuperset(of: [.csdFunctionEntry, .csdFunctionExit])
    return switch (handlers, callbacks) {
    case (true, true): "What interrupted each CPU, by callback, is listed under Interference."
    case (true, false): "How often and for how long each CPU was interrupted is listed under Interference."
    case (false, true): "Which callbacks ran on each CPU is listed under Interference."
    case (false, false): "Nothing of what interrupts CPUs is left."
    }
  }
}

extension ReplayResult {
  /// Whether queue events can be in the trace.
  var canHaveCalls: Bool { !health.contains { $0.name == HealthWords.callsNotRecorded } }
}
