import TraceTypes
import Verdicts

/// The parts of `ReplayResult.example`.
extension ReplayResult {
  static let start: UInt64 = 81_204_511_900_312

  static let exampleTrace = TraceSummary(
    kernel: "6.12.38+deb13-cloud-amd64", clock: "local", startNanoseconds: start, endNanoseconds: start + 2_341_877_120,
    cpus: .init(possible: Array(0..<16), online: Array(0..<8), isolated: [6, 7], nohzFull: [6, 7]),
    events: .init(
      total: 48_213, lost: 57,
      byType: [
        "csd:csd_queue_cpu": 6_120, "csd:csd_function_entry": 7_348, "csd:csd_function_exit": 7_347,
        "ipi:ipi_send_cpu": 4_410, "ipi:ipi_send_cpumask": 388, "irq_vectors:call_function_single_entry": 4_197,
        "irq_vectors:call_function_single_exit": 4_197, "irq_vectors:call_function_entry": 902,
        "irq_vectors:call_function_exit": 902, "sched:sched_switch": 12_402, hostileNames[0]: 0,
      ],
      byCPU: (0..<8).map { .init(cpu: $0, events: UInt64(6_026 + ($0 == 7 ? 5 : 0)), lost: $0 == 5 ? 57 : 0) }))

  static let exampleHealth = [
    HealthItem(
      TraceHealth.Item(
        name: "lostEvents", cpu: 5, count: 57, severity: .dataLoss,
        remedy: "The ring buffer of this CPU overflowed; record with a larger --buffer-size.")),
    HealthItem(
      TraceHealth.Item(
        name: "pageBeyondEnd", count: 1, severity: .error,
        remedy: "The last page reaches beyond the end of the file; it was cut off while it was written.")),
    HealthItem(
      TraceHealth.Item(
        name: hostileNames[1], count: 2, severity: .info,
        remedy: "\(hostileNames[6]) \(hostileNames[0]) is only here to be shown harmlessly.")),
  ]

  static let exampleVerdict = Verdict(
    result: .diverges, engine: "mainline", judged: 6_021, undecided: 99,
    accounting: Accounting(
      queued: 6_120, executed: 6_020, lost: 1, pending: 4,
      notJudged: [
        .init(reason: "eventsLost", count: 61), .init(reason: "targetOffline", count: 22),
        .init(reason: "beforeFirstEntry", count: 12),
      ], local: 1_228, unqueued: 3),
    divergences: [
      Divergence(
        rule: "synchronousFirst", timeNanoseconds: start + 812_004_500, cpus: [2, 5], callback: "do_sync_core",
        events: [
          .init(cpu: 2, timeNanoseconds: start + 811_990_120, type: "csd:csd_queue_cpu"),
          .init(cpu: 2, timeNanoseconds: start + 811_991_340, type: "ipi:ipi_send_cpu"),
          .init(cpu: 5, timeNanoseconds: start + 812_001_077, type: "irq_vectors:call_function_single_entry"),
          .init(cpu: 5, timeNanoseconds: start + 812_001_402, type: "csd:csd_function_entry"),
          .init(cpu: 5, timeNanoseconds: start + 812_004_500, type: "csd:csd_function_entry"),
        ],
        expected: "Within one flush every SYNC callback runs before the first ASYNC one.",
        explanation: "nohz_full_kick_func (ASYNC) began before do_sync_core (SYNC) in the same flush; both adds were"
          + " over when the handler was entered, in every order that their windows allow."),
      Divergence(
        rule: "oneKickPerFilledQueue", timeNanoseconds: start + 812_310_988, cpus: [0, 6], callback: nil,
        events: [
          .init(cpu: 0, timeNanoseconds: start + 812_305_001, type: "csd:csd_queue_cpu"),
          .init(cpu: 0, timeNanoseconds: start + 812_310_988, type: "csd:csd_queue_cpu"),
        ],
        expected: "The node that finds the queue empty kicks its target.",
        explanation: "CPU 0 went on without a kick although the queue of CPU 6 was empty in every order of the adds."),
      Divergence(
        rule: hostileNames[3], timeNanoseconds: start + 1_700_000_000, cpus: [0, 1, 2, 3, 4, 7],
        callback: hostileNames[0],
        events: [.init(cpu: 7, timeNanoseconds: start + 1_700_000_000, type: hostileNames[7])],
        expected: hostileNames[4], explanation: hostileNames.joined(separator: " ")),
    ],
    divergenceCount: 3,
    withheld: [.init(reason: "clockSkew", count: 2), .init(reason: hostileNames[2], count: 1)],
    clockDisagreements: [.init(ahead: 3, behind: 1, atLeastNanoseconds: 4_200)],
    coverage: .init(
      cpuNanoseconds: 19_200_000_000, unknownNanoseconds: 410_000_000,
      stretches: [
        .init(
          cpu: 5, startNanoseconds: start + 1_102_000_000, endNanoseconds: start + 1_110_000_000, reason: "targetGap"),
        .init(
          cpu: 2, startNanoseconds: start + 1_700_000_000, endNanoseconds: start + 1_900_000_000,
          reason: hostileNames[1]),
      ]),
    lossWindows: [
      .init(cpu: 5, startNanoseconds: start + 1_102_000_000, endNanoseconds: start + 1_109_400_000, lostEvents: 57),
      .init(cpu: 3, startNanoseconds: nil, endNanoseconds: start + 1_204, lostEvents: nil),
      .init(cpu: 1, startNanoseconds: start + 2_341_000_000, endNanoseconds: nil, lostEvents: nil),
    ])

