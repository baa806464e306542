import ArgumentParser
import CallEngines
import CallHistories
import Drivers
import FoundationEssentials
import Glibc
import Reports
import TraceDecoding
import TraceTypes
import Verdicts

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Hold a recording against the engine, and report what happened.",
    discussion: """
      TRACE is what `ipitrace record` or `trace-cmd record` wrote, or ftrace's text: the files trace and trace_pipe of \
      tracefs, or what `trace-cmd report` prints; - is standard input. The report is printed as text, unless another output \
      goes to standard output. The exit status is 0, 1 if --fail-on says so or an output can't be written, 2 on wrong \
      usage, 3 if the trace can't be read.
      """)

  @Argument(help: "The trace file.", completion: .file())
  var trace: String

  @Option(help: "Write the result as JSON; - is standard output.", completion: .file())
  var json: String?

  @Option(help: "Write the report as one HTML page; - is standard output.", completion: .file())
  var html: String?

  @Option(help: "Write every call as one line of JSON, in time order; - is standard output.", completion: .file())
  var calls: String?

  @Option(
    help: "Write a trace that ui.perfetto.dev opens: what each CPU ran, and who asked for it; - is standard output.",
    completion: .file())
  var perfetto: String?

  @Option(help: "Show who interrupts these CPUs, for example 2-3,7. Without it: the isolated ones.")
  var cpus: CPUListArgument?

  @Option(help: "Draw this stretch, two times in nanoseconds on the trace's clock: FROM-TO.")
  var timeline: TimeRangeArgument?

  @Option(
    help: "Explain the csd lines of this kernel log by the trace; - is standard input.", completion: .file())
  var dmesg: String?

  @Option(
    name: .customLong("fail-on"),
    help: "Exit with 1 if the verdict is 'diverges', if it is 'undecided', or if a rule of this name is broken.")
  var failOn: [FailOnArgument] = []

  @Option(help: "Use this many threads, 1 or 2; without it 2, where there is more than one CPU.")
  var threads: Int?

  @OptionGroup(title: "Simulation")
  var simulation: SimulationOptions

  @Flag(
    help: """
      Take it for granted that everything that ipitrace reads was recorded: all its events, on all CPUs, unfiltered. For \
      recordings that don't say so themselves. If that is wrong, the kernel is accused of what was not recorded.
      """)
  var complete = false

  func validate() throws {
    if let threads, !(1...2).contains(threads) { throw ValidationError("--threads is 1 or 2.") }
  }

  func run() throws {
    let outputs = [json, html, calls, perfetto, simulation.saveCosts].filter { $0 == "-" }
    guard outputs.count <= 1 else { throw ValidationError("Only one output can go to standard output.") }
    guard [trace, dmesg, simulation.costs].filter({ $0 == "-" }).count <= 1 else {
      throw ValidationError("Only one input can come from standard input.")
    }
    var replay: Replay
    do { replay = try Replay(path: trace, isComplete: complete) } catch let error as TraceFileError {
      throw unreadable(error)
    }
    replay.threads = threads ?? min(2, ProcessInfo.processInfo.activeProcessorCount)
    replay.namedCPUs = cpus?.mask
    replay.window = timeline?.range
    replay.kernelLog = try kernelLog()
    replay.simulation = try simulation.request(isStream: replay.source.isStream)

    let result: ReplayResult
    do {
      result = try analyse(replay)
      try write(result)
    } catch let error as TraceFileError {
      throw unreadable(error)
    } catch let error as OutputError {
      StandardError.complain("ipitrace replay: \(VisibleText.escape(error.description, limit: 1_000))")
      throw ExitCode(1)
    }
    if failOn.contains(where: { $0.holds(for: result.verdict) }) { throw ExitCode(1) }
  }
}

extension ReplayCommand {
  /// The longest kernel log that is read, in bytes.
  private static let longestLog = 256 << 20

  private func kernelLog() throws -> KernelLog? {
    guard let dmesg else { return nil }
    do {
      return KernelLog(try InputBytes.read(path: dmesg, limit: Self.longestLog))
    } catch {
      StandardError.complain(
        "ipitrace replay: \(VisibleText.escape(error.path, limit: 1_000)): \(VisibleText.escape(error.reason))")
      throw ExitCode(3)
    }
  }

