import CallEngines
import CallHistories
import Drivers
import TestSupport
import Testing
import TraceTypes
import Verdicts

/// arm64 has other events for sends and handlers than x86, and the same rules.
@Suite struct Arm64VerdictTests {
  static let capture = Result { try CapturedTrace(fixture: "guest-arm64-6.12-hotplug.dat") }

  /// The capture as if its file said that all events were recorded, as they were.
  private static func complete() throws -> CapturedTrace {
    var trace = try capture.get()
    trace.recordedKinds = allKinds
    return trace
  }

  @Test(arguments: [false, true]) func nearlyAllIsJudgedAndNothingDiverges(_ isComplete: Bool) throws {
    let replay = CaptureReplay(isComplete ? try Self.complete() : try Self.capture.get())
    #expect(replay.found.isEmpty, "\(replay.summary)")
    #expect(replay.verdict.result == .conforms)
    #expect(replay.addsUp)
    let verdict = replay.verdict
    #expect(verdict.judged * 1000 >= verdict.accounting.queued * 995, "\(verdict.accounting)")
    // Nothing was lost. The recorder's own wakeups, inside the probes of context switches, are no losses.
    #expect(replay.statistics.silentLosses.isEmpty)
  }

  /// Kicks are those of `ipi_send_cpu` and `ipi_send_cpumask`; the `ipi_raise` behind each of them is no second one.
  @Test func raisesAreNoKicks() throws {
    let all = try Self.complete()
    #expect(all.events.contains { $0.kind == .ipiRaise })
    var without = all
    without.events.removeAll { $0.kind == .ipiRaise }
    let kicks = Self.kicks(all)
    #expect(kicks == Self.kicks(without))
    let sent = all.events.count { $0.kind == .ipiSendCPU && $0.function != 0 && $0.target != Int32($0.cpu) }
    #expect(kicks.count { $0 == .ipi } == sent)
    #expect(!kicks.contains(.unknown))
  }

  /// How each queued call made its target look, in the order in which the calls were complete.
  private static func kicks(_ trace: CapturedTrace) -> [Kick] {
    CaptureReplay(trace, sink: KeepingSink()).sink.calls.flatMap { $0.targets.map(\.kick) }
  }

  /// A caller that waits goes on when its callbacks are over, and not with the `ipi_raise` of its own send.
  @Test func raisesAreNoProofThatTheCallerWentOn() throws {
    let calls = CaptureReplay(try Self.complete(), sink: KeepingSink()).sink.calls
    let waiting = calls.filter { $0.call.kind == .many && !$0.targets.isEmpty }
    #expect(waiting.count > 50)
    // membarrier waits for all its targets.
    for kept in waiting {
      let ends = kept.targets.compactMap(\.ended)
      #expect(kept.call.callerMovedOn.map { moved in ends.allSatisfy { $0 <= moved } } ?? true, "\(kept.call)")
    }
  }

  /// As on x86: one altered thing is one divergence, of the right rule.
  @Test(arguments: FaultKind.allCases) func oneFaultIsOneDivergence(_ kind: FaultKind) throws {
    var random = RepeatableRandom.forTest()
    let all = try Self.places.get().faults(kind)
    #expect(all.count >= Self.leastPlaces[kind, default: 20], "\(kind): \(all.count)")
    for make in all.shuffled(using: &random).prefix(RepeatableRandom.places(5, unoptimised: 1)) {
      let fault = make()
      let replay = CaptureReplay(fault.trace)
      let comment: Comment = "\(fault.text), seed \(random.seed), found: \(replay.summary)"
      #expect(replay.addsUp, comment)
      let found = replay.found.map(\.rule).filter { !fault.consequences.contains($0) }
      #expect(found == [fault.rule], comment)
    }
  }

  private static let places = Result { FaultPlaces(try complete()) }
  /// On few CPUs few calls share a batch.
  private static let leastPlaces: [FaultKind: Int] = [
    .asyncSwapped: 0, .wakeupsSwapped: 0, .secondKick: 1, .madeWakeup: 0, .callAhead: 8, .callbackDelayed: 0,
    .leftByDyingFlush: 4,
  ]

  @Test func handlersAreCountedByTheirReasons() throws {
    let trace = try Self.complete()
    let watched = Dictionary(uniqueKeysWithValues: trace.cpus.map { ($0, Interference.Selection.named) })
    let analysis = ReplayAnalysis(watched: watched, recordedKinds: trace.recordedKinds, sink: NoCallSink())
    var builder = HistoryBuilder(settings: HistorySettings(trace), names: trace.symbols, consumer: analysis)
    trace.feed(&builder)
    builder.finish()
    let interference = analysis.statistics.interference(names: trace.symbols) { _ in nil }
    for cpu in trace.cpus {
      let events = trace.events.filter { Int($0.cpu) == cpu }
      let counted = try #require(interference.first { $0.cpu == cpu })
      #expect(counted.handlers == UInt64(events.count { $0.kind == .callFunctionExit }), "CPU \(cpu)")
      #expect(counted.reschedules == UInt64(events.count { $0.kind == .rescheduleExit }), "CPU \(cpu)")
      #expect(counted.handlerNanoseconds ?? 0 > 0)
    }
  }

  /// Without the texts that tell interrupts apart, no handler is known: less is judged, and nothing wrongly.
  @Test(arguments: [false, true]) func handlersWithoutReasonsAccuseNobody(_ isComplete: Bool) throws {
    var trace = isComplete ? try Self.complete() : try Self.capture.get()
    for index in trace.events.indices {
      switch trace.events[index].kind {
      case .callFunctionEntry, .rescheduleEntry, .irqWorkEntry: trace.events[index].kind = .ipiEntry
      case .callFunctionExit, .rescheduleExit, .irqWorkExit: trace.events[index].kind = .ipiExit
      default: break
      }
    }
    let replay = CaptureReplay(trace)
    #expect(replay.found.isEmpty, "\(replay.summary)")
    #expect(replay.addsUp)
  }

  /// Every event of x86's vectors was switched on, and none is in the trace: their absence says nothing here.
  @Test func absentVectorsOfX86SayNothing() throws {
    let vectors: Set<EventKind> = [.callFunctionSingleEntry, .callFunctionSingleExit]
    let all = try Self.complete()
    #expect(!all.events.contains { vectors.contains($0.kind) })
    var native = all
    native.recordedKinds = [
      .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU, .ipiSendCPUMask, .ipiRaise, .ipiEntry, .ipiExit,
      .schedSwitch, .schedWakeIdleWithoutIPI, .cpuIdle, .cpuhpEnter, .cpuhpMultiEnter, .cpuhpExit,
    ]
    let expected = CaptureReplay(all, keepsFlushes: true, sink: NoCallSink())
    let replay = CaptureReplay(native, keepsFlushes: true, sink: NoCallSink())
    #expect(replay.found.isEmpty, "\(replay.summary)")
    #expect(replay.verdict.judged == expected.verdict.judged)
    #expect(replay.flushes.count == expected.flushes.count)
  }
}
