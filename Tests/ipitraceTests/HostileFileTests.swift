import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// Files made to harm: too large when unpacked, without end, with impossible numbers. The program ends within a few seconds and
/// little memory, with one sentence or with a result that names the damage and blames nobody.
@Suite("Hostile files")
struct HostileFileTests {
  /// How a replay ended.
  private struct Ending {
    var status: Int
    var errors: String
    /// Nil when there is none.
    var result: JSONValue?

    var isRefused: Bool { status == 3 && result == nil && errors.filter { $0 == "\n" }.count == 1 }
    var verdict: String? {
      guard case .string(let outcome) = result?["verdict"]["result"] else { return nil }
      return outcome
    }

    func health(_ name: String) -> Bool {
      guard case .array(let items) = result?["health"] else { return false }
      return items.contains { $0["name"] == .string(name) }
    }
  }

  /// - Parameter mebibytes: of address space, of which a program takes a hundred for itself.
  private func replay(_ bytes: [UInt8], mebibytes: Int = 600) throws -> Ending {
    let scratch = ScratchFile(bytes)
    let limits = ["prlimit", "--cpu=60", "--as=\(mebibytes << 20)"]
    let run = try withExtendedLifetime(scratch) {
      try #require(
        SpawnedCommand.run(limits + [ReportCommandTests.program, "replay", scratch.path, "--complete", "--json", "-"]))
    }
    #expect(run.status == 0 || run.status == 3, "\(run.errorText.suffix(1_000))")
    return Ending(
      status: run.status, errors: run.errorText, result: run.output.isEmpty ? nil : try JSONValue.parse(run.output))
  }

  private static func page(_ times: [UInt64], size: Int = 4096, cpu: Int = 0) -> [UInt8] {
    var page = PageBuilder(timestamp: times[0], size: size)
    var last = times[0]
    for time in times {
      page.event(
        FormatBuilder.record(of: TraceEvent(nanoseconds: time, cpu: UInt16(cpu), kind: .schedSwitch)),
        delta: time - last)
      last = time
    }
    return page.bytes
  }

  // MARK: Bombs

  /// 60 MiB of symbols in a few kilobytes are read; they are no more than a kernel may have.
  @Test("a section that is all one byte", arguments: [Compression.zlib, .zstd])
  func sectionBomb(_ compression: Compression) throws {
    var builder = TraceFileBuilder(
      compression: compression, buffers: [.init(cpus: [.init(0, pages: [Self.page([5])])])])
    builder.kallsyms = String(repeating: "a", count: 60 << 20)
    let bytes = builder.bytes
    #expect(bytes.count < 1 << 20)
    let ending = try replay(bytes)
    #expect(ending.status == 0 && ending.verdict != "diverges")
    // More than that is refused, by what it claims, before anything is unpacked.
    builder.kallsyms = String(repeating: "a", count: 65 << 20)
    let refused = try replay(builder.bytes)
    #expect(refused.isRefused && refused.errors.contains("unpack"), "\(refused.errors)")
  }

  /// Chunks of 15 MiB on each of 64 CPUs would take a gigabyte, because each CPU's is needed at the same time.
  @Test("chunks that take too much together", arguments: [Compression.zlib, .zstd])
  func chunkBomb(_ compression: Compression) throws {
    let page = Self.page([7])
    let pages = [page] + [[UInt8]](repeating: [UInt8](repeating: 0, count: 4096), count: 3_800)
    let one = TraceFileBuilder.CPU(0, pages: pages)
    var builder = TraceFileBuilder(compression: compression, buffers: [.init(cpus: [one])])
    builder.chunkPages = 4_000
    let single = try replay(builder.bytes)
    #expect(single.status == 0 && single.verdict != "diverges")
    builder.buffers[0].cpus = (0..<64).map { TraceFileBuilder.CPU($0, pages: pages) }
    let bytes = builder.bytes
    #expect(bytes.count < 4 << 20)
    let ending = try replay(bytes, mebibytes: 900)
    #expect(ending.isRefused && ending.errors.contains("all CPUs"), "\(ending.errors)")
  }

  /// A name stands beside each place in its function and each call of its process: 3,000 times 30 MiB would be too much.
  @Test("names of 30 MiB")
  func longNames() throws {
    let long = String(repeating: "n", count: 30 << 20)
    let events = (0..<3_000).map { number in
      var event = TraceEvent(nanoseconds: UInt64(number) * 10 + 1_000, cpu: 0, kind: .csdQueueCPU, pid: 7)
      event.function = 0xffff_ffff_8100_0000 + UInt64(number) * 4
      event.callsite = event.function + 1
      event.csd = UInt64(number) * 64
      event.target = 1
      return event
    }
    var builder = TraceFileBuilder(events: events, compression: .zstd)
    builder.kallsyms = "ffffffff81000000 T \(long)\t[\(long)]\n"
    builder.commands = "7 \(long)\n"
    let ending = try replay(builder.bytes)
    #expect(ending.status == 0 && ending.result?["trace"]["events"]["total"] == .integer(3_000))
    #expect(ending.result.map { $0.bytes.count < 16 << 20 } == true)
  }

  // MARK: Places

  /// Every number in the header, and everything else, made as large as can be, as negative as can be, or to point at itself.
  @Test("numbers of 2^63 anywhere in a header", arguments: [6, 7])
  func largeNumbers(_ version: Int) throws {
    var builder = TraceFileBuilder(version: version, buffers: [.init(cpus: [.init(0, pages: [Self.page([5, 6, 7])])])])
    builder.formats = [.linux612(.schedSwitch), .linux612(.csdQueueCPU)]
    builder.statistics = ["CPU: 0\nentries: 5\n"]
    builder.buffers.append(.init(name: "second", cpus: builder.buffers[0].cpus))
    let built = builder.build()
    // Each start of a part, and what lies up to 40 bytes behind it, is where numbers are.
    let distances = [0, 2, 4, 8, 10, 16]
    let near: [Int] = built.boundaries.flatMap { boundary in distances.map { boundary + $0 } }
    let places = Set(near).filter { $0 + 8 <= built.bytes.count }.sorted()
    #expect(places.count > 30)
    for place in places {
      for number in [UInt64(1) << 63, UInt64(place)] {
        var bytes = built.bytes
        bytes.replaceSubrange(place..<place + 8, with: ByteBuilder.bytes(number))
        let ending = try replay(bytes)
        #expect(ending.isRefused || ending.verdict.map { $0 != "diverges" } == true, "\(number) at \(place): \(ending)")
      }
    }
  }

  /// In version 6 an option names a further buffer by its offset: here that of the first buffer's options themselves.
  @Test("a buffer that is its own instance")
  func ownInstance() throws {
    var builder = TraceFileBuilder(version: 6, buffers: [.init(cpus: [.init(0, pages: [Self.page([5])])])])
    builder.buffers.append(.init(name: "second", cpus: []))
    var bytes = builder.bytes
    let options = try #require(bytes.firstRange(of: Array("options  \0".utf8))).lowerBound
    let name = try #require(bytes.firstRange(of: Array("second\0".utf8))).lowerBound
    bytes.replaceSubrange(name - 8..<name, with: ByteBuilder.bytes(UInt64(options)))
    let ending = try replay(bytes)
    #expect(ending.isRefused || ending.status == 0)
  }

  // MARK: Numbers of CPUs, and times

  @Test("10,000 CPUs", arguments: [6, 7])
  func manyCPUs(_ version: Int) throws {
    let size = 128
    let cpus = (0..<10_000).map {
      TraceFileBuilder.CPU($0, pages: [Self.page([UInt64($0) + 1_000], size: size, cpu: $0)])
    }
    var builder = TraceFileBuilder(version: version, buffers: [.init(pageSize: size, cpus: cpus)])
    (builder.pageSize, builder.headerPageSize) = (size, size)
    let ending = try replay(builder.bytes, mebibytes: 1_000)
    #expect(ending.status == 0, "\(ending.errors)")
    #expect(ending.verdict == "undecided")
    #expect(ending.result?["trace"]["events"]["total"] == .integer(10_000))
  }

  private static let year: UInt64 = 365 * 86_400 * 1_000_000_000

  @Test("a CPU whose time goes back by a year")
  func timeGoesBack() throws {
    let start = 2 * Self.year
    let pages = [
      Self.page([start, start + 10]), Self.page([start - Self.year, start - Self.year + 10]), Self.page([start + 20]),
    ]
    let ending = try replay(
      TraceFileBuilder(
        buffers: [.init(cpus: [.init(0, pages: pages), .init(1, pages: [Self.page([start + 5], cpu: 1)])])]
      ).bytes)
    #expect(ending.health("backwardTimes") && ending.verdict != "diverges")
  }

  /// Calls to a CPU whose clock is a year behind seem to be handled before they are made.
  @Test("a CPU that lives a year ago")
  func clockOfLastYear() throws {
    let script = try TraceScript(try Fixtures.text("histories/single.conforms.history"))
    for shifted: UInt16 in [0, 1] {
      for shift in [Self.year, 0] {
        var events = script.events
        for index in events.indices {
          events[index].nanoseconds += Self.year + 1_000
          if events[index].cpu == shifted { events[index].nanoseconds -= shift }
        }
        let ending = try replay(TraceFileBuilder(events: events).bytes)
        #expect(ending.status == 0)
        #expect(shift == 0 ? ending.verdict == "conforms" : ending.verdict != "diverges", "\(ending)")
      }
    }
  }
}
