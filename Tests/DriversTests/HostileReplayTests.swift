import CallEngines
import CallHistories
import Drivers
import TestSupport
import Testing
import TraceTypes
import Verdicts

/// Events that no kernel records, through everything that a replay does with them.
@Suite struct HostileReplayTests {
  private static func settings(_ random: inout RepeatableRandom) -> HistorySettings {
    var settings = HistorySettings()
    settings.cpus = Array(0..<random.below(10))
    if random.chance(0.5) { settings.recordedKinds = Set(EventKind.allCases) }
    return settings
  }

  @Test(arguments: 0..<8) func theAccountingAddsUp(_ run: Int) {
    var random = RepeatableRandom.forTest()
    for _ in 0...run { _ = random.next() }
    let settings = Self.settings(&random)
    let names = ScriptNames()
    let analysis = ReplayAnalysis(
      watched: [0: .named, 1: .isolated], recordedKinds: settings.recordedKinds, sink: NoCallSink())
    var builder = HistoryBuilder(settings: settings, names: names, consumer: analysis)
    var source = HostileEvents(run: run)
    for _ in 0..<25_000 {
      let one = [source.next(&random)]
      builder.consume(one.span, maskWords: source.maskWords.span)
    }
    builder.finish()
    var found: UInt64 = 0
    let verdict = analysis.verdict(of: builder, clockIsShared: false, lossWindows: []) {
      found += 1
      return Divergence(
        rule: $0.rule.rawValue, timeNanoseconds: $0.time, cpus: $0.cpus.map(Int.init), callback: nil, events: [],
        expected: "", explanation: "")
    }
    #expect(verdict.addsUp, "seed \(random.seed): \(verdict.accounting)")
    #expect(verdict.accounting.queued == builder.statistics.queued && verdict.accounting.queued > 100)
    #expect(verdict.divergenceCount >= found && found <= UInt64(ConformanceDriver.keptDivergences))
    let calls = analysis.statistics.calls(names: names) { _ in nil }
    let latency = analysis.statistics.latency
    let interference = analysis.statistics.interference(names: names) { _ in nil }
    let blocking = analysis.statistics.blocking(names: names) { _ in nil }
    #expect(calls.total > 0)
    #expect(latency.queueToStart.summary.count <= verdict.accounting.queued)
    #expect(interference.count == 2)
    #expect(blocking.latestCalls.count <= 20)
  }

  @Test(arguments: 0..<8) func theTimelineStaysSmall(_ run: Int) {
    var random = RepeatableRandom.forTest()
    for _ in 0...run { _ = random.next() }
    var reader = TimelineReader(window: 1_000...200_000, settings: Self.settings(&random), names: ScriptNames())
    var source = HostileEvents(run: run)
    for _ in 0..<15_000 {
      let one = [source.next(&random)]
      reader.consume(one.span, maskWords: source.maskWords.span)
    }
    let timeline = reader.finish(choice: .named)
    #expect(timeline.slices.count <= TimelineReader.mostSlices && timeline.flows.count <= TimelineReader.mostFlows)
    // The last mixture but two begins near the end of time, behind the window.
    #expect(run == 5 || !timeline.flows.isEmpty)
    #expect(timeline.slices.allSatisfy { $0.startNanoseconds <= 200_000 && $0.endNanoseconds >= 1_000 })
  }
}
