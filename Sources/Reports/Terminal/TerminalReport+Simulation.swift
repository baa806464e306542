import Verdicts

extension TerminalReport {
  private static let limit = 12

  /// Reality beside every engine that was simulated; nothing where none was.
  func writeSimulation(_ result: ReplayResult, to page: inout TextPage) {
    guard let facts = SimulationFacts(result) else { return }
    page.heading("Real versus model", note: SimulationWords.note)
    page.prose("Load: " + SimulationWords.load(facts.simulation.load))
    if let calibration = facts.simulation.calibration {
      writeCalibration(calibration, under: facts.simulation.load, to: &page)
    }
    page.heading("Engines")
    for finding in SimulationWords.findings(facts, in: result.trace) {
      page.prose("\(finding.name) \(finding.text)", label: finding.isBad ? "✗ " : "· ")
    }
    if !facts.notSimulated.isEmpty {
      page.prose("Not simulated: \(facts.notSimulated.prefix(Self.limit).joined(separator: ", ")).")
    }
    writeSideBySide(facts, to: &page)
    writeDeadlocks(facts, result.trace, to: &page)
    writeWatched(facts, to: &page)
    writeRemarks(facts.simulation.load.remarks, to: &page)
    writeCosts(facts.simulation.costs, to: &page)
  }

  // MARK: Calibration

  private func writeCalibration(
    _ calibration: Calibration, under load: SimulationSummary.Load, to page: inout TextPage
  ) {
    page.heading("Calibration", note: "\(VisibleText.escape(calibration.engine, limit: 60)), simulated")
    page.prose(SimulationWords.calibrationNote)
    var table = TextTable([
      .text("measure"), .number("recorded"), .number("simulated"), .number("error"), .number("goal").spare, .word(""),
    ])
    for item in calibration.items {
      table.add([
        SimulationWords.name(item.measure), SimulationWords.value(item.recorded, item.measure),
        SimulationWords.value(item.simulated, item.measure), SimulationWords.error(item.error, item.measure),
        SimulationWords.goal(item), SimulationWords.verdict(item),
      ])
    }
    page.table(table)
    for item in calibration.items {
      guard let reasons = SimulationWords.reasons(item) else { continue }
      page.prose(reasons, label: "\(SimulationWords.name(item.measure)): ")
    }
    page.prose(SimulationWords.calibrated(calibration, under: load))
  }

  // MARK: Side by side

  /// The engines in as many blocks of columns as the page's width takes, the recorded one first.
  private func writeSideBySide(_ facts: SimulationFacts, to page: inout TextPage) {
    page.heading("Side by side")
    let rows = SimulationRows.all(facts)
    let names = rows.flatMap { $0.rows.map(\.name) }
    let indent = 2
    let gap = 2
    let label = names.map(VisibleText.width(of:)).max() ?? 0
    let columns = facts.columns.map { Self.cells(of: $0, rows.flatMap(\.rows)) }
    var first = 0
    while first < columns.count {
      var last = first
      var width = indent + label
      while last < columns.count {
        let next = columns[last].map(VisibleText.width(of:)).max() ?? 0
        if last > first, width + gap + next > page.width { break }
        width += gap + next
        last += 1
      }
      if first > 0 { page.line() }
      // A variant stands below its engine; a block without variants does without the line.
      let hasVariants = facts.columns[first..<last].contains { $0.variant != nil }
      let block = columns[first..<last].map { hasVariants ? $0 : [$0[0]] + $0.dropFirst(2) }
      var table = TextTable([.word("")] + block.map { .word($0[0]) })
      for (index, name) in ((hasVariants ? [""] : []) + names).enumerated() {
        table.add([name] + block.map { $0[index + 1] })
      }
      var headings: [Int: String] = [:]
      var row = hasVariants ? 1 : 0
      for group in rows {
        headings[row] = style.paint(group.name, .faint)
        row += group.rows.count
      }
      page.table(table, indent: indent, headings: headings)
      first = last
    }
    if facts.leftOut > 0 { page.line("  … \(Quantity.count(facts.leftOut)) more engines") }
    for line in SimulationWords.legend(facts) { page.prose(line) }
  }

