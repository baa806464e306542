import Verdicts

/// The words about waits and what stood in the way: terminal and HTML say the same. All of them are visible text already.
enum BlockingWords {
  static let lockWaitNote = """
    No event says that a caller waits there. Counted is where the events are those of a wait: the csd was still locked at \
    the caller's last event, was freed, and right then was queued again, between two targets of one call.
    """
  static let possibleLockWaitNote = """
    The same before the first target of a call: there the caller waited, or came only then.
    """
  static let callerWaitNote = """
    Whether a call waits is in no event. These are the calls of which nothing shows that they did not; from the caller's \
    last step to the end of the last callback, and up to the caller's next event.
    """
  static let chainNote = """
    Calls that stood on a CPU which, with interrupts off, itself made a call: if they waited, they waited for each other.
    """

  /// What took most of a late call's delay, with what is known of it.
  static func cause(_ call: BlockingSummary.LateCall) -> String {
    cause(call.cause, behind: call.behind, evidence: call.evidence)
  }

  static func cause(
    _ cause: BlockingSummary.Cause, behind: BlockingSummary.Behind?, evidence: BlockingSummary.TargetEvidence?
  ) -> String {
    switch cause {
    case .callbackAhead:
      return behind.map { "behind \(VisibleText.escape($0.callback)), \(Quantity.duration($0.delayNanoseconds))" }
        ?? Words.cause(cause)
    case .interruptsOff:
      if let callback = evidence?.callback { return "still in \(VisibleText.escape(callback))" }
      return evidence?.interruptsOffNanoseconds.map { "interrupts off, \(Quantity.duration($0)) or more" }
        ?? Words.cause(cause)
    case .idleExit:
      return evidence?.idleNanoseconds.map { "idle for \(Quantity.duration($0)) more" } ?? Words.cause(cause)
    case .targetLate where evidence?.events == 0: return "target late, no event there"
    case .inHandler, .kickDelayed, .targetLate, .unknown: return Words.cause(cause)
    }
  }

  /// What the target did after the kick, as a clause.
  static func evidence(_ evidence: BlockingSummary.TargetEvidence) -> String {
    if evidence.events == 0 { return "the target shows no event in between" }
    var parts = ["the target shows \(Quantity.count(evidence.events, "event")) in between"]
    if let comm = evidence.comm {
      parts[0] += " of \(VisibleText.escape(comm))"
    } else if let pid = evidence.pid {
      parts[0] += " of task \(pid)"
    }
    if let callback = evidence.callback {
      parts.append("\(VisibleText.escape(callback)) of an earlier flush still ran there")
    }
    if let off = evidence.interruptsOffNanoseconds {
      parts.append("interrupts were off for at least \(Quantity.duration(off))")
    }
    if let idle = evidence.idleNanoseconds { parts.append("it was idle for \(Quantity.duration(idle)) after the kick") }
    return parts.joined(separator: ", ")
  }

  /// A range of durations: `1.20 ms … 1.31 ms`, or the one that both are.
  static func range(_ least: UInt64, _ most: UInt64?) -> String {
    guard let most else { return "\(Quantity.duration(least)) or more" }
    return least == most ? Quantity.duration(most) : "\(Quantity.duration(least)) … \(Quantity.duration(most))"
  }

  // MARK: States

  static func context(_ context: BlockingSummary.CPUState.Context) -> String {
    switch context {
    case .task: "task"
    case .softInterrupt: "soft interrupt"
    case .hardInterrupt: "hard interrupt"
    case .nonMaskable: "NMI"
    case .unknown: "unknown context"
    }
  }

  /// What was last seen of a CPU, as a clause.
  static func state(_ state: BlockingSummary.CPUState) -> String {
    var parts: [String] = []
    if let time = state.timeNanoseconds {
      let event = state.event.map { VisibleText.escape($0) } ?? "an event"
      parts.append("last seen at \(Quantity.time(time)) s with \(event)")
      parts.append("\(context(state.context)), interrupts \(state.interruptsOff ? "off" : "on")")
    } else {
      parts.append("never seen")
    }
    if let comm = state.comm {
      parts.append("running \(VisibleText.escape(comm))")
    } else if let pid = state.pid {
      parts.append("running task \(pid)")
    }
    if let callback = state.callback {
      let since = state.callbackSinceNanoseconds.map { " since \(Quantity.time($0)) s" } ?? ""
      parts.append("in \(VisibleText.escape(callback))\(since)")
    } else if let since = state.handlerSinceNanoseconds {
      parts.append("in a handler of cross calls since \(Quantity.time(since)) s")
    }
    switch state.hotplug {
    case .none: break
    case .goingOffline: parts.append("going offline")
    case .offline: parts.append("offline")
    case .comingOnline: parts.append("coming online")
    }
    return parts.joined(separator: ", ")
  }

  /// The states of a stuck call's CPUs, and whether the target was alive, one sentence each.
  static func states(_ call: BlockingSummary.StuckCalls.Call) -> [String] {
    var lines: [String] = []
    if let seen = call.targetSeenNanoseconds {
      lines.append("The target showed events for \(Quantity.duration(seen)) after it was asked.")
    } else {
      lines.append(
        "The target shows no event after it was asked: it slept, it was stuck, or its recording ended before.")
    }
    if let state = call.sourceState { lines.append("Source, CPU \(state.cpu): \(self.state(state)).") }
    if let state = call.targetState { lines.append("Target, CPU \(state.cpu): \(self.state(state)).") }
    return lines
  }

