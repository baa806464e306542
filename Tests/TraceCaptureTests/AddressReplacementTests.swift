import Glibc
import TestSupport
import Testing
import TraceDecoding
import TraceTypes

@testable import TraceCapture

@Suite struct AddressReplacementTests {
  private static let symbols = """
    0000000000000000 D __per_cpu_start
    000000000001a000 A cpu_number
    ffffffff81000000 T _text
    ffffffff81000000 T startup
    ffffffff81000040 t small
    ffffffff81000050 T large
    ffffffff81300000 T far
    ffffffffc0a00000 t first\t[module]
    ffffffffc0a00100 t second\t[module]
    ffffffffc0b00000 t other\t[another]

    """

  @Test func namesAndOrderStayAndPlacesDoNot() {
    var code: Set<UInt64> = [
      0xffff_ffff_8100_0000, 0xffff_ffff_8100_003f, 0xffff_ffff_8100_0040, 0xffff_ffff_8100_0051,
      0xffff_ffff_8101_0050, 0xffff_ffff_8130_0010, 0xffff_ffff_c0a0_0123, 0xffff_ffff_c0a0_0100,
      0xffff_ffff_c0b0_1000,
    ]
    // Below all symbols; farther behind one than anything is named; behind the last one of a module.
    let unnamed: Set<UInt64> = [
      0xffff_ffff_8000_0000, 0xffff_ffff_8120_0000, 0xffff_ffff_c0a0_f000, 0xffff_ffff_f000_0000,
    ]
    code.formUnion(unnamed)
    let data: Set<UInt64> = [0xffff_8881_0000_0040, 0xffff_8881_0000_0020, 0xffff_ea00_0000_0000]
    let replacement = AddressReplacement(code: code, data: data, symbols: Array(Self.symbols.utf8))
    let before = SymbolTable(kallsyms: Array(Self.symbols.utf8))
    let after = SymbolTable(kallsyms: replacement.symbols)
    for address in code {
      #expect(after.resolve(replacement(address)) == before.resolve(address))
      if unnamed.contains(address) { #expect(before.resolve(address) == nil) }
    }
    let named = code.subtracting(unnamed).sorted()
    #expect(named.map { replacement($0) } == named.map { replacement($0) }.sorted())
    #expect(data.sorted().map { replacement($0) } == data.map { replacement($0) }.sorted())
    let all = code.union(data).map { replacement($0) }
    #expect(Set(all).count == code.count + data.count)
    #expect(all.allSatisfy { $0 >> 63 == 1 && $0 < 0xffff_8000_0000_0000 })
    let text = String(decoding: replacement.symbols, as: UTF8.self)
    #expect(!text.contains("ffffffff") && text.contains("startup") && text.contains("second\t[module]"))
  }

  @Test func whereTheKernelLiesDoesNotMatter() {
    // The same kernel, loaded elsewhere.
    let shift: UInt64 = 0x1f60_0000
    let moved =
      Self.symbols.split(separator: "\n").map { line -> String in
        guard line.hasPrefix("ffffffff81"), let address = UInt64(line.prefix(16), radix: 16) else {
          return String(line)
        }
        return String(address + shift, radix: 16) + line.dropFirst(16)
      }.joined(separator: "\n") + "\n"
    let here = AddressReplacement(
      code: [0xffff_ffff_8100_0044, 0xffff_ffff_8130_0001], data: [0xffff_8881_0000_0040, 0xffff_8881_0000_0080],
      symbols: Array(Self.symbols.utf8))
    let there = AddressReplacement(
      code: [0xffff_ffff_8100_0044 + shift, 0xffff_ffff_8130_0001 + shift],
      data: [0xffff_9f31_2000_0140, 0xffff_9f31_2000_4480], symbols: Array(moved.utf8))
    #expect(here.symbols == there.symbols)
    #expect(here(0xffff_ffff_8100_0044) == there(0xffff_ffff_8100_0044 + shift))
    #expect(here(0xffff_8881_0000_0080) == there(0xffff_9f31_2000_4480))
  }

  @Test func numbersStayAndUnknownAddressesDoNot() {
    let replacement = AddressReplacement(code: [], data: [], symbols: [])
    for number: UInt64 in [0, 1, 0x7fff_ffff_ffff_ffff, .max, .max - 4095] { #expect(replacement(number) == number) }
    #expect(replacement(0xffff_ffff_8100_0000) == 0)
    #expect(replacement(0xffff_8881_0000_0040) == 0)
  }

  @Test func textsAreCleaned() {
    let replacement = AddressReplacement(code: [], data: [0xffff_ffff_8200_0010], symbols: [])
    let formats = "0xffffffff82000010 : \"Rescheduling interrupts\"\n0xffffffff82000040 : \"other\"\nnonsense\n"
    let text = String(decoding: replacement.printkFormats(Array(formats.utf8)), as: UTF8.self)
    #expect(text == "0x\(String(replacement(0xffff_ffff_8200_0010), radix: 16)) : \"Rescheduling interrupts\"\n")
    let cleaned = AddressReplacement.cleaned(
      Array("at FFFFFFFF81000000, 0xffff888100000040; ffff, 1234567890123456".utf8))
    #expect(
      String(decoding: cleaned, as: UTF8.self) == "at 0000000000000000, 0x0000000000000000; ffff, 1234567890123456")
  }
}

@Suite struct PageCleanerTests {
  private static let stale: UInt64 = 0xffff_8888_1234_5678

