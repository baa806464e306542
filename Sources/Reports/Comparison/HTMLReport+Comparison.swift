public import Verdicts

extension HTMLReport {
  /// A comparison as one page that needs nothing else, readable without JavaScript.
  /// - Complexity: O(size of the comparison).
  public static func render(_ comparison: Comparison) -> String {
    let facts = ComparisonFacts(comparison)
    var sections = [comparisonSummary(comparison, facts)]
    if !facts.differences.isEmpty { sections.append(differences(facts)) }
    sections.append(
      Section(
        identifier: "all", title: "All calls", note: "of the recorded CPUs together",
        body: items(comparison.total, label: "All calls, before and after")))
    if !comparison.byCallback.isEmpty { sections.append(callbacks(comparison.byCallback)) }
    if !comparison.byCPU.isEmpty { sections.append(cpus(comparison.byCPU)) }
    sections.append(certainty(comparison, facts))
    return HTMLPage(
      title: "\(visible: facts.headline)", subject: "cross-CPU calls, compared", skip: "Skip to what differs",
      sections: sections,
      footer: """
        Counts and times are per second of recorded time. Percentiles are exact to 1 %. A dash means unknown, ≈ not told \
        apart, ? not judged.
        """,
      style: HTMLStyle.text, script: nil
    ).text
  }

  // MARK: Summary

  private static func comparisonSummary(_ comparison: Comparison, _ facts: ComparisonFacts) -> Section {
    let hasFired = comparison.rules.contains { $0.result == .fired }
    let tone: HTML = hasFired ? "bad" : facts.tested == 0 ? "doubt" : facts.differences.isEmpty ? "good" : "doubt"
    let rules: HTML = comparison.rules.map { rule in
      """
      <li><span class="\(style(of: rule.result))" aria-hidden="true">\(visible: ComparisonWords.sign(rule.result))</span> \
      \(HTMLPiece.name(rule.rule)) \(visible: ComparisonWords.outcome(rule))</li>
      """ as HTML
    }.joined()
    let list: HTML = comparison.rules.isEmpty ? "" : "<h4>Rules</h4>\n<ul class=\"brief\">\(rules)</ul>\n"
    let sides = [("Before", comparison.before), ("After", comparison.after)].map { name, side in
      """
      <div class="card"><h3>\(visible: name)</h3>
      \(sideFacts(side))\(damage(side))</div>

      """ as HTML
    }
    let body: HTML = """
      <div class="hero">
      <div class="card verdict \(tone)">
      <p class="headline"><span class="sign" aria-hidden="true">\(visible: facts.sign)</span> \
      \(visible: Words.capitalized(facts.headline))</p>
      <p>\(visible: Words.capitalized(facts.detail))</p>
      \(list)</div>
      \(sides.joined())</div>
      \(circumstances(comparison.circumstances))
      """
    return Section(identifier: "summary", title: "Summary", body: body)
  }

  private static func style(of result: RuleOutcome.Result) -> HTML {
    switch result {
    case .fired: "bad"
    case .quiet: "good"
    case .notJudged: "doubt"
    }
  }

  private static func sideFacts(_ side: ComparedSide) -> HTML {
    let rows: HTML = ComparedSideWords.rows.map { name, words in
      "<div><dt>\(visible: name)</dt><dd>\(visible: words(side))</dd></div>" as HTML
    }.joined()
    return "<dl class=\"facts\">\(rows)</dl>\n"
  }

  private static func damage(_ side: ComparedSide) -> HTML {
    if side.damage.isEmpty { return "" }
    let limit = 8
    let items: HTML = side.damage.prefix(limit).map { item in
      let place: HTML = item.cpu.map { "CPU \($0): " } ?? ""
      return "<li>\(place)\(HTMLPiece.name(item.name)) × \(HTMLPiece.count(item.count))</li>" as HTML
    }.joined()
    return """
      <h4>What is missing</h4>
      <ul class="brief">\(items)</ul>
      \(HTMLPiece.more(side.damage.count, shown: limit, "counters"))
      """
  }

  private static func circumstances(_ circumstances: [Comparison.Circumstance]) -> HTML {
    if circumstances.isEmpty { return "" }
    var table = HTMLTable(
      "What was not the same on both sides", [.init("", .header), .init("before"), .init("after")])
    for item in circumstances {
      let sides = [item.before, item.after].map { side -> HTML in
        side.map { "<span class=\"words\">\(name: $0)</span>" } ?? "–"
      }
      table.add(["\(visible: ComparisonWords.name(item.kind))"] + sides)
    }
    return "<h3>Not the same: differences may come from this</h3>\n\(table.html)"
  }

  // MARK: Tables

  private static func differences(_ facts: ComparisonFacts) -> Section {
    let limit = 200
    var table = HTMLTable(
      "What differs",
      [
        .init("where", .header), .init("what"), .init("before", .number), .init("after", .number),
        .init("change", .number), .init("between"), .init(""),
      ])
    for difference in facts.differences.prefix(limit) {
      let item = difference.item
      table.add([
        "<code>\(visible: difference.place)</code>", measure(item.measure), value(item.before, item.measure),
        value(item.after, item.measure), change(item), interval(item), bar(item),
      ])
    }
    return Section(
      identifier: "differences", title: "What differs", note: "beyond chance, all that was judged taken together",
      body: "\(table.html)\(HTMLPiece.more(facts.differences.count, shown: limit, "differences"))")
  }

