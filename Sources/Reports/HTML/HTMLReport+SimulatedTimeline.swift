import Verdicts

extension HTMLReport {
  /// The chosen call in reality and under each engine: a drawing, what did not end well in words, and all as a table.
  static func simulatedTimeline(_ timeline: SimulatedTimeline) -> HTML {
    let drawing = SimulatedTimelineDrawing(timeline)
    if drawing.isEmpty { return "" }
    let chosen: HTML =
      SimulationWords.chosen(timeline).map { "<p><code>\(visible: $0)</code></p>" } ?? ""
    let more: HTML =
      drawing.leftOut > 0
      ? """
      <p class="more">\(visible: Quantity.count(drawing.leftOut)) more slices, marks, CPUs and engines are in the JSON \
      result.</p>

      """ : ""
    return """
      <h3>One call under each engine</h3>
      \(chosen)<p class="soft">\(HTMLPiece.duration(timeline.endNanoseconds.minus(timeline.startNanoseconds))) from \
      \(visible: Quantity.time(timeline.startNanoseconds)) s. All share one axis. In each lane, what a CPU does for others \
      lies above, what it does as a caller below.</p>
      \(SimulatedTimelineDrawing.legend)
      <div class="scroll drawing" tabindex="0" role="region" aria-label="One call under each engine">\(drawing.svg)</div>
      \(more)\(notes(timeline))\(fold("The same as a table", table(timeline)))
      """
  }

  /// What was lost, refused or never ends, in sentences.
  private static func notes(_ timeline: SimulatedTimeline) -> HTML {
    let limit = 4
    var items = HTML()
    for track in timeline.tracks.prefix(SimulatedTimelineDrawing.trackLimit) {
      let name: HTML = "<code>\(visible: SimulationWords.name(track))</code>"
      for mark in track.marks.filter({ $0.kind == .lost || $0.kind == .refused }).prefix(limit) {
        let target: HTML = mark.target.map { ", for CPU \($0)" } ?? ""
        items += """
          <li>\(name): \(visible: SimulationWords.name(mark.kind)) on CPU \(mark.cpu)\(target), \
          +\(HTMLPiece.duration(mark.timeNanoseconds.minus(timeline.startNanoseconds)))</li>

          """
      }
      for slice in track.slices.filter({ $0.endNanoseconds == nil && $0.kind == .wait }).prefix(limit) {
        let what: HTML = slice.label.isEmpty ? "" : ": \(name: slice.label)"
        items += """
          <li>\(name): CPU \(slice.cpu) waits from +\(HTMLPiece.duration(
            slice.startNanoseconds.minus(timeline.startNanoseconds))) on and does not stop\(what)</li>

          """
      }
      if track.isTruncated { items += "<li>\(name): more happened than is kept</li>\n" }
    }
    return items.text.isEmpty ? "" : "<ul class=\"remarks\">\n\(items)</ul>\n"
  }

  private static func table(_ timeline: SimulatedTimeline) -> HTML {
    let limit = 60
    var table = HTMLTable(
      "One call under each engine, step by step",
      [
        .init("engine", .header), .init("at", .number), .init("CPU"), .init("what"), .init(""), .init("for", .number),
      ])
    var leftOut = 0
    for track in timeline.tracks.prefix(SimulatedTimelineDrawing.trackLimit) {
      var steps: [(time: UInt64, cells: [HTML])] = track.slices.prefix(SimulatedTimelineDrawing.itemLimit).map {
        let lasts: HTML =
          $0.endNanoseconds.map { [start = $0.startNanoseconds] in HTMLPiece.duration($0.minus(start)) }
          ?? "does not end"
        return (
          $0.startNanoseconds,
          [
            "CPU \($0.cpu)", "\(visible: SimulationWords.name($0.kind))",
            $0.label.isEmpty ? "" : HTMLPiece.name($0.label), lasts,
          ]
        )
      }
      steps += track.marks.prefix(SimulatedTimelineDrawing.itemLimit).map {
        (
          $0.timeNanoseconds,
          ["CPU \($0.cpu)", "\(visible: SimulationWords.name($0.kind))", $0.target.map { "→ CPU \($0)" } ?? "", ""]
        )
      }
      steps.sort { $0.time < $1.time }
      for step in steps.prefix(limit) {
        table.add(
          [
            "<code>\(visible: SimulationWords.name(track))</code>",
            "+\(HTMLPiece.duration(step.time.minus(timeline.startNanoseconds)))",
          ] + step.cells)
      }
      leftOut += max(0, steps.count - limit)
    }
    return "\(table.html)\(HTMLPiece.more(leftOut, shown: 0, "steps"))"
  }
}
