import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// Files that are cut off or changed: no trap, no endless loop, and what can be read is read.
@Suite struct DamageTests {
  struct Kind: CustomTestStringConvertible, Sendable {
    var version: Int
    var compression: Compression
    var testDescription: String { "version \(version), \(compression)" }
  }

  static let kinds = [
    Kind(version: 6, compression: .none), Kind(version: 7, compression: .none), Kind(version: 7, compression: .zlib),
    Kind(version: 7, compression: .zstd),
  ]

  private func sample(_ kind: Kind, _ random: inout RepeatableRandom) -> TraceFileBuilder {
    let events = RandomEvents(count: 600, cpus: [0, 1, 3], using: &random)
    var builder = TraceFileBuilder(
      events: events.events, maskWords: events.maskWords, version: kind.version, compression: kind.compression,
      pageSize: 1024)
    builder.chunkPages = 3
    builder.kallsyms = (0..<50).map { "ffffffff8100\(1000 + $0 * 16) T function_\($0)\t[module\($0 % 3)]\n" }.joined()
    builder.printkFormats = "0xffffffff82000000 : \"Rescheduling interrupts\"\n"
    builder.buffers.append(.init(name: "second", pageSize: 1024, cpus: builder.buffers[0].cpus))
    return builder
  }

  /// Opens and reads whatever the bytes are, and checks what holds of every result.
  /// - Returns: the number of events, or nil when the file didn't open.
  @discardableResult
  private func readAll(_ bytes: [UInt8], _ comment: @autoclosure () -> String) throws -> Int? {
    let file: TraceFile
    do throws(TraceFileError) { file = try TraceFileBuilder.open(bytes) } catch {
      #expect(!error.expected.isEmpty && !error.found.isEmpty, "\(comment()): \(error)")
      return nil
    }
    var total = 0
    for buffer in file.buffers {
      do throws(TraceFileError) {
        let (collector, stream) = try EventCollector.collect(file, buffer)
        total += collector.events.count
        var last: (time: UInt64, cpu: UInt16) = (0, 0)
        for event in collector.events {
          #expect((last.time, last.cpu) <= (event.nanoseconds, event.cpu), "\(comment())")
          last = (event.nanoseconds, event.cpu)
        }
        let counted = stream.eventCounts.values.flatMap(\.values).reduce(0, +)
        #expect(counted == UInt64(collector.events.count), "\(comment())")
        #expect(stream.gapCount == collector.gaps.count, "\(comment())")
      } catch {
        // Memory that only a hostile file asks for.
        #expect(error.reason == .tooLarge, "\(comment()): \(error)")
      }
    }
    _ = try? file.analysisBuffer()
    _ = file.symbols.resolve(0xffff_ffff_8100_1004)
    return total
  }

