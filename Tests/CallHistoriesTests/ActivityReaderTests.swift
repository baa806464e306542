import TestSupport
import Testing
import TraceTypes

@testable import CallHistories

/// What a CPU did, put together for drawing: what was seen is told, and nothing else.
@Suite struct ActivityReaderTests {
  /// Each piece as `TIME CPU what`: `+` begins, `-` ends, `*` begins without an end, `?` ends without a begin.
  private static func told(_ script: String, unqueued: Set<UInt64> = []) throws -> [String] {
    let trace = try TraceScript(script)
    var reader = ActivityReader()
    var gaps = trace.gaps
    for event in trace.events {
      while let gap = gaps.first, gap.afterNanoseconds ?? 0 < event.nanoseconds {
        reader.gapBegan(on: gap.cpu)
        gaps.removeFirst()
      }
      reader.take(event, isUnqueued: unqueued.contains(event.nanoseconds))
    }
    reader.finish()
    return reader.pieces.map(text)
  }

  private static func text(_ piece: CPUActivity) -> String {
    let isCallback = piece.kind == .csdFunctionEntry || piece.kind == .csdFunctionExit
    let what = !isCallback ? "handler" : piece.csd == 0 ? "local" : piece.isQueued ? "queued" : "callback"
    let mark =
      switch piece.step {
      case .began: "+"
      case .ended: "-"
      case .beganOnly: "*"
      case .endedOnly: "?"
      }
    return "\(piece.nanoseconds) \(piece.cpu) \(mark)\(what)\(piece.unseenEnd.map { " \($0.name)" } ?? "")"
  }

