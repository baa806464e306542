import ArgumentParser
import Drivers
import Glibc
import Reports
import TraceDecoding
import TraceTypes
import Verdicts

/// `ipitrace diff`: what changed between two recordings.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare two recordings, or the saved results of two.",
    discussion: """
      BEFORE and AFTER are recordings, in any form that `ipitrace replay` reads, or results that `ipitrace replay --json` \
      wrote; - is a result on standard input. How often calls are made and CPUs interrupted is compared per second of \
      recorded time.

      Two recordings are cut into blocks of time, and the blocks are dealt out anew 1,999 times: what differs more than it \
      does then by chance is called different. In 19 of 20 comparisons of recordings that do not differ, nothing is. What \
      differs from one run to the next for other reasons than the one you look for, one recording of each can't show: compare \
      two recordings of the same as well. A saved result has sums only, so its differences are shown and not judged.

      A RULE is diverges, or WHAT>PERCENT, or WHAT(WHERE)>PERCENT. WHAT is calls, interrupts, callbacks, callbackTime, \
      handlers, handlerTime, reschedules (all per second), mean, p50, p99 (from queueing to the callback's begin), runMean, \
      runP50, runP99 (the callback itself), or interference (whatever interrupts watched CPUs). WHERE is a CPU as in cpu3, the \
      name of a callback, or * for all of them; without it the whole is meant. PERCENT is 0 or a number with a percent sign. \
      Examples: --fail-on 'interrupts>5%' --fail-on 'p99(flush_tlb_func)>20%' --fail-on 'interference>0'. A rule fires \
      when something has grown by more than that and is called different; diverges, when AFTER breaks a rule of the engine \
      that BEFORE does not break. What can't be judged does not fire, and is named on standard error.

      The exit status is 0, 1 if a rule fires or an output can't be written, 2 on wrong usage, 3 if an input can't be read.
      """)

  /// The seed where none is given.
  private static let usualSeed: UInt64 = 1

  @Argument(help: ArgumentHelp("What there was.", valueName: "before"), completion: .file())
  var before: String

  @Argument(help: ArgumentHelp("What there is.", valueName: "after"), completion: .file())
  var after: String

  @Option(help: "Write the comparison as JSON; - is standard output.", completion: .file())
  var json: String?

  @Option(help: "Write the comparison as one HTML page; - is standard output.", completion: .file())
  var html: String?

  @Option(help: "Watch what interrupts these CPUs, for example 2-3,7. Without it: the isolated ones.")
  var cpus: CPUListArgument?

  @Option(help: ArgumentHelp("Deal blocks out from this number on; the same gives the same.", valueName: "number"))
  var seed: UInt64 = Self.usualSeed

  @Option(name: .customLong("fail-on"), help: ArgumentHelp("Exit with 1 if this rule fires.", valueName: "rule"))
  var failOn: [ComparisonRuleArgument] = []

  @Flag(help: "Take it for granted that both recordings hold everything that ipitrace reads, as in `ipitrace replay`.")
  var complete = false

  func run() throws {
    guard json != "-" || html != "-" else {
      throw ValidationError("Only one output can go to standard output.")
    }
    guard before != "-" || after != "-" else { throw ValidationError("Only one input can be standard input.") }
    let first = try read(before)
    let second = try read(after)
    let comparison = Comparer.compare(
      before: first, after: second, watched: cpus?.mask, rules: failOn.map(\.rule), seed: seed)
    do { try write(comparison) } catch let error as OutputError {
      complain(VisibleText.escape(error.description, limit: 1_000))
      throw ExitCode(1)
    }
    for rule in comparison.rules where rule.result == .notJudged { complain(ComparisonWords.notJudged(rule)) }
    if comparison.rules.contains(where: { $0.result == .fired }) { throw ExitCode(1) }
  }

  private func complain(_ sentence: String) { StandardError.complain("ipitrace diff: \(sentence)") }

  private func write(_ comparison: Comparison) throws {
    if let json { try OutputFile.write(JSONReport.render(comparison), to: json) }
    if let html { try OutputFile.write(Array(HTMLReport.render(comparison).utf8), to: html) }
    if json == "-" || html == "-" { return }
    let terminal = TerminalFacts(descriptor: STDOUT_FILENO)
    let report = TerminalReport(
      width: terminal.width ?? TerminalReport.defaultWidth, style: terminal.wantsColour ? .ansi : .plain)
    try OutputFile.write(Array(report.render(comparison).utf8), to: "-")
  }
}

extension DiffCommand {
  private func read(_ path: String) throws -> ComparisonInput {
    if path == "-" || Self.isJSON(path) { return ComparisonInput(name: path, result: try result(path)) }
    do {
      var replay = try Replay(path: path, isComplete: complete)
      replay.namedCPUs = cpus?.mask
      let (result, sink) = try replay.run(sink: SliceSink(names: replay.source.names))
      return ComparisonInput(
        name: path, result: result, slices: sink.statistics, recordedKinds: replay.recordedKinds,
        unreadableKinds: replay.source.explainsReasons ? [] : [.ipiEntry, .ipiExit],
        recordedCPUs: replay.source.cpus, isPartial: replay.isPartial)
    } catch let error as TraceFileError {
      complain(VisibleText.escape(error.description, limit: 2_000))
      throw ExitCode(3)
    }
  }

  private func result(_ path: String) throws -> ReplayResult {
    let reason: String
    do {
      return try JSONReport.parse(InputBytes.read(path: path, limit: ReportCommand.sizeLimit))
    } catch let error as InputError {
      reason = error.reason
    } catch let error as JSONReportError {
      reason = error.message
    }
    let name = path == "-" ? "standard input" : VisibleText.escape(path, limit: 1_000)
    complain("can't read \(name): expected a result written by 'ipitrace replay --json', but \(reason)")
    throw ExitCode(3)
  }

  /// Whether a regular file begins like a JSON object: no form of a trace does.
  private static func isJSON(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var head = [UInt8](repeating: 0, count: 64)
    let count = head.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
    let blanks: [UInt8] = [0x20, 0x09, 0x0a, 0x0d]
    return head.prefix(max(0, count)).first { !blanks.contains($0) } == UInt8(ascii: "{")
  }
}

struct ComparisonRuleArgument: ExpressibleByArgument {
  let rule: ComparisonRule

  init?(argument: String) {
    guard let rule = ComparisonRule(argument) else { return nil }
    self.rule = rule
  }
}
