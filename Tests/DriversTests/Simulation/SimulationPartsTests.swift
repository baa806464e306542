import CallEngines
import CallHistories
import TestSupport
import Testing
import TraceTypes
import Verdicts

@testable import Drivers

@Suite("The queue of events")
struct EventQueueTests {
  @Test func inTheOrderOfTimeAndThenOfEntry() {
    var random = RepeatableRandom.forTest()
    for _ in 0..<50 {
      var queue = EventQueue()
      var expected: [(time: UInt64, token: UInt32)] = []
      var taken = 0
      var last: UInt64 = 0
      for token in 0..<UInt32(200) {
        let time = last + UInt64(random.below(20))
        queue.add(token % 2 == 0 ? .step : .arrival, cpu: Int(token % 5), at: time, token: token)
        let place = expected.firstIndex { $0.time > time } ?? expected.count
        expected.insert((time, token), at: place)
        // Taken in between, as the simulator does.
        if random.chance(0.4) {
          #expect(queue.nextTime == expected[0].time)
          let entry = queue.removeFirst()
          #expect(entry.token == expected[0].token && entry.time == expected[0].time)
          #expect(entry.cpu == Int32(entry.token % 5) && entry.kind == (entry.token % 2 == 0 ? .step : .arrival))
          last = entry.time
          expected.removeFirst()
          taken += 1
        }
      }
      while !queue.isEmpty {
        #expect(queue.removeFirst().token == expected.removeFirst().token)
        taken += 1
      }
      #expect(taken == 200 && queue.nextTime == .max)
    }
  }
}

@Suite("Chance")
struct RandomNumbersTests {
  @Test func dependsOnWhatItIsFor() {
    let numbers = RandomNumbers(seed: 7)
    #expect(numbers.number(.delivery, 1, 2) == RandomNumbers(seed: 7).number(.delivery, 1, 2))
    var seen: Set<UInt64> = []
    for first: UInt64 in 0..<20 {
      for second: UInt64 in 0..<20 {
        seen.insert(numbers.number(.delivery, first, second))
        seen.insert(numbers.number(.add, first, second))
        seen.insert(RandomNumbers(seed: 8).number(.delivery, first, second))
      }
    }
    #expect(seen.count == 1_200)
  }

