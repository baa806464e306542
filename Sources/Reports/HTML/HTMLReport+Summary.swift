import Verdicts

extension HTMLReport {
  /// What a reader must know within ten seconds: conforms or not, how much was judged, who interrupts whom.
  static func summary(_ result: ReplayResult, matrix: MatrixFacts) -> Section {
    let body: HTML = """
      <div class="hero">
      \(verdictCard(result.verdict))
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

  private static func verdictCard(_ verdict: Verdict) -> HTML {
    let all = verdict.judged.plus(verdict.undecided)
    let share = Quantity.share(verdict.judged, of: all)
    let lead: HTML =
      all == 0
      ? "<p class=\"lead\">No queued calls.</p>"
      : """
      <p class="lead"><strong>\(visible: share)</strong> judged</p>
      \(HTMLPiece.bar(verdict.judged, of: all))
      <p class="soft">\(HTMLPiece.count(verdict.judged)) of \(visible: Quantity.count(all, "queued call"))</p>
      """
    let link: HTML =
      verdict.divergenceCount > 0
      ? """
      <p><a href="#findings">\(visible: Quantity.count(verdict.divergenceCount, "divergence")), with the evidence</a></p>
      """ : ""
    return """
      <div class="card verdict \(style(verdict.result))">
      <p class="headline"><span class="sign" aria-hidden="true">\(visible: Words.sign(verdict.result))</span> \
      \(visible: Words.capitalized(Words.headline(verdict)))</p>
      <p>\(visible: Words.sentence(verdict))</p>
      \(lead)
      \(link)
      </div>
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
        <p>Most for <code>\(callback.callback)</code>, \(visible: Quantity.count(callback.queued, "time")).</p>

        """
    }
    if let caller = result.calls.byCaller.first {
      let process: HTML = caller.comm.map { ", process <code>\($0)</code>" } ?? ""
      reasons += """
        <p>Most asked for by <code>\(caller.callsite)</code>\(process), \
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
    var rows = row("Kernel", trace.kernel.map { "\($0)" } ?? "unknown")
    rows += row("Clock", trace.clock.map { "\($0)" } ?? "unknown")
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
        let variant: HTML = engine.variant.map { ":\($0)" } ?? ""
        return "<code>\(engine.engine)\(variant)</code> "
      }
      rows += row(result.engines.count == 1 ? "Engine" : "Engines", names.joined())
    }
    return """
      <div class="card"><h3>What was recorded</h3>
      <dl class="facts">\(rows)</dl></div>
      """
  }
}
