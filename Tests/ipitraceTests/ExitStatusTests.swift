import Glibc
import TestSupport
import Testing
import TraceTypes

/// What scripts learn from ipitrace without reading a word: 0 fine, 1 findings or no output, 2 usage, 3 unreadable input.
@Suite("Exit statuses")
struct ExitStatusTests {
  static let capture = TestFile.packageRoot + "/fixtures/captures/host-6.18-2cpu.dat"

  private func ipitrace(_ arguments: [String]) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([ReportCommandTests.program] + arguments))
  }

  @Test(
    "wrong usage is 2, and says how it should be",
    arguments: [
      ["--bogus"], ["no-such-command"], ["replay"], ["replay", "--bogus"], ["report"],
      ["replay", capture, "--fail-on", "noSuchRule"], ["replay", capture, "--fail-on", "conforms"],
      ["replay", capture, "--cpus", "3-1"], ["replay", capture, "--timeline", "9-1"],
      ["replay", capture, "--json", "-", "--calls", "-"], ["record", "--bogus"], ["record", "--duration", "soon"],
    ])
  func usage(arguments: [String]) throws {
    let run = try ipitrace(arguments)
    #expect(run.status == 2)
    #expect(run.output.isEmpty)
    #expect(run.errorText.hasPrefix("Error: "))
    #expect(run.errorText.contains("Usage: ipitrace"))
  }

  @Test("help and version are asked for, so they are 0 and on standard output")
  func asked() throws {
    for arguments in [["--help"], ["help"], ["help", "replay"], ["record", "--help"], ["report", "--help"]] {
      let run = try ipitrace(arguments)
      #expect(run.status == 0)
      #expect(run.outputText.contains("USAGE: ipitrace"))
      #expect(run.errors.isEmpty)
    }
    let version = try ipitrace(["--version"])
    #expect(version.status == 0)
    #expect(version.outputText.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
  }

  @Test("a trace that can't be read is 3, with one line that names it", arguments: ["missing.dat", "README.md", "."])
  func unreadable(name: String) throws {
    let path = TestFile.packageRoot + "/fixtures/" + name
    let run = try ipitrace(["replay", path])
    #expect(run.status == 3)
    #expect(run.output.isEmpty)
    #expect(run.errorText.hasPrefix("ipitrace replay: \(path) "))
    #expect(run.errors.filter { $0 == UInt8(ascii: "\n") }.count == 1)
  }

  @Test("an output that can't be written is 1, with one sentence", arguments: ["--json", "--html", "--calls"])
  func unwritable(option: String) throws {
    let folder = TemporaryDirectory()
    let reasons = [
      "/dev/full": "No space left on device", folder.path: "Is a directory",
      folder.path + "/no/such/place": "No such file or directory",
    ]
    for (path, reason) in reasons {
      let run = try ipitrace(["replay", Self.capture, option, path])
      #expect(run.status == 1)
      #expect(run.errorText == "ipitrace replay: can't write \(path): \(reason)\n")
    }
    #expect(folder.names == [])
  }

  @Test("a full standard output is 1, with one sentence")
  func fullStandardOutput() throws {
    let program = ReportCommandTests.program
    let script = "exec \"$0\" replay \"$1\" >/dev/full"
    let run = try #require(SpawnedCommand.run(["sh", "-c", script, program, Self.capture]))
    #expect(run.status == 1)
    #expect(run.errorText == "ipitrace replay: can't write standard output: No space left on device\n")
  }

  @Test("--fail-on is 1 only for what was found")
  func failOn() throws {
    for threshold in ["diverges", "undecided", "ranTwice"] {
      let run = try ipitrace(["replay", Self.capture, "--fail-on", threshold, "--json", "/dev/null"])
      #expect(run.status == 0)
    }
    // A trace without a single call lets nobody conclude anything.
    let folder = TemporaryDirectory()
    let path = folder.path + "/idle.dat"
    let idle = TraceEvent(nanoseconds: 1_000, cpu: 0, kind: .cpuIdle)
    try #require(TestFile.write(TraceFileBuilder(events: [idle]).bytes, to: path))
    #expect(try ipitrace(["replay", path]).status == 0)
    let run = try ipitrace(["replay", path, "--fail-on", "diverges", "--fail-on", "undecided"])
    #expect(run.status == 1)
    #expect(!run.output.isEmpty)
    #expect(run.errors.isEmpty)
  }

  @Test("record passes on the status of its command, also where it looks like one of the argument parser's")
  func recordedStatus() throws {
    guard LiveKernel.canRecord else { return }
    let folder = TemporaryDirectory()
    for status in [64, 3, 1, 0] {
      let run = try ipitrace(["record", "-o", folder.path + "/trace.dat", "--", "sh", "-c", "exit \(status)"])
      #expect(run.status == status)
    }
  }
}
