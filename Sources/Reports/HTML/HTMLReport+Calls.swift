import Verdicts

extension HTMLReport {
  /// The calls by kind, by callback and by caller, and how they made their targets look.
  static func calls(_ result: ReplayResult) -> Section {
    let calls = result.calls
    let body: HTML = """
      <div class="pair">
      <div><h3>By kind</h3>\(kinds(calls))</div>
      <div><h3>Kicks</h3>\(kicks(result.kicks))</div>
      <div><h3>Types</h3>\(types(calls.byType))</div>
      </div>
      <h3>By callback</h3>
      \(callbacks(calls.byCallback))
      <h3>By caller</h3>
      \(callers(calls.byCaller))
      """
    return Section(
      identifier: "calls", title: "Calls",
      note: "\(visible: Quantity.count(calls.total, "call")); a call to many CPUs counts once", body: body)
  }

  private static func kinds(_ calls: CallSummary) -> HTML {
    var table = HTMLTable(
      "Calls by kind", [.init("kind", .header), .init("calls", .number), .init("share", .number), .init("")])
    for kind in CallKindWords.all(calls.byKind) {
      table.add([
        "\(visible: kind.name)", HTMLPiece.count(kind.count), "\(visible: Quantity.share(kind.count, of: calls.total))",
        "\(visible: kind.meaning)",
      ])
    }
    return table.html
  }

  private static func types(_ types: CallSummary.Types) -> HTML {
    let types = NodeTypeWords.all(types)
    let total = types.reduce(UInt64(0)) { $0.plus($1.count) }
    var table = HTMLTable(
      "Queued calls by the type of their node, which is concluded",
      [.init("type", .header), .init("calls", .number), .init("share", .number), .init("")])
    for type in types {
      table.add([
        "\(visible: type.name)", HTMLPiece.count(type.count), "\(visible: Quantity.share(type.count, of: total))",
        "\(visible: type.meaning)",
      ])
    }
    return table.html
  }

  private static func kicks(_ counts: KickCounts) -> HTML {
    let kicks = KickWords.all(counts)
    let total = kicks.reduce(UInt64(0)) { $0.plus($1.count) }
    var table = HTMLTable(
      "How queued calls made their targets look",
      [.init("kick", .header), .init("calls", .number), .init("share", .number), .init("")])
    for kick in kicks {
      table.add([
        "\(visible: kick.name)", HTMLPiece.count(kick.count), "\(visible: Quantity.share(kick.count, of: total))",
        "\(visible: kick.meaning)",
      ])
    }
    return table.html
  }

  private static func callbacks(_ callbacks: [CallSummary.Callback]) -> HTML {
    if callbacks.isEmpty { return "<p>No callback was queued or run.</p>" }
    let limit = 40
    var table = HTMLTable(
      "Calls by callback",
      [
        .init("callback", .header), .init("queued", .number), .init(""), .init("runs", .number),
        .init("local", .number), .init("kicks", .number), .init("delay p50", .number), .init("p99", .number),
        .init("max", .number), .init("run p50", .number), .init("p99", .number), .init("max", .number),
      ])
    let most = callbacks.map(\.queued).max() ?? 0
    for row in callbacks.prefix(limit) {
      table.add([
        HTMLPiece.name(row.callback), HTMLPiece.count(row.queued), HTMLPiece.bar(row.queued, of: most),
        HTMLPiece.count(row.runs), HTMLPiece.count(row.localRuns), HTMLPiece.count(row.kicks),
        HTMLPiece.duration(row.delay.p50Nanoseconds), HTMLPiece.duration(row.delay.p99Nanoseconds),
        HTMLPiece.duration(row.delay.maxNanoseconds), HTMLPiece.duration(row.run.p50Nanoseconds),
        HTMLPiece.duration(row.run.p99Nanoseconds), HTMLPiece.duration(row.run.maxNanoseconds),
      ])
    }
    return "\(table.html)\(HTMLPiece.more(callbacks.count, shown: limit, "callbacks"))"
  }

  private static func callers(_ callers: [CallSummary.Caller]) -> HTML {
    if callers.isEmpty { return "<p>No caller is known.</p>" }
    let limit = 40
    var table = HTMLTable(
      "Calls by caller",
      [
        .init("caller", .header), .init("callback"), .init("process"), .init("calls", .number), .init(""),
        .init("targets", .number), .init("kicks", .number),
      ])
    let most = callers.map(\.calls).max() ?? 0
    for row in callers.prefix(limit) {
      table.add([
        HTMLPiece.name(row.callsite), HTMLPiece.name(row.callback), HTMLPiece.process(row.comm),
        HTMLPiece.count(row.calls), HTMLPiece.bar(row.calls, of: most), HTMLPiece.count(row.targets),
        HTMLPiece.count(row.kicks),
      ])
    }
    return "\(table.html)\(HTMLPiece.more(callers.count, shown: limit, "callers"))"
  }
}
