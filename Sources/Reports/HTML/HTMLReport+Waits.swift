import Verdicts

extension HTMLReport {
  private static let limit = 30

  // MARK: What did not end

  /// What the kernel's log says about csd locks; nothing where no log was given.
  static func kernelReports(_ reports: [KernelReport]?) -> HTML {
    guard let reports else { return "" }
    if reports.isEmpty { return "<h3>Kernel log</h3>\n<p>It says nothing about csd locks.</p>" }
    let items: HTML = reports.prefix(limit).map { report in
      let lines: HTML = BlockingWords.trace(report).map { "<li>\(visible: $0)</li>\n" }.joined()
      return """
        <p>Line \(report.line): \(visible: BlockingWords.log(report)).</p>
        <ul>
        \(lines)</ul>

        """
    }.joined()
    return """
      <h3>Kernel log</h3>
      \(items)\(HTMLPiece.more(reports.count, shown: limit, "reports"))
      """
  }

  static func stuckCalls(_ stuck: BlockingSummary.StuckCalls) -> HTML {
    if stuck.count == 0 { return "" }
    var table = HTMLTable(
      "Calls open at the end",
      [
        .init("callback", .header), .init("from → to"), .init("kind"), .init("age", .number), .init("process"),
        .init("outcome"), .init("queued at", .number), .init("last seen"),
      ])
    for call in stuck.oldest.prefix(limit) {
      table.add([
        HTMLPiece.name(call.callback), "\(call.source) → \(call.target)", "\(name: call.kind)",
        HTMLPiece.duration(call.ageNanoseconds), HTMLPiece.process(call.comm),
        "\(visible: BlockingWords.outcome(call.outcome))", "\(visible: Quantity.time(call.queuedNanoseconds)) s",
        BlockingWords.states(call).map { "\(visible: $0)<br>" }.joined(),
      ])
    }
    return """
      <h3>Calls open at the end</h3>
      <p>\(visible: Quantity.count(stuck.count)) in all: pending for
      \(visible: Quantity.duration(stuck.thresholdNanoseconds)) or more at the end of the trace, or lost.</p>
      \(table.html)\(HTMLPiece.more(stuck.oldest.count, shown: limit, "calls"))
      """
  }

  static func waitChains(_ chains: BlockingSummary.WaitChains) -> HTML {
    if chains.count == 0 { return "" }
    let items: HTML = chains.chains.prefix(limit).map { chain in
      let links: HTML = chain.links.prefix(limit).map { "<li>\(visible: BlockingWords.link($0))</li>\n" }.joined()
      let states: HTML = chain.states.prefix(limit).map {
        "<li>CPU \($0.cpu): \(visible: BlockingWords.state($0))</li>\n"
      }.joined()
      return """
        <p>\(visible: BlockingWords.title(chain)):</p>
        <ul>
        \(links)\(states)</ul>

        """
    }.joined()
    return """
      <h3>Waits on waits</h3>
      <p>\(visible: BlockingWords.chainNote)</p>
      \(items)\(HTMLPiece.more(chains.chains.count, shown: limit, "chains"))
      """
  }

  // MARK: What was in the way

  static func headOfLine(_ callbacks: [BlockingSummary.HeadOfLine]) -> HTML {
    if callbacks.isEmpty { return "" }
    var table = HTMLTable(
      "Callbacks ahead of others",
      [
        .init("callback", .header), .init("runs", .number), .init("calls behind", .number),
        .init("lost in all", .number),
        .init("longest", .number), .init("on"), .init("at", .number),
      ])
    for callback in callbacks.prefix(limit) {
      table.add([
        HTMLPiece.name(callback.callback), HTMLPiece.count(callback.runs), HTMLPiece.count(callback.delayedCalls),
        HTMLPiece.duration(callback.delayNanoseconds), HTMLPiece.duration(callback.longestNanoseconds),
        "CPU \(callback.longestTarget)", "\(visible: Quantity.time(callback.longestStartedNanoseconds)) s",
      ])
    }
    return """
      <h3>Callbacks ahead of others</h3>
      <p>They ran before others of the same flush, which lost that time.</p>
      \(table.html)\(HTMLPiece.more(callbacks.count, shown: limit, "callbacks"))
      """
  }

  static func lockWaits(_ waits: BlockingSummary.LockWaits) -> HTML {
    if waits.count == 0, waits.possibleCount == 0 { return "" }
    var callers = HTMLTable(
      "Callers that waited for a csd",
      [
        .init("caller", .header), .init("callback"), .init("waits", .number), .init("in all", .number),
        .init("longest, at most", .number),
      ])
    for caller in waits.callers.prefix(limit) {
      callers.add([
        HTMLPiece.name(caller.callsite), HTMLPiece.name(caller.callback), HTMLPiece.count(caller.count),
        "\(visible: BlockingWords.range(caller.atLeastNanoseconds, caller.atMostNanoseconds))",
        HTMLPiece.duration(caller.longestAtMostNanoseconds),
      ])
    }
    return """
      <h3>Waits for a csd</h3>
      <p>\(visible: Quantity.count(waits.count)) in all. \(visible: BlockingWords.lockWaitNote)</p>
      \(callers.html)\(HTMLPiece.more(waits.callers.count, shown: limit, "callers"))
      \(longest(waits.longest, "The longest waits for a csd"))
      <p>\(visible: Quantity.count(waits.possibleCount)) possible ones. \(visible: BlockingWords.possibleLockWaitNote)</p>
      \(longest(waits.possible, "The longest possible waits for a csd"))
      """
  }

  private static func longest(_ waits: [BlockingSummary.LockWaits.LockWait], _ label: HTML) -> HTML {
    if waits.isEmpty { return "" }
    var table = HTMLTable(
      label,
      [
        .init("callback", .header), .init("from → to"), .init("wait", .number), .init("held by"), .init("process"),
        .init("queued at", .number),
      ])
    for wait in waits.prefix(limit) {
      table.add([
        HTMLPiece.name(wait.callback), "\(wait.source) → \(wait.target)",
        "\(visible: BlockingWords.range(wait.atLeastNanoseconds, wait.atMostNanoseconds))",
        "\(HTMLPiece.name(wait.heldBy)) on CPU \(wait.heldOn)", HTMLPiece.process(wait.comm),
        "\(visible: Quantity.time(wait.queuedNanoseconds)) s",
      ])
    }
    return "\(table.html)\(HTMLPiece.more(waits.count, shown: limit, "waits"))"
  }

  static func callerWaits(_ waits: [BlockingSummary.CallerWait]) -> HTML {
    if waits.isEmpty { return "" }
    var table = HTMLTable(
      "Callers, if they waited",
      [
        .init("caller", .header), .init("callback"), .init("calls", .number), .init("in all, at least", .number),
        .init("longest", .number), .init("from → slowest"), .init("queued at", .number),
      ])
    for wait in waits.prefix(limit) {
      table.add([
        HTMLPiece.name(wait.callsite), HTMLPiece.name(wait.callback), HTMLPiece.count(wait.count),
        HTMLPiece.duration(wait.atLeastNanoseconds),
        "\(visible: BlockingWords.range(wait.longestAtLeastNanoseconds, wait.longestAtMostNanoseconds))",
        "\(wait.longestSource) → \(wait.longestSlowestTarget)",
        "\(visible: Quantity.time(wait.longestQueuedNanoseconds)) s",
      ])
    }
    return """
      <h3>Callers, if they waited</h3>
      <p>\(visible: BlockingWords.callerWaitNote)</p>
      \(table.html)\(HTMLPiece.more(waits.count, shown: limit, "callers"))
      """
  }
}