  private func clean(_ page: [UInt8], _ replacement: AddressReplacement) throws -> [UInt8] {
    var page = page
    let cleaner = PageCleaner(formats: try PageFixture.formats(), replacement: replacement)
    let mistake = page.withUnsafeMutableBytes { cleaner.clean($0) }
    #expect(mistake == nil)
    return page
  }

  @Test func whatLayInThePageBeforeIsGone() throws {
    let replacement = AddressReplacement(
      code: [0xffff_ffff_8100_0010], data: [0xffff_8881_0000_0040, 0xffff_8881_0000_0080], symbols: [])
    var page = PageBuilder(timestamp: 99, lost: .count(3))
    // In the hole behind the CPU, in an event that was taken back, in a record of an unknown type, behind a name, behind
    // the end: each time a whole address, or half of one.
    page.event(
      PageFixture.queue(
        callsite: 0xffff_ffff_8100_0010, function: 0xffff_ffff_8100_0010, csd: 0xffff_8881_0000_0080, gap: 0xffff_8888),
      delta: 7)
    page.raw(PageFixture.bytes(UInt32(29) | 5 << 5, UInt32(20), Self.stale, Self.stale))
    page.event(PageFixture.bytes(UInt16(900), UInt8(1), UInt8(0), Int32(5), Self.stale), delta: 1)
    var switched = PageFixture.bytes(PageFixture.switched, UInt8(0), UInt8(0), Int32(1))
    switched +=
      Array("ab\0\0".utf8) + PageFixture.bytes(UInt32(0xffff_8888), Self.stale, Int32(1), Int32(120), Int64(-1))
    switched += Array("0123456789abcde\0".utf8) + PageFixture.bytes(Int32(2), Int32(120))
    page.event(switched, delta: 1)
    page.endPadding()
    var bytes = page.bytes
    // Behind the count of lost events.
    let padded = 16 + page.data.count + 8
    for index in stride(from: padded, to: 4088, by: 8) {
      bytes.replaceSubrange(index..<index + 8, with: PageFixture.bytes(Self.stale))
    }
    let cleaned = try clean(bytes, replacement)
    #expect(!contains(cleaned, PageFixture.bytes(UInt32(0xffff_8888))))
    #expect(!contains(cleaned, Array(PageFixture.bytes(Self.stale)[4...])))
    #expect(!contains(cleaned, PageFixture.bytes(UInt64(0xffff_ffff_8100_0010))))
    let (old, new) = (PageFixture.events(of: bytes), PageFixture.events(of: cleaned))
    #expect(new.map(\.time) == old.map(\.time))
    #expect(
      new[0].record
        == PageFixture.queue(
          callsite: replacement(0xffff_ffff_8100_0010), function: replacement(0xffff_ffff_8100_0010),
          csd: replacement(0xffff_8881_0000_0080)))
    #expect(Array(new[1].record.prefix(8)) == Array(old[1].record.prefix(8)))
    #expect(new[2].record[40..<56].elementsEqual(Array("0123456789abcde\0".utf8)))
    #expect(new[2].record[32..<40].elementsEqual(PageFixture.bytes(Int64(-1))))
  }

