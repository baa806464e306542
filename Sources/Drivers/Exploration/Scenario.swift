public import CallEngines

/// A small configuration to be explored, with what is claimed of it.
public struct Scenario: Sendable {
  public var name: String
  /// What it shows, in one sentence.
  public var claim = ""
  /// Where the claim comes from.
  public var source = ""
  public var workload: Workload
  /// Names for reports, by index.
  public var lockNames: [String] = []
  public var storageNames: [String] = []
  /// Each call as it was written, by index.
  public var callTexts: [String] = []
  public var cases: [Case] = []

  /// One engine to explore, and what is expected of it.
  public struct Case: Sendable {
    /// As written: `NAME` or `NAME:VARIANT`.
    public var engineName: String
    public var engine: Engine
    public var violated: [Property] = []
    /// What is no promise of every engine, but expected to hold here.
    public var alsoHolds: [Property] = []

    public init(engineName: String, engine: Engine) {
      self.engineName = engineName
      self.engine = engine
    }

    /// The properties that are decided: all promises, and what was asked for.
    public var properties: [Property] {
      Property.allCases.filter { $0.isPromise || violated.contains($0) || alsoHolds.contains($0) }
    }
  }

  public init(name: String, workload: Workload) {
    self.name = name
    self.workload = workload
  }
}

/// Something in the text of a scenario that cannot be understood.
public struct ScenarioError: Error, Sendable, Hashable {
  /// From 1.
  public var line: Int
  public var reason: String
}
