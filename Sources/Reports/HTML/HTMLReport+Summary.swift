import TraceTypes
import Verdicts

extension HTMLReport {
  /// What a reader must know within ten seconds: conforms or not, how much was judged, who interrupts whom.
  static func summary(_ result: ReplayResult, matrix: MatrixFacts) -> Section {
    let body: HTML = """
      <div class="hero">
      \(verdictCard(result))
      \(interruptionCard(result, matrix: matrix))
      \(traceCard(result))
      </div>

      """
    return Section(identifier: "summary", title: "Summary", body: body)
  }

  static func style(_ outcome: Verdict.Outcome) -> HTML {
    switch outcome {
    case .conforms: "good"
    case .diverges: "bad"
    case .undecided: "doubt"
    }
  }

  private static func verdictCard(_ result: ReplayResult) -> HTML {
    let verdict = result.verdict
    let all = verdict.judged.plus(verdict.undecided)
    let share = Quantity.share(verdict.judged, of: all)
    let lead: HTML =
      all == 0
      ? "<p class=\"lead\">\(visible: Words.capitalized(Words.judged(result))).</p>"
      : """
      <p class="lead"><strong>\(visible: share)</strong> judged</p>
      \(HTMLPiece.bar(verdict.judged, of: all))
      <p class="soft">\(HTMLPiece.count(verdict.judged)) of \(visible: Quantity.count(all, "queued call"))</p>
      """
    return """
      <div class="card verdict \(style(verdict.result))">
      <p class="headline"><span class="sign" aria-hidden="true">\(visible: Words.sign(verdict.result))</span> \
      \(visible: Words.capitalized(Words.headline(verdict)))</p>
      <p>\(visible: Words.sentence(verdict))</p>
      \(lead)
      \(reasons(verdict))\(firstFindings(verdict))\(worstHealth(result.health))
      </div>
      """
  }

  /// Why not everything was judged, most frequent first.
  private static func reasons(_ verdict: Verdict) -> HTML {
    var reasons = verdict.accounting.notJudged.filter { $0.count > 0 }.sorted { $0.count > $1.count }.prefix(3).map {
      "<li>\(HTMLPiece.count($0.count)) <code>\(name: $0.reason)</code></li>" as HTML
    }
    if verdict.accounting.pending > 0 {
      reasons.append("<li>\(HTMLPiece.count(verdict.accounting.pending)) pending at the end</li>")
    }
    return reasons.isEmpty ? "" : "<h4>Not judged</h4>\n<ul class=\"brief\">\(reasons.joined())</ul>\n"
  }

  private static func firstFindings(_ verdict: Verdict) -> HTML {
    if verdict.divergenceCount == 0 { return "" }
    let limit = 3
    let first = verdict.divergences.prefix(limit).enumerated().map { index, divergence in
      """
      <li><a href="#finding-\(index + 1)"><code>\(name: divergence.rule)</code></a> \
      <span class="soft">\(visible: Words.cpus(divergence.cpus))</span></li>
      """ as HTML
    }
    let all: HTML = """
      <li><a href="#findings">All \(HTMLPiece.count(verdict.divergenceCount)), with the evidence</a></li>
      """
    return "<h4>Divergences</h4>\n<ul class=\"brief\">\(first.joined())\(all)</ul>\n"
  }

  private static func worstHealth(_ health: [HealthItem]) -> HTML {
    let bad = health.filter { $0.severity != .info }.sorted { $0.severity > $1.severity }
    if bad.isEmpty { return "" }
    let items = bad.prefix(2).map { item in
      "<li>\(visible: Words.severity(item.severity)): <code>\(name: item.name)</code></li>" as HTML
    }
    return """
      <h4>The trace</h4>
      <ul class="brief">\(items.joined())<li><a href="#health">What to do about it</a></li></ul>

      """
  }

  private static func interruptionCard(_ result: ReplayResult, matrix: MatrixFacts) -> HTML {
    guard let most = matrix.targets.first else {
      return """
        <div class="card"><h3>Who interrupts whom</h3>
        <p>No CPU was called by another.</p></div>
        """
    }
    var rows = HTML()
    for target in matrix.targets.prefix(4) {
      let from: HTML =
        target.mostFrom.map { " · most from CPU \($0): \(HTMLPiece.count(target.mostCalls))" } ?? ""
      rows += """
        <li><span class="row"><b>CPU \(target.cpu)</b> <span class="n">\(HTMLPiece.count(target.calls))</span></span>\
        \(HTMLPiece.bar(target.calls, of: most.calls))\
        <span class="soft">\(visible: Quantity.count(target.ipis, "IPI"))\(from)</span></li>

        """
    }
    var reasons = HTML()
    if let callback = result.calls.byCallback.first(where: { $0.queued > 0 }) {
      reasons += """
        <p>Most for <code>\(name: callback.callback)</code>, \(visible: Quantity.count(callback.queued, "time")).</p>

        """
    }
    if let caller = result.calls.byCaller.first {
      let process: HTML = caller.comm.map { ", process <code>\(name: $0)</code>" } ?? ""
      reasons += """
        <p>Most asked for by <code>\(name: caller.callsite)</code>\(process), \
        \(visible: Quantity.count(caller.calls, "call")).</p>

        """
    }
    return """
      <div class="card"><h3>Who interrupts whom</h3>
      <p class="lead"><strong>\(HTMLPiece.count(matrix.remoteCalls))</strong> calls across CPUs, \
      \(visible: Quantity.count(matrix.remoteIPIs, "IPI"))</p>
      <ol class="targets">\(rows)</ol>
      \(reasons)\
      <p><a href="#matrix">Every source and target</a></p>
      </div>
      """
  }

  private static func traceCard(_ result: ReplayResult) -> HTML {
    let trace = result.trace
    func row(_ name: HTML, _ value: HTML) -> HTML { "<div><dt>\(name)</dt><dd>\(value)</dd></div>\n" }
    func cpus(_ list: [Int]?) -> HTML {
      guard let list else { return "unknown" }
      return list.isEmpty ? "none" : "\(visible: Quantity.cpuList(list))"
    }
    var rows = row("Kernel", trace.kernel.map { "\(name: $0)" } ?? "unknown")
    rows += row("Clock", trace.clock.map { "\(name: $0)" } ?? "unknown")
    if let start = trace.startNanoseconds, let end = trace.endNanoseconds {
      rows += row("Span", HTMLPiece.duration(end.minus(start)))
      rows += row("From", "\(visible: Quantity.time(start)) s")
      rows += row("To", "\(visible: Quantity.time(end)) s")
    } else {
      rows += row("Span", "no events")
    }
    rows += row("CPUs online", cpus(trace.cpus.online))
    rows += row("Isolated", cpus(trace.cpus.isolated))
    rows += row("nohz_full", cpus(trace.cpus.nohzFull))
    rows += row("Events", HTMLPiece.count(trace.events.total))
    let lost: HTML =
      trace.events.lost == 0 ? "none" : "<strong class=\"doubt\">\(HTMLPiece.count(trace.events.lost))</strong>"
    rows += row("Lost", lost)
    if !result.engines.isEmpty {
      let names: [HTML] = result.engines.prefix(8).map { engine in
        let variant: HTML = engine.variant.map { ":\(name: $0)" } ?? ""
        return "<code>\(name: engine.engine)\(variant)</code><br>"
      }
      rows += row(result.engines.count == 1 ? "Engine" : "Engines", names.joined())
    }
    return """
      <div class="card"><h3>What was recorded</h3>
      <dl class="facts">\(rows)</dl></div>
      """
  }
}
