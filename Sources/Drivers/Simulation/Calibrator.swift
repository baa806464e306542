import Verdicts

/// Holds the simulation of the recorded engine against the recording, and other engines against that.
enum Calibrator {
  /// The largest error that the simulation promises, either way.
  private static func goal(of measure: Calibration.Measure) -> Double? {
    switch measure {
    case .interrupts: 0.02
    case .coalescingRate: 0.02
    case .queueToStartP50: 0.1
    case .queueToStartP99: 0.25
    case .queueToStartP90, .callerWaiting: nil
    }
  }

  private static let leastInterrupts: UInt64 = 100
  private static let leastDelays: UInt64 = 100

  /// - Parameter simulated: with several seeds. The error is the largest of them.
  /// - Precondition: there is at least one.
  static func calibration(engine: String, recorded: OutcomeRecorder, simulated: [OutcomeRecorder]) -> Calibration {
    var worst = calibration(engine: engine, recorded: recorded, simulated: simulated[0])
    for other in simulated.dropFirst() {
      let items = calibration(engine: engine, recorded: recorded, simulated: other).items
      for index in items.indices where abs(items[index].error ?? 0) > abs(worst.items[index].error ?? 0) {
        worst.items[index] = items[index]
      }
    }
    return worst
  }

  private static func calibration(
    engine: String, recorded: OutcomeRecorder, simulated: OutcomeRecorder
  ) -> Calibration {
    let delays = (recorded.delays, simulated.delays)
    func item(_ measure: Calibration.Measure, _ recordedValue: Double?, _ simulatedValue: Double?) -> Calibration.Item {
      let error = error(measure, recordedValue, simulatedValue)
      let goal = goal(of: measure)
      let isWithin = error.flatMap { error in goal.map { abs(error) <= $0 } }
      return Calibration.Item(
        measure: measure, recorded: recordedValue, simulated: simulatedValue, error: error, goal: goal,
        isWithinGoal: isWithin,
        reasons: isWithin == true ? [] : reasons(measure, error: error, recorded: recorded, simulated: simulated))
    }
    return Calibration(
      engine: engine,
      items: [
        item(.interrupts, Double(recorded.known.total), Double(simulated.known.total)),
        item(.coalescingRate, recorded.known.coalescingRate, simulated.known.coalescingRate),
        item(.queueToStartP50, delays.0.p50Nanoseconds.map { Double($0) }, delays.1.p50Nanoseconds.map { Double($0) }),
        item(.queueToStartP90, delays.0.p90Nanoseconds.map { Double($0) }, delays.1.p90Nanoseconds.map { Double($0) }),
        item(.queueToStartP99, delays.0.p99Nanoseconds.map { Double($0) }, delays.1.p99Nanoseconds.map { Double($0) }),
        item(
          .callerWaiting, recorded.callerWaitSum == 0 ? nil : Double(recorded.callerWaitSum),
          Double(simulated.callerWaitSum)),
      ])
  }

  private static func error(_ measure: Calibration.Measure, _ recorded: Double?, _ simulated: Double?) -> Double? {
    guard let recorded, let simulated else { return nil }
    if measure == .coalescingRate { return simulated - recorded }
    return recorded == 0 ? nil : simulated / recorded - 1
  }

  /// Why a goal is missed, or why nothing can be said.
  private static func reasons(
    _ measure: Calibration.Measure, error: Double?, recorded: OutcomeRecorder, simulated: OutcomeRecorder
  ) -> [String] {
    var reasons: [String] = []
    guard error != nil else { return ["The recording does not tell."] }
    switch measure {
    case .interrupts, .coalescingRate:
      if recorded.known.total < leastInterrupts {
        reasons.append("Only \(recorded.known.total) IPIs were recorded, so that few make a large share.")
      }
      if recorded.known.polling > 0, recorded.known.polling != simulated.known.polling {
        reasons.append(
          "Whether a target polls is known at the recorded kicks only: \(recorded.known.polling) were recorded, "
            + "\(simulated.known.polling) simulated.")
      }
      if recorded.interrupts.unknown > 0 {
        reasons.append("The recording does not tell how \(recorded.interrupts.unknown) targets were kicked.")
      }
    case .queueToStartP50, .queueToStartP90, .queueToStartP99, .callerWaiting:
      if recorded.delays.count < leastDelays {
        reasons.append("Only \(recorded.delays.count) delays were recorded.")
      }
    }
    if recorded.fates.unknown > 0 {
      reasons.append("What became of \(recorded.fates.unknown) targets was not recorded.")
    }
    return reasons
  }

  // MARK: Other engines

  /// What an engine does otherwise than the recorded one, both simulated.
  static func differences(
    of outcome: EngineOutcome, from base: EngineOutcome, calibration: Calibration?
  ) -> [EngineResult.Difference] {
    Calibration.Measure.allCases.map { measure in
      let change = error(measure, value(measure, base), value(measure, outcome))
      let own = calibration?.items.first { $0.measure == measure }?.error.map {
        max(abs($0), leastError(measure, base))
      }
      return EngineResult.Difference(
        measure: measure, change: change, error: own,
        isSignificant: own.map { own in
          change.map { abs($0) > own } ?? (value(measure, base) != value(measure, outcome))
        } ?? false)
    }
  }

  /// What no comparison is better than, however well the recorded times were met: a count has a counting error, and a
  /// duration that of clocks and of histograms.
  private static func leastError(_ measure: Calibration.Measure, _ outcome: EngineOutcome) -> Double {
    switch measure {
    case .interrupts: 1 / Double(max(1, outcome.interrupts.total)).squareRoot()
    case .coalescingRate: 0.5 / Double(max(1, outcome.targets)).squareRoot()
    case .queueToStartP50, .queueToStartP90, .queueToStartP99, .callerWaiting: 0.02
    }
  }

  private static func value(_ measure: Calibration.Measure, _ outcome: EngineOutcome) -> Double? {
    let delays = outcome.queueToStart.summary
    return switch measure {
    case .interrupts: Double(outcome.interrupts.total)
    case .coalescingRate: outcome.interrupts.coalescingRate
    case .queueToStartP50: delays.p50Nanoseconds.map { Double($0) }
    case .queueToStartP90: delays.p90Nanoseconds.map { Double($0) }
    case .queueToStartP99: delays.p99Nanoseconds.map { Double($0) }
    case .callerWaiting: Double(outcome.waiting.callers.sumNanoseconds)
    }
  }
}
