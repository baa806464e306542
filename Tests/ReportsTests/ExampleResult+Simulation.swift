import Verdicts

/// A simulation of several engines: one sends fewer IPIs, one is not told apart, one loses, one deadlocks, and of one
/// nothing is known.
extension ReplayResult {
  /// ``example`` with engines simulated.
  static let simulated: ReplayResult = {
    var random = ExampleRandom(state: 2_008)
    var result = example
    func engine(
      _ name: String, _ variant: String? = nil, interrupts: (single: UInt64, mask: UInt64), peak: Int = 12,
      differences: [EngineResult.Difference], change: (inout EngineOutcome) -> Void = { _ in }
    ) -> EngineResult {
      var outcome = exampleOutcome(&random, single: interrupts.single, maskTargets: interrupts.mask, peak: peak)
      change(&outcome)
      return EngineResult(engine: name, variant: variant, outcome: outcome, differences: differences)
    }
    result.engines = [
      engine("mainline", interrupts: (4_172, 1_202), differences: []),
      engine(
        "queue-2014", interrupts: (4_729, 0), peak: 13,
        differences: [
          .init(measure: .interrupts, change: -0.12, error: 0.015, isSignificant: true),
          .init(measure: .coalescingRate, change: 0.074, error: 0.006, isSignificant: true),
          .init(measure: .queueToStartP50, change: 1.0, error: 0.08, isSignificant: true),
          .init(measure: .queueToStartP90, change: 0.13, error: nil, isSignificant: false),
          .init(measure: .queueToStartP99, change: 0.21, error: 0.31, isSignificant: false),
          .init(measure: .callerWaiting, change: nil, error: 0.02, isSignificant: true),
        ]
      ) { $0.waiting.engineLock = exampleSummary(212, median: 1_900) },
      engine(
        "per-cpu-2009", "no-coalescing", interrupts: (4_190, 1_215),
        differences: [
          .init(measure: .interrupts, change: 0.0058, error: 0.015, isSignificant: false),
          .init(measure: .coalescingRate, change: -0.002, error: 0.006, isSignificant: false),
          .init(measure: .queueToStartP50, change: 0, error: 0.08, isSignificant: false),
          .init(measure: .queueToStartP99, change: 0.04, error: 0.31, isSignificant: false),
        ]
      ) {
        $0.allocations = .init()
        $0.allocations?.made = 902
        $0.allocations?.failed = 9
        $0.fates.ran -= 9
        $0.fates.refused = 9
      },
      engine(
        "llist-2014", "none", interrupts: (4_701, 622),
        differences: [
          .init(measure: .interrupts, change: -0.0095, error: 0.015, isSignificant: false)
        ]
      ) {
        $0.fates.ran -= 17
        $0.fates.lost = 17
      },
      engine(
        "queue-2008", interrupts: (4_004, 0), peak: 15,
        differences: [
          .init(measure: .interrupts, change: -0.255, error: 0.015, isSignificant: true),
          .init(measure: .queueToStartP50, change: 7, error: 0.08, isSignificant: true),
        ]
      ) {
        $0.fates.ran -= 406
        $0.fates.coalescedRequests = 400
        $0.fates.deadlocked = 6
        $0.deadlocks = exampleDeadlocks
      },
      engine(
        hostileNames[0], hostileNames[7], interrupts: (5_374, 0),
        differences: [
          .init(measure: .interrupts, change: 0.000_02, error: nil, isSignificant: false)
        ]),
      EngineResult(engine: "per-cpu-2009", variant: nil),
    ]
    result.simulation = SimulationSummary(
      load: .init(
        calls: 3_328, targets: 6_120, cpuCount: 8, hotplugs: 2, speedup: 1, copies: 1, mappedCPUs: 0, seed: 20_141,
        remarks: [
          .init(
            name: "unqueuedRuns", count: 3, sentence: "Runs that no event of the trace queued are not in the load."),
          .init(name: hostileNames[3], count: 1, sentence: hostileNames.joined(separator: " ")),
        ]),
      costs: exampleCosts(&random), reality: exampleReality(&random), calibration: exampleCalibration,
      timeline: exampleSimulatedTimeline)
    return result
  }()

