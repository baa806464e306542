import CallHistories
import Drivers
import TestSupport
import Testing
import TraceDecoding
import TraceTypes
import Verdicts

/// Kernels that trace less: nothing is judged, nothing diverges, and what is left is counted.
@Suite struct OldKernelTests {
  private struct Outcome {
    var replay: CaptureReplay<NoCallSink>
    var interference: [Interference]
    var summary: CallSummary
  }

  private static func outcome(_ trace: CapturedTrace) -> Outcome {
    let watched = Dictionary(uniqueKeysWithValues: trace.cpus.map { ($0, Interference.Selection.all) })
    let analysis = ReplayAnalysis(watched: watched, recordedKinds: trace.recordedKinds, sink: NoCallSink())
    var builder = HistoryBuilder(settings: HistorySettings(trace), names: trace.symbols, consumer: analysis)
    trace.feed(&builder)
    builder.finish()
    return Outcome(
      replay: CaptureReplay(trace), interference: analysis.statistics.interference(names: trace.symbols) { _ in nil },
      summary: analysis.statistics.calls(names: trace.symbols) { _ in nil })
  }

  /// How often each callback ran on a CPU, and for how long, counted without the builder: from each entry to the exit of the
  /// same csd and function behind it.
  private static func callbacks(_ trace: CapturedTrace, cpu: Int) -> [String: (count: UInt64, run: UInt64)] {
    var open: [TraceEvent] = []
    var result: [String: (count: UInt64, run: UInt64)] = [:]
    for event in trace.events where Int(event.cpu) == cpu && event.csd != 0 {
      let name = trace.symbols.text(event.function)
      if event.kind == .csdFunctionEntry {
        result[name, default: (0, 0)].count += 1
        open.append(event)
      } else if event.kind == .csdFunctionExit,
        let place = open.lastIndex(where: { $0.csd == event.csd && $0.function == event.function })
      {
        result[name, default: (0, 0)].run += event.nanoseconds - open[place].nanoseconds
        open.remove(at: place)
      }
    }
    return result
  }

  /// 6.4 has callbacks and sends, and no queue events: those came with 6.5.
  @Test(
    arguments: [
      "guest-6.12-8cpu-hotplug.dat", "guest-6.12-idle-poll.dat", "guest-6.12-overrun.dat", "host-6.18-2cpu.dat",
      "guest-arm64-6.12-hotplug.dat",
    ], [false, true])
  func withoutQueueEventsCallbacksAreStillCounted(_ name: String, _ isComplete: Bool) throws {
    var trace = try Captures.named(name)
    if isComplete { trace.recordedKinds = allKinds }
    trace.events.removeAll { $0.kind == .csdQueueCPU }
    trace.recordedKinds.remove(.csdQueueCPU)
    let outcome = Self.outcome(trace)
    #expect(outcome.replay.found.isEmpty, "\(outcome.replay.summary)")
    #expect(outcome.replay.verdict.result == .undecided)
    #expect(outcome.replay.verdict.accounting.queued == 0 && outcome.replay.addsUp)
    let entries = trace.events.count { $0.kind == .csdFunctionEntry && $0.csd != 0 }
    #expect(outcome.replay.verdict.accounting.unqueued == UInt64(entries))
    #expect(outcome.summary.byCallback.reduce(0) { $0 + $1.runs - $1.localRuns } == UInt64(entries))

    for cpu in trace.cpus {
      let expected = Self.callbacks(trace, cpu: cpu)
      let seen = try #require(outcome.interference.first { $0.cpu == cpu })
      #expect(seen.sources.allSatisfy { $0.callsite == nil && $0.sourceCPU == nil && $0.comm == nil })
      #expect(
        Dictionary(uniqueKeysWithValues: seen.sources.map { ($0.callback, $0.count) }) == expected.mapValues(\.count))
      #expect(seen.callbacks == expected.values.reduce(0) { $0 + $1.count })
      // Where events were lost, an entry may have no end.
      if trace.gaps.isEmpty, name.hasPrefix("guest") {
        #expect(seen.callbackNanoseconds == expected.values.reduce(0) { $0 + $1.run }, "CPU \(cpu)")
      }
    }
  }

  /// Before 6.4 there are only handlers.
  @Test func withoutCsdEventsHandlersAreStillCounted() throws {
    let trace = try CapturedTrace(fixture: "guest-6.1-no-csd.dat")
    let outcome = Self.outcome(trace)
    #expect(outcome.replay.found.isEmpty)
    #expect(outcome.replay.verdict.result == .undecided)
    #expect(outcome.summary.total == 0)
    for cpu in trace.cpus {
      let events = trace.events.filter { Int($0.cpu) == cpu }
      let seen = try #require(outcome.interference.first { $0.cpu == cpu })
      var expected: UInt64 = 0
      var start: UInt64?
      for event in events {
        switch event.kind {
        case .callFunctionEntry, .callFunctionSingleEntry: start = event.nanoseconds
        case .callFunctionExit, .callFunctionSingleExit:
          if let start { expected += event.nanoseconds - start }
          start = nil
        default: break
        }
      }
      let handlers = events.count { $0.kind == .callFunctionExit || $0.kind == .callFunctionSingleExit }
      #expect(seen.handlers == UInt64(handlers) && handlers > 0)
      #expect(seen.handlerNanoseconds == expected && expected > 0)
      #expect(seen.reschedules == UInt64(events.count { $0.kind == .rescheduleExit }))
      #expect(seen.sources.isEmpty)
    }
  }
}
