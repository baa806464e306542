public import Verdicts

extension HTMLReport {
  /// A check as one page: every scenario, engine and property first, then a lane diagram for each violation.
  /// - Complexity: O(size of the result).
  public static func render(_ result: CheckResult) -> String {
    let facts = CheckFacts(result, showsAll: false)
    var sections = [checkSummary(facts)]
    let traces = traceSection(facts)
    if let traces { sections.append(traces) }
    return HTMLPage(
      title: "\(visible: CheckWords.summary(facts))", subject: "every interleaving, explored",
      skip: "Skip to the results", sections: sections,
      footer: """
        An exploration takes every order in which CPUs can move and interrupts arrive. Of the ways to a violation, one of the \
        shortest is shown.
        """,
      style: "\(HTMLStyle.text)\n\(HTMLStyle.lanes)", script: nil
    ).text
  }

  // MARK: The lines

  private static func checkSummary(_ facts: CheckFacts) -> Section {
    let style: HTML = facts.notAsClaimed > 0 ? "bad" : facts.notExhausted > 0 ? "doubt" : "good"
    let sign = facts.notAsClaimed > 0 ? "✗" : facts.notExhausted > 0 ? "?" : "✓"
    var body: HTML = """
      <div class="hero"><div class="card verdict \(style)">
      <p class="headline"><span class="sign" aria-hidden="true">\(visible: sign)</span> \
      \(visible: CheckWords.summary(facts))</p>
      </div></div>

      """
    for (index, group) in facts.groups.enumerated() { body += scenario(group, number: index + 1, facts) }
    return Section(identifier: "summary", title: "Results", body: body)
  }

  private static func scenario(_ group: CheckFacts.Group, number: Int, _ facts: CheckFacts) -> HTML {
    var table = HTMLTable(
      "Results of \(name: group.scenario)",
      [
        .init("engine", .header), .init("property"), .init("result"), .init("states", .number),
        .init("transitions", .number), .init("depth", .number), .init("time", .number),
      ])
    for exploration in group.explorations {
      let figures = { (line: CheckLine) -> [HTML] in
        [
          "\(visible: Quantity.count(line.states))", "\(visible: Quantity.count(line.transitions))",
          "\(visible: Quantity.count(line.depth))", "\(visible: CheckWords.time(line))",
        ]
      }
      for line in exploration.lines {
        table.add(
          [HTMLPiece.name(exploration.engine), property(line), outcome(line, in: exploration)] + figures(line))
      }
      if let first = exploration.others.first {
        table.add(
          [
            HTMLPiece.name(exploration.engine), others(exploration), outcome(first, in: exploration),
          ] + figures(first))
      }
    }
    let ends: HTML = group.explorations.filter { $0.sample.reason != nil }.map {
      "<p class=\"doubt\">\(HTMLPiece.name($0.engine)): \(visible: CheckWords.end($0))</p>\n" as HTML
    }.joined()
    let claim: HTML = group.claim.isEmpty ? "" : "<p>\(sentence: group.claim)</p>\n"
    let source: HTML = group.source.isEmpty ? "" : "<p class=\"soft\">\(sentence: group.source)</p>\n"
    return """
      <h3 id="scenario-\(number)">\(name: group.scenario)</h3>
      \(claim)\(source)\(table.html)\(ends)
      """
  }

  private static func property(_ line: CheckLine) -> HTML {
    "<code title=\"\(visible: CheckWords.sentence(of: line.property))\">\(name: line.property)</code>"
  }

  private static func others(_ exploration: CheckFacts.Exploration) -> HTML {
    let names: HTML = exploration.others.map { "<li>\(property($0))</li>" as HTML }.joined()
    return """
      <details><summary>\(visible: CheckWords.others(exploration.others.count, ofAll: exploration.lines.isEmpty))</summary>\
      <ul class="brief">\(names)</ul></details>
      """
  }

  private static func outcome(_ line: CheckLine, in exploration: CheckFacts.Exploration) -> HTML {
    let style: HTML = line.isAsClaimed ? "good" : line.result == .notExhausted ? "doubt" : "bad"
    let words: HTML = "\(visible: CheckWords.outcome(line))"
    let trace = exploration.traces.first { trace in trace.lines.contains { $0.property == line.property } }
    let link: HTML = trace.map { "<a href=\"#trace-\($0.number)\">\(words)</a>" } ?? words
    let surprise = CheckWords.surprise(line)
    let note: HTML = surprise.isEmpty ? "" : "<span class=\"words soft\">\(visible: surprise)</span>"
    return """
      <span class="\(style)" aria-hidden="true">\(visible: CheckWords.sign(line))</span> \(link)\(note)
      """
  }

  // MARK: The traces

  private static func traceSection(_ facts: CheckFacts) -> Section? {
    var body = HTML()
    for group in facts.groups {
      for exploration in group.explorations {
        for trace in exploration.traces { body += article(trace, of: exploration, in: group) }
      }
    }
    if body.text.isEmpty { return nil }
    return Section(
      identifier: "traces", title: "Traces",
      note: "One of the shortest ways to each violation: a lane for each CPU, a row for each step that shows something",
      body: body)
  }

  private static func article(
    _ trace: CheckFacts.Trace, of exploration: CheckFacts.Exploration, in group: CheckFacts.Group
  ) -> HTML {
    let diagram = LaneDiagram(trace.example)
    let sentences: HTML = trace.lines.map {
      "<p>\(visible: CheckWords.sentence(of: $0.property))</p>\n" as HTML
    }.joined()
    let ends: HTML = diagram.ends.map {
      "<div><dt>CPU \($0.cpu)</dt><dd>\(visible: Words.capitalized($0.words))</dd></div>" as HTML
    }.joined()
    let conclusions: HTML = diagram.conclusions.map { "<p>\(visible: $0)</p>\n" as HTML }.joined()
    return """
      <article class="finding\(trace.isAsClaimed ? " claimed" : "")" id="trace-\(trace.number)">
      <h3><span class="number">\(trace.number)</span> <code>\(visible: CheckWords.properties(trace))</code></h3>
      <p class="soft">\(name: group.scenario) · <code>\(name: exploration.engine)</code> · \
      \(trace.isAsClaimed ? "violated, as claimed" : "violated")</p>
      \(sentences)\(LaneTable(diagram).html)
      <p>\(visible: CheckWords.after(trace.example))</p>
      <dl class="explained">\(ends)</dl>
      \(conclusions)</article>

      """
  }
}
