import Verdicts

/// Who waited in `ReplayResult.example`, and what stood in the way.
extension ReplayResult {
  static let exampleBlocking = BlockingSummary(
    latestCalls: exampleLateCalls,
    delicateContexts: [
      .init(
        callsite: "text_poke_bp_batch+0x1a3", callback: "do_sync_core", interruptsOff: 3, hardInterrupt: 0,
        softInterrupt: 0),
      .init(
        callsite: "ttwu_queue_wakelist+0xf1", callback: "sched_ttwu_pending", interruptsOff: 210, hardInterrupt: 371,
        softInterrupt: 41),
    ],
    headOfLine: [
      .init(
        callback: "do_sync_core", runs: 3, delayedCalls: 5, delayNanoseconds: 412_000, longestNanoseconds: 300_100,
        longestTarget: 4, longestStartedNanoseconds: start + 99_040_000),
      .init(
        callback: hostileNames[0], runs: 1, delayedCalls: 1, delayNanoseconds: 900, longestNanoseconds: 900,
        longestTarget: 7, longestStartedNanoseconds: start + 1_000),
    ],
    lockWaits: exampleLockWaits,
    callerWaits: [
      .init(
        callsite: "on_each_cpu_cond_mask+0x24", callback: "flush_tlb_func", count: 840, atLeastNanoseconds: 9_120_000,
        longestAtLeastNanoseconds: 996_000, longestAtMostNanoseconds: 998_400, longestSource: 2,
        longestSlowestTarget: 5, longestQueuedNanoseconds: start + 811_500_000),
      .init(
        callsite: hostileNames[9], callback: hostileNames[4], count: 1, atLeastNanoseconds: 10,
        longestAtLeastNanoseconds: 10, longestAtMostNanoseconds: nil, longestSource: 0, longestSlowestTarget: 1,
        longestQueuedNanoseconds: start),
    ],
    waitChains: exampleChains, stuckCalls: exampleStuckCalls, kernelReports: exampleReports)

  private static let exampleLateCalls: [BlockingSummary.LateCall] = [
    .init(
      source: 2, target: 5, callback: "flush_tlb_func", callsite: "on_each_cpu_cond_mask+0x24", comm: "postgres",
      queuedNanoseconds: start + 811_500_000, kickNanoseconds: start + 811_500_900,
      handlerNanoseconds: start + 812_470_000, startedNanoseconds: start + 812_495_600,
      endedNanoseconds: start + 812_496_900, cause: .interruptsOff,
      evidence: .init(
        events: 9, interruptsOffNanoseconds: 960_000, idleNanoseconds: nil, pid: 4_711, comm: "modprobe",
        callback: nil)),
    .init(
      source: 3, target: 1, callback: "do_sync_core", callsite: "text_poke_bp_batch+0x1a3", comm: "kworker/3:2",
      queuedNanoseconds: start + 401_000_000, kickNanoseconds: start + 401_610_000,
      handlerNanoseconds: start + 401_640_000, startedNanoseconds: start + 401_690_000,
      endedNanoseconds: start + 401_700_000, cause: .kickDelayed),
    .init(
      source: 0, target: 4, callback: "sched_ttwu_pending", callsite: "ttwu_queue_wakelist+0xf1", comm: nil,
      queuedNanoseconds: start + 99_000_000, kickNanoseconds: nil, handlerNanoseconds: start + 99_020_000,
      startedNanoseconds: start + 99_400_000, endedNanoseconds: nil, cause: .callbackAhead,
      behind: .init(callback: "do_sync_core", delayNanoseconds: 300_100, allNanoseconds: 351_000)),
    .init(
      source: 6, target: 7, callback: "do_sync_core", callsite: "text_poke_bp_batch+0x1a3", comm: "kworker/3:2",
      queuedNanoseconds: start + 70_000_000, kickNanoseconds: start + 70_001_000,
      handlerNanoseconds: start + 70_301_000, startedNanoseconds: start + 70_302_000,
      endedNanoseconds: start + 70_303_000, cause: .idleExit,
      evidence: .init(
        events: 1, interruptsOffNanoseconds: nil, idleNanoseconds: 290_000, pid: 0, comm: "<idle>", callback: nil)),
    .init(
      source: 1, target: 0, callback: hostileNames[5], callsite: hostileNames[2], comm: hostileNames[0],
      queuedNanoseconds: start + 5_000_000, kickNanoseconds: start + 5_000_500, handlerNanoseconds: start + 5_190_000,
      startedNanoseconds: start + 5_200_000, endedNanoseconds: nil, cause: .targetLate,
      evidence: .init(
        events: 0, interruptsOffNanoseconds: nil, idleNanoseconds: nil, pid: nil, comm: nil, callback: nil)),
    .init(
      source: 1, target: 3, callback: "mce_reload", callsite: "mce_rendezvous+0x1", comm: nil,
      queuedNanoseconds: start + 6_000_000, kickNanoseconds: nil, handlerNanoseconds: start + 6_100_000,
      startedNanoseconds: start + 6_110_000, endedNanoseconds: nil, cause: .interruptsOff,
      evidence: .init(
        events: 2, interruptsOffNanoseconds: 99_000, idleNanoseconds: nil, pid: 12, comm: nil,
        callback: hostileNames[1])),
    .init(
      source: 1, target: 2, callback: "mce_reload", callsite: "mce_rendezvous+0x1", comm: nil,
      queuedNanoseconds: start + 6_200_000, kickNanoseconds: nil, handlerNanoseconds: start + 6_201_000,
      startedNanoseconds: start + 6_260_000, endedNanoseconds: nil, cause: .inHandler),
    .init(
      source: 1, target: 2, callback: "mce_reload", callsite: "mce_rendezvous+0x1", comm: nil,
      queuedNanoseconds: start + 6_400_000, kickNanoseconds: nil, handlerNanoseconds: nil,
      startedNanoseconds: start + 6_410_000, endedNanoseconds: nil, cause: .unknown),
  ]