  /// Ten drawers of 1,000 each; five deviations are 150.
  @Test func isEven() {
    let numbers = RandomNumbers(seed: 1)
    var drawers = [Int](repeating: 0, count: 10)
    for index: UInt64 in 0..<10_000 { drawers[Int(numbers.number(.handlerEntry, index, 3) >> 11 % 10)] += 1 }
    for drawer in drawers { #expect((850...1_150).contains(drawer), "\(drawers)") }
  }

  @Test func drawsFollowTheDistribution() {
    typealias Point = CostModel.Distribution.Point
    let distribution = CostModel.Distribution(
      points: [
        Point(perMille: 0, nanoseconds: 100), Point(perMille: 500, nanoseconds: 200),
        Point(perMille: 900, nanoseconds: 1_000), Point(perMille: 1_000, nanoseconds: 9_000),
      ], count: 10, isAssumed: false)
    let numbers = RandomNumbers(seed: 3)
    let drawn = (0..<20_000).map { distribution.draw(numbers.number(.delivery, UInt64($0), 0)) }.sorted()
    #expect(drawn[0] >= 100 && drawn[19_999] <= 9_000)
    // Three deviations of a quantile's place are 106 of 20,000.
    for (place, value) in [(5_000, 150.0), (10_000, 200), (14_000, 600), (18_000, 1_000), (19_000, 5_000)] {
      let range = Double(drawn[place - 140])...Double(drawn[place + 140])
      #expect(range.contains(value), "\(place): \(range)")
    }
    #expect(distribution.draw(0) == 100 && distribution.draw(.max) <= 9_000 && distribution.draw(.max) > 8_990)
    #expect(distribution.smallest == 100 && distribution.median == 200)
    #expect(abs(distribution.share(upTo: 1_000) - 0.9) < 0.002)
  }

  /// One point is always drawn; what is hostile is bounded.
  @Test func degenerateDistributions() {
    typealias Point = CostModel.Distribution.Point
    let single = CostModel.Distribution(points: [Point(perMille: 0, nanoseconds: 77)], count: 0, isAssumed: true)
    let equal = CostModel.Distribution(
      points: [Point(perMille: 300, nanoseconds: 5), Point(perMille: 300, nanoseconds: 9)], count: 0, isAssumed: true)
    let negative = CostModel.Distribution(
      points: [Point(perMille: 0, nanoseconds: -5), Point(perMille: 1_000, nanoseconds: 1e30)], count: 0,
      isAssumed: true)
    for random: UInt64 in [0, 1, 1 << 53, 1 << 63, .max] {
      #expect(single.draw(random) == 77)
      #expect((5...9).contains(equal.draw(random)))
      #expect(negative.draw(random) <= 9_000_000_000_000_000_000)
    }
  }
}

@Suite("Heavier loads")
struct ScaledLoadTests {
  private static func scaled(
    _ change: (inout Drivers.Simulation.Scaling) -> Void, cpuCount: Int = 4, calls: [(UInt64, Int, [Int])]
  ) -> (load: ScaledLoad, batch: LoadBatch) {
    var scaling = Drivers.Simulation.Scaling()
    change(&scaling)
    var load = ScaledLoad(scaling, cpuCount: cpuCount, seed: 5)
    var batch = LoadBatch()
    for (time, source, targets) in calls {
      let call = LoadedCall(
        time: time, source: Int32(source), pid: 1, kind: .many, waits: true, context: .task, storage: 9, function: 1,
        thinkNanoseconds: 100, targets: 0..<targets.count)
      let loaded = targets.map { LoadedTarget(cpu: Int32($0), kick: .unknown) }
      load.append(call, targets: ArraySlice(loaded), to: &batch)
    }
    load.release(before: .max, to: &batch)
    return (load, batch)
  }

  private static let calls: [(UInt64, Int, [Int])] = (0..<400).map { (index: Int) -> (UInt64, Int, [Int]) in
    let targets: [Int] = [(index + 1) % 4, (index + 2) % 4]
    return (1_000_000 + UInt64(index) * 10_000, index % 4, targets.sorted())
  }

  @Test func faster() {
    let (load, batch) = Self.scaled({ $0.speedup = 2 }, calls: Self.calls)
    #expect(load.cpuCount == 4 && !load.isIdentity)
    #expect(batch.calls.map(\.time) == (0..<400).map { 1_000_000 + UInt64($0) * 5_000 })
    #expect(batch.calls.allSatisfy { $0.thinkNanoseconds == 50 })
    #expect(batch.calls.map(\.source) == Self.calls.map { Int32($0.1) })
  }

