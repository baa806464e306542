import TestSupport
import Testing
import Verdicts

@Suite struct LateCallTests {
  @Test func fiveMillisecondsBehindAnotherCallback() throws {
    let replay = try BlockingReplay(
      """
      1000 0 queue 2 slow a single
      1100 0 ipi 2
      1200 0 switch
      1300 1 queue 2 quick b single
      1400 1 switch
      2000 2 handler
      2100 2h run slow a
      5002100 2h done slow a
      5002200 2h run quick b
      5002300 2h done quick b
      5002400 2 return
      """, names: ["slow", "quick"])
    let call = try #require(replay.lateCall("quick"))
    #expect(call.cause == .callbackAhead)
    #expect(call.behind == .init(callback: "slow", delayNanoseconds: 5_000_000, allNanoseconds: 5_000_000))
    #expect(replay.lateCall("slow")?.behind == nil)
    #expect(
      replay.summary.headOfLine == [
        .init(
          callback: "slow", runs: 1, delayedCalls: 1, delayNanoseconds: 5_000_000, longestNanoseconds: 5_000_000,
          longestTarget: 2, longestStartedNanoseconds: 2_100)
      ])
  }

  @Test func aHandlerThatTakesItsTimeIsNoCallback() throws {
    let replay = try BlockingReplay(
      """
      1000 0 queue 1 f a single
      1100 0 ipi 1
      1200 0 switch
      2000 1 handler
      5002100 1h run f a
      5002200 1h done f a
      5002300 1 return
      """, names: ["f"])
    #expect(replay.lateCall("f")?.cause == .inHandler && replay.lateCall("f")?.behind == nil)
  }

  /// CPU 0 asks CPU 1, which takes the interrupt 20 ms later.
  private static func late(_ between: String) -> String {
    """
    1000000 0 queue 1 f a single
    1001000 0 ipi 1
    1002000 0 switch
    \(between)
    21000000 1 handler
    21001000 1h run f a
    21002000 1h done f a
    21003000 1 return
    """
  }

  private static func events(_ place: String) -> String {
    (2...20).map { "\($0)000000 \(place) resched 0" }.joined(separator: "\n")
  }

  @Test func twentyMillisecondsWithInterruptsOff() throws {
    let call = try #require(BlockingReplay(Self.late(Self.events("1i")), names: ["f"]).lateCall("f"))
    #expect(call.cause == .interruptsOff)
    #expect(
      call.evidence
        == .init(
          events: 19, interruptsOffNanoseconds: 18_000_000, idleNanoseconds: nil, pid: 101, comm: "task101",
          callback: nil))
  }

  @Test(arguments: [
    // Nothing of the target.
    "",
    // Interrupts on, and on in between.
    events("1t"), events("1i") + "\n8500000 1t resched 0\n12500000 1t resched 0",
    // Two moments with interrupts off, and nothing between them: a context switch has them off as well.
    "500000 1i resched 0\n20000000 1i switch", "2000000 1i switch\n20000000 1i switch",
    // Interrupts that were taken.
    events("1h"),
    // Too late to matter.
    (1...9).map { "209\($0)0000 1i resched 0" }.joined(separator: "\n"),
    // A loss: what ended behind it may have begun behind it.
    "2000000 1 lost 19000000\n20000000 1h done g b",
  ])
  func whatIsNotShownIsNotSaid(_ between: String) throws {
    let call = try #require(BlockingReplay(Self.late(between), names: ["f", "g"]).lateCall("f"))
    #expect(call.cause == .targetLate || call.cause == .unknown)
    #expect((call.evidence?.interruptsOffNanoseconds ?? 0) < 10_000_000)
  }

  @Test func aCallbackOfAnEarlierFlush() throws {
    let before = """
      900000 2 queue 1 slow b single
      901000 2 ipi 1
      902000 2 switch
      950000 1 handler
      951000 1h run slow b
      20900000 1h done slow b
      20910000 1 return
      """
    let call = try #require(BlockingReplay(Self.late(before), names: ["f", "slow"]).lateCall("f"))
    #expect(call.cause == .interruptsOff && call.behind == nil)
    #expect(call.evidence?.callback == "slow" && call.evidence?.interruptsOffNanoseconds == 19_899_000)
  }

  @Test func idle() throws {
    let call = try #require(
      BlockingReplay(Self.late("900000 1i idle\n20000000 1i wake"), names: ["f"]).lateCall("f"))
    #expect(call.cause == .idleExit && call.evidence?.idleNanoseconds == 18_999_000)
    #expect(call.evidence?.interruptsOffNanoseconds == nil)
    // Idle only after the kick.
    let other = try #require(
      BlockingReplay(Self.late("2000000 1i idle\n20000000 1i wake\n900000 1 switch"), names: ["f"]).lateCall("f"))
    #expect(other.cause == .targetLate || other.cause == .unknown)
  }
}
