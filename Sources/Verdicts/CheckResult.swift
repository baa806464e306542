/// What explorations found, as plain values. The renderers in Reports only turn it into words and marks.
///
/// The JSON form is an array of ``CheckLine``; `ipitrace-check-1.schema.json` beside the renderer describes it.
public struct CheckResult: Codable, Sendable, Equatable {
  /// In the order of the scenarios, their engines and the properties.
  public var lines: [CheckLine]

  public init(lines: [CheckLine]) { self.lines = lines }

  public init(from decoder: any Decoder) throws { lines = try decoder.singleValueContainer().decode([CheckLine].self) }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(lines)
  }

  /// Whether every property came out as claimed.
  public var isAsClaimed: Bool { lines.allSatisfy(\.isAsClaimed) }
}

/// One property of one engine in one scenario.
public struct CheckLine: Codable, Sendable, Equatable {
  public enum Outcome: String, Codable, Sendable, CaseIterable {
    /// No state that can be reached violates it.
    case holds
    /// One does; there is a counterexample.
    case violated
    /// No state that was reached violates it, and not all were reached.
    case notExhausted
  }

  public enum Expectation: String, Codable, Sendable, CaseIterable {
    case holds
    case violated
  }

  /// Why an exploration ended early.
  public enum Reason: String, Codable, Sendable, CaseIterable {
    /// The memory limit.
    case memoryLimit
    /// More states than can be numbered.
    case tooManyStates
    /// A configuration too large to be stored.
    case tooLarge
  }

  public var scenario: String
  /// What the scenario shows, in one sentence; empty if it does not say.
  public var claim: String
  /// Where the claim comes from; empty if it does not say.
  public var source: String
  public var engine: String
  /// The choices among the engine's variants as they were written; null for the engine as it is.
  @Nullable public var variant: String?
  /// The name of a ``Property``.
  public var property: String
  public var result: Outcome
  /// What the scenario claims.
  public var expected: Expectation
  /// Whether the scenario names the property, and does not only rely on it.
  public var isNamed: Bool
  /// States of the whole exploration, which is one for all properties of a scenario and an engine.
  public var states: Int
  /// Moves between states, those included that lead to known ones.
  public var transitions: Int
  /// Length of the longest of the shortest ways.
  public var depth: Int
  public var seconds: Double
  /// Why not every state was reached; null if every one was.
  @Nullable public var reason: Reason?
  /// One of the shortest ways to the violation; null unless it is violated.
  @Nullable public var counterexample: Counterexample?

  public init(
    scenario: String, claim: String, source: String, engine: String, variant: String?, property: String,
    result: Outcome, expected: Expectation, isNamed: Bool, states: Int, transitions: Int, depth: Int, seconds: Double,
    reason: Reason?, counterexample: Counterexample?
  ) {
    self.scenario = scenario
    self.claim = claim
    self.source = source
    self.engine = engine
    self.variant = variant
    self.property = property
    self.result = result
    self.expected = expected
    self.isNamed = isNamed
    self.states = states
    self.transitions = transitions
    self.depth = depth
    self.seconds = seconds
    self.reason = reason
    self.counterexample = counterexample
  }

  /// Whether it came out as claimed.
  public var isAsClaimed: Bool {
    switch (result, expected) {
    case (.holds, .holds), (.violated, .violated): true
    case (.holds, .violated), (.violated, .holds), (.notExhausted, _): false
    }
  }

  /// The engine with its variant, as users name it.
  public var engineName: String { variant.map { "\(engine):\($0)" } ?? engine }
}
