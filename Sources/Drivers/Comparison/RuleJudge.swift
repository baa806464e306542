import Verdicts

/// Whether a rule fires.
enum RuleJudge {
  /// The most causes that are kept.
  private static let keptCauses = 20

  static func judge(_ rule: ComparisonRule, _ comparison: Comparison) -> RuleOutcome {
    switch rule.subject {
    case .diverges: diverges(rule, comparison)
    case .measure(let measure): judge(rule, candidates([measure], rule.place, comparison))
    case .interference: judge(rule, interference(rule.place, comparison))
    }
  }

  /// What is broken now and was not before is found for certain. That nothing new is broken is known only of what was judged.
  private static func diverges(_ rule: ComparisonRule, _ comparison: Comparison) -> RuleOutcome {
    let new = Set(comparison.after.brokenRules).subtracting(comparison.before.brokenRules).sorted()
    let judged = comparison.after.verdict == .undecided ? 0 : 1
    return RuleOutcome(
      rule: rule.text, result: !new.isEmpty ? .fired : judged == 1 ? .quiet : .notJudged, judged: judged,
      notJudged: judged == 1 ? [] : [RuleOutcome.Gap(reason: nil, count: 1)], brokenRules: new)
  }

  private static func interference(_ place: ComparisonRule.Place, _ comparison: Comparison) -> [RuleOutcome.Cause] {
    comparison.byCPU.filter { cpu in
      switch place {
      case .total: cpu.isWatched
      case .cpu(let number): cpu.cpu == number
      case .any: true
      case .callback: false
      }
    }.flatMap { cpu in
      cpu.items.filter { ComparedMeasure.interference.contains($0.measure) }.map {
        RuleOutcome.Cause(callback: nil, cpu: cpu.cpu, item: $0)
      }
    }
  }

  private static func candidates(
    _ measures: [ComparedMeasure], _ place: ComparisonRule.Place, _ comparison: Comparison
  ) -> [RuleOutcome.Cause] {
    func chosen(_ items: [ComparedItem]) -> [ComparedItem] { items.filter { measures.contains($0.measure) } }
    func callbacks(_ callbacks: some Sequence<Comparison.Callback>) -> [RuleOutcome.Cause] {
      callbacks.flatMap { row in
        chosen(row.items).map { RuleOutcome.Cause(callback: row.callback, cpu: nil, item: $0) }
      }
    }
    func cpus(_ cpus: some Sequence<Comparison.CPU>) -> [RuleOutcome.Cause] {
      cpus.flatMap { row in chosen(row.items).map { RuleOutcome.Cause(callback: nil, cpu: row.cpu, item: $0) } }
    }
    switch place {
    case .total: return chosen(comparison.total).map { RuleOutcome.Cause(callback: nil, cpu: nil, item: $0) }
    case .cpu(let number): return cpus(comparison.byCPU.filter { $0.cpu == number })
    case .callback(let name):
      let name = CallbackName.comparable(name)
      return callbacks(comparison.byCallback.filter { $0.callback == name })
    case .any: return callbacks(comparison.byCallback) + cpus(comparison.byCPU)
    }
  }

  private static func judge(_ rule: ComparisonRule, _ candidates: [RuleOutcome.Cause]) -> RuleOutcome {
    var causes: [RuleOutcome.Cause] = []
    var judged = 0
    var gaps: [NotComparedReason: Int] = [:]
    for candidate in candidates {
      let item = candidate.item
      guard item.isSignificant != nil else {
        gaps[item.reason ?? .tooFew, default: 0] += 1
        continue
      }
      judged += 1
      // What there was not at all before has grown beyond any share.
      if item.hasRisen, item.before.value == 0 || (item.change ?? 0) > rule.threshold { causes.append(candidate) }
    }
    var notJudged = NotComparedReason.allCases.compactMap { reason in
      gaps[reason].map { RuleOutcome.Gap(reason: reason, count: $0) }
    }
    if candidates.isEmpty { notJudged = [RuleOutcome.Gap(reason: nil, count: 1)] }
    return RuleOutcome(
      rule: rule.text, result: !causes.isEmpty ? .fired : notJudged.isEmpty ? .quiet : .notJudged, judged: judged,
      notJudged: notJudged, causes: Array(causes.prefix(keptCauses)))
  }
}
