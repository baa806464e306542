extension Call {
  /// Whether a call that was made under an old name does the same under its new one.
  public enum Agreement: Sendable, Hashable {
    case same
    /// The same, but for what the sentence says.
    case differs(String)
  }

  /// A call under its new name.
  public struct CrossCall: Sendable {
    public var call: Call
    public var agreement: Agreement
  }

  /// This call as the cross call interface of 2022 has it; nil if it is no call that the interface replaces.
  ///
  ///     smp_call_function_single()                         smp_xcall()
  ///     smp_call_function_single_async()                   smp_xcall_private(…, XCALL_TYPE_ASYNC)
  ///     smp_call_function_many(), smp_call_function()      smp_xcall_mask(), without the own CPU in the mask
  ///     on_each_cpu(), _mask()                             smp_xcall(XCALL_ALL, …), smp_xcall_mask()
  ///     on_each_cpu_cond(), _cond_mask()                   smp_xcall_cond(XCALL_ALL, …), smp_xcall_mask_cond()
  ///     smp_call_function_any()                            smp_xcall_any()
  ///     irq_work_queue_on(), ttwu_queue_wakelist()         smp_xcall_private(…, XCALL_TYPE_IRQ_WORK or _TTWU)
  ///
  /// - Parameters:
  ///   - cpu: the caller's CPU.
  ///   - cpuCount: the number of CPUs that there are.
  public func asCrossCall(from cpu: Int, cpuCount: Int) -> CrossCall? {
    switch kind {
    case .single:
      let isAll = target == CrossCall2022.all
      return crossCall(
        .xcall, waits: waits,
        .differs(
          isAll
            ? "The number -1 is no invalid CPU, but all CPUs."
            : "An offline CPU is no error, and the CPU's csd for the target is used in place of one on the stack."))
    case .singleAsync:
      return crossCall(.xcallPrivate, waits: false, .same)
    case .many:
      // The old call leaves its own CPU out, whatever the mask says.
      guard mask.contains(cpu) else { return crossCall(.xcallMask, waits: waits, .same) }
      var mapped = crossCall(
        .xcallMask, waits: waits, .differs("The own CPU has to be taken out of the mask: the new call includes it."))
      mapped.call.mask.remove(cpu)
      return mapped
    case .onEach:
      var mapped = crossCall(.xcallMask, waits: waits, .same)
      if mask.cpus(below: cpuCount).count == cpuCount {
        mapped.call.kind = .xcall
        mapped.call.target = CrossCall2022.all
        mapped.call.mask = CPUSet()
      }
      return mapped
    case .any:
      return crossCall(
        .xcallAny, waits: waits, .differs("The CPU's csd for the target is used in place of one on the stack."))
    case .irqWork:
      return nodeCall(
        flags: 0x20,
        "A work that is pending gives -EBUSY, one for the own CPU runs in place, and an offline CPU refuses it.")
    case .wakeup:
      return nodeCall(
        flags: 0x30, "A lock is taken on the task's node that nothing releases, so that it is woken once.")
    case .queue, .xcall, .xcallMask, .xcallPrivate, .xcallAny:
      return nil
    }
  }

  private func crossCall(_ kind: Kind, waits: Bool, _ agreement: Agreement) -> CrossCall {
    var call = self
    call.kind = kind
    call.waits = false
    call.flags = waits ? 0x10 : 0
    return CrossCall(call: call, agreement: agreement)
  }

  private func nodeCall(flags: UInt8, _ difference: String) -> CrossCall {
    var mapped = crossCall(.xcallPrivate, waits: false, .differs(difference))
    mapped.call.flags = flags
    return mapped
  }
}

extension Workload {
  /// The same programs with every call under its new name; see ``Call/asCrossCall(from:cpuCount:)``. Calls that have none
  /// stay as they are.
  ///
  /// A call that a function makes is taken to be made by the lowest CPU that the function is called on; it matters only to
  /// `smp_call_function_many()`, whose own CPU is left out of the mask.
  public func asCrossCalls() -> Workload {
    var mapped = self
    for cpu in 0..<cpuCount {
      for case .call(let call) in tasks[cpu].operations { mapped.mapCall(call, from: cpu) }
    }
    return mapped
  }

  private mutating func mapCall(_ index: Int, from cpu: Int) {
    let old = calls[index]
    guard let crossCall = old.asCrossCall(from: cpu, cpuCount: cpuCount) else { return }
    calls[index] = crossCall.call
    // The calls that the function makes, in turn. What is mapped has no old name any more, so that this ends.
    let targets: CPUSet =
      switch old.kind {
      case .many, .onEach, .any: old.mask.intersection(old.condition)
      case .single, .singleAsync, .queue, .irqWork, .wakeup, .xcall, .xcallMask, .xcallPrivate, .xcallAny:
        old.target >= 0 && old.target < cpuCount ? CPUSet(cpu: old.target) : CPUSet()
      }
    let first = targets.first(from: 0, below: cpuCount)
    let runner = first == cpuCount ? cpu : first
    for case .call(let inner) in functions[old.function].body.operations { mapCall(inner, from: runner) }
  }
}
