import CallEngines
import Verdicts

/// A check's lines, grouped as its reports show them: scenario, engine, and which properties are worth a line of their own.
struct CheckFacts {
  /// One scenario.
  struct Group {
    var scenario: String
    var claim: String
    var source: String
    var explorations: [Exploration]
  }

  /// One engine in a scenario: one exploration.
  struct Exploration {
    var engine: String
    /// Those that a line of their own is worth.
    var lines: [CheckLine]
    /// The others. None is violated, so that all have come out alike.
    var others: [CheckLine]
    var traces: [Trace]
    /// Any of its lines: the figures of the exploration are the same in all.
    var sample: CheckLine
  }

  /// A counterexample, and the properties that it violates.
  struct Trace {
    /// From 1, over the whole result.
    var number: Int
    var lines: [CheckLine]
    var example: Counterexample
    var isAsClaimed: Bool { lines.allSatisfy(\.isAsClaimed) }
  }

  let groups: [Group]
  let propertyCount: Int
  let notAsClaimed: Int
  let notExhausted: Int

  /// - Parameter showsAll: whether every property has a line of its own.
  init(_ result: CheckResult, showsAll: Bool) {
    var groups: [Group] = []
    var traceCount = 0
    for lines in Self.runs(result.lines, of: \.scenario) {
      let named = Set(lines.filter { $0.isNamed || $0.result == .violated }.map(\.property))
      let explorations = Self.runs(lines, of: \.engineName).map { lines in
        let own = lines.filter { showsAll || named.contains($0.property) }
        let others = lines.filter { !showsAll && !named.contains($0.property) }
        return Exploration(
          engine: lines[0].engineName, lines: own, others: others, traces: Self.traces(lines, &traceCount),
          sample: lines[0])
      }
      groups.append(
        Group(
          scenario: lines[0].scenario, claim: lines[0].claim, source: lines[0].source, explorations: explorations))
    }
    self.groups = groups
    propertyCount = result.lines.count
    notAsClaimed = result.lines.count { !$0.isAsClaimed && $0.result != .notExhausted }
    notExhausted = result.lines.count { $0.result == .notExhausted }
  }

  var explorationCount: Int { groups.reduce(0) { $0 + $1.explorations.count } }
  var traces: [Trace] { groups.flatMap { $0.explorations.flatMap(\.traces) } }

  /// Neighbours that agree.
  private static func runs(_ lines: [CheckLine], of key: (CheckLine) -> String) -> [[CheckLine]] {
    var runs: [[CheckLine]] = []
    for line in lines {
      if let last = runs.last?.last, key(last) == key(line) {
        runs[runs.count - 1].append(line)
      } else {
        runs.append([line])
      }
    }
    return runs
  }

  private static func traces(_ lines: [CheckLine], _ count: inout Int) -> [Trace] {
    var traces: [Trace] = []
    for line in lines {
      guard let example = line.counterexample else { continue }
      if let index = traces.firstIndex(where: { $0.example == example }) {
        traces[index].lines.append(line)
      } else {
        count += 1
        traces.append(Trace(number: count, lines: [line], example: example))
      }
    }
    return traces
  }
}

/// The words of a check.
enum CheckWords {
  static func outcome(_ line: CheckLine) -> String {
    switch line.result {
    case .holds: "holds"
    case .violated: "violated"
    case .notExhausted: "not exhausted"
    }
  }

  /// Why a result is not what was to be expected; empty if it is.
  static func surprise(_ line: CheckLine) -> String {
    if line.isAsClaimed { return "" }
    switch line.result {
    case .holds: return "claimed to be violated"
    case .violated: return line.isNamed ? "claimed to hold" : "every engine promises it"
    case .notExhausted: return ""
    }
  }

  /// Why an exploration decided less than it was asked to; empty if it did not.
  static func end(_ exploration: CheckFacts.Exploration) -> String {
    guard let reason = exploration.sample.reason else { return "" }
    return "Not exhausted after \(Quantity.count(exploration.sample.states)) states: \(self.reason(reason))."
  }

  /// A sign that does not depend on colour.
  static func sign(_ line: CheckLine) -> String {
    if line.isAsClaimed { return "✓" }
    return line.result == .notExhausted ? "?" : "✗"
  }

  static func reason(_ reason: CheckLine.Reason) -> String {
    switch reason {
    case .memoryLimit: "the memory limit was reached"
    case .tooManyStates: "there are more states than can be numbered"
    case .tooLarge: "the configuration is too large to be stored"
    }
  }

  static func others(_ count: Int, ofAll: Bool) -> String {
    if ofAll { return "all \(count) promises" }
    return count == 1 ? "1 other promise" : "\(count) other promises"
  }

  static func time(_ line: CheckLine) -> String {
    guard line.seconds.isFinite, line.seconds > 0 else { return "–" }
    return Quantity.duration(UInt64(min(line.seconds, 1e9) * 1e9))
  }

  /// The whole check in one sentence.
  static func summary(_ facts: CheckFacts) -> String {
    let all =
      "\(Quantity.count(UInt64(facts.propertyCount), "property", "properties"))"
      + " in \(Quantity.count(UInt64(facts.explorationCount), "exploration"))"
    if facts.propertyCount == 0 { return "Nothing was explored." }
    var parts: [String] = []
    if facts.notAsClaimed > 0 { parts.append("\(Quantity.count(facts.notAsClaimed)) not as claimed") }
    if facts.notExhausted > 0 { parts.append("\(Quantity.count(facts.notExhausted)) not decided") }
    return "\(all): \(parts.isEmpty ? "all as claimed" : parts.joined(separator: ", "))."
  }

  /// What a property says; empty for one that this version does not know.
  static func sentence(of property: String) -> String { Property(name: property)?.sentence ?? "" }

  /// A trace's properties: `noDeadlock, noLostCallback`. Escaped.
  static func properties(_ trace: CheckFacts.Trace) -> String {
    trace.lines.map { VisibleText.escape($0.property) }.joined(separator: ", ")
  }
}
