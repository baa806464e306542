import Verdicts

extension HTMLReport {
  private static let limit = 30

  /// Reality beside every engine that was simulated; nil where none was.
  static func simulation(_ result: ReplayResult) -> Section? {
    guard let facts = SimulationFacts(result) else { return nil }
    let body: HTML = """
      \(findings(facts, result.trace))
      \(facts.simulation.calibration.map { calibration($0, under: facts.simulation.load) } ?? "")
      <h3>Charts</h3>
      \(simulationCharts(facts))
      \(sideBySide(facts))
      \(deadlocks(facts, result.trace))
      \(simulatedTimeline(facts.simulation.timeline))
      \(watched(facts))
      \(details(facts))
      \(remarks(facts.simulation.load))
      \(costs(facts.simulation.costs))
      """
    return Section(
      identifier: "simulation", title: "Real versus model",
      note: "\(visible: Words.capitalized(SimulationWords.note))", body: body)
  }

  // MARK: What it comes to

  /// One paragraph for each engine: how many IPIs, how sure that is, and what goes wrong.
  private static func findings(_ facts: SimulationFacts, _ trace: TraceSummary) -> HTML {
    let items: HTML = SimulationWords.findings(facts, in: trace).map { finding in
      """
      <li\(finding.isBad ? " class=\"wrong\"" : "")>\(finding.isBad ? "<span class=\"bad\">✗</span> " : "")\
      <strong><code>\(visible: finding.name)</code></strong> \(visible: finding.text)</li>

      """ as HTML
    }.joined()
    let notSimulated: HTML =
      facts.notSimulated.isEmpty
      ? ""
      : "<p>Not simulated: \(visible: facts.notSimulated.prefix(limit).joined(separator: ", ")).</p>"
    return """
      <p>The load: \(visible: SimulationWords.load(facts.simulation.load))</p>
      <ul class="engines">
      \(items)</ul>
      \(HTMLPiece.more(facts.leftOut, shown: 0, "engines"))\(notSimulated)
      """
  }

  private static func calibration(_ calibration: Calibration, under load: SimulationSummary.Load) -> HTML {
    var table = HTMLTable(
      "The recorded engine simulated, against its recording",
      [
        .init("measure", .header), .init("recorded", .number), .init("simulated", .number), .init("error", .number),
        .init("goal", .number), .init("met"), .init("why"),
      ])
    for item in calibration.items {
      let style: HTML =
        switch item.isWithinGoal {
        case true: "good"
        case false: "bad"
        case nil: "soft"
        }
      table.add([
        "\(visible: SimulationWords.name(item.measure))",
        "\(visible: SimulationWords.value(item.recorded, item.measure))",
        "\(visible: SimulationWords.value(item.simulated, item.measure))",
        "\(visible: SimulationWords.error(item.error, item.measure))", "\(visible: SimulationWords.goal(item))",
        "<span class=\"\(style)\">\(visible: SimulationWords.verdict(item))</span>",
        SimulationWords.reasons(item).map { "<span class=\"words\">\(visible: $0)</span>" } ?? "",
      ])
    }
    return """
      <h3>Calibration: <code>\(name: calibration.engine)</code> simulated</h3>
      <p>\(visible: SimulationWords.calibrationNote) \(visible: SimulationWords.calibrated(calibration, under: load))</p>
      \(table.html)
      """
  }

  // MARK: Side by side

  private static func sideBySide(_ facts: SimulationFacts) -> HTML {
    var table = HTMLTable(
      "What was recorded, and every engine", [.init("", .header)] + facts.columns.map { .init(title($0), .number) })
    for group in SimulationRows.all(facts) {
      table.add(
        ["\(visible: group.name)"] + facts.columns.map { _ in "" }, attributes: " class=\"group\"")
      for row in group.rows {
        table.add(
          ["<span title=\"\(visible: row.meaning)\">\(visible: row.name)</span>"]
            + facts.columns.map { column in
              "\(visible: row.value(column.outcome, column.isRecorded))\(delta(row.measure.flatMap(column.mark)))"
            })
      }
    }
    let legend: HTML = SimulationWords.legend(facts).map { "<p class=\"soft\">\(visible: $0)</p>\n" }.joined()
    return """
      <h3>Side by side</h3>
      <div class="versus">\(table.html)</div>\(HTMLPiece.more(facts.leftOut, shown: 0, "engines"))\(legend)
      """
  }

