/// The engine of today's kernels (5.8 to 6.18): one lock-less queue per CPU for four types of nodes, and a flush in three
/// passes.
///
/// Source: `kernel/smp.c`, `kernel/irq_work.c`, `kernel/sched/core.c` and `kernel/sched/idle.c` of 6.12.
///
///     caller    csd_lock ─ fill ─ llist_add ─ was it empty? set NEED_RESCHED of a polling CPU, or IPI ─ wait for the unlock
///     flush     llist_del_all ─ reverse ─ SYNC: run, unlock ─ ASYNC: unlock, run; IRQ_WORK: run ─ all TTWU at once
///
/// A replay drives the same flush; see ``MainlineTarget``.
///
/// What today's kernels do is the first choice of each kind; the others are questions that are asked of them. They are about who is
/// kicked, and how: the flush is the same in all.
public struct Mainline: Sendable, Hashable {
  /// Whether a kick looks at who idles polling.
  public enum Polling: String, CaseIterable, Sendable {
    /// NEED_RESCHED in place of an IPI.
    case polling
    /// Every kick is an IPI.
    case none = "no-polling"
  }

  /// How a task of another CPU is woken: `TTWU_QUEUE`.
  public enum Wakeups: String, CaseIterable, Sendable {
    /// By a node on the queue, like any other.
    case queued = "ttwu-queue"
    /// By the waker, who takes the lock of the other CPU's run queue.
    case placed = "no-ttwu-queue"
  }

  /// How a call to several CPUs kicks those whose queues were empty.
  public enum Masks: String, CaseIterable, Sendable {
    /// Several by one mask IPI, a single one like that of a call to one.
    case several = "mask-several"
    /// Each like that of a call to one, when all are queued.
    case never = "mask-never"
    /// By one mask IPI, even a single one.
    case always = "mask-always"
  }

  /// Whether calls that can wait until their target enters the kernel are left to do so.
  public enum Deferral: String, CaseIterable, Sendable {
    case none = "no-deferral"
    /// The target is told before the node is added, and looked at again behind that.
    case markedFirst = "deferral"
    /// The target is told behind the add, in place of the kick, and nobody else knows.
    case naive = "deferral-naive"
    /// The same, and a call that cannot be deferred looks whether it was told.
    case markedLate = "deferral-late"
  }

  public var polling: Polling
  public var wakeups: Wakeups
  public var masks: Masks
  public var deferral: Deferral

  public init(
    polling: Polling = .polling, wakeups: Wakeups = .queued, masks: Masks = .several, deferral: Deferral = .none
  ) {
    self.polling = polling
    self.wakeups = wakeups
    self.masks = masks
    self.deferral = deferral
  }

  /// The steps, in the order in which a call and a flush go through them; behind them those that only variants have.
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

    // Without the queue for wakeups: ttwu_queue(), resched_curr(), scheduler_ipi().
    case wakeupLocks
    case wakeupPlaces
    case wakeupPolls
    case wakeupSends
    case wakeupUnlocks
    case reschedules
    // With deferral, before an add, and behind it.
    case execMarks
    case kickMarks
    case kickLooks
    case kickUnmarks
    case manyMarks
    case manyUnmarks
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
    /// The target has been told to look when it enters the kernel.
    static let hasMarked = 128
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
      cells: workload.cpuCount * (2 * ((workload.cpuCount + 7) / 8) + 1) + 1,
      // Those of the run queues.
      locks: wakeups == .placed ? workload.cpuCount : 0, hasCSDPerTarget: true)
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
    case .reschedule: Point.reschedules.rawValue
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
    case .wakeupLocks, .wakeupPlaces, .wakeupPolls, .wakeupSends, .wakeupUnlocks, .reschedules:
      return placeStep(point, cpu, frame, &machine)
    case .execMarks, .kickMarks, .kickLooks, .kickUnmarks, .manyMarks, .manyUnmarks:
      return deferralStep(point, cpu, frame, &machine)
    case .handler, .idleExit, .dying, .flushWarns, .firstPass, .syncRuns, .syncUnlocks, .secondPass, .asyncUnlocks,
      .asyncRuns, .wakeupsRun, .wakeupsEnd, .flushEnds, .workClearsPending, .workRuns, .workClearsBusy, .raisedHandler,
      .raisedTakes:
      return flushStep(point, cpu, frame, &machine)
    }
  }
}