  /// ``simulated`` under a load that is not the recorded one: there is nothing to calibrate with.
  static let scaled: ReplayResult = {
    var result = simulated
    result.simulation?.load.speedup = 2.5
    result.simulation?.load.copies = 4
    result.simulation?.calibration = nil
    for index in result.engines.indices {
      for place in result.engines[index].differences.indices {
        result.engines[index].differences[place].error = nil
        result.engines[index].differences[place].isSignificant = false
      }
    }
    return result
  }()

  /// ``simulated`` with values that no simulation makes, but a file may hold.
  static let absurdlySimulated: ReplayResult = {
    var result = simulated
    let wild = absurd.latency.queueToKick
    var random = ExampleRandom(state: 1)
    var outcome = exampleReality(&random)
    outcome.calls = .max
    outcome.targets = 0
    outcome.fates.ran = .max
    outcome.fates.lost = .max
    outcome.interrupts.single = .max
    outcome.interrupts.maskTargets = .max
    outcome.interrupts.saved = .max
    outcome.queueToStart = wild
    outcome.waiting = .init(callers: wild.summary, csdLock: wild.summary, engineLock: .none)
    outcome.deadlocks = [
      .init(timeNanoseconds: 0, cycle: []),
      .init(timeNanoseconds: .max, cycle: [.init(cpu: .min, callback: "", waitsFor: "", waitsForCPU: .max)]),
    ]
    outcome.byCPU = [
      .init(
        cpu: .max, interrupts: .max, callbacks: .max, callbackNanoseconds: .max, queueToStart: wild.summary,
        waitedNanoseconds: .max, isWatched: true)
    ]
    let differences = Calibration.Measure.allCases.flatMap { measure in
      [1e300, -1e300, 1e-300, 0].map {
        EngineResult.Difference(measure: measure, change: $0, error: -1e300, isSignificant: $0 == 0)
      }
    }
    result.engines = (0..<40).map {
      EngineResult(engine: "", variant: "\($0)", outcome: outcome, differences: differences)
    }
    result.simulation?.reality = outcome
    result.simulation?.load.speedup = 1e300
    result.simulation?.load.cpuCount = .min
    result.simulation?.load.copies = .min
    result.simulation?.calibration?.items = Calibration.Measure.allCases.map {
      .init(
        measure: $0, recorded: 1e300, simulated: -1, error: -1e300, goal: 1e300, isWithinGoal: nil, reasons: ["", "\n"])
    }
    result.simulation?.timeline.startNanoseconds = .max
    result.simulation?.timeline.endNanoseconds = 0
    result.simulation?.timeline.cpus = [.min, .max, .max, 0]
    result.simulation?.timeline.tracks += (0..<40).map { index in
      .init(
        engine: "", variant: nil,
        slices: [
          .init(cpu: index % 2 == 0 ? .min : 3, kind: .wait, startNanoseconds: .max, endNanoseconds: 0, label: "")
        ],
        marks: [.init(cpu: .max, kind: .lost, timeNanoseconds: 1, target: .min)], isTruncated: true)
    }
    return result
  }()

