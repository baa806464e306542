import Verdicts

/// What a simulation comes to, a few sentences for each engine.
extension SimulationWords {
  struct Finding {
    /// The engine, escaped.
    var name: String
    /// What is said of it, escaped; a predicate: "sends 1,204 IPIs, …".
    var text: String
    /// Something goes wrong that does not in a working engine: lost, deadlocked.
    var isBad: Bool
  }

  static func findings(_ facts: SimulationFacts, in trace: TraceSummary) -> [Finding] {
    facts.engines.map { column in
      let count = column.isReference ? reference(column, facts) : compared(column, facts)
      let fates = fates(column.outcome, in: trace) + unmade(column, facts)
      return Finding(
        // A number and its unit stay on one line.
        name: column.name, text: ([count] + fates).joined(separator: " ").replacing(" %", with: "\u{a0}%"),
        isBad: column.outcome.fates.lost > 0 || isStuck(column.outcome))
    }
  }

  private static func ipis(_ count: UInt64) -> String { Quantity.count(count, "IPI") }

  /// The recorded engine, simulated: what the simulation's own error is.
  private static func reference(_ column: SimulationFacts.Column, _ facts: SimulationFacts) -> String {
    let isAsRecorded = facts.simulation.load.isAsRecorded
    var sentences = [
      "is the recorded engine. It sends \(ipis(interrupts(column.outcome)))"
        + (isAsRecorded ? " in the simulation." : " under this load, which is not as recorded.")
    ]
    guard let item = facts.calibration(.interrupts), let error = item.error else {
      sentences.append("The simulation's own error is not known.")
      if let why = facts.calibration(.interrupts).flatMap(reasons) { sentences.append(why) }
      return sentences.joined(separator: " ")
    }
    let goal: String
    switch (item.isWithinGoal, item.goal) {
    case (true, let limit?): goal = ", within its goal of \(size(limit, .interrupts))"
    case (false, let limit?): goal = ", which misses its goal of \(size(limit, .interrupts))"
    default: goal = ""
    }
    // The trace need not tell of every kick, so these may be fewer than all that were sent.
    let compared = isAsRecorded ? "As far as the two can be compared" : "Under the load as it was"
    sentences.append(
      "\(compared), \(value(item.recorded, .interrupts)) were recorded and \(value(item.simulated, .interrupts))"
        + " simulated: the simulation's own error is \(size(error, .interrupts))\(goal).")
    if item.isWithinGoal == false, let why = reasons(item) { sentences.append(why) }
    return sentences.joined(separator: " ")
  }

  /// Another engine: how many IPIs, compared with the recorded one simulated, and how sure that is.
  private static func compared(_ column: SimulationFacts.Column, _ facts: SimulationFacts) -> String {
    let count = interrupts(column.outcome)
    let sends = "sends \(ipis(count))"
    guard let reference = facts.reference,
      let difference = column.differences.first(where: { $0.measure == .interrupts })
    else { return "\(sends), which were not compared with another engine's." }
    let other = interrupts(reference.outcome)
    let against: String
    if count == other {
      against = "as many as \(reference.name)"
    } else if let change = difference.change, change.isFinite, change != 0 {
      against = "\(Quantity.percent(change)) \(change < 0 ? "fewer" : "more") than \(reference.name)"
    } else {
      against = "where \(reference.name) sends \(other == 0 ? "none" : Quantity.count(other))"
    }
    guard let error = difference.error else {
      return
        "\(sends), \(against). How sure that is cannot be said: the simulation's own error is not known."
    }
    let own =
      "the simulation's own error\(facts.simulation.load.isAsRecorded ? "" : ", under the load as it was,") is"
      + " \(size(error, .interrupts))"
    if difference.isSignificant {
      // An engine that came to a standstill sent nothing from then on.
      let work = isStuck(column.outcome) ? ", but not of the same work" : ""
      return "\(sends), \(against); \(own), so the difference is real\(work)."
    }
    return "\(sends), \(against); \(own), so the two are not told apart."
  }

  /// Calls of the load that the engine did not come to make, because their callers were held up.
  private static func unmade(_ column: SimulationFacts.Column, _ facts: SimulationFacts) -> [String] {
    guard let reference = facts.reference?.outcome, column.outcome.calls < reference.calls else { return [] }
    return ["It makes \(Quantity.count(column.outcome.calls)) of the \(Quantity.count(reference.calls, "call"))."]
  }

  /// What went otherwise than it should, and when.
  private static func fates(_ outcome: EngineOutcome, in trace: TraceSummary) -> [String] {
    var sentences: [String] = []
    let fates = outcome.fates
    if let first = inOrder(outcome.deadlocks).first {
      let held = fates.deadlocked > 0 ? ", and \(Quantity.count(fates.deadlocked, "target")) never run" : ""
      let when = (outcome.deadlocks.count > 1 ? ", first " : " ") + moment(first, in: trace)
      let who =
        first.cycle.count > 1
        ? "\(Words.cpus(first.cycle.map(\.cpu))) wait for each other for ever (\(cycle(first)))" : cycle(first)
      sentences.append("It \(happening(first))\(when): \(who)\(held).")
      sentences.append("What these CPUs would have sent afterwards is missing from its count.")
    } else if fates.deadlocked > 0 {
      sentences.append("A deadlock holds up \(Quantity.count(fates.deadlocked, "target")) for ever.")
    }
    if fates.lost > 0 {
      sentences.append("It loses \(Quantity.count(fates.lost, "target")): queued, and never run.")
    }
    if fates.refused > 0 { sentences.append("It refuses \(Quantity.count(fates.refused, "target")).") }
    if let allocations = outcome.allocations, allocations.failed > 0 {
      sentences.append(
        "\(Quantity.count(allocations.failed)) of \(Quantity.count(allocations.made, "allocation")) fail.")
    }
    return sentences
  }
}
