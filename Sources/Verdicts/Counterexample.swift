public import CallEngines

/// One of the shortest ways to a state that a property forbids, as data: what happened step by step, and how it ended.
///
/// Happenings and waits name csds, calls, functions and locks by their index in ``names``. CPUs are integers, steps count from 1.
public struct Counterexample: Codable, Sendable, Equatable {
  /// What the indices stand for.
  public struct Names: Codable, Sendable, Equatable {
    /// Calls as they were written, for example `single 1 f wait`.
    public var calls: [String]
    public var functions: [String]
    /// The locks of programs and functions.
    public var locks: [String]
    /// The csds, qsds, irq_works and tasks that callers own.
    public var storages: [String]
    /// Whose each csd is.
    public var csds: [CSDOwner]

    public init(calls: [String], functions: [String], locks: [String], storages: [String], csds: [CSDOwner]) {
      self.calls = calls
      self.functions = functions
      self.locks = locks
      self.storages = storages
      self.csds = csds
    }
  }

  /// What a CPU runs.
  public enum Context: String, Codable, Sendable, CaseIterable {
    /// Nothing.
    case none
    case task
    case handler
    /// A function that was called.
    case function
    /// stop_machine(), taking a CPU down.
    case stopper
    case idle
    /// Coming online.
    case onlining
  }

  /// Who moved, and how.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// The CPU went on with what it runs.
    case step
    /// It took a pending interrupt.
    case interrupt
    /// stop_machine() took it away from its task.
    case stop
  }

  public struct Step: Codable, Sendable, Equatable {
    public var cpu: Int
    public var kind: Kind
    /// What made the step.
    public var context: Context
    /// What the CPU runs after it.
    public var contextAfter: Context
    public var interruptsOnAfter: Bool
    public var stateAfter: CPUState
    /// Empty for a step that only moves a program on.
    public var happenings: [Happening]
    /// What the step found itself waiting for; null if it moved.
    @Nullable public var waitsFor: Wait?

    public init(
      cpu: Int, kind: Kind, context: Context, contextAfter: Context, interruptsOnAfter: Bool, stateAfter: CPUState,
      happenings: [Happening], waitsFor: Wait?
    ) {
      self.cpu = cpu
      self.kind = kind
      self.context = context
      self.contextAfter = contextAfter
      self.interruptsOnAfter = interruptsOnAfter
      self.stateAfter = stateAfter
      self.happenings = happenings
      self.waitsFor = waitsFor
    }
  }

  /// A CPU at the start or at the end.
  public struct CPU: Codable, Sendable, Equatable {
    public var cpu: Int
    public var state: CPUState
    public var context: Context
    public var interruptsOn: Bool
    /// IPIs that were sent to it, and that it has not taken.
    public var pending: [Vector]
    /// What it waits for; null if it can move, or has nothing to do.
    @Nullable public var waitsFor: Wait?
    /// The CPUs that would have to move first.
    public var waitsForCPUs: [Int]

    public init(
      cpu: Int, state: CPUState, context: Context, interruptsOn: Bool, pending: [Vector], waitsFor: Wait?,
      waitsForCPUs: [Int]
    ) {
      self.cpu = cpu
      self.state = state
      self.context = context
      self.interruptsOn = interruptsOn
      self.pending = pending
      self.waitsFor = waitsFor
      self.waitsForCPUs = waitsForCPUs
    }
  }

  /// A call that was queued for a CPU and has not run to its end there.
  public struct Unfinished: Codable, Sendable, Equatable {
    public var call: Int
    public var cpu: Int
    public var hasStarted: Bool

    public init(call: Int, cpu: Int, hasStarted: Bool) {
      self.call = call
      self.cpu = cpu
      self.hasStarted = hasStarted
    }
  }

  public var names: Names
  public var start: [CPU]
  public var steps: [Step]
  /// How many of the last steps are repeated for ever; 0 for a way that ends.
  public var repeated: Int
  public var end: [CPU]
  /// Whether nobody can move at the end.
  public var isStuck: Bool
  public var unfinished: [Unfinished]
  /// CPUs that wait for each other in a circle, each for the next and the last for the first; empty if there is none.
  public var cycle: [Int]

  public init(
    names: Names, start: [CPU], steps: [Step], repeated: Int, end: [CPU], isStuck: Bool, unfinished: [Unfinished],
    cycle: [Int]
  ) {
    self.names = names
    self.start = start
    self.steps = steps
    self.repeated = repeated
    self.end = end
    self.isStuck = isStuck
    self.unfinished = unfinished
    self.cycle = cycle
  }
}