  @Test func callbacksLieInTheirHandler() throws {
    let told = try Self.told(
      """
      10 0 handler
      11 0h run f c1
      12 1 handler
      13 0h done f c1
      13 0h run g c2
      14 0h done g c2
      15 0 return
      16 1 return
      """, unqueued: [13])
    #expect(
      told == [
        "10 0 +handler", "11 0 +queued", "13 0 -callback", "13 0 +callback", "14 0 -callback", "15 0 -handler",
        "12 1 +handler", "16 1 -handler",
      ])
  }

  @Test func aRunInPlaceLiesInACallback() throws {
    let told = try Self.told(
      """
      10 0i run f c1
      11 0i local g
      12 0i localdone g
      13 0i done f c1
      """)
    #expect(told == ["10 0 +queued", "11 0 +local", "12 0 -local", "13 0 -callback"])
  }

  @Test func whatNeverEndedIsAPoint() throws {
    // The first callback's exit is missing, then the handler's, then the trace ends.
    let told = try Self.told(
      """
      10 0 handler
      11 0h run f c1
      12 0h run g c2
      13 0h done g c2
      14 0 return
      20 0 handler
      21 0h run f c3
      22 0h done f c3
      30 0 switch
      40 0 handler
      50 0 handler
      51 0h run g c4
      """)
    #expect(
      told == [
        "10 0 +handler", "11 0 *queued notRecorded", "12 0 +queued", "13 0 -callback", "14 0 -handler",
        "20 0 *handler notRecorded", "21 0 +queued", "22 0 -callback", "40 0 *handler notRecorded",
        "50 0 *handler traceEnd", "51 0 *queued traceEnd",
      ])
  }

  @Test func whatBeganUnseenIsAPoint() throws {
    let told = try Self.told(
      """
      10 0h done f c1
      11 0 return
      20 0 handler
      21 0h done g c2
      22 0 return
      """)
    #expect(told == ["10 0 ?callback", "11 0 ?handler", "20 0 +handler", "21 0 ?callback", "22 0 -handler"])
  }

  @Test func aLossEndsNothing() throws {
    let told = try Self.told(
      """
      10 0 handler
      11 0h run f c1
      12 0 lost 20
      21 0h done f c1
      22 0 return
      """)
    #expect(
      told == ["10 0 *handler eventsLost", "11 0 *queued eventsLost", "21 0 ?callback", "22 0 ?handler"])
  }

  /// A callback in a handler turns interrupts on, and another handler comes.
  @Test func aHandlerInACallbackLiesInIt() throws {
    let told = try Self.told(
      """
      1 0i run f c1
      2 0i done f c1
      10 0 handler
      11 0h run f c1
      12 0 handler
      13 0h run g c2
      14 0h done g c2
      15 0 return
      16 0h done f c1
      17 0 return
      """)
    #expect(
      told.dropFirst(2) == [
        "10 0 +handler", "11 0 +queued", "12 0 +handler", "13 0 +queued", "14 0 -callback", "15 0 -handler",
        "16 0 -callback", "17 0 -handler",
      ])
  }

  /// A handler began in a callback whose end is missing: which of them the last exit belongs to is not known.
  @Test func whatACallbackHidesIsNotGuessed() throws {
    let told = try Self.told(
      """
      1 0i run f c1
      2 0i done f c1
      10 0 handler
      11 0h run f c1
      12 0 handler
      15 0 return
      17 0 return
      20 0 handler
      21 0h run f c3
      22 0 handler
      23 0 return
      24 0 switch
      """)
    #expect(
      told.dropFirst(2) == [
        "10 0 *handler notRecorded", "11 0 *queued notRecorded", "12 0 +handler", "15 0 -handler", "17 0 ?handler",
        "20 0 *handler notRecorded", "21 0 *queued notRecorded", "22 0 +handler", "23 0 -handler",
      ])
  }

  /// Where no end of a callback is recorded, all handlers would seem to lie in the first one's callback.
  @Test func withoutEndsOfCallbacksHandlersEndHandlers() throws {
    let told = try Self.told(
      """
      10 0 handler
      11 0h run f c1
      20 0 handler
      21 0h run f c2
      22 0 return
      """)
    #expect(
      told == [
        "10 0 *handler notRecorded", "11 0 *queued notRecorded", "20 0 +handler", "21 0 *queued notRecorded",
        "22 0 -handler",
      ])
  }

  @Test func aFlushInTheIdleLoopIsOverWhenTheCPUGoesOn() throws {
    let told = try Self.told(
      """
      10 0i run f c1
      12 0i switch
      20 0i run f c2
      21 0h run g c3
      22 0h done g c3
      23 0i done f c2
      30 0i run f c4
      31 0 switch
      """)
    #expect(
      told == [
        "10 0 *queued notRecorded", "20 0 +queued", "21 0 +queued", "22 0 -callback", "23 0 -callback",
        "30 0 *queued notRecorded",
      ])
  }

  /// What contexts would tell is not guessed where the trace has none.
  @Test func withoutContextsOnlyHandlersEndHandlers() {
    var reader = ActivityReader()
    func take(_ time: UInt64, _ kind: EventKind) {
      reader.take(TraceEvent(nanoseconds: time, cpu: 0, kind: kind, flags: .unknown), isUnqueued: false)
    }
    take(1, .rescheduleEntry)
    take(2, .schedSwitch)
    take(3, .cpuIdle)
    #expect(reader.pieces.isEmpty)
    take(4, .rescheduleExit)
    #expect(reader.pieces.map(Self.text) == ["1 0 +handler", "4 0 -handler"])
    take(5, .irqWorkEntry)
    take(6, .callFunctionEntry)
    #expect(reader.pieces.map(Self.text).last == "5 0 *handler notRecorded")
  }

  /// A handler that never ends, and all that there is inside: some of it is told before the end.
  @Test func whatWaitsIsBounded() {
    var reader = ActivityReader()
    reader.take(TraceEvent(nanoseconds: 0, cpu: 3, kind: .rescheduleEntry, flags: .unknown), isUnqueued: false)
    var told = 0
    var mostWaiting = 0
    for time in 1...UInt64(ActivityReader.mostWaiting * 3) {
      let kind = time % 2 == 1 ? EventKind.csdFunctionEntry : .csdFunctionExit
      reader.take(
        TraceEvent(nanoseconds: time, cpu: 3, kind: kind, flags: .unknown, csd: 8, function: 9), isUnqueued: false)
      told += reader.pieces.count
      mostWaiting = max(mostWaiting, Int(time) + 1 - told)
      if let first = reader.pieces.first, first.kind == .rescheduleEntry {
        #expect(first.step == .beganOnly && first.unseenEnd == .tooMuchInside)
      }
      reader.pieces.removeAll()
    }
    #expect(mostWaiting == ActivityReader.mostWaiting && told > 2 * ActivityReader.mostWaiting)
    for depth in 1...UInt64(ActivityReader.deepest + 1) {
      reader.take(
        TraceEvent(nanoseconds: 1 << 40, cpu: 0, kind: .csdFunctionEntry, csd: depth, function: 1), isUnqueued: false)
    }
    #expect(reader.pieces.count == ActivityReader.deepest)
  }

  /// Whatever comes: every event is told once, every CPU's pieces are in the order of its events, and they nest.
  @Test(arguments: 0..<6) func nonsenseNests(_ run: Int) {
    var random = RepeatableRandom.forTest()
    for _ in 0...run { _ = random.next() }
    var reader = ActivityReader()
    var source = HostileEvents(run: run)
    var expected = 0
    for _ in 0..<20_000 {
      let event = source.next(&random)
      switch event.kind {
      case .callFunctionSingleEntry, .callFunctionEntry, .rescheduleEntry, .irqWorkEntry, .csdFunctionEntry,
        .callFunctionSingleExit, .callFunctionExit, .rescheduleExit, .irqWorkExit, .csdFunctionExit:
        expected += 1
      default: break
      }
      reader.take(event, isUnqueued: random.chance(0.1))
      if random.chance(0.01) { reader.gapBegan(on: event.cpu) }
    }
    reader.finish()
    #expect(reader.pieces.count == expected, "seed \(random.seed)")
    var open: [UInt16: [CPUActivity]] = [:]
    var ended = 0
    for piece in reader.pieces {
      switch piece.step {
      case .began: open[piece.cpu, default: []].append(piece)
      case .ended:
        ended += 1
        let begin = open[piece.cpu]?.popLast()
        #expect(begin?.csd == piece.csd && begin?.function == piece.function, "seed \(random.seed)")
      case .beganOnly: #expect(piece.unseenEnd != nil)
      case .endedOnly: break
      }
    }
    #expect(open.values.allSatisfy(\.isEmpty) && ended > 0, "seed \(random.seed)")
  }
}
