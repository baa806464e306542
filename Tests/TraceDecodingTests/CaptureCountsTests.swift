import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// Real captures, against what trace-cmd reads in the same files.
@Suite struct CaptureCountsTests {
  static let directory: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return parts.joined(separator: "/") + "/fixtures/captures"
  }()

  static let captures = TestEnvironment.names(in: directory).filter { $0.hasSuffix(".dat") }

  /// An event as both sides can tell it.
  struct Line: Hashable {
    var buffer: String
    var cpu: Int
    var name: Substring
    var nanoseconds: UInt64
  }

  /// What `trace-cmd report` prints, taken apart: `[BUFFER:] COMMAND-PID [CPU] SECONDS.NANOSECONDS: EVENT: …`.
  static func reported(_ text: String) -> [Line: Int] {
    var lines: [Line: Int] = [:]
    for line in text.split(separator: "\n") {
      // The command may hold anything, brackets too, so the CPU is found by its form: three digits or more.
      guard let open = line.indices.first(where: { isCPU(line[$0...]) }), let close = line[open...].firstIndex(of: "]"),
        let cpu = Int(line[line.index(after: open)..<close])
      else { continue }
      let rest = line[line.index(after: close)...].split(separator: " ", omittingEmptySubsequences: true)
      // With option -l there would be flags before the time; without it, the time comes first.
      guard rest.count >= 2, rest[0].last == ":", rest[1].last == ":" else { continue }
      let time = rest[0].dropLast().split(separator: ".")
      guard time.count == 2, let seconds = UInt64(time[0]), let fraction = UInt64(time[1]), time[1].count == 9
      else { continue }
      let head = line[..<open].drop { $0 == " " }
      let colon = head.firstIndex(of: ":")
      let buffer = colon.map { head[..<$0] }.flatMap { $0.contains(" ") ? nil : String($0) } ?? ""
      lines[
        Line(buffer: buffer, cpu: cpu, name: rest[1].dropLast(), nanoseconds: seconds * 1_000_000_000 + fraction),
        default: 0] += 1
    }
    return lines
  }

  private static func isCPU(_ text: Substring) -> Bool {
    guard text.first == "[", let close = text.firstIndex(of: "]") else { return false }
    let digits = text[text.index(after: text.startIndex)..<close]
    return digits.count >= 3 && digits.allSatisfy { $0.isASCII && $0.isNumber }
  }

  /// Gathers what we read in the same form.
  struct Gatherer: TraceEventConsumer {
    var buffer: String
    var lines: [Line: Int] = [:]

    mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
      for index in events.indices where events[index].kind != .other {
        let event = events[index]
        lines[
          Line(
            buffer: buffer, cpu: Int(event.cpu), name: Substring(event.kind.name), nanoseconds: event.nanoseconds),
          default: 0] += 1
      }
    }

    mutating func gapBegan(_ gap: TraceGap) {}
  }

  @Test(arguments: captures) func asTraceCmdReadsThem(_ name: String) throws {
    try compare("\(Self.directory)/\(name)")
  }

  /// trace-cmd writes the same trace in other ways; what it wrote and what it reads must agree with what we read.
  @Test(arguments: captures, ["6 none", "7 none", "7 zstd"]) func asTraceCmdConvertsThem(
    _ name: String, _ form: String
  ) throws {
    let parts = form.split(separator: " ")
    let scratch = ScratchFile([])
    let command =
      "trace-cmd convert -i '\(Self.directory)/\(name)' -o '\(scratch.path)' --file-version \(parts[0])"
      + " --compression \(parts[1]) >/dev/null 2>&1"
    try #require(TestEnvironment.output(of: command) != nil, "trace-cmd can't convert \(name); is it installed?")
    try compare(scratch.path)
  }

  private func compare(_ path: String) throws {
    let text = try #require(
      TestEnvironment.output(of: "trace-cmd report -t -i '\(path)' 2>/dev/null"), "trace-cmd is not installed, or fails"
    )
    let theirs = Self.reported(text)
    let file = try TraceFile(path: path)
    var ours: [Line: Int] = [:]
    var counts: [String: UInt64] = [:]
    for buffer in file.buffers {
      let stream = try MergedStream(file: file, buffer: buffer)
      var gatherer = Gatherer(buffer: buffer.name)
      try stream.drain(into: &gatherer)
      ours.merge(gatherer.lines) { $0 + $1 }
      for (cpu, names) in stream.eventCounts {
        for (name, count) in names {
          let short = name.split(separator: ":", maxSplits: 1).last ?? ""
          counts["\(buffer.name)/\(cpu)/\(short)", default: 0] += count
        }
      }
    }
    var theirCounts: [String: UInt64] = [:]
    for (line, count) in theirs { theirCounts["\(line.buffer)/\(line.cpu)/\(line.name)", default: 0] += UInt64(count) }
    #expect(counts == theirCounts)
    #expect(!ours.isEmpty)
    // Times, event by event, of the kinds that we read under their own name.
    let wrong = ours.first { theirs[$0.key] != $0.value }
    #expect(wrong == nil)
  }
}
