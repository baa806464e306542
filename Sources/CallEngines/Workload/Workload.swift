/// What is asked of an engine: programs of calls, the functions that they call, and what may go wrong meanwhile.
///
/// A workload does not change while an engine runs it. CPUs, calls, functions and storage are numbered from 0 in the order in
/// which they are declared.
public struct Workload: Sendable {
  /// The number of CPUs. All are online at the start, but for those in `offline`.
  public var cpuCount: Int
  /// The NUMA node of each CPU.
  public var nodes: [Int]
  /// CPUs that are offline at the start.
  public var offline: [Int] = []
  /// The tasks: one program per CPU, empty where nothing runs.
  public var tasks: [Program]
  /// The functions that are called on targets.
  public var functions: [Function]
  /// Every call of every program; operations name them by index.
  public var calls: [Call] = []
  /// How many csds, qsds or irq_works callers own themselves.
  public var privateStorageCount = 0
  /// How many locks programs and functions take.
  public var lockCount = 0
  /// How an allocation ends: an atomic one for a call, or one for a CPU that is to come up.
  public var allocation: Allocation = .succeeds

  public enum Allocation: String, CaseIterable, Sendable {
    case succeeds
    case fails
    /// Both outcomes are tried.
    case either
  }

  public init(cpuCount: Int) {
    self.cpuCount = cpuCount
    nodes = Array(repeating: 0, count: cpuCount)
    tasks = Array(repeating: Program(), count: cpuCount)
    functions = []
  }

  /// Whether a program takes a CPU down or up.
  public var hasHotplug: Bool {
    (tasks + functions.map(\.body)).contains { program in
      program.operations.contains { operation in
        switch operation {
        case .takeDown, .bringUp: true
        case .call, .disableInterrupts, .enableInterrupts, .lock, .unlock, .startOver, .idlePolling, .enterUser,
          .leaveUser:
          false
        }
      }
    }
  }
}

/// Operations, one after the other.
public struct Program: Sendable {
  public var operations: [Operation] = []

  public init(_ operations: [Operation] = []) {
    self.operations = operations
  }
}

/// A function that a call runs on its targets, with interrupts off.
public struct Function: Sendable {
  public var name: String
  /// What it does; nothing, as a rule.
  public var body: Program

  public init(name: String, body: Program = Program()) {
    self.name = name
    self.body = body
  }
}

/// One thing that a program does.
public enum Operation: Sendable, Hashable {
  /// Makes the call with this index.
  case call(Int)
  /// `local_irq_disable()`
  case disableInterrupts
  /// `local_irq_enable()`
  case enableInterrupts
  /// `spin_lock()` of one of the workload's own locks. Interrupts are left as they are.
  case lock(Int)
  /// `spin_unlock()`
  case unlock(Int)
  /// Takes a CPU down, and sleeps until it is dead.
  case takeDown(Int)
  /// Brings a dead CPU up, and sleeps until it is online.
  case bringUp(Int)
  /// Begins the task's program again, for ever. Only where every call of it waits.
  case startOver
  /// Idles, polling NEED_RESCHED, until it is set.
  case idlePolling
  /// Goes to user space, with interrupts on.
  case enterUser
  /// Comes back: a system call.
  case leaveUser
}

/// A call that a program makes.
public struct Call: Sendable, Hashable {
  public enum Kind: UInt8, CaseIterable, Sendable {
    /// `smp_call_function_single()`
    case single
    /// `smp_call_function_single_async()`, with the caller's csd
    case singleAsync
    /// `smp_call_function_many()`
    case many
    /// `on_each_cpu_cond_mask()`: the caller's CPU too, if it is in the mask
    case onEach
    /// `smp_call_function_any()`
    case any
    /// `smp_queue_function_single()`, with the caller's qsd
    case queue
    /// `irq_work_queue_on()`, with the caller's irq_work
    case irqWork
    /// `ttwu_queue_wakelist()`, with the woken task's node
    case wakeup
    /// `smp_xcall()` and `smp_xcall_cond()`
    case xcall
    /// `smp_xcall_mask()` and `smp_xcall_mask_cond()`
    case xcallMask
    /// `smp_xcall_private()`, with the caller's csd
    case xcallPrivate
    /// `smp_xcall_any()`
    case xcallAny
  }

  public var kind: Kind
  /// The one target; for `xcall` -1 is `XCALL_ALL`, and any other number is allowed.
  public var target = 0
  /// The targets of a call with a mask.
  public var mask = CPUSet()
  public var function = 0
  public var waits = false
  /// The caller's csd, qsd, irq_work or task: an index into the workload's private storage.
  public var storage = 0
  /// The CPUs for which the call's condition function says yes.
  public var condition = CPUSet.all
  /// The flags word of an `smp_xcall*()`.
  public var flags: UInt8 = 0
  /// Whether the function may run as late as when its target enters the kernel. It is a matter of the function: all calls of
  /// one, and all requests of one irq_work, should say the same.
  public var isDeferrable = false
  /// The results that the caller may be given. Empty: not checked.
  public var expectedResults: CallResultSet = []

  public init(kind: Kind) {
    self.kind = kind
  }
}

/// What a call returns.
public enum CallResult: UInt8, CaseIterable, Sendable {
  case success = 1
  case noSuchCPU
  case busy
  case noMemory
  case invalid

  /// The kernel's name of the value.
  public var name: String {
    switch self {
    case .success: "0"
    case .noSuchCPU: "-ENXIO"
    case .busy: "-EBUSY"
    case .noMemory: "-ENOMEM"
    case .invalid: "-EINVAL"
    }
  }
}

/// A set of results.
public struct CallResultSet: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public init(_ result: CallResult) { rawValue = 1 << result.rawValue }
}
