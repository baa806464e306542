import TestSupport
import Testing

/// `replay --threads`: a matter of speed, and of nothing else.
@Suite("ipitrace replay --threads")
struct ThreadsTests {
  private func replay(_ arguments: [String]) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([ReportCommandTests.program, "replay"] + arguments))
  }

  @Test("one thread and two say the same, byte for byte", arguments: try Fixtures.files(in: "captures", suffix: ".dat"))
  func same(capture: String) throws {
    let folder = TemporaryDirectory()
    let outputs = try ["1", "2"].map { threads in
      let run = try replay([
        Fixtures.path("captures/" + capture), "--threads", threads, "--json", folder.path + "/json", "--calls",
        folder.path + "/calls",
      ])
      #expect(run.status == 0, "\(run.errorText)")
      return try (
        run.output, #require(TestFile.read(folder.path + "/json")), #require(TestFile.read(folder.path + "/calls"))
      )
    }
    #expect(outputs[0] == outputs[1])
    #expect(!outputs[0].1.isEmpty)
  }

  @Test("so do their drawings", arguments: try Fixtures.files(in: "captures", suffix: ".dat"))
  func drawings(capture: String) throws {
    let path = Fixtures.path("captures/" + capture)
    let outputs = try ["1", "2"].map { try replay([path, "--threads", $0, "--perfetto", "-"]).output }
    #expect(outputs[0] == outputs[1] && !outputs[0].isEmpty)
  }

  @Test("with an engine, too")
  func simulation() throws {
    let capture = TestFile.packageRoot + "/fixtures/captures/guest-6.12-8cpu-storm.dat"
    let outputs = try ["1", "2"].map {
      try replay([capture, "--threads", $0, "--engine", "llist-2014", "--json", "-"]).output
    }
    #expect(outputs[0] == outputs[1] && !outputs[0].isEmpty)
  }

  @Test("other numbers are refused", arguments: ["0", "3", "-1", "two"])
  func refused(number: String) throws {
    let run = try replay([TestFile.packageRoot + "/fixtures/captures/guest-6.12-8cpu-storm.dat", "--threads", number])
    #expect(run.status == 2 && run.errorText.contains("threads"))
  }

  @Test("a trace that can't be read to its end is said so with two threads as with one")
  func cut() throws {
    let folder = TemporaryDirectory()
    let bytes = try #require(TestFile.read(TestFile.packageRoot + "/fixtures/captures/guest-6.12-8cpu-hotplug.dat"))
    let path = folder.path + "/cut.dat"
    _ = TestFile.write(Array(bytes.prefix(bytes.count * 3 / 4)), to: path)
    let runs = try ["1", "2"].map { try replay([path, "--threads", $0, "--json", "-"]) }
    #expect(runs[0].status == runs[1].status && runs[0].output == runs[1].output)
    #expect(runs[0].errors == runs[1].errors)
  }
}