  /// All measures of one place.
  private static func items(_ items: [ComparedItem], label: HTML) -> HTML {
    var table = HTMLTable(
      label,
      [
        .init("what", .header), .init("before", .number), .init("after", .number), .init("change", .number),
        .init("between"), .init(""), .init("finding"), .init("meaning"),
      ])
    for item in items {
      table.add([
        measure(item.measure), value(item.before, item.measure), value(item.after, item.measure), change(item),
        interval(item), bar(item), "<span class=\"words\">\(visible: ComparisonWords.finding(item))</span>",
        "<span class=\"words soft\">\(visible: ComparisonWords.meaning(item.measure))</span>",
      ])
    }
    return table.html
  }

  private static func callbacks(_ rows: [Comparison.Callback]) -> Section {
    let limit = 60
    let measures: [ComparedMeasure] = [.calls, .interrupts, .p50, .p99, .runP50]
    var table = HTMLTable("Calls by callback, before and after", [.init("callback", .header)] + columns(measures))
    for row in rows.prefix(limit) {
      table.add([head(HTMLPiece.name(row.callback), row.presence)] + cells(measures, row.items))
    }
    return Section(
      identifier: "callbacks", title: "By callback",
      body: "\(table.html)\(HTMLPiece.more(rows.count, shown: limit, "callbacks"))")
  }

  private static func cpus(_ rows: [Comparison.CPU]) -> Section {
    let limit = 256
    let measures: [ComparedMeasure] = [.calls, .interrupts, .handlers, .callbacks, .callbackTime, .reschedules, .p99]
    var table = HTMLTable("Calls by CPU, before and after", [.init("CPU", .header)] + columns(measures))
    let watched = rows.filter(\.isWatched)
    for row in (watched + rows.filter { !$0.isWatched }).prefix(limit) {
      let mark: HTML = row.isWatched ? " <span class=\"soft\">watched</span>" : ""
      table.add([head("CPU \(row.cpu)\(mark)", row.presence)] + cells(measures, row.items))
    }
    return Section(
      identifier: "cpus", title: "By CPU", note: watched.isEmpty ? "" : "those that are watched first",
      body: "\(table.html)\(HTMLPiece.more(rows.count, shown: limit, "CPUs"))")
  }

  private static func head(_ name: HTML, _ presence: Comparison.Presence) -> HTML {
    ComparisonWords.presence(presence).map { "\(name) <span class=\"soft\">\(visible: $0)</span>" } ?? name
  }

  private static func columns(_ measures: [ComparedMeasure]) -> [HTMLTable.Column] {
    measures.flatMap { name -> [HTMLTable.Column] in
      [.init(measure(name), .number), .init("after", .number), .init("change", .number)]
    }
  }

  private static func cells(_ measures: [ComparedMeasure], _ items: [ComparedItem]) -> [HTML] {
    measures.flatMap { measure -> [HTML] in
      guard let item = items.first(where: { $0.measure == measure }) else { return ["–", "–", "–"] }
      return [value(item.before, measure), value(item.after, measure), change(item)]
    }
  }

  private static func measure(_ measure: ComparedMeasure) -> HTML {
    "<code title=\"\(visible: ComparisonWords.meaning(measure))\">\(name: measure.rawValue)</code>"
  }

  private static func value(_ value: ComparedItem.Value, _ measure: ComparedMeasure) -> HTML {
    "\(visible: ComparisonWords.value(value, measure))"
  }

  private static func change(_ item: ComparedItem) -> HTML {
    let style: HTML = item.isSignificant == true ? "strong" : "soft"
    return """
      <span class="\(style)" title="\(visible: ComparisonWords.finding(item))">\(visible: ComparisonWords.change(item)) \
      \(visible: ComparisonWords.sign(item))</span>
      """
  }

  private static func interval(_ item: ComparedItem) -> HTML {
    ComparisonWords.interval(item).map { "\(visible: $0)" } ?? "–"
  }

  /// Where the change lies between halving and more, drawn beside the numbers that say the same: no change is in the middle.
  private static func bar(_ item: ComparedItem) -> HTML {
    guard let low = item.changeAtLeast, let high = item.changeAtMost else { return "" }
    func place(_ change: Double) -> Double { 50 + 50 * min(1, max(-1, change)) }
    let width = max(1, place(high) - place(low))
    return """
      <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">\
      <rect class="track" width="100" height="8"/><rect class="fill" x="\(min(99, place(low)))" width="\(width)" height="8"/>\
      <line class="axis" x1="50" x2="50" y1="0" y2="8"/></svg>
      """
  }

  // MARK: Certainty

  private static func certainty(_ comparison: Comparison, _ facts: ComparisonFacts) -> Section {
    var table = HTMLTable("What was not judged, and why", [.init("count", .number), .init("reason")])
    for (reason, count) in facts.notJudged {
      table.add([
        "\(visible: Quantity.count(count))",
        "<span class=\"words\">\(visible: ComparisonWords.sentence(reason))</span>",
      ])
    }
    let caution: HTML = comparison.resampling.map { "<p>\(visible: ComparisonFacts.caution($0))</p>\n" } ?? ""
    let missing: HTML = table.isEmpty ? "" : "<h3>Not judged</h3>\n\(table.html)"
    return Section(identifier: "certainty", title: "How sure that is", body: "\(caution)\(missing)")
  }
}
