public import Verdicts

/// The words for a comparison: terminal, HTML and standard error say the same.
public enum ComparisonWords {
  /// What a rule could not decide, in one line.
  public static func notJudged(_ rule: RuleOutcome) -> String {
    let name = VisibleText.escape(rule.rule)
    if rule.rule == "diverges" { return "\(name) was not judged: the verdict of the second side is undecided" }
    let reasons = rule.notJudged.map { gap in
      guard let reason = gap.reason else { return "there is nothing of the kind" }
      return gap.count == 1 && rule.judged == 0 ? sentence(reason) : "\(gap.count) × \(sentence(reason))"
    }
    let part = rule.judged > 0 ? "in part: \(Quantity.count(rule.judged)) judged, " : ": "
    return "\(name) was not judged" + (rule.judged > 0 ? " " : "") + part + reasons.joined(separator: ", ")
  }

  /// Why something is not judged, as a clause.
  static func sentence(_ reason: NotComparedReason) -> String {
    switch reason {
    case .savedResult: "a saved result does not tell by how much it varies"
    case .notInResult: "not in the saved result"
    case .eventsNotRecorded: "the events for it are not known to be recorded"
    case .otherEventsRecorded: "not the same events were recorded"
    case .otherCPUsRecorded: "not the same CPUs were recorded, and not all that ran"
    case .cpuNotRecorded: "the CPU was not recorded on one side"
    case .eventsLost: "events were lost"
    case .lossUnknown: "events are missing, and it is not known how many"
    case .clocksDisagree: "the clocks of the CPUs disagree"
    case .clockIsNoTime: "the clock does not count nanoseconds"
    case .tooShort: "a recording is too short"
    case .unequalLengths: "one recording is too much longer than the other"
    case .tooFew: "too little was seen"
    case .noName: "the callback has no name, and its address says nothing about another boot"
    case .tooMany: "there are more callbacks or CPUs than are told apart"
    }
  }

  /// The same in a word or two, for tables.
  static func short(_ reason: NotComparedReason) -> String {
    switch reason {
    case .savedResult: "not judged"
    case .notInResult: "not in the result"
    case .eventsNotRecorded: "not recorded"
    case .otherEventsRecorded: "other events"
    case .otherCPUsRecorded, .cpuNotRecorded: "other CPUs"
    case .eventsLost, .lossUnknown: "events lost"
    case .clocksDisagree: "clocks disagree"
    case .clockIsNoTime: "no time"
    case .tooShort: "too short"
    case .unequalLengths: "unequal lengths"
    case .tooFew: "too few"
    case .noName: "no name"
    case .tooMany: "too many"
    }
  }

  static func meaning(_ measure: ComparedMeasure) -> String {
    switch measure {
    case .calls: "calls queued to other CPUs, each target counted"
    case .interrupts: "IPIs sent for them"
    case .callbacks: "callbacks run for other CPUs"
    case .callbackTime: "time in callbacks"
    case .handlers: "handlers of cross calls"
    case .handlerTime: "time in handlers"
    case .reschedules: "reschedule interrupts"
    case .mean: "queueing to the callback's begin, mean"
    case .p50: "queueing to the callback's begin, median"
    case .p99: "queueing to the callback's begin, 99 of 100 are not longer"
    case .runMean: "the callback itself, mean"
    case .runP50: "the callback itself, median"
    case .runP99: "the callback itself, 99 of 100 are not longer"
    }
  }

  static func name(_ kind: Comparison.Circumstance.Kind) -> String {
    switch kind {
    case .kernel: "kernel"
    case .clock: "clock"
    case .possibleCPUs: "possible CPUs"
    case .onlineCPUs: "online CPUs"
    case .recordedCPUs: "recorded CPUs"
    case .isolatedCPUs: "isolated CPUs"
    case .recordedEvents: "recorded on this side only"
    case .engine: "engine"
    }
  }

  static func form(_ side: ComparedSide) -> String {
    switch side.form {
    case .recording: "recording"
    case .savedResult: "saved result"
    }
  }

  /// A value in its unit, or a dash.
  static func value(_ value: ComparedItem.Value, _ measure: ComparedMeasure) -> String {
    switch measure.form {
    case .count:
      if let rate = value.value { return "\(number(rate))/s" }
      return value.count.map { "\(Quantity.count($0)) in all" } ?? "–"
    case .time:
      if let rate = value.value { return "\(Quantity.duration(whole(rate)))/s" }
      return value.count.map { "\(Quantity.duration($0)) in all" } ?? "–"
    case .mean, .percentile: return value.value.map { Quantity.duration(whole($0)) } ?? "–"
    }
  }

  /// A change in per cent: `+12.3 %`, `-50 %`, `× 3.2`, `new`, `gone`, or a dash.
  static func change(_ item: ComparedItem) -> String {
    if item.measure.isRate, let before = item.before.count, let after = item.after.count {
      if before == 0, after > 0 { return "new" }
      if before > 0, after == 0 { return "gone" }
    }
    return item.change.map(percent) ?? "–"
  }

  /// Between what the change lies; nil where that is not known.
  static func interval(_ item: ComparedItem) -> String? {
    guard let low = item.changeAtLeast, let high = item.changeAtMost else { return nil }
    return "\(percent(low)) … \(percent(high))"
  }

