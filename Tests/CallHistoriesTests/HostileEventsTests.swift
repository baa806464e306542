import TestSupport
import Testing
import TraceTypes

@testable import CallHistories

/// Counts what it is given.
private final class Counter: CallHistoryConsumer {
  var queued: UInt64 = 0
  var open = 0
  var flushes = 0
  var anomalies = 0
  var handlers = 0
  var unqueued: UInt64 = 0

  func flushCompleted(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
    later: ContiguousArray<FlushMember>
  ) -> FlushJudgement {
    flushes += 1
    if members.count % 2 == 0 { return FlushJudgement(.explained, syncs: 0...1) }
    return FlushJudgement(.undecided(.stateUnknown))
  }

  func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>) {
    queued += UInt64(targets.count)
    for index in targets.indices where targets[index].outcome == .open { open += 1 }
  }

  func anomalyFound(_ anomaly: HistoryAnomaly) { anomalies += 1 }
  func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) { handlers += 1 }
  func unqueuedCallback(_ event: TraceEvent) { unqueued += 1 }
  func stateUnknown(_ stretch: UnknownStretch) {}
}

/// Events that no kernel records: nothing traps, every call is handed on once, and memory stays bounded.
@Suite struct HostileEventsTests {
  /// Without optimisation each event takes as long as fifty do else.
  private static var eventCount: Int {
    #if DEBUG
      8_000
    #else
      40_000
    #endif
  }

  @Test(arguments: 0..<8) func nonsenseIsTaken(_ run: Int) {
    var random = RepeatableRandom.forTest()
    for _ in 0...run { _ = random.next() }
    let consumer = Counter()
    var settings = HistorySettings()
    settings.cpus = (0..<random.below(20)).map { _ in random.below(400) - 50 }
    settings.someCPUsUnrecorded = random.chance(0.2)
    if random.chance(0.5) { settings.recordedKinds = Set(EventKind.allCases) }
    let names: any AddressNaming = ScriptNames(hasSymbols: random.chance(0.8))
    var builder = HistoryBuilder(settings: settings, names: names, consumer: consumer)
    var source = HostileEvents(run: run)
    var queueEvents: UInt64 = 0
    for _ in 0..<Self.eventCount {
      let event = source.next(&random)
      if event.kind == .csdQueueCPU, event.target >= 0, event.target <= Int32(CPUMask.highestCPU) { queueEvents += 1 }
      if random.chance(0.002) {
        builder.gapBegan(
          TraceGap(
            cpu: event.cpu, afterNanoseconds: random.chance(0.1) ? nil : event.nanoseconds,
            beforeNanoseconds: random.chance(0.1) ? nil : event.nanoseconds &+ UInt64(random.below(500)),
            lostEvents: nil)
        )
      }
      let one = [event]
      builder.consume(one.span, maskWords: source.maskWords.span)
    }
    builder.finish()
    #expect(consumer.queued == queueEvents, "seed \(random.seed)")
    #expect(builder.statistics.queued == queueEvents)
    #expect(consumer.open == 0)
    let (callsLeft, keysLeft) = (builder.calls.count, builder.table.count)
    #expect(callsLeft == 0 && keysLeft == 0)
    #expect(consumer.flushes > 0 && consumer.unqueued > 0)
  }

  /// Calls that never run, and callers that never go on: the oldest are given up.
  @Test func callsInFlightAreBounded() {
    let consumer = Counter()
    var builder = HistoryBuilder(settings: HistorySettings(), names: ScriptNames(), consumer: consumer)
    let count = HistoryBuilder.maximumOpenCalls + 20_000
    var largest = 0
    let callsite = ScriptNames.address(of: "generic_exec_single")
    let noWords: [UInt64] = []
    for number in 0..<count {
      let event = [
        TraceEvent(
          nanoseconds: UInt64(number), cpu: UInt16(number % 4), kind: .csdQueueCPU, csd: UInt64(number + 1),
          function: 9,
          callsite: callsite, target: Int32(4 + number % 60))
      ]
      builder.consume(event.span, maskWords: noWords.span)
      largest = max(largest, builder.calls.count)
    }
    #expect(largest <= HistoryBuilder.maximumOpenCalls + 1)
    #expect(consumer.queued >= 19_000)
    builder.finish()
    #expect(consumer.queued == UInt64(count))
  }

  /// Thousands of losses of a CPU to which very many calls are queued: each loss must not look at all of them.
  @Test func manyLossesWithManyPendingCallsTakeLittleTime() {
    let consumer = Counter()
    var builder = HistoryBuilder(settings: HistorySettings(), names: ScriptNames(), consumer: consumer)
    let callsite = ScriptNames.address(of: "generic_exec_single")
    let noWords: [UInt64] = []
    let clock = ContinuousClock()
    let began = clock.now
    for number in 0..<40_000 {
      let queue = [
        TraceEvent(
          nanoseconds: UInt64(number), cpu: 0, kind: .csdQueueCPU, csd: UInt64(number + 1), function: 9,
          callsite: callsite, target: 1)
      ]
      builder.consume(queue.span, maskWords: noWords.span)
      builder.gapBegan(
        TraceGap(
          cpu: 1, afterNanoseconds: UInt64(number), beforeNanoseconds: UInt64(number + 1), lostEvents: nil))
    }
    builder.finish()
    #expect(consumer.queued == 40_000)
    // 40,000 losses with up to 40,000 calls each are 800 million looks; a look takes tens of nanoseconds without optimization.
    #expect(clock.now - began < .seconds(8))
  }
}
