import TestSupport
import TraceTypes
import Verdicts

extension ReplayResult {
  static let hostileNames = HostileNames.texts

  /// A trace of eight CPUs, two of them isolated, that diverges in three places and holds every hostile name.
  ///
  /// The counts agree with one another: what a test reads off one part it can check against another.
  static let example: ReplayResult = {
    var random = ExampleRandom(state: 2_026)
    return ReplayResult(
      trace: exampleTrace, health: exampleHealth, verdict: exampleVerdict, calls: exampleCalls, kicks: exampleKicks,
      latency: exampleLatency(&random), matrix: exampleMatrix(cpus: 8, &random), interference: exampleInterference,
      blocking: exampleBlocking, timeline: exampleTimeline,
      engines: [
        EngineResult(engine: "mainline", variant: nil), EngineResult(engine: "per-cpu-2009", variant: "no-coalescing"),
      ])
  }()

  /// A trace without events.
  static let nothing = ReplayResult(
    trace: TraceSummary(
      kernel: nil, clock: nil, startNanoseconds: nil, endNanoseconds: nil,
      cpus: .init(possible: nil, online: nil, isolated: nil, nohzFull: nil),
      events: .init(total: 0, lost: 0, byType: [:], byCPU: [])),
    health: [],
    verdict: Verdict(
      result: .undecided, engine: "mainline", judged: 0, undecided: 0,
      accounting: Accounting(queued: 0, executed: 0, lost: 0, pending: 0, notJudged: [], local: 0, unqueued: 0),
      divergences: [], divergenceCount: 0, withheld: [], clockDisagreements: [],
      coverage: .init(cpuNanoseconds: 0, unknownNanoseconds: 0, stretches: []), lossWindows: []),
    calls: CallSummary(total: 0, byKind: .init(), byType: .init(), byCallback: [], byCaller: []), kicks: KickCounts(),
    latency: LatencySplit(
      queueToKick: .none, kickToHandler: .none, handlerToStart: .none, queueToStart: .none, startToEnd: .none,
      callerWaitAtMost: .none),
    matrix: CallMatrix(cpus: [], cells: []), interference: [],
    blocking: BlockingSummary(latestCalls: [], delicateContexts: []),
    timeline: Timeline(
      choice: .empty, startNanoseconds: 0, endNanoseconds: 0, cpus: [], slices: [], flows: [], truncated: false),
    engines: [])

  /// A trace of a large machine that conforms: a matrix of 192 CPUs and a timeline of 96.
  static let large: ReplayResult = {
    var random = ExampleRandom(state: 7)
    var result = example
    result.verdict.result = .conforms
    result.verdict.divergences = []
    result.verdict.divergenceCount = 0
    result.trace.cpus.online = Array(0..<192)
    result.matrix = exampleMatrix(cpus: 192, &random)
    let start = result.timeline.startNanoseconds
    result.timeline.cpus = Array(0..<96)
    result.timeline.truncated = true
    for cpu in 8..<96 {
      for _ in 0..<30 {
        let begin = start + random.next(below: 900_000)
        let end = begin + 1 + random.next(below: 9_000)
        result.timeline.slices.append(
          .init(cpu: cpu, kind: .callback, name: "flush_tlb_func", startNanoseconds: begin, endNanoseconds: end))
        result.timeline.flows.append(
          .init(
            source: Int(random.next(below: 96)), target: cpu, callback: "flush_tlb_func", kick: "maskIPI",
            queuedNanoseconds: begin - min(begin - start, random.next(below: 30_000)), kickNanoseconds: nil,
            startedNanoseconds: begin, endedNanoseconds: end))
      }
    }
    return result
  }()

