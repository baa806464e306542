public import TraceTypes

/// Random events without sense, drawn from small pools so that they meet each other.
public struct HostileEvents {
  public let maskWords: [UInt64]
  private let csds: [UInt64] = [0, 1, 0xffff_8881_0000_0040, .max, 0xffff_8881_0000_0080, 0xffff_8881_0000_00c0]
  private let functions: [UInt64]
  private let callsites: [UInt64]
  private let cpuPool: Int
  private let kinds: [EventKind]
  private var time: UInt64

  /// - Parameter run: which mixture; 0 … 7.
  public init(run: Int) {
    maskWords = run % 2 == 0 ? [.max, 0, 5, 0x8000_0000_0000_0000] : []
    functions = [
      0, ScriptNames.address(of: "sched_ttwu_pending"), ScriptNames.address(of: ScriptNames.crossCall), 7, 8,
    ]
    callsites = ["generic_exec_single", "some_caller_of_many", "ttwu_queue_wakelist", "irq_work_queue_on", "unknown"]
      .map(ScriptNames.address(of:))
    cpuPool = [3, 300, 6, 40, 2, 300, 4, 8][run % 8]
    // Some mixtures are mostly calls and callbacks, so that flushes come about.
    let calls: [EventKind] = [
      .csdQueueCPU, .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU, .callFunctionSingleEntry,
      .callFunctionSingleExit,
    ]
    kinds = run % 3 == 0 ? EventKind.allCases : EventKind.allCases + calls + calls + calls
    time = run == 5 ? .max - 1_000 : UInt64(run)
  }

  public mutating func next(_ random: inout RepeatableRandom) -> TraceEvent {
    let step = UInt64(random.below(20))
    time = time.addingReportingOverflow(step).overflow ? .max : time + step
    let kind = kinds[random.below(kinds.count)]
    let numbers: [Int32] = [
      -1, .min, .max, 0, 1, 2, Int32(random.below(cpuPool)), Int32(random.below(cpuPool)), Int32(random.below(cpuPool)),
      65_535, 65_536, 300,
    ]
    // Large CPU numbers are rare: each costs memory for all below it.
    var target = numbers[random.below(random.chance(0.02) ? numbers.count : 9)]
    if kind == .ipiSendCPUMask || kind == .ipiRaise { target = Int32(random.below(6)) - 1 }
    return TraceEvent(
      nanoseconds: random.chance(0.01) ? UInt64.random(in: 0...UInt64.max, using: &random) : time,
      cpu: UInt16(random.below(cpuPool)), kind: kind,
      flags: random.chance(0.7) ? [] : ContextFlags(rawValue: UInt8(truncatingIfNeeded: random.next())),
      pid: random.chance(0.8) ? 5 : Int32(truncatingIfNeeded: random.next()), csd: csds[random.below(csds.count)],
      function: functions[random.below(functions.count)], callsite: callsites[random.below(callsites.count)],
      target: target, detail: numbers[random.below(numbers.count)])
  }
}
