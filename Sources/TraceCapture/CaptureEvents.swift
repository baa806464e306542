import TraceTypes

/// Which events a recording asks for, and what an analysis reads of each.
enum CaptureEvents {
  /// The events that a kernel of this architecture should have, in the order in which they are switched on.
  ///
  /// - Parameter withSwitches: false leaves `sched_switch` out, which is most of the volume of a busy machine.
  static func expected(withSwitches: Bool) -> [EventKind] {
    var kinds: [EventKind] = [
      .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU, .ipiSendCPUMask,
    ]
    #if arch(x86_64) || arch(i386)
      kinds += [
        .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit, .rescheduleEntry,
        .rescheduleExit, .irqWorkEntry, .irqWorkExit,
      ]
    #elseif arch(arm64) || arch(arm)
      kinds += [.ipiRaise, .ipiEntry, .ipiExit]
    #endif
    kinds += [.schedWakeIdleWithoutIPI, .cpuIdle, .cpuhpEnter, .cpuhpMultiEnter, .cpuhpExit]
    if withSwitches { kinds.append(.schedSwitch) }
    return kinds
  }

  /// The fields without which an event of this kind tells an analysis less than it should.
  static func neededFields(_ kind: EventKind) -> [String] {
    switch kind {
    case .csdQueueCPU: ["cpu", "callsite", "func", "csd"]
    case .csdFunctionEntry, .csdFunctionExit: ["func", "csd"]
    case .ipiSendCPU: ["cpu", "callsite", "callback"]
    case .ipiSendCPUMask: ["cpumask", "callsite", "callback"]
    case .ipiRaise: ["target_cpus", "reason"]
    case .ipiEntry, .ipiExit: ["reason"]
    case .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit, .rescheduleEntry,
      .rescheduleExit, .irqWorkEntry, .irqWorkExit:
      []
    case .schedWakeIdleWithoutIPI: ["cpu"]
    case .schedSwitch: ["prev_pid", "next_comm", "next_pid"]
    case .cpuIdle: ["state", "cpu_id"]
    case .cpuhpEnter, .cpuhpMultiEnter: ["cpu", "target", "idx", "fun"]
    case .cpuhpExit: ["cpu", "state", "idx", "ret"]
    case .other: []
    }
  }

  /// The fields that hold addresses of kernel code, whatever the event.
  static let addressFields = ["func", "callsite", "callback", "fun"]

  /// Symbols that an analysis looks for by name, although no event may refer to them.
  static let neededSymbols: Set<String> = ["generic_smp_call_function_single_interrupt", "sched_ttwu_pending"]
}