  static func exampleSummary(_ count: UInt64, median: UInt64) -> DurationSummary {
    DurationSummary(
      count: count, minNanoseconds: median / 6, p50Nanoseconds: median, p90Nanoseconds: median * 3,
      p99Nanoseconds: median * 11, p999Nanoseconds: median * 90, maxNanoseconds: median * 431,
      sumNanoseconds: count * median * 2)
  }

  static let exampleCalls: CallSummary = {
    var kinds = CallSummary.Kinds()
    kinds.single = 1_504
    kinds.many = 902
    kinds.wakeup = 622
    kinds.irqWork = 288
    kinds.local = 311
    kinds.unknown = 3
    let callbacks: [(name: String, queued: UInt64, local: UInt64)] = [
      ("flush_tlb_func", 2_904, 640), ("do_sync_core", 1_477, 211), ("sched_ttwu_pending", 622, 0),
      ("nohz_full_kick_func", 288, 0), ("__membarrier_ipi", 401, 240), ("mce_reload", 240, 0),
      ("0xffffffffc0a1b2c3", 8, 1),
    ]
    var byCallback = callbacks.map { row in
      CallSummary.Callback(
        callback: row.name, queued: row.queued, runs: row.queued + row.local, localRuns: row.local,
        kicks: row.queued * 3 / 4, delay: exampleSummary(row.queued, median: 2_310),
        run: exampleSummary(row.queued + row.local, median: 640))
    }
    byCallback += hostileNames.map {
      CallSummary.Callback(
        callback: $0, queued: 12, runs: 0, localRuns: 0, kicks: 1, delay: exampleSummary(12, median: 900), run: .none)
    }
    var byCaller = [
      CallSummary.Caller(
        callsite: "on_each_cpu_cond_mask+0x24", callback: "flush_tlb_func", comm: "postgres", calls: 844,
        targets: 2_904,
        kicks: 2_201),
      CallSummary.Caller(
        callsite: "text_poke_bp_batch+0x1a3", callback: "do_sync_core", comm: "kworker/3:2", calls: 211, targets: 1_477,
        kicks: 1_400),
      CallSummary.Caller(
        callsite: "ttwu_queue_wakelist+0xf1", callback: "sched_ttwu_pending", comm: nil, calls: 622, targets: 622,
        kicks: 300),
    ]
    byCaller += hostileNames.map {
      CallSummary.Caller(callsite: $0, callback: "mce_reload", comm: $0, calls: 1, targets: 2, kicks: 1)
    }
    var types = CallSummary.Types()
    (types.sync, types.async, types.irqWork, types.wakeup, types.unknown) = (1_204, 3_100, 41, 622, 1_153)
    return CallSummary(total: 3_630, byKind: kinds, byType: types, byCallback: byCallback, byCaller: byCaller)
  }()

  static let exampleKicks: KickCounts = {
    var kicks = KickCounts()
    kicks.ipi = 4_021
    kicks.maskIPI = 1_096
    kicks.coalesced = 902
    kicks.polling = 40
    kicks.unknown = 61
    return kicks
  }()

  static func exampleDistribution(
    _ random: inout ExampleRandom, count: UInt64, from octave: Int, to last: Int, peak: Int
  ) -> DurationDistribution {
    var bins: [DurationDistribution.Bin] = []
    var total: UInt64 = 0
    for quarter in octave * 4..<last * 4 {
      let distance = abs(quarter - peak * 4)
      let value = count / UInt64(4 + distance * distance) * (70 + random.next(below: 60)) / 100
      let base = UInt64(1) << UInt64(quarter / 4)
      let lower = base + base * UInt64(quarter % 4) / 4
      let upper = base + base * UInt64(quarter % 4 + 1) / 4
      bins.append(.init(fromNanoseconds: lower, toNanoseconds: upper, count: value))
      total += value
    }
    return DurationDistribution(summary: exampleSummary(total, median: 1 << UInt64(peak)), histogram: bins)
  }

  static func exampleLatency(_ random: inout ExampleRandom) -> LatencySplit {
    LatencySplit(
      queueToKick: exampleDistribution(&random, count: 4_000, from: 7, to: 19, peak: 9),
      kickToHandler: exampleDistribution(&random, count: 4_000, from: 9, to: 20, peak: 11),
      handlerToStart: exampleDistribution(&random, count: 6_000, from: 6, to: 15, peak: 8),
      queueToStart: exampleDistribution(&random, count: 6_000, from: 9, to: 21, peak: 12),
      startToEnd: exampleDistribution(&random, count: 7_000, from: 6, to: 18, peak: 9), callerWaitAtMost: .none)
  }

