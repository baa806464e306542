import TraceTypes
import Verdicts

/// Comparisons for the reports' tests.
enum ExampleComparison {
  private static func item(
    _ measure: ComparedMeasure, _ before: (UInt64?, Double?), _ after: (UInt64?, Double?),
    found: Bool? = false, between: (Double, Double)? = nil, reason: NotComparedReason? = nil
  ) -> ComparedItem {
    var item = ComparedItem(
      measure: measure, before: .init(count: before.0, value: before.1), after: .init(count: after.0, value: after.1))
    item.isSignificant = reason == nil ? found : nil
    item.reason = reason
    item.probability = reason == nil ? (found == true ? 0.0005 : 0.42) : nil
    item.changeAtLeast = between?.0
    item.changeAtMost = between?.1
    return item
  }

  private static func items(_ measures: [ComparedMeasure], _ known: [ComparedItem]) -> [ComparedItem] {
    measures.map { measure in
      known.first { $0.measure == measure } ?? item(measure, (0, 0), (0, 0), reason: .tooFew)
    }
  }

  private static func side(_ name: String, kernel: String?, form: ComparedSide.Form = .recording) -> ComparedSide {
    var trace = ReplayResult.example.trace
    trace.kernel = kernel
    return ComparedSide(
      name: name, form: form, trace: trace, recordedCPUs: Array(0..<8), verdict: .conforms, divergenceCount: 0,
      brokenRules: [], queued: 6_120, undecided: 99,
      damage: ReplayResult.example.health.filter { $0.severity != .info })
  }

  private static let resampling = Comparison.Resampling(
    seed: 1, level: 0.05, permutations: 1_999, blockNanoseconds: 134_217_728, blocksBefore: 18, blocksAfter: 78,
    tested: 80, criticalValue: 3.41)

  private static let more = item(
    .calls, (1_000, 500), (4_000, 2_000), found: true, between: (2.1, 3.9))

  /// Something of everything.
  static let mixed = Comparison(
    before: side("before.dat", kernel: "6.12.8"), after: side("after.dat", kernel: "6.13.0-rc1"),
    circumstances: [
      .init(kind: .kernel, before: "6.12.8", after: "6.13.0-rc1"),
      .init(kind: .isolatedCPUs, before: nil, after: "2-3"),
    ], resampling: resampling,
    total: items(
      ComparedMeasure.ofTotal,
      [
        more, item(.interrupts, (900, 450), (1_010, 505), between: (-0.21, 0.43)),
        item(.callbackTime, (4_000_000, 2_000_000), (0, 0), found: true, between: (-1, -0.8)),
        item(.reschedules, (nil, nil), (12, 6), reason: .eventsNotRecorded),
        item(.p99, (900, 12_345), (1_000, 98_700), found: true), item(.mean, (900, 1_000), (900, 1_004)),
      ]),
    byCallback: [
      .init(
        callback: "flush_tlb_func", presence: .both,
        items: items(ComparedMeasure.ofCallback, [more, item(.p99, (900, 5_000), (900, 49_000), found: true)])),
      .init(
        callback: "new_func", presence: .onlyAfter,
        items: items(ComparedMeasure.ofCallback, [item(.calls, (0, 0), (80, 40), found: true)])),
      .init(
        callback: "old_func", presence: .onlyBefore,
        items: items(ComparedMeasure.ofCallback, [item(.calls, (3, 0.015), (0, 0), reason: .tooFew)])),
    ],
    byCPU: (0..<4).map { cpu in
      .init(
        cpu: cpu, presence: .both, isWatched: cpu >= 2,
        items: items(
          ComparedMeasure.ofCPU,
          [
            more, item(.handlers, (10, 5), (40, 20), found: cpu == 3),
            item(.callbacks, (30, 15), (9, 4.5), reason: cpu == 2 ? .eventsLost : nil),
          ]))
    },
    rules: [
      RuleOutcome(
        rule: "calls>5%", result: .fired, judged: 1, notJudged: [],
        causes: [.init(callback: nil, cpu: nil, item: more), .init(callback: "f", cpu: nil, item: more)]),
      RuleOutcome(
        rule: "p99(ipi_mb)>20%", result: .notJudged, judged: 0, notJudged: [.init(reason: .tooFew, count: 1)]),
      RuleOutcome(rule: "interrupts>5%", result: .quiet, judged: 1, notJudged: []),
      RuleOutcome(rule: "diverges", result: .fired, judged: 1, notJudged: [], brokenRules: ["ranTwice"]),
      RuleOutcome(
        rule: "interference>0", result: .notJudged, judged: 7, notJudged: [.init(reason: .eventsLost, count: 3)]),
    ])

  /// A saved result on one side.
  static let saved: Comparison = {
    var result = mixed
    result.after.form = .savedResult
    result.resampling = nil
    func unjudged(_ items: [ComparedItem]) -> [ComparedItem] {
      items.map { item in
        var item = item
        (item.isSignificant, item.probability, item.changeAtLeast, item.changeAtMost) = (nil, nil, nil, nil)
        item.reason = .savedResult
        return item
      }
    }
    result.total = unjudged(result.total)
    for index in result.byCallback.indices { result.byCallback[index].items = unjudged(result.byCallback[index].items) }
    for index in result.byCPU.indices { result.byCPU[index].items = unjudged(result.byCPU[index].items) }
    result.rules = []
    return result
  }()

  static let same: Comparison = {
    var result = mixed
    func equal(_ items: [ComparedItem]) -> [ComparedItem] { items.filter { $0.isSignificant == false } }
    result.total = equal(result.total)
    result.byCallback = []
    result.byCPU = []
    result.rules = []
    result.circumstances = []
    return result
  }()

  /// Every name that tries to get out of a report, wherever a name can be.
  static let hostile: Comparison = {
    var result = mixed
    let names = ReplayResult.hostileNames
    result.byCallback = names.map { .init(callback: $0, presence: .both, items: mixed.byCallback[0].items) }
    result.before.name = names[0]
    result.after.name = names[3]
    result.before.trace.kernel = names[1]
    result.after.trace.clock = names[6]
    result.before.brokenRules = names
    result.before.verdict = .diverges
    result.circumstances = names.map { .init(kind: .kernel, before: $0, after: $0) }
    result.rules = names.map {
      RuleOutcome(
        rule: $0, result: .fired, judged: 1, notJudged: [],
        causes: [.init(callback: $0, cpu: nil, item: mixed.total[0])])
    }
    result.rules += names.map { RuleOutcome(rule: $0, result: .fired, judged: 1, notJudged: [], brokenRules: [$0]) }
    result.rules += names.map {
      RuleOutcome(rule: $0, result: .notJudged, judged: 0, notJudged: [.init(reason: nil, count: 1)])
    }
    result.before.damage = [HealthItem(.init(name: names[0], cpu: 1, severity: .error, remedy: names[3]))]
    return result
  }()

  /// Numbers that no recording has.
  static let absurd: Comparison = {
    var result = mixed
    let extremes: [Double] = [0, -1, 1e-300, 1e300, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1e18]
    result.total = ComparedMeasure.allCases.flatMap { measure in
      extremes.map { item(measure, (.max, $0), (0, -$0), found: true, between: ($0, -$0)) }
    }
    result.resampling?.blockNanoseconds = .max
    result.before.trace.startNanoseconds = .max
    result.before.trace.endNanoseconds = 0
    result.after.queued = .max
    result.byCPU[0].cpu = .max
    return result
  }()

  static let all = [mixed, saved, same, hostile, absurd]
}
