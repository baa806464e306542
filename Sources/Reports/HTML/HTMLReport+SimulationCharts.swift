import Glibc
import Verdicts

/// Charts of a simulation. What they show stands in the side-by-side table too.
extension HTMLReport {
  static func simulationCharts(_ facts: SimulationFacts) -> HTML {
    "<div class=\"charts\">\(interruptBars(facts))\(percentiles(facts))\(distributions(facts))</div>\n"
  }

  // MARK: IPIs

  /// A bar for each engine, with the simulation's own error as a whisker.
  private static func interruptBars(_ facts: SimulationFacts) -> HTML {
    let error = min(facts.interruptError ?? 0, 1)
    let most = facts.columns.map { Double(SimulationWords.interrupts($0.outcome)) }.max() ?? 0
    let scale = 1_000 / max(1, most * (1 + error))
    let items: HTML = facts.columns.map { column in
      let count = SimulationWords.interrupts(column.outcome)
      let single = Double(column.outcome.interrupts.single) * scale
      let masks = Double(column.outcome.interrupts.maskTargets) * scale
      var whisker = HTML()
      if !column.isRecorded, error > 0 {
        let low = Double(count) * (1 - error) * scale
        let high = Double(count) * (1 + error) * scale
        whisker = """
          <path class="whisker" d="M\(low) 4V16M\(high) 4V16M\(low) 10H\(high)"/>
          """
      }
      return """
        <li><span class="row"><span>\(title(column))</span><span><strong>\(HTMLPiece.count(count))</strong>\
        \(delta(column.mark(.interrupts)))</span></span>
        <svg class="bars" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true">\
        <rect class="track" width="1000" height="20"/><rect class="single" width="\(single)" height="20"/>\
        <rect class="places" x="\(single)" width="\(masks)" height="20"/>\(whisker)</svg></li>

        """ as HTML
    }.joined()
    let whisker: HTML =
      error > 0
      ? """
      <span><svg viewBox="0 0 34 10" aria-hidden="true"><path class="whisker" d="M4 1V9M30 1V9M4 5H30"/></svg> the \
      simulation's own error, ± \(visible: SimulationWords.size(error, .interrupts))</span>
      """ : "<span>the simulation's own error is not known, or none</span>"
    return """
      <figure class="chart"><figcaption><b>IPIs</b> <span class="soft">that targets receive</span></figcaption>
      <ul class="bars">
      \(items)</ul>
      <p class="legend"><span><svg viewBox="0 0 34 10" aria-hidden="true"><rect class="single" width="30" height="10"/></svg> \
      to one CPU</span><span><svg viewBox="0 0 34 10" aria-hidden="true"><rect class="places" x="1" y="1" width="28" \
      height="8"/></svg> places in masks</span>\(whisker)</p>
      </figure>

      """
  }

  // MARK: Percentiles

  /// A line for each engine from p50 to the maximum, on one logarithmic axis; every percentile has a shape of its own.
  private static func percentiles(_ facts: SimulationFacts) -> HTML {
    let summaries = facts.columns.map(\.outcome.queueToStart.summary)
    let values = summaries.flatMap { summary in Percentile.allCases.compactMap { $0.value(summary) } }
    guard let least = values.min(), let most = values.max(),
      let axis = LogAxis([.init(fromNanoseconds: least, toNanoseconds: most, count: 1)])
    else { return "" }
    let rowHeight = 34.0
    let bottom = rowHeight * Double(facts.columns.count) + 4
    var rows = HTML()
    for (index, column) in facts.columns.enumerated() {
      let y = Double(index) * rowHeight + 23
      let found = Percentile.allCases.compactMap { shape in shape.value(summaries[index]).map { (shape, $0) } }
      let glyphs: HTML = found.map { shape, value in
        """
        <g>\(shape.glyph(axis.x(value), y))<title>\(visible: column.name), \(shape.name): \
        \(HTMLPiece.duration(value))</title></g>

        """ as HTML
      }.joined()
      let xs = found.map { axis.x($0.1) }
      let line: HTML =
        xs.isEmpty
        ? "<text x=\"20\" y=\"\(y + 4)\">none ran</text>"
        : "<line class=\"reach\" x1=\"\(xs.min() ?? 0)\" x2=\"\(xs.max() ?? 0)\" y1=\"\(y)\" y2=\"\(y)\"/>"
      rows += """
        <text class="title" x="20" y="\(y - 9)">\(visible: TextTable.cut(column.name, to: 46))</text>\(line)\(glyphs)
        """
    }
    let legend: HTML = Percentile.allCases.map { shape in
      "<span><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\">\(shape.glyph(7, 7))</svg> \(shape.name)</span>\n" as HTML
    }.joined()
    return """
      <figure class="chart"><figcaption><b>Queue → start</b> <span class="soft">percentiles, on a logarithmic \
      axis</span></figcaption>
      <svg viewBox="0 0 \(LogAxis.width) \(bottom + 20)" role="img" aria-label="Percentiles of the delay from queue to start \
      under each engine; the table below has the numbers">
      \(ticks(axis, from: 0, to: bottom))\(rows)
      </svg>
      <p class="legend glyphs">\(legend)</p>
      </figure>

      """
  }

