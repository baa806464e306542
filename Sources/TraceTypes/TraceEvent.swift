/// One decoded kernel event, flat and without references.
///
/// What the four words and two numbers mean depends on the kind:
///
/// | kind | `csd` | `function` | `callsite` | `target` | `detail` |
/// |---|---|---|---|---|---|
/// | `csdQueueCPU` | csd address | func | callsite | target CPU | |
/// | `csdFunctionEntry`, `csdFunctionExit` | csd address, 0 for a local run | func | | | |
/// | `ipiSendCPU` | | callback | callsite | target CPU | |
/// | `ipiSendCPUMask`, `ipiRaise` | | callback | callsite | first mask word | number of mask words |
/// | `schedWakeIdleWithoutIPI` | | | | target CPU | |
/// | `schedSwitch` | comm of the next task, bytes 0–7 | bytes 8–15 | | next pid | previous pid |
/// | `cpuIdle` | | | | CPU | state (−1: exit) |
/// | `cpuhpEnter`, `cpuhpMultiEnter` | | function of the step | | CPU | step; `callsite` holds the aimed-at state |
/// | `cpuhpExit` | | result | | CPU | step; `callsite` holds the reached state |
/// | all others | | | | | |
///
/// Comm bytes are in memory order, the first byte in the lowest bits. Mask words lie in the batch that delivers the event.
public struct TraceEvent: Sendable {
  /// Nanoseconds on the trace's clock (for the clock `x86-tsc`: cycles).
  public var nanoseconds: UInt64
  /// The CPU whose buffer held the event.
  public var cpu: UInt16
  public var kind: EventKind
  public var flags: ContextFlags
  /// The task that was current; 0 is idle.
  public var pid: Int32
  public var csd: UInt64
  public var function: UInt64
  public var callsite: UInt64
  public var target: Int32
  public var detail: Int32

  @inlinable
  public init(
    nanoseconds: UInt64, cpu: UInt16, kind: EventKind, flags: ContextFlags = [], pid: Int32 = 0, csd: UInt64 = 0,
    function: UInt64 = 0, callsite: UInt64 = 0, target: Int32 = 0, detail: Int32 = 0
  ) {
    self.nanoseconds = nanoseconds
    self.cpu = cpu
    self.kind = kind
    self.flags = flags
    self.pid = pid
    self.csd = csd
    self.function = function
    self.callsite = callsite
    self.target = target
    self.detail = detail
  }
}

/// A stretch of one CPU's buffer in which events were lost.
public struct TraceGap: Hashable, Sendable {
  public var cpu: UInt16
  /// The CPU's last event before the gap, or nil when the gap is before its first.
  public var afterNanoseconds: UInt64?
  /// The CPU's first event after the gap, or nil when none follows.
  public var beforeNanoseconds: UInt64?
  /// How many events were lost, or nil when the buffer does not say.
  public var lostEvents: UInt64?

  public init(cpu: UInt16, afterNanoseconds: UInt64?, beforeNanoseconds: UInt64?, lostEvents: UInt64?) {
    self.cpu = cpu
    self.afterNanoseconds = afterNanoseconds
    self.beforeNanoseconds = beforeNanoseconds
    self.lostEvents = lostEvents
  }
}

/// What takes a merged trace.
public protocol TraceEventConsumer: ~Copyable {
  /// Takes the next events in time order, of any CPUs; between CPUs equal times come in the order of the CPUs.
  /// - Parameters:
  ///   - events: valid during the call only.
  ///   - maskWords: what events with masks among them point to; word 0 of a mask holds CPUs 0 to 63.
  mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>)

  /// Says that a CPU's events were lost, as soon as the merge reaches the beginning of the gap: after that CPU's last
  /// event before the gap, and before any later event of any CPU.
  mutating func gapBegan(_ gap: TraceGap)
}
