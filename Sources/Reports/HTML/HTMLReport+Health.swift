import TraceTypes
import Verdicts

extension HTMLReport {
  /// What is wrong with the trace and what to do about it, and the events it holds.
  static func health(_ result: ReplayResult) -> Section {
    let body: HTML = """
      \(items(result.health))
      \(events(result.trace.events))
      """
    return Section(identifier: "health", title: "Health", note: "of the trace, and what it holds", body: body)
  }

  private static func items(_ health: [HealthItem]) -> HTML {
    if health.isEmpty { return "<p>Nothing to report.</p>" }
    let limit = 100
    var table = HTMLTable(
      "Health of the trace",
      [
        .init("severity"), .init("counter", .header), .init("CPU", .number), .init("count", .number),
        .init("what to do"),
      ])
    for item in health.prefix(limit) {
      let style: HTML =
        switch item.severity {
        case .info: "soft"
        case .dataLoss: "doubt"
        case .error: "bad"
        }
      table.add([
        "<span class=\"\(style)\">\(visible: Words.severity(item.severity))</span>", HTMLPiece.name(item.name),
        item.cpu.map { "\($0)" } ?? "all", HTMLPiece.count(item.count),
        "<span class=\"words\">\(sentence: item.remedy)</span>",
      ])
    }
    return "\(table.html)\(HTMLPiece.more(health.count, shown: limit, "counters"))"
  }

  private static func events(_ events: TraceSummary.Events) -> HTML {
    let limit = 64
    var types = HTMLTable(
      "Events by type", [.init("event", .header), .init("count", .number), .init("share", .number)])
    let sorted = events.byType.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    for (name, count) in sorted.prefix(limit) {
      types.add([HTMLPiece.name(name), HTMLPiece.count(count), "\(visible: Quantity.share(count, of: events.total))"])
    }
    let cpuLimit = 512
    var cpus = HTMLTable("Events by CPU", [.init("CPU", .header), .init("read", .number), .init("lost", .number)])
    for cpu in events.byCPU.prefix(cpuLimit) {
      cpus.add(["CPU \(cpu.cpu)", HTMLPiece.count(cpu.events), HTMLPiece.count(cpu.lost)])
    }
    var html = HTML()
    if !types.isEmpty {
      html += """
        <details><summary>Events by type</summary>\(types.html)\(HTMLPiece.more(sorted.count, shown: limit, "types"))\
        </details>

        """
    }
    if !cpus.isEmpty {
      html += """
        <details><summary>Events by CPU</summary>\(cpus.html)\
        \(HTMLPiece.more(events.byCPU.count, shown: cpuLimit, "CPUs"))</details>

        """
    }
    return html
  }
}
