/// The kernel events that ipitrace understands.
///
/// The raw value is dense and starts at 0, so that tables can be indexed by it.
public enum EventKind: UInt8, CaseIterable, Sendable {
  case csdQueueCPU
  case csdFunctionEntry
  case csdFunctionExit
  case ipiSendCPU
  case ipiSendCPUMask
  case ipiRaise
  /// A handler of interprocessor interrupts began, on architectures that trace `ipi_entry` (arm, arm64). The decoder
  /// turns those whose reason is a function call, a reschedule or irq_work into the kinds below.
  case ipiEntry
  case ipiExit
  case callFunctionSingleEntry
  case callFunctionSingleExit
  case callFunctionEntry
  case callFunctionExit
  case rescheduleEntry
  case rescheduleExit
  case irqWorkEntry
  case irqWorkExit
  case schedWakeIdleWithoutIPI
  case schedSwitch
  case cpuIdle
  case cpuhpEnter
  case cpuhpMultiEnter
  case cpuhpExit
  /// An event of a type that ipitrace does not read. It still says that its CPU was alive and in which context.
  case other

  /// Whether its `target` and `detail` are a mask's place and number of words.
  @inlinable public var hasMask: Bool { self == .ipiSendCPUMask || self == .ipiRaise }

  /// The tracing system that the event belongs to, for example `csd`.
  public var system: String {
    switch self {
    case .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit: "csd"
    case .ipiSendCPU, .ipiSendCPUMask, .ipiRaise, .ipiEntry, .ipiExit: "ipi"
    case .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit, .rescheduleEntry,
      .rescheduleExit, .irqWorkEntry, .irqWorkExit:
      "irq_vectors"
    case .schedWakeIdleWithoutIPI, .schedSwitch: "sched"
    case .cpuIdle: "power"
    case .cpuhpEnter, .cpuhpMultiEnter, .cpuhpExit: "cpuhp"
    case .other: ""
    }
  }

  /// The kernel's name of the event within its system, for example `csd_queue_cpu`.
  public var name: String {
    switch self {
    case .csdQueueCPU: "csd_queue_cpu"
    case .csdFunctionEntry: "csd_function_entry"
    case .csdFunctionExit: "csd_function_exit"
    case .ipiSendCPU: "ipi_send_cpu"
    case .ipiSendCPUMask: "ipi_send_cpumask"
    case .ipiRaise: "ipi_raise"
    case .ipiEntry: "ipi_entry"
    case .ipiExit: "ipi_exit"
    case .callFunctionSingleEntry: "call_function_single_entry"
    case .callFunctionSingleExit: "call_function_single_exit"
    case .callFunctionEntry: "call_function_entry"
    case .callFunctionExit: "call_function_exit"
    case .rescheduleEntry: "reschedule_entry"
    case .rescheduleExit: "reschedule_exit"
    case .irqWorkEntry: "irq_work_entry"
    case .irqWorkExit: "irq_work_exit"
    case .schedWakeIdleWithoutIPI: "sched_wake_idle_without_ipi"
    case .schedSwitch: "sched_switch"
    case .cpuIdle: "cpu_idle"
    case .cpuhpEnter: "cpuhp_enter"
    case .cpuhpMultiEnter: "cpuhp_multi_enter"
    case .cpuhpExit: "cpuhp_exit"
    case .other: "other"
    }
  }

  /// The kinds as which the decoder may deliver events of this one: for `ipiEntry` and `ipiExit` several, else itself.
  public var decodedKinds: [EventKind] {
    switch self {
    case .ipiEntry: [self, .callFunctionEntry, .rescheduleEntry, .irqWorkEntry]
    case .ipiExit: [self, .callFunctionExit, .rescheduleExit, .irqWorkExit]
    default: [self]
    }
  }

  /// System and name as the kernel and trace-cmd write them, for example `csd:csd_queue_cpu`.
  public var qualifiedName: String { system.isEmpty ? name : "\(system):\(name)" }

  /// The kind with this qualified name, or nil where ipitrace does not read such an event.
  /// - Complexity: O(number of kinds).
  public init?(qualifiedName: String) {
    guard let kind = Self.allCases.first(where: { $0 != .other && $0.qualifiedName == qualifiedName }) else {
      return nil
    }
    self = kind
  }
}