  @Test(arguments: kinds) func filesThatAreCutOff(_ kind: Kind) throws {
    let seed = RepeatableRandom.testSeed()
    var random = RepeatableRandom(seed: seed)
    for reversed in kind.version == 7 ? [false, true] : [false] {
      var builder = sample(kind, &random)
      builder.reversesSections = reversed
      let built = builder.build()
      let whole = try #require(try readAll(built.bytes, "whole, seed \(seed)"))
      #expect(whole == 1200)
      var lengths = built.boundaries.flatMap { [$0 - 1, $0, $0 + 1] }
      lengths += (0..<300).map { _ in random.below(built.bytes.count) }
      for length in lengths where length >= 0 && length < built.bytes.count {
        let events = try readAll(Array(built.bytes.prefix(length)), "cut at \(length), seed \(seed)")
        if kind.version == 6 {
          // In version 6 all of the header comes before the data of the first buffer, but the second's table is behind.
          if length < built.dataStart { #expect(events == nil, "cut at \(length), seed \(seed)") }
        } else {
          // In version 7 the options come last here, and without them nothing can be found.
          #expect(events == nil, "cut at \(length), seed \(seed)")
        }
      }
    }
  }

  /// The data of version 6 come last, so there the events before the cut are still to be had.
  @Test func cutOffDataAreReadAsFarAsTheyGo() throws {
    let seed = RepeatableRandom.testSeed()
    var random = RepeatableRandom(seed: seed)
    let expected = RandomEvents(count: 3000, cpus: [0, 1], using: &random)
    let built = TraceFileBuilder(events: expected.events, maskWords: expected.maskWords, version: 6).build()
    let merged = expected.merged
    for _ in 0..<100 {
      let length = built.dataStart + random.below(built.bytes.count - built.dataStart)
      let file = try TraceFileBuilder.open(Array(built.bytes.prefix(length)))
      let truncated = file.health.items.filter { $0.name == "truncated" }
      #expect(truncated.reduce(0) { $0 + Int($1.count) } >= built.bytes.count - length - 4096, "seed \(seed)")
      #expect(truncated.allSatisfy { $0.severity == .dataLoss })
      let (collector, stream) = try EventCollector.collect(file)
      let seen = SeenEvent.all(collector)
      for cpu: UInt16 in [0, 1] {
        let own = seen.filter { $0.cpu == cpu }
        #expect(own == Array(merged.filter { $0.cpu == cpu }.prefix(own.count)), "cut at \(length), seed \(seed)")
        // The end of a CPU's data that are cut off is a gap.
        let isCut = truncated.contains { $0.cpu == Int(cpu) }
        let gap = collector.gaps.first { $0.cpu == cpu }
        #expect((gap != nil) == isCut, "cut at \(length), seed \(seed)")
        if isCut { #expect(gap?.afterNanoseconds == own.last?.nanoseconds && gap?.beforeNanoseconds == nil) }
      }
      #expect(!stream.health.items.contains { $0.name == "damagedPages" }, "cut at \(length), seed \(seed)")
    }
  }

  @Test(arguments: kinds) func filesWithChangedBytes(_ kind: Kind) throws {
    let seed = RepeatableRandom.testSeed()
    var random = RepeatableRandom(seed: seed)
    let built = sample(kind, &random).build()
    for round in 0..<400 {
      var bytes = built.bytes
      for _ in 0...random.below(8) {
        // Half of the changes hit the beginnings of parts, where the numbers are that matter most.
        let near = built.boundaries[random.below(built.boundaries.count)] + random.below(64)
        let place = random.chance(0.5) && near < bytes.count ? near : random.below(bytes.count)
        switch random.below(4) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[place] ^= 1 << UInt8(random.below(8))
        case 2: bytes[place] = 0xff
        default:
          let end = min(place + 8, bytes.count)
          bytes.replaceSubrange(
            place..<end, with: [UInt8](repeating: random.chance(0.5) ? 0xff : 0, count: end - place))
        }
      }
      try readAll(bytes, "round \(round), seed \(seed)")
    }
  }

  @Test func pagesOfNoise() throws {
    let seed = RepeatableRandom.testSeed()
    var random = RepeatableRandom(seed: seed)
    for round in 0..<300 {
      var pages: [[UInt8]] = []
      for _ in 0..<4 {
        var page = PageBuilder(timestamp: random.next(), lost: random.chance(0.3) ? .count(random.next()) : .nothing)
        page.raw(
          (0..<1000).map { _ in random.chance(0.5) ? UInt8(random.below(32)) : UInt8(truncatingIfNeeded: random.next())
          })
        pages.append(page.bytes)
      }
      try readAll(
        TraceFileBuilder(buffers: [.init(cpus: [.init(0, pages: pages), .init(1, pages: pages.reversed())])]).bytes,
        "round \(round), seed \(seed)")
    }
  }

  @Test(arguments: [4081, 4096, 0x3fff_ffff] as [UInt32]) func aPageThatClaimsTooMuch(_ commit: UInt32) throws {
    let record = FormatBuilder.linux612(.irqWorkEntry).record()
    func page(_ time: UInt64) -> [UInt8] {
      var page = PageBuilder(timestamp: time)
      page.event(record)
      return page.bytes
    }
    var bad = page(20)
    bad.replaceSubrange(8..<12, with: ByteBuilder.bytes(commit))
    let file = try TraceFileBuilder(buffers: [.init(cpus: [.init(4, pages: [page(10), bad, page(30)])])]).open()
    let (collector, stream) = try EventCollector.collect(file)
    #expect(collector.events.map(\.nanoseconds) == [10, 30])
    #expect(collector.gaps == [TraceGap(cpu: 4, afterNanoseconds: 10, beforeNanoseconds: 30, lostEvents: nil)])
    #expect(
      stream.health.items.map { "\($0.name) \($0.cpu ?? -1) \($0.count)" } == [
        "damagedPages 4 1", "lostEventsUnknown 4 1",
      ])
  }