  /// Reads the trace, and writes its calls where they are asked for.
  private func analyse(_ replay: Replay) throws -> ReplayResult {
    let source = replay.source
    let lines = try calls.map {
      CallLineSink(
        renderer: CallLineRenderer(names: source.names, comm: source.comm), file: try OutputFile(path: $0))
    }
    if let perfetto {
      let drawing = PerfettoSink(
        renderer: PerfettoRenderer(names: source.names, clock: source.clock, comm: source.comm),
        file: try OutputFile(path: perfetto))
      var replay = replay
      replay.drawsActivities = true
      var (result, used) = try replay.run(sink: DrawingSink(drawing: drawing, lines: lines))
      try used.finish(result)
      warn(ofClock: source.clock)
      return result
    }
    guard let lines else { return try replay.run(sink: NoCallSink()).0 }
    let (result, used) = try replay.run(sink: lines)
    try used.finish()
    return result
  }

  private func warn(ofClock clock: String?) {
    guard let clock, !TraceClock.countsNanoseconds(clock) else { return }
    let name = VisibleText.escape(clock)
    StandardError.complain(
      "ipitrace replay: the clock \(name) does not count nanoseconds, but Perfetto shows its times as if it did")
  }

  private func write(_ result: ReplayResult) throws {
    if let json { try OutputFile.write(JSONReport.render(result), to: json) }
    if let html { try OutputFile.write(Array(HTMLReport.render(result).utf8), to: html) }
    if [json, html, calls, perfetto, simulation.saveCosts].contains("-") { return }
    let terminal = TerminalFacts(descriptor: STDOUT_FILENO)
    let report = TerminalReport(
      width: terminal.width ?? TerminalReport.defaultWidth, style: terminal.wantsColour ? .ansi : .plain)
    try OutputFile.write(Array(report.render(result).utf8), to: "-")
  }

  private func unreadable(_ error: TraceFileError) -> ExitCode {
    StandardError.complain("ipitrace replay: \(VisibleText.escape(error.description, limit: 2_000))")
    return ExitCode(3)
  }
}

/// Writes calls to a file as they complete. The first error ends the writing and is thrown at the end.
struct CallLineSink: CompletedCallSink {
  static let takesHandlers = false
  private var renderer: CallLineRenderer
  private let file: OutputFile
  private var error: OutputError?

  init(renderer: CallLineRenderer, file: OutputFile) {
    self.renderer = renderer
    self.file = file
    self.renderer.bytes.reserveCapacity(OutputFile.blockSize + 65_536)
  }

  mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
    if error != nil { return }
    renderer.append(call, targets: targets)
    guard renderer.bytes.count >= OutputFile.blockSize else { return }
    do { try file.take(&renderer.bytes) } catch { self.error = error }
  }

  func finish() throws(OutputError) {
    if let error { throw error }
    try file.write(renderer.bytes)
    try file.commit()
  }
}

struct CPUListArgument: ExpressibleByArgument {
  let mask: CPUMask

  init?(argument: String) {
    guard let mask = CPUMask(list: argument), !mask.isEmpty else { return nil }
    self.mask = mask
  }
}

struct TimeRangeArgument: ExpressibleByArgument {
  let range: ClosedRange<UInt64>

  init?(argument: String) {
    let ends = argument.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let first = UInt64(ends[0]), let last = UInt64(ends[1]), first <= last else { return nil }
    range = first...last
  }
}

enum FailOnArgument: ExpressibleByArgument {
  case outcome(Verdict.Outcome)
  case rule(Rule)

  init?(argument: String) {
    if let rule = Rule(rawValue: argument) {
      self = .rule(rule)
    } else if let outcome = Verdict.Outcome(rawValue: argument), outcome != .conforms {
      self = .outcome(outcome)
    } else {
      return nil
    }
  }

  static var allValueStrings: [String] { ["diverges", "undecided"] + Rule.allCases.map(\.rawValue) }

  func holds(for verdict: Verdict) -> Bool {
    switch self {
    case .outcome(let outcome): verdict.result == outcome
    case .rule(let rule): verdict.divergences.contains { $0.rule == rule.rawValue }
    }
  }
}
