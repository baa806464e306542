/// How far the simulation of the engine that recorded a trace is from the trace itself.
///
/// It qualifies every other engine's numbers: a difference that is smaller than the error is no difference.
public struct Calibration: Codable, Sendable, Equatable {
  /// What is compared. A case's name is its one name, in JSON and elsewhere.
  public enum Measure: String, Codable, Sendable, CaseIterable {
    /// IPIs that targets receive.
    case interrupts
    /// The share of queued targets that needed no kick.
    case coalescingRate
    case queueToStartP50
    case queueToStartP90
    case queueToStartP99
    /// The sum of the callers' waiting.
    case callerWaiting
  }

  public struct Item: Codable, Sendable, Equatable {
    public var measure: Measure
    /// Nanoseconds, a count, or a share; null where the trace does not tell.
    @Nullable public var recorded: Double?
    @Nullable public var simulated: Double?
    /// For a share: the difference in points, 0 … 1. Else the relative error: 0.02 is 2 % too much, -0.02 too little.
    @Nullable public var error: Double?
    /// The largest error, either way, that the simulation promises; null where it promises none.
    @Nullable public var goal: Double?
    /// Null where there is no error or no goal.
    @Nullable public var isWithinGoal: Bool?
    /// Why the goal was missed, or why it is not known, as far as that can be told; empty where there is nothing to say.
    public var reasons: [String]

    public init(
      measure: Measure, recorded: Double?, simulated: Double?, error: Double?, goal: Double?, isWithinGoal: Bool?,
      reasons: [String]
    ) {
      self.measure = measure
      self.recorded = recorded
      self.simulated = simulated
      self.error = error
      self.goal = goal
      self.isWithinGoal = isWithinGoal
      self.reasons = reasons
    }
  }

  public var engine: String
  public var items: [Item]

  public init(engine: String, items: [Item]) {
    self.engine = engine
    self.items = items
  }

  /// Whether nothing misses its goal.
  public var isWithinGoals: Bool { !items.contains { $0.isWithinGoal == false } }
}
