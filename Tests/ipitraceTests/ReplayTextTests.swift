import Glibc
import TestSupport
import Testing

/// `ipitrace replay` with text.
@Suite("ipitrace replay of text")
struct ReplayTextTests {
  static let fixtures = TestFile.packageRoot + "/fixtures/"

  private func replay(_ arguments: [String], input: [UInt8] = []) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([ReportCommandTests.program, "replay"] + arguments, input: input))
  }

  private func report(_ capture: String, _ options: [String]) throws -> [UInt8] {
    let run = try #require(
      SpawnedCommand.run(["trace-cmd", "report", "-i", Self.fixtures + "captures/" + capture] + options))
    return run.output
  }

  /// The parts of two results that do not rest on what only a recorder knows.
  private func parts(_ json: [UInt8]) throws -> [String: JSONValue] {
    let value = try JSONValue.parse(json)
    var result: [String: JSONValue] = [:]
    for name in ["verdict", "kicks", "matrix"] { result[name] = value[name] }
    result["calls"] = value["calls"]["byKind"]
    result["byType"] = value["trace"]["events"]["byType"]
    return result
  }

  @Test(
    "what trace-cmd prints with contexts gives the same verdict as the file",
    arguments: [
      "host-6.18-2cpu.dat", "guest-6.12-8cpu-hotplug.dat", "guest-6.12-idle-poll.dat", "guest-6.12-overrun.dat",
    ])
  func sameVerdict(capture: String) throws {
    let folder = TemporaryDirectory()
    let path = folder.path + "/trace.txt"
    #expect(TestFile.write(try report(capture, ["-l", "-t"]), to: path))
    let binary = try replay([Self.fixtures + "captures/" + capture, "--json", "-"])
    let text = try replay([path, "--complete", "--json", "-"])
    #expect(binary.status == 0 && text.status == 0)
    #expect(try parts(binary.output) == parts(text.output))
    let calls = try replay([path, "--calls", "-"]).outputText.split(separator: "\n")
    #expect(calls.count > 100 && calls.allSatisfy { $0.hasPrefix("{\"kind\":\"") && $0.hasSuffix("]}") })
  }

  @Test("a pipe is read once, and says what is not done for that")
  func pipe() throws {
    let folder = TemporaryDirectory()
    let path = folder.path + "/trace.txt"
    #expect(TestFile.write(try report("guest-6.12-8cpu-hotplug.dat", ["-l", "-t"]), to: path))
    func piped(_ output: String) throws -> SpawnedCommand {
      try #require(
        SpawnedCommand.run([
          "sh", "-c", "cat \"$1\" | \"$2\" replay - \"$3\" -", "sh", path, ReportCommandTests.program, output,
        ]))
    }
    let run = try piped("--json")
    #expect(run.status == 0)
    let json = try JSONValue.parse(run.output)
    #expect(json["verdict"]["result"] == .string("conforms"))
    let names = run.outputText
    #expect(names.contains("\"readAsStream\"") && names.contains("\"recordedEventsUnknown\""))
    let calls = try piped("--calls")
    #expect(calls.outputText.contains("\"comm\":\"ipiload\""))
  }

  @Test("text that holds no event is unreadable, with one line that says what was expected")
  func noText() throws {
    for input in ["", "hello\n", "# tracer: nop\n#\n"] {
      let run = try replay(["-"], input: Array(input.utf8))
      #expect(run.status == 3)
      #expect(run.errorText.hasPrefix("ipitrace replay: - ") && run.errorText.contains("expected"))
      #expect(run.errors.filter { $0 == UInt8(ascii: "\n") }.count == 1)
    }
  }
}