  /// Three machines in one: every CPU makes as many calls as before, is called as often within chance, and no call goes to its own
  /// CPU, or twice to one.
  @Test func copies() {
    let (load, batch) = Self.scaled({ $0.copies = 3 }, calls: Self.calls)
    #expect(load.cpuCount == 12)
    #expect(batch.calls.count == 1_200)
    #expect(zip(batch.calls, batch.calls.dropFirst()).allSatisfy { $0.time <= $1.time })
    var made = [Int](repeating: 0, count: 12)
    var got = made
    for call in batch.calls {
      made[Int(call.source)] += 1
      let targets = batch.targets[call.targets].map(\.cpu)
      #expect(targets == Set(targets).sorted() && !targets.contains(call.source))
      for target in targets { got[Int(target)] += 1 }
    }
    #expect(made == [Int](repeating: 100, count: 12))
    // 200 each, with a deviation of 12.
    for count in got { #expect((140...260).contains(count), "\(got)") }
    #expect(got.reduce(0, +) == 2_400 && load.droppedTargets == 0)
    // Copies have storage of their own, the first none but the recorded one.
    #expect(Set(batch.calls.map(\.storage)).count == 3 && batch.calls.contains { $0.storage == 9 })
    #expect(load.cpus([1, 2]) == [1, 2, 5, 6, 9, 10])
  }

  /// CPUs 2 and 3 are put onto 0 and 1: what becomes a call to the own CPU, or a second one to the same, is left out.
  @Test func folded() {
    let (load, batch) = Self.scaled(
      { $0.cpusMap = [2: 0, 3: 1] }, calls: [(10, 0, [1, 2, 3]), (20, 2, [0]), (30, 3, [0, 2])])
    #expect(batch.calls.map(\.source) == [0, 1])
    #expect(batch.calls.map { batch.targets[$0.targets].map(\.cpu) } == [[1], [0]])
    #expect(load.droppedTargets == 4)
  }

  @Test func ontoOthers() {
    let (load, batch) = Self.scaled({ $0.cpusMap = [0: 7] }, calls: [(10, 0, [1]), (20, 1, [0])])
    #expect(load.cpuCount == 8)
    #expect(batch.calls.map(\.source) == [7, 1] && batch.targets.map(\.cpu) == [1, 7])
    #expect(load.nodes([0: 1, 1: 0, 2: 0, 3: 1])[7] == 1)
  }

  @Test func hotplugsAndNodes() {
    let hotplugs = [
      LoadedHotplug(time: 1_000, cpu: 1, change: .down(lastCalled: 3_000)),
      LoadedHotplug(time: 5_000, cpu: 1, change: .up),
    ]
    let (load, _) = Self.scaled(
      {
        $0.copies = 2
        $0.speedup = 2
      }, calls: [])
    #expect(
      load.hotplugs(hotplugs, from: 1_000) == [
        LoadedHotplug(time: 1_000, cpu: 1, change: .down(lastCalled: 2_000)),
        LoadedHotplug(time: 1_000, cpu: 5, change: .down(lastCalled: 2_000)),
        LoadedHotplug(time: 3_000, cpu: 1, change: .up), LoadedHotplug(time: 3_000, cpu: 5, change: .up),
      ])
    // Each group has its own nodes.
    #expect(load.nodes([0: 0, 1: 0, 2: 1, 3: 1]) == [0, 0, 1, 1, 2, 2, 3, 3])
    let (identity, _) = Self.scaled({ _ in }, calls: [])
    #expect(identity.isIdentity && identity.hotplugs(hotplugs, from: 0) == hotplugs)
  }
}

@Suite("CPUs that went, as read")
struct LoadSurveyTests {
  private static func survey(_ name: String) throws -> (changes: [LoadedHotplug], dropped: Int) {
    let trace = try Captures.named(name)
    var survey = LoadSurvey(names: trace.symbols)
    trace.feed(&survey)
    return (survey.hotplugs, survey.droppedHotplugs)
  }

