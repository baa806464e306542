public import CallEngines
public import CallHistories

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
  /// By how many nanoseconds clocks would have to be wrong for it to be harmless; `UInt64.max` if it rests on no comparison
  /// of clocks.
  public var margin: UInt64

  public init(
    rule: Rule, time: UInt64, cpus: [UInt16], function: UInt64, csd: UInt64, events: [EventReference], margin: UInt64
  ) {
    self.rule = rule
    self.time = time
    self.cpus = cpus
    self.function = function
    self.csd = csd
    self.events = events
    self.margin = margin
  }
}