  static func title(_ column: SimulationFacts.Column) -> HTML {
    if column.isRecorded { return "recorded" }
    let variant: HTML = column.variant.map { ":<wbr>\(visible: $0)" } ?? ""
    return "<code>\(visible: column.engine)\(variant)</code>"
  }

  /// What is known about a difference, after its number.
  static func delta(_ mark: DifferenceMark?) -> HTML {
    guard let mark else { return "" }
    let style: HTML = if case .different = mark { "told" } else { "untold-apart" }
    return """
       <span class="delta \(style)" title="\(visible: Words.capitalized(mark.meaning))">\(visible: mark.sign)</span>
      """
  }

  // MARK: Deadlocks

  private static func deadlocks(_ facts: SimulationFacts, _ trace: TraceSummary) -> HTML {
    let limit = 4
    let items: HTML = facts.columns.filter { !$0.outcome.deadlocks.isEmpty }.map { column in
      let deadlocks: HTML = SimulationWords.inOrder(column.outcome.deadlocks).prefix(limit).map { deadlock in
        let waiters: HTML = deadlock.cycle.prefix(SimulationWords.cycleLimit).map {
          "<li>\(visible: SimulationWords.waiter($0)).</li>\n"
        }.joined()
        return """
          <article class="finding">
          <h4>\(title(column)) \(visible: SimulationWords.happening(deadlock))</h4>
          <p>\(visible: Words.capitalized(SimulationWords.moment(deadlock, in: trace))): \
          <strong>\(visible: SimulationWords.cycle(deadlock))</strong></p>
          <ol>
          \(waiters)</ol>
          \(HTMLPiece.more(deadlock.cycle.count, shown: SimulationWords.cycleLimit, "waiting CPUs"))</article>

          """ as HTML
      }.joined()
      return "\(deadlocks)\(HTMLPiece.more(column.outcome.deadlocks.count, shown: limit, "deadlocks"))"
    }.joined()
    return items.text.isEmpty ? "" : "<h3>Deadlocks</h3>\n<p>\(visible: SimulationWords.deadlockNote).</p>\n\(items)"
  }

  // MARK: CPUs, callbacks, waits

  private static func watched(_ facts: SimulationFacts) -> HTML {
    let cpus = facts.watchedCPUs
    if cpus.isEmpty { return "" }
    let tables: HTML = cpus.prefix(limit).map { cpu in
      var table = HTMLTable(
        "CPU \(cpu) under each engine",
        [
          .init("CPU \(cpu)", .header), .init("IPIs", .number), .init("callbacks", .number),
          .init("time in them", .number), .init("queue → start p50", .number), .init("p99", .number),
          .init("max", .number), .init("waited", .number),
        ])
      for column in facts.columns {
        let row = column.outcome.byCPU.first { $0.cpu == cpu }
        table.add([
          title(column), HTMLPiece.count(row?.interrupts), HTMLPiece.count(row?.callbacks),
          HTMLPiece.duration(row?.callbackNanoseconds), HTMLPiece.duration(row?.queueToStart.p50Nanoseconds),
          HTMLPiece.duration(row?.queueToStart.p99Nanoseconds), HTMLPiece.duration(row?.queueToStart.maxNanoseconds),
          HTMLPiece.duration(row?.waitedNanoseconds),
        ])
      }
      return "\(table.html)<p></p>" as HTML
    }.joined()
    return """
      <h3>Watched CPUs</h3>
      <p>Named by you, or isolated.</p>
      \(tables)\(HTMLPiece.more(cpus.count, shown: limit, "CPUs"))
      """
  }

  /// What only some readers want: folded away, and printed.
  private static func details(_ facts: SimulationFacts) -> HTML {
    """
    <h3>In detail</h3>
    \(fold("IPIs by CPU", interruptsByCPU(facts)))\(fold("IPIs by callback", interruptsByCallback(facts)))\
    \(fold("Waiting", waiting(facts)))
    """
  }

  static func fold(_ title: HTML, _ body: HTML) -> HTML {
    "<details><summary>\(title)</summary>\n\(body)</details>\n"
  }

