public import Verdicts

extension TerminalReport {
  /// A comparison as text, every line ended by a newline.
  public func render(_ comparison: Comparison) -> String {
    var page = TextPage(width: width, style: style)
    let facts = ComparisonFacts(comparison)
    let role: TerminalStyle.Role = facts.tested == 0 ? .doubtful : facts.differences.isEmpty ? .good : .strong
    page.line(style.paint("\(facts.sign) \(Words.capitalized(facts.headline))", role))
    if !facts.detail.isEmpty { page.prose(facts.detail) }
    writeRules(comparison.rules, to: &page)
    writeSides(comparison, to: &page)
    writeDamage(comparison, to: &page)
    writeDifferences(facts, to: &page)
    writeWhole(comparison, to: &page)
    writeCallbacks(comparison, to: &page)
    writeCPUs(comparison, to: &page)
    writeNotJudged(facts, to: &page)
    if let resampling = comparison.resampling {
      page.line()
      page.prose(ComparisonFacts.caution(resampling))
    }
    return page.text
  }

  private func writeRules(_ rules: [RuleOutcome], to page: inout TextPage) {
    if rules.isEmpty { return }
    page.heading("Rules")
    for rule in rules {
      page.prose(
        "\(VisibleText.escape(rule.rule)): \(ComparisonWords.outcome(rule))",
        label: "\(ComparisonWords.sign(rule.result)) ")
    }
  }

  private func writeSides(_ comparison: Comparison, to page: inout TextPage) {
    page.heading("Sides")
    var table = TextTable([.word(""), .text("before"), .text("after")])
    let sides = [comparison.before, comparison.after]
    for (name, words) in ComparedSideWords.rows { table.add([name] + sides.map(words)) }
    page.table(table)
    if comparison.circumstances.isEmpty { return }
    page.heading("Not the same", note: "differences may come from this")
    for item in comparison.circumstances {
      let sides = [item.before, item.after].map { $0.map { VisibleText.escape($0) } ?? "–" }
      page.prose("\(ComparisonWords.name(item.kind)): \(sides[0]) → \(sides[1])")
    }
  }

  private func writeDamage(_ comparison: Comparison, to page: inout TextPage) {
    let limit = 12
    for (name, side) in [("before", comparison.before), ("after", comparison.after)] where !side.damage.isEmpty {
      page.heading("What is missing \(name)")
      for item in side.damage.prefix(limit) {
        let place = item.cpu.map { "CPU \($0): " } ?? ""
        page.prose("\(place)\(VisibleText.escape(item.name, limit: 60)) × \(Quantity.count(item.count))")
      }
      page.more(side.damage.count, shown: limit)
    }
  }

  private func writeDifferences(_ facts: ComparisonFacts, to page: inout TextPage) {
    if facts.differences.isEmpty { return }
    let limit = 40
    page.heading("What differs")
    var table = TextTable([
      .word(""), .text("where"), .word("what"), .number("before"), .number("after"), .number("change"),
      .number("between").spare,
    ])
    for difference in facts.differences.prefix(limit) {
      let item = difference.item
      table.add([
        ComparisonWords.sign(item), difference.place, item.measure.rawValue,
        ComparisonWords.value(item.before, item.measure), ComparisonWords.value(item.after, item.measure),
        ComparisonWords.change(item), ComparisonWords.interval(item) ?? "–",
      ])
    }
    page.table(table)
    page.more(facts.differences.count, shown: limit)
  }

  private func writeWhole(_ comparison: Comparison, to page: inout TextPage) {
    page.heading("All calls")
    var table = TextTable([
      .word(""), .word("what"), .number("before"), .number("after"), .number("change"), .number("between").spare,
      .text(""),
    ])
    for item in comparison.total {
      table.add([
        ComparisonWords.sign(item), item.measure.rawValue, ComparisonWords.value(item.before, item.measure),
        ComparisonWords.value(item.after, item.measure), ComparisonWords.change(item),
        ComparisonWords.interval(item) ?? "–", ComparisonWords.finding(item),
      ])
    }
    page.table(table)
  }

  private func writeCallbacks(_ comparison: Comparison, to page: inout TextPage) {
    if comparison.byCallback.isEmpty { return }
    let limit = 15
    page.heading("By callback")
    let measures: [ComparedMeasure] = [.calls, .p50, .p99]
    var table = TextTable([.text("callback")] + Self.columns(measures))
    for row in comparison.byCallback.prefix(limit) {
      table.add([VisibleText.escape(row.callback)] + Self.cells(measures, row.items))
    }
    page.table(table)
    page.more(comparison.byCallback.count, shown: limit)
  }

  private func writeCPUs(_ comparison: Comparison, to page: inout TextPage) {
    let watched = comparison.byCPU.filter(\.isWatched)
    let rows = watched.isEmpty ? comparison.byCPU : watched
    if rows.isEmpty { return }
    let limit = 32
    page.heading("By CPU", note: watched.isEmpty ? "" : "those that are watched")
    let measures: [ComparedMeasure] =
      watched.isEmpty ? [.calls, .interrupts, .p99] : [.callbacks, .handlers, .reschedules]
    var table = TextTable([.word("")] + Self.columns(measures))
    for row in rows.prefix(limit) {
      table.add(["CPU \(row.cpu)"] + Self.cells(measures, row.items))
    }
    page.table(table)
    page.more(rows.count, shown: limit)
  }

  /// Before, after and change of each measure; on a narrow page only the first one has them.
  private static func columns(_ measures: [ComparedMeasure]) -> [TextTable.Column] {
    measures.enumerated().flatMap { index, measure -> [TextTable.Column] in
      let columns = [TextTable.Column.number(measure.rawValue), .number("after"), .number("change")]
      return index == 0 ? columns : columns.map(\.spare)
    }
  }

  private static func cells(_ measures: [ComparedMeasure], _ items: [ComparedItem]) -> [String] {
    measures.flatMap { measure -> [String] in
      guard let item = items.first(where: { $0.measure == measure }) else { return ["–", "–", "–"] }
      return [
        ComparisonWords.value(item.before, measure), ComparisonWords.value(item.after, measure),
        "\(ComparisonWords.change(item)) \(ComparisonWords.sign(item))",
      ]
    }
  }

  private func writeNotJudged(_ facts: ComparisonFacts, to page: inout TextPage) {
    if facts.notJudged.isEmpty { return }
    page.heading("Not judged")
    var table = TextTable([.number(""), .text("")])
    for (reason, count) in facts.notJudged { table.add([Quantity.count(count), ComparisonWords.sentence(reason)]) }
    page.table(table)
  }
}
