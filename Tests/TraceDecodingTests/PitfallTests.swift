import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// What real recordings have and a simple reader gets wrong.
@Suite struct PitfallTests {
  private static let entry = FormatBuilder.linux612(.irqWorkEntry).record()

  /// The events of one CPU whose buffer consists of these pages.
  private func read(
    _ pages: [[UInt8]], configure: (inout TraceFileBuilder) -> Void = { _ in }
  ) throws -> (collector: EventCollector, stream: MergedStream) {
    var builder = TraceFileBuilder(buffers: [.init(cpus: [.init(0, pages: pages)])])
    configure(&builder)
    return try EventCollector.collect(try builder.open())
  }

  private func page(_ time: UInt64, _ lost: PageBuilder.Lost = .nothing, events: Int = 1, size: Int = 4096) -> [UInt8] {
    var page = PageBuilder(timestamp: time, size: size, lost: lost)
    for index in 0..<events { page.event(Self.entry, delta: index == 0 ? 0 : 1) }
    return page.bytes
  }

  // MARK: 1. The commit word

  @Test func lostEventsAreCountedWhereTheCountFits() throws {
    let (collector, stream) = try read([
      page(100), page(200, .count(12_345)), page(300, .unknown), page(400, .countMissing),
    ])
    #expect(collector.events.map(\.nanoseconds) == [100, 200, 300, 400])
    #expect(
      collector.gaps == [
        TraceGap(cpu: 0, afterNanoseconds: 100, beforeNanoseconds: 200, lostEvents: 12_345),
        TraceGap(cpu: 0, afterNanoseconds: 200, beforeNanoseconds: 300, lostEvents: nil),
        TraceGap(cpu: 0, afterNanoseconds: 300, beforeNanoseconds: 400, lostEvents: nil),
      ])
    #expect(stream.gaps == collector.gaps)
    #expect(stream.lostEvents == [0: .init(count: 12_345, gapsOfUnknownSize: 2)])
    #expect(
      stream.health.items.map { "\($0.name) \($0.cpu ?? -1) \($0.count)" } == [
        "lostEvents 0 12345", "lostEventsUnknown 0 2",
      ])
  }

  @Test func aFullPageHasNoRoomForTheCount() throws {
    // 255 events of 16 bytes fill the 4,080 bytes of data.
    let full = page(200, .count(5), events: 255)
    let (collector, _) = try read([page(100), full])
    #expect(collector.events.count == 256)
    #expect(collector.gaps == [TraceGap(cpu: 0, afterNanoseconds: 100, beforeNanoseconds: 200, lostEvents: nil)])
  }

  @Test func anOverwrittenRingBeginsWithAGap() throws {
    let (collector, _) = try read([page(100, .unknown), page(200)])
    #expect(collector.gaps == [TraceGap(cpu: 0, afterNanoseconds: nil, beforeNanoseconds: 100, lostEvents: nil)])
    #expect(collector.deliveries.first == .gap(collector.gaps[0]))
  }

  @Test func lossesWithoutEventsBetweenAreOneGap() throws {
    let (collector, _) = try read([
      page(100), page(150, .count(3), events: 0), page(200, .count(4)), page(250, .count(9), events: 0),
    ])
    #expect(
      collector.gaps == [
        TraceGap(cpu: 0, afterNanoseconds: 100, beforeNanoseconds: 200, lostEvents: 7),
        TraceGap(cpu: 0, afterNanoseconds: 200, beforeNanoseconds: nil, lostEvents: 9),
      ])
  }

  // MARK: 2. The kinds of entries

  @Test func everyKindOfEntry() throws {
    let record = FormatBuilder.linux612(.csdQueueCPU).record(["cpu": .number(3), "csd": .number(0x1122_3344_5566_7788)])
    var page = PageBuilder(timestamp: 1000)
    page.event(record, delta: 5)  // The first event may have a delta.
    page.event(record, delta: 1, form: .long)
    page.discarded(length: 24, delta: 10)
    page.event(record)
    page.timeExtend(1 << 40)
    page.event(record, delta: 2)
    page.event(record + [UInt8](repeating: 0xee, count: 200), delta: 1)  // Too long for a small entry.
    page.discarded(length: 4, delta: 1)
    page.endPadding()
    // Garbage behind the padding: an entry whose length leads out of the page.
    page.raw([0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f])
    let (collector, stream) = try read([page.bytes])
    let base = UInt64(1016) + 1 << 40
    #expect(collector.events.map(\.nanoseconds) == [1005, 1006, 1016, base + 2, base + 3])
    #expect(collector.events.allSatisfy { $0.target == 3 && $0.csd == 0x1122_3344_5566_7788 })
    #expect(stream.health.items.isEmpty)
  }

  @Test(arguments: 1...28) func everySmallLength(_ words: Int) throws {
    let long = FormatBuilder("timer", "timer_start", id: 90, fields: [])
    var page = PageBuilder(timestamp: 10)
    page.event(Array((long.record() + [UInt8](repeating: 1, count: 200)).prefix(words * 4)))
    page.event(Self.entry, delta: 1)
    let (collector, stream) = try read([page.bytes])
    if words >= 2 {
      #expect(collector.events.map(\.kind) == [.other, .irqWorkEntry])
      #expect(stream.health.items.isEmpty)
    } else {
      // A record too short for the fields that all records have.
      #expect(collector.events.isEmpty)
      #expect(stream.health.items.first?.name == "damagedPages")
    }
  }

  @Test func absoluteTimesKeepTheTopBits() throws {
    let high: UInt64 = 0x1f << 59
    var page = PageBuilder(timestamp: high | 1000)
    page.absoluteTime(high | 5000)
    page.event(Self.entry)
    page.event(Self.entry, delta: 7)
    page.absoluteTime(high | 6000)
    page.event(Self.entry, delta: 1)
    let (collector, _) = try read([page.bytes])
    #expect(collector.events.map(\.nanoseconds) == [high | 5000, high | 5007, high | 6001])
  }

  @Test func anAbsoluteTimeMayCarryIntoTheTopBits() throws {
    var page = PageBuilder(timestamp: (1 << 59) - 10)
    page.event(Self.entry)
    page.absoluteTime((1 << 59) + 20)
    page.event(Self.entry)
    let (collector, stream) = try read([page.bytes])
    #expect(collector.events.map(\.nanoseconds) == [(1 << 59) - 10, (1 << 59) + 20])
    #expect(stream.health.items.isEmpty)
  }

  // MARK: 3. Alignment, and what lies behind the data

  @Test func wordsAtAnyMultipleOfFour() throws {
    let layout = FormatBuilder(
      "csd", "csd_function_entry", id: 700,
      fields: [
        .init("void *", "func", offset: 12, size: 8), .init("void *", "csd", offset: 20, size: 8),
      ])
    var page = PageBuilder(timestamp: 1)
    page.event(Self.entry)  // 16 bytes
    page.discarded(length: 4, delta: 1)  // 8 bytes, so the next data begin at a multiple of four only
    page.event(
      layout.record(["func": .number(0x0102_0304_0506_0708), "csd": .number(0xf1f2_f3f4_f5f6_f7f8)]), form: .long)
    page.event(layout.record(["func": .number(1), "csd": .number(.max)]))
    page.filler = 0xff
    let (collector, _) = try read([page.bytes]) {
      $0.formats.removeAll { $0.name == "csd_function_entry" }
      $0.formats.append(layout)
    }
    #expect(collector.events.map(\.function) == [0, 0x0102_0304_0506_0708, 1])
    #expect(collector.events.map(\.csd) == [0, 0xf1f2_f3f4_f5f6_f7f8, .max])
  }

  @Test func garbageBehindTheDataIsNotRead() throws {
    for filler: UInt8 in [0x01, 0x41, 0xff] {
      var page = PageBuilder(timestamp: 1)
      page.event(Self.entry)
      page.filler = filler
      let (collector, stream) = try read([page.bytes, page.bytes])
      #expect(collector.events.count == 2)
      #expect(stream.health.items.isEmpty)
    }
  }

  // MARK: 4. Sub-buffers of other sizes

  @Test(arguments: [(6, 4096, 16_384), (7, 4096, 16_384), (7, 16_384, 4096), (6, 16_384, 4096)])
  func theSubBufferSizeThatFitsTheData(_ version: Int, _ declared: Int, _ real: Int) throws {
    // Only header_page tells the real size.
    var sequence = PageSequenceBuilder(pageSize: real)
    for index in 0..<4000 { sequence.event(Self.entry, at: UInt64(1000 + index)) }
    var builder = TraceFileBuilder(
      version: version, buffers: [.init(pageSize: declared, cpus: [.init(0, pages: sequence.pages)])])
    builder.pageSize = declared
    builder.headerPageSize = real
    let (collector, stream) = try EventCollector.collect(try builder.open())
    #expect(collector.events.map(\.nanoseconds) == (0..<4000).map { UInt64(1000 + $0) })
    #expect(stream.health.items.isEmpty)
  }

  @Test func anInstanceWithItsOwnSubBufferSize() throws {
    var sequence = PageSequenceBuilder(pageSize: 32_768)
    for index in 0..<4000 {
      sequence.event(FormatBuilder.linux612(.csdFunctionEntry).record(), at: UInt64(1000 + index))
    }
    let builder = TraceFileBuilder(buffers: [
      .init(cpus: [.init(0, pages: [page(5)])]),
      .init(name: "calls", clock: "mono", pageSize: 32_768, cpus: [.init(0, pages: sequence.pages)]),
    ])
    let file = try builder.open()
    #expect(file.buffers.map(\.subBufferSize) == [4096, 32_768])
    let buffer = try file.analysisBuffer()
    #expect(buffer.name == "calls" && buffer.clock == "mono")
    #expect(try EventCollector.collect(file, buffer).collector.events.count == 4000)
  }

  // MARK: 5. Ids and fields from the file's own formats

  @Test(arguments: [1, 2, 4, 8], [false, true]) func fieldsOfEverySize(_ size: Int, _ isSigned: Bool) throws {
    let layout = FormatBuilder(
      "power", "cpu_idle", id: 65_535,
      fields: [
        .init("int", "cpu_id", offset: 9, size: size, isSigned: isSigned),
        .init("int", "state", offset: 17, size: size, isSigned: isSigned),
      ])
    var page = PageBuilder(timestamp: 1)
    page.event(layout.record(pid: -7, ["cpu_id": .number(0xfedc_ba98_7654_3281), "state": .number(.max)]))
    let (collector, _) = try read([page.bytes]) { $0.formats = [layout] }
    let value: UInt64 = [1: 0x81, 2: 0x3281, 4: 0x7654_3281, 8: 0x7654_3281][size] ?? 0
    let signed: Int32 = [1: Int32(Int8(bitPattern: 0x81)), 2: 0x3281, 4: 0x7654_3281, 8: 0x7654_3281][size] ?? 0
    #expect(collector.events.map(\.target) == [isSigned ? signed : Int32(value)])
    let ones: Int32 = isSigned || size >= 4 ? -1 : Int32((1 << (8 * size)) - 1)
    #expect(collector.events.map(\.detail) == [ones])
    #expect(collector.events.map(\.pid) == [-7])
  }

  @Test func commonFieldsElsewhere() throws {
    let text = """
      name: sched_wake_idle_without_ipi
      ID: 11
      format:
      \tfield:int common_pid;\toffset:0;\tsize:4;\tsigned:1;
      \tfield:unsigned char common_flags;\toffset:5;\tsize:1;\tsigned:0;
      \tfield:unsigned short common_type;\toffset:6;\tsize:2;\tsigned:0;

      \tfield:int cpu;\toffset:8;\tsize:4;\tsigned:1;

      """
    var page = PageBuilder(timestamp: 1)
    page.event([9, 0, 0, 0, 0, 0x18, 11, 0, 6, 0, 0, 0])
    let (collector, _) = try read([page.bytes]) {
      $0.ftraceFormats = []
      $0.formats = []
      $0.moreFormats = [("sched", text)]
    }
    let event = try #require(collector.events.first)
    #expect(
      event.kind == .schedWakeIdleWithoutIPI && event.pid == 9 && event.flags == [.hardInterrupt, .softInterrupt])
    #expect(event.target == 6)
  }

  @Test func missingFieldsAreZeroAndMissingTypesUnknown() throws {
    let layout = FormatBuilder(
      "sched", "sched_switch", id: 20, fields: [.init("pid_t", "next_pid", offset: 8, size: 4)])
    var page = PageBuilder(timestamp: 1)
    page.event(layout.record(["next_pid": .number(77)]))
    page.event(Self.entry, delta: 1)
    page.event(Self.entry, delta: 1)
    let (collector, stream) = try read([page.bytes]) { $0.formats = [layout] }
    #expect(collector.events.map(\.kind) == [.schedSwitch, .other, .other])
    #expect(collector.events[0].target == 77 && collector.events[0].csd == 0 && collector.events[0].detail == 0)
    let id = FormatBuilder.linux612(.irqWorkEntry).id
    #expect(stream.eventCounts == [0: ["sched:sched_switch": 1, "unknown:\(id)": 2]])
    #expect(stream.health.items.map(\.name) == ["unknownEventTypes"])
  }

  // MARK: 6. Several buffers

  @Test(arguments: [6, 7]) func severalBuffers(_ version: Int) throws {
    func buffer(_ name: String, _ kind: EventKind, _ times: [UInt64]) -> TraceFileBuilder.Buffer {
      var sequence = PageSequenceBuilder()
      for time in times { sequence.event(FormatBuilder.linux612(kind).record(), at: time) }
      return .init(name: name, cpus: [.init(0, pages: sequence.pages), .init(1, pages: [page(7)])])
    }
    let many = (0..<10_000).map { UInt64($0) + 1 }
    let builder = TraceFileBuilder(
      version: version,
      buffers: [
        buffer("", .schedSwitch, many), buffer("idle", .cpuIdle, many), buffer("ipis", .ipiSendCPU, [1, 2, 3]),
      ])
    let file = try builder.open()
    #expect(file.buffers.map(\.name) == ["", "idle", "ipis"])
    #expect(try file.analysisBuffer().name == "ipis")
    for (buffer, kind) in zip(file.buffers, [EventKind.schedSwitch, .cpuIdle, .ipiSendCPU]) {
      let events = try EventCollector.collect(file, buffer).collector.events
      #expect(events.filter { $0.cpu == 0 }.allSatisfy { $0.kind == kind })
      #expect(events.count == (kind == .ipiSendCPU ? 4 : 10_001))
    }
  }

  // MARK: 7. Masks

  @Test(arguments: [0, 1, 4, 8, 12, 16, 1024]) func masksOfEveryLength(_ bytes: Int) throws {
    for type in ["__data_loc cpumask_t", "__rel_loc cpumask_t"] {
      var layout = FormatBuilder.linux612(.ipiSendCPUMask)
      layout.fields[0].type = type
      var page = PageBuilder(timestamp: 1)
      let mask = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 + 1) }
      page.event(layout.record(["cpumask": .bytes(mask), "callsite": .number(5)]))
      page.event(layout.record(["cpumask": .bytes([0x80]), "callsite": .number(6)]))
      let (collector, _) = try read([page.bytes]) { $0.formats = [layout] }
      let words = stride(from: 0, to: bytes, by: 8).map { start in
        mask[start..<min(start + 8, bytes)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      }
      #expect(collector.masks == [0: words, 1: [0x80]])
      #expect(collector.events.map(\.callsite) == [5, 6])
    }
  }

  @Test func aMaskOutsideItsRecordIsDamage() throws {
    let layout = FormatBuilder.linux612(.ipiSendCPUMask)
    for location: UInt64 in [8 << 16 | 100, 0xffff << 16 | 32, 8 << 16 | 0xffff, 0xffff_ffff] {
      var page = PageBuilder(timestamp: 1)
      page.event(Self.entry)
      var record = layout.record(["cpumask": .bytes([1, 0, 0, 0, 0, 0, 0, 0])])
      record.replaceSubrange(8..<12, with: ByteBuilder.bytes(UInt32(location)))
      page.event(record)
      page.event(Self.entry)
      let (collector, stream) = try read([page.bytes, self.page(9)])
      #expect(collector.events.map(\.nanoseconds) == [1, 9])
      #expect(collector.gaps == [TraceGap(cpu: 0, afterNanoseconds: 1, beforeNanoseconds: 9, lostEvents: nil)])
      #expect(stream.health.items.first?.name == "damagedPages")
      #expect(stream.eventCounts == [0: ["irq_vectors:irq_work_entry": 2]])
    }
  }

  // MARK: 8. Clocks

  @Test(arguments: [
    ("local", "local"), ("[x86-tsc] local", "x86-tsc"), ("local global counter [mono] boot", "mono"), ("", "global"),
  ]) func clockNames(_ text: String, _ expected: String) throws {
    var builder = TraceFileBuilder(buffers: [.init(clock: text, cpus: [.init(0, pages: [page(1)])])])
    builder.clockText = "local [global] counter\n"
    #expect(try builder.open().buffers.map(\.clock) == [expected])
    builder.clockText = ""
    builder.buffers[0].clock = ""
    #expect(try builder.open().buffers.map(\.clock) == [nil])
  }

  // MARK: Reasons of interrupts on arm64

  @Test func reasonsGiveInterruptsTheirKind() throws {
    let reasons = [
      "Rescheduling interrupts", "Function call interrupts", "IRQ work interrupts", "Timer broadcast interrupts",
    ]
    var page = PageBuilder(timestamp: 1)
    for index in 0..<5 {
      let reason: [String: FormatBuilder.Value] = ["reason": .number(0xffff_8000_0000_1000 + UInt64(index) * 32)]
      page.event(FormatBuilder.linux612(.ipiEntry).record(reason))
      page.event(FormatBuilder.linux612(.ipiExit).record(reason))
    }
    let (collector, stream) = try read([page.bytes]) { builder in
      builder.printkFormats = reasons.enumerated().map { index, text in
        "0x\(String(0xffff_8000_0000_1000 + UInt64(index) * 32, radix: 16)) : \"\(text)\"\n"
      }.joined()
    }
    #expect(
      collector.events.map(\.kind) == [
        .rescheduleEntry, .rescheduleExit, .callFunctionEntry, .callFunctionExit, .irqWorkEntry, .irqWorkExit,
        .ipiEntry, .ipiExit, .ipiEntry, .ipiExit,
      ])
    #expect(collector.events.allSatisfy { $0.csd == 0 && $0.function == 0 })
    // They count under the name that the kernel has for them.
    #expect(stream.eventCounts == [0: ["ipi:ipi_entry": 5, "ipi:ipi_exit": 5]])
  }
}