  private static func ticks(_ axis: LogAxis, from top: Double, to bottom: Double) -> HTML {
    axis.ticks.map { tick in
      let x = axis.x(tick)
      return """
        <line class="grid" x1="\(x)" x2="\(x)" y1="\(top)" y2="\(bottom)"/>\
        <text x="\(x)" y="\(bottom + 14)" text-anchor="middle">\(visible: LogAxis.label(tick))</text>

        """ as HTML
    }.joined()
  }

  // MARK: Distributions

  /// As many lines as can be told apart by their dashes.
  private static let lineLimit = 7
  private static let binLimit = 320

  /// The share of callbacks that began within a time, one line for each engine. The scale stretches towards 100 %,
  /// where engines differ.
  private static func distributions(_ facts: SimulationFacts) -> HTML {
    let columns = facts.columns.prefix(lineLimit)
    let bins = columns.map { column in
      column.outcome.queueToStart.histogram.prefix(binLimit).filter { $0.count > 0 }
    }
    guard let axis = LogAxis(bins.flatMap { $0 }) else { return "" }
    let height = 200.0
    let top = 8.0
    func y(_ share: Double) -> Double {
      // 0, 90, 99, 99.9 and 99.99 % are equally far apart; what is beyond lies at the top.
      top + height * (1 - min(-log10(max(1 - share, 1e-4)), 4) / 4)
    }
    var lines = HTML()
    var legend = HTML()
    for (index, column) in columns.enumerated() {
      // What was recorded has a line of its own kind.
      let style = facts.columns[0].isRecorded ? index : index + 1
      let total = bins[index].reduce(0) { $0 + Double($1.count) }
      if total > 0 {
        var path = HTML()
        var sum = 0.0
        for bin in bins[index] {
          if path.text.isEmpty { path = "M\(axis.x(bin.fromNanoseconds)) \(y(0))" }
          sum += Double(bin.count)
          path += "L\(axis.x(bin.toNanoseconds)) \(y(sum / total))"
        }
        lines += "<path class=\"series s\(style)\" d=\"\(path)\"><title>\(visible: column.name)</title></path>\n"
      }
      legend += """
        <span><svg viewBox="0 0 34 10" aria-hidden="true"><path class="series s\(style)" d="M0 5H34"/></svg> \
        \(title(column))</span>

        """
    }
    let shares: HTML = ([(0, "0 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %")] as [(Double, HTML)]).map {
      """
      <line class="grid" x1="20" x2="340" y1="\(y($0))" y2="\(y($0))"/>\
      <text x="22" y="\(y($0) - 3)">\($1)</text>

      """ as HTML
    }.joined()
    return """
      <figure class="chart"><figcaption><b>Queue → start</b> <span class="soft">the share that began within a \
      time</span></figcaption>
      <svg viewBox="0 0 \(LogAxis.width) \(top + height + 22)" role="img" aria-label="Cumulative distributions of the delay \
      from queue to start, one line for each engine; the table below has the percentiles">
      \(ticks(axis, from: top, to: top + height))\(shares)\(lines)
      </svg>
      <p class="legend">\(legend)</p>
      \(HTMLPiece.more(facts.columns.count, shown: lineLimit, "engines"))</figure>

      """
  }
}

/// A percentile with a shape of its own, so that colour need not tell them apart.
private enum Percentile: CaseIterable {
  case p50, p90, p99, p999, max

  var name: HTML {
    switch self {
    case .p50: "p50"
    case .p90: "p90"
    case .p99: "p99"
    case .p999: "p99.9"
    case .max: "max"
    }
  }

  func value(_ summary: DurationSummary) -> UInt64? {
    switch self {
    case .p50: summary.p50Nanoseconds
    case .p90: summary.p90Nanoseconds
    case .p99: summary.p99Nanoseconds
    case .p999: summary.p999Nanoseconds
    case .max: summary.maxNanoseconds
    }
  }

  /// The shape around a point.
  func glyph(_ x: Double, _ y: Double) -> HTML {
    switch self {
    case .p50: "<circle class=\"glyph\" cx=\"\(x)\" cy=\"\(y)\" r=\"4\"/>"
    case .p90: "<path class=\"glyph\" d=\"M\(x - 5) \(y)L\(x) \(y - 5)L\(x + 5) \(y)L\(x) \(y + 5)z\"/>"
    case .p99: "<rect class=\"glyph\" x=\"\(x - 4)\" y=\"\(y - 4)\" width=\"8\" height=\"8\"/>"
    case .p999: "<path class=\"glyph\" d=\"M\(x - 5) \(y + 4)L\(x) \(y - 5)L\(x + 5) \(y + 4)z\"/>"
    case .max: "<rect class=\"glyph\" x=\"\(x - 1)\" y=\"\(y - 6)\" width=\"2\" height=\"12\"/>"
    }
  }
}
