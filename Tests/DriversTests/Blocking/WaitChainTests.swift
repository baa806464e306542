import TestSupport
import Testing
import Verdicts

@Suite struct WaitChainTests {
  /// CPU 0 waits for a callback on CPU 1 that makes a call to CPU 2.
  private static func nested(movedOn: Int, kind: String = "single") -> String {
    """
    1000 0 queue 1 outer a many
    1100 0 ipi 1
    2000 1 handler
    2100 1h run outer a
    2200 1h queue 2 inner b \(kind)
    2300 1h ipi 2
    50000 2 handler
    50100 2h run inner b
    60000 2h done inner b
    60100 2 return
    \(movedOn) 1h done outer a
    \(movedOn + 100) 1 return
    \(movedOn + 200) 0 switch
    """
  }

  @Test(arguments: ["single", "many"]) func aChainOfThreeCPUs(_ kind: String) throws {
    let chains = try BlockingReplay(Self.nested(movedOn: 60_200, kind: kind), names: ["outer", "inner"])
      .summary.waitChains
    #expect(chains.count == 1)
    let chain = try #require(chains.chains.first)
    #expect(!chain.isCycle && chain.states.isEmpty && chain.nanoseconds == 57_700)
    #expect(chain.links.map(\.source) == [0, 1] && chain.links.map(\.target) == [1, 2])
    #expect(chain.links.map(\.callback) == ["outer", "inner"])
    #expect(chain.links.map(\.interruptsOff) == [false, true])
    #expect(chain.links[1].startedNanoseconds == 50_100 && chain.links[1].movedOnNanoseconds == 60_200)
  }

  @Test func whoGoesOnMuchLaterOrEarlierDidNotWait() throws {
    for movedOn in [30_000, 90_000] {
      let chains = try BlockingReplay(Self.nested(movedOn: movedOn), names: ["outer", "inner"]).summary.waitChains
      #expect(chains.count == 0, "\(movedOn)")
    }
  }

  @Test func anAsynchronousCallFromAnInterruptIsNoWait() throws {
    // While CPU 0 stands on CPU 1, an interrupt there makes a call of its own.
    let text = """
      1000 0 queue 1 f a many
      1100 0 ipi 1
      2000 1h queue 2 kick b single
      2100 1h ipi 2
      40000 2 handler
      40100 2h run kick b
      50000 2h done kick b
      50100 2 return
      50200 1 handler
      50300 1h run f a
      50400 1h done f a
      50500 1 return
      50600 0 switch
      """
    #expect(try BlockingReplay(text, names: ["f", "kick"]).summary.waitChains.count == 0)
  }

  @Test func aCircleOfTwoAtTheEnd() throws {
    let replay = try BlockingReplay(
      """
      1000 0i queue 1 f a many
      1050 1i queue 0 g b many
      1100 0i ipi 1
      1150 1i ipi 0
      10000000 2 switch
      """, names: ["f", "g"])
    let chains = replay.summary.waitChains
    #expect(chains.count == 1)
    let chain = try #require(chains.chains.first)
    #expect(chain.isCycle && chain.nanoseconds == 9_998_850)
    #expect(Set(chain.links.map(\.source)) == [0, 1])
    #expect(chain.links.allSatisfy { $0.startedNanoseconds == nil && $0.movedOnNanoseconds == nil })
    #expect(chain.states.count == 2)
    for state in chain.states {
      #expect(state.event == "ipi:ipi_send_cpu" && state.interruptsOff && state.context == .task)
      #expect(state.pid == 100 + state.cpu && state.comm == "task\(100 + state.cpu)")
    }
    #expect(replay.summary.stuckCalls.count == 2)
  }

  @Test func withInterruptsOnThereIsNoCircle() throws {
    let text = "1000 0 queue 1 f a many\n1050 1 queue 0 g b many\n1100 0 ipi 1\n1150 1 ipi 0\n10000000 2 switch"
    #expect(try BlockingReplay(text, names: ["f", "g"]).summary.waitChains.count == 0)
  }
}

@Suite struct StuckCallTests {
  static let hang = """
    500 0 queue 1 hang h single
    600 0 ipi 1
    700 0 switch
    1000 1 handler
    1100 1h run hang h
    2000 0 queue 1 f a single
    2100 0 ipi 1
    50000000 2 switch
    """

  @Test func withTheLastThatWasSeenOfBothCPUs() throws {
    let stuck = try BlockingReplay(Self.hang, names: ["hang", "f"]).summary.stuckCalls
    #expect(stuck.count == 1)
    let call = try #require(stuck.oldest.first)
    #expect(call.callback == "f" && call.source == 0 && call.target == 1 && call.kind == "single")
    #expect(call.ageNanoseconds == 49_998_000 && call.outcome == .pending && call.targetSeenNanoseconds == nil)
    #expect(
      call.targetState
        == .init(
          cpu: 1, timeNanoseconds: 1_100, event: "csd:csd_function_entry", context: .hardInterrupt, interruptsOff: true,
          pid: 101, comm: "task101", handlerSinceNanoseconds: 1_000, callback: "hang", callbackSinceNanoseconds: 1_100,
          hotplug: .none))
    #expect(call.sourceState?.event == "ipi:ipi_send_cpu" && call.sourceState?.interruptsOff == false)
    #expect(call.sourceState?.timeNanoseconds == 2_100 && call.sourceState?.callback == nil)
  }

  @Test func whatIsYoungIsNotStuck() throws {
    let text = "1000 0 queue 1 f a single\n1100 0 ipi 1\n900000 1 switch"
    #expect(try BlockingReplay(text, names: ["f"]).summary.stuckCalls.count == 0)
  }

  @Test func onlySomeAreKeptAndAllAreCounted() throws {
    let text = (0..<50).map { "\(1_000 + $0) 0 queue 1 f a\($0) many\n" }.joined() + "9000000 1 switch"
    let stuck = try BlockingReplay(text, names: ["f"]).summary.stuckCalls
    #expect(stuck.count == 50 && stuck.oldest.count == 20)
    #expect(stuck.oldest.map(\.queuedNanoseconds) == (1_000..<1_020).map { UInt64($0) })
    #expect(stuck.oldest.allSatisfy { $0.targetSeenNanoseconds == 9_000_000 - $0.queuedNanoseconds })
  }
}
