/// The engine of today's kernels (5.8 to 6.18): one lock-less queue per CPU for four types of nodes, and a flush in three
/// passes.
///
/// Source: `kernel/smp.c`, `kernel/irq_work.c`, `kernel/sched/core.c` and `kernel/sched/idle.c` of 6.12.
///
///     caller    csd_lock ─ fill ─ llist_add ─ was it empty? set NEED_RESCHED of a polling CPU, or IPI ─ wait for the unlock
///     flush     llist_del_all ─ reverse ─ SYNC: run, unlock ─ ASYNC: unlock, run; IRQ_WORK: run ─ all TTWU at once
///
/// A replay drives the same flush; see ``MainlineTarget``.
public struct Mainline: Sendable, Hashable {
  public init() {}

  /// The steps, in the order in which a call and a flush go through them.
  enum Point: UInt8 {
    // smp_call_function_single()
    case single = 1
    case singleLocks
    case singleFills
    // smp_call_function_single_async()
    case async
    case asyncLocks
    // generic_exec_single()
    case localUnlocks
    case localRuns
    case localReturns
    case execChecks
    case execRefuses
    // __smp_call_single_queue(), send_call_function_single_ipi()
    case execAdds
    case kickPolls
    case kickSends
    case execWaits
    case returns
    // smp_call_function_any()
    case any
    // smp_call_function_many_cond()
    case many
    case manySetsMask
    case manyLocks
    case manyFills
    case manyAdds
    case manyKicks
    case manyRunsLocally
    case manyReturnsLocally
    case manyWaits
    // irq_work_queue_on(), __irq_work_queue_local()
    case irqWork
    case irqWorkRaises
    case irqWorkSends
    // ttwu_queue_wakelist()
    case wakeup
    // generic_smp_call_function_single_interrupt(), flush_smp_call_function_queue(), smpcfd_dying_cpu()
    case handler
    case idleExit
    case dying
    // __flush_smp_call_function_queue()
    case flushWarns
    case firstPass
    case syncRuns
    case syncUnlocks
    case secondPass
    case asyncUnlocks
    case asyncRuns
    case wakeupsRun
    case wakeupsEnd
    case flushEnds
    // irq_work_single()
    case workClearsPending
    case workRuns
    case workClearsBusy
    // irq_work_run()
    case raisedHandler
    case raisedTakes
  }

  /// A frame's flags.
  enum FrameFlag {
    static let interruptsWereOn = 1
    /// To be left as from an interrupt.
    static let isHandler = 2
    /// This CPU's own irq_works are run behind the flush.
    static let isDying = 4
    /// It is the CPU's own list of irq_works that is run, not its queue.
    static let isRaisedList = 8
    /// The kick is one of smp_call_function_many_cond().
    static let isMany = 16
    static let runsLocally = 32
    static let runsRemotely = 64
  }

  /// Flags of nodes that are no csd's.
  enum NodeFlag {
    /// TASK_WAKING: somebody is about to wake this task.
    static let waking: Int32 = 32
  }

  /// The types of nodes, as the bits of CSD_FLAG_TYPE_MASK have them.
  enum CSDType {
    static let async: Int32 = 0
    static let sync: Int32 = 1
    static let irqWork: Int32 = 2
    static let ttwu: Int32 = 3
  }
}

extension NodeType {
  /// The type as a csd has it.
  var csdType: Int32 {
    switch self {
    case .sync: Mainline.CSDType.sync
    case .async: Mainline.CSDType.async
    case .irqWork: Mainline.CSDType.irqWork
    case .ttwu: Mainline.CSDType.ttwu
    }
  }
}

extension Mainline: Generation {
  func needs(_ workload: Workload) -> MachineLayout.Needs {
    // cfd_data->cpumask, ->cpumask_ipi and raised_list of each CPU, and whether the offline warning was given.
    MachineLayout.Needs(
      cells: workload.cpuCount * (2 * ((workload.cpuCount + 7) / 8) + 1) + 1, hasCSDPerTarget: true)
  }

  func entry(for kind: Call.Kind) -> UInt8? {
    switch kind {
    case .single: Point.single.rawValue
    case .singleAsync: Point.async.rawValue
    case .many, .onEach: Point.many.rawValue
    case .any: Point.any.rawValue
    case .irqWork: Point.irqWork.rawValue
    case .wakeup: Point.wakeup.rawValue
    case .queue, .xcall, .xcallMask, .xcallPrivate, .xcallAny: nil
    }
  }

  func handler(for vector: Vector) -> UInt8 {
    switch vector {
    case .single, .many: Point.handler.rawValue
    case .irqWork: Point.raisedHandler.rawValue
    }
  }

  var dyingStage: UInt8? { Point.dying.rawValue }
  var idleExit: UInt8? { Point.idleExit.rawValue }

  func isPrivate(_ point: UInt8) -> Bool {
    switch Point(rawValue: point) {
    // Filling the CPU's own csd, looking through a list that was taken, and leaving.
    case .singleFills, .manyFills, .firstPass, .secondPass, .flushEnds: true
    // raised_list is added to by its own CPU only.
    case .raisedHandler, .raisedTakes: true
    default: false
    }
  }

  /// cfd_data->cpumask of a CPU.
  func targetMask(_ cpu: Int, _ layout: MachineLayout) -> Int { layout.engineCells &+ cpu &* layout.maskCells }
  /// cfd_data->cpumask_ipi of a CPU.
  func kickMask(_ cpu: Int, _ layout: MachineLayout) -> Int {
    layout.engineCells &+ (layout.cpuCount &+ cpu) &* layout.maskCells
  }
  /// The first node of a CPU's raised_list, as csd + 1.
  func raisedList(_ cpu: Int, _ layout: MachineLayout) -> Int {
    layout.engineCells &+ 2 &* layout.cpuCount &* layout.maskCells &+ cpu
  }
  func warnedCell(_ layout: MachineLayout) -> Int { raisedList(layout.cpuCount, layout) }

  func step(_ rawPoint: UInt8, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    guard let point = Point(rawValue: rawPoint) else {
      preconditionFailure("CPU\(cpu) stands at \(rawPoint), which is no point of mainline")
    }
    switch point {
    case .single, .singleLocks, .singleFills, .async, .asyncLocks, .localUnlocks, .localRuns, .localReturns,
      .execChecks, .execRefuses, .execAdds, .kickPolls, .kickSends, .execWaits, .returns, .any:
      return singleStep(point, cpu, frame, &machine)
    case .many, .manySetsMask, .manyLocks, .manyFills, .manyAdds, .manyKicks, .manyRunsLocally, .manyReturnsLocally,
      .manyWaits:
      return manyStep(point, cpu, frame, &machine)
    case .irqWork, .irqWorkRaises, .irqWorkSends, .wakeup:
      return nodeStep(point, cpu, frame, &machine)
    case .handler, .idleExit, .dying, .flushWarns, .firstPass, .syncRuns, .syncUnlocks, .secondPass, .asyncUnlocks,
      .asyncRuns, .wakeupsRun, .wakeupsEnd, .flushEnds, .workClearsPending, .workRuns, .workClearsBusy, .raisedHandler,
      .raisedTakes:
      return flushStep(point, cpu, frame, &machine)
    }
  }
}
