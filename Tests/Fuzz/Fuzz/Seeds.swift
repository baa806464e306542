import Glibc
import Reports
import TestSupport
import TraceDecoding
import TraceTypes
import Verdicts

@testable import Drivers

/// What fuzzing begins with, made of the fixtures.
enum Seeds {
  struct CannotWrite: Error { var path: String }

  /// Writes a target's seeds into the folder `SEEDS/TARGET`, and the words in them, as a dictionary, to `SEEDS/TARGET.words`.
  static func write(_ target: FuzzTarget, below folder: String) throws {
    let own = "\(folder)/\(target.rawValue)"
    mkdir(folder, 0o755)
    mkdir(own, 0o755)
    let seeds = try seeds(of: target)
    for (number, seed) in seeds.enumerated() { try write(seed, to: "\(own)/seed-\(number)") }
    let dictionary = Set(seeds.flatMap { words(in: $0) }).sorted().prefix(2_000).map { "\"\($0)\"\n" }.joined()
    try write(Array(dictionary.utf8), to: own + ".words")
  }

  private static func write(_ bytes: [UInt8], to path: String) throws {
    guard TestFile.write(bytes, to: path) else { throw CannotWrite(path: path) }
  }

  /// Words of letters: names of fields, keywords.
  private static func words(in bytes: [UInt8]) -> [String] {
    let printable = bytes.split { byte in
      !(byte >= 0x61 && byte <= 0x7a || byte >= 0x41 && byte <= 0x5a || byte == 0x5f || byte == 0x2d)
    }
    return printable.filter { (3...40).contains($0.count) }.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func seeds(of target: FuzzTarget) throws -> [[UInt8]] {
    switch target {
    case .trace: try traces()
    case .pages: try pages()
    case .addresses: try histories().map { try CopyTargets.recording(history: $0) }
    case .formats: try formats()
    case .events, .simulation: try histories().map { try events($0) }
    case .symbols: try symbols()
    case .text, .stream: try texts()
    case .log: [logs, Array(logs.prefix(300)), logsOfTrace]
    case .result:
      try [
        JSONReport.render(SmallTraces.result), Fixtures.bytes("golden/nothing.json"),
        Fixtures.bytes("golden/example.json"),
      ]
    case .costs: try [JSONReport.render(CostRecorder().model.table)]
    case .scenario: try scenarios()
    }
  }

  // MARK: Traces

  private static func histories() throws -> [String] { try Fixtures.files(in: "histories", suffix: ".history") }

  /// Each form of file, of the events of histories and of captures.
  private static func traces() throws -> [[UInt8]] {
    var seeds: [[UInt8]] = []
    let forms: [(Int, Compression)] = [(6, .none), (7, .none), (7, .zlib), (7, .zstd)]
    for (index, history) in try histories().enumerated() {
      var builder = try SmallTraces.builder(history: history)
      (builder.version, builder.compression) = forms[index % 4]
      builder.reversesSections = index % 8 > 3
      // What is packed is mostly lost when one bit of it changes.
      builder.compressesHeader = index % 3 == 0
      builder.printkFormats = "0xffffffff82000000 : \"Rescheduling interrupts\"\n"
      if index % 5 == 0 { builder.buffers.append(.init(name: "second", pageSize: 1024, cpus: builder.buffers[0].cpus)) }
      var facts = CaptureFacts()
      facts.possible = CPUMask([0, 1, 2, 3])
      facts.isolated = CPUMask([2, 3])
      facts.enabledEvents = Set(EventKind.allCases.map(\.qualifiedName)).sorted()
      builder.statistics = ["CPU: 0\nentries: 5\n\(facts.text)"]
      seeds.append(builder.bytes)
    }
    for (index, name) in CapturedTrace.names.enumerated() {
      let trace = try CapturedTrace(fixture: name)
      var builder = TraceFileBuilder(
        events: Array(trace.events.prefix(200)), maskWords: trace.maskWords, version: forms[index % 4].0,
        compression: forms[index % 4].1)
      builder.chunkPages = 1
      seeds.append(builder.bytes)
    }
    return seeds
  }

  private static func pages() throws -> [[UInt8]] {
    try histories().enumerated().map { index, history in
      let builder = try SmallTraces.builder(history: history)
      let cpus = builder.buffers[0].cpus
      var seed: [UInt8] = [UInt8(index % 8), UInt8(max(0, cpus.count - 1)), 3]
      for page in 0..<(cpus.map(\.pages.count).max() ?? 0) {
        for cpu in cpus { seed += page < cpu.pages.count ? cpu.pages[page] : [UInt8](repeating: 0, count: 1024) }
      }
      return seed
    }
  }

  private static func formats() throws -> [[UInt8]] {
    let all = FormatBuilder.linux612.map { Array("\($0.system)\n\($0.text)".utf8) }
    return [Array(all.joined(separator: [0]))] + all
  }

  /// A history's events as the bytes that stand for them, as nearly as that goes.
  private static func events(_ history: String) throws -> [UInt8] {
    let script = try TraceScript(try Fixtures.text("histories/" + history))
    var bytes: [UInt8] = [0, 0]
    var csds: [UInt64] = [0]
    var time: UInt64 = 0
    for event in script.events {
      if !csds.contains(event.csd) { csds.append(event.csd) }
      bytes += FuzzedEvents.bytes(
        of: event, csd: csds.firstIndex(of: event.csd) ?? 0, step: event.nanoseconds - min(time, event.nanoseconds))
      time = event.nanoseconds
    }
    return bytes
  }

  // MARK: Texts

  private static func symbols() throws -> [[UInt8]] {
    var facts = CaptureFacts()
    facts.possible = CPUMask([0, 1, 2, 3, 70])
    facts.isolated = CPUMask([2, 3])
    facts.enabledEvents = ["csd:csd_queue_cpu"]
    facts.lostEvents = [1: 77]
    let header =
      "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
      + "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n"
    return [
      FuzzedEvents.kallsyms + "ffffffffc0000000 t a_function\t[a_module]\nffffffffc0001000 d data\t[a_module]\n",
      "0xffffffff82000000 : \"Rescheduling interrupts\"\n", "1 systemd\n42 a name\n", facts.text, header,
      "[local] global counter\n", "0-3,7,9-12",
    ].map { Array($0.utf8) }
  }

  private static func texts() throws -> [[UInt8]] {
    var seeds: [[UInt8]] = []
    for name in try Fixtures.files(in: "text", suffix: ".txt") {
      let lines = try Fixtures.bytes("text/" + name).split(separator: 0x0a, omittingEmptySubsequences: false)
      for start in [0, lines.count / 2] {
        seeds.append(Array(lines[start...].prefix(40).joined(separator: [0x0a])))
      }
    }
    return seeds
  }

  private static let logs = Array(
    """
    [  105.000123] smp: csd: Detected non-responsive CSD lock (#1) on CPU#0, waiting 5000000016 ns for CPU#01 f+0x0/0x10(0x0).
    [  105.000124] smp: \tcsd: CSD lock (#1) handling prior flush_tlb_func+0x0/0x100(0x0) request.
    [  105.000125] smp: csd: Re-sending CSD lock (#1) IPI from CPU#00 to CPU#01
    [  106.000123] smp: csd: Continued non-responsive CSD lock (#1) on CPU#0, waiting 6000000016 ns for CPU#01 f+0x0/0x10(0x0).
    1,812,107000123,-;smp: csd: CSD lock (#1) unresponsive.
    [  108.000123] smp: csd: CSD lock (#1) got unstuck on CPU#00, CPU#01 released the lock.
    [    1.000000] WARNING: IPI on offline CPU 1
    [    1.000001] IPI callback f+0x0/0x10 sent to offline CPU

    """.utf8)

  /// Of calls that are in the small trace.
  private static let logsOfTrace = Array(
    (1...2).flatMap { cpu in
      ["[    0.001000] ", "[Sat Nov 21 18:31:14 2026] ", ""].map { stamp in
        "\(stamp)smp: csd: Detected non-responsive CSD lock (#\(cpu)) on CPU#0, waiting 10 ns for CPU#0\(cpu) f+0x0/0x10(0x0).\n"
          + "\(stamp)smp: \tcsd: CSD lock (#\(cpu)) handling prior f+0x0/0x100(0x0) request.\n"
      }
    }.joined().utf8)

  private static func scenarios() throws -> [[UInt8]] {
    let files = try Fixtures.files(in: "checks", suffix: ".scenario").map { try Fixtures.bytes("checks/" + $0) }
    let library = [
      ScenarioLibrary.generic2008, ScenarioLibrary.perCPU2009, ScenarioLibrary.crossCall2022, ScenarioLibrary.mainline,
    ]
    let single = library.flatMap { text in
      text.split(separator: "scenario ").prefix(8).map { Array("scenario \($0)".utf8) }
    }
    return files + single
  }
}
