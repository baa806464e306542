/// The engine of 2.6.26: an allocated csd per call, a locked queue per CPU, and one queue that all CPUs share; with every remedy
/// that the mail discusses for a failed allocation.
///
/// Source: the mail "Add generic helpers for arch IPI function calls" of 30 April 2008, and `kernel/smp.c` as merged after it,
/// with the quiescing of the stack. The mail has no diff: ``Fallback/wait`` is the code, and the others are its ideas, each the
/// least that its words ask for.
///
///     single   allocate ─ fill ─ lock, append, unlock ─ IPI if it was empty ─ wait for WAIT to clear
///     many     allocate ─ fill ─ lock, append to the shared queue, unlock ─ IPI to all ─ wait ─ quiesce if on the stack
///     each     many ─ then, whatever came of that, the caller's own CPU
///     handler  lock, take all, unlock ─ run each, then clear WAIT or free
///     walker   each entry that has this CPU's bit: run ─ drop the bit; the last: unlink ─ clear WAIT ─ free after a grace period
///     gate     of the ideas 1 to 4, around the whole call: wait until it may proceed … and let others
///
/// Behind the gate of idea 1, 2 or 3 nothing is allocated: who proceeds has the caller's stack and waits, as before 2.6.26. The
/// mail doesn't say so, but a lock is given back by its owner, and a caller that has returned gives nothing back.
public struct Generic2008: Sendable, Hashable {
  /// What becomes of a call for which nothing can be allocated.
  public enum Fallback: String, CaseIterable, Sendable {
    case wait
    case enomem
    case globalLock = "global-lock"
    case targetMask = "target-mask"
    case targetCounters = "target-counters"
    case allocatedFree = "allocated-free"
    case pollOwnQueue = "poll-own-queue"
  }

  /// On which of ideas 2 and 3 the fourth stands.
  public enum Record: String, CaseIterable, Sendable {
    case mask = "over-mask"
    case counters = "over-counters"
  }

  /// How a caller spins before the gate of ideas 1 to 4.
  public enum Spin: String, CaseIterable, Sendable {
    case interruptsOn = "irqs-on"
    case interruptsAsFound = "irqs-as-found"
  }

  /// What "its own list" is, which a waiting CPU polls.
  public enum Polled: String, CaseIterable, Sendable {
    case bothQueues = "both-queues"
    case ownQueue = "single-queue"
  }

  /// The CPUs that are asked to pass through a handler before the stack of a multi-CPU call goes.
  public enum Quiesced: String, CaseIterable, Sendable {
    case targets = "quiesce-targets"
    case everyone = "quiesce-all"
  }

  /// What holds a grace period back.
  public enum GracePeriod: String, CaseIterable, Sendable {
    case classic = "rcu-classic"
    case preemptible = "rcu-preemptible"
  }

  /// Whether a CPU is marked online under `ipi_call_lock()`.
  public enum Onlining: String, CaseIterable, Sendable {
    case locked = "onlining-locked"
    case unlocked = "onlining-unlocked"
  }

  public var fallback: Fallback
  public var record = Record.mask
  public var spin = Spin.interruptsOn
  public var polled = Polled.bothQueues
  public var quiesced = Quiesced.targets
  public var gracePeriod = GracePeriod.classic
  public var onlining = Onlining.locked

  public init(fallback: Fallback) {
    self.fallback = fallback
  }

  /// What a call has to pass before it may proceed.
  enum Gate {
    case none
    case lock
    case mask
    case counters
  }

  var gate: Gate {
    switch fallback {
    case .wait, .enomem, .pollOwnQueue: .none
    case .globalLock: .lock
    case .targetMask: .mask
    case .targetCounters: .counters
    case .allocatedFree: record == .mask ? .mask : .counters
    }
  }

