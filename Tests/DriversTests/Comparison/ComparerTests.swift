import CallHistories
import TestSupport
import Testing
import TraceTypes

@testable import Drivers
@testable import Verdicts

@Suite struct ComparerTests {
  private static func pair(
    _ load: SyntheticLoad = SyntheticLoad(shape: .even), _ change: (inout SyntheticLoad) -> Void = { _ in },
    name: String = #function
  ) -> (ComparedEvents, ComparedEvents) {
    var random = RepeatableRandom.forTest(name)
    var changed = load
    change(&changed)
    return (ComparedEvents(load, &random), ComparedEvents(changed, &random))
  }

  // MARK: Values

  /// A recording and its saved result have the same numbers, wherever both have one.
  @Test func aSavedResultHasTheSameNumbers() throws {
    var (events, _) = Self.pair()
    events.watched = Dictionary(uniqueKeysWithValues: events.cpus.map { ($0, .named) })
    let comparison = Comparer.compare(before: events.recording, after: events.saved)
    var compared = 0
    for item in comparison.items where item.after.count != nil {
      #expect(item.before == item.after, "\(item.measure)")
      compared += 1
    }
    #expect(compared > 50)
    #expect(comparison.resampling == nil)
    #expect(comparison.items.allSatisfy { $0.isSignificant == nil && $0.reason != nil })
    #expect(comparison.item(.calls)?.reason == .savedResult)
    #expect(comparison.item(.handlers)?.reason == .notInResult)
    #expect(comparison.item(.handlers, cpu: 2)?.reason == .savedResult)
  }

  /// Three calls in a second, worked out by hand.
  @Test func countsAreThoseOfTheEvents() throws {
    let script = try TraceScript(
      """
      1000000000 0 switch
      1000000000 1 switch
      1000000000 2 switch
      1100000000 0 queue 1 flush_tlb_func a
      1100000100 0 ipi 1
      1100001000 1 handler
      1100001500 1h run flush_tlb_func a
      1100001900 1h done flush_tlb_func a
      1100002000 1 return
      1100003000 0 switch
      1300000000 2 queue 1 flush_tlb_func b
      1300000100 2 ipi 1
      1300001000 1 handler
      1300002500 1h run flush_tlb_func b
      1300003500 1h done flush_tlb_func b
      1300004000 1 return
      1300005000 2 switch
      1500000000 2 queue 0 ipi_mb c
      1500000100 2 ipi 0
      1500001000 0 handler
      1500001200 0h run ipi_mb c
      1500001300 0h done ipi_mb c
      1500002000 0 return
      1500005000 2 switch
      3000000000 0 switch
      """)
    var events = ComparedEvents(script.events)
    events.cpus = [0, 1, 2]
    let comparison = Comparer.compare(before: events.recording, after: events.recording)
    func value(_ count: UInt64?, _ value: Double?) -> ComparedItem.Value {
      ComparedItem.Value(count: count, value: value)
    }
    #expect(comparison.item(.calls)?.before == value(3, 1.5))
    #expect(comparison.item(.interrupts)?.before == value(3, 1.5))
    #expect(comparison.item(.callbackTime)?.before == value(1_500, 750))
    #expect(comparison.item(.handlerTime)?.before == value(5_000, 2_500))
    #expect(comparison.item(.mean)?.before == value(3, Double(1_500 + 2_500 + 1_200) / 3))
    #expect(comparison.item(.calls, cpu: 1)?.before == value(2, 1))
    #expect(comparison.item(.handlers, cpu: 2)?.before == value(0, 0))
    #expect(comparison.item(.mean, callback: "flush_tlb_func")?.before == value(2, 2_000))
    #expect(comparison.item(.runMean, callback: "ipi_mb")?.before == value(1, 100))
    #expect(comparison.byCallback.map(\.callback) == ["flush_tlb_func", "ipi_mb"])
    #expect(comparison.item(.calls)?.reason == .tooFew)
    #expect(comparison.differences == [])
  }

  /// Memory for slices does not grow with the recording, and nothing is lost in merging.
  @Test(arguments: [0.001, 0.1, 20]) func slicesAreMergedAndNotLost(_ seconds: Double) throws {
    var load = SyntheticLoad(shape: .even, seconds: seconds)
    for index in load.sources.indices { load.sources[index].callsPerSecond *= 1 / seconds }
    let (events, _) = Self.pair(load)
    let slices = try #require(events.recording.slices)
    #expect(slices.slices.count <= SlicedStatistics.maximumSlices)
    #expect(slices.slices.count > SlicedStatistics.maximumSlices / 4)
    let queued = UInt64(events.events.count { $0.kind == .csdQueueCPU })
    #expect(slices.slices.reduce(0) { $0 + $1.total.calls } == queued)
    #expect(slices.slices.reduce(0) { $0 + $1.callbacks.reduce(0) { $0 + $1.calls } } == queued)
    #expect(slices.slices.reduce(0) { $0 + $1.cpus.reduce(0) { $0 + $1.delay.count } } == queued)
    #expect(slices.total.delay.count == queued)
  }

