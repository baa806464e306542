import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// What a builder puts into a file comes out again, in the merged order.
@Suite struct RoundTripTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var version: Int
    var compression: Compression
    var cpus: [UInt16]
    var pageSize: Int
    var testDescription: String { "version \(version), \(compression), \(cpus.count) CPUs, pages of \(pageSize)" }
  }

  static let cases: [Case] = {
    var cases: [Case] = []
    for (version, compression) in [(6, Compression.none), (7, .none), (7, .zlib), (7, .zstd)] {
      for cpus: [UInt16] in [[0], [0, 1], [0, 2, 3, 9, 17], Array(0..<64)] {
        for pageSize in [1024, 4096, 65_536] {
          cases.append(Case(version: version, compression: compression, cpus: cpus, pageSize: pageSize))
        }
      }
    }
    return cases
  }()

  @Test(arguments: cases) func everyEventComesBack(_ example: Case) throws {
    let seed = RepeatableRandom.testSeed()
    var random = RepeatableRandom(seed: seed)
    let expected = RandomEvents(count: 4000, cpus: example.cpus, using: &random)
    let file = try TraceFileBuilder(
      events: expected.events, maskWords: expected.maskWords, version: example.version,
      compression: example.compression, pageSize: example.pageSize
    ).open()
    let (collector, stream) = try EventCollector.collect(file)
    #expect(SeenEvent.all(collector) == expected.merged, "seed \(seed)")
    #expect(collector.gaps.isEmpty && stream.health.items.isEmpty && file.health.items.isEmpty)
    #expect(file.version == example.version)
    #expect(try file.analysisBuffer().subBufferSize == example.pageSize)
    for cpu in example.cpus {
      var counts: [String: UInt64] = [:]
      for event in expected.events where event.cpu == cpu {
        counts[event.kind == .other ? "timer:timer_start" : event.kind.qualifiedName, default: 0] += 1
      }
      #expect(stream.eventCounts[Int(cpu)] == counts, "CPU \(cpu), seed \(seed)")
    }
  }

  @Test(arguments: [6, 7]) func manyCPUs(_ version: Int) throws {
    var events: [TraceEvent] = []
    for cpu in 0..<10_000 {
      events.append(TraceEvent(nanoseconds: UInt64(20_000 - cpu), cpu: UInt16(cpu), kind: .irqWorkEntry))
    }
    let file = try TraceFileBuilder(events: events, version: version, pageSize: 1024).open()
    #expect(file.cpuCount == 10_000)
    let (collector, _) = try EventCollector.collect(file)
    #expect(collector.events.map(\.cpu) == (0..<10_000).reversed().map { UInt16($0) })
  }

  @Test(arguments: [false, true]) func sectionsInAnyOrder(_ reversed: Bool) throws {
    var random = RepeatableRandom(seed: 7)
    let expected = RandomEvents(count: 500, cpus: [0, 1], using: &random)
    for compression in Compression.allCases {
      for optionSections in [1, 2, 5, 100] {
        var builder = TraceFileBuilder(
          events: expected.events, maskWords: expected.maskWords, compression: compression)
        builder.reversesSections = reversed
        builder.optionSections = optionSections
        builder.countsChunkNumber = reversed
        builder.compressesHeader = !reversed
        let file = try builder.open()
        let (collector, stream) = try EventCollector.collect(file)
        #expect(SeenEvent.all(collector) == expected.merged)
        #expect(stream.health.items.isEmpty)
        #expect(file.kernelRelease == "6.12.117-test")
        #expect(file.commands == [1: "systemd", 42: "a name"])
        #expect(file.symbols.name(0xffff_ffff_8100_0104) == "first_function+0x4")
      }
    }
  }
}
