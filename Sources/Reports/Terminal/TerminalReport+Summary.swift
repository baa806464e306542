import TraceTypes
import Verdicts

extension TerminalReport {
  func writeSummary(_ result: ReplayResult, to page: inout TextPage) {
    let verdict = result.verdict
    let role: TerminalStyle.Role =
      switch verdict.result {
      case .conforms: .good
      case .diverges: .bad
      case .undecided: .doubtful
      }
    page.line(
      style.paint("\(Words.sign(verdict.result)) \(Words.headline(verdict))", role) + "  " + Words.judged(result))
    if let most = MatrixFacts(result.matrix).targets.first {
      let from = most.mostFrom.map { ", most from CPU \($0) (\(Quantity.count(most.mostCalls)))" } ?? ""
      page.line("  CPU \(most.cpu) is called most: \(Quantity.count(most.calls, "call"))\(from)")
    }

    page.heading("Trace")
    let trace = result.trace
    var facts = TextTable([.word(""), .text("")])
    facts.add(["kernel", trace.kernel.map { VisibleText.escape($0) } ?? "unknown"])
    facts.add(["clock", trace.clock.map { VisibleText.escape($0) } ?? "unknown"])
    facts.add(["span", Self.span(trace)])
    for (name, cpus) in [
      ("possible CPUs", trace.cpus.possible), ("online", trace.cpus.online), ("isolated", trace.cpus.isolated),
      ("nohz_full", trace.cpus.nohzFull),
    ] {
      facts.add([name, cpus.map { $0.isEmpty ? "none" : Quantity.cpuList($0) } ?? "unknown"])
    }
    if !result.engines.isEmpty {
      let names = result.engines.map { engine in
        VisibleText.escape(engine.engine, limit: 40)
          + (engine.variant.map { ":" + VisibleText.escape($0, limit: 40) } ?? "")
      }
      facts.add(["engines", names.joined(separator: ", ")])
    }
    facts.add([
      "events", Quantity.count(trace.events.total) + ", " + Quantity.count(trace.events.lost) + " lost",
    ])
    page.table(facts)

    let limit = 16
    let types = trace.events.byType.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    var events = TextTable([.text(""), .number("")])
    for (name, count) in types.prefix(limit) { events.add([VisibleText.escape(name), Quantity.count(count)]) }
    page.table(events, indent: 4)
    page.more(types.count, shown: limit, indent: 4)
    let lossy = trace.events.byCPU.filter { $0.lost > 0 }
    for cpu in lossy.prefix(limit) {
      page.line("    CPU \(cpu.cpu): \(Quantity.count(cpu.lost)) lost, \(Quantity.count(cpu.events)) read")
    }
    page.more(lossy.count, shown: limit, indent: 4)
  }

  private static func span(_ trace: TraceSummary) -> String {
    guard let start = trace.startNanoseconds, let end = trace.endNanoseconds else { return "no events" }
    return "\(Quantity.duration(end.minus(start))), from \(Quantity.time(start)) to \(Quantity.time(end)) s"
  }

  func writeHealth(_ result: ReplayResult, to page: inout TextPage) {
    let limit = 40
    page.heading("Health of the trace")
    if result.health.isEmpty { page.line("  nothing to report") }
    for item in result.health.prefix(limit) {
      let role: TerminalStyle.Role =
        switch item.severity {
        case .info: .faint
        case .dataLoss: .doubtful
        case .error: .bad
        }
      let place = item.cpu.map { "CPU \($0): " } ?? ""
      let severity = Words.severity(item.severity)
      let rest = "\(place)\(VisibleText.escape(item.name, limit: 60)) × \(Quantity.count(item.count))"
      page.line(
        "  " + style.paint(severity, role) + "  " + TextTable.cut(rest, to: page.width - severity.count - 4))
      page.prose(VisibleText.escape(item.remedy, limit: VisibleText.sentenceLimit), indent: 6)
    }
    page.more(result.health.count, shown: limit)
  }
}
