import Glibc
import TestSupport
import Testing
import TraceTypes

@testable import TraceCapture

@Suite struct TraceFileWriterTests {
  /// A file with one CPU that has a page of two events, and one that has none.
  private static func sample() -> (header: TraceFileHeader, page: [UInt8]) {
    var header = TraceFileHeader()
    header.headerPage = Array(
      """
      \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
      \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
      \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
      \tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;

      """.utf8)
    header.headerEvent = Array("# compressed entry header\n".utf8)
    header.systems = [
      (
        "csd",
        [
          Array(
            """
            name: csd_function_entry
            ID: 528
            format:
            \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
            \tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
            \tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
            \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

            \tfield:void * func;\toffset:8;\tsize:8;\tsigned:0;
            \tfield:void * csd;\toffset:16;\tsize:8;\tsigned:0;

            print fmt: "func=%ps, csd=%p", REC->func, REC->csd

            """.utf8)
        ]
      )
    ]
    header.symbols = Array("ffffffff81000000 T do_it\nffffffff81000100 T after_it\n".utf8)
    header.tasks = [42: "worker", 43: "two\nlines"]
    header.statistics = ["entries: 0\noverrun: 5\n", "entries: 0\noverrun: 0\n"]
    header.facts?.enabledEvents = ["csd:csd_function_entry"]
    header.facts?.online = CPUMask([0, 1])
    header.facts?.lostEvents = [0: 5, 1: 0]
    header.clocks = "local global [mono]\n"
    header.system = "Linux"
    header.release = "6.12.8"
    header.machine = "x86_64"

    var page: [UInt8] = []
    func add(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { page.append(contentsOf: $0) }
    }
    add(UInt64(1_000_000_000))
    add(UInt64(2 * 28))
    for (delta, csd) in [(UInt32(0), UInt64(0xffff_8881_0000_1000)), (500_000, 0xffff_8881_0000_2000)] {
      // Type and length in one: 6 words of data.
      add(delta << 5 | 6)
      add(UInt16(528))
      add(UInt16(0))
      add(Int32(42))
      add(UInt64(0xffff_ffff_8100_0010))
      add(csd)
    }
    page += [UInt8](repeating: 0, count: 4096 - page.count)
    return (header, page)
  }

  private static func sampleFile() -> [UInt8] {
    let (header, page) = sample()
    return TraceFileWriter.header(header, pageBytes: [0, UInt64(page.count)]) + page
  }

  @Test func layoutIsThatOfVersion6() throws {
    let file = Self.sampleFile()
    var position = 0
    func take(_ count: Int) throws -> ArraySlice<UInt8> {
      try #require(count >= 0 && position + count <= file.count)
      defer { position += count }
      return file[position..<position + count]
    }
    func text(_ count: Int) throws -> String { String(decoding: try take(count), as: UTF8.self) }
    func number(_ count: Int) throws -> Int { try take(count).reversed().reduce(0) { $0 << 8 | Int($1) } }

    #expect(Array(try take(3)) == [0x17, 0x08, 0x44])
    #expect(try text(9) == "tracing6\0")
    #expect(try number(1) == 0)
    #expect(try number(1) == 8)
    #expect(try number(4) == 4096)
    #expect(try text(12) == "header_page\0")
    #expect(try text(try number(8)).hasPrefix("\tfield: u64 timestamp"))
    #expect(try text(13) == "header_event\0")
    #expect(try text(try number(8)) == "# compressed entry header\n")
    #expect(try number(4) == 0)
    #expect(try number(4) == 1)
    #expect(try text(4) == "csd\0")
    #expect(try number(4) == 1)
    #expect(try text(try number(8)).hasPrefix("name: csd_function_entry\n"))
    #expect(try text(try number(4)).hasSuffix("T after_it\n"))
    #expect(try number(4) == 0)
    #expect(try text(try number(8)) == "42 worker\n43 two lines\n")
    #expect(try number(4) == 2)
    #expect(try text(10) == "options  \0")
    var options: [(Int, String)] = []
    while case let id = try number(2), id != 0 { options.append((id, try text(try number(4)))) }
    #expect(options.map(\.0) == [2, 2, 4, 5, 8])
    #expect(options[0].1 == "CPU: 0\nentries: 0\noverrun: 5\n\0")
    #expect(options[1].1.hasPrefix("CPU: 1\nentries: 0\noverrun: 0\nipitrace.version: 1\n"))
    #expect(CaptureFacts(text: options[1].1) == Self.sample().header.facts)
    #expect(options[2].1 == "local global [mono]\n\0")
    #expect(options[3].1 == "Linux localhost 6.12.8 x86_64\0")
    #expect(Array(options[4].1.utf8) == [2, 0, 0, 0])
    #expect(try text(10) == "flyrecord\0")
    let first = (try number(8), try number(8))
    let second = (try number(8), try number(8))
    #expect(first.1 == 0)
    #expect(first.0 == second.0)
    #expect(second.0 % 4096 == 0)
    #expect(second.1 == 4096)
    #expect(try text(try number(8)) == "[mono]")
    #expect(second.0 - position < 4096)
    #expect(second.0 + second.1 == file.count)
  }

  @Test(.enabled(if: LiveKernel.hasTraceCmd)) func traceCmdReadsIt() throws {
    let directory = TemporaryDirectory()
    let output = try OutputFile(path: directory.path + "/trace.dat")
    try output.append(Self.sampleFile())
    try output.commit()
    let report = try #require(RunningProgram.run("trace-cmd", ["report", directory.path + "/trace.dat"]))
    #expect(report.status == 0)
    #expect(report.errors == "")
    let lines = report.output.split(separator: "\n").filter { $0.contains("csd_function_entry") }
    #expect(lines.count == 2)
    #expect(lines.allSatisfy { $0.contains("worker-42") && $0.contains("[001]") && $0.contains("func=do_it") })
    #expect(lines.first?.contains(" 1.000000:") == true)
    #expect(lines.last?.contains(" 1.000500:") == true)
  }

  /// The facts must outlive every conversion that users make, without a word of warning.
  @Test(.enabled(if: LiveKernel.hasTraceCmd)) func factsSurviveConversion() throws {
    let directory = TemporaryDirectory()
    let original = directory.path + "/v6.dat"
    let output = try OutputFile(path: original)
    try output.append(Self.sampleFile())
    try output.commit()
    let facts = Self.sample().header.facts
    let reported = RunningProgram.run("trace-cmd", ["report", original])?.output
    for (name, source, options) in [
      ("v7.dat", "v6.dat", ["--file-version", "7", "--compression", "none"]),
      ("compressed.dat", "v6.dat", ["--file-version", "7", "--compression", "any"]),
      ("back.dat", "compressed.dat", ["--file-version", "6"]),
    ] {
      let converted = directory.path + "/" + name
      let conversion = RunningProgram.run(
        "trace-cmd", ["convert", "-i", directory.path + "/" + source, "-o", converted] + options)
      #expect(conversion?.status == 0)
      let report = RunningProgram.run("trace-cmd", ["report", converted])
      #expect(report?.output == reported)
      #expect(report?.errors == "")
      let statistics = RunningProgram.run("trace-cmd", ["report", "--stat", converted])?.output
      #expect(CaptureFacts(text: statistics ?? "") == facts)
    }
  }
}