  /// Of each going the recording shows when `takedown_cpu` begins, and when it has certainly been followed by the CPU's death
  /// (`cpuhp_complete_idle_dead`); of each coming, when `cpuhp_bringup_ap` begins. Times in microseconds, read off the events.
  @Test(
    arguments: [
      (
        "guest-6.12-4cpu-dying.dat",
        [(6_096_123, 6_112_497), (6_305_973, 6_316_570), (6_513_823, 6_525_897), (6_742_423, 6_762_122)],
        [6_185_222, 6_392_921, 6_599_064]
      ),
      (
        "guest-6.12-8cpu-hotplug.dat", [(5_221_534, 5_249_800), (5_911_180, 5_934_859)], [5_522_314, 6_114_036]
      ),
    ] as [(String, [(UInt64, UInt64)], [UInt64])])
  func withinWhatIsCertain(name: String, goings: [(UInt64, UInt64)], comings: [UInt64]) throws {
    let (changes, dropped) = try Self.survey(name)
    #expect(dropped == 0 && changes.allSatisfy { $0.cpu == 3 })
    #expect(zip(changes, changes.dropFirst()).allSatisfy { $0.time < $1.time })
    // They take turns, a going first.
    for (index, change) in changes.enumerated() {
      switch change.change {
      case .down(let lastCalled):
        #expect(index % 2 == 0)
        let (earliest, latest) = goings[index / 2]
        #expect(change.time >= earliest * 1_000 && lastCalled >= change.time && lastCalled <= latest * 1_000)
      case .up:
        #expect(index % 2 == 1)
        if index / 2 < comings.count { #expect(change.time >= comings[index / 2] * 1_000) }
      }
    }
    #expect(changes.count >= 2 * goings.count - 1)
  }

  @Test(arguments: ["host-6.18-2cpu.dat", "guest-6.12-8cpu-storm.dat", "guest-6.12-idle-poll.dat"])
  func noneWhereNoneWent(name: String) throws {
    #expect(try Self.survey(name).changes.isEmpty)
  }
}

@Suite("What calibration says")
struct CalibratorTests {
  /// 90 of 100 targets are kicked by an IPI each; all waited `delay`.
  private static func recorder(interrupts: UInt64 = 900, saved: UInt64 = 100, delay: UInt64 = 1_000) -> OutcomeRecorder
  {
    var recorder = OutcomeRecorder()
    for _ in 0..<interrupts + saved { recorder.asked(1, callback: 0) }
    recorder.known.single = interrupts
    recorder.known.saved = saved
    for _ in 0..<interrupts + saved { recorder.started(on: 1, callback: 0, delay: delay) }
    recorder.callerWaited(0, 5_000)
    return recorder
  }

  private static func item(_ calibration: Calibration, _ measure: Calibration.Measure) throws -> Calibration.Item {
    try #require(calibration.items.first { $0.measure == measure })
  }

  @Test func errors() throws {
    let calibration = Calibrator.calibration(
      engine: "mainline", recorded: Self.recorder(),
      simulated: [Self.recorder(interrupts: 909, saved: 91), Self.recorder(interrupts: 873, saved: 127, delay: 1_200)])
    #expect(calibration.engine == "mainline" && calibration.items.map(\.measure) == Calibration.Measure.allCases)
    // Of the two seeds the one that is farther off counts.
    let interrupts = try Self.item(calibration, .interrupts)
    #expect(interrupts.recorded == 900 && interrupts.simulated == 873)
    #expect(abs(try #require(interrupts.error) + 0.03) < 1e-9 && interrupts.isWithinGoal == false)
    let rate = try Self.item(calibration, .coalescingRate)
    #expect(abs(try #require(rate.error) - 0.027) < 1e-9 && rate.isWithinGoal == false)
    let median = try Self.item(calibration, .queueToStartP50)
    #expect(abs(try #require(median.error) - 0.2) < 0.03 && median.isWithinGoal == false)
    let tail = try Self.item(calibration, .queueToStartP99)
    #expect(tail.isWithinGoal == true && tail.reasons.isEmpty)
    #expect(try Self.item(calibration, .callerWaiting).error == 0)
    #expect(!calibration.isWithinGoals)
  }

  @Test func nothingIsNoError() throws {
    let calibration = Calibrator.calibration(
      engine: "mainline", recorded: OutcomeRecorder(), simulated: [OutcomeRecorder()])
    for item in calibration.items {
      #expect(item.error == nil && item.isWithinGoal == nil && !item.reasons.isEmpty, "\(item)")
    }
    #expect(calibration.isWithinGoals)
  }

  @Test func reasons() throws {
    var few = Self.recorder(interrupts: 9, saved: 1)
    few.interrupts.unknown = 3
    few.fates.unknown = 2
    let calibration = Calibrator.calibration(
      engine: "mainline", recorded: few, simulated: [Self.recorder(interrupts: 8, saved: 2, delay: 3_000)])
    let interrupts = try Self.item(calibration, .interrupts).reasons.joined(separator: " ")
    #expect(interrupts.contains("Only 9 IPIs") && interrupts.contains("how 3 targets were kicked"))
    #expect(interrupts.contains("2 targets was not recorded"))
    #expect(try Self.item(calibration, .queueToStartP50).reasons.contains { $0.contains("Only 10 delays") })
  }

