/// The common flags word of an ftrace event: the context in which the event was emitted.
///
/// The kernel's counterpart is `enum trace_flag_type`.
public struct ContextFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  @inlinable public static var interruptsOff: ContextFlags { ContextFlags(rawValue: 0x01) }
  /// Before 6.13: the architecture does not tell whether interrupts are off. Since then: another wish to reschedule.
  @inlinable public static var interruptsUnknown: ContextFlags { ContextFlags(rawValue: 0x02) }
  @inlinable public static var needReschedule: ContextFlags { ContextFlags(rawValue: 0x04) }
  @inlinable public static var hardInterrupt: ContextFlags { ContextFlags(rawValue: 0x08) }
  @inlinable public static var softInterrupt: ContextFlags { ContextFlags(rawValue: 0x10) }
  @inlinable public static var preemptReschedule: ContextFlags { ContextFlags(rawValue: 0x20) }
  @inlinable public static var nonMaskableInterrupt: ContextFlags { ContextFlags(rawValue: 0x40) }
  @inlinable public static var bottomHalvesOff: ContextFlags { ContextFlags(rawValue: 0x80) }

  /// Stands for a context that the trace does not tell: some forms of text have no column for it. No event of a kernel has it,
  /// because whatever runs in a non-maskable interrupt runs with interrupts off.
  ///
  /// Its level is the highest, which interrupts all others: so it proves nothing about what they do.
  @inlinable public static var unknown: ContextFlags { ContextFlags(rawValue: 0x42) }

  /// Whether the trace does not tell the context.
  @inlinable
  public var isUnknown: Bool { self == .unknown }

  /// How deeply interrupts are nested, as far as the flags tell.
  @inlinable
  public var level: ContextLevel {
    if contains(.nonMaskableInterrupt) { return .nonMaskable }
    if contains(.hardInterrupt) { return .hard }
    if contains(.softInterrupt) { return .soft }
    return .task
  }
}

/// The level at which a CPU runs code. A level interrupts those below it, and is over when one of them goes on.
public enum ContextLevel: UInt8, Comparable, CaseIterable, Sendable {
  case task
  case soft
  case hard
  case nonMaskable

  @inlinable
  public static func < (left: ContextLevel, right: ContextLevel) -> Bool { left.rawValue < right.rawValue }
}