  private static func exampleOutcome(
    _ random: inout ExampleRandom, single: UInt64, maskTargets: UInt64, peak: Int
  ) -> EngineOutcome {
    var fates = EngineOutcome.Fates()
    fates.ran = 6_116
    fates.pending = 4
    var interrupts = EngineOutcome.Interrupts()
    interrupts.single = single
    interrupts.maskTargets = maskTargets
    interrupts.maskOperations = maskTargets / 3
    interrupts.polling = 122
    interrupts.saved = 6_120 - min(6_120 - 122, single + maskTargets) - 122
    let byCPU = (0..<8).map { cpu in
      EngineOutcome.PerCPU(
        cpu: cpu, interrupts: (single + maskTargets) / 8 + UInt64(cpu), callbacks: 765,
        callbackNanoseconds: 1_404_000 + random.next(below: 300_000),
        queueToStart: exampleSummary(765, median: 1 << UInt64(peak)), waitedNanoseconds: 220_000, isWatched: cpu >= 6)
    }
    let byCallback = [("flush_tlb_func", 2_904), ("do_sync_core", 1_477), (hostileNames[3], 12)].map { name, targets in
      EngineOutcome.Callback(
        callback: name, targets: UInt64(targets), interrupts: UInt64(targets) * (single + maskTargets) / 6_120,
        queueToStart: exampleSummary(UInt64(targets), median: 1 << UInt64(peak)))
    }
    return EngineOutcome(
      calls: 3_328, targets: 6_120, fates: fates, interrupts: interrupts,
      queueToStart: exampleDistribution(&random, count: 6_116, from: 9, to: 21, peak: peak),
      waiting: .init(
        callers: exampleSummary(1_877, median: 9_200), csdLock: exampleSummary(41, median: 800), engineLock: .none),
      allocations: nil, deadlocks: [], byCPU: byCPU, byCallback: byCallback)
  }

  private static func exampleReality(_ random: inout ExampleRandom) -> EngineOutcome {
    var outcome = exampleOutcome(&random, single: 4_110, maskTargets: 1_186, peak: 12)
    outcome.fates.ran = 6_020
    outcome.fates.unknown = 96
    outcome.interrupts.unknown = 31
    outcome.interrupts.saved -= 31
    outcome.waiting.csdLock = .none
    return outcome
  }

  private static let exampleCalibration = Calibration(
    engine: "mainline",
    items: [
      .init(
        measure: .interrupts, recorded: 5_296, simulated: 5_374, error: 0.0147, goal: 0.02, isWithinGoal: true,
        reasons: []),
      .init(
        measure: .coalescingRate, recorded: 0.1122, simulated: 0.1062, error: -0.006, goal: 0.02, isWithinGoal: true,
        reasons: []),
      .init(
        measure: .queueToStartP50, recorded: 4_096, simulated: 4_424, error: 0.08, goal: 0.1, isWithinGoal: true,
        reasons: []),
      .init(
        measure: .queueToStartP90, recorded: 12_288, simulated: nil, error: nil, goal: nil, isWithinGoal: nil,
        reasons: ["Only 40 delays were recorded."]),
      .init(
        measure: .queueToStartP99, recorded: 45_056, simulated: 59_023, error: 0.31, goal: 0.25, isWithinGoal: false,
        reasons: ["The targets' interrupts were off for longer than the model knows of.", hostileNames[6]]),
      .init(
        measure: .callerWaiting, recorded: nil, simulated: 34_536_800, error: 0.02, goal: nil, isWithinGoal: nil,
        reasons: []),
    ])

  private static func exampleCosts(_ random: inout ExampleRandom) -> CostSummary {
    CostSummary(
      source: "measured",
      items: [
        .init(
          name: "delivery",
          sentence: "From the send of an IPI to the handler's entry on another core of the same node.",
          distribution: exampleDistribution(&random, count: 4_000, from: 9, to: 16, peak: 11), isAssumed: false),
        .init(
          name: "handlerEntry", sentence: "From the handler's entry to the first callback's begin.",
          distribution: exampleDistribution(&random, count: 4_000, from: 6, to: 12, peak: 8), isAssumed: false),
        .init(
          name: "pollerWake", sentence: "From the store that an idle CPU polls to its queue's flush.",
          distribution: exampleDistribution(&random, count: 5, from: 9, to: 11, peak: 10), isAssumed: true),
        .init(name: hostileNames[1], sentence: hostileNames[0], distribution: .none, isAssumed: true),
      ])
  }

