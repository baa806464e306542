import Verdicts

extension TerminalReport {
  /// Up to this many CPUs the matrix is printed whole, where the page is wide enough.
  private static let wholeMatrix = 16

  func writeMatrix(_ matrix: CallMatrix, to page: inout TextPage) {
    let facts = MatrixFacts(matrix)
    page.heading("Who calls whom", note: "queued calls from one CPU to another; local runs on the diagonal")
    if facts.cpus.isEmpty { page.line("  no calls") }
    if !facts.cpus.isEmpty, facts.cpus.count <= Self.wholeMatrix {
      var table = TextTable([.word("from \\ to")] + facts.cpus.map { .number("\($0)") })
      for source in facts.cpus {
        table.add(
          ["CPU \(source)"] + facts.cpus.map { facts.calls(from: source, to: $0).map(Quantity.shortCount) ?? "·" })
      }
      let lines = table.lines(width: .max / 2)
      if lines.allSatisfy({ VisibleText.width(of: $0) + 2 <= page.width }) {
        page.table(table)
        return
      }
    }
    let limit = 15
    var table = TextTable([.word("from"), .word("to"), .number("calls"), .number(""), .number("IPIs")])
    for pair in facts.pairs.prefix(limit) {
      table.add([
        "CPU \(pair.source)", "CPU \(pair.target)", Quantity.count(pair.calls),
        Quantity.share(pair.calls, of: facts.remoteCalls), Quantity.count(pair.ipis),
      ])
    }
    if !facts.pairs.isEmpty { page.table(table) }
    page.more(facts.pairs.count, shown: limit)
  }

  func writeInterference(_ interference: [Interference], to page: inout TextPage) {
    guard !interference.isEmpty else { return }
    let limit = 16
    let sourceLimit = 8
    page.heading("Interference", note: Words.interferenceNote(interference))
    for cpu in interference.prefix(limit) {
      let selection = Words.selection(cpu.selectedAs).map { ", " + $0 } ?? ""
      page.prose(Words.interruptions(cpu), label: "CPU \(cpu.cpu)\(selection): ")
      var table = TextTable([
        .text("callback"), .text("caller"), .text("process"), .number("from"), .number("count"),
        .number("IPIs").spare, .number("time"), .number("longest").spare,
      ])
      for source in cpu.sources.prefix(sourceLimit) {
        table.add([
          VisibleText.escape(source.callback), source.callsite.map { VisibleText.escape($0) } ?? "–",
          Words.process(source.comm), source.sourceCPU.map { "CPU \($0)" } ?? "–", Quantity.count(source.count),
          Quantity.count(source.ipis),
          Quantity.duration(source.runNanoseconds), Quantity.duration(source.maxRunNanoseconds),
        ])
      }
      if !cpu.sources.isEmpty { page.table(table, indent: 4) }
      page.more(cpu.sources.count, shown: sourceLimit, indent: 4)
    }
    page.more(interference.count, shown: limit)
  }
}
