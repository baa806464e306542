import TestSupport
import Testing
import TraceTypes

/// The command as scripts use it, on recordings whose loads are known.
@Suite("ipitrace diff")
struct DiffCommandTests {
  private static let names = [
    "flush_tlb_func", "ipi_mb", "nohz_csd_func", "generic_exec_single", ScriptNames.crossCall,
  ]

  /// A trace file of a load, with what ipitrace's recorder writes into one.
  private static func recording(
    _ seed: UInt64, isolated: CPUMask? = nil, _ change: (inout SyntheticLoad) -> Void = { _ in }
  ) -> [UInt8] {
    var load = SyntheticLoad(shape: .even)
    change(&load)
    var random = RepeatableRandom(seed: seed)
    var events: [TraceEvent] = []
    // Pages want each CPU's events in the order of time.
    for event in load.events(&random).sorted(by: { $0.nanoseconds < $1.nanoseconds }) { events.append(event) }
    var builder = TraceFileBuilder(events: events)
    builder.kallsyms = names.map { (ScriptNames.address(of: $0), $0) }.sorted { $0.0 < $1.0 }.map {
      "\(String($0.0, radix: 16)) T \($0.1)\n"
    }.joined()
    var facts = CaptureFacts()
    facts.enabledEvents = SyntheticLoad.kinds.map(\.qualifiedName).sorted()
    facts.online = CPUMask(0..<load.cpuCount)
    facts.recorded = facts.online
    facts.isolated = isolated
    builder.statistics = [facts.text]
    return builder.bytes
  }

  private struct Files {
    let folder = TemporaryDirectory()

