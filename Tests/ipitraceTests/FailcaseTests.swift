import TestSupport
import Testing

/// Inputs that once broke us, each named by what it shows: the program ends, in time and within memory, with a result or with
/// one sentence.
@Suite("Failcases")
struct FailcaseTests {
  static let names = (try? Fixtures.files(in: "failcases", suffix: "")) ?? []

  /// Seconds of processor time, and bytes of memory. A debug build is several times slower than what is shipped.
  private static let seconds = 60
  private static let memory = 2 << 30

  /// How a file is read, by the end of its name; several ways where there are several.
  private static func commands(_ name: String) -> [[String]] {
    let path = Fixtures.path("failcases/" + name)
    let capture = ExitStatusTests.capture
    if name.hasSuffix(".scenario") { return [["check", path, "--memory", "64M"]] }
    if name.hasSuffix(".log") { return [["replay", capture, "--dmesg", path]] }
    if name.hasSuffix(".costs.json") { return [["replay", capture, "--engine", "llist-2014", "--costs", path]] }
    if name.hasSuffix(".json") {
      return [["report", path], ["report", path, "--html", "-"], ["diff", path, path], ["diff", path, capture]]
    }
    return [
      ["replay", path], ["replay", path, "--complete", "--html", "-"], ["replay", path, "--complete", "--calls", "-"],
      ["replay", path, "--complete", "--engine", "generic-2008"], ["replay", path, "--complete", "--perfetto", "-"],
    ]
  }

  @Test("are there, and of a known kind")
  func exist() {
    #expect(!Self.names.isEmpty)
    let known = [".dat", ".txt", ".log", ".json", ".scenario"]
    for name in Self.names where name != "README.md" {
      #expect(known.contains { name.hasSuffix($0) }, "\(name)")
    }
  }

  @Test("end well", arguments: names.filter { $0 != "README.md" })
  func end(name: String) throws {
    for command in Self.commands(name) {
      let limits = ["prlimit", "--cpu=\(Self.seconds)", "--as=\(Self.memory)", ReportCommandTests.program]
      let run = try #require(SpawnedCommand.run(limits + command))
      #expect((0...3).contains(run.status), "\(command): \(run.errorText.suffix(2_000))")
      if run.status == 3 {
        #expect(run.output.isEmpty && run.errors.filter { $0 == UInt8(ascii: "\n") }.count == 1, "\(command)")
        #expect(run.errorText.hasPrefix("ipitrace \(command[0]): "), "\(run.errorText)")
      }
    }
  }

  @Test("end well when they are copied", arguments: names.filter { $0.hasSuffix(".dat") })
  func copied(name: String) throws {
    let folder = TemporaryDirectory()
    let limits = ["prlimit", "--cpu=\(Self.seconds)", "--as=\(Self.memory)", ReportCommandTests.program]
    let command = [
      "record", "--from", Fixtures.path("failcases/" + name), "--no-addresses", "-o", folder.path + "/copy.dat",
    ]
    let run = try #require(SpawnedCommand.run(limits + command))
    // 125 is a recording that could not be made.
    #expect([0, 125].contains(run.status), "\(run.errorText.suffix(2_000))")
    #expect(run.errorText.hasPrefix("ipitrace: ") && (run.status == 0) == (folder.names == ["copy.dat"]))
  }
}
