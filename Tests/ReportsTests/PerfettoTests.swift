import TestSupport
import Testing
import TraceTypes
import Verdicts

@testable import CallHistories
@testable import Reports

/// A trace for Perfetto, read back by a reader of its own.
@Suite("Perfetto")
struct PerfettoTests {
  private static func renderer(names: [String] = [], clock: String? = "global") -> PerfettoRenderer {
    PerfettoRenderer(names: ScriptNames(names: names), clock: clock) { $0 == 7 ? "worker" : nil }
  }

  private static func queued(
    _ function: String, csd: UInt64, from source: UInt16, to target: UInt16, at time: UInt64, started: UInt64? = nil
  ) -> QueuedCall {
    var call = QueuedCall(
      event: TraceEvent(
        nanoseconds: time, cpu: source, kind: .csdQueueCPU, pid: 7, csd: csd,
        function: ScriptNames.address(of: function), callsite: ScriptNames.address(of: "generic_exec_single"),
        target: Int32(target)),
      kind: .single, call: 0)
    call.kick = .ipi
    call.kickedAt = time + 1
    call.outcome = started == nil ? .undecided : .ran
    call.reason = started == nil ? .targetGap : nil
    call.startedAt = started ?? .max
    return call
  }

  /// A call of CPU 1, whose caller went on at 150.
  private static let seenCall: CompletedCall? = {
    final class Collector: CallHistoryConsumer {
      var calls: [CompletedCall] = []

      func flushCompleted(
        _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
        later: ContiguousArray<FlushMember>
      ) -> FlushJudgement { FlushJudgement(.explained) }
      func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>) { calls.append(call) }
      func anomalyFound(_ anomaly: HistoryAnomaly) {}
      func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {}
      func unqueuedCallback(_ event: TraceEvent) {}
      func stateUnknown(_ stretch: UnknownStretch) {}
    }
    let collector = Collector()
    var builder = HistoryBuilder(settings: HistorySettings(), names: ScriptNames(), consumer: collector)
    guard let events = try? TraceScript("100 1 queue 2 f c\n101 1 ipi 2\n150 1 switch").events else { return nil }
    builder.consume(events.span, maskWords: Span())
    builder.finish()
    return collector.calls.first
  }()

  private static func call(
    of first: QueuedCall, kind: CallKind = .single, waits: Bool? = true
  ) throws -> CompletedCall {
    var call = try #require(seenCall)
    call.kind = kind
    call.source = first.source
    call.pid = 7
    call.function = first.function
    call.callsite = first.callsite
    call.began = first.queued
    call.waits = waits
    return call
  }

  private static func piece(
    _ step: CPUActivity.Step, _ kind: EventKind, cpu: UInt16, at time: UInt64, csd: UInt64 = 0, function: String = "",
    isQueued: Bool = false, unseen: CPUActivity.UnseenEnd? = nil
  ) -> CPUActivity {
    CPUActivity(
      step: step, kind: kind, cpu: cpu, nanoseconds: time, csd: csd,
      function: function.isEmpty ? 0 : ScriptNames.address(of: function), isQueued: isQueued, unseenEnd: unseen)
  }

  @Test("the first bytes are what the format's own documentation says they are")
  func bytes() {
    let bytes = ProtobufWriter.rendered {
      let packet = $0.open(1)
      $0.put(8, 300)
      $0.put(47, fixed: 0x0102_0304_0506_0708)
      $0.put(2, "né")
      $0.close(packet)
    }
    #expect(
      bytes == [
        0x0a, 18, 0x40, 0xac, 0x02, 0xf9, 0x02, 8, 7, 6, 5, 4, 3, 2, 1, 0x12, 3, UInt8(ascii: "n"), 0xc3, 0xa9,
      ])
    // As long as it takes, and no longer.
    for length in [0, 127, 128, 16_383, 16_384, 3_000_000] {
      let content = [UInt8](repeating: 7, count: length)
      let nested = ProtobufWriter.rendered {
        let message = $0.open(5)
        $0.put(rendered: content)
        $0.close(message)
      }
      #expect(nested == ProtobufWriter.rendered { $0.put(5, content) }, "\(length)")
    }
    #expect(ProtobufWriter.rendered { $0.putVarint(.max) } == [UInt8](repeating: 0xff, count: 9) + [1])
  }

  @Test("a call is a point, its callback a slice in a handler, and an arrow leads from one to the other")
  func oneCall() throws {
    var renderer = Self.renderer(names: ["f"])
    // In the order in which they become known: the call is complete last.
    renderer.append(Self.piece(.began, .callFunctionSingleEntry, cpu: 2, at: 120))
    renderer.append(Self.piece(.began, .csdFunctionEntry, cpu: 2, at: 130, csd: 64, function: "f", isQueued: true))
    renderer.append(Self.piece(.ended, .csdFunctionExit, cpu: 2, at: 140, csd: 64, function: "f"))
    renderer.append(Self.piece(.ended, .callFunctionSingleExit, cpu: 2, at: 140))
    let queued = Self.queued("f", csd: 64, from: 1, to: 2, at: 100, started: 130)
    try renderer.append(Self.call(of: queued), targets: [queued].span)
    let trace = try PerfettoTrace(renderer.bytes)

    let group = try #require(trace.tracks.first { $0.value.name == "IPIs" })
    #expect(group.value.description == "Times are nanoseconds of the trace's clock global.")
    #expect(
      trace.tracks.values.filter { $0.parent == group.key }.sorted { $0.rank ?? 0 < $1.rank ?? 0 }.map(\.name) == [
        "Findings", "CPU 1", "CPU 1 calls", "CPU 2", "CPU 2 calls",
      ])

    let slices = try trace.slices()
    #expect(slices.map(\.event.name) == ["f", "call_function_single", "f"])
    #expect(slices.map(\.event.time) == [100, 120, 130] && slices.map(\.end) == [100, 140, 140])
    #expect(slices.map(\.depth) == [0, 0, 1])
    #expect(slices.map { trace.name(ofTrackOf: $0.event) } == ["CPU 1 calls", "CPU 2", "CPU 2"])
    #expect(slices.map(\.event.categories) == [["call"], ["handler"], ["callback"]])
    let said = slices[0].event.annotations
    #expect(
      said == [
        "kind": .text("single"), "waits": .text("yes"), "callsite": .text("generic_exec_single"), "pid": .number(7),
        "task": .text("worker"), "callerWentOnAfterNanoseconds": .number(50),
        "targets": .list([
          .dictionary([
            "cpu": .number(2), "type": .text("unknown"), "kick": .text("ipi"), "outcome": .text("ran"),
            "startsAfterNanoseconds": .number(30),
          ])
        ]),
      ])
    let arrows = try trace.arrows()
    #expect(arrows.count == 1 && arrows[0].from.time == 100 && arrows[0].to.time == 130)
  }

  @Test("a call to many has an arrow to each callback that was seen, and says why of the others")
  func manyTargets() throws {
    var renderer = Self.renderer(names: ["f"])
    var targets = [
      Self.queued("f", csd: 8, from: 0, to: 1, at: 100, started: 110),
      Self.queued("f", csd: 16, from: 0, to: 2, at: 101, started: 110),
      Self.queued("f", csd: 24, from: 0, to: 3, at: 102),
      Self.queued("f", csd: 32, from: 0, to: 4, at: 103, started: 120),
    ]
    targets[3].inferred = true
    for target in targets[..<2] {
      renderer.append(
        Self.piece(
          .beganOnly, .csdFunctionEntry, cpu: target.target, at: 110, csd: target.csd, function: "f", isQueued: true,
          unseen: .eventsLost))
    }
    try renderer.append(Self.call(of: targets[0], kind: .many, waits: nil), targets: targets.span)
    let trace = try PerfettoTrace(renderer.bytes)
    let call = try #require(trace.events.first)
    #expect(call.annotations["waits"] == .text("unknown") && call.annotations["kind"] == .text("many"))
    let said = call.annotations["targets"]
    #expect(said?[2]?["outcome"] == .text("undecided") && said?[2]?["reason"] == .text("targetGap"))
    #expect(said?[2]?["startsAfterNanoseconds"] == nil && said?[3]?["reason"] == .text("inferredFromFlush"))
    #expect(try trace.arrows().map { trace.name(ofTrackOf: $0.to) } == ["CPU 1", "CPU 2"])
    #expect(trace.events.filter { $0.kind == .instant }.count == 3)
    #expect(trace.events.last?.annotations["end"] == .text("not seen: eventsLost"))
  }

  @Test("a csd that ran several times at one time has an arrow for each, in their order")
  func coarseClock() throws {
    var renderer = Self.renderer(names: ["f", "g"])
    for (function, time) in [("f", 100), ("f", 101), ("g", 102), ("f", 103)] as [(String, UInt64)] {
      let call = Self.queued(function, csd: 16, from: 0, to: 1, at: time, started: 110)
      try renderer.append(Self.call(of: call), targets: [call].span)
    }
    for function in ["f", "f", "g", "f"] {
      renderer.append(
        Self.piece(.beganOnly, .csdFunctionEntry, cpu: 1, at: 110, csd: 16, function: function, isQueued: true))
    }
    let arrows = try PerfettoTrace(renderer.bytes).arrows()
    #expect(arrows.map(\.from.time) == [100, 101, 102, 103])
    #expect(arrows.allSatisfy { $0.from.name == $0.to.name })
  }

  @Test("no arrow points backwards")
  func backwards() throws {
    var renderer = Self.renderer(names: ["f"])
    for started in [UInt64(99), 100] {
      let call = Self.queued("f", csd: 8, from: 0, to: 1, at: 100, started: started)
      try renderer.append(Self.call(of: call), targets: [call].span)
    }
    #expect(try PerfettoTrace(renderer.bytes).events.allSatisfy { $0.flows.isEmpty })
  }

  @Test("callbacks that no call leads to say so, and what began unseen is a point")
  func withoutCalls() throws {
    var renderer = Self.renderer(names: ["f"])
    renderer.append(Self.piece(.endedOnly, .csdFunctionExit, cpu: 0, at: 5, csd: 8, function: "f"))
    renderer.append(Self.piece(.endedOnly, .irqWorkExit, cpu: 0, at: 6))
    renderer.append(Self.piece(.began, .csdFunctionEntry, cpu: 0, at: 10, csd: 8, function: "f"))
    renderer.append(Self.piece(.ended, .csdFunctionExit, cpu: 0, at: 20, csd: 8, function: "f"))
    renderer.append(Self.piece(.began, .csdFunctionEntry, cpu: 0, at: 20, function: "g"))
    renderer.append(Self.piece(.ended, .csdFunctionExit, cpu: 0, at: 20, function: "g"))
    let trace = try PerfettoTrace(renderer.bytes)
    let slices = try trace.slices()
    #expect(slices.map(\.event.name) == ["f", "irq_work", "f", "0x\(String(ScriptNames.address(of: "g"), radix: 16))"])
    #expect(slices.map { $0.event.annotations["begin"] } == [.text("not seen"), .text("not seen"), nil, nil])
    #expect(
      slices.map { $0.event.annotations["queued"] } == [
        nil, nil, .text("not in this trace"), .text("no: it runs in place"),
      ])
    #expect(slices.map(\.depth) == [0, 0, 0, 0])
    #expect(try trace.arrows().isEmpty)
  }

  @Test("lost events are a slice, or a point where the trace does not tell both ends")
  func gaps() throws {
    var renderer = Self.renderer()
    let gaps = [
      TraceGap(cpu: 0, afterNanoseconds: nil, beforeNanoseconds: 10, lostEvents: 3),
      TraceGap(cpu: 0, afterNanoseconds: 20, beforeNanoseconds: 30, lostEvents: nil),
      TraceGap(cpu: 0, afterNanoseconds: 40, beforeNanoseconds: nil, lostEvents: 5),
      TraceGap(cpu: 1, afterNanoseconds: nil, beforeNanoseconds: nil, lostEvents: 5),
    ]
    for gap in gaps { renderer.append(gap) }
    renderer.finish(.nothing)
    let trace = try PerfettoTrace(renderer.bytes)
    let lost = try trace.slices().filter { $0.event.categories == ["lost"] }
    #expect(lost.map(\.event.time) == [10, 20, 40] && lost.map(\.end) == [10, 30, 40])
    #expect(lost.map(\.event.kind) == [.instant, .begin, .instant])
    #expect(lost.map { $0.event.annotations["lostEvents"] } == [.number(3), .text("unknown"), .number(5)])
    #expect(lost.map { $0.event.annotations["begin"] } == [.text("not known"), nil, nil])
    #expect(lost.map { $0.event.annotations["end"] } == [nil, nil, .text("not known")])
    #expect(trace.events.first { $0.categories == ["finding"] }?.annotations["notDrawn"] == .number(1))
  }

  @Test("what is later than Perfetto can draw is left out, counted, and what is open ends")
  func lateTimes() throws {
    var renderer = Self.renderer()
    let late = PerfettoRenderer.latestTime + 1
    renderer.append(Self.piece(.began, .callFunctionEntry, cpu: 0, at: 1))
    renderer.append(Self.piece(.began, .csdFunctionEntry, cpu: 0, at: late, csd: 8, function: "f"))
    renderer.append(Self.piece(.ended, .csdFunctionExit, cpu: 0, at: late, csd: 8, function: "f"))
    renderer.append(Self.piece(.ended, .callFunctionExit, cpu: 0, at: .max))
    renderer.append(Self.piece(.beganOnly, .csdFunctionEntry, cpu: 0, at: .max, csd: 8, function: "f"))
    let call = Self.queued("f", csd: 8, from: 1, to: 0, at: late, started: .max - 1)
    try renderer.append(Self.call(of: call), targets: [call].span)
    renderer.finish(.nothing)
    let trace = try PerfettoTrace(renderer.bytes)
    let slices = try trace.slices()
    #expect(slices.count == 2 && slices[1].event.name == "call_function" && slices[1].end == UInt64(Int64.max))
    #expect(slices[0].event.annotations["notDrawn"] == .number(5))
  }

  @Test("the verdict stands at the start, each divergence at its time with what was expected")
  func findings() throws {
    var renderer = Self.renderer()
    let result = ReplayResult.example
    renderer.finish(result)
    let trace = try PerfettoTrace(renderer.bytes)
    let verdict = try #require(trace.events.first { $0.name == "verdict: diverges" })
    #expect(verdict.time == result.trace.startNanoseconds)
    #expect(verdict.annotations["findings"] == .number(result.verdict.divergenceCount))
    #expect(verdict.annotations["judged"] == .number(result.verdict.judged))
    let found = trace.events.filter { !$0.name.hasPrefix("verdict") }
    #expect(found.map(\.name).sorted() == result.verdict.divergences.map(\.rule).sorted())
    for divergence in result.verdict.divergences {
      let event = try #require(found.first { $0.name == divergence.rule && $0.time == divergence.timeNanoseconds })
      #expect(event.kind == .instant && trace.name(ofTrackOf: event) == "Findings")
      #expect(event.annotations["cpus"] == .list(divergence.cpus.map { .number(UInt64($0)) }))
      #expect(event.annotations["expected"] == .text(VisibleText.escape(divergence.expected, limit: 2_000)))
      for (index, shown) in divergence.events.enumerated() {
        #expect(event.annotations["events"]?[index]?["timeNanoseconds"] == .number(shown.timeNanoseconds))
        #expect(event.annotations["events"]?[index]?["type"] == .text(VisibleText.escape(shown.type)))
      }
    }
  }

  @Test("a clock that counts no nanoseconds is said to", arguments: [nil, "x86-tsc", "\u{1b}[31m"])
  func clocks(clock: String?) throws {
    var renderer = Self.renderer(clock: clock)
    renderer.finish(.nothing)
    let trace = try PerfettoTrace(renderer.bytes)
    let sentence = trace.tracks.values.compactMap(\.description)
    switch clock {
    case nil: #expect(sentence == ["Times are nanoseconds of the trace's clock, which it does not name."])
    case "x86-tsc":
      #expect(
        sentence == ["Times are ticks of the trace's clock x86-tsc, although they are shown as nanoseconds."])
    default: #expect(sentence == ["Times are nanoseconds of the trace's clock \\u{1b}[31m."])
    }
  }

  @Test("more names than are kept by number are written out")
  func manyNames() throws {
    var texts = PerfettoTexts(table: 2)
    var new = ProtobufWriter()
    for number in 0..<65_536 { #expect(texts.id(of: "\(number)", new: &new) == UInt64(number) + 1) }
    let size = new.bytes.count
    #expect(texts.id(of: "another", new: &new) == nil && texts.id(of: "7", new: &new) == 8)
    #expect(new.bytes.count == size)
  }
}
