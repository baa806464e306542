/// The cross call interface of 2022: six calls with a flags word, over the queue of today's kernels.
///
/// Source: the mail "smp: cross call interface" (patch 2 of 11, 14 April 2022). It is additive: the old calls stay, and are
/// ``Mainline``'s. It leaves three bodies empty. Here they are mainline's own, with nothing changed but that the flags word
/// says what kind of node is queued:
///
///     __smp_call_mask_cond()   smp_call_function_many_cond(), which runs on the own CPU if that is in the mask; SYNC waits
///     smp_xcall_private()      smp_call_function_single_async(); SYNC waits for the unlock
///     smp_xcall_any()          the choice of smp_call_function_any(), then smp_xcall()
///
/// That the type goes into the node as it is given is what the mail's flags say, and not what every type survives.
public struct CrossCall2022: Sendable, Hashable {
  /// The queue, the flush, and the old calls.
  let base = Mainline()

  public init() {}

  /// The steps that are not mainline's, in the mail's order.
  enum Point: UInt8 {
    // smp_xcall(), smp_xcall_cond()
    case xcall = 100
    case xcallRefuses
    // smp_xcall_mask(), smp_xcall_mask_cond()
    case mask
    // smp_xcall_private()
    case priv
    case privateLocks
    // smp_xcall_any()
    case any
  }

  /// `XCALL_ALL`
  static let all = -1
}

extension CrossCall2022: Generation {
  func needs(_ workload: Workload) -> MachineLayout.Needs { base.needs(workload) }

  func entry(for kind: Call.Kind) -> UInt8? {
    switch kind {
    case .xcall: Point.xcall.rawValue
    case .xcallMask: Point.mask.rawValue
    case .xcallPrivate: Point.priv.rawValue
    case .xcallAny: Point.any.rawValue
    case .single, .singleAsync, .many, .onEach, .any, .queue, .irqWork, .wakeup: base.entry(for: kind)
    }
  }

  func handler(for vector: Vector) -> UInt8 { base.handler(for: vector) }
  var dyingStage: UInt8? { base.dyingStage }
  var idleExit: UInt8? { base.idleExit }

  func isPrivate(_ point: UInt8) -> Bool { base.isPrivate(point) }

  func step(_ rawPoint: UInt8, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    guard let point = Point(rawValue: rawPoint) else { return base.step(rawPoint, cpu, frame, &machine) }
    let callIndex = machine[frame, .call] - 1
    let csd = machine[frame, .csd] - 1
    switch point {
    case .xcall:
      let target = machine.workload.calls[callIndex].target
      if target == Self.all { return callMask(.all, cpu, frame, &machine) }
      return callOne(base.knownCPU(target, machine.layout), cpu, frame, &machine)
    case .xcallRefuses:
      machine.violate(.noWarning)
      let request = machine.workload.calls[callIndex]
      let named = request.kind == .xcall ? request.target : machine.layout.cpuCount
      machine.happened(.warned(.invalidCPU(named)))
      return machine.returnFromCall(cpu, frame, .noSuchCPU)

    case .mask:
      let mask = machine.workload.calls[callIndex].mask
      return callMask(mask, cpu, frame, &machine)

    case .priv:
      machine[frame, .target] = base.knownCPU(machine.workload.calls[callIndex].target, machine.layout)
      let own = machine.layout.privateCSD(machine.workload.calls[callIndex].storage)
      machine[frame, .csd] = own + 1
      if machine.hasFlag(csd: own, CSDFlags.lock) { return machine.returnFromCall(cpu, frame, .busy) }
      return machine.go(frame, Point.privateLocks)
    case .privateLocks:
      machine.set(machine.layout.csd(csd, .type), Mainline.CSDType.async)
      let type = machine.workload.calls[callIndex].csdType
      base.lockAndFill(csd, type: type, for: callIndex, &machine)
      return machine.go(frame, machine[frame, .target] == cpu ? Mainline.Point.localUnlocks : .execChecks)

    case .any:
      let chosen = machine.preferredCPU(of: machine.workload.calls[callIndex].mask, for: cpu)
      machine[frame, .target] = chosen
      return callOne(chosen, cpu, frame, &machine)
    }
  }

  /// smp_xcall_cond() for one CPU, which is a mask of one: what is online of it is asked later, and by nobody told.
  private func callOne(_ target: Int, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    if target == machine.layout.cpuCount { return machine.go(frame, Point.xcallRefuses) }
    return callMask(CPUSet(cpu: target), cpu, frame, &machine)
  }

  /// __smp_call_mask_cond()
  private func callMask(_ mask: CPUSet, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    base.beginMany(mask, runsLocally: true, cpu, frame, &machine)
  }
}