  /// Values that no replay makes, but a file may hold: the largest and smallest numbers, times that run backwards, CPUs
  /// that are not listed or negative. Every renderer has to come through.
  static let absurd: ReplayResult = {
    var result = example
    let huge = DurationSummary(
      count: .max, minNanoseconds: .max, p50Nanoseconds: 0, p90Nanoseconds: .max, p99Nanoseconds: 1,
      p999Nanoseconds: .max, maxNanoseconds: 0, sumNanoseconds: .max)
    let wild = DurationDistribution(
      summary: huge,
      histogram: [
        .init(fromNanoseconds: .max, toNanoseconds: 0, count: .max),
        .init(fromNanoseconds: 0, toNanoseconds: 0, count: 1),
        .init(fromNanoseconds: 0, toNanoseconds: .max, count: .max),
      ])
    result.latency = LatencySplit(
      queueToKick: wild, kickToHandler: wild, handlerToStart: .none, queueToStart: wild, startToEnd: wild,
      callerWaitAtMost: wild)
    result.trace.startNanoseconds = .max
    result.trace.endNanoseconds = 0
    result.trace.events.lost = .max
    result.trace.cpus.online = [.min, .max, -1, 0, .max, 1, 0]
    result.verdict.judged = .max
    result.verdict.undecided = .max
    result.verdict.divergenceCount = 0
    result.verdict.accounting = Accounting(
      queued: 0, executed: .max, lost: .max, pending: .max, notJudged: [.init(reason: "", count: .max)], local: .max,
      unqueued: .max
    )
    result.verdict.lossWindows = [.init(cpu: .min, startNanoseconds: .max, endNanoseconds: 0, lostEvents: .max)]
    result.matrix = CallMatrix(
      cpus: [3, 3, -1, .min, .max],
      cells: [
        .init(source: .min, target: .max, calls: .max, ipis: .max), .init(source: 3, target: 3, calls: .max, ipis: 0),
        .init(source: .min, target: .max, calls: .max, ipis: .max), .init(source: 9, target: 3, calls: 0, ipis: .max),
        .init(source: 3, target: 9, calls: 1, ipis: .max),
      ])
    result.timeline.startNanoseconds = 5
    result.timeline.endNanoseconds = .max
    result.timeline.cpus = [.min, -1, -1, 70_000]
    result.timeline.slices = [
      .init(cpu: .max, kind: .idle, name: "", startNanoseconds: .max, endNanoseconds: 0),
      .init(cpu: -1, kind: .callback, name: "", startNanoseconds: 0, endNanoseconds: .max),
    ]
    result.timeline.flows = [
      .init(
        source: .min, target: .max, callback: "", kick: "", queuedNanoseconds: .max, kickNanoseconds: 0,
        startedNanoseconds: .max, endedNanoseconds: 0)
    ]
    result.blocking.latestCalls = [
      .init(
        source: .max, target: .min, callback: "", callsite: "", comm: nil, queuedNanoseconds: .max, kickNanoseconds: 0,
        handlerNanoseconds: .max, startedNanoseconds: 0, endedNanoseconds: 0, cause: .unknown),
      .init(
        source: 0, target: 0, callback: "", callsite: "", comm: "", queuedNanoseconds: 0, kickNanoseconds: .max,
        handlerNanoseconds: 1, startedNanoseconds: .max, endedNanoseconds: nil, cause: .kickDelayed,
        behind: .init(callback: "", delayNanoseconds: .max, allNanoseconds: 0),
        evidence: .init(
          events: .max, interruptsOffNanoseconds: .max, idleNanoseconds: .max, pid: .min, comm: "", callback: "")),
    ]
    let state = BlockingSummary.CPUState(
      cpu: .min, timeNanoseconds: .max, event: "", context: .unknown, interruptsOff: true, pid: .max, comm: nil,
      handlerSinceNanoseconds: .max, callback: "", callbackSinceNanoseconds: .max, hotplug: .comingOnline)
    result.blocking.lockWaits.count = .max
    result.blocking.stuckCalls = .init(
      thresholdNanoseconds: .max, count: .max,
      oldest: [
        .init(
          kind: "", source: .min, target: .max, callback: "", callsite: "", comm: nil, queuedNanoseconds: .max,
          kickNanoseconds: 0, ageNanoseconds: .max, targetSeenNanoseconds: .max, outcome: .lost, sourceState: state,
          targetState: state)
      ])
    result.blocking.waitChains = .init(
      count: 0, chains: [.init(isCycle: true, nanoseconds: .max, links: [], states: [state])])
    result.blocking.kernelReports?[0].line = .min
    result.blocking.kernelReports?[0].call?.startedNanoseconds = 0
    return result
  }()

  /// ``absurd`` with a timeline that ends before it begins.
  static let backwards: ReplayResult = {
    var result = absurd
    result.timeline.startNanoseconds = .max
    result.timeline.endNanoseconds = 0
    result.timeline.slices.append(
      .init(cpu: 1, kind: .handler, name: "", startNanoseconds: 0, endNanoseconds: .max))
    return result
  }()
}

extension DurationDistribution {
  static let none = DurationDistribution(summary: .none, histogram: [])
}

extension DurationSummary {
  static let none = DurationSummary(
    count: 0, minNanoseconds: nil, p50Nanoseconds: nil, p90Nanoseconds: nil, p99Nanoseconds: nil, p999Nanoseconds: nil,
    maxNanoseconds: nil, sumNanoseconds: 0)
}

/// A repeatable source of numbers (SplitMix64).
struct ExampleRandom {
  var state: UInt64

  mutating func next(below bound: UInt64) -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    return (word ^ word >> 31) % bound
  }
}
