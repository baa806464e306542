import CallHistories
import Drivers
import TestSupport
import Testing
import TraceTypes
import Verdicts

/// Events that no kernel records, through everything that is said about blocking.
@Suite struct HostileBlockingTests {
  private static let log = """
    [    0.000100] csd: Detected non-responsive CSD lock (#1) on CPU#0, waiting 5 ns for CPU#01 f+0x0/0x1(0x0).
    [    0.000100] csd: Detected non-responsive CSD lock (#2) on CPU#1, waiting 5 ns for CPU#02 f+0x0/0x1(0x0).
    """

  private static var eventCount: Int {
    #if DEBUG
      6_000
    #else
      25_000
    #endif
  }

  @Test(arguments: 0..<8) func listsStaySmall(_ run: Int) {
    var random = RepeatableRandom.forTest()
    for _ in 0...run { _ = random.next() }
    var settings = HistorySettings()
    settings.cpus = Array(0..<random.below(10))
    let names = ScriptNames()
    let matcher = KernelReportMatcher(KernelLog(Array(Self.log.utf8)), names: names, clock: "local")
    let analysis = ReplayAnalysis(
      watched: [:], recordedKinds: Set(EventKind.allCases), kernelReports: matcher, sink: NoCallSink())
    var builder = HistoryBuilder(settings: settings, names: names, consumer: analysis)
    var source = HostileEvents(run: run)
    var events: [TraceEvent] = []
    for _ in 0..<Self.eventCount {
      let one = [source.next(&random)]
      builder.consume(one.span, maskWords: source.maskWords.span)
      if events.count < 5_000 { events += one }
    }
    builder.finish()
    var summary = analysis.blocking(span: builder.span, names: names, comm: { _ in nil })
    for var watch in TargetWatch.plan(for: summary, end: builder.span?.upperBound ?? 0) {
      for event in events {
        let one = [event]
        watch.consume(one.span, maskWords: source.maskWords.span)
      }
      watch.gapBegan(TraceGap(cpu: 0, afterNanoseconds: nil, beforeNanoseconds: nil, lostEvents: nil))
      watch.enter(into: &summary, names: names, comm: { _ in nil })
    }
    #expect(summary.lockWaits.longest.count <= 20 && summary.waitChains.chains.count <= 20)
    #expect(summary.stuckCalls.oldest.count <= 20 && summary.stuckCalls.count >= summary.stuckCalls.oldest.count)
    #expect(summary.kernelReports?.count == 2)
  }
}