    func path(_ name: String) -> String { folder.path + "/" + name }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
      try #require(TestFile.write(bytes, to: path(name)))
      return path(name)
    }
  }

  private func diff(_ arguments: String..., input: [UInt8] = []) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([ReportCommandTests.program, "diff"] + arguments, input: input))
  }

  private static func doubled(_ load: inout SyntheticLoad) { load.sources[1].callsPerSecond *= 3 }

  @Test("finds which callback is called more often, and says so in the exit status")
  func findsTheCallback() throws {
    let files = Files()
    let before = try files.write(Self.recording(1), "before.dat")
    let after = try files.write(Self.recording(2, Self.doubled), "after.dat")
    let plain = try diff(before, after)
    #expect(plain.status == 0 && plain.errors.isEmpty)
    #expect(plain.outputText.contains(/▲  ipi_mb +calls/))
    #expect(!plain.outputText.contains(/▲  flush_tlb_func +calls/))
    for (rule, status) in [
      ("calls(ipi_mb)>50%", 1), ("calls(ipi_mb)>900%", 0), ("calls(flush_tlb_func)>0", 0), ("calls(*)>50%", 1),
      ("p50>5%", 0), ("diverges", 0), ("calls>10%", 1),
    ] as [(String, Int32)] {
      let run = try diff(before, after, "--fail-on", rule, "--json", "/dev/null")
      #expect(run.status == status, "\(rule): \(run.outputText)")
      // Of `*`, there is something with too few calls.
      #expect(run.errors.isEmpty || rule.contains("*"))
    }
    let both = try diff(before, after, "--fail-on", "p50>5%", "--fail-on", "calls(ipi_mb)>50%")
    #expect(both.status == 1)
    #expect(both.outputText.contains("✗ calls(ipi_mb)>50%: fires: calls of ipi_mb +"))
    #expect(both.outputText.contains("✓ p50>5%: holds"))
    // The other way round it is less, and a rule is about more.
    #expect(try diff(after, before, "--fail-on", "calls(ipi_mb)>0").status == 0)
  }

  @Test("a recording does not differ from itself, nor from another one of the same load")
  func same() throws {
    let files = Files()
    let first = try files.write(Self.recording(1), "first.dat")
    let second = try files.write(Self.recording(3), "second.dat")
    for other in [first, second] {
      let run = try diff(first, other, "--fail-on", "calls(*)>0", "--fail-on", "interference(*)>0")
      #expect(run.status == 0)
      #expect(run.outputText.hasPrefix("≈ No difference that chance does not explain\n"))
    }
    let capture = ExitStatusTests.capture
    #expect(try diff(capture, capture, "--fail-on", "calls(*)>0", "--fail-on", "diverges").status == 0)
  }

  @Test("the same input and seed give the same bytes, which are valid; another seed, others")
  func deterministic() throws {
    let files = Files()
    let before = try files.write(Self.recording(1), "before.dat")
    let after = try files.write(Self.recording(2, Self.doubled), "after.dat")
    let schema = try JSONValue.parse(
      #require(TestFile.read(TestFile.packageRoot + "/Sources/Reports/Schema/ipitrace-diff-1.schema.json")))
    let validator = JSONSchemaValidator(schema: schema)
    var outputs: [[UInt8]] = []
    for seed in ["7", "7", "8"] {
      let run = try diff(before, after, "--json", "-", "--seed", seed, "--fail-on", "calls>5%")
      #expect(run.status == 1)
      #expect(validator.complaints(about: try JSONValue.parse(run.output)) == [])
      outputs.append(run.output)
    }
    #expect(outputs[0] == outputs[1])
    #expect(outputs[0] != outputs[2])
    let pages = try (0..<2).map { _ in try diff(before, after, "--html", "-").output }
    #expect(pages[0] == pages[1] && String(decoding: pages[0], as: UTF8.self).hasSuffix("</html>\n"))
    let value = try JSONValue.parse(outputs[0])
    #expect(value["resampling"]["seed"] == .integer(7))
    #expect(value["rules"][0]["result"] == .string("fired"))
  }

  @Test("a saved result has the numbers, and is not judged")
  func savedResult() throws {
    let files = Files()
    let before = try files.write(Self.recording(1), "before.dat")
    let after = try files.write(Self.recording(2, Self.doubled), "after.dat")
    let saved = files.path("after.json")
    try #require(SpawnedCommand.run([ReportCommandTests.program, "replay", after, "--json", saved])?.status == 0)
    let run = try diff(before, saved, "--fail-on", "calls>0")
    #expect(run.status == 0)
    #expect(run.outputText.hasPrefix("? Nothing could be judged\n"))
    #expect(
      run.errorText
        == "ipitrace diff: calls>0 was not judged: a saved result does not tell by how much it varies\n")
    let bytes = try #require(TestFile.read(saved))
    let piped = try diff(before, "-", "--json", "-", input: bytes)
    #expect(piped.status == 0)
    let value = try JSONValue.parse(piped.output)
    #expect(value["after"]["form"] == .string("savedResult"))
    #expect(value["total"][0]["after"]["count"] != .null)
    #expect(try diff(saved, saved).status == 0)
  }

  @Test("watched CPUs are those that are named, or isolated")
  func interference() throws {
    let files = Files()
    let before = try files.write(Self.recording(1, isolated: CPUMask([3])), "before.dat")
    let after = try files.write(
      Self.recording(2, isolated: CPUMask([3])) { $0.sources[0].callsPerSecond *= 4 }, "after.dat")
    let named = try diff(before, after, "--cpus", "1-2", "--fail-on", "interference>10%")
    #expect(named.status == 1)
    let words = named.outputText.replacing(/\n +/, with: " ")
    #expect(words.contains("handlers of CPU 1") && !words.contains(/of CPU 3 \+/))
    let isolated = try diff(before, after, "--fail-on", "interference>10%")
    #expect(isolated.status == 1)
    #expect(isolated.outputText.contains(/fires:.* of CPU 3/))
    #expect(try diff(before, after, "--cpus", "77", "--fail-on", "interference>0").status == 0)
  }

  @Test(
    "wrong usage is 2",
    arguments: [
      [], ["a"], ["a", "b", "c"], ["a", "b", "--fail-on", "calls"], ["a", "b", "--fail-on", "calls>5"], ["-", "-"],
      ["a", "b", "--json", "-", "--html", "-"], ["a", "b", "--seed", "-1"], ["a", "b", "--cpus", "x"],
    ])
  func usage(arguments: [String]) throws {
    let run = try #require(SpawnedCommand.run([ReportCommandTests.program, "diff"] + arguments))
    #expect(run.status == 2)
    #expect(run.output.isEmpty)
    #expect(run.errorText.hasPrefix("Error: "))
  }

  @Test("an input that can't be read is 3, with one line that names it")
  func unreadable() throws {
    let files = Files()
    let good = try files.write(Self.recording(1), "good.dat")
    let newer = try files.write(Array(" {\"schema\": \"ipitrace-result/2\"}".utf8), "newer.json")
    for bad in [files.path("missing.dat"), TestFile.packageRoot + "/fixtures/README.md", newer, files.folder.path] {
      for arguments in [[good, bad], [bad, good]] {
        let run = try #require(SpawnedCommand.run([ReportCommandTests.program, "diff"] + arguments))
        #expect(run.status == 3)
        #expect(run.output.isEmpty)
        #expect(run.errorText.hasPrefix("ipitrace diff: ") && run.errorText.contains(bad))
        #expect(run.errors.filter { $0 == UInt8(ascii: "\n") }.count == 1)
      }
    }
    let empty = try diff(good, "-")
    #expect(empty.status == 3 && empty.errorText.contains("standard input"))
  }

  @Test("an output that can't be written is 1, with one sentence", arguments: ["--json", "--html"])
  func unwritable(option: String) throws {
    let capture = ExitStatusTests.capture
    for (path, reason) in ["/dev/full": "No space left on device", "/no/such/place": "No such file or directory"] {
      let run = try diff(capture, capture, option, path)
      #expect(run.status == 1)
      #expect(run.errorText == "ipitrace diff: can't write \(path): \(reason)\n")
    }
  }
}
