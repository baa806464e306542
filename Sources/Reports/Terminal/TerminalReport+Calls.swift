import Verdicts

extension TerminalReport {
  func writeCalls(_ result: ReplayResult, to page: inout TextPage) {
    let calls = result.calls
    page.heading("Calls", note: Quantity.count(calls.total))
    var kinds = TextTable([.word(""), .number(""), .number(""), .text("")])
    for kind in CallKindWords.all(calls.byKind) where kind.count > 0 {
      kinds.add([kind.name, Quantity.count(kind.count), Quantity.share(kind.count, of: calls.total), kind.meaning])
    }
    page.table(kinds)
    let types = NodeTypeWords.all(calls.byType).filter { $0.count > 0 }
    if !types.isEmpty {
      page.prose("Nodes: " + types.map { "\(Quantity.count($0.count)) \($0.name)" }.joined(separator: ", ") + ".")
    }

    let limit = 15
    if !calls.byCallback.isEmpty {
      page.heading("By callback")
      var table = TextTable([
        .text("callback"), .number("queued"), .number("runs"), .number("local").spare, .number("kicks"),
        .number("delay p50"), .number("p99"), .number("max"), .number("run p50").spare, .number("max").spare,
      ])
      for row in calls.byCallback.prefix(limit) {
        table.add([
          VisibleText.escape(row.callback), Quantity.count(row.queued), Quantity.count(row.runs),
          Quantity.count(row.localRuns), Quantity.count(row.kicks), Quantity.duration(row.delay.p50Nanoseconds),
          Quantity.duration(row.delay.p99Nanoseconds), Quantity.duration(row.delay.maxNanoseconds),
          Quantity.duration(row.run.p50Nanoseconds), Quantity.duration(row.run.maxNanoseconds),
        ])
      }
      page.table(table)
      page.more(calls.byCallback.count, shown: limit)
    }

    if !calls.byCaller.isEmpty {
      page.heading("By caller")
      var table = TextTable([
        .text("caller"), .text("callback"), .text("process"), .number("calls"), .number("targets").spare,
        .number("kicks"),
      ])
      for row in calls.byCaller.prefix(limit) {
        table.add([
          VisibleText.escape(row.callsite), VisibleText.escape(row.callback), Words.process(row.comm),
          Quantity.count(row.calls), Quantity.count(row.targets), Quantity.count(row.kicks),
        ])
      }
      page.table(table)
      page.more(calls.byCaller.count, shown: limit)
    }

    let kicks = KickWords.all(result.kicks)
    let total = kicks.reduce(UInt64(0)) { $0.plus($1.count) }
    page.heading("Kicks", note: "how queued calls made their targets look")
    var table = TextTable([.word(""), .number(""), .number(""), .text("")])
    for kick in kicks {
      table.add([kick.name, Quantity.count(kick.count), Quantity.share(kick.count, of: total), kick.meaning])
    }
    page.table(table)
  }

  func writeLatency(_ latency: LatencySplit, to page: inout TextPage) {
    page.heading("Latency")
    var table = TextTable([
      .word(""), .number("count"), .number("p50"), .number("p99"), .number("p99.9"), .number("max"),
    ])
    for row in LatencyWords.all(latency) {
      let summary = row.distribution.summary
      table.add([
        row.name, Quantity.count(summary.count), Quantity.duration(summary.p50Nanoseconds),
        Quantity.duration(summary.p99Nanoseconds), Quantity.duration(summary.p999Nanoseconds),
        Quantity.duration(summary.maxNanoseconds),
      ])
    }
    page.table(table)
  }
}