  static func outcome(_ outcome: BlockingSummary.StuckCalls.Outcome) -> String {
    switch outcome {
    case .pending: "pending at the end"
    case .lost: "lost: passed over by a flush"
    }
  }

  // MARK: Chains

  static func title(_ chain: BlockingSummary.WaitChains.Chain) -> String {
    let length = Quantity.duration(chain.nanoseconds)
    return chain.isCycle ? "A circle of \(chain.links.count) calls, for \(length)" : "For \(length)"
  }

  static func link(_ link: BlockingSummary.WaitChains.Link) -> String {
    var text = "CPU \(link.source) stood on CPU \(link.target) for \(VisibleText.escape(link.callback))"
    text += " (\(VisibleText.escape(link.callsite)), \(Words.process(link.comm)))"
    text += ", queued at \(Quantity.time(link.queuedNanoseconds)) s"
    if link.interruptsOff { text += " with interrupts off" }
    if let started = link.startedNanoseconds {
      text += ", begun \(Quantity.duration(started.minus(link.queuedNanoseconds))) later"
      text += link.endedNanoseconds.map { ", over after \(Quantity.duration($0.minus(started)))" } ?? ", never over"
    } else {
      text += ", never begun"
    }
    return text
  }

  // MARK: Kernel log

  /// What the log says of one lock.
  static func log(_ report: KernelReport) -> String {
    let callback = report.callback.map { VisibleText.escape($0) } ?? "an unnamed callback"
    let target = report.targetCPU.map { "CPU \($0)" } ?? "an unnamed CPU"
    if report.kind == .offlineCallback { return "\(callback) was sent to \(target) while that was offline" }
    var parts = ["CSD lock\(report.bug.map { " #\($0)" } ?? "")"]
    parts[0] += ": \(report.waitingCPU.map { "CPU \($0)" } ?? "an unnamed CPU") waited"
    if let waited = report.waitedNanoseconds { parts[0] += " \(Quantity.duration(waited))" }
    parts[0] += " for \(target) to run \(callback)"
    switch report.activity {
    case nil: break
    case .unresponsive: parts.append("the kernel found the target unresponsive")
    case .handlingThis: parts.append("the kernel found the target in this callback")
    case .handlingPrior:
      parts.append(
        "the kernel found the target in \(report.priorCallback.map { VisibleText.escape($0) } ?? "another callback")")
    }
    if report.resentIPIs > 0 { parts.append("the IPI was sent again \(Quantity.count(report.resentIPIs, "time"))") }
    parts.append(report.unstuck ? "the lock came free" : "the log does not say that the lock came free")
    return parts.joined(separator: "; ")
  }

  /// What the trace says about it, one sentence each.
  static func trace(_ report: KernelReport) -> [String] {
    guard let call = report.call else {
      switch report.absence {
      case .beforeTrace: return ["Not in the trace: the wait began before the trace."]
      case .afterTrace: return ["Not in the trace: the wait began after the trace's end."]
      case .notNamed: return ["Not looked for: the log does not name the caller, the target and the callback."]
      case .noSuchCall, nil:
        return [
          "Not in the trace: it has no call of these CPUs and this callback that lasted so long"
            + (report.timeNanoseconds == nil ? "." : " at that time.")
        ]
      }
    }
    var lines = ["\(queued(call)); \(ran(call))."]
    if call.startedNanoseconds != nil {
      lines.append(
        "Most of the delay: \(cause(call.cause, behind: call.behind, evidence: call.evidence)).")
    }
    if let evidence = call.evidence { lines.append("After the kick \(self.evidence(evidence)).") }
    if let state = call.sourceState { lines.append("The caller's CPU \(state.cpu): \(self.state(state)).") }
    if let state = call.targetState { lines.append("The target, CPU \(state.cpu): \(self.state(state)).") }
    if !call.foundByTime {
      lines.append("Found by CPUs, callback and duration; the log's times can't be compared with the trace's.")
    }
    return lines
  }

  private static func queued(_ call: KernelReport.FoundCall) -> String {
    var text = "In the trace: queued at \(Quantity.time(call.queuedNanoseconds)) s by \(Words.process(call.comm))"
    text += " (\(VisibleText.escape(call.callsite)))"
    if let kick = call.kickNanoseconds {
      text += ", kicked \(Quantity.duration(kick.minus(call.queuedNanoseconds))) later"
    } else {
      text += ", without a kick of its own"
    }
    return text
  }

  private static func ran(_ call: KernelReport.FoundCall) -> String {
    if let started = call.startedNanoseconds {
      let delay = Quantity.duration(started.minus(call.queuedNanoseconds))
      let run = call.endedNanoseconds.map { "ran for \(Quantity.duration($0.minus(started)))" } ?? "was never over"
      return "it began after \(delay) and \(run)"
    }
    switch call.outcome {
    case .ran: return "it ran, without an event of its own"
    case .pending: return "it did not run until the end of the trace"
    case .lost: return "a flush that must have taken it passed without it"
    case .undecided: return "whether it ran can't be told"
    }
  }
}