  @Test(arguments: [Compression.zlib, .zstd]) func damagedChunks(_ compression: Compression) throws {
    let record = FormatBuilder.linux612(.irqWorkEntry).record()
    var sequence = PageSequenceBuilder()
    for time in 1...3000 { sequence.event(record, at: UInt64(time)) }
    var builder = TraceFileBuilder(compression: compression, buffers: [.init(cpus: [.init(0, pages: sequence.pages)])])
    builder.chunkPages = 4
    let built = builder.build()
    let chunks = TraceFileBuilder.chunks(sequence.pages, pages: 4, compression)
    let start = try #require(built.bytes.firstRange(of: chunks)).lowerBound
    let firstPacked = chunks[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let second = start + 4 + 8 + firstPacked

    func read(_ change: (inout [UInt8]) -> Void) throws -> (EventCollector, MergedStream) {
      var bytes = built.bytes
      change(&bytes)
      return try EventCollector.collect(try TraceFileBuilder.open(bytes))
    }
    // 255 events of 16 bytes would fit a page; the room for a count keeps 254.
    let perChunk = UInt64(sequence.pages[..<4].count) * 254
    // Claims about the unpacked size that aren't true, a bomb among them, and damage inside.
    let changes: [(String, (inout [UInt8]) -> Void)] = [
      ("smaller", { $0.replaceSubrange(second + 4..<second + 8, with: ByteBuilder.bytes(UInt32(4096))) }),
      ("larger", { $0.replaceSubrange(second + 4..<second + 8, with: ByteBuilder.bytes(UInt32(8 << 20))) }),
      ("bomb", { $0.replaceSubrange(second + 4..<second + 8, with: ByteBuilder.bytes(UInt32.max)) }),
      ("zero", { $0.replaceSubrange(second + 4..<second + 8, with: ByteBuilder.bytes(UInt32(0))) }),
      ("inside", { $0.replaceSubrange(second + 8..<second + 24, with: [UInt8](repeating: 0x5a, count: 16)) }),
    ]
    for (name, change) in changes {
      let (collector, stream) = try read(change)
      #expect(collector.events.first?.nanoseconds == 1 && collector.events.last?.nanoseconds == 3000, "\(name)")
      #expect(
        collector.gaps == [
          TraceGap(cpu: 0, afterNanoseconds: perChunk, beforeNanoseconds: 2 * perChunk + 1, lostEvents: nil)
        ], "\(name)")
      #expect(stream.health.items.map(\.name) == ["damagedChunks", "lostEventsUnknown"], "\(name)")
    }
    // A packed size that leads nowhere: what follows can't be found.
    let (collector, stream) = try read { $0.replaceSubrange(second..<second + 4, with: ByteBuilder.bytes(UInt32.max)) }
    #expect(collector.events.count == Int(perChunk))
    #expect(collector.gaps == [TraceGap(cpu: 0, afterNanoseconds: perChunk, beforeNanoseconds: nil, lostEvents: nil)])
    #expect(stream.health.items.map(\.name) == ["damagedChunks", "lostEventsUnknown"])
  }
}