  private static func interruptsByCPU(_ facts: SimulationFacts) -> HTML {
    let limit = 64
    let cpus = Set(facts.columns.flatMap { $0.outcome.byCPU.map(\.cpu) }).sorted()
    var table = HTMLTable(
      "IPIs that each CPU received", [.init("CPU", .header)] + facts.columns.map { .init(title($0), .number) })
    for cpu in cpus.prefix(limit) {
      table.add(
        ["CPU \(cpu)"]
          + facts.columns.map { column in
            HTMLPiece.count(column.outcome.byCPU.first { $0.cpu == cpu }?.interrupts)
          })
    }
    return "\(table.html)\(HTMLPiece.more(cpus.count, shown: limit, "CPUs"))"
  }

  private static func interruptsByCallback(_ facts: SimulationFacts) -> HTML {
    let limit = 20
    var names: [String] = []
    for column in facts.columns {
      for row in column.outcome.byCallback.prefix(10 * limit) where !names.contains(row.callback) {
        names.append(row.callback)
      }
    }
    var table = HTMLTable(
      "IPIs that the queueing of each callback caused",
      [.init("callback", .header)] + facts.columns.map { .init(title($0), .number) })
    for name in names.prefix(limit) {
      table.add(
        [HTMLPiece.name(name)]
          + facts.columns.map { column in
            HTMLPiece.count(column.outcome.byCallback.first { $0.callback == name }?.interrupts)
          })
    }
    return "\(table.html)\(HTMLPiece.more(names.count, shown: limit, "callbacks"))"
  }

  private static func waiting(_ facts: SimulationFacts) -> HTML {
    var table = HTMLTable(
      "Who waited how long",
      [
        .init("engine", .header), .init("for"), .init("waits", .number), .init("p50", .number), .init("p99", .number),
        .init("max", .number), .init("in all", .number),
      ])
    for column in facts.columns {
      let waiting = column.outcome.waiting
      let kinds: [(HTML, DurationSummary)] = [
        ("callbacks", waiting.callers), ("a csd", waiting.csdLock), ("a lock of the engine", waiting.engineLock),
      ]
      for (name, summary) in kinds where summary.count > 0 {
        table.add([
          title(column), name, HTMLPiece.count(summary.count), HTMLPiece.duration(summary.p50Nanoseconds),
          HTMLPiece.duration(summary.p99Nanoseconds), HTMLPiece.duration(summary.maxNanoseconds),
          HTMLPiece.duration(summary.sumNanoseconds),
        ])
      }
    }
    return table.isEmpty ? "<p>Nobody waited.</p>\n" : table.html
  }

  // MARK: What it rests on

  private static func remarks(_ load: SimulationSummary.Load) -> HTML {
    if load.remarks.isEmpty { return "" }
    let items: HTML = load.remarks.prefix(limit).map {
      "<li>\(HTMLPiece.name($0.name)) × \(HTMLPiece.count($0.count)): \(visible: SimulationWords.remark($0))</li>\n"
    }.joined()
    return """
      <h3>Remarks on the load</h3>
      <ul class="remarks">
      \(items)</ul>
      \(HTMLPiece.more(load.remarks.count, shown: limit, "remarks"))
      """
  }

  private static func costs(_ costs: CostSummary) -> HTML {
    let limit = 40
    var table = HTMLTable(
      "Costs that the simulation ran with",
      [
        .init("cost", .header), .init("count", .number), .init("p50", .number), .init("p99", .number), .init("origin"),
        .init("what it is"),
      ])
    for cost in costs.items.prefix(limit) {
      let summary = cost.distribution.summary
      table.add([
        HTMLPiece.name(cost.name), HTMLPiece.count(summary.count), HTMLPiece.duration(summary.p50Nanoseconds),
        HTMLPiece.duration(summary.p99Nanoseconds),
        "<span class=\"\(cost.isAssumed ? "doubt" : "soft")\">\(visible: SimulationWords.origin(cost))</span>",
        "<span class=\"words\">\(sentence: cost.sentence)</span>",
      ])
    }
    let assumed: HTML =
      costs.items.contains(where: \.isAssumed) ? "<p class=\"soft\">\(visible: SimulationWords.assumedNote)</p>" : ""
    let given: HTML = SimulationWords.givenNote(costs).map { "<p>\(visible: $0)</p>\n" } ?? ""
    return """
      <h3>Costs, \(visible: SimulationWords.source(costs))</h3>
      \(given)\(table.html)\(HTMLPiece.more(costs.items.count, shown: limit, "costs"))\(assumed)
      """
  }
}
