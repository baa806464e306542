import Verdicts

/// What is said of each side of a comparison.
enum ComparedSideWords {
  static let rows: [(name: String, words: @Sendable (ComparedSide) -> String)] = [
    ("file", { VisibleText.escape($0.name) }),
    ("form", { ComparisonWords.form($0) }),
    ("kernel", { $0.trace.kernel.map { VisibleText.escape($0) } ?? "unknown" }),
    ("clock", { $0.trace.clock.map { VisibleText.escape($0) } ?? "unknown" }),
    ("recorded time", time),
    ("recorded CPUs", { $0.recordedCPUs.isEmpty ? "unknown" : Quantity.cpuList($0.recordedCPUs) }),
    ("events", events),
    ("queued calls", { Quantity.count($0.queued) }),
    ("verdict", verdict),
  ]

  @Sendable private static func time(_ side: ComparedSide) -> String {
    guard let start = side.trace.startNanoseconds, let end = side.trace.endNanoseconds else { return "no events" }
    return Quantity.duration(end.minus(start))
  }

  @Sendable private static func events(_ side: ComparedSide) -> String {
    let events = side.trace.events
    let lost = events.lost == 0 ? "" : " (\(Quantity.share(events.lost, of: events.total.plus(events.lost))))"
    return "\(Quantity.count(events.total)), \(Quantity.count(events.lost)) lost\(lost)"
  }

  @Sendable private static func verdict(_ side: ComparedSide) -> String {
    switch side.verdict {
    case .conforms: return "conforms"
    case .undecided: return "undecided"
    case .diverges:
      let rules = side.brokenRules.prefix(5).map { VisibleText.escape($0, limit: 60) }.joined(separator: ", ")
      return "diverges: \(Quantity.count(side.divergenceCount)), \(rules)"
    }
  }
}