  private static let exampleDeadlocks = [
    EngineOutcome.Deadlock(
      timeNanoseconds: start + 1_204_117_300,
      cycle: [
        .init(cpu: 1, callback: "flush_tlb_func", waitsFor: "CPU 3 to run its queue", waitsForCPU: 3),
        .init(cpu: 3, callback: hostileNames[0], waitsFor: "the lock of the global queue", waitsForCPU: 4),
        .init(cpu: 4, callback: nil, waitsFor: "CPU 1 to acknowledge", waitsForCPU: 1),
      ]),
    EngineOutcome.Deadlock(
      timeNanoseconds: start + 2_000_000_000,
      cycle: [.init(cpu: 5, callback: "mce_reload", waitsFor: hostileNames[8], waitsForCPU: nil)]),
  ]

  private static let exampleSimulatedTimeline: SimulatedTimeline = {
    let begin = start + 811_640_000
    func slice(
      _ cpu: Int, _ kind: SimulatedTimeline.Slice.Kind, _ from: UInt64, _ to: UInt64?, _ label: String
    ) -> SimulatedTimeline.Slice {
      .init(cpu: cpu, kind: kind, startNanoseconds: begin + from, endNanoseconds: to.map { begin + $0 }, label: label)
    }
    func mark(_ cpu: Int, _ kind: SimulatedTimeline.Mark.Kind, _ at: UInt64, _ target: Int?) -> SimulatedTimeline.Mark {
      .init(cpu: cpu, kind: kind, timeNanoseconds: begin + at, target: target)
    }
    /// A call from CPU 2 to CPUs 1, 5 and 6, which arrive after `delay`.
    func track(_ engine: String?, _ variant: String?, delay: UInt64, mask: Bool) -> SimulatedTimeline.Track {
      var slices = [
        slice(2, .call, 10_000, 70_000 + delay, "flush_tlb_func"),
        slice(2, .wait, 18_000, 68_000 + delay, "for the callbacks"),
      ]
      var marks = [mark(2, .returned, 70_000 + delay, nil)]
      for (index, cpu) in [1, 5, 6].enumerated() {
        let offset = UInt64(index) * 3_000
        marks.append(mark(2, .queued, 10_500 + offset, cpu))
        marks.append(mark(2, mask ? .maskInterrupt : .interrupt, mask ? 17_500 : 11_800 + offset, cpu))
        let entry = 20_000 + delay + offset * 3
        slices.append(slice(cpu, .handler, entry, entry + 38_000, "call_function"))
        if cpu == 5 { slices.append(slice(cpu, .otherCallback, entry + 1_000, entry + 14_000, "do_sync_core")) }
        slices.append(slice(cpu, .callback, entry + 15_000, entry + 34_000, "flush_tlb_func"))
      }
      return .init(engine: engine, variant: variant, slices: slices, marks: marks, isTruncated: false)
    }
    var stuck = track("queue-2008", nil, delay: 20_000, mask: true)
    stuck.slices = [
      slice(2, .call, 10_000, nil, "flush_tlb_func"), slice(2, .wait, 19_000, nil, "the lock of the global queue"),
      slice(5, .handler, 22_000, nil, "call_function"), slice(5, .wait, 26_000, nil, "CPU 2 to run its queue"),
    ]
    stuck.marks.removeAll { $0.kind == .returned }
    stuck.isTruncated = true
    var lossy = track("llist-2014", "none", delay: 2_000, mask: false)
    lossy.marks.append(mark(6, .lost, 90_000, nil))
    lossy.marks.append(mark(2, .refused, 15_000, 7))
    lossy.marks.append(mark(2, .pollerWoken, 16_000, 6))
    lossy.slices.removeLast(2)
    return SimulatedTimeline(
      callback: "flush_tlb_func", source: 2, targets: [1, 5, 6], startNanoseconds: begin,
      endNanoseconds: begin + 130_000,
      cpus: [1, 2, 5, 6],
      tracks: [
        track(nil, nil, delay: 0, mask: true), track("mainline", nil, delay: 1_000, mask: true),
        track("queue-2014", nil, delay: 12_000, mask: false), lossy, stuck,
        .init(
          engine: hostileNames[0], variant: hostileNames[1],
          slices: [slice(1, .callback, 40_000, 90_000, hostileNames[0])], marks: [], isTruncated: false),
      ])
  }()
}
