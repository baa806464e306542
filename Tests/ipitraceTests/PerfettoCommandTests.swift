import Glibc
import TestSupport
import Testing

/// `ipitrace replay --perfetto`.
@Suite("ipitrace replay --perfetto")
struct PerfettoCommandTests {
  private func replay(_ arguments: [String]) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([ReportCommandTests.program, "replay"] + arguments))
  }

  /// What the lines of `--calls` say that can be drawn.
  private struct Calls {
    var count = 0
    /// Callbacks that were seen to begin, behind their queue event.
    var arrows = 0

    init(_ output: String) throws {
      for line in output.split(separator: "\n") {
        let call = try JSONValue.parse(Array(line.utf8))
        count += 1
        for target in elements(call["targets"]) {
          guard case .integer(let queued) = target["queuedNanoseconds"],
            case .integer(let started) = target["startedNanoseconds"], started > queued,
            target["reason"] != .string("inferredFromFlush")
          else { continue }
          arrows += 1
        }
      }
    }
  }

  @Test(
    "of every recording slices nest, arrows have both ends, and every call is there",
    arguments: try Fixtures.files(in: "captures", suffix: ".dat").map { "captures/" + $0 }
      + Fixtures.files(in: "text", suffix: ".txt").map { "text/" + $0 })
  func recordings(name: String) throws {
    let path = Fixtures.path(name)
    let drawn = try replay([path, "--perfetto", "-"])
    #expect(drawn.status == 0 && drawn.errors.isEmpty, "\(drawn.errorText)")
    let trace = try PerfettoTrace(drawn.output)
    let slices = try trace.slices()
    let calls = try Calls(try replay([path, "--calls", "-"]).outputText)
    #expect(slices.filter { $0.event.categories == ["call"] }.count == calls.count)
    for slice in slices {
      guard let end = slice.end, end >= slice.event.time else {
        Issue.record("\(slice.event) ends before it begins")
        continue
      }
    }
    let arrows = try trace.arrows()
    #expect(arrows.count == calls.arrows)
    for (from, to) in arrows {
      guard from.name == to.name, from.time < to.time, trace.name(ofTrackOf: from).hasSuffix("calls") else {
        Issue.record("\(from) to \(to)")
        continue
      }
    }
    let result = try JSONValue.parse(try replay([path, "--json", "-"]).output)
    let verdict = try #require(trace.events.first { $0.name.hasPrefix("verdict: ") })
    #expect(JSONValue.string(String(verdict.name.dropFirst(9))) == result["verdict"]["result"])
    let findings = trace.events.filter { $0.categories == ["finding"] }
    #expect(findings.count == 1 + elements(result["verdict"]["divergences"]).count)
    let lossWindows = elements(result["verdict"]["lossWindows"])
    #expect(slices.filter { $0.event.categories == ["lost"] }.count == lossWindows.count)
  }

  @Test("an engine's simulation, and the lines of calls, come with it")
  func together() throws {
    let folder = TemporaryDirectory()
    let capture = Fixtures.path("captures/guest-6.12-8cpu-storm.dat")
    let (drawing, lines) = (folder.path + "/drawing", folder.path + "/calls")
    let alone = try replay([capture, "--perfetto", "-"])
    let plain = try replay([capture, "--calls", "-"])
    for more in [[], ["--engine", "llist-2014"]] {
      let run = try replay([capture, "--perfetto", drawing, "--calls", lines] + more)
      #expect(run.status == 0 && !run.output.isEmpty, "\(run.errorText)")
      #expect(TestFile.read(drawing) == alone.output && TestFile.read(lines) == plain.output)
    }
    #expect(folder.names == ["calls", "drawing"])
  }

  @Test("a trace cut short, and one that can't be read, leave no half a drawing")
  func whole() throws {
    let folder = TemporaryDirectory()
    let bytes = try #require(TestFile.read(Fixtures.path("captures/guest-6.12-8cpu-hotplug.dat")))
    let (path, drawing) = (folder.path + "/cut.dat", folder.path + "/drawing")
    for length in [bytes.count * 3 / 4, 100] {
      folder.write("before", to: "drawing")
      _ = TestFile.write(Array(bytes.prefix(length)), to: path)
      let run = try replay([path, "--perfetto", drawing])
      let written = try #require(TestFile.read(drawing))
      if run.status == 0 { _ = try PerfettoTrace(written).slices() } else { #expect(written == Array("before".utf8)) }
      #expect(run.status == 0 || run.status == 3)
      #expect(folder.names == ["cut.dat", "drawing"])
    }
    let full = try replay([Fixtures.path("captures/guest-6.12-8cpu-hotplug.dat"), "--perfetto", "/dev/full"])
    #expect(full.status == 1 && full.errorText.contains("/dev/full"))
  }

  @Test("a clock that counts no nanoseconds is warned of, once, and on standard error")
  func cycles() throws {
    let folder = TemporaryDirectory()
    let events = try TraceScript(
      """
      10 0 switch
      20 0 queue 1 f c1
      21 0 ipi 1
      30 1 handler
      31 1h run f c1
      32 1h done f c1
      33 1 return
      40 1 switch
      """
    ).events
    for (clock, isWarnedOf) in [("x86-tsc", true), ("mono", false)] {
      var builder = TraceFileBuilder(events: events, version: 7)
      builder.clockText = "[\(clock)]\n"
      builder.buffers[0].clock = clock
      let path = folder.path + "/trace.dat"
      try #require(TestFile.write(builder.bytes, to: path))
      let run = try replay([path, "--perfetto", "-"])
      #expect(run.status == 0)
      #expect(run.errorText.contains("x86-tsc does not count nanoseconds") == isWarnedOf, "\(run.errorText)")
      #expect(run.errors.filter { $0 == UInt8(ascii: "\n") }.count == (isWarnedOf ? 1 : 0))
      let trace = try PerfettoTrace(run.output)
      #expect(try trace.slices().filter { $0.depth == 1 }.map(\.event.time) == [31])
      #expect(trace.tracks.values.contains { $0.description?.contains("ticks") == isWarnedOf })
    }
  }

  @Test("only one output goes to standard output")
  func oneOutput() throws {
    let run = try replay([Fixtures.path("captures/host-6.18-2cpu.dat"), "--perfetto", "-", "--calls", "-"])
    #expect(run.status == 2)
  }
}

private func elements(_ list: JSONValue) -> [JSONValue] { if case .array(let elements) = list { elements } else { [] } }
