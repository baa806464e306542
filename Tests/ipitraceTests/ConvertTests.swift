import TestSupport
import Testing

/// `ipitrace replay` as a program, on the captures and on what `trace-cmd convert` makes of them.
@Suite("ipitrace replay") struct ConvertTests {
  static let captures = (try? Fixtures.files(in: "captures", suffix: ".dat")) ?? []
  static let hasTraceCmd = SpawnedCommand.run(["trace-cmd", "--version"]) != nil

  static func schema(_ name: String) throws -> JSONSchemaValidator {
    let bytes = try #require(TestFile.read(TestFile.packageRoot + "/Sources/Reports/Schema/" + name))
    return JSONSchemaValidator(schema: try JSONValue.parse(bytes))
  }

  func replay(_ arguments: String...) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([ReportCommandTests.program, "replay"] + arguments))
  }

  private func number(_ value: JSONValue) throws -> UInt64 {
    guard case .integer(let number) = value else {
      Issue.record("no number: \(value)")
      return 0
    }
    return number
  }

  @Test("the same JSON whatever version and compression the file has", .enabled(if: hasTraceCmd), arguments: captures)
  func convertedFilesGiveTheSameResult(_ name: String) throws {
    let original = try replay(Fixtures.path("captures/" + name), "--json", "-")
    try #require(original.status == 0, "\(original.errorText)")
    #expect(original.output.count > 1_000)
    for (version, compression) in [("6", "none"), ("7", "none"), ("7", "zstd")] {
      let scratch = ScratchFile([])
      let conversion = SpawnedCommand.run([
        "trace-cmd", "convert", "-i", Fixtures.path("captures/" + name), "-o", scratch.path, "--file-version", version,
        "--compression", compression,
      ])
      let file = try #require(conversion)
      try #require(file.status == 0, "trace-cmd can't convert to \(version) \(compression): \(file.errorText)")
      // The files differ, or the test says nothing.
      if version == "7" {
        #expect(TestFile.read(scratch.path) != TestFile.read(Fixtures.path("captures/" + name)))
      }
      let converted = try replay(scratch.path, "--json", "-")
      #expect(converted.status == 0, "\(converted.errorText)")
      #expect(converted.output == original.output, "\(name) as version \(version) \(compression)")
    }
  }

  @Test("every result is valid, and counts the events that trace-cmd reads", arguments: captures)
  func resultsAreValid(_ name: String) throws {
    let run = try replay(Fixtures.path("captures/" + name), "--json", "-")
    try #require(run.status == 0, "\(run.errorText)")
    let result = try JSONValue.parse(run.output)
    let complaints = try Self.schema("ipitrace-result-1.schema.json").complaints(about: result)
    #expect(complaints.isEmpty, "\(complaints.prefix(5))")
    #expect(run.errors.isEmpty)

    guard Self.hasTraceCmd else { return }
    // The fixtures hold one instance, whose name trace-cmd puts in front of the lines; an event ends at the first ": ".
    let report = try #require(
      SpawnedCommand.run(["trace-cmd", "report", "-t", "-i", Fixtures.path("captures/" + name)]))
    var counts: [String: UInt64] = [:]
    for line in report.outputText.split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      guard let time = words.firstIndex(where: { $0.hasSuffix(":") && $0.contains(".") && $0.first?.isNumber == true }),
        time + 1 < words.count, words[time + 1].hasSuffix(":")
      else { continue }
      counts[String(words[time + 1].dropLast()), default: 0] += 1
    }
    guard case .object(let byType) = result["trace"]["events"]["byType"] else {
      Issue.record("no byType")
      return
    }
    var ours: [String: UInt64] = [:]
    for (key, value) in byType {
      ours[String(key.split(separator: ":").last ?? ""), default: 0] += try number(value)
    }
    #expect(ours == counts)
    #expect(try number(result["trace"]["events"]["total"]) == counts.values.reduce(0, +))
  }

  @Test("every call is one valid line, in time order, and none is missing", arguments: captures)
  func callLines(_ name: String) throws {
    let path = Fixtures.path("captures/" + name)
    let lines = try replay(path, "--calls", "-")
    try #require(lines.status == 0, "\(lines.errorText)")
    let result = try JSONValue.parse(try replay(path, "--json", "-").output)
    let schema = try Self.schema("ipitrace-calls-1.schema.json")
    var count: UInt64 = 0
    var queued: UInt64 = 0
    var latest: UInt64 = 0
    var wrong: [String] = []
    for line in lines.output.split(separator: UInt8(ascii: "\n")) {
      let call = try JSONValue.parse(Array(line))
      wrong += schema.complaints(about: call)
      count += 1
      guard case .array(let targets) = call["targets"] else { continue }
      var first: UInt64?
      for target in targets {
        if case .integer(let time) = target["queuedNanoseconds"] {
          queued += 1
          first = min(first ?? time, time)
        } else if case .integer(let time) = target["startedNanoseconds"] {
          first = min(first ?? time, time)
        }
      }
      // A call begins with its first queue event, or with its local run where nothing was queued.
      let began = try #require(first, "a call without any time: \(call)")
      if began < latest { wrong.append("\(began) after \(latest)") }
      latest = began
    }
    #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(5))")
    #expect(lines.output.isEmpty || lines.output.last == UInt8(ascii: "\n"))
    #expect(try count == number(result["calls"]["total"]))
    #expect(try queued == number(result["verdict"]["accounting"]["queued"]))
  }

  @Test("--fail-on chooses what is a failure")
  func failOn() throws {
    let path = Fixtures.path("captures/guest-6.12-8cpu-hotplug.dat")
    for harmless in ["diverges", "undecided", "lostCallback", "kickMissing"] {
      #expect(try replay(path, "--fail-on", harmless).status == 0, "\(harmless)")
    }
    #expect(try replay(path, "--fail-on", "diverges", "--fail-on", "undecided", "--json", "/dev/null").status == 0)
    #expect(try replay(path, "--fail-on", "conforms").status == 2)
    #expect(try replay(path, "--fail-on", "nonsense").status == 2)
    #expect(try replay(path, "--json", "-", "--calls", "-").status == 2)
    #expect(try replay("/dev/null").status == 3)
    let missing = try replay("/nowhere.dat")
    #expect(missing.status == 3 && missing.output.isEmpty)
    #expect(missing.errors.count { $0 == UInt8(ascii: "\n") } == 1)
  }
}