  private static let exampleLockWaits = BlockingSummary.LockWaits(
    count: 2,
    callers: [
      .init(
        callsite: "on_each_cpu_cond_mask+0x24", callback: "flush_tlb_func", count: 2, atLeastNanoseconds: 1_100_000,
        atMostNanoseconds: 1_400_000, longestAtMostNanoseconds: 1_210_000),
      .init(
        callsite: hostileNames[2], callback: hostileNames[3], count: 1, atLeastNanoseconds: 0,
        atMostNanoseconds: 80_000, longestAtMostNanoseconds: 80_000),
    ],
    longest: [
      .init(
        source: 2, callback: "flush_tlb_func", callsite: "on_each_cpu_cond_mask+0x24", comm: "postgres", target: 5,
        heldBy: "do_sync_core", heldOn: 5, previousNanoseconds: start + 10_000_000,
        freedNanoseconds: start + 11_210_000, queuedNanoseconds: start + 11_210_900, atLeastNanoseconds: 1_000_000,
        atMostNanoseconds: 1_210_000)
    ], possibleCount: 1,
    possible: [
      .init(
        source: 1, callback: hostileNames[3], callsite: hostileNames[2], comm: hostileNames[6], target: 0,
        heldBy: hostileNames[0], heldOn: 7, previousNanoseconds: start + 20_000_000,
        freedNanoseconds: start + 20_080_000, queuedNanoseconds: start + 20_080_000, atLeastNanoseconds: 0,
        atMostNanoseconds: 80_000)
    ])

  static let exampleState = BlockingSummary.CPUState(
    cpu: 5, timeNanoseconds: start + 2_300_000_000, event: "csd:csd_function_entry", context: .hardInterrupt,
    interruptsOff: true, pid: 4_711, comm: "modprobe", handlerSinceNanoseconds: start + 2_299_990_000,
    callback: "do_sync_core", callbackSinceNanoseconds: start + 2_300_000_000, hotplug: .none)
  private static let unseenState = BlockingSummary.CPUState(
    cpu: 3, timeNanoseconds: nil, event: nil, context: .unknown, interruptsOff: false, pid: nil, comm: nil,
    handlerSinceNanoseconds: nil, callback: nil, callbackSinceNanoseconds: nil, hotplug: .offline)
  private static let hostileState = BlockingSummary.CPUState(
    cpu: 0, timeNanoseconds: start, event: hostileNames[0], context: .task, interruptsOff: false, pid: 1,
    comm: hostileNames[1], handlerSinceNanoseconds: start, callback: nil, callbackSinceNanoseconds: nil,
    hotplug: .goingOffline)

  private static let exampleChains = BlockingSummary.WaitChains(
    count: 2,
    chains: [
      .init(
        isCycle: true, nanoseconds: 41_000_000,
        links: [
          .init(
            source: 5, target: 0, callback: "do_sync_core", callsite: "text_poke_bp_batch+0x1a3", comm: "modprobe",
            queuedNanoseconds: start + 2_300_000_000, startedNanoseconds: nil, endedNanoseconds: nil,
            movedOnNanoseconds: nil, interruptsOff: true),
          .init(
            source: 0, target: 5, callback: hostileNames[0], callsite: hostileNames[1], comm: nil,
            queuedNanoseconds: start + 2_300_000_100, startedNanoseconds: nil, endedNanoseconds: nil,
            movedOnNanoseconds: nil, interruptsOff: true),
        ], states: [exampleState, hostileState]),
      .init(
        isCycle: false, nanoseconds: 120_000,
        links: [
          .init(
            source: 1, target: 2, callback: "mce_reload", callsite: "mce_rendezvous+0x1", comm: nil,
            queuedNanoseconds: start + 1_000_000, startedNanoseconds: start + 1_010_000,
            endedNanoseconds: start + 1_200_000, movedOnNanoseconds: start + 1_201_000, interruptsOff: false),
          .init(
            source: 2, target: 3, callback: "do_sync_core", callsite: "mce_reload+0x20", comm: "postgres",
            queuedNanoseconds: start + 1_020_000, startedNanoseconds: start + 1_150_000, endedNanoseconds: nil,
            movedOnNanoseconds: nil, interruptsOff: true),
        ], states: []),
    ])

