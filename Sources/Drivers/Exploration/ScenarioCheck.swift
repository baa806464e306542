public import CallEngines
public import Verdicts

/// Explores a scenario with one of its engines, and holds what is found against what is claimed.
public struct ScenarioCheck {
  public var options = Explorer.Options()
  /// Decide these and no others; nil: all promises, and what the scenario names.
  public var properties: [Property]?

  public init() {}

  /// A line for each property.
  /// - Complexity: that of ``Explorer/explore()``.
  public func lines(of scenario: Scenario, _ item: Scenario.Case) -> [CheckLine] {
    let properties = properties ?? item.properties
    var options = options
    options.decidesWaiting = properties.contains(.boundedWaiting)
    let finding = Explorer(engine: item.engine, workload: scenario.workload, options: options).explore()
    let parts = item.engineName.split(separator: ":" as Character, maxSplits: 1)
    let seconds = finding.duration / .seconds(1)
    // Properties that one step violates together share their way.
    var built: [[Action]: Counterexample] = [:]
    return properties.map { property in
      let result: CheckLine.Outcome
      var counterexample: Counterexample?
      let stopped = finding.stopped ?? (property == .boundedWaiting ? finding.waitingStopped : nil)
      if let actions = finding.violations[property] {
        result = .violated
        counterexample =
          built[actions]
          ?? CounterexampleBuilder.build(
            engine: item.engine, scenario: scenario, actions: actions,
            repeated: property == .boundedWaiting ? finding.repeated : 0, redirects: options.redirects)
        built[actions] = counterexample
      } else {
        result = stopped == nil ? .holds : .notExhausted
      }
      let isViolationClaimed = item.violated.contains(property)
      return CheckLine(
        scenario: scenario.name, claim: scenario.claim, source: scenario.source, engine: String(parts[0]),
        variant: parts.count == 2 ? String(parts[1]) : nil, property: property.name, result: result,
        expected: isViolationClaimed ? .violated : .holds,
        isNamed: self.properties != nil || isViolationClaimed || item.alsoHolds.contains(property),
        states: finding.states,
        transitions: finding.transitions, depth: finding.depth, seconds: seconds,
        reason: stopped.map { CheckLine.Reason($0) }, counterexample: counterexample)
    }
  }
}

extension CheckLine.Reason {
  init(_ reason: Explorer.StopReason) {
    switch reason {
    case .memoryLimit: self = .memoryLimit
    case .tooManyStates: self = .tooManyStates
    case .tooLarge: self = .tooLarge
    }
  }
}