  static func percent(_ share: Double) -> String {
    if share >= 9 { return "× \(number(share + 1))" }
    // Nothing gets less by more than all.
    let permille = (max(share, -1) * 1_000).rounded()
    let digits = Quantity.count(whole(permille.magnitude / 10, roundsDown: true))
    let decimal = Int(permille.magnitude) % 10
    let sign = permille > 0 ? "+" : permille < 0 ? "-" : "±"
    return "\(sign)\(digits)\(permille.magnitude < 1_000 && decimal != 0 ? ".\(decimal)" : "") %"
  }

  /// Three digits at least: `0.12`, `3.46`, `25.1`, `1,234`.
  static func number(_ value: Double) -> String {
    if value >= 99.95 || value == 0 { return Quantity.count(whole(value)) }
    if value < 0.005 { return "< 0.01" }
    let decimals = value < 9.995 ? 100 : 10
    let scaled = Int((value * Double(decimals)).rounded())
    let fraction = String(scaled % decimals)
    return "\(scaled / decimals)." + (decimals == 100 && fraction.count == 1 ? "0" : "") + fraction
  }

  private static func whole(_ value: Double, roundsDown: Bool = false) -> UInt64 {
    guard value > 0 else { return 0 }
    return UInt64(exactly: roundsDown ? value.rounded(.down) : value.rounded()) ?? .max
  }

  /// A sign for what was found, that does not depend on colour.
  static func sign(_ item: ComparedItem) -> String {
    switch item.isSignificant {
    case true?: item.hasRisen ? "▲" : "▼"
    case false?: "≈"
    case nil: "?"
    }
  }

  static func finding(_ item: ComparedItem) -> String {
    switch item.isSignificant {
    case true?: item.hasRisen ? "more" : "less"
    case false?: "not told apart"
    case nil: item.reason.map(short) ?? "not judged"
    }
  }

  static func sign(_ result: RuleOutcome.Result) -> String {
    switch result {
    case .fired: "✗"
    case .quiet: "✓"
    case .notJudged: "?"
    }
  }

  /// What became of a rule, behind its name.
  static func outcome(_ rule: RuleOutcome) -> String {
    switch rule.result {
    case .fired:
      if !rule.brokenRules.isEmpty {
        return "fires: " + rule.brokenRules.prefix(5).map { VisibleText.escape($0) }.joined(separator: ", ")
      }
      let first = rule.causes.prefix(3).map { "\(place($0)) \(change($0.item))" }.joined(separator: ", ")
      let more = rule.causes.count > 3 ? " and more" : ""
      return "fires: \(first)\(more)"
    case .quiet: return "holds"
    case .notJudged:
      let sentence = notJudged(rule)
      return String(sentence.dropFirst(VisibleText.escape(rule.rule).count + " was ".count))
    }
  }

  private static func place(_ cause: RuleOutcome.Cause) -> String {
    let measure = cause.item.measure.rawValue
    if let callback = cause.callback { return "\(measure) of \(VisibleText.escape(callback))" }
    return cause.cpu.map { "\(measure) of CPU \($0)" } ?? measure
  }

  static func presence(_ presence: Comparison.Presence) -> String? {
    switch presence {
    case .both: nil
    case .onlyBefore: "only before"
    case .onlyAfter: "only after"
    }
  }
}

/// What a comparison comes to, for its headline and its lists.
struct ComparisonFacts {
  /// An item that differs, and where.
  struct Difference {
    var place: String
    var item: ComparedItem
  }

  let differences: [Difference]
  let tested: Int
  /// How many items were not judged, by reason, most frequent first.
  let notJudged: [(reason: NotComparedReason, count: Int)]

  init(_ comparison: Comparison) {
    var differences: [Difference] = []
    var tested = 0
    var reasons: [NotComparedReason: Int] = [:]
    func take(_ items: [ComparedItem], _ place: () -> String) {
      for item in items {
        if item.isSignificant == true { differences.append(Difference(place: place(), item: item)) }
        if item.isSignificant != nil { tested += 1 }
        if let reason = item.reason { reasons[reason, default: 0] += 1 }
      }
    }
    take(comparison.total) { "all" }
    for row in comparison.byCallback { take(row.items) { VisibleText.escape(row.callback) } }
    for row in comparison.byCPU { take(row.items) { "CPU \(row.cpu)" } }
    self.differences = differences
    self.tested = tested
    notJudged = NotComparedReason.allCases.compactMap { reason in reasons[reason].map { (reason, $0) } }.sorted {
      $0.count > $1.count
    }
  }

  var sign: String { tested == 0 ? "?" : differences.isEmpty ? "≈" : "≠" }

  var headline: String {
    if tested == 0 { return "nothing could be judged" }
    if differences.isEmpty { return "no difference that chance does not explain" }
    return Quantity.count(UInt64(differences.count), "difference") + " beyond chance"
  }

  /// What stands behind the headline.
  var detail: String {
    tested == 0
      ? notJudged.first.map { ComparisonWords.sentence($0.reason) } ?? ""
      : "of \(Quantity.count(UInt64(tested), "comparison")) that could be judged"
  }

  /// How sure that is.
  static func caution(_ resampling: Comparison.Resampling) -> String {
    "\(Quantity.count(resampling.blocksBefore)) and \(Quantity.count(resampling.blocksAfter)) blocks of "
      + "\(Quantity.duration(resampling.blockNanoseconds)) were dealt out anew \(Quantity.count(resampling.permutations)) "
      + "times (seed \(resampling.seed)). In 19 of 20 comparisons of recordings that do not differ, nothing is called "
      + "different. What differs from run to run by itself, one recording of each side does not show."
  }
}
