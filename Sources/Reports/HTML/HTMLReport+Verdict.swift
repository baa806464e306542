import Verdicts

extension HTMLReport {
  /// How every queued call ended.
  static func verdict(_ result: ReplayResult) -> Section {
    let verdict = result.verdict
    let accounting = verdict.accounting
    let all = accounting.queued
    let notJudged = accounting.notJudged.reduce(UInt64(0)) { $0.plus($1.count) }
    var table = HTMLTable(
      "How the queued calls ended",
      [.init("", .header), .init("queued calls", .number), .init("share", .number), .init("")])
    func add(_ style: HTML, _ name: HTML, _ value: UInt64, _ meaning: HTML) {
      table.add([
        "<span class=\"swatch \(style)\" aria-hidden=\"true\"></span>\(name)", HTMLPiece.count(value),
        "\(visible: Quantity.share(value, of: all))", meaning,
      ])
    }
    add("executed", "Executed", accounting.executed, "known to have run, and held against the engine")
    add("lost", "Lost", accounting.lost, "a flush passed that must have run them, and they never ran")
    add("pending", "Pending", accounting.pending, "still in a queue when the trace ended")
    let limit = 20
    for reason in accounting.notJudged.prefix(limit) {
      add("unjudged", "Not judged", reason.count, HTMLPiece.name(reason.reason))
    }
    if accounting.notJudged.count > limit {
      let rest = accounting.notJudged.dropFirst(limit).reduce(UInt64(0)) { $0.plus($1.count) }
      add("unjudged", "Not judged", rest, "other reasons")
    }
    let sum = Words.sum(accounting)
    table.add(
      [
        "Sum", sum.map { HTMLPiece.count($0) } ?? "too large",
        sum.map { "\(visible: Quantity.share($0, of: all))" } ?? "",
        "of \(visible: Quantity.count(all, "queued call"))",
      ], attributes: " class=\"sum\"")
    let balanced = sum == all
    let body: HTML = """
      \(HTMLPiece.stack([
        ("executed", "executed", accounting.executed), ("lost", "lost", accounting.lost),
        ("pending", "pending", accounting.pending),
        ("unjudged", "not judged", notJudged),
      ], of: all))
      \(table.html)
      <p class="\(balanced ? "soft" : "bad")">\(visible: Words.capitalized(Words.balance(accounting))).</p>
      <p>Beside them: \(visible: Quantity.count(accounting.local, "local run")), and \
      \(visible: Quantity.count(accounting.unqueued, "run")) that no event of this trace queued.</p>
      \(paragraph(Words.coverage(verdict.coverage)))\(paragraph(Words.withheld(verdict)))
      \(lossWindows(verdict.lossWindows))\(unknownStretches(verdict.coverage))
      """
    return Section(
      identifier: "verdict", title: "Verdict",
      note: "\(visible: Words.judged(result)) against the engine <code>\(name: verdict.engine)</code>", body: body)
  }

  private static func paragraph(_ text: String?) -> HTML { text.map { "<p>\(visible: $0)</p>" } ?? "" }

  private static func unknownStretches(_ coverage: Verdict.Coverage) -> HTML {
    if coverage.stretches.isEmpty { return "" }
    let limit = 30
    var table = HTMLTable(
      "Stretches in which the state of a queue was not known",
      [.init("CPU", .header), .init("from", .number), .init("to", .number), .init("for", .number), .init("reason")])
    for stretch in coverage.stretches.prefix(limit) {
      table.add([
        "CPU \(stretch.cpu)", "\(visible: Quantity.time(stretch.startNanoseconds)) s",
        "\(visible: Quantity.time(stretch.endNanoseconds)) s",
        HTMLPiece.duration(stretch.endNanoseconds.minus(stretch.startNanoseconds)), HTMLPiece.name(stretch.reason),
      ])
    }
    return """
      <h3>Where an absent event proves nothing</h3>
      \(table.html)\(HTMLPiece.more(coverage.stretches.count, shown: limit, "stretches"))
      """
  }

  private static func lossWindows(_ windows: [LossWindow]) -> HTML {
    if windows.isEmpty { return "" }
    let limit = 30
    var table = HTMLTable(
      "Stretches in which events were lost",
      [.init("CPU", .header), .init("from", .number), .init("to", .number), .init("lost", .number)])
    for window in windows.prefix(limit) {
      table.add([
        "CPU \(window.cpu)", window.startNanoseconds.map { "\(visible: Quantity.time($0)) s" } ?? "the start",
        window.endNanoseconds.map { "\(visible: Quantity.time($0)) s" } ?? "the end",
        window.lostEvents.map { HTMLPiece.count($0) } ?? "unknown",
      ])
    }
    return """
      <h3>Where events were lost</h3>
      \(table.html)\(HTMLPiece.more(windows.count, shown: limit, "stretches"))
      """
  }

  /// The divergences, each with what shows it.
  static func findings(_ verdict: Verdict) -> Section {
    let limit = 50
    var body = HTML()
    for (index, divergence) in verdict.divergences.prefix(limit).enumerated() {
      body += finding(divergence, number: index + 1)
    }
    let shown = min(limit, verdict.divergences.count)
    if verdict.divergenceCount > UInt64(shown) {
      body += """
        <p class="more">The first \(shown) of \(visible: Quantity.count(verdict.divergenceCount)) are shown.</p>

        """
    }
    if verdict.divergences.isEmpty, verdict.divergenceCount == 0 {
      body += "<p>No observation contradicts the engine.</p>"
    }
    return Section(identifier: "findings", title: "Findings", body: body)
  }

  private static func finding(_ divergence: Divergence, number: Int) -> HTML {
    let limit = 24
    var table = HTMLTable(
      "Events that show finding \(number)",
      [.init("time", .number), .init("after", .number), .init("CPU", .number), .init("event")])
    let first = divergence.events.first?.timeNanoseconds ?? 0
    for event in divergence.events.prefix(limit) {
      table.add([
        "\(visible: Quantity.time(event.timeNanoseconds)) s",
        "+\(HTMLPiece.duration(event.timeNanoseconds.minus(first)))", "\(event.cpu)", HTMLPiece.name(event.type),
      ])
    }
    let callback: HTML = divergence.callback.map { " · callback <code>\(name: $0)</code>" } ?? ""
    return """
      <article class="finding" id="finding-\(number)">
      <h3><span class="number">\(number)</span> <code>\(name: divergence.rule)</code></h3>
      <p class="soft">at \(visible: Quantity.time(divergence.timeNanoseconds)) s · \
      \(visible: Words.cpus(divergence.cpus))\(callback)</p>
      <dl class="explained"><div><dt>Expected</dt><dd>\(sentence: divergence.expected)</dd></div>
      <div><dt>Seen</dt><dd>\(sentence: divergence.explanation)</dd></div></dl>
      \(table.isEmpty ? "" : table.html)\(HTMLPiece.more(divergence.events.count, shown: limit, "events"))
      </article>

      """
  }
}
