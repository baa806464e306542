import Glibc
import TestSupport
import Testing
import TraceDecoding
import TraceTypes

@testable import TraceCapture

@Suite struct PageEntriesTests {
  @Test func allFormsOfEntriesAreWalkedOver() {
    var page = PageBuilder(timestamp: 1_000, lost: .count(9))
    page.event([1, 2, 3, 4], delta: 5)
    page.discarded(length: 12, delta: 10)
    page.event([UInt8](repeating: 7, count: 200), delta: 1 << 30)
    page.absoluteTime(5_000_000_000)
    page.event([UInt8](repeating: 8, count: 8), delta: 2, form: .long)
    page.endPadding()
    let events = PageFixture.events(of: page.bytes)
    #expect(events.map(\.time) == [1_005, 1_015 + 1 << 30, 5_000_000_002])
    #expect(events.map(\.record.count) == [4, 200, 8])
    page.bytes.withUnsafeBytes {
      #expect(PageHeader.time($0) == 1_000)
      #expect(PageHeader.hasLost($0))
      #expect(PageHeader.lostCount($0) == 9)
    }
  }

  @Test func everyTimeIsThatOfTheBuilder() {
    var random = RepeatableRandom.forTest()
    for _ in 0..<200 {
      var time: UInt64 = 1 << 40
      let (page, times) = PageFixture.randomPage(after: &time, &random)
      #expect(PageFixture.events(of: page).map(\.time) == times, "seed \(random.seed)")
    }
  }

  /// Whatever is in a page, the walk ends inside it.
  @Test func damagedPagesEndTheWalk() {
    var random = RepeatableRandom.forTest()
    var mistakes = 0
    for _ in 0..<RepeatableRandom.places(3_000) {
      var time: UInt64 = 5
      var page = PageFixture.randomPage(after: &time, &random).bytes
      for _ in 0..<(1 + random.below(8)) { page[random.below(page.count)] = UInt8(random.below(256)) }
      page.withUnsafeBytes { page in
        var entries = PageEntries(page)
        var position = 0
        while let event = entries.nextOrRemoved() {
          #expect(event.start + event.size <= page.count && entries.position > position, "seed \(random.seed)")
          position = entries.position
        }
        if entries.mistake != nil { mistakes += 1 }
      }
    }
    #expect(mistakes > 0)
  }

  @Test(arguments: [4081, 1 << 20, 0x3fff_ffff])
  func lengthBeyondThePageIsAMistake(length: Int) {
    var page = [UInt8](repeating: 0, count: 4096)
    page.withUnsafeMutableBytes { $0.storeBytes(of: UInt32(length), toByteOffset: 8, as: UInt32.self) }
    page.withUnsafeBytes {
      var entries = PageEntries($0)
      #expect(entries.next() == nil)
      #expect(entries.mistake?.reason == "it claims \(length) bytes of events in 4096")
    }
  }

  /// The decoder of `replay` is another program for the same pages: both must see the same events, CPU by CPU.
  @Test(arguments: ["host-6.18-2cpu.dat", "guest-6.12-8cpu-hotplug.dat", "guest-6.12-overrun.dat"])
  func surveyCountsWhatTheDecoderDecodes(name: String) throws {
    let path = Fixtures.path("captures/\(name)")
    let file = try #require(FileDescriptor(opening: path, O_RDONLY))
    let (header, pages) = try TraceFileReader.read(file, path: path)
    let survey = PageSurvey(formats: try RecordedFormats(header.systems), pageSize: header.pageSize)
    for (cpu, pages) in pages.enumerated() { try survey.take(pages, cpu: cpu) }
    let decoded = try TraceFile(path: path)
    let stream = try MergedStream(file: decoded, buffer: decoded.analysisBuffer())
    var consumer = NoConsumer()
    try stream.drain(into: &consumer)
    for cpu in pages.indices {
      #expect(survey.events[cpu] == stream.eventCounts[cpu]?.values.reduce(0, +) ?? 0)
      #expect(survey.lost[cpu] ?? 0 == stream.lostEvents[cpu]?.count ?? 0)
    }
  }
}

private struct NoConsumer: TraceEventConsumer {
  mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {}
  mutating func gapBegan(_ gap: TraceGap) {}
}

@Suite struct PageSurveyTests {
  @Test func addressesTasksAndTheRecorderItselfAreFound() throws {
    var page = PageBuilder(timestamp: 10)
    page.event(
      PageFixture.queue(callsite: 0xffff_ffff_8100_0001, function: 0xffff_ffff_8100_0002, csd: 0xffff_8881_0000_0040))
    // Sent by the recorder; sent in an interrupt that hit the recorder; sent by somebody else.
    for (flags, task): (UInt8, Int32) in [(0, 77), (0x08, 77), (0x10, 77), (0, 78)] {
      page.event(
        PageFixture.bytes(
          PageFixture.sent, flags, UInt8(0), task, UInt32(1), UInt32(0), UInt64(0xffff_ffff_8100_0003), UInt64(0)))
    }
    for (next, name) in [(Int32(77), "recorder"), (5, "five"), (77, "renamed")] {
      var record = PageFixture.bytes(PageFixture.switched, UInt8(0), UInt8(0), Int32(1))
      record += Self.comm("one") + PageFixture.bytes(Int32(1), Int32(120), Int64(-1))
      record += Self.comm(name) + PageFixture.bytes(next, Int32(120))
      page.event(record)
    }
    let directory = TemporaryDirectory()
    let output = try OutputFile(path: directory.path + "/x")
    let spool = try PageSpool(of: output, cpu: 0)
    try page.bytes.withUnsafeBytes { try spool.append($0) }
    let survey = PageSurvey(
      formats: try PageFixture.formats(), pageSize: 4096, collectsData: true, recorder: [77])
    try survey.take(spool.pages, cpu: 3)
    #expect(survey.addresses == [0xffff_ffff_8100_0001, 0xffff_ffff_8100_0002, 0xffff_ffff_8100_0003])
    #expect(survey.data.contains(0xffff_8881_0000_0040))
    #expect(survey.tasks == [1: "one", 5: "five", 42: "", 77: "renamed", 78: ""])
    #expect(survey.events == [3: 8])
    #expect(survey.own.interruptsSent == 1)
    #expect(survey.own.wakeups == 2)
  }

  private static func comm(_ name: String) -> [UInt8] {
    Array(name.utf8) + [UInt8](repeating: 0, count: 16 - name.utf8.count)
  }
}
