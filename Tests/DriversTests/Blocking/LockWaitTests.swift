import TestSupport
import Testing
import Verdicts

@Suite struct LockWaitTests {
  /// CPU 0 asks CPUs 1 and 2 without waiting; CPU 2 is late. The next such call stands at CPU 2's csd.
  private static let many = """
    1000 0 queue 1 slow c1 many
    1100 0 queue 2 slow c2 many
    1200 0 mask 1-2
    1500 0 switch
    2000 1 handler
    2100 1h run slow c1
    2200 1h done slow c1
    2300 1 return
    5000 0 switch
    5100 0 queue 1 slow c1 many
    9000 2 handler
    9100 2h run slow c2
    9150 0 queue 2 slow c2 many      # the csd was free a moment ago
    9200 2h done slow c2
    9250 0 mask 1-2
    9300 2 return
    9400 0 switch
    9600 1 handler
    9610 1h run slow c1
    9620 1h done slow c1
    9630 1 return
    9700 2 handler
    9710 2h run slow c2
    9720 2h done slow c2
    9730 2 return
    """

  /// A call on whose way no csd was held: from one target to the next in 100 ns.
  private static let free = """

    20000 0 queue 1 slow c1 many
    20100 0 queue 2 slow c2 many
    20200 0 mask 1-2
    20250 0 switch
    """

  @Test func betweenTwoTargetsOfOneCall() throws {
    let waits = try BlockingReplay(Self.many + Self.free, names: ["slow"]).summary.lockWaits
    #expect(waits.count == 1)
    let wait = try #require(waits.longest.first)
    #expect(wait.source == 0 && wait.target == 2 && wait.heldOn == 2 && wait.heldBy == "slow")
    #expect(wait.previousNanoseconds == 5_100 && wait.freedNanoseconds == 9_100 && wait.queuedNanoseconds == 9_150)
    // Locked until the handler was entered at least, less the caller's own way of 100 ns.
    #expect(wait.atMostNanoseconds == 4_000 && wait.atLeastNanoseconds == 3_800)
    #expect(wait.comm == "task100")
    let caller = try #require(waits.callers.first)
    #expect(caller.callsite == "some_caller_of_many" && caller.callback == "slow" && caller.count == 1)
    #expect(caller.atMostNanoseconds == 4_000 && caller.atLeastNanoseconds == 3_800)
    #expect(caller.longestAtMostNanoseconds == 4_000)
  }

  @Test func withoutAnyFreeWayThereIsNoLowerEnd() throws {
    let waits = try BlockingReplay(Self.many, names: ["slow"]).summary.lockWaits
    #expect(waits.count == 1)
    #expect(waits.longest.first?.atLeastNanoseconds == 0 && waits.callers.first?.atLeastNanoseconds == 0)
  }

  private static func single(next: Int, over: Int, between: String = "") -> String {
    """
    1000 0 queue 1 first s single
    1010 0 ipi 1
    \(between)
    5500 1 handler
    5900 1h run first s
    \(next) 0 queue 2 second s single
    \(next + 10) 0 ipi 2
    \(over) 1h done first s
    \(over + 50) 1 return
    9000 0 switch
    """
  }

  @Test func asyncSingleWaitsForItsCPUsOnlyCSD() throws {
    let waits = try BlockingReplay(Self.single(next: 6_000, over: 6_500), names: ["first", "second"]).summary.lockWaits
    // The caller may have come only then.
    #expect(waits.count == 0 && waits.callers.isEmpty && waits.possibleCount == 1)
    let wait = try #require(waits.possible.first)
    #expect(wait.callback == "second" && wait.target == 2 && wait.heldBy == "first" && wait.heldOn == 1)
    #expect(wait.atMostNanoseconds == 4_890 && wait.atLeastNanoseconds == 0)
  }

  @Test(arguments: [
    // The callback was over before: the earlier call may have been waited for.
    single(next: 6_600, over: 6_500),
    // The csd had been free for long.
    single(next: 7_000, over: 8_000),
    // The caller was elsewhere when the csd came free.
    single(next: 6_000, over: 6_500, between: "5950 0 switch"),
    single(next: 6_000, over: 6_500, between: "5600 0 switch"),
    // Events of the caller were lost before the call.
    single(next: 6_000, over: 6_500, between: "2000 0 lost 5000"),
  ])
  func whatIsNotShownIsNotSaid(_ text: String) throws {
    #expect(try BlockingReplay(text, names: ["first", "second"]).summary.lockWaits.possibleCount == 0)
  }

  @Test func aCallersOwnCSDIsWaitedForByNobody() throws {
    // smp_call_function_single_async() refuses a csd that is locked; another CPU has used this one.
    let text =
      "100 3 queue 1 first s single\n110 3 ipi 1\n115 3 switch\n120 1 handler\n130 1h run first s\n140 1h done first s\n150 1 return\n"
    #expect(
      try BlockingReplay(text + Self.single(next: 6_000, over: 6_500), names: ["first", "second"])
        .summary.lockWaits.possibleCount == 0)
  }
}

@Suite struct CallerWaitTests {
  @Test func fromTheLastStepToTheLastCallback() throws {
    let replay = try BlockingReplay(
      """
      1000 0 queue 1 f c1 many
      1100 0 queue 2 f c2 many
      1200 0 mask 1-2
      1300 0 local f
      1400 0 localdone f
      2000 1 handler
      2100 1h run f c1
      2200 1h done f c1
      2300 1 return
      4000 2 handler
      4100 2h run f c2
      4400 2h done f c2
      4500 2 return
      4600 0 switch
      """, names: ["f"])
    let wait = try #require(replay.summary.callerWaits.first)
    #expect(replay.summary.callerWaits.count == 1 && wait.count == 1)
    #expect(wait.longestAtLeastNanoseconds == 3_000 && wait.longestAtMostNanoseconds == 3_200)
    #expect(wait.atLeastNanoseconds == 3_000)
    #expect(wait.longestSource == 0 && wait.longestSlowestTarget == 2 && wait.longestQueuedNanoseconds == 1_000)
  }

  @Test func whoWentOnDidNotWait() throws {
    let text =
      "1000 0 queue 1 f c single\n1100 0 ipi 1\n1200 0 switch\n"
      + "2000 1 handler\n2100 1h run f c\n2200 1h done f c\n2300 1 return"
    #expect(try BlockingReplay(text, names: ["f"]).summary.callerWaits.isEmpty)
  }

  @Test func singleCallsFromInterruptsAreAsynchronous() throws {
    let text =
      "1000 0h queue 1 f c single\n1100 0h ipi 1\n"
      + "2000 1 handler\n2100 1h run f c\n2200 1h done f c\n2300 1 return\n2400 0 switch"
    #expect(try BlockingReplay(text, names: ["f"]).summary.callerWaits.isEmpty)
  }
}
