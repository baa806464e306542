import Verdicts

extension TerminalReport {
  private static let limit = 12

  func writeBlocking(_ blocking: BlockingSummary, to page: inout TextPage) {
    if let reports = blocking.kernelReports { writeKernelReports(reports, to: &page) }
    writeStuckCalls(blocking.stuckCalls, to: &page)
    writeWaitChains(blocking.waitChains, to: &page)
    writeLateCalls(blocking.latestCalls, to: &page)
    writeHeadOfLine(blocking.headOfLine, to: &page)
    writeLockWaits(blocking.lockWaits, to: &page)
    writeCallerWaits(blocking.callerWaits, to: &page)
    writeContexts(blocking.delicateContexts, to: &page)
  }

  // MARK: What did not end

  private func writeKernelReports(_ reports: [KernelReport], to page: inout TextPage) {
    page.heading("Kernel log", note: "what it says about csd locks, and what the trace says about that")
    if reports.isEmpty { page.line("  nothing about csd locks") }
    for report in reports.prefix(Self.limit) {
      page.prose(BlockingWords.log(report) + ".", label: "line \(report.line): ")
      for line in BlockingWords.trace(report) { page.prose(line, indent: 4) }
    }
    page.more(reports.count, shown: Self.limit)
  }

  private func writeStuckCalls(_ stuck: BlockingSummary.StuckCalls, to page: inout TextPage) {
    guard stuck.count > 0 else { return }
    page.heading(
      "Calls open at the end",
      note:
        "\(Quantity.count(stuck.count)) pending for \(Quantity.duration(stuck.thresholdNanoseconds)) or more, or lost")
    for call in stuck.oldest.prefix(Self.limit) {
      page.prose(
        "\(VisibleText.escape(call.callback)), \(VisibleText.escape(call.kind)), by \(Words.process(call.comm)), queued at"
          + " \(Quantity.time(call.queuedNanoseconds)) s, \(Quantity.duration(call.ageNanoseconds)) before the end;"
          + " \(BlockingWords.outcome(call.outcome)).",
        label: "\(call.source) → \(call.target)  ")
      for line in BlockingWords.states(call) { page.prose(line, indent: 4) }
    }
    page.more(stuck.oldest.count, shown: Self.limit)
  }

  private func writeWaitChains(_ chains: BlockingSummary.WaitChains, to page: inout TextPage) {
    guard chains.count > 0 else { return }
    page.heading("Waits on waits", note: "\(Quantity.count(chains.count, "chain"))")
    page.prose(BlockingWords.chainNote)
    for chain in chains.chains.prefix(Self.limit) {
      page.prose(BlockingWords.title(chain) + ":")
      for link in chain.links { page.prose(BlockingWords.link(link) + ".", indent: 4) }
      for state in chain.states { page.prose("CPU \(state.cpu): \(BlockingWords.state(state)).", indent: 4) }
    }
    page.more(chains.chains.count, shown: Self.limit)
  }

  // MARK: What was late

  private func writeLateCalls(_ calls: [BlockingSummary.LateCall], to page: inout TextPage) {
    guard !calls.isEmpty else { return }
    page.heading("Late calls", note: "longest delay from queue event to begin")
    var table = TextTable([
      .text("callback"), .word("from → to"), .number("delay"), .text("most of it"), .text("process").spare,
      .number("run").spare,
    ])
    for call in calls.prefix(Self.limit) {
      table.add([
        VisibleText.escape(call.callback), "\(call.source) → \(call.target)",
        Quantity.duration(call.startedNanoseconds.minus(call.queuedNanoseconds)),
        BlockingWords.cause(call), Words.process(call.comm),
        Quantity.duration(call.endedNanoseconds.map { $0.minus(call.startedNanoseconds) }),
      ])
    }
    page.table(table)
    page.more(calls.count, shown: Self.limit)
  }

  private func writeHeadOfLine(_ callbacks: [BlockingSummary.HeadOfLine], to page: inout TextPage) {
    guard !callbacks.isEmpty else { return }
    page.heading("Callbacks ahead of others", note: "that ran before others of the same flush")
    var table = TextTable([
      .text("callback"), .number("runs"), .number("calls behind"), .number("lost in all"), .number("longest"),
      .word("on").spare, .number("at, in s").spare,
    ])
    for callback in callbacks.prefix(Self.limit) {
      table.add([
        VisibleText.escape(callback.callback), Quantity.count(callback.runs), Quantity.count(callback.delayedCalls),
        Quantity.duration(callback.delayNanoseconds), Quantity.duration(callback.longestNanoseconds),
        "CPU \(callback.longestTarget)", Quantity.time(callback.longestStartedNanoseconds),
      ])
    }
    page.table(table)
    page.more(callbacks.count, shown: Self.limit)
  }

