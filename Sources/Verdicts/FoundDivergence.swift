public import CallEngines
public import CallHistories
public import TraceTypes

/// A divergence before it is put into words.
public struct FoundDivergence: Sendable {
  public var rule: Rule
  /// On the trace's clock.
  public var time: UInt64
  /// The CPUs concerned, sources first, the target last.
  public var cpus: [UInt16]
  public var function: UInt64
  public var csd: UInt64
  /// The events that show it, in time order.
  public var events: [EventReference]
  /// What it takes for granted of the clocks. Empty if it rests on the order within single CPUs alone.
  public var comparisons: [ClockComparison]
  /// Types of events whose absence is part of the proof.
  public var absent: [EventKind]
  /// When they would have been recorded, in nanoseconds.
  public var absence: ClosedRange<UInt64>

  public init(
    rule: Rule, time: UInt64, cpus: [UInt16], function: UInt64, csd: UInt64, events: [EventReference],
    comparisons: [ClockComparison] = [], absent: [EventKind] = [], absence: ClosedRange<UInt64>? = nil
  ) {
    self.rule = rule
    self.time = time
    self.cpus = cpus
    self.function = function
    self.csd = csd
    self.events = events
    self.comparisons = comparisons
    self.absent = absent
    self.absence = absence ?? time...time
  }

  /// By how many nanoseconds clocks would have to be wrong for it to be harmless; `UInt64.max` if it rests on no comparison
  /// of clocks.
  public var margin: UInt64 { comparisons.map(\.margin).min() ?? .max }
}
