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
    case .undecided:
      verdict.clockDisagreements.isEmpty
        ? "Nothing could be judged; the accounting and the health below say why."
        : "The clocks of the CPUs disagree, so that nothing can be said of what happened between them."
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
  static func judged(_ result: ReplayResult) -> String {
    let verdict = result.verdict
    let all = verdict.judged.plus(verdict.undecided)
    if all == 0 { return result.canHaveCalls ? "no queued calls" : "the trace can't have queued calls" }
    return "\(Quantity.share(verdict.judged, of: all)) of \(Quantity.count(all, "queued call")) judged"
  }

  /// How much of the time was judged in full: `97.3 % of the CPUs' time`; nil for a trace without time.
  static func coverage(_ coverage: Verdict.Coverage) -> String? {
    if coverage.cpuNanoseconds == 0 { return nil }
    let known = coverage.cpuNanoseconds.minus(coverage.unknownNanoseconds)
    return
      "The state of the queues was known for \(Quantity.share(known, of: coverage.cpuNanoseconds)) of the CPUs' time."
  }

  /// What is not claimed, and why; nil where there is nothing of the kind.
  static func withheld(_ verdict: Verdict) -> String? {
    if verdict.withheld.isEmpty { return nil }
    let all = verdict.withheld.reduce(UInt64(0)) { $0.plus($1.count) }
    let reasons = verdict.withheld.map { "\(Quantity.count($0.count)) \(VisibleText.escape($0.reason))" }
    return "Not claimed, because something else may explain it: \(Quantity.count(all, "observation"))"
      + " (\(reasons.joined(separator: ", ")))."
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

  /// Why a CPU's interference is shown, where that is worth a word.
  static func selection(_ selection: Interference.Selection) -> String? {
    switch selection {
    case .named: "named by you"
    case .isolated: "isolated"
    case .all: nil
    }
  }

  /// What the section on interference shows.
  static func interferenceNote(_ interference: [Interference]) -> String {
    interference.contains { $0.selectedAs == .all }
      ? "what interrupted each CPU" : "what interrupted the CPUs that were named or are isolated"
  }

  /// How often a CPU was interrupted: `812 handlers (2.12 ms), 790 callbacks (1.4 ms), 12 reschedules`.
  static func interruptions(_ cpu: Interference) -> String {
    func part(_ count: UInt64?, _ noun: String, _ nanoseconds: UInt64?) -> String {
      guard let count else { return "\(noun)s not recorded" }
      let time = nanoseconds.map { " (\(Quantity.duration($0)))" } ?? ""
      return Quantity.count(count, noun) + time
    }
    return part(cpu.handlers, "handler", cpu.handlerNanoseconds) + ", "
      + part(cpu.callbacks, "callback", cpu.callbackNanoseconds) + ", " + part(cpu.reschedules, "reschedule", nil)
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

/// A type of node, with its words.
struct NodeTypeWords {
  var name: String
  var meaning: String
  var count: UInt64

  static func all(_ types: CallSummary.Types) -> [NodeTypeWords] {
    [
      NodeTypeWords(name: "SYNC", meaning: "the caller waits", count: types.sync),
      NodeTypeWords(name: "ASYNC", meaning: "the caller does not wait", count: types.async),
      NodeTypeWords(name: "IRQ_WORK", meaning: "run without a callback of its own", count: types.irqWork),
      NodeTypeWords(name: "TTWU", meaning: "run last, all at once", count: types.wakeup),
      NodeTypeWords(name: "unknown", meaning: "the evidence is not enough", count: types.unknown),
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
