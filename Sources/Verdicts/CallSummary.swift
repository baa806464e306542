/// The calls of a trace, counted.
public struct CallSummary: Codable, Sendable, Equatable {
  /// Number of calls; a multi-CPU call is one.
  public var total: UInt64
  public var byKind: Kinds
  public var byType: Types
  /// Most frequent first.
  public var byCallback: [Callback]
  /// Most frequent first.
  public var byCaller: [Caller]

  public struct Kinds: Codable, Sendable, Equatable {
    public var single: UInt64 = 0
    public var many: UInt64 = 0
    public var wakeup: UInt64 = 0
    public var irqWork: UInt64 = 0
    public var local: UInt64 = 0
    public var unknown: UInt64 = 0

    enum CodingKeys: String, CodingKey {
      case single, many, wakeup, local, unknown
      case irqWork = "irq_work"
    }

    public init() {}
  }

  /// Queued calls by the type of their node. The kernel's names.
  public struct Types: Codable, Sendable, Equatable {
    public var sync: UInt64 = 0
    public var async: UInt64 = 0
    public var irqWork: UInt64 = 0
    public var wakeup: UInt64 = 0
    /// The evidence is not enough.
    public var unknown: UInt64 = 0

    enum CodingKeys: String, CodingKey {
      case sync, async, unknown
      case irqWork = "irq_work"
      case wakeup = "ttwu"
    }

    public init() {}
  }

  public struct Callback: Codable, Sendable, Equatable {
    /// Symbol or address in hex.
    public var callback: String
    /// Queued to another CPU, counted per target.
    public var queued: UInt64
    /// Seen to begin, on any CPU, local runs and runs that no event queued included.
    public var runs: UInt64
    public var localRuns: UInt64
    /// Kicks that its queueing caused.
    public var kicks: UInt64
    /// From queue event to begin.
    public var delay: DurationSummary
    /// From begin to end.
    public var run: DurationSummary

    public init(
      callback: String, queued: UInt64, runs: UInt64, localRuns: UInt64, kicks: UInt64, delay: DurationSummary,
      run: DurationSummary
    ) {
      self.callback = callback
      self.queued = queued
      self.runs = runs
      self.localRuns = localRuns
      self.kicks = kicks
      self.delay = delay
      self.run = run
    }
  }

  public struct Caller: Codable, Sendable, Equatable {
    /// The call site as symbol+offset, or address in hex.
    public var callsite: String
    public var callback: String
    /// The process that called most often from here.
    @Nullable public var comm: String?
    public var calls: UInt64
    /// Targets, summed over the calls.
    public var targets: UInt64
    public var kicks: UInt64

    public init(callsite: String, callback: String, comm: String?, calls: UInt64, targets: UInt64, kicks: UInt64) {
      self.callsite = callsite
      self.callback = callback
      self.comm = comm
      self.calls = calls
      self.targets = targets
      self.kicks = kicks
    }
  }

  public init(total: UInt64, byKind: Kinds, byType: Types, byCallback: [Callback], byCaller: [Caller]) {
    self.total = total
    self.byKind = byKind
    self.byType = byType
    self.byCallback = byCallback
    self.byCaller = byCaller
  }
}

/// How queued calls made their targets look: each queued call is counted once.
public struct KickCounts: Codable, Sendable, Equatable {
  /// By an IPI of its own (`ipi_send_cpu`).
  public var ipi: UInt64 = 0
  /// By a place in a mask IPI (`ipi_send_cpumask`), counted per target.
  public var maskIPI: UInt64 = 0
  /// Not at all: the queue was not empty.
  public var coalesced: UInt64 = 0
  /// By NEED_RESCHED on a polling idle target.
  public var polling: UInt64 = 0
  /// The trace does not tell.
  public var unknown: UInt64 = 0

  public init() {}
}

/// Source × target, only the pairs that occur.
public struct CallMatrix: Codable, Sendable, Equatable {
  public struct Cell: Codable, Sendable, Equatable {
    public var source: Int
    public var target: Int
    /// Queued calls from source to target; for source = target: local runs.
    public var calls: UInt64
    /// IPIs that those calls sent.
    public var ipis: UInt64

    public init(source: Int, target: Int, calls: UInt64, ipis: UInt64) {
      self.source = source
      self.target = target
      self.calls = calls
      self.ipis = ipis
    }
  }

  /// Every CPU that occurs, ascending.
  public var cpus: [Int]
  /// By source, then target.
  public var cells: [Cell]

  public init(cpus: [Int], cells: [Cell]) {
    self.cpus = cpus
    self.cells = cells
  }
}