  @Test func masksAreNoAddresses() throws {
    // All of CPUs 0 to 63: as a number it looks like one.
    let mask: UInt64 = 0xffff_ffff_ffff_0fff
    var page = PageBuilder(timestamp: 1)
    let record = PageFixture.bytes(
      PageFixture.masked, UInt8(0), UInt8(0), Int32(5), UInt32(8 << 16 | 32), UInt32(0), UInt64(0), UInt64(0), mask)
    page.event(record)
    let cleaned = try clean(page.bytes, AddressReplacement(code: [], data: [], symbols: []))
    #expect(PageFixture.events(of: cleaned)[0].record == record)
  }

  @Test func cleaningTwiceChangesNothing() throws {
    var random = RepeatableRandom.forTest()
    let none = AddressReplacement(code: [], data: [], symbols: [])
    for _ in 0..<100 {
      var time: UInt64 = 50
      let page = PageFixture.randomPage(after: &time, &random)
      let once = try clean(page.bytes, none)
      #expect(try clean(once, none) == once, "seed \(random.seed)")
      #expect(PageFixture.events(of: once).map(\.time) == page.times, "seed \(random.seed)")
    }
  }
}

@Suite struct SharedCaptureTests {
  /// No address of the original is left anywhere, in no byte order and not as text, and nothing else changes.
  @Test(arguments: ["host-6.18-2cpu.dat", "guest-6.12-8cpu-hotplug.dat", "guest-6.12-overrun.dat"])
  func noAddressOfTheKernelIsLeft(name: String) throws {
    let directory = TemporaryDirectory()
    let (original, shared) = (Fixtures.path("captures/\(name)"), directory.path + "/shared.dat")
    let summary = try RecordingRecovery.hideAddresses(of: original, in: shared) { _ in }
    let file = try #require(FileDescriptor(opening: original, O_RDONLY))
    let (header, pages) = try TraceFileReader.read(file, path: original)
    let survey = PageSurvey(formats: try RecordedFormats(header.systems), pageSize: header.pageSize, collectsData: true)
    for (cpu, pages) in pages.enumerated() { try survey.take(pages, cpu: cpu) }
    #expect(summary.events == survey.events.values.reduce(0, +))
    let addresses = survey.addresses.union(survey.data)
      .union(KernelSymbols.parse(header.symbols).map(\.address).filter { $0 >> 63 == 1 })
      .filter { $0 < UInt64.max - 4095 }
    #expect(addresses.count > 20)
    let bytes = try #require(TextFile.bytes(shared))
    bytes.withUnsafeBytes { bytes in
      for offset in 0...(bytes.count - 8) {
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        if value >= 0xffff_8000_0000_0000, addresses.contains(value) || addresses.contains(value.byteSwapped) {
          Issue.record("\(String(value, radix: 16)) is left at byte \(offset)")
        }
      }
    }
    let text = String(decoding: bytes.map { $0 < 0x80 ? $0 : 0x20 }, as: UTF8.self)
    for address in addresses { #expect(!text.contains(String(address, radix: 16))) }
    // What trace-cmd makes of both differs in nothing but the addresses that it prints as numbers.
    guard LiveKernel.hasTraceCmd else { return }
    let reports = [original, shared].map { RunningProgram.run("trace-cmd", ["report", "-N", $0])?.output ?? "" }
    #expect(!reports[0].isEmpty)
    #expect(reports[0].replacing(/0x[0-9a-f]+/, with: "") == reports[1].replacing(/0x[0-9a-f]+/, with: ""))
  }
}

private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
  (0...(bytes.count - part.count)).contains { bytes[$0..<$0 + part.count].elementsEqual(part) }
}
