import Verdicts

extension HTMLReport {
  /// The chosen window: a drawing, and the same calls as a table.
  static func timeline(_ timeline: Timeline, divergences: [Divergence]) -> Section {
    let drawing = TimelineDrawing(timeline, divergences: divergences)
    let body: HTML
    if drawing.isEmpty {
      body = "<p>Nothing to show.</p>"
    } else {
      body = """
        <div class="tools" id="timeline-tools" hidden>
        <button type="button" data-do="in" aria-label="Zoom in">+</button>
        <button type="button" data-do="out" aria-label="Zoom out">−</button>
        <button type="button" data-do="left" aria-label="Earlier">←</button>
        <button type="button" data-do="right" aria-label="Later">→</button>
        <button type="button" data-do="all">Whole window</button>
        <span class="soft">With the drawing focused: + − ← → 0, wheel, drag. Elsewhere: Ctrl and wheel.</span>
        </div>
        \(legend)
        <div class="scroll drawing" tabindex="0" role="region" aria-label="Timeline">\(drawing.svg)</div>
        \(notes(timeline, drawing))
        \(flows(timeline, drawing))
        """
    }
    let note: HTML =
      timeline.choice == .empty
      ? ""
      : """
      \(HTMLPiece.duration(timeline.endNanoseconds.minus(timeline.startNanoseconds))) from \
      \(visible: Quantity.time(timeline.startNanoseconds)) s: \(visible: Words.choice(timeline))
      """
    return Section(identifier: "timeline", title: "Timeline", note: note, body: body)
  }

  private static var legend: HTML {
    let kicks: [(style: HTML, name: HTML)] = [
      ("ipi", "IPI"), ("mask", "mask IPI"), ("coalesced", "coalesced"), ("polling", "polling"), ("other", "unknown"),
    ]
    let arrows = kicks.map { kick in
      """
      <span><svg viewBox="0 0 34 10" aria-hidden="true"><path class="flow \(kick.style)" d="M1 5H26"/>\
      <path class="tip \(kick.style)" d="M26 1L33 5L26 9z"/></svg> \(kick.name)</span>

      """ as HTML
    }
    return """
      <p class="legend">
      <span><span class="swatch handler" aria-hidden="true"></span> handler</span>
      <span><span class="swatch callback" aria-hidden="true"></span> callback</span>
      <span><span class="swatch idle" aria-hidden="true"></span> idle</span>
      <span class="soft">from queue to callback:</span>
      \(arrows.joined())</p>
      """
  }

  private static func notes(_ timeline: Timeline, _ drawing: TimelineDrawing) -> HTML {
    var notes = HTML()
    if timeline.truncated { notes += "<p class=\"more\">The window held more than the result keeps.</p>\n" }
    if drawing.leftOut > 0 {
      notes += """
        <p class="more">\(visible: Quantity.count(drawing.leftOut)) more slices, calls and CPUs of this window are in the \
        JSON result.</p>

        """
    }
    return notes
  }

  private static func flows(_ timeline: Timeline, _ drawing: TimelineDrawing) -> HTML {
    if drawing.flows.isEmpty { return "" }
    let limit = 100
    var table = HTMLTable(
      "Calls of the window",
      [
        .init("queued", .number), .init("from → to", .header), .init("callback"), .init("kick"),
        .init("to kick", .number), .init("delay", .number), .init("run", .number),
      ])
    for (index, flow) in drawing.flows.prefix(limit).enumerated() {
      table.add(
        [
          "+\(HTMLPiece.duration(flow.queuedNanoseconds.minus(timeline.startNanoseconds)))",
          "\(flow.source) → \(flow.target)", HTMLPiece.name(flow.callback), "\(name: flow.kick)",
          HTMLPiece.duration(flow.kickNanoseconds.map { $0.minus(flow.queuedNanoseconds) }),
          HTMLPiece.duration(flow.startedNanoseconds.map { $0.minus(flow.queuedNanoseconds) }),
          HTMLPiece.duration(
            flow.endedNanoseconds.flatMap { end in flow.startedNanoseconds.map { end.minus($0) } }),
        ], attributes: " data-flow=\"\(index)\"")
    }
    return """
      <h3>Calls of this window</h3>
      <div id="timeline-calls">\(table.html)</div>\(HTMLPiece.more(drawing.flows.count, shown: limit, "calls"))
      """
  }
}
