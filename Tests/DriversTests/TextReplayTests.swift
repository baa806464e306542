import CallEngines
import CallHistories
import Drivers
import TestSupport
import Testing
import TraceDecoding
import TraceTypes
import Verdicts

/// What is found in a trace is found in its text.
@Suite struct TextReplayTests {
  /// The trace, written as text and read back. What only a recorder knows is as in the trace.
  private func reread(
    _ trace: CapturedTrace, _ form: FtraceTextWriter.Form
  ) throws -> (trace: CapturedTrace, read: ReadText) {
    let read = try ReadText(FtraceTextWriter.text(trace, form: form))
    var result = trace
    result.events = read.collector.events
    result.maskWords = []
    for (index, words) in read.collector.masks.sorted(by: { $0.key < $1.key }) {
      result.events[index].target = Int32(result.maskWords.count)
      result.maskWords += words
    }
    result.gaps = read.outcome.gaps
    result.cpus = read.text.cpus
    return (result, read)
  }

  @Test(arguments: CapturedTrace.names, [FtraceTextWriter.Form.nanoseconds, .tracefs, .latency])
  func textHasTheSameCallsAndVerdict(_ name: String, _ form: FtraceTextWriter.Form) throws {
    let trace = try Captures.named(name)
    let (again, read) = try reread(trace, form)
    #expect(read.outcome.health.items.allSatisfy { $0.name.hasPrefix("lostEvents") }, "\(read.outcome.health)")
    let binary = CaptureReplay(trace)
    let text = CaptureReplay(again, names: read.text.names)
    #expect(text.found.isEmpty, "\(text.summary)")
    #expect(text.verdict.result == binary.verdict.result)
    #expect(text.verdict.accounting == binary.verdict.accounting)
    #expect(text.statistics.queued == binary.statistics.queued)
    #expect(text.statistics.silentLosses == binary.statistics.silentLosses)
  }

  /// Captures in which faults are made. All are left to the optimised tests.
  private static var faulty: [String] {
    #if DEBUG
      Array(FaultInjectionTests.captures.prefix(2))
    #else
      FaultInjectionTests.captures
    #endif
  }

  /// The faults of ``FaultInjectionTests``, through text: the same one divergence.
  @Test(arguments: FaultKind.allCases, faulty)
  func textShowsTheSameFaults(_ kind: FaultKind, _ capture: String) throws {
    var random = RepeatableRandom.forTest()
    let all = try #require(FaultInjectionTests.places[capture]).get().faults(kind)
    for make in all.shuffled(using: &random).prefix(RepeatableRandom.places(2, unoptimised: 1)) {
      let fault = make()
      let (again, read) = try reread(fault.trace, .nanoseconds)
      let replay = CaptureReplay(again, names: read.text.names)
      let comment: Comment = "\(fault.text), seed \(random.seed), found: \(replay.summary)"
      #expect(replay.addsUp, comment)
      let others = replay.found.filter { !fault.consequences.contains($0.rule) }
      #expect(others.map(\.rule) == [fault.rule], comment)
      guard others.count == 1, let found = others.first else { continue }
      #expect(fault.cpus.isSubset(of: found.cpus), comment)
      #expect(fault.times.contains(found.time), comment)
    }
  }

  /// Microseconds hide what happened within one, so a fault may stay unseen, but no other is claimed.
  @Test(arguments: FaultKind.allCases) func microsecondsMakeNoOtherFault(_ kind: FaultKind) throws {
    var random = RepeatableRandom.forTest()
    let all = try #require(FaultInjectionTests.places[FaultInjectionTests.captures[0]]).get().faults(kind)
    for make in all.shuffled(using: &random).prefix(RepeatableRandom.places(1)) {
      let fault = make()
      let (again, read) = try reread(fault.trace, .tracefs)
      let replay = CaptureReplay(again, names: read.text.names)
      #expect(replay.addsUp)
      #expect(
        replay.found.allSatisfy { $0.rule == fault.rule || fault.consequences.contains($0.rule) }
          && replay.found.count { $0.rule == fault.rule } <= 1,
        "\(fault.text), seed \(random.seed), found: \(replay.summary)")
    }
  }

  // MARK: Without contexts

  /// Without contexts nothing is claimed of a real trace, and nearly all of it is judged all the same.
  @Test(arguments: CapturedTrace.names) func withoutContextNothingDiverges(_ name: String) throws {
    let trace = try Captures.named(name)
    var (again, read) = try reread(trace, .withoutContext)
    #expect(!read.text.contextIsRecorded)
    #expect(read.health("contextNotRecorded") == 1)
    again.recordedKinds.subtract([.csdQueueCPU, .ipiSendCPU, .ipiSendCPUMask, .schedWakeIdleWithoutIPI])
    let binary = CaptureReplay(trace)
    let text = CaptureReplay(again, names: read.text.names)
    #expect(text.found.isEmpty, "\(text.summary)")
    #expect(text.addsUp)
    #expect(text.verdict.accounting.queued == binary.verdict.accounting.queued)
    // Of what a dying CPU ran there are no events, and without contexts what came later does not tell of it either.
    let least: UInt64 = name.hasSuffix("dying.dat") ? 90 : 99
    #expect(text.verdict.judged * 100 >= binary.verdict.judged * least, "\(text.verdict.accounting)")
  }

  /// Faults are found without contexts where the rule does not need them, and no other is claimed.
  @Test(arguments: FaultKind.allCases, faulty)
  func withoutContextNoOtherFaultIsClaimed(_ kind: FaultKind, _ capture: String) throws {
    var random = RepeatableRandom.forTest()
    let all = try #require(FaultInjectionTests.places[capture]).get().faults(kind)
    var foundCount = 0
    let chosen = all.shuffled(using: &random).prefix(RepeatableRandom.places(1))
    for make in chosen {
      let fault = make()
      var (again, read) = try reread(fault.trace, .withoutContext)
      again.recordedKinds.subtract([.csdQueueCPU, .ipiSendCPU, .ipiSendCPUMask, .schedWakeIdleWithoutIPI])
      let replay = CaptureReplay(again, names: read.text.names)
      #expect(
        replay.found.allSatisfy { $0.rule == fault.rule || fault.consequences.contains($0.rule) }
          && replay.found.count { $0.rule == fault.rule } <= 1,
        "\(fault.text), seed \(random.seed), found: \(replay.summary)")
      foundCount += replay.found.count
    }
    print("\(capture) \(kind) without contexts: \(foundCount) of \(chosen.count) found")
  }
}
