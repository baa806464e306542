import CallEngines
import Drivers
import Reports
import TraceTypes
import Verdicts

@testable import TraceDecoding

/// Parsers of text.
enum TextTargets {
  /// What a kernel and a recorder put beside the events.
  static func symbols(_ bytes: [UInt8]) {
    let table = SymbolTable(kallsyms: bytes)
    for address in [0, 1 << 63, 0xffff_ffff_8100_0004, 0xffff_ffff_8100_1fff, .max] as [UInt64] {
      _ = table.resolve(address)
      _ = table.text(address)
    }
    _ = table.addresses(ofSymbol: "sched_ttwu_pending")
    _ = PrintkFormats.addresses(of: ["Rescheduling interrupts"], in: bytes)
    _ = CommandNames.parse(bytes)
    let text = String(decoding: bytes, as: UTF8.self)
    if let facts = CaptureFacts(text: text) {
      let again = CaptureFacts(text: facts.text)
      precondition(again == facts, "what was written is read otherwise")
    }
    _ = CPUMask(list: text)?.cpus
    _ = TraceBuffer.clockName(text)
    _ = PageLayout.parse(bytes)
  }

  static func log(_ bytes: [UInt8]) throws {
    let log = KernelLog(bytes)
    precondition(log.reports.count <= KernelLog.keptReports)
    let file = FuzzedFile.shared
    file.fill(SmallTraces.mixedBytes)
    var replay = try Replay(path: file.path, isComplete: true)
    replay.kernelLog = log
    try show(replay.run(sink: NoCallSink()).0, of: bytes)
  }

  private static let rules = ["diverges", "calls>0", "interrupts(cpu1)>5%", "p99(f)>1%", "interference(*)>0"]
    .compactMap { ComparisonRule($0) }

  static func result(_ bytes: [UInt8]) throws {
    let result = try JSONReport.parse(bytes)
    try show(result, of: bytes)
    let other = ComparisonInput(name: "other", result: SmallTraces.result)
    let this = ComparisonInput(name: "this", result: result)
    for (before, after) in [(this, other), (other, this)] {
      let comparison = Comparer.compare(
        before: before, after: after, watched: nil, rules: rules, seed: 1)
      _ = try JSONReport.render(comparison)
      _ = HTMLReport.render(comparison)
      _ = TerminalReport(width: 80).render(comparison)
    }
  }

  static func costs(_ bytes: [UInt8]) throws {
    let table = try JSONReport.parseCosts(bytes)
    let costs = try GivenCosts(table, source: "fuzzed")
    let model = costs.model(measured: CostRecorder().model)
    let saved = try JSONReport.render(model.table)
    let again = try GivenCosts(JSONReport.parseCosts(saved), source: "fuzzed")
    let savedAgain = try JSONReport.render(again.model(measured: CostRecorder().model).table)
    precondition(savedAgain == saved, "what was saved is read otherwise")
  }

  static func scenario(_ bytes: [UInt8]) throws {
    let scenarios = try ScenarioParser.parse(bytes: bytes)
    var check = ScenarioCheck()
    check.options.stateLimit = 300
    check.options.memoryLimit = 64 << 20
    var lines: [CheckLine] = []
    for scenario in scenarios.prefix(3) {
      for item in scenario.cases.prefix(2) { lines += check.lines(of: scenario, item) }
    }
    let result = CheckResult(lines: lines)
    _ = try JSONReport.render(result)
    _ = HTMLReport.render(result)
    _ = TerminalReport(width: 80).render(result, detail: .init())
  }

  /// Renders a result in every form; what is saved has to be read again, and to say the same.
  ///
  /// That takes longer than all the rest, so one input in eight is chosen for it, by what it holds.
  static func show(_ result: ReplayResult, of input: [UInt8]) throws {
    guard input.reduce(UInt8(0), &+) & 7 == 0 else { return }
    let saved = try JSONReport.render(result)
    let savedAgain = try JSONReport.render(JSONReport.parse(saved))
    precondition(savedAgain == saved, "what was saved is read otherwise")
    _ = HTMLReport.render(result)
    _ = TerminalReport(width: 80).render(result)
  }
}