  /// What differs by less than the simulation's own error does not differ.
  @Test func differences() throws {
    func outcome(_ recorder: OutcomeRecorder) -> EngineOutcome {
      var recorder = recorder
      recorder.interrupts = recorder.known
      return recorder.outcome(allocates: false, watched: [], callbackNames: [])
    }
    let base = outcome(Self.recorder(interrupts: 90_000, saved: 10_000))
    let calibration = Calibrator.calibration(
      engine: "mainline", recorded: Self.recorder(interrupts: 90_000, saved: 10_000),
      simulated: [Self.recorder(interrupts: 91_800, saved: 8_200)])
    for (interrupts, differs) in [(91_000, false), (88_500, false), (94_500, true), (80_000, true)] as [(UInt64, Bool)]
    {
      let differences = Calibrator.differences(
        of: outcome(Self.recorder(interrupts: interrupts, saved: 100_000 - interrupts)), from: base,
        calibration: calibration)
      let difference = try #require(differences.first { $0.measure == .interrupts })
      #expect(difference.isSignificant == differs, "\(interrupts): \(difference)")
      #expect(abs(try #require(difference.change) - (Double(interrupts) / 90_000 - 1)) < 1e-9)
    }
    let none = Calibrator.differences(of: base, from: base, calibration: calibration)
    #expect(none.allSatisfy { !$0.isSignificant })
    // Without a calibration nothing is certain.
    let uncertain = Calibrator.differences(
      of: outcome(Self.recorder(interrupts: 10, saved: 99_990)), from: base, calibration: nil)
    #expect(uncertain.allSatisfy { !$0.isSignificant })
  }
}

@Suite("The call that is drawn")
struct CallChooserTests {
  private static func choose(
    _ window: ClosedRange<UInt64>? = nil, _ capture: String = "guest-6.12-8cpu-storm.dat"
  ) throws -> (chosen: ChosenCall?, longest: UInt64) {
    let trace = try Captures.named(capture)
    let analysis = ReplayAnalysis(watched: [:], recordedKinds: trace.recordedKinds, sink: Longest(window: window))
    var builder = HistoryBuilder(settings: HistorySettings(trace), names: trace.symbols, consumer: analysis)
    trace.feed(&builder)
    builder.finish()
    return (analysis.sink.chooser.chosen, analysis.sink.longest)
  }

  /// Looks by itself for the call to several CPUs that took longest.
  private struct Longest: CompletedCallSink {
    var chooser: CallChooser
    var longest: UInt64 = 0
    let window: ClosedRange<UInt64>?

    init(window: ClosedRange<UInt64>?) {
      chooser = CallChooser(window: window)
      self.window = window
    }

    mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
      chooser.look(at: call, targets: targets)
      guard targets.count > 1, window?.contains(call.began) ?? true else { return }
      var ends: [UInt64] = []
      for index in targets.indices {
        guard !targets[index].inferred, let ended = targets[index].ended else { return }
        ends.append(ended)
      }
      if let last = ends.max() { longest = max(longest, last - call.began) }
    }
  }

  @Test func theLongestToSeveral() throws {
    let (call, longest) = try Self.choose()
    let chosen = try #require(call)
    #expect(chosen.targets.count > 1 && !chosen.targets.contains(chosen.source))
    // A fifth is added on both sides, and 2 µs at least.
    let margin = max(2_000, longest / 5)
    #expect(chosen.end - chosen.time == longest + margin && chosen.time - chosen.start == margin)
    #expect(chosen.cpus == Set([chosen.source] + chosen.targets).sorted())
  }

  @Test func onlyFromTheWindow() throws {
    let whole = try #require(try Self.choose().chosen)
    let before = try #require(try Self.choose(0...whole.time - 1).chosen)
    #expect(before.time < whole.time)
    #expect(try Self.choose(0...1).chosen == nil)
    #expect(try Self.choose(nil, "guest-6.1-no-csd.dat").chosen == nil)
  }
}
