import TraceTypes

/// Names that try to get out of a report: into the page, the terminal, or the reader's eyes.
public enum HostileNames {
  public static let texts = [
    "<script>window.__fromTrace=1</script>",
    "\"><img src=x onerror=\"window.__fromTrace=1\">",
    "'onmouseover='window.__fromTrace=1",
    "</title></style></svg><script>window.__fromTrace=1</script>",
    "javascript:window.__fromTrace=1",
    "&lt;b&gt; &amp;",
    "\u{1b}[31mred\u{1b}]0;title\u{07}",
    "safe\u{202e}txt.exe\u{2066}\u{200f}",
    "line one\nline two\r\ttab",
    "\u{fffd}\u{0}\u{7f}\u{9b}31m",
    "zalgo\u{0301}\u{0302}\u{0303}\u{20dd}",
    "שלום مرحبا",
    "日本語の名前",
    "back\\slash\\u{1b}",
    String(repeating: "very_long_symbol_name_", count: 400),
  ]

  /// Bytes that are no UTF-8: never, overlong, a surrogate, and a character that ends too early.
  public static let noText: [UInt8] = [0xff, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xe2, 0x80]

  /// Stands for ``noText`` where a builder wants text.
  private static let placeholder = "@no-text"

  /// The names as one word each, as the kernel's lists hold them; a zero byte would end the list.
  public static let words: [String] =
    texts.map { text in
      var word = String.UnicodeScalarView()
      for scalar in text.unicodeScalars { word.append(" \n\r\t\0".unicodeScalars.contains(scalar) ? "_" : scalar) }
      return String(word)
    } + ["@no-text", "\u{2028}\u{2029}\u{200b}\u{e0041}\u{fe0f}\u{ad}", "\u{90}dcs\u{9c}\u{85}"]

  /// A recording in which every name that there can be is one of these: of callbacks, their callers, modules, processes, the
  /// machine, the clock, events and their fields, and a second buffer.
  ///
  /// Each name has a CPU that makes two calls: one that runs, and one that never does.
  public static let capture: [UInt8] = {
    var builder = TraceFileBuilder(events: events(), version: 6)
    builder.kallsyms = kallsyms
    builder.commands = words.enumerated().map { "\(100 + $0.offset + 1) \($0.element)\n" }.joined()
    builder.uname = "Linux \(words[3]) \(words[0])\(words[6])\(words[7])@no-text x86_64"
    builder.clockText = "[\(words[0])\(words[7])@no-text] global\n"
    builder.moreFormats = words.enumerated().map { number, word in
      let field = "\tfield:int \(word);\toffset:8;\tsize:4;\tsigned:1;\n"
      // The longest name of a system that is read.
      let text = "name: \(word)\nID: \(60_000 + number)\nformat:\n\(field)\nprint fmt: \"\(word)\"\n"
      return (String(word.prefix(80)), text)
    }
    builder.buffers.append(.init(name: words[0] + words[6], clock: words[7], cpus: builder.buffers[0].cpus))
    var facts = CaptureFacts()
    facts.missingEvents = words
    builder.statistics = [facts.text]
    return replacingPlaceholders(in: builder.bytes)
  }()

  /// A kernel log that speaks of callbacks of these names.
  public static let log: [UInt8] = {
    let lines = words.enumerated().flatMap { number, word in
      [
        "[    9.000000] smp: csd: Detected non-responsive CSD lock (#\(number + 1)) on CPU#\(number + 1), "
          + "waiting 5000000016 ns for CPU#00 \(word)+0x0/0x10(0x0).",
        "[    9.000001] smp: \tcsd: CSD lock (#\(number + 1)) handling prior \(word)+0x0/0x100(0x0) request.",
      ]
    }
    return replacingPlaceholders(in: Array((lines.joined(separator: "\n") + "\n").utf8))
  }()

  /// ftrace's text with these names for processes and callbacks.
  public static let text: [UInt8] = {
    var lines = ["# tracer: nop", "#"]
    for (number, word) in words.enumerated() {
      let head = { (time: Int) in " \(word.prefix(16))-\(200 + number) [000] d..1.   \(1 + number).0000\(10 + time): " }
      lines.append(head(0) + "csd_queue_cpu: cpu=1 callsite=\(word)+0x1/0x2 func=\(word) csd=00000000abcdef01")
      lines.append(head(1) + "csd_function_entry: func=\(word), csd=00000000abcdef01")
      lines.append(head(2) + "\(word): \(word)")
    }
    return replacingPlaceholders(in: Array((lines.joined(separator: "\n") + "\n").utf8))
  }()

  private static let kallsyms: String = {
    var lines = ["sched_ttwu_pending", "generic_exec_single", ScriptNames.crossCall].map { ($0, $0) }
    for (number, word) in words.enumerated() {
      lines.append(("n\(number)", "\(word)\t[\(word)]"))
      lines.append(("s\(number)", "\(word)_site\t[\(word)]"))
    }
    return lines.map { "\(String(ScriptNames.address(of: $0), radix: 16)) T \($1)\n" }.joined()
  }()

  private static func events() -> [TraceEvent] {
    var lines: [String] = (0...words.count).map { "10 \($0) switch" }
    lines += [
      "20 1 queue 0 warm w0", "21 1 ipi 0", "25 0 handler", "26 0h run warm w0", "27 0h done warm w0", "28 0 return",
    ]
    var time = 100
    for number in words.indices {
      for isLost in [false, true] {
        lines += ["\(time) \(number + 1) queue 0 n\(number) c\(number) many", "\(time + 1) \(number + 1) ipi 0"]
        lines += ["\(time + 5) 0 handler", "\(time + 20) 0 return", "\(time + 25) 0 switch"]
        if !isLost {
          lines += ["\(time + 6) 0h run n\(number) c\(number)", "\(time + 15) 0h done n\(number) c\(number)"]
        }
        time += 100
      }
    }
    lines += (0...words.count).map { "\(time) \($0) switch" }
    var events: [TraceEvent] = []
    do { events = try TraceScript(lines.joined(separator: "\n")).events } catch { preconditionFailure("\(error)") }
    let sites = Dictionary(
      uniqueKeysWithValues: words.indices.map { (ScriptNames.address(of: "n\($0)"), ScriptNames.address(of: "s\($0)")) }
    )
    let escapes = Array("\u{1b}]0;x\u{07}\u{9b}".utf8) + noText
    for index in events.indices {
      events[index].nanoseconds += 1_000_000
      events[index].csd &= ~7
      if events[index].kind == .csdQueueCPU, let site = sites[events[index].function] { events[index].callsite = site }
      if events[index].kind == .schedSwitch {
        // The name of the next process.
        events[index].csd = escapes[0..<8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        events[index].function = escapes[8..<16].reversed().reduce(0) { $0 << 8 | UInt64($1) }
      }
    }
    return events
  }

  private static func replacingPlaceholders(in bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    while let place = result.firstRange(of: Array(placeholder.utf8)) { result.replaceSubrange(place, with: noText) }
    return result
  }
}
