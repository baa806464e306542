/// Durations in nanoseconds, summarized. Percentiles are exact to 1 %.
public struct DurationSummary: Codable, Sendable, Equatable {
  public var count: UInt64
  /// The rest is null when `count` is 0.
  @Nullable public var minNanoseconds: UInt64?
  @Nullable public var p50Nanoseconds: UInt64?
  @Nullable public var p90Nanoseconds: UInt64?
  @Nullable public var p99Nanoseconds: UInt64?
  @Nullable public var p999Nanoseconds: UInt64?
  @Nullable public var maxNanoseconds: UInt64?
  public var sumNanoseconds: UInt64

  public init(
    count: UInt64, minNanoseconds: UInt64?, p50Nanoseconds: UInt64?, p90Nanoseconds: UInt64?, p99Nanoseconds: UInt64?,
    p999Nanoseconds: UInt64?, maxNanoseconds: UInt64?, sumNanoseconds: UInt64
  ) {
    self.count = count
    self.minNanoseconds = minNanoseconds
    self.p50Nanoseconds = p50Nanoseconds
    self.p90Nanoseconds = p90Nanoseconds
    self.p99Nanoseconds = p99Nanoseconds
    self.p999Nanoseconds = p999Nanoseconds
    self.maxNanoseconds = maxNanoseconds
    self.sumNanoseconds = sumNanoseconds
  }
}

/// A duration's summary with its histogram.
public struct DurationDistribution: Codable, Sendable, Equatable {
  public struct Bin: Codable, Sendable, Equatable {
    /// Inclusive.
    public var fromNanoseconds: UInt64
    /// Exclusive.
    public var toNanoseconds: UInt64
    public var count: UInt64

    public init(fromNanoseconds: UInt64, toNanoseconds: UInt64, count: UInt64) {
      self.fromNanoseconds = fromNanoseconds
      self.toNanoseconds = toNanoseconds
      self.count = count
    }
  }

  public var summary: DurationSummary
  /// Four bins per octave, ascending, from the first to the last that is not empty.
  public var histogram: [Bin]

  public init(summary: DurationSummary, histogram: [Bin]) {
    self.summary = summary
    self.histogram = histogram
  }
}

/// Where the time of queued calls went.
public struct LatencySplit: Codable, Sendable, Equatable {
  /// From the queue event to the kick, for calls that kicked.
  public var queueToKick: DurationDistribution
  /// From the kick to the entry of the handler that flushed the call, for calls that kicked with an IPI.
  public var kickToHandler: DurationDistribution
  /// From the handler's entry to the callback's begin.
  public var handlerToStart: DurationDistribution
  /// From the queue event to the callback's begin: the whole delay.
  public var queueToStart: DurationDistribution
  /// From the callback's begin to its end.
  public var startToEnd: DurationDistribution
  /// From a call's first queue event to its caller's next event, for calls whose caller may have waited: an upper bound.
  public var callerWaitAtMost: DurationDistribution

  public init(
    queueToKick: DurationDistribution, kickToHandler: DurationDistribution, handlerToStart: DurationDistribution,
    queueToStart: DurationDistribution, startToEnd: DurationDistribution, callerWaitAtMost: DurationDistribution
  ) {
    self.queueToKick = queueToKick
    self.kickToHandler = kickToHandler
    self.handlerToStart = handlerToStart
    self.queueToStart = queueToStart
    self.startToEnd = startToEnd
    self.callerWaitAtMost = callerWaitAtMost
  }
}
