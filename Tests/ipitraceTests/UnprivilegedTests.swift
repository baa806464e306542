import Glibc
import TestSupport
import Testing

/// Whatever reads a recording needs no right and nothing of the kernel: it runs as nobody, with no capability, for which tracefs
/// and the kernel's log are out of reach.
@Suite("Without any rights")
struct UnprivilegedTests {
  private static let nobody = "65534"

  /// Whether another user can be become here. Who is not root is unprivileged already.
  private static var canDrop: Bool {
    geteuid() != 0 || SpawnedCommand.run(["setpriv", "--reuid=\(nobody)", "true"])?.status == 0
  }

  /// A directory of nobody's with a copy of the program and of a capture: those in the package may be where nobody can go.
  private static func prepared() throws -> TemporaryDirectory {
    let folder = TemporaryDirectory()
    let files = [ReportCommandTests.program, ExitStatusTests.capture, ReportCommandTests.example]
    let copied = try #require(SpawnedCommand.run(["cp"] + files + [folder.path]))
    try #require(copied.status == 0, "\(copied.errorText)")
    if geteuid() == 0 {
      try #require(SpawnedCommand.run(["chown", "-R", "\(nobody):\(nobody)", folder.path])?.status == 0)
    }
    return folder
  }

  /// Runs the program in the directory as nobody.
  private static func run(_ arguments: [String], in folder: TemporaryDirectory) throws -> SpawnedCommand {
    let drop =
      geteuid() == 0
      ? [
        "setpriv", "--reuid=\(nobody)", "--regid=\(nobody)", "--clear-groups", "--no-new-privs", "--bounding-set=-all",
        "--inh-caps=-all",
      ] : []
    return try #require(
      SpawnedCommand.run(["env", "-C", folder.path] + drop + ["./ipitrace"] + arguments), "can't start setpriv")
  }

  @Test("replay, report, diff and check do all that they do", .enabled(if: canDrop))
  func commands() throws {
    let folder = try Self.prepared()
    let capture = "host-6.18-2cpu.dat"
    let runs: [[String]] = [
      ["replay", capture],
      ["replay", capture, "--json", "a.json", "--html", "a.html", "--calls", "a.calls", "--engine", "llist-2014"],
      ["replay", capture, "--save-costs", "costs.json"],
      ["report", "a.json"], ["report", "a.json", "--html", "b.html"],
      ["report", "example.json"],
      ["diff", "a.json", capture], ["diff", capture, capture, "--json", "diff.json", "--html", "diff.html"],
      ["check", "wait-deadlock"], ["check", "wait-deadlock", "--json", "check.json", "--html", "check.html"],
    ]
    for arguments in runs {
      let run = try Self.run(arguments, in: folder)
      #expect(run.status == 0, "\(arguments): \(run.errorText)")
      #expect(run.errors.isEmpty, "\(arguments): \(run.errorText)")
      #expect(
        arguments.contains("--json") || arguments.contains("--html") || arguments.contains("--save-costs")
          || !run.output.isEmpty)
    }
    let written = [
      "a.json", "a.html", "a.calls", "costs.json", "b.html", "diff.json", "diff.html", "check.json", "check.html",
    ]
    #expect(Set(folder.names).isSuperset(of: written))
    for name in written { #expect(TestFile.read(folder.path + "/" + name)?.isEmpty == false, "\(name)") }
  }

  /// What they say does not depend on who asks.
  @Test("they say the same as to anybody else", .enabled(if: canDrop))
  func sameResult() throws {
    let folder = try Self.prepared()
    for arguments in [["replay", "host-6.18-2cpu.dat", "--json", "-"], ["report", "example.json"]] {
      let own = try #require(SpawnedCommand.run(["env", "-C", folder.path, "./ipitrace"] + arguments))
      let dropped = try Self.run(arguments, in: folder)
      #expect(own.status == 0 && own.output == dropped.output, "\(arguments)")
    }
  }

  /// The test has to be able to fail: what does need rights is refused.
  @Test("they really have none", .enabled(if: geteuid() == 0 && canDrop))
  func recordIsRefused() throws {
    let folder = try Self.prepared()
    let run = try Self.run(["record", "-o", "trace.dat", "--duration", "10ms"], in: folder)
    #expect(run.status != 0 && !run.errors.isEmpty)
    #expect(!folder.names.contains("trace.dat"))
  }
}