  /// The steps, in the order in which a call and a handler go through them.
  enum Point: UInt8 {
    // smp_call_function_single()
    case single = 1
    case singleRunsLocally
    case singleReturnsLocally
    case singleAllocates
    // generic_exec_single()
    case execLocks
    case execAdds
    case execUnlocks
    case execKicks
    case execWaits
    // smp_call_function_mask()
    case many
    case manyAllocates
    case manyLocks
    case manyAdds
    case manyUnlocks
    case manyKicks
    case manyWaits
    // smp_call_function_mask_quiesce_stack()
    case quiesceBegins
    case quiesceNext
    // on_each_cpu()
    case eachRunsLocally
    case eachReturnsLocally
    // The end of either call.
    case returns
    case refusesCPU
    case refusesMemory
    // Ideas 1 to 4, before the csd is queued …
    case gateLocks
    case gateChecks
    case gateMarks
    case gateUnlocks
    case gateSpins
    // … and when the answers are in.
    case leaveLocks
    case leaveUnmarks
    case leaveUnlocks
    // generic_smp_call_function_single_interrupt(), and idea 5
    case flushLooks
    case flushLocks
    case flushTakes
    case flushRuns
    case flushAnswers
    // generic_smp_call_function_interrupt()
    case walkBegins
    case walkLooks
    case walkRuns
    case walkLocks
    case walkDrops
    case walkLocksQueue
    case walkUnlinks
    case walkUnlocksQueue
    case walkAnswers
    case walkFrees
    case walkNext
    case walkEnds
  }

  /// A frame's flags.
  enum FrameFlag {
    static let interruptsWereOn = 1
    /// A handler's program, run by a waiting caller.
    static let isPoll = 2
    static let kickOwed = 4
    static let waits = 8
    /// The csd was allocated, and is not on the stack.
    static let isAllocated = 16
    static let isQuiescing = 32
    /// The call has passed the gate.
    static let isInside = 64
    /// A multi-CPU call, with its entry on the shared queue.
    static let isMany = 128
  }
}

extension Generic2008: Generation {
  func needs(_ workload: Workload) -> MachineLayout.Needs {
    // call_function_lock, the gate's lock, and one lock per call_single_queue.
    MachineLayout.Needs(
      cells: Cells(cpuCount: workload.cpuCount).count,
      locks: 2 + workload.cpuCount, hasEntries: true, csdsPerCall: 2,
      // The caller's own mask of targets, and the CPUs for which the freeing waits.
      masksPerEntry: 2)
  }

  func entry(for kind: Call.Kind) -> UInt8? {
    switch kind {
    case .single: Point.single.rawValue
    case .many, .onEach: Point.many.rawValue
    case .singleAsync, .any, .queue, .irqWork, .wakeup, .xcall, .xcallMask, .xcallPrivate, .xcallAny: nil
    }
  }

  func handler(for vector: Vector) -> UInt8 {
    switch vector {
    case .single: Point.flushLooks.rawValue
    case .many: Point.walkBegins.rawValue
    case .irqWork, .reschedule: preconditionFailure("generic-2008 sends no \(vector)")
    }
  }

  var locksOnlining: Bool { onlining == .locked }

  func isPrivate(_ point: UInt8) -> Bool {
    guard let point = Point(rawValue: point) else { return false }
    switch point {
    // Under the gate's lock; or on the caller's own stack.
    case .gateChecks, .quiesceBegins, .quiesceNext: return true
    default: return false
    }
  }

  func step(_ rawPoint: UInt8, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    guard let point = Point(rawValue: rawPoint) else {
      preconditionFailure("CPU\(cpu) stands at \(rawPoint), which is no point of generic-2008")
    }
    switch point {
    case .single, .singleRunsLocally, .singleReturnsLocally, .singleAllocates, .execLocks, .execAdds,
      .execUnlocks, .execKicks, .execWaits:
      return singleStep(point, cpu, frame, &machine)
    case .many, .manyAllocates, .manyLocks, .manyAdds, .manyUnlocks, .manyKicks, .manyWaits, .quiesceBegins,
      .quiesceNext:
      return manyStep(point, cpu, frame, &machine)
    case .returns:
      return callEnds(.success, cpu, frame, &machine)
    case .refusesCPU:
      return end(.noSuchCPU, cpu, frame, &machine)
    case .refusesMemory:
      return callEnds(.noMemory, cpu, frame, &machine)
    case .eachRunsLocally, .eachReturnsLocally:
      return eachStep(point, cpu, frame, &machine)
    case .gateLocks, .gateChecks, .gateMarks, .gateUnlocks, .gateSpins, .leaveLocks, .leaveUnmarks, .leaveUnlocks:
      return gateStep(point, cpu, frame, &machine)
    case .flushLooks, .flushLocks, .flushTakes, .flushRuns, .flushAnswers:
      return flushStep(point, cpu, frame, &machine)
    case .walkBegins, .walkLooks, .walkRuns, .walkLocks, .walkDrops, .walkLocksQueue, .walkUnlinks,
      .walkUnlocksQueue, .walkAnswers, .walkFrees, .walkNext, .walkEnds:
      return walkStep(point, cpu, frame, &machine)
    }
  }
}
