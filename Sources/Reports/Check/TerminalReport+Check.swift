public import Verdicts

extension TerminalReport {
  /// What is printed of a check.
  public struct CheckDetail: Sendable {
    /// Whether every property has a line of its own; otherwise those that nobody asks about share one.
    public var showsAllProperties = false
    /// Whether violations that were claimed are printed with their traces, as those are that were not.
    public var showsClaimedTraces = true

    public init() {}
  }

  /// A check as text, every line ended by a newline.
  public func render(_ result: CheckResult, detail: CheckDetail = CheckDetail()) -> String {
    let facts = CheckFacts(result, showsAll: detail.showsAllProperties)
    var page = TextPage(width: width, style: style)
    for (index, group) in facts.groups.enumerated() {
      if index > 0 { page.line() }
      writeHead(group, to: &page)
      writeTable(group, to: &page)
      for exploration in group.explorations {
        for trace in exploration.traces where detail.showsClaimedTraces || !trace.isAsClaimed {
          page.line()
          write(trace, of: exploration, to: &page)
        }
      }
    }
    if !facts.groups.isEmpty { page.line() }
    let isGood = facts.notAsClaimed == 0 && facts.notExhausted == 0
    page.line(style.paint(CheckWords.summary(facts), isGood ? .good : facts.notAsClaimed > 0 ? .bad : .doubtful))
    return page.text
  }

  private func writeHead(_ group: CheckFacts.Group, to page: inout TextPage) {
    page.line(style.paint(TextTable.cut(VisibleText.escape(group.scenario), to: width), .heading))
    if !group.claim.isEmpty {
      page.prose(VisibleText.escape(group.claim, limit: VisibleText.sentenceLimit))
    }
    if !group.source.isEmpty {
      page.prose("(\(VisibleText.escape(group.source, limit: VisibleText.sentenceLimit)))")
    }
  }

  /// What a line of a check's table takes without the engine's name and the spare figures.
  private static let widthBesideEngine = 54

  private func writeTable(_ group: CheckFacts.Group, to page: inout TextPage) {
    // An engine whose name would leave no room for the figures stands above its lines.
    let longest = group.explorations.map { VisibleText.width(of: VisibleText.escape($0.engine)) }.max() ?? 0
    let standsAbove = longest > width - Self.widthBesideEngine
    var table = TextTable([
      .word(""), .word(standsAbove ? "" : "engine"), .word("property"), .word("result"), .number("states"),
      .number("transitions").spare, .number("depth").spare, .number("time").spare,
    ])
    var headings: [Int: String] = [:]
    var count = 0
    var notes: [(sign: String, words: String)] = []
    for exploration in group.explorations {
      let figures = { (line: CheckLine) in
        [
          Quantity.count(line.states), Quantity.count(line.transitions), Quantity.count(line.depth),
          CheckWords.time(line),
        ]
      }
      let engine = VisibleText.escape(exploration.engine)
      let cell = standsAbove ? "" : engine
      headings[count] = engine
      count += exploration.lines.count + (exploration.others.isEmpty ? 0 : 1)
      for line in exploration.lines {
        let property = VisibleText.escape(line.property)
        table.add([CheckWords.sign(line), cell, property, CheckWords.outcome(line)] + figures(line))
        let surprise = CheckWords.surprise(line)
        if !surprise.isEmpty {
          notes.append(("✗ ", "\(engine), \(property): \(CheckWords.outcome(line)), \(surprise)."))
        }
      }
      if !exploration.others.isEmpty {
        let others = CheckWords.others(exploration.others.count, ofAll: exploration.lines.isEmpty)
        table.add(
          [CheckWords.sign(exploration.others[0]), cell, others, CheckWords.outcome(exploration.others[0])]
            + figures(exploration.sample))
      }
      let end = CheckWords.end(exploration)
      if !end.isEmpty { notes.append(("? ", "\(engine): \(end)")) }
    }
    page.table(table, headings: standsAbove ? headings : [:])
    for note in notes { page.prose(note.words, label: note.sign) }
  }

  private func write(_ trace: CheckFacts.Trace, of exploration: CheckFacts.Exploration, to page: inout TextPage) {
    let title = "\(CheckWords.properties(trace)) violated"
    page.line(
      "  " + style.paint(title, .bad) + "  "
        + style.paint("by \(VisibleText.escape(exploration.engine))", .faint))
    for line in trace.lines { page.prose(CheckWords.sentence(of: line.property)) }
    page.line()
    let diagram = LaneDiagram(trace.example)
    let lanes = LaneText(diagram, width: width)
    page.line(style.paint(lanes.heading, .faint))
    for line in lanes.lines { page.line(line) }
    page.line()
    page.line("  " + style.paint(lanes.legend, .faint))
    page.prose(CheckWords.after(trace.example))
    for end in diagram.ends { page.prose(end.words, indent: 4, label: "CPU \(end.cpu)  ") }
    for sentence in diagram.conclusions { page.prose(sentence) }
  }
}

extension CheckWords {
  /// Introduces how a way ends.
  static func after(_ example: Counterexample) -> String {
    let steps = Quantity.count(UInt64(example.steps.count), "step")
    if example.repeated > 0 { return "The last \(Quantity.count(example.repeated)) of \(steps) go on for ever; then:" }
    return example.isStuck ? "After \(steps) nobody can move any more:" : "After \(steps):"
  }
}
