public import TraceTypes

/// A piece of what a CPU was seen to do: a handler of an interprocessor interrupt or a callback begins or ends.
///
/// The pieces of one CPU come in the order of its events, and every end belongs to the latest begin that has none yet: they
/// nest. Where one of the two was not seen, the other stands alone and says so.
public struct CPUActivity: Sendable, Hashable {
  public enum Step: UInt8, Sendable {
    /// It begins; its end follows.
    case began
    /// The latest begin without an end, ends.
    case ended
    /// It begins. When it ended is not known.
    case beganOnly
    /// It ends. When it began is not known.
    case endedOnly
  }

  /// Why an end was not seen.
  public enum UnseenEnd: UInt8, CaseIterable, Sendable {
    /// Events of the CPU were lost.
    case eventsLost
    /// The CPU's next events show that it was over: its own event is missing.
    case notRecorded
    /// The trace ended before.
    case traceEnd
    /// More began and ended inside than is kept until an end comes.
    case tooMuchInside

    /// The reason's name in outputs.
    public var name: String { String(describing: self) }
  }

  public var step: Step
  /// Of the event that shows it: an entry into a handler or a callback, or an exit.
  public var kind: EventKind
  public var cpu: UInt16
  /// Of the event, on the trace's clock.
  public var nanoseconds: UInt64
  /// Of a callback; 0 for one that ran in place.
  public var csd: UInt64
  /// The callback; 0 for a handler.
  public var function: UInt64
  /// A callback's begin belongs to a call that the trace shows: its ``QueuedCall/started`` is this time.
  public var isQueued: Bool
  /// With ``Step/beganOnly``.
  public var unseenEnd: UnseenEnd?

  public init(
    step: Step, kind: EventKind, cpu: UInt16, nanoseconds: UInt64, csd: UInt64 = 0, function: UInt64 = 0,
    isQueued: Bool = false, unseenEnd: UnseenEnd? = nil
  ) {
    self.step = step
    self.kind = kind
    self.cpu = cpu
    self.nanoseconds = nanoseconds
    self.csd = csd
    self.function = function
    self.isQueued = isQueued
    self.unseenEnd = unseenEnd
  }
}
