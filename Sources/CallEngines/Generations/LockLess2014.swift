/// The engine of 3.15 and 3.16: a lock-less queue per CPU, and what becomes of it when the CPU goes offline.
///
/// Source: the mail "CPU hotplug, smp: Flush any pending IPI callbacks before CPU offline" (v6, 23 May 2014), on
/// `kernel/smp.c` of 3.15; form ``Form/merged`` is that of 3.16.
///
///     caller    csd_lock ─ fill ─ llist_add ─ IPI if it was empty ─ wait for the unlock
///     handler   llist_del_all ─ reverse ─ (offline? warn) ─ run each, then unlock it
///
/// All nodes of a queue are of one kind here, and run in the order in which they came. As merged, a flush also runs this
/// CPU's irq_works behind the callbacks; they wait on a list of their own, which no call of this generation reaches, so
/// they are left out.
public struct LockLess2014: Sendable, Hashable {
  /// Whether the CPU that goes flushes its queue in the dying stage.
  public enum Flush: String, CaseIterable, Sendable {
    case dying
    case none
  }

  /// The handler, as it stood before the mail, in the mail, and later.
  public enum Form: String, CaseIterable, Sendable {
    /// 3.15: one function, which warns on every offline CPU.
    case before
    /// The mail: warns, takes and prints the queue, and then flushes what is left.
    case mail
    /// 3.16: one flush with a flag for the warning, which asks whether the queue is non-empty, having emptied it.
    case merged
    /// Since 5.8 it asks whether something was taken.
    case asksTaken = "since-5.8"
  }

  /// How stop_machine() turns interrupts off.
  public enum Stop: String, CaseIterable, Sendable {
    /// All CPUs at once, in no order.
    case oneStage = "one-stage"
    /// The CPU that goes is the last: what the mail takes for granted.
    case twoStages = "two-stages"
  }

  /// When a flush unlocks the csd of a call that does not wait.
  enum Unlock: Sendable, Hashable {
    /// Behind its function, like any other: 3.15 and 3.16.
    case after
    /// Before its function, which nobody waits for: since 4.1.
    case first
  }

  /// Where an engine that is built on this one goes on: it hands a function of its own to generic_exec_single().
  struct Client: Sendable, Hashable {
    /// Its function begins.
    var function: UInt8
    /// generic_exec_single() returned 0.
    var succeeded: UInt8
    /// It returned an error.
    var failed: UInt8
  }

  public var flush: Flush
  public var form: Form
  public var stop: Stop
  var unlock = Unlock.after
  var client: Client?

  public init(flush: Flush, form: Form, stop: Stop) {
    self.flush = flush
    self.form = form
    self.stop = stop
  }

  /// The steps, in the order in which a call and a flush go through them.
  enum Point: UInt8 {
    // smp_call_function_single(), smp_call_function_single_async() → generic_exec_single()
    case single = 1
    case async
    case execChecks
    case execRunsLocally
    case execReturnsLocally
    // csd_lock(): csd_lock_wait(), and then the flag.
    case execLockWaits
    case execLocks
    case execFills
    case execAdds
    case execKicks
    case execWaits
    case execReturns
    case execRefuses
    // smp_call_function_many(), on_each_cpu_mask()
    case many
    case manySetsMask
    case manyLockWaits
    case manyLocks
    case manyFills
    case manyAdds
    case manyKicks
    case manyWaits
    case eachRunsLocally
    case eachReturnsLocally
    case manyReturns
    // smp_call_function_any()
    case any
    // generic_smp_call_function_single_interrupt()
    case handler
    case handlerChecks
    case handlerWarns
    case handlerTakes
    // flush_smp_call_function_queue()
    case flushTakes
    case flushWarns
    case flushRuns
    case flushUnlocks
    case flushUnlocksFirst
    case flushRunsUnlocked
    case handlerReturns
    // CPU_DYING
    case dying
  }

  /// A frame's flags.
  enum FrameFlag {
    static let interruptsWereOn = 1
    static let isHandler = 2
  }
}

