import Verdicts

extension TerminalReport {
  func writeVerdict(_ verdict: Verdict, to page: inout TextPage) {
    page.heading("Verdict")
    page.prose(Words.sentence(verdict))
    let accounting = verdict.accounting
    let all = accounting.queued
    var table = TextTable([.word(""), .text(""), .number(""), .number("")])
    table.add(["", "queued calls", Quantity.count(all), ""])
    table.add(["=", "executed", Quantity.count(accounting.executed), Quantity.share(accounting.executed, of: all)])
    table.add(["+", "lost", Quantity.count(accounting.lost), Quantity.share(accounting.lost, of: all)])
    table.add([
      "+", "pending at the end", Quantity.count(accounting.pending), Quantity.share(accounting.pending, of: all),
    ])
    let limit = 20
    for reason in accounting.notJudged.prefix(limit) {
      table.add([
        "+", "not judged: " + VisibleText.escape(reason.reason), Quantity.count(reason.count),
        Quantity.share(reason.count, of: all),
      ])
    }
    if accounting.notJudged.count > limit {
      let rest = accounting.notJudged.dropFirst(limit).reduce(UInt64(0)) { $0.plus($1.count) }
      table.add(["+", "not judged: other reasons", Quantity.count(rest), Quantity.share(rest, of: all)])
    }
    table.add(["", "sum", Words.sum(accounting).map { Quantity.count($0) } ?? "too large", ""])
    page.table(table)
    let balanced = Words.sum(accounting) == accounting.queued
    page.line("  " + style.paint(Words.balance(accounting), balanced ? .faint : .bad))
    page.prose(
      "Beside them: \(Quantity.count(accounting.local, "local run")),"
        + " \(Quantity.count(accounting.unqueued, "run")) that no event of this trace queued.")
    if let coverage = Words.coverage(verdict.coverage) { page.prose(coverage) }
    if let withheld = Words.withheld(verdict) { page.prose(withheld) }

    let windowLimit = 12
    if !verdict.lossWindows.isEmpty {
      page.line("  Events were lost here:")
      for window in verdict.lossWindows.prefix(windowLimit) {
        let from = window.startNanoseconds.map { "\(Quantity.time($0)) s" } ?? "the start"
        let to = window.endNanoseconds.map { "\(Quantity.time($0)) s" } ?? "the end"
        let lost = window.lostEvents.map { Quantity.count($0, "event") } ?? "an unknown number of events"
        page.prose("CPU \(window.cpu), from \(from) to \(to): \(lost) lost", indent: 4)
      }
      page.more(verdict.lossWindows.count, shown: windowLimit, indent: 4)
    }
  }

  func writeDivergences(_ verdict: Verdict, to page: inout TextPage) {
    guard verdict.divergenceCount > 0 || !verdict.divergences.isEmpty else { return }
    let limit = 20
    let eventLimit = 16
    let shown = min(limit, verdict.divergences.count)
    page.heading(
      "Divergences",
      note: verdict.divergenceCount > UInt64(shown)
        ? "the first \(shown) of \(Quantity.count(verdict.divergenceCount))" : "")
    for (index, divergence) in verdict.divergences.prefix(limit).enumerated() {
      if index > 0 { page.line() }
      let title = "\(index + 1). \(VisibleText.escape(divergence.rule))"
      page.line("  " + style.paint(TextTable.cut(title, to: page.width - 2), .bad))
      page.prose(
        "at \(Quantity.time(divergence.timeNanoseconds)) s, \(Words.cpus(divergence.cpus))"
          + (divergence.callback.map { ", callback \(VisibleText.escape($0))" } ?? ""), indent: 5)
      page.prose(
        VisibleText.escape(divergence.expected, limit: VisibleText.sentenceLimit), indent: 5, label: "expected  ")
      page.prose(
        VisibleText.escape(divergence.explanation, limit: VisibleText.sentenceLimit), indent: 5, label: "seen      ")
      var events = TextTable([.number(""), .word(""), .text("")])
      for event in divergence.events.prefix(eventLimit) {
        events.add(["\(Quantity.time(event.timeNanoseconds)) s", "[\(event.cpu)]", VisibleText.escape(event.type)])
      }
      page.table(events, indent: 7)
      page.more(divergence.events.count, shown: eventLimit, indent: 7)
    }
  }
}
