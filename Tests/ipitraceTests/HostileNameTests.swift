import Glibc
import TestSupport
import Testing

/// Names that try to get out: whoever shows them shows them as text, whoever passes them on passes on the same names.
@Suite("Hostile names")
struct HostileNameTests {
  /// A folder whose own name is hostile, with the inputs of all kinds in it.
  private final class Inputs {
    let folder = TemporaryDirectory()
    let place: String
    var capture: String { place + "/trace.dat" }
    var result: String { place + "/result.json" }
    var log: String { place + "/kernel.log" }
    var text: String { place + "/trace.txt" }

    init() throws {
      place = folder.path + "/\u{1b}[31m\u{202e}<b>'\n\u{9b}2J"
      try #require(mkdir(place, 0o700) == 0)
      try #require(TestFile.write(HostileNames.capture, to: capture))
      try #require(TestFile.write(HostileNames.log, to: log))
      try #require(TestFile.write(HostileNames.text, to: text))
    }

    /// Saves a result, for those who read one.
    func saveResult() throws {
      let run = try HostileNameTests.run(["replay", capture, "--complete", "--json", result])
      try #require(run.status == 0, "\(run.errorText)")
    }
  }

  private static func run(_ arguments: [String], input: [UInt8] = []) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([ReportCommandTests.program] + arguments, input: input))
  }

  /// What a terminal or a reader's eye would obey in an output: nothing, if all is well.
  private static func obeyed(_ bytes: [UInt8]) -> [String] {
    guard let text = String(validating: bytes, as: UTF8.self) else { return ["no UTF-8"] }
    var result: [String] = []
    for scalar in text.unicodeScalars where scalar != "\n" {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
        result.append(String(scalar.value, radix: 16))
      default:
        if scalar.properties.isDefaultIgnorableCodePoint { result.append(String(scalar.value, radix: 16)) }
      }
    }
    return result
  }

  /// Whether letters that are written from right to left are there as themselves.
  private static func turns(_ bytes: [UInt8]) -> Bool {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.contains { (0x590...0x8ff).contains($0.value) }
  }

  // MARK: Text

  @Test("in text they are shown, and nothing of them is obeyed")
  func text() throws {
    let inputs = try Inputs()
    try inputs.saveResult()
    let commands = [
      ["replay", inputs.capture, "--complete"], ["replay", inputs.capture, "--complete", "--dmesg", inputs.log],
      ["replay", inputs.capture, "--complete", "--engine", "generic-2008"], ["dump", inputs.capture],
      ["report", inputs.result], ["diff", inputs.capture, inputs.result, "--complete"], ["replay", inputs.text],
      ["replay", inputs.text, "--complete"], ["check", Fixtures.path("checks/hostile.scenario")],
    ]
    for command in commands {
      let run = try Self.run(command)
      #expect(run.status == 0 || run.status == 1, "\(command): \(run.errorText)")
      #expect(Self.obeyed(run.output) == [] && !Self.turns(run.output), "\(command)")
      #expect(Self.obeyed(run.errors) == [], "\(command)")
      // Not left out either.
      if command.count > 1, command[1] == inputs.capture, command[0] == "replay" {
        #expect(run.outputText.contains("<script>window.__fromTrace=1</script>"), "\(command)")
        #expect(run.outputText.contains("\\u{1b}[31mred"), "\(command)")
        #expect(run.outputText.contains("safe\\u{202e}txt.exe"), "\(command)")
      }
    }
    let dump = try Self.run(["dump", inputs.capture]).outputText
    for part in ["\\u{1b}[31mred", "\\u{202e}txt", "\\u{fffd}", "\\u{9b}31m", "next_comm=\\u{1b}]0;x\\u{7}\\u{9b}"] {
      #expect(dump.contains(part), "\(part)")
    }
  }

  @Test("in complaints as well, where they are the user's own files and words")
  func complaints() throws {
    let inputs = try Inputs()
    let none = inputs.place + "/none/\u{85}\u{2028}\u{e0041}"
    let broken = inputs.place + "/broken"
    let word = "\u{1b}]0;title\u{7}\u{202e}"
    try #require(
      TestFile.write(Array("{\"schema\": \"ipitrace-result/1\", \"\u{1b}[1m\u{202e}\": [\"\u{9b}\" x".utf8), to: broken)
    )
    let scenario = inputs.place + "/a.scenario"
    try #require(TestFile.write(Array("scenario x\n\(word) \u{9b}\n".utf8), to: scenario))
    let costs = inputs.place + "/costs.json"
    let item = "{\"name\": \"\\u001b[1m\(word.dropFirst())\u{9b}\"}"
    try #require(TestFile.write(Array("{\"schema\": \"ipitrace-costs/1\", \"items\": [\(item)]}".utf8), to: costs))
    let other = inputs.place + "/other.json"
    try #require(TestFile.write(Array("{\"schema\": \"\\u001b[1m\\u202e\"}".utf8), to: other))
    let example = ReportCommandTests.example
    let capture = ExitStatusTests.capture
    let commands: [([String], Int)] = [
      (["replay", none], 3), (["dump", none], 3), (["report", none], 3), (["diff", none, example], 3),
      (["check", none + "/x.scenario"], 3), (["replay", inputs.log], 3), (["report", broken], 3),
      (["report", other], 3), (["diff", broken, example], 3), (["check", scenario], 3),
      (["replay", capture, "--engine", "llist-2014", "--costs", costs], 3),
      (["replay", capture, "--engine", "llist-2014", "--costs", none], 3),
      (["replay", capture, "--dmesg", none], 3), (["replay", capture, "--json", none], 1),
      (["replay", capture, "--html", none], 1), (["replay", capture, "--calls", none], 1),
      (["replay", capture, "--perfetto", none], 1),
      (["report", example, "--html", none], 1), (["diff", example, example, "--json", none], 1),
      (["replay", capture, "--\(word)"], 2), ([word], 2), (["replay", capture, word], 2),
      (["replay", capture, "--fail-on", word], 2), (["replay", capture, "--engine", word], 2),
      (["replay", capture, "--cpus", word], 2), (["diff", example, example, "--fail-on", word], 2),
      (["check", word], 2), (["check", "mainline", "--cpu", word], 2), (["explain", word], 2),
      (["record", "--from", none, "--no-addresses", "-o", "x"], 3), (["record", "--recover", none], 3),
      (["record", "-b", word], 2),
    ]
    for (command, status) in commands {
      let run = try Self.run(command)
      #expect(run.status == status || command[0] == "record" && run.status != 0, "\(command): \(run.status)")
      #expect(!run.errors.isEmpty && Self.obeyed(run.errors) == [], "\(command): \(run.errorText)")
      #expect(run.output.isEmpty, "\(command)")
      // What the user gave wrong is shown with the usage; everything else is a sentence.
      if status != 2 {
        #expect(run.errors.filter { $0 == UInt8(ascii: "\n") }.count == 1, "\(command): \(run.errorText)")
      }
    }
  }

  // MARK: JSON

  /// All strings of a document, keys among them.
  private static func strings(in value: JSONValue) -> Set<String> {
    switch value {
    case .string(let text): [text]
    case .array(let items): items.reduce(into: []) { $0.formUnion(strings(in: $1)) }
    case .object(let members):
      members.reduce(into: Set(members.keys)) { $0.formUnion(strings(in: $1.value)) }
    default: []
    }
  }

  @Test("JSON passes on the very names, to other parsers too, and nothing of them is obeyed where it is printed")
  func json() throws {
    let inputs = try Inputs()
    try inputs.saveResult()
    let commands = [
      ["replay", inputs.capture, "--complete", "--json", "-"],
      ["replay", inputs.capture, "--complete", "--dmesg", inputs.log, "--engine", "generic-2008", "--json", "-"],
      ["replay", inputs.capture, "--complete", "--calls", "-"], ["replay", inputs.text, "--json", "-"],
      ["diff", inputs.capture, inputs.result, "--json", "-"],
      ["check", Fixtures.path("checks/hostile.scenario"), "--json", "-"],
    ]
    for command in commands {
      let run = try Self.run(command)
      #expect(run.status == 0 || run.status == 1, "\(command): \(run.errorText)")
      #expect(Self.obeyed(run.output) == [], "\(command)")
      let documents = command.contains("--calls") ? run.output.split(separator: UInt8(ascii: "\n")) : [run.output[...]]
      let values = try documents.map { try JSONValue.parse(Array($0)) }
      let found = values.reduce(into: Set<String>()) { $0.formUnion(Self.strings(in: $1)) }
      let python = try #require(
        SpawnedCommand.run(
          [
            "python3", "-c",
            """
            import json, sys
            lines = sys.stdin.buffer.read().decode()
            documents = lines.splitlines() if '--calls' in sys.argv else [lines]
            def strings(value):
              if isinstance(value, str): yield value
              if isinstance(value, list): value = {i: v for i, v in enumerate(value)}
              if isinstance(value, dict):
                for key, part in value.items():
                  if isinstance(key, str): yield key
                  yield from strings(part)
            for text in sorted({s for d in documents for s in strings(json.loads(d))}):
              sys.stdout.buffer.write(text.encode() + b'\\0')
            """,
          ] + command, input: run.output))
      #expect(python.status == 0, "\(python.errorText)")
      #expect(
        Set(python.output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
          == Set(found.flatMap { $0.split(separator: "\0").map(String.init) }), "\(command)")
      guard command[1] == inputs.capture, command[0] == "replay" else { continue }
      // One call of each name, with its process, callback and caller.
      for word in HostileNames.words {
        let name = word.replacing("@no-text", with: String(decoding: HostileNames.noText, as: UTF8.self))
        let start = name.unicodeScalars.prefix(200)
        #expect(found.contains { $0.unicodeScalars.starts(with: start) }, "\(command): \(name.prefix(60))")
      }
    }
  }

  // MARK: Perfetto

  /// A name with everything escaped that a reader could not see, by the rules that are written down in `VisibleText`.
  private static func shown(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      let escaped: String? =
        switch scalar {
        case "\n": "\\n"
        case "\t": "\\t"
        case "\r": "\\r"
        case "\\": "\\\\"
        case " "..."~": nil
        default:
          obeyed(Array(String(scalar).utf8)) == [] && isLetter(scalar) ? nil : "\\u{\(String(scalar.value, radix: 16))}"
        }
      result += escaped ?? String(scalar)
    }
    return result
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic && !(0x590...0x8ff).contains(scalar.value)
  }

  @Test("a trace for Perfetto shows them as text that nothing obeys, cut to what can be read")
  func perfetto() throws {
    let inputs = try Inputs()
    for command in [
      ["replay", inputs.capture, "--complete", "--perfetto", "-"],
      ["replay", inputs.text, "--complete", "--perfetto", "-"],
    ] {
      let run = try Self.run(command)
      #expect(run.status == 0, "\(run.errorText)")
      let trace = try PerfettoTrace(run.output)
      for text in trace.texts {
        #expect(Self.obeyed(Array(text.utf8)) == [] && !Self.turns(Array(text.utf8)) && !text.contains("\n"), "\(text)")
        #expect(text.unicodeScalars.count < 2_100)
      }
      // Not left out either: a callback's name is the name of an event.
      let names = Set(trace.events.map(\.name))
      let calls = try Self.run(command.dropLast(2) + ["--calls", "-"]).outputText.split(separator: "\n")
      #expect(calls.count > 10)
      for line in calls {
        let name = try #require(Self.strings(in: try JSONValue.parse(Array(line.utf8))["callback"]).first)
        #expect(names.contains { $0.prefix(150) == Self.shown(name).prefix(150) }, "\(name.prefix(60))")
      }
      #expect(names.contains { $0.contains("\\u{1b}[31mred") })
      let tasks = Set(trace.events.compactMap { $0.annotations["task"] })
      #expect(tasks.contains { if case .text(let name) = $0 { name.contains("\\u{1b}[31mred") } else { false } })
      _ = try trace.slices()
    }
  }

  // MARK: HTML

  @Test("a page shows them; nothing of them is markup")
  func html() throws {
    let inputs = try Inputs()
    try inputs.saveResult()
    let commands = [
      ["replay", inputs.capture, "--complete", "--html", "-"], ["report", inputs.result, "--html", "-"],
      ["replay", inputs.capture, "--complete", "--dmesg", inputs.log, "--engine", "generic-2008", "--html", "-"],
      ["replay", inputs.text, "--complete", "--html", "-"],
      ["diff", inputs.capture, inputs.result, "--complete", "--html", "-"],
      ["check", Fixtures.path("checks/hostile.scenario"), "--html", "-"],
    ]
    for command in commands {
      let run = try Self.run(command)
      #expect(run.status == 0 || run.status == 1, "\(command): \(run.errorText)")
      #expect(Self.obeyed(run.output) == [] && !Self.turns(run.output), "\(command)")
      let page = run.outputText
      for markup in ["<script>window", "<img", "\" onerror", "\"><img", "'onmouseover", "</title></style>"] {
        #expect(!page.contains(markup), "\(command): \(markup)")
      }
      #expect(page.contains("&lt;script&gt;window.__fromTrace=1") || command[0] == "diff", "\(command)")
    }
  }

  /// Tests/Browser/check_report.py says what is checked: also without the page's own policy, no name becomes a script.
  @Test(
    "a real browser runs nothing of them, and asks for nothing", .enabled(if: access("/usr/bin/chromium", X_OK) == 0),
    .timeLimit(.minutes(5)), arguments: [("replay", []), ("simulation", ["--engine", "generic-2008"])])
  func browser(page: String, more: [String]) throws {
    let inputs = try Inputs()
    let path = inputs.folder.path + "/page.html"
    let made = try Self.run(
      ["replay", inputs.capture, "--complete", "--dmesg", inputs.log, "--cpus", "0-3", "--html", path] + more)
    #expect(made.status == 0, "\(made.errorText)")
    let check = try #require(
      SpawnedCommand.run(["python3", TestFile.packageRoot + "/Tests/Browser/check_report.py", path, "--page", page]))
    #expect(check.status == 0, "\(check.outputText)\(check.errorText)")
  }
}
