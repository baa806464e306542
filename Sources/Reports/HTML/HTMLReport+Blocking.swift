import Verdicts

extension HTMLReport {
  /// Who waited, who was late, what stood in the way, and who calls from where a waiting call could deadlock.
  static func blocking(_ blocking: BlockingSummary) -> Section {
    let body: HTML = """
      \(kernelReports(blocking.kernelReports))
      \(stuckCalls(blocking.stuckCalls))
      \(waitChains(blocking.waitChains))
      <h3>Late calls</h3>
      \(lateCalls(blocking.latestCalls))
      \(headOfLine(blocking.headOfLine))
      \(lockWaits(blocking.lockWaits))
      \(callerWaits(blocking.callerWaits))
      <h3>Delicate contexts</h3>
      \(contexts(blocking.delicateContexts))
      """
    return Section(identifier: "blocking", title: "Blocking", body: body)
  }

  private static func lateCalls(_ calls: [BlockingSummary.LateCall]) -> HTML {
    if calls.isEmpty { return "<p>No queued call was seen to begin.</p>" }
    let limit = 30
    let longest = calls.map { $0.startedNanoseconds.minus($0.queuedNanoseconds) }.max() ?? 0
    var table = HTMLTable(
      "Calls with the longest delay",
      [
        .init("callback", .header), .init("from → to"), .init("delay", .number), .init("its way"), .init("most of it"),
        .init("to kick", .number), .init("run", .number), .init("caller"), .init("process"),
        .init("queued at", .number),
      ])
    for call in calls.prefix(limit) {
      table.add([
        HTMLPiece.name(call.callback), "\(call.source) → \(call.target)",
        HTMLPiece.duration(call.startedNanoseconds.minus(call.queuedNanoseconds)), way(call, longest: longest),
        why(call),
        HTMLPiece.duration(call.kickNanoseconds.map { $0.minus(call.queuedNanoseconds) }),
        HTMLPiece.duration(call.endedNanoseconds.map { $0.minus(call.startedNanoseconds) }),
        HTMLPiece.name(call.callsite), HTMLPiece.process(call.comm),
        "\(visible: Quantity.time(call.queuedNanoseconds)) s",
      ])
    }
    return """
      <p class="legend">
      <span><span class="swatch to-kick" aria-hidden="true"></span> queue to kick</span>
      <span><span class="swatch to-handler" aria-hidden="true"></span> kick to handler</span>
      <span><span class="swatch to-start" aria-hidden="true"></span> handler to start</span>
      <span><span class="swatch untold" aria-hidden="true"></span> not told apart</span></p>
      \(table.html)\(HTMLPiece.more(calls.count, shown: limit, "late calls"))
      """
  }

  /// What took most of the delay, and what the target did meanwhile.
  private static func why(_ call: BlockingSummary.LateCall) -> HTML {
    let cause: HTML = "\(visible: BlockingWords.cause(call))"
    return call.evidence.map { "\(cause)<br><small>\(visible: BlockingWords.evidence($0))</small>" } ?? cause
  }

  /// The delay as a bar in its stretches, as far as the trace tells them apart.
  private static func way(_ call: BlockingSummary.LateCall, longest: UInt64) -> HTML {
    var parts: [(style: HTML, name: HTML, value: UInt64)] = []
    var at = call.queuedNanoseconds
    func add(_ style: HTML, _ name: HTML, until time: UInt64) {
      let length = min(time, call.startedNanoseconds).minus(at)
      parts.append((style, "\(name): \(HTMLPiece.duration(length))", length))
      at = max(at, min(time, call.startedNanoseconds))
    }
    if let kick = call.kickNanoseconds { add("to-kick", "queue to kick", until: kick) }
    if let handler = call.handlerNanoseconds {
      if call.kickNanoseconds == nil {
        add("untold", "queue to handler", until: handler)
      } else {
        add("to-handler", "kick to handler", until: handler)
      }
      add("to-start", "handler to start", until: call.startedNanoseconds)
    } else {
      add("untold", "until the start", until: call.startedNanoseconds)
    }
    return HTMLPiece.stack(parts, of: longest)
  }

  private static func contexts(_ contexts: [BlockingSummary.Context]) -> HTML {
    if contexts.isEmpty { return "<p>No call was queued from one.</p>" }
    let limit = 30
    var table = HTMLTable(
      "Callers in delicate contexts",
      [
        .init("caller", .header), .init("callback"), .init("interrupts off", .number), .init("hard interrupt", .number),
        .init("soft interrupt", .number),
      ])
    for context in contexts.prefix(limit) {
      table.add([
        HTMLPiece.name(context.callsite), HTMLPiece.name(context.callback), HTMLPiece.count(context.interruptsOff),
        HTMLPiece.count(context.hardInterrupt), HTMLPiece.count(context.softInterrupt),
      ])
    }
    return """
      <p>A call that waits could deadlock here. That is no finding in itself: whether a call waits is in no event.</p>
      \(table.html)\(HTMLPiece.more(contexts.count, shown: limit, "contexts"))
      """
  }
}
