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

  /// The events of one type on one CPU, with enough of their times to notice a single wrong one.
  struct Tally: Equatable {
    var count: UInt64 = 0
    var sumOfTimes: UInt64 = 0
    var first: UInt64 = .max
    var last: UInt64 = 0

    mutating func add(_ nanoseconds: UInt64) {
      count += 1
      sumOfTimes &+= nanoseconds
      first = min(first, nanoseconds)
      last = max(last, nanoseconds)
    }
  }

  /// What `trace-cmd report -t` prints, summed up by `BUFFER/CPU/EVENT`. A line is
  /// `[BUFFER:] COMMAND-PID [CPU] SECONDS.NANOSECONDS: EVENT: …`.
  static func reported(_ text: String, buffers: [String]) -> [String: Tally] {
    var result: [String: Tally] = [:]
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      // The command may hold anything, so the CPU is found by its form: a word of digits in brackets.
      let words = line.split(separator: UInt8(ascii: " "), maxSplits: 12, omittingEmptySubsequences: true)
      let place = words.indices.dropFirst().first { index in
        let word = words[index]
        return word.count >= 5 && word.first == UInt8(ascii: "[") && word.last == UInt8(ascii: "]")
          && word.dropFirst().dropLast().allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      }
      guard let place, place + 2 < words.count, let cpu = Int(Substring(words[place].dropFirst().dropLast())),
        let nanoseconds = time(words[place + 1])
      else { continue }
      let first = Substring(words[0])
      let buffer = first.last == ":" && buffers.contains(String(first.dropLast())) ? first.dropLast() : ""
      let name = Substring(words[place + 2].prefix { $0 != UInt8(ascii: ":") })
      result["\(buffer)/\(cpu)/\(name)", default: Tally()].add(nanoseconds)
    }
    return result
  }

  /// The nanoseconds of `12.345678901:`.
  private static func time(_ word: Substring.UTF8View) -> UInt64? {
    guard word.last == UInt8(ascii: ":") else { return nil }
    let parts = word.dropLast().split(separator: UInt8(ascii: "."))
    guard parts.count == 2, parts[1].count == 9, let seconds = UInt64(Substring(parts[0])),
      let fraction = UInt64(Substring(parts[1]))
    else { return nil }
    return seconds * 1_000_000_000 + fraction
  }

  /// Sums up what we read in the same way.
  struct Gatherer: TraceEventConsumer {
    var tallies: [Int: Tally] = [:]

    mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
      for index in events.indices {
        let event = events[index]
        tallies[Int(event.cpu) << 8 | Int(event.kind.rawValue), default: Tally()].add(event.nanoseconds)
      }
    }

    mutating func gapBegan(_ gap: TraceGap) {}
  }

  @Test(arguments: captures) func asTraceCmdReadsThem(_ name: String) throws {
    try compare("\(Self.directory)/\(name)")
  }

  /// trace-cmd writes the same trace in other ways; what it wrote and what it reads must agree with what we read.
  @Test(arguments: captures, ["6 none", "7 none", "7 zstd"])
  func asTraceCmdConvertsThem(_ name: String, _ form: String) throws {
    let parts = form.split(separator: " ")
    let scratch = ScratchFile([])
    let command =
      "trace-cmd convert -i '\(Self.directory)/\(name)' -o '\(scratch.path)' --file-version \(parts[0])"
      + " --compression \(parts[1]) >/dev/null 2>&1"
    try #require(TestEnvironment.output(of: command) != nil, "trace-cmd can't convert \(name); is it installed?")
    try compare(scratch.path)
  }

  private func compare(_ path: String) throws {
    let file = try TraceFile(path: path)
    let text = try #require(
      TestEnvironment.output(of: "trace-cmd report -t -i '\(path)' 2>/dev/null"),
      "trace-cmd is not installed, or fails")
    let theirs = Self.reported(text, buffers: file.buffers.map(\.name))
    #expect(!theirs.isEmpty)

    var counts: [String: UInt64] = [:]
    for buffer in file.buffers {
      let stream = try MergedStream(file: file, buffer: buffer)
      var gatherer = Gatherer()
      try stream.drain(into: &gatherer)
      for (cpu, names) in stream.eventCounts {
        for (name, count) in names {
          counts["\(buffer.name)/\(cpu)/\(name.split(separator: ":", maxSplits: 1).last ?? "")", default: 0] += count
        }
      }
      for (key, tally) in gatherer.tallies {
        // Events of other types share one kind here; those whose kind comes from a reason have another name there.
        guard let kind = EventKind(rawValue: UInt8(truncatingIfNeeded: key)), kind != .other else { continue }
        guard let their = theirs["\(buffer.name)/\(key >> 8)/\(kind.name)"] else { continue }
        #expect(tally == their, "\(buffer.name) CPU \(key >> 8) \(kind.name)")
      }
    }
    #expect(counts == theirs.mapValues(\.count))
  }
}