  // MARK: Judging

  @Test func theSameGivesTheSame() throws {
    let (before, after) = Self.pair { $0.sources[0].callsPerSecond *= 2 }
    let rules = ["calls>5%", "p99(*)>1%", "interference(*)>0"].compactMap { ComparisonRule($0) }
    let first = Comparer.compare(before: before.recording, after: after.recording, rules: rules, seed: 9)
    #expect(first == Comparer.compare(before: before.recording, after: after.recording, rules: rules, seed: 9))
    #expect(first != Comparer.compare(before: before.recording, after: after.recording, rules: rules, seed: 10))
    #expect(first.resampling?.seed == 9)
    #expect(first.item(.calls, callback: "flush_tlb_func")?.hasRisen == true)
  }

  @Test func whatIsNewIsFoundAndHasNoShare() throws {
    let (before, after) = Self.pair {
      $0.sources.append(.init(callback: "new_func", callsPerSecond: 200, medianDelay: 3_000))
    }
    let comparison = Comparer.compare(
      before: before.recording, after: after.recording,
      rules: [try #require(ComparisonRule("calls(new_func)>50%")), try #require(ComparisonRule("calls(ipi_mb)>50%"))])
    let row = try #require(comparison.byCallback.first { $0.callback == "new_func" })
    #expect(row.presence == .onlyAfter)
    let item = try #require(row.items.first { $0.measure == .calls })
    #expect(item.hasRisen && item.change == nil && item.before.count == 0)
    #expect(row.items.first { $0.measure == .p50 }?.reason == .tooFew)
    #expect(comparison.rules.map(\.result) == [.fired, .quiet])
    #expect(comparison.rules[0].causes.first?.callback == "new_func")
    let back = Comparer.compare(before: after.recording, after: before.recording)
    #expect(back.byCallback.first { $0.callback == "new_func" }?.presence == .onlyBefore)
    #expect(back.item(.calls, callback: "new_func")?.hasFallen == true)
    #expect(back.item(.calls, callback: "new_func")?.change == -1)
  }

  /// A third of a recording's events is gone. That is no third of the calls less.
  @Test func whatWasLostIsNotCounted() throws {
    var (before, after) = Self.pair()
    after.events.removeAll { $0.cpu == 2 && $0.nanoseconds % 3 != 0 }
    after.lost = [2: 3_000]
    let comparison = Comparer.compare(before: before.recording, after: after.recording)
    #expect(comparison.item(.calls)?.reason == .eventsLost)
    #expect(comparison.item(.p99, callback: "ipi_mb")?.isSignificant == nil)
    #expect(comparison.item(.handlers, cpu: 2)?.reason == .eventsLost)
    // Its neighbours have told all that they did, if not all that they were asked to.
    #expect(comparison.item(.handlers, cpu: 1)?.isSignificant == false)
    #expect(comparison.item(.calls, cpu: 1)?.reason == .eventsLost)
    #expect(comparison.differences == [])
    // The same, when nobody knows how many were lost.
    after.lost = [:]
    after.health.add(TraceHealth.Item(name: "lostEventsUnknown", cpu: 2, severity: .dataLoss, remedy: ""))
    before.health.add(TraceHealth.Item(name: "readAsStream", severity: .info, remedy: ""))
    let unknown = Comparer.compare(before: before.recording, after: after.recording)
    #expect(unknown.item(.calls)?.reason == .lossUnknown)
    #expect(unknown.item(.handlers, cpu: 2)?.reason == .lossUnknown)
    #expect(unknown.item(.handlers, cpu: 1)?.isSignificant == false)
    #expect(unknown.after.damage.map(\.name) == ["lostEventsUnknown"] && unknown.before.damage.isEmpty)
  }

  /// A few lost events do not hide a doubling; but they may be what a difference of a few calls consists of.
  @Test func aSmallLossIsAllowedFor() throws {
    var (before, after) = Self.pair { $0.sources[0].callsPerSecond *= 2 }
    after.lost = [1: 4]
    let comparison = Comparer.compare(before: before.recording, after: after.recording)
    #expect(comparison.item(.calls)?.hasRisen == true)
    #expect(comparison.item(.callbackTime)?.reason == .eventsLost)
    #expect(comparison.item(.p50)?.isSignificant == false)
    before.lost = [0: 30]
    let doubtful = Comparer.compare(before: before.recording, after: after.recording)
    let certain = try #require(comparison.item(.interrupts)?.changeAtLeast)
    let less = try #require(doubtful.item(.interrupts)?.changeAtLeast)
    // One lost mask IPI may have been four interrupts, of some 800 before.
    #expect(certain - less > 0.13 && certain - less < 0.18)
  }

  @Test func whatWasNotRecordedIsNotZero() throws {
    var (before, after) = Self.pair()
    after.kinds.subtract([.rescheduleEntry, .rescheduleExit, .callFunctionSingleEntry, .callFunctionEntry])
    after.events.removeAll { $0.kind == .callFunctionSingleEntry }
    let comparison = Comparer.compare(before: before.recording, after: after.recording)
    #expect(comparison.item(.reschedules)?.reason == .eventsNotRecorded)
    #expect(comparison.item(.reschedules)?.after == ComparedItem.Value(count: nil, value: nil))
    #expect(comparison.item(.handlers, cpu: 1)?.reason == .eventsNotRecorded)
    #expect(comparison.item(.calls)?.isSignificant == false)
    let events = comparison.circumstances.first { $0.kind == .recordedEvents }
    #expect(events?.before?.contains("irq_vectors:reschedule_entry") == true && events?.after == nil)
    before.kinds.remove(.ipiSendCPUMask)
    let other = Comparer.compare(before: before.recording, after: after.recording)
    #expect(other.item(.interrupts)?.reason == .otherEventsRecorded)
  }

  @Test func clocksAreNotTrustedBlindly() {
    var (before, after) = Self.pair()
    before.clock = "x86-tsc"
    let cycles = Comparer.compare(before: before.recording, after: after.recording)
    #expect(cycles.item(.calls)?.reason == .clockIsNoTime && cycles.item(.calls)?.before.value == nil)
    #expect(cycles.circumstances.map(\.kind) == [.clock])
    before.clock = "mono"
    after.health.add(TraceHealth.Item(name: "clockSkew", count: 900, severity: .dataLoss, remedy: ""))
    let skewed = Comparer.compare(before: before.recording, after: after.recording)
    #expect(skewed.item(.p50)?.reason == .clocksDisagree)
    #expect(skewed.item(.runP50)?.isSignificant == false && skewed.item(.calls)?.isSignificant == false)
  }

  /// The address of a function without a name belongs to something else after the next boot.
  @Test func callbacksWithoutNamesAreNotHeldAgainstEachOther() throws {
    var (before, after) = Self.pair { $0.sources[0].callsPerSecond *= 4 }
    before.names = ScriptNames()
    after.names = ScriptNames()
    let comparison = Comparer.compare(before: before.recording, after: after.recording)
    for row in comparison.byCallback { #expect(row.items.allSatisfy { $0.reason == .noName }) }
    #expect(comparison.item(.calls)?.hasRisen == true)
  }

  @Test func namesOfTwoBuildsAreOne() {
    for name in ["f", "f.isra.0", "f.constprop.0.isra.0", "f.part.3", "f.llvm.123", "f.cold"] {
      #expect(CallbackName.comparable(name) == "f")
    }
    #expect(CallbackName.comparable("f.other [m]") == "f.other [m]")
  }

  @Test func lengthsThatDoNotSuitAreRefused() {
    var random = RepeatableRandom.forTest()
    let short = ComparedEvents(SyntheticLoad(shape: .even, seconds: 0.05), &random).recording
    let long = ComparedEvents(SyntheticLoad(shape: .even, seconds: 4), &random).recording
    #expect(Comparer.compare(before: short, after: long).item(.calls)?.reason == .unequalLengths)
    var empty = ComparedEvents(SyntheticLoad(shape: .even), &random)
    empty.events = []
    #expect(Comparer.compare(before: empty.recording, after: long).item(.calls)?.isSignificant == nil)
    #expect(Comparer.compare(before: empty.recording, after: empty.recording).differences == [])
  }

  #if DEBUG
    private static let hostileEvents = 1_000
  #else
    private static let hostileEvents = 3_000
  #endif

  /// Times at the ends of what a clock can show, on CPUs that hardly exist, and addresses without end.
  @Test func hostileEventsEnd() {
    var random = RepeatableRandom.forTest()
    for run in 0..<8 {
      var hostile = HostileEvents(run: run)
      var first = ComparedEvents((0..<Self.hostileEvents).map { _ in hostile.next(&random) })
      first.maskWords = hostile.maskWords
      let comparison = Comparer.compare(before: first.recording, after: first.saved, watched: CPUMask([0, 65_535]))
      #expect(comparison.items.allSatisfy { $0.isSignificant == nil })
      let itself = Comparer.compare(before: first.recording, after: first.recording)
      #expect(itself.differences == [])
    }
  }
}