  static func exampleMatrix(cpus count: Int, _ random: inout ExampleRandom) -> CallMatrix {
    var cells: [CallMatrix.Cell] = []
    for source in 0..<count {
      for target in 0..<count {
        if source == target {
          cells.append(.init(source: source, target: target, calls: 100 + random.next(below: 90), ipis: 0))
        } else if random.next(below: 10) > 1 {
          // Counts of very different size, as real matrices have them.
          let calls = random.next(below: 1 << random.next(below: 10) + 1) + 1
          cells.append(.init(source: source, target: target, calls: calls, ipis: calls * 3 / 4))
        }
      }
    }
    return CallMatrix(cpus: Array(0..<count), cells: cells)
  }

  static let exampleInterference = [
    Interference(
      cpu: 6, selectedAs: .isolated, handlers: 812, handlerNanoseconds: 2_120_440, callbacks: 790,
      callbackNanoseconds: 1_702_000, reschedules: 14,
      sources: [
        .init(
          callback: "flush_tlb_func", callsite: "on_each_cpu_cond_mask+0x24", comm: "postgres", sourceCPU: 2,
          count: 488,
          ipis: 431, runNanoseconds: 1_103_220, maxRunNanoseconds: 12_004),
        .init(
          callback: "do_sync_core", callsite: "text_poke_bp_batch+0x1a3", comm: "kworker/3:2", sourceCPU: 3, count: 211,
          ipis: 204, runNanoseconds: 440_001, maxRunNanoseconds: 4_410),
        .init(
          callback: hostileNames[1], callsite: hostileNames[9], comm: hostileNames[6], sourceCPU: 0, count: 91,
          ipis: 80,
          runNanoseconds: 158_779, maxRunNanoseconds: 3_000),
      ]),
    Interference(
      cpu: 7, selectedAs: .named, handlers: 0, handlerNanoseconds: 0, callbacks: 0, callbackNanoseconds: 0,
      reschedules: 3, sources: []),
  ]

  static let exampleTimeline: Timeline = {
    let begin = start + 811_500_000
    var slices: [Timeline.Slice] = []
    var flows: [Timeline.Flow] = []
    func slice(_ cpu: Int, _ kind: Timeline.Slice.Kind, _ name: String, _ from: UInt64, _ to: UInt64) {
      slices.append(
        .init(cpu: cpu, kind: kind, name: name, startNanoseconds: begin + from, endNanoseconds: begin + to))
    }
    func flow(
      _ source: Int, _ target: Int, _ callback: String, _ kick: String, _ queued: UInt64, _ kicked: UInt64?,
      _ started: UInt64?, _ ended: UInt64?
    ) {
      flows.append(
        .init(
          source: source, target: target, callback: callback, kick: kick, queuedNanoseconds: begin + queued,
          kickNanoseconds: kicked.map { begin + $0 }, startedNanoseconds: started.map { begin + $0 },
          endedNanoseconds: ended.map { begin + $0 }))
    }
    slice(6, .idle, "idle", 0, 300_000)
    slice(7, .idle, "idle", 0, 520_000)
    slice(7, .idle, "idle", 640_000, 1_000_000)
    slice(3, .idle, "idle", 0, 90_000)
    slice(5, .handler, "call_function_single", 501_077, 620_000)
    slice(5, .callback, "nohz_full_kick_func", 501_402, 504_300)
    slice(5, .callback, "do_sync_core", 504_500, 560_000)
    slice(6, .handler, "call_function", 300_000, 420_000)
    slice(6, .callback, "flush_tlb_func", 305_000, 380_000)
    slice(7, .callback, hostileNames[0], 560_000, 630_000)
    slice(3, .handler, "call_function_single", 100_000, 180_000)
    slice(3, .callback, "sched_ttwu_pending", 110_000, 170_000)
    slice(1, .handler, "call_function", 700_000, 860_000)
    slice(1, .callback, "flush_tlb_func", 705_000, 760_000)
    slice(1, .callback, "__membarrier_ipi", 765_000, 840_000)
    flow(2, 5, "do_sync_core", "ipi", 490_120, 491_340, 504_500, 560_000)
    flow(0, 5, "nohz_full_kick_func", "coalesced", 495_000, nil, 501_402, 504_300)
    flow(2, 6, "flush_tlb_func", "maskIPI", 240_000, 262_000, 305_000, 380_000)
    flow(2, 1, "flush_tlb_func", "maskIPI", 650_000, 672_000, 705_000, 760_000)
    flow(4, 1, "__membarrier_ipi", "coalesced", 690_000, nil, 765_000, 840_000)
    flow(0, 3, "sched_ttwu_pending", "ipi", 60_000, 61_000, 110_000, 170_000)
    flow(4, 7, hostileNames[0], "polling", 530_000, 531_000, 560_000, 630_000)
    flow(0, 6, hostileNames[8], "unknown", 810_988, nil, nil, nil)
    return Timeline(
      choice: .divergence, startNanoseconds: begin, endNanoseconds: begin + 1_000_000, cpus: Array(0..<8),
      slices: slices,
      flows: flows, truncated: false)
  }()
}