extension LockLess2014: Generation {
  func needs(_ workload: Workload) -> MachineLayout.Needs {
    MachineLayout.Needs(cells: Self.cells(workload), hasCSDPerTarget: true)
  }

  /// cfd_data->cpumask of each CPU, and whether the offline warning was given.
  static func cells(_ workload: Workload) -> Int { workload.cpuCount * ((workload.cpuCount + 7) / 8) + 1 }

  func maskCell(_ cpu: Int, _ layout: MachineLayout) -> Int { layout.engineCells + cpu * layout.maskCells }
  func warnedCell(_ layout: MachineLayout) -> Int { layout.engineCells + layout.cpuCount * layout.maskCells }

  func entry(for kind: Call.Kind) -> UInt8? {
    switch kind {
    case .single: Point.single.rawValue
    case .singleAsync: Point.async.rawValue
    case .many, .onEach: Point.many.rawValue
    case .any: Point.any.rawValue
    case .queue, .irqWork, .wakeup, .xcall, .xcallMask, .xcallPrivate, .xcallAny: nil
    }
  }

  func handler(for vector: Vector) -> UInt8 { Point.handler.rawValue }

  var dyingStage: UInt8? { flush == .dying ? Point.dying.rawValue : nil }

  /// CPU_UP_PREPARE: a CPU mask and csds.
  var allocatesForCPUs: Bool { true }

  /// CPU_UP_CANCELED: the mail puts its case between this label and what stands below it, so that the caller, with interrupts
  /// on, flushes its own queue. As merged, the case stands behind.
  var canceledStage: UInt8? { form == .mail && flush == .dying ? Point.dying.rawValue : nil }

  var stopsInTwoStages: Bool { stop == .twoStages }

  /// CPU_DEAD: the csds of its `cfd_data` are freed.
  func died(_ cpu: Int, _ machine: inout Machine) {
    for target in 0..<machine.layout.cpuCount {
      let csd = machine.layout.manyCSD(of: cpu, for: target)
      // Without books nobody is told of a csd that is on its way: then what was freed holds what it held.
      if machine.keepsBooks || !machine.hasFlag(csd: csd, CSDFlags.lock) { machine.forget(csd) }
    }
  }

  func isPrivate(_ point: UInt8) -> Bool {
    switch Point(rawValue: point) {
    // Nobody else uses the csds of a CPU's cfd_data until they are on a queue. Not so for those of single calls: two callers
    // of smp_call_function_single_async() may have the same.
    case .manyLocks, .manyFills, .execReturnsLocally, .eachReturnsLocally, .handlerReturns: true
    default: false
    }
  }

  func step(_ rawPoint: UInt8, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    guard let point = Point(rawValue: rawPoint) else {
      preconditionFailure("CPU\(cpu) stands at \(rawPoint), which is no point of llist-2014")
    }
    switch point {
    case .single, .async, .any, .execChecks, .execRunsLocally, .execReturnsLocally, .execLockWaits, .execLocks,
      .execFills, .execAdds, .execKicks, .execWaits, .execReturns, .execRefuses:
      return singleStep(point, cpu, frame, &machine)
    case .many, .manySetsMask, .manyLockWaits, .manyLocks, .manyFills, .manyAdds, .manyKicks, .manyWaits,
      .eachRunsLocally, .eachReturnsLocally, .manyReturns:
      return manyStep(point, cpu, frame, &machine)
    case .handler, .handlerChecks, .handlerWarns, .handlerTakes, .flushTakes, .flushWarns, .flushRuns, .flushUnlocks,
      .flushUnlocksFirst, .flushRunsUnlocked, .handlerReturns, .dying:
      return flushStep(point, cpu, frame, &machine)
    }
  }

  /// Calls what a csd holds: one of the workload's functions, or the client's own.
  func runCallback(_ function: Int, of call: Int, on cpu: Int, _ machine: inout Machine) {
    guard let client, function == machine.workload.functions.count else {
      return runFunction(of: call, function: function, on: cpu, &machine)
    }
    let frame = machine.push(cpu, client.function)
    machine[frame, .call] = call + 1
  }
}