  /// A column's title and its cells, the numbers and the marks each aligned among themselves.
  ///
  /// The title takes two lines: `name:` and `variant`.
  private static func cells(of column: SimulationFacts.Column, _ rows: [SimulationRow]) -> [String] {
    let limit = 28
    let values = rows.map { $0.value(column.outcome, column.isRecorded) }
    let marks = rows.map { row in row.measure.flatMap { column.mark($0) }?.sign ?? "" }
    let titles = [
      TextTable.cut(column.engine, to: limit) + (column.variant == nil ? "" : ":"),
      TextTable.cut(column.variant ?? "", to: limit),
    ]
    let marksWidth = marks.map { $0.isEmpty ? 0 : VisibleText.width(of: $0) + 1 }.max() ?? 0
    let valuesWidth = max(
      values.map(VisibleText.width(of:)).max() ?? 0, (titles.map(VisibleText.width(of:)).max() ?? 0) - marksWidth)
    func padded(_ text: String, to width: Int) -> String {
      String(repeating: " ", count: max(0, width - VisibleText.width(of: text))) + text
    }
    return titles.map { padded($0, to: valuesWidth) }
      + zip(values, marks).map { value, mark in padded(value, to: valuesWidth) + (mark.isEmpty ? "" : " " + mark) }
  }

  // MARK: Deadlocks

  private func writeDeadlocks(_ facts: SimulationFacts, _ trace: TraceSummary, to page: inout TextPage) {
    let columns = facts.columns.filter { !$0.outcome.deadlocks.isEmpty }
    if columns.isEmpty { return }
    page.heading("Deadlocks", note: SimulationWords.deadlockNote)
    for column in columns {
      let limit = 4
      for deadlock in SimulationWords.inOrder(column.outcome.deadlocks).prefix(limit) {
        page.line("  " + style.paint(column.name, .bad))
        page.prose(
          "\(SimulationWords.moment(deadlock, in: trace)): \(SimulationWords.cycle(deadlock))", indent: 4)
        for waiter in deadlock.cycle.prefix(SimulationWords.cycleLimit) {
          page.prose(SimulationWords.waiter(waiter) + ".", indent: 6)
        }
        page.more(deadlock.cycle.count, shown: SimulationWords.cycleLimit, indent: 6)
      }
      page.more(column.outcome.deadlocks.count, shown: limit, indent: 4)
    }
  }

  // MARK: Watched CPUs

  private func writeWatched(_ facts: SimulationFacts, to page: inout TextPage) {
    let cpus = facts.watchedCPUs
    if cpus.isEmpty { return }
    page.heading("Watched CPUs", note: "named by you or isolated")
    for (index, cpu) in cpus.prefix(Self.limit).enumerated() {
      if index > 0 { page.line() }
      var table = TextTable([
        .text("CPU \(cpu)"), .number("IPIs"), .number("callbacks"), .number("time in them"), .number("p50").spare,
        .number("p99"), .number("waited").spare,
      ])
      for column in facts.columns {
        let row = column.outcome.byCPU.first { $0.cpu == cpu }
        table.add([
          column.name, Quantity.count(row?.interrupts), Quantity.count(row?.callbacks),
          Quantity.duration(row?.callbackNanoseconds), Quantity.duration(row?.queueToStart.p50Nanoseconds),
          Quantity.duration(row?.queueToStart.p99Nanoseconds), Quantity.duration(row?.waitedNanoseconds),
        ])
      }
      page.table(table)
    }
    page.more(cpus.count, shown: Self.limit)
  }

  // MARK: What it rests on

  private func writeRemarks(_ remarks: [SimulationSummary.Load.Remark], to page: inout TextPage) {
    if remarks.isEmpty { return }
    page.heading("Remarks on the load")
    for remark in remarks.prefix(Self.limit) {
      let label = "\(VisibleText.escape(remark.name, limit: 40)) × \(Quantity.count(remark.count)): "
      page.prose(label + SimulationWords.remark(remark))
    }
    page.more(remarks.count, shown: Self.limit)
  }

  private func writeCosts(_ costs: CostSummary, to page: inout TextPage) {
    page.heading("Costs", note: SimulationWords.source(costs))
    if let note = SimulationWords.givenNote(costs) { page.prose(note) }
    let limit = 40
    var table = TextTable([
      .text("cost"), .number("count"), .number("p50"), .number("p99"), .word(""),
    ])
    for cost in costs.items.prefix(limit) {
      let summary = cost.distribution.summary
      table.add([
        VisibleText.escape(cost.name, limit: 40), Quantity.count(summary.count),
        Quantity.duration(summary.p50Nanoseconds), Quantity.duration(summary.p99Nanoseconds),
        SimulationWords.origin(cost),
      ])
    }
    if !costs.items.isEmpty { page.table(table) }
    page.more(costs.items.count, shown: limit)
    for cost in costs.items.prefix(limit) {
      page.prose(
        VisibleText.escape(cost.sentence, limit: 300), label: "\(VisibleText.escape(cost.name, limit: 20)): ")
    }
    if costs.items.contains(where: \.isAssumed) { page.prose(SimulationWords.assumedNote) }
  }
}
