import TestSupport
import Testing

/// `replay --engine`, as scripts use it.
@Suite("ipitrace replay --engine")
struct SimulationCommandTests {
  private static let capture = TestFile.packageRoot + "/fixtures/captures/guest-6.12-8cpu-storm.dat"

  private func replay(_ arguments: [String], input: [UInt8] = []) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([ReportCommandTests.program, "replay"] + arguments, input: input))
  }

  private func json(_ arguments: [String]) throws -> [UInt8] {
    let run = try replay([Self.capture] + arguments + ["--json", "-"])
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errorText)")
    return run.output
  }

  @Test("the same input and seed give the same bytes, on one core as on all; another seed, others")
  func deterministic() throws {
    let engines = ["--engine", "generic-2008", "--engine", "llist-2014:none", "--alloc-failure-rate", "0.5"]
    let first = try json(engines + ["--seed", "7"])
    #expect(try json(engines + ["--seed", "7"]) == first)
    #expect(try json(engines + ["--seed", "8"]) != first)
    let pinned = try #require(
      SpawnedCommand.run(
        ["/usr/bin/taskset", "-c", "0", ReportCommandTests.program, "replay", Self.capture] + engines
          + ["--seed", "7", "--json", "-"]))
    #expect(pinned.status == 0 && pinned.output == first)
    let value = try JSONValue.parse(first)
    #expect(value["simulation"]["load"]["seed"] == .integer(7))
    let schema = try JSONValue.parse(
      #require(TestFile.read(TestFile.packageRoot + "/Sources/Reports/Schema/ipitrace-result-1.schema.json")))
    #expect(JSONSchemaValidator(schema: schema).complaints(about: value) == [])
  }

  @Test("the recorded engine is run first, and none twice")
  func candidates() throws {
    let value = try JSONValue.parse(
      json([
        "--engine", "mainline:no-polling", "--engine", "mainline", "--engine", "mainline:no-polling", "--engine",
        "xcall-2022",
      ]))
    let names = (0..<4).map { value["engines"][$0]["engine"] }
    #expect(names == [.string("mainline"), .string("mainline"), .string("xcall-2022"), .null])
    #expect(value["engines"][1]["variant"] == .string("no-polling"))
    #expect(value["simulation"]["calibration"]["engine"] == .string("mainline"))
  }

  @Test(
    "what is scaled stands in the result",
    arguments: [
      (["--copies", "4"], 32, 4), (["--speedup", "10"], 8, 1), (["--cpus-map", "0-3:4-7"], 8, 1),
      (["--cpus-map", "7:20"], 21, 1),
    ])
  func scaled(arguments: [String], cpus: UInt64, copies: UInt64) throws {
    let value = try JSONValue.parse(json(arguments + ["--engine", "llist-2014"]))
    #expect(value["simulation"]["load"]["cpuCount"] == .integer(cpus))
    #expect(value["simulation"]["load"]["copies"] == .integer(copies))
    for engine in 0..<2 {
      let outcome = value["engines"][engine]["outcome"]
      let names = ["ran", "coalescedRequests", "refused", "lost", "deadlocked", "pending", "unknown"]
      let sum = names.reduce(UInt64(0)) { sum, name in
        if case .integer(let count) = outcome["fates"][name] { sum + count } else { .max / 16 }
      }
      #expect(outcome["targets"] == .integer(sum))
    }
  }

  @Test(
    "wrong usage is 2, and says what would be right",
    arguments: [
      (["--engine", "llist-2015"], "llist-2015"), (["--engine", "llist-2014:never"], "llist-2014:never"),
      (["--engine", "llist-2014:none,dying"], "llist-2014:none,dying"), (["--engine", ""], "--engine"),
      (["--engine", "mainline", "--copies", "0"], "--copies is a number from 1 to 1024"),
      (["--engine", "mainline", "--copies", "1025"], "--copies is a number from 1 to 1024"),
      (["--engine", "mainline", "--copies", "two"], "two"),
      (["--engine", "mainline", "--copies", "200"], "more than the 1024 that can be simulated"),
      (["--engine", "mainline", "--speedup", "0"], "--speedup is a factor above 0"),
      (["--engine", "mainline", "--speedup", "nan"], "--speedup is a factor above 0"),
      (["--engine", "mainline", "--speedup", "inf"], "--speedup is a factor above 0"),
      (["--engine", "mainline", "--speedup=-2"], "--speedup is a factor above 0"),
      (["--engine", "mainline", "--cpus-map", "0-3"], "0-3"),
      (["--engine", "mainline", "--cpus-map", "0-3:0-1"], "0-3:0-1"),
      (["--engine", "mainline", "--cpus-map", "0:1024"], "0:1024"),
      (["--engine", "mainline", "--alloc-failure-rate", "1.5"], "--alloc-failure-rate is a share from 0 to 1"),
      (["--engine", "mainline", "--seed=-1"], "-1"), (["--engine", "mainline", "--user-cpus", "9-1"], "9-1"),
    ])
  func usage(arguments: [String], words: String) throws {
    let run = try replay([Self.capture] + arguments)
    #expect(run.status == 2, "\(run.errorText)")
    #expect(run.output.isEmpty)
    #expect(run.errorText.hasPrefix("Error: ") && run.errorText.contains(words), "\(run.errorText)")
  }

  @Test("there is room for 1024 CPUs")
  func manyCPUs() throws {
    let none = TestFile.packageRoot + "/fixtures/captures/guest-6.1-no-csd.dat"
    let run = try replay([none, "--engine", "mainline", "--copies", "256", "--json", "-"])
    #expect(run.status == 0, "\(run.errorText)")
    #expect(try JSONValue.parse(run.output)["simulation"]["load"]["cpuCount"] == .integer(1_024))
  }

  @Test("a pipe can't be read twice, and is refused with a sentence that says so")
  func pipes() throws {
    let folder = TemporaryDirectory()
    let result = folder.path + "/result.json"
    let piped = "cat \"$0\" | \"$1\" replay - --engine mainline --json \"$2\""
    let text = TestFile.packageRoot + "/fixtures/text/guest-6.12-trace.txt"
    let run = try #require(SpawnedCommand.run(["/bin/sh", "-c", piped, text, ReportCommandTests.program, result]))
    #expect(run.status == 2, "\(run.errorText)")
    #expect(run.output.isEmpty)
    #expect(run.errorText.contains("reads the recording twice: it needs a file"), "\(run.errorText)")
    #expect(TestFile.read(result) == nil)
    // A trace file is no stream, with a simulation or without.
    let binary = try #require(
      SpawnedCommand.run(["/bin/sh", "-c", piped, Self.capture, ReportCommandTests.program, result]))
    #expect(binary.status == 3 && binary.output.isEmpty && binary.errorText.contains("save it to a file first"))
    // A file that stands in the place of standard input can be read twice.
    let bytes = try #require(TestFile.read(Self.capture))
    let redirected = try replay(["-", "--engine", "mainline", "--json", "-"], input: bytes)
    #expect(redirected.status == 0 && redirected.errors.isEmpty)
    let (own, named) = (try JSONValue.parse(redirected.output), try JSONValue.parse(json(["--engine", "mainline"])))
    #expect(own["engines"] == named["engines"] && own["simulation"] == named["simulation"])
    let textFile = try replay([text, "--engine", "llist-2014", "--json", "-"])
    #expect(textFile.status == 0 && textFile.errors.isEmpty, "\(textFile.errorText)")
  }
}
