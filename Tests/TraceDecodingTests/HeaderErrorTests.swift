import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// Files that can't be analysed: a clear error, with the place.
@Suite struct HeaderErrorTests {
  private static let page: [UInt8] = {
    var page = PageBuilder(timestamp: 1)
    page.event(FormatBuilder.linux612(.irqWorkEntry).record())
    return page.bytes
  }()

  private func builder(_ version: Int = 7, _ compression: Compression = .none) -> TraceFileBuilder {
    TraceFileBuilder(version: version, compression: compression, buffers: [.init(cpus: [.init(0, pages: [Self.page])])])
  }

  private func error(_ bytes: [UInt8]) -> TraceFileError? {
    do throws(TraceFileError) {
      _ = try TraceFileBuilder.open(bytes)
      return nil
    } catch { return error }
  }

  private func check(
    _ bytes: [UInt8], _ reason: TraceFileError.Reason, _ words: String, at offset: UInt64? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard let error = error(bytes) else {
      Issue.record("the file opened", sourceLocation: sourceLocation)
      return
    }
    #expect(error.reason == reason, "\(error)", sourceLocation: sourceLocation)
    #expect(error.description.contains(words), "\(error)", sourceLocation: sourceLocation)
    if let offset { #expect(error.location.offset == offset, "\(error)", sourceLocation: sourceLocation) }
  }

  @Test func whatIsNoTraceFile() {
    check([], .notATrace, "0 bytes", at: 0)
    check(Array("#!/bin/sh\nexit 0\n".utf8), .notATrace, "\"#!/bin/sh", at: 0)
    check(Array(builder().bytes.prefix(9)), .notATrace, "9 bytes")
  }

  @Test func whatCannotBeOpened() {
    #expect(throws: TraceFileError.self) { try TraceFile(path: "/nonexistent/trace.dat") }
    do throws(TraceFileError) {
      _ = try TraceFile(path: "/nonexistent/trace.dat")
    } catch {
      #expect(error.reason == .unreadable)
      #expect(error.description.contains("/nonexistent/trace.dat"))
      #expect(error.description.contains("No such file"))
    }
    do throws(TraceFileError) {
      _ = try TraceFile(path: "/dev/null")
      Issue.record("a device opened")
    } catch { #expect(error.description.contains("regular file")) }
    do throws(TraceFileError) {
      _ = try TraceFile(path: "/")
      Issue.record("a directory opened")
    } catch { #expect(error.description.contains("directory")) }
  }

  @Test func versionsThatAreNotSupported() {
    for version in [1, 5, 8, 77] {
      var bytes = builder(6).bytes
      bytes.replaceSubrange(10..<11, with: Array("\(version)".utf8))
      check(bytes, .notSupported, "version \"\(version)\"", at: 10)
    }
  }

  @Test(arguments: [6, 7]) func otherMachines(_ version: Int) {
    var bigEndian = builder(version)
    bigEndian.bigEndianMark = 1
    check(bigEndian.bytes, .notSupported, "big-endian", at: 12)
    var small = builder(version)
    small.longSize = 4
    check(small.bytes, .notSupported, "4 bytes", at: 13)
    var smallKernel = builder(version)
    smallKernel.commitSize = 4
    check(smallKernel.bytes, .notSupported, "64-bit kernel")
    var odd = builder(version)
    odd.bigEndianMark = 7
    check(odd.bytes, .malformed, "byte order")
  }

  @Test func textOfLatencyTracers() {
    var latency = builder(6)
    latency.dataKind = "latency  "
    check(latency.bytes, .notSupported, "latency tracer")
    var unknown = builder(6)
    unknown.dataKind = "whatever "
    check(unknown.bytes, .malformed, "\"whatever .\"")
  }

  @Test(arguments: [0, 8, 63, 1 << 30]) func impossiblePageSizes(_ size: Int) {
    var version6 = builder(6).bytes
    version6.replaceSubrange(14..<18, with: ByteBuilder.bytes(UInt32(size)))
    check(version6, .malformed, "page size")
    var version7 = builder(7)
    version7.buffers[0].pageSize = 4096
    var bytes = version7.bytes
    // In the BUFFER option: the size, the number of CPUs, and CPU 0.
    let option = ByteBuilder.bytes(UInt32(4096)) + ByteBuilder.bytes(UInt32(1)) + ByteBuilder.bytes(UInt32(0))
    if let place = bytes.firstRange(of: option) {
      bytes.replaceSubrange(place.lowerBound..<place.lowerBound + 4, with: ByteBuilder.bytes(UInt32(size)))
      check(bytes, .malformed, "page size")
    } else {
      Issue.record("no BUFFER option found")
    }
  }

  /// A file of version 7 with a single options section, which begins at byte 38.
  private func file(options: [UInt8], compression: String = "none") -> [UInt8] {
    var file = ByteBuilder()
    file.append([0x17, 0x08, 0x44] + Array("tracing7".utf8) + [0, 0, 8])
    file.number(UInt32(4096))
    file.string(compression)
    file.string("")
    file.number(UInt64(file.count + 8))
    file.number(UInt32(0))
    file.number(UInt32(0))
    file.number(UInt64(options.count))
    file.append(options)
    return file.bytes
  }

  private func option(_ id: UInt16, _ contents: [UInt8]) -> [UInt8] {
    ByteBuilder.bytes(id) + ByteBuilder.bytes(UInt32(contents.count)) + contents
  }

  @Test func chainsOfOptionsThatGoWrong() {
    let start = UInt64(file(options: []).count - 16)
    check(file(options: option(0, ByteBuilder.bytes(start))), .malformed, "loops", at: start)
    check(file(options: option(0, ByteBuilder.bytes(UInt64(1) << 63))), .truncated, "section")
    check(file(options: option(0, ByteBuilder.bytes(UInt64.max))), .truncated, "section")
    check(file(options: option(0, [1, 2])), .malformed, "8 bytes")
    check(file(options: []), .malformed, "headerInfo")
    check(file(options: option(16, ByteBuilder.bytes(UInt64(2)))), .malformed, "eventFormats")
    check(file(options: option(8, ByteBuilder.bytes(UInt32.max))), .malformed, "number of CPUs")
    // An option that is longer than its section.
    check(file(options: [16, 0, 0xff, 0xff, 0xff, 0xff]) + [0, 0, 0], .malformed, "option 16")
  }

  @Test func sectionsThatUnpackToTooMuch() {
    for compression in [Compression.zlib, .zstd] {
      var good = builder(7, compression)
      good.kallsyms = String(repeating: "ffffffff81000000 T name\n", count: 1000)
      let bytes = good.bytes
      let packed = TraceFileBuilder.pack(
        ByteBuilder.bytes(UInt32(good.kallsyms.utf8.count)) + Array(good.kallsyms.utf8), compression)
      guard let place = bytes.firstRange(of: packed)?.lowerBound else {
        Issue.record("no packed symbols found")
        continue
      }
      for (size, reason) in [
        (UInt32.max, TraceFileError.Reason.tooLarge), (100 << 20, .tooLarge), (7, .malformed), (0, .malformed),
        (60 << 20, .malformed),
      ] as [(UInt32, TraceFileError.Reason)] {
        var bad = bytes
        bad.replaceSubrange(place - 4..<place, with: ByteBuilder.bytes(size))
        check(bad, reason, "unpack")
      }
      var bad = bytes
      bad[place] ^= 0xff
      #expect(error(bad) != nil)
    }
  }

  @Test func unknownCompressions() {
    var bytes = builder(7, .zstd).bytes
    bytes.replaceSubrange(18..<22, with: Array("lzma".utf8))
    check(bytes, .notSupported, "lzma")
    // Where nothing is compressed, the name doesn't matter.
    var plain = builder(7).bytes
    plain.replaceSubrange(18..<22, with: Array("lzma".utf8))
    #expect(error(plain) == nil)
  }

  @Test func regionsThatOverlap() throws {
    var bytes = TraceFileBuilder(
      version: 6, buffers: [.init(cpus: [.init(0, pages: [Self.page]), .init(1, pages: [Self.page])])]
    ).bytes
    let table = try #require(bytes.firstRange(of: Array("flyrecord".utf8) + [0])).upperBound
    // CPU 1 takes the place of CPU 0.
    bytes.replaceSubrange(table + 16..<table + 24, with: Array(bytes[table..<table + 8]))
    check(bytes, .malformed, "CPU")
    // An offset and a size whose sum is too large for any number.
    bytes.replaceSubrange(table + 16..<table + 32, with: [UInt8](repeating: 0xff, count: 16))
    check(bytes, .malformed, "CPU 1")
  }

  @Test func countsThatNoFileHolds() throws {
    let bytes = builder(6).bytes
    // The number of systems, before the first system's name.
    let systems = try #require(bytes.firstRange(of: Array("csd".utf8) + [0])).lowerBound - 4
    for count in [UInt32.max, 1 << 31, 100_000] as [UInt32] {
      var bad = bytes
      bad.replaceSubrange(systems..<systems + 4, with: ByteBuilder.bytes(count))
      check(bad, .malformed, "number of event systems")
    }
    // The size of the first format.
    var bad = bytes
    bad.replaceSubrange(systems + 12..<systems + 20, with: ByteBuilder.bytes(UInt64(1) << 63))
    check(bad, .truncated, "event format of system csd")
    // The number of CPUs.
    let options = try #require(bytes.firstRange(of: Array("options  ".utf8))).lowerBound
    for count in [UInt32.max, 70_000] {
      var bad = bytes
      bad.replaceSubrange(options - 4..<options, with: ByteBuilder.bytes(count))
      check(bad, .malformed, "number of CPUs")
    }
    bad = bytes
    bad.replaceSubrange(options - 4..<options, with: ByteBuilder.bytes(UInt32(10_000)))
    check(bad, .truncated, "10000 CPUs")
  }

  @Test(arguments: [6, 7]) func filesWithoutEvents(_ version: Int) throws {
    for buffers in [[], [TraceFileBuilder.Buffer(cpus: [.init(0, pages: [])])]] {
      let file = try TraceFileBuilder(version: version, buffers: buffers).open()
      do throws(TraceFileError) {
        _ = try file.analysisBuffer()
        Issue.record("a buffer without events was chosen")
      } catch { #expect(error.reason == .empty) }
    }
  }

  @Test(arguments: [6, 7]) func formatsThatMakeNoSense(_ version: Int) throws {
    for text in ["", "name: x\n", "name: x\nID: 70000\n", "name: y\nID: 5\n\tfield:int a;\n", "ID: 3\n", "\u{0}\u{1}"] {
      var builder = builder(version)
      builder.moreFormats = [("odd", text)]
      let file = try builder.open()
      #expect(file.health.items.map(\.name) == ["unreadableFormats"])
      #expect(try EventCollector.collect(file).collector.events.count == 1)
    }
  }

  @Test(arguments: [13, 4090, 1 << 20, 999_999_999]) func fieldsOutsideTheRecord(_ offset: Int) throws {
    var layout = FormatBuilder.linux612(.irqWorkEntry)
    layout = FormatBuilder(
      "sched", "sched_wake_idle_without_ipi", id: layout.id,
      fields: [.init("int", "cpu", offset: offset, size: 4, isSigned: true)])
    var builder = builder()
    builder.formats = [layout]
    let (collector, stream) = try EventCollector.collect(try builder.open())
    if offset <= 1 << 20 {
      #expect(collector.events.isEmpty && collector.gaps.count == 1)
      #expect(stream.health.items.first?.name == "damagedPages")
    } else {
      // No page is that large, so the field counts as missing.
      #expect(collector.events.map(\.target) == [0])
    }
  }

  @Test func whatTheRecorderLeft() throws {
    var facts = CaptureFacts()
    facts.isolated = CPUMask([2, 3])
    facts.enabledEvents = ["csd:csd_queue_cpu"]
    facts.lostEvents = [1: 77]
    for version in [6, 7] {
      var builder = builder(version)
      builder.statistics = ["CPU: 0\nentries: 5\n", "CPU: 1\nentries: 0\n\(facts.text)"]
      #expect(try builder.open().facts == facts)
      builder.statistics = ["CPU: 0\nentries: 5\n"]
      #expect(try builder.open().facts == nil)
    }
  }
}
