import TestSupport
import Testing

@Suite("ipitrace replay --dmesg")
struct KernelLogCommandTests {
  private static let trace = TestFile.packageRoot + "/fixtures/captures/host-6.18-2cpu.dat"
  private static let log = """
    [    1.000000] Linux version 6.12.38\r
    <1>[    9.000000] smp: csd: Detected non-responsive CSD lock (#1) on CPU#0, waiting 5000000016 ns for CPU#01 nothing+0x0/0x10(0x0).\r
    [    9.000001] smp: \tcsd: CSD lock (#1) unresponsive.\r
    \u{1b}[31m csd: \u{7} CSD lock (#

    """

  private func replay(_ arguments: String..., input: String = "") throws -> SpawnedCommand {
    try #require(
      SpawnedCommand.run([ReportCommandTests.program, "replay", Self.trace] + arguments, input: Array(input.utf8)))
  }

  @Test("a log on standard input is answered, in text and in JSON")
  func answered() throws {
    let text = try replay("--dmesg", "-", input: Self.log)
    #expect(text.status == 0 && text.errors.isEmpty)
    #expect(text.outputText.contains("line 2: CSD lock #1: CPU 0 waited 5.00 s for CPU 1 to run nothing;"))
    #expect(text.outputText.contains("Not in the trace: the wait began before the trace."))
    #expect(!text.outputText.contains("\u{1b}"))
    let json = try replay("--dmesg", "-", "--json", "-", input: Self.log)
    let reports = try JSONValue.parse(json.output)["blocking"]["kernelReports"]
    #expect(reports[0]["line"] == .integer(2) && reports[0]["absence"] == .string("beforeTrace"))
    #expect(reports[0]["activity"] == .string("unresponsive") && reports[0]["call"] == .null)
  }

  @Test("without a log nothing is said, and an empty log says nothing")
  func nothing() throws {
    #expect(try JSONValue.parse(replay("--json", "-").output)["blocking"]["kernelReports"] == .null)
    #expect(try replay("--dmesg", "/dev/null").outputText.contains("nothing about csd locks"))
  }

  @Test("a log that can't be read is named, with the reason")
  func unreadable() throws {
    let run = try replay("--dmesg", "/nonexistent/log")
    #expect(run.status == 3 && run.output.isEmpty)
    #expect(run.errorText == "ipitrace replay: /nonexistent/log: No such file or directory\n")
  }
}
