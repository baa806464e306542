import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// The order of the merge, its gaps, its window.
@Suite struct MergeTests {
  private static let record = FormatBuilder.linux612(.irqWorkEntry).record()

  private func pages(_ times: [UInt64], lostBefore: Set<UInt64> = []) -> [[UInt8]] {
    var sequence = PageSequenceBuilder()
    for time in times {
      if lostBefore.contains(time) { sequence.lose(.count(time)) }
      sequence.event(Self.record, at: time)
    }
    return sequence.pages
  }

  private func file(_ cpus: [Int: [[UInt8]]], _ compression: Compression = .none) throws -> TraceFile {
    try TraceFileBuilder(
      compression: compression,
      buffers: [.init(cpus: cpus.sorted { $0.key < $1.key }.map { .init($0.key, pages: $0.value) })]
    ).open()
  }

  @Test func equalTimesComeInTheOrderOfTheCPUs() throws {
    let (collector, _) = try EventCollector.collect(
      try file([3: pages([5, 5, 6]), 1: pages([5, 6, 6]), 2: pages([4, 5, 7])]))
    #expect(
      collector.events.map { "\($0.nanoseconds)/\($0.cpu)" } == [
        "4/2", "5/1", "5/2", "5/3", "5/3", "6/1", "6/1", "6/3", "7/2",
      ])
  }

  @Test func theLatestPossibleTimeIsATime() throws {
    let (collector, _) = try EventCollector.collect(
      try file([0: pages([UInt64.max - 1, .max]), 1: pages([.max, .max]), 2: pages([0])]))
    #expect(
      collector.events.map { "\($0.nanoseconds == .max)/\($0.cpu)" } == [
        "false/2", "false/0", "true/0", "true/1", "true/1",
      ])
  }

  /// In the end farther apart than the merge's keys can tell, many of them equal. A page can't tell of longer steps.
  @Test(arguments: [1, 2, 3, 16, 100]) func timesFarApartKeepTheirOrder(_ cpus: Int) throws {
    var random = RepeatableRandom(seed: UInt64(cpus))
    var times: [Int: [UInt64]] = [:]
    for cpu in 0..<cpus {
      times[cpu] = (0..<128).map { UInt64($0) << 57 | UInt64.random(in: 0...3, using: &random) }
    }
    let (collector, _) = try EventCollector.collect(try file(times.mapValues { pages($0) }))
    let expected = times.flatMap { cpu, times in times.map { ($0, cpu) } }.sorted { $0 < $1 }
    #expect(collector.events.map { "\($0.nanoseconds)/\($0.cpu)" } == expected.map { "\($0.0)/\($0.1)" })
  }

  /// However often the order goes from one CPU to another.
  @Test func manyEventsAreDeliveredAtOnce() throws {
    let (collector, _) = try EventCollector.collect(
      try file([0: pages((0..<3000).map { UInt64($0 * 2) }), 1: pages((0..<3000).map { UInt64($0 * 2 + 1) })]))
    #expect(collector.runs.count <= 6000 / EventBlock.nearCapacity + 1)
    #expect(collector.events.map(\.nanoseconds) == (0..<6000).map { UInt64($0) })
  }

  @Test func aGapIsSaidRightBehindTheEventBeforeIt() throws {
    let (collector, stream) = try EventCollector.collect(
      try file([0: pages([10, 30, 50], lostBefore: [50]), 1: pages([20, 30, 40, 60], lostBefore: [20, 60])]))
    let gaps = [
      TraceGap(cpu: 1, afterNanoseconds: nil, beforeNanoseconds: 20, lostEvents: 20),
      TraceGap(cpu: 0, afterNanoseconds: 30, beforeNanoseconds: 50, lostEvents: 50),
      TraceGap(cpu: 1, afterNanoseconds: 40, beforeNanoseconds: 60, lostEvents: 60),
    ]
    // 10, 20, 30/0, gap of 0, 30/1, 40, gap of 1, 50, 60
    #expect(
      collector.deliveries == [
        .gap(gaps[0]), .event(0), .event(1), .event(2), .gap(gaps[1]), .event(3), .event(4), .gap(gaps[2]), .event(5),
        .event(6),
      ])
    #expect(stream.gaps == gaps)
    #expect(stream.gapCount == 3)
  }

  @Test func theListOfGapsIsLimited() throws {
    let times = (1...UInt64(MergedStream.largestGapCount + 10)).map { $0 }
    var builder = TraceFileBuilder()
    var sequence = PageSequenceBuilder(pageSize: 64)
    for time in times {
      sequence.lose(.unknown)
      sequence.event(Self.record, at: time)
    }
    builder.pageSize = 64
    builder.headerPageSize = 64
    builder.buffers = [.init(pageSize: 64, cpus: [.init(0, pages: sequence.pages)])]
    let (collector, stream) = try EventCollector.collect(try builder.open())
    #expect(collector.gaps.count == times.count)
    #expect(stream.gaps.count == MergedStream.largestGapCount)
    #expect(stream.gapCount == times.count)
    #expect(stream.lostEvents == [0: .init(count: 0, gapsOfUnknownSize: UInt64(times.count))])
  }

  @Test func timesThatGoBackAreRaised() throws {
    var first = PageBuilder(timestamp: 100)
    first.event(Self.record)
    first.event(Self.record, delta: 50)
    var second = PageBuilder(timestamp: 120)
    second.event(Self.record)
    second.event(Self.record, delta: 10)
    second.event(Self.record, delta: 40)
    second.absoluteTime(90)
    second.event(Self.record)
    let (collector, stream) = try EventCollector.collect(try file([2: [first.bytes, second.bytes]]))
    #expect(collector.events.map(\.nanoseconds) == [100, 150, 150, 150, 170, 170])
    #expect(stream.health.items.map { "\($0.name) \($0.cpu ?? -1) \($0.count)" } == ["backwardTimes 2 3"])
  }

  @Test(arguments: Compression.allCases) func aWindowDeliversWhatIsInIt(_ compression: Compression) throws {
    let seed = RepeatableRandom.testSeed()
    var random = RepeatableRandom(seed: seed)
    let expected = RandomEvents(count: 6000, cpus: [0, 1, 5], using: &random)
    let file = try TraceFileBuilder(
      events: expected.events, maskWords: expected.maskWords, compression: compression, pageSize: 1024
    ).open()
    let merged = expected.merged
    for _ in 0..<50 {
      let from = merged[random.below(merged.count)].nanoseconds + UInt64(random.below(2))
      let through = random.chance(0.1) ? from : merged[random.below(merged.count)].nanoseconds
      let (collector, stream) = try EventCollector.collect(file, from: from, through: through)
      let inside = merged.filter { $0.nanoseconds >= from && $0.nanoseconds <= through }
      #expect(SeenEvent.all(collector) == inside, "seed \(seed), \(from) to \(through)")
      #expect(stream.eventCounts.values.flatMap(\.values).reduce(0, +) == UInt64(inside.count))
      #expect(collector.gaps.isEmpty && stream.health.items.isEmpty)
    }
  }

  @Test func gapsOutsideTheWindowAreNotReported() throws {
    let file = try file([0: pages([10, 20, 30, 40, 50], lostBefore: [10, 20, 30, 40, 50])])
    let (collector, stream) = try EventCollector.collect(file, from: 25, through: 45)
    #expect(collector.events.map(\.nanoseconds) == [30, 40])
    #expect(
      collector.gaps == [
        TraceGap(cpu: 0, afterNanoseconds: nil, beforeNanoseconds: 30, lostEvents: 30),
        TraceGap(cpu: 0, afterNanoseconds: 30, beforeNanoseconds: 40, lostEvents: 40),
        TraceGap(cpu: 0, afterNanoseconds: 40, beforeNanoseconds: 50, lostEvents: 50),
      ])
    #expect(stream.lostEvents == [0: .init(count: 120, gapsOfUnknownSize: 0)])
  }

  @Test func anEmptyWindowDeliversNothing() throws {
    let file = try file([0: pages([10, 20, 30])])
    for (from, through) in [(40, 50), (0, 5), (25, 15), (11, 19)] as [(UInt64, UInt64)] {
      let (collector, _) = try EventCollector.collect(file, from: from, through: through)
      #expect(collector.deliveries.isEmpty, "\(from) to \(through)")
    }
  }

  @Test func aSecondDrainDeliversNothing() throws {
    let file = try file([0: pages([10, 20, 30])])
    let stream = try MergedStream(file: file, buffer: try file.analysisBuffer())
    var collector = EventCollector()
    try stream.drain(into: &collector)
    try stream.drain(into: &collector)
    #expect(collector.events.count == 3)
    #expect(stream.eventCounts == [0: ["irq_vectors:irq_work_entry": 3]])
  }
}
