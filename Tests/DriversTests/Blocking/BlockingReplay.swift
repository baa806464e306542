import CallHistories
import Drivers
import TestSupport
import TraceTypes
import Verdicts

/// A trace written by hand, and what is said about its blocking. Task 100 + CPU is called `task` and that number.
struct BlockingReplay {
  var summary: BlockingSummary

  /// - Parameters:
  ///   - names: the functions that the trace names.
  ///   - log: a kernel log to be joined with it.
  init(_ text: String, names: [String], log: String? = nil, clock: String? = "local") throws {
    let script = try TraceScript(text)
    let names = ScriptNames(names: names)
    let comm: (Int32) -> String? = { "task\($0)" }
    var settings = HistorySettings()
    settings.cpus = script.cpus
    settings.recordedKinds = allKinds
    let matcher = log.map { KernelReportMatcher(KernelLog(Array($0.utf8)), names: names, clock: clock) }
    let analysis = ReplayAnalysis(watched: [:], recordedKinds: allKinds, kernelReports: matcher, sink: NoCallSink())
    var builder = HistoryBuilder(settings: settings, names: names, consumer: analysis)
    script.feed(&builder)
    builder.finish()
    summary = analysis.blocking(span: builder.span, names: names, comm: comm)
    for var watch in TargetWatch.plan(for: summary, end: builder.span?.upperBound ?? 0) {
      script.feed(&watch)
      watch.enter(into: &summary, names: names, comm: comm)
    }
  }

  /// The late call of a callback.
  func lateCall(_ callback: String) -> BlockingSummary.LateCall? {
    summary.latestCalls.first { $0.callback == callback }
  }
}
