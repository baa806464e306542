import TraceTypes
import Verdicts

/// The words for the values of a result: terminal and HTML say the same.
enum Words {
  static func headline(_ verdict: Verdict) -> String {
    let engine = VisibleText.escape(verdict.engine, limit: 60)
    return switch verdict.result {
    case .conforms: "conforms to \(engine)"
    case .diverges: "diverges from \(engine)"
    case .undecided: "undecided against \(engine)"
    }
  }

  /// The words as the beginning of a sentence.
  static func capitalized(_ words: String) -> String { words.prefix(1).uppercased() + words.dropFirst() }

  /// What the verdict means, in one sentence.
  static func sentence(_ verdict: Verdict) -> String {
    switch verdict.result {
    case .conforms: "Every queued call that could be judged is explained by the engine."
    case .diverges:
      verdict.divergenceCount == 1
        ? "One observation is explained by no order of the steps within their windows."
        : "\(Quantity.count(verdict.divergenceCount)) observations are explained by no order of the steps within their"
          + " windows."
    case .undecided: "Nothing could be judged; the accounting and the health below say why."
    }
  }

  /// A sign for the verdict that does not depend on colour.
  static func sign(_ outcome: Verdict.Outcome) -> String {
    switch outcome {
    case .conforms: "✓"
    case .diverges: "✗"
    case .undecided: "?"
    }
  }

  /// CPUs with their noun: `CPU 3`, `CPUs 0-3,7`.
  static func cpus(_ cpus: [Int]) -> String {
    let list = Quantity.cpuList(cpus)
    if list.isEmpty { return "no CPU" }
    return (Set(cpus).count == 1 ? "CPU " : "CPUs ") + list
  }

  /// How much was judged: `98.5 % of 12,345 queued calls judged`.
  static func judged(_ verdict: Verdict) -> String {
    let all = verdict.judged.plus(verdict.undecided)
    if all == 0 { return "no queued calls" }
    return "\(Quantity.share(verdict.judged, of: all)) of \(Quantity.count(all, "queued call")) judged"
  }

  /// The sum of the accounting's parts, or nil where it is larger than a count can be.
  static func sum(_ accounting: Accounting) -> UInt64? {
    var sum = accounting.executed
    for part in [accounting.lost, accounting.pending] + accounting.notJudged.map(\.count) {
      let next = sum.addingReportingOverflow(part)
      if next.overflow { return nil }
      sum = next.partialValue
    }
    return sum
  }

  /// Whether the accounting adds up, in words.
  static func balance(_ accounting: Accounting) -> String {
    guard let sum = sum(accounting) else { return "the parts do not add up to the queued calls" }
    return sum == accounting.queued
      ? "the parts add up to the queued calls"
      : "the parts add up to \(Quantity.count(sum)), not to the \(Quantity.count(accounting.queued)) queued calls"
  }

  static func severity(_ severity: TraceHealth.Severity) -> String {
    switch severity {
    case .info: "info"
    case .dataLoss: "data loss"
    case .error: "error"
    }
  }

  static func cause(_ cause: BlockingSummary.Cause) -> String {
    switch cause {
    case .callbackAhead: "callbacks ahead of it"
    case .kickDelayed: "the caller kicked late"
    case .inHandler: "in the handler, not in callbacks"
    case .interruptsOff: "interrupts off on the target"
    case .idleExit: "the target was still idle"
    case .targetLate: "the target took the IPI late"
    case .unknown: "unknown"
    }
  }

  static func selection(_ selection: Interference.Selection) -> String {
    switch selection {
    case .named: "named by you"
    case .isolated: "isolated"
    }
  }

  static func choice(_ timeline: Timeline) -> String {
    switch timeline.choice {
    case .named: "the window you named"
    case .divergence: "around the first divergence"
    case .latestCall: "around the call with the longest delay"
    case .empty: "nothing to show"
    }
  }

  /// A process name, or a dash where it is unknown.
  static func process(_ comm: String?) -> String { comm.map { VisibleText.escape($0) } ?? "–" }
}

/// A kind of call with its words.
struct CallKindWords {
  var name: String
  var meaning: String
  var count: UInt64

  static func all(_ kinds: CallSummary.Kinds) -> [CallKindWords] {
    [
      CallKindWords(name: "single", meaning: "to one other CPU", count: kinds.single),
      CallKindWords(name: "many", meaning: "to a mask of CPUs", count: kinds.many),
      CallKindWords(name: "wakeup", meaning: "remote wakeup", count: kinds.wakeup),
      CallKindWords(name: "irq_work", meaning: "irq_work on another CPU", count: kinds.irqWork),
      CallKindWords(name: "local", meaning: "on the calling CPU only", count: kinds.local),
      CallKindWords(name: "unknown", meaning: "the trace does not tell", count: kinds.unknown),
    ]
  }
}

/// A way in which a queued call made its target look, with its words.
struct KickWords {
  var name: String
  var meaning: String
  var count: UInt64

  static func all(_ kicks: KickCounts) -> [KickWords] {
    [
      KickWords(name: "IPI", meaning: "an IPI of its own", count: kicks.ipi),
      KickWords(name: "mask IPI", meaning: "a place in a mask IPI", count: kicks.maskIPI),
      KickWords(name: "coalesced", meaning: "none: the queue was not empty", count: kicks.coalesced),
      KickWords(name: "polling", meaning: "none: the idle target polls", count: kicks.polling),
      KickWords(name: "unknown", meaning: "the trace does not tell", count: kicks.unknown),
    ]
  }
}

/// One stretch of a queued call's way, with its words.
struct LatencyWords {
  var name: String
  var meaning: String
  var distribution: DurationDistribution

  static func all(_ latency: LatencySplit) -> [LatencyWords] {
    [
      LatencyWords(
        name: "queue → kick", meaning: "from the queue event to the kick, for calls that kicked",
        distribution: latency.queueToKick),
      LatencyWords(
        name: "kick → handler", meaning: "from the kick to the entry of the handler that flushed the call",
        distribution: latency.kickToHandler),
      LatencyWords(
        name: "handler → start", meaning: "from the handler's entry to the callback's begin",
        distribution: latency.handlerToStart),
      LatencyWords(
        name: "queue → start", meaning: "the whole delay: from the queue event to the callback's begin",
        distribution: latency.queueToStart),
      LatencyWords(
        name: "start → end", meaning: "the callback itself", distribution: latency.startToEnd),
      LatencyWords(
        name: "caller's wait, at most",
        meaning: "from the first queue event to the caller's next event, where the caller may have waited",
        distribution: latency.callerWaitAtMost),
    ]
  }
}
