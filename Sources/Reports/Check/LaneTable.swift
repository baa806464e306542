import Verdicts

/// A lane diagram as an HTML table: a column for each CPU, arrows where an IPI goes.
struct LaneTable {
  private let diagram: LaneDiagram

  init(_ diagram: LaneDiagram) { self.diagram = diagram }

  var html: HTML {
    let heads: HTML = diagram.cpus.map { "<th scope=\"col\">CPU \($0)</th>" as HTML }.joined()
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="Steps, a lane for each CPU"><table class="lanes">
      <thead><tr><th scope="col" class="n">step</th>\(heads)</tr></thead>
      <tbody>
      \(diagram.rows.map(row).joined())</tbody></table></div>
      \(legend)
      """
  }

  private var legend: HTML {
    let contexts: HTML = diagram.contexts.map { "<span>\(mark($0)) \(visible: LaneDiagram.name($0))</span>" as HTML }
      .joined()
    let lines = diagram.rows.flatMap(\.lines) + diagram.start
    let off: HTML =
      lines.contains(.interruptsOff) ? "<span><span class=\"sample off\"></span> interrupts off</span>" : ""
    let dead: HTML = lines.contains(.dead) ? "<span><span class=\"sample dead\"></span> dead</span>" : ""
    let repeated: HTML = diagram.rows.contains(where: \.isRepeated) ? "<span>↻ for ever</span>" : ""
    return "<p class=\"legend\">\(contexts)\(off)\(dead)\(repeated)</p>\n"
  }

  private func row(_ row: LaneDiagram.Row) -> HTML {
    let actor = diagram.cpus.firstIndex(of: row.cpu) ?? 0
    let targets = row.entries.flatMap(\.arrows).compactMap { diagram.cpus.firstIndex(of: $0) }
    var cells = HTML()
    for (lane, line) in row.lines.enumerated() {
      let content: HTML = lane == actor ? self.actor(row, lane, targets) : arrow(lane, actor, targets)
      let moves: HTML = lane == actor ? "moves " : ""
      cells += "<td class=\"\(moves)\(style(line))\">\(content)</td>"
    }
    return "<tr><td class=\"n\">\(row.isRepeated ? "↻ " : "")\(row.step)</td>\(cells)</tr>\n"
  }

  private func actor(_ row: LaneDiagram.Row, _ lane: Int, _ targets: [Int]) -> HTML {
    let entries: HTML = row.entries.map { "<span class=\"happening\">\(visible: $0.text)</span>" as HTML }.joined()
    return "\(mark(row.context))\(entries)"
  }

  /// What of an arrow lies in a lane that does not move.
  private func arrow(_ lane: Int, _ actor: Int, _ targets: [Int]) -> HTML {
    let isTarget = targets.contains(lane)
    let goesRight = lane > actor
    let passes = goesRight ? targets.contains { $0 > lane } : targets.contains { $0 < lane }
    if !isTarget, !passes { return "" }
    let line: HTML = "<line x1=\"0\" x2=\"\(visible: passes ? "100%" : "12")\" y1=\"5\" y2=\"5\"/>"
    let head: HTML = isTarget ? "<path d=\"M10 0.5L19 5L10 9.5z\"/>" : ""
    return """
      <svg class="arrow\(goesRight ? "" : " left")" width="100%" height="10" aria-hidden="true">\(line)\(head)</svg>
      """
  }

  private func mark(_ context: Counterexample.Context) -> HTML {
    """
    <abbr class="context" title="\(visible: LaneDiagram.name(context))">\(visible: LaneDiagram.letter(context))</abbr>
    """
  }

  private func style(_ line: LaneDiagram.Line) -> HTML {
    switch line {
    case .interruptsOn: "on"
    case .interruptsOff: "off"
    case .dead: "dead"
    }
  }
}

extension HTMLStyle {
  /// For lane diagrams, behind ``text``.
  static let lanes: HTML = """
    section h3, section p { overflow-wrap: anywhere; }
    table.lanes td { white-space: normal; min-width: 9rem; max-width: 24rem; border-left: 1px solid var(--line);
      overflow-wrap: anywhere; }
    table.lanes td.n { min-width: 0; border-left: 0; color: var(--soft); }
    table.lanes td.off { border-left: 5px solid var(--coalesced); background: var(--doubt-wash); }
    table.lanes td.dead { border-left: 3px dotted var(--soft); background: var(--band); }
    table.lanes tbody tr:hover > td.off { background: var(--doubt-wash); }
    .context { display: inline-block; float: left; min-width: 1.5em; margin-right: .45em; text-align: center; text-decoration: none;
      color: var(--soft); border: 1px solid var(--line); border-radius: 4px; font-size: .8em; font-weight: 600; }
    .legend .context { float: none; margin-right: .2em; }
    .happening { display: block; overflow: hidden; }
    .sample { display: inline-block; width: 1.1em; height: .95em; vertical-align: -.1em; margin-right: .2em; }
    .sample.off { border-left: 5px solid var(--coalesced); background: var(--doubt-wash); }
    .sample.dead { border-left: 3px dotted var(--soft); background: var(--band); }
    .arrow { display: block; margin-top: .45em; overflow: visible; }
    .arrow.left { transform: scaleX(-1); }
    .arrow line { stroke: var(--ipi); stroke-width: 1.5; } .arrow path { fill: var(--ipi); }
    .finding.claimed { border-left-color: var(--line); }
    .finding.claimed .number { background: var(--soft); }
    td details { margin: 0; } td summary { padding: 0; }
    """
}