  private static let exampleStuckCalls = BlockingSummary.StuckCalls(
    thresholdNanoseconds: 1_000_000, count: 2,
    oldest: [
      .init(
        kind: "single", source: 0, target: 5, callback: "do_sync_core", callsite: "generic_exec_single+0x33",
        comm: "postgres", queuedNanoseconds: start + 2_300_000_100, kickNanoseconds: start + 2_300_000_900,
        ageNanoseconds: 41_877_020, targetSeenNanoseconds: nil, outcome: .pending, sourceState: hostileState,
        targetState: exampleState),
      .init(
        kind: "many", source: 1, target: 3, callback: hostileNames[0], callsite: hostileNames[1], comm: nil,
        queuedNanoseconds: start + 2_310_000_000, kickNanoseconds: nil, ageNanoseconds: 31_877_120,
        targetSeenNanoseconds: 12_000, outcome: .lost, sourceState: nil, targetState: unseenState),
    ])

  private static let exampleReports: [KernelReport] = [
    .init(
      kind: .lockWait, line: 812, timeNanoseconds: start + 2_340_000_000, bug: 1, waitingCPU: 0, targetCPU: 5,
      callback: "do_sync_core", waitedNanoseconds: 39_000_000, continued: 2, resentIPIs: 1, activity: .handlingPrior,
      priorCallback: "mce_reload", unstuck: false,
      call: .init(
        callsite: "generic_exec_single+0x33", comm: "postgres", queuedNanoseconds: start + 2_300_000_100,
        kickNanoseconds: start + 2_300_000_900, handlerNanoseconds: nil, startedNanoseconds: nil,
        endedNanoseconds: nil, outcome: .pending, cause: .unknown, behind: nil,
        evidence: .init(
          events: 0, interruptsOffNanoseconds: nil, idleNanoseconds: nil, pid: nil, comm: nil, callback: nil),
        foundByTime: true, sourceState: hostileState, targetState: exampleState), absence: nil),
    .init(
      kind: .lockWait, line: 900, timeNanoseconds: nil, bug: 2, waitingCPU: 2, targetCPU: 5,
      callback: "flush_tlb_func", waitedNanoseconds: 900_000, continued: 0, resentIPIs: 0, activity: .unresponsive,
      priorCallback: nil, unstuck: true,
      call: .init(
        callsite: "on_each_cpu_cond_mask+0x24", comm: "postgres", queuedNanoseconds: start + 811_500_000,
        kickNanoseconds: nil, handlerNanoseconds: start + 812_470_000, startedNanoseconds: start + 812_495_600,
        endedNanoseconds: start + 812_496_900, outcome: .ran, cause: .callbackAhead,
        behind: .init(callback: hostileNames[1], delayNanoseconds: 20_000, allNanoseconds: 25_600), evidence: nil,
        foundByTime: false, sourceState: nil, targetState: nil), absence: nil),
    .init(
      kind: .lockWait, line: 901, timeNanoseconds: start, bug: 3, waitingCPU: nil, targetCPU: nil,
      callback: hostileNames[0], waitedNanoseconds: nil, continued: 0, resentIPIs: 0, activity: .handlingThis,
      priorCallback: nil, unstuck: false, call: nil, absence: .notNamed),
    .init(
      kind: .lockWait, line: 902, timeNanoseconds: start, bug: 4, waitingCPU: 1, targetCPU: 2, callback: "mce_reload",
      waitedNanoseconds: 5_000_000_000, continued: 0, resentIPIs: 0, activity: nil, priorCallback: nil, unstuck: false,
      call: nil, absence: .beforeTrace),
    .init(
      kind: .offlineCallback, line: 903, timeNanoseconds: nil, bug: nil, waitingCPU: nil, targetCPU: 7,
      callback: hostileNames[6], waitedNanoseconds: nil, continued: 0, resentIPIs: 0, activity: nil,
      priorCallback: nil, unstuck: false, call: nil, absence: .notNamed),
  ]
}