  // MARK: Who waited

  private func writeLockWaits(_ waits: BlockingSummary.LockWaits, to page: inout TextPage) {
    guard waits.count > 0 || waits.possibleCount > 0 else { return }
    page.heading(
      "Waits for a csd",
      note: "\(Quantity.count(waits.count)), seen indirectly, and \(Quantity.count(waits.possibleCount)) possible ones")
    page.prose(BlockingWords.lockWaitNote)
    var callers = TextTable([
      .text("caller"), .text("callback"), .number("waits"), .number("in all"), .number("longest, at most"),
    ])
    for caller in waits.callers.prefix(Self.limit) {
      callers.add([
        VisibleText.escape(caller.callsite), VisibleText.escape(caller.callback), Quantity.count(caller.count),
        BlockingWords.range(caller.atLeastNanoseconds, caller.atMostNanoseconds),
        Quantity.duration(caller.longestAtMostNanoseconds),
      ])
    }
    if !waits.callers.isEmpty { page.table(callers) }
    page.more(waits.callers.count, shown: Self.limit)
    writeLongest(waits.longest, to: &page)
    if waits.possibleCount > 0 { page.prose(BlockingWords.possibleLockWaitNote) }
    writeLongest(waits.possible, to: &page)
  }

  private func writeLongest(_ waits: [BlockingSummary.LockWaits.LockWait], to page: inout TextPage) {
    if waits.isEmpty { return }
    var table = TextTable([
      .text("callback"), .word("from → to"), .number("wait"), .text("held by"), .number("queued at, in s").spare,
      .text("process").spare,
    ])
    for wait in waits.prefix(Self.limit) {
      table.add([
        VisibleText.escape(wait.callback), "\(wait.source) → \(wait.target)",
        BlockingWords.range(wait.atLeastNanoseconds, wait.atMostNanoseconds),
        "\(VisibleText.escape(wait.heldBy)) on CPU \(wait.heldOn)", Quantity.time(wait.queuedNanoseconds),
        Words.process(wait.comm),
      ])
    }
    page.table(table)
    page.more(waits.count, shown: Self.limit)
  }

  private func writeCallerWaits(_ waits: [BlockingSummary.CallerWait], to page: inout TextPage) {
    guard !waits.isEmpty else { return }
    page.heading("Callers, if they waited", note: "no event says whether a call waits")
    page.prose(BlockingWords.callerWaitNote)
    var table = TextTable([
      .text("caller"), .text("callback"), .number("calls"), .number("sum, at least"), .number("longest"),
      .word("from → to"),
    ])
    for wait in waits.prefix(Self.limit) {
      table.add([
        VisibleText.escape(wait.callsite), VisibleText.escape(wait.callback), Quantity.count(wait.count),
        Quantity.duration(wait.atLeastNanoseconds),
        BlockingWords.range(wait.longestAtLeastNanoseconds, wait.longestAtMostNanoseconds),
        "\(wait.longestSource) → \(wait.longestSlowestTarget)",
      ])
    }
    page.table(table)
    page.more(waits.count, shown: Self.limit)
  }

  private func writeContexts(_ contexts: [BlockingSummary.Context], to page: inout TextPage) {
    guard !contexts.isEmpty else { return }
    page.heading("Delicate contexts", note: "a call that waits could deadlock here; no finding in itself")
    var table = TextTable([
      .text("caller"), .text("callback"), .number("IRQs off"), .number("hard IRQ"), .number("soft IRQ"),
    ])
    for context in contexts.prefix(Self.limit) {
      table.add([
        VisibleText.escape(context.callsite), VisibleText.escape(context.callback),
        Quantity.count(context.interruptsOff), Quantity.count(context.hardInterrupt),
        Quantity.count(context.softInterrupt),
      ])
    }
    page.table(table)
    page.more(contexts.count, shown: Self.limit)
  }
}
