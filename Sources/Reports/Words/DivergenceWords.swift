internal import CallEngines
internal import CallHistories
public import TraceTypes
public import Verdicts

/// Puts divergences into words.
public struct DivergenceWords {
  private let names: any AddressNaming

  public init(names: any AddressNaming) { self.names = names }

  public func words(for found: FoundDivergence) -> Divergence {
    Divergence(
      rule: found.rule.rawValue, timeNanoseconds: found.time, cpus: found.cpus.map { Int($0) },
      callback: found.function == 0 ? nil : names.text(found.function),
      events: found.events.map {
        Divergence.Event(cpu: Int($0.cpu), timeNanoseconds: $0.nanoseconds, type: $0.kind.qualifiedName)
      }, expected: found.rule.sentence, explanation: explanation(found))
  }

  private func explanation(_ found: FoundDivergence) -> String {
    let callback = found.function == 0 ? "the callback" : names.text(found.function)
    let target = found.cpus.last.map { "CPU \($0)" } ?? "the target"
    let source = found.cpus.first.map { "CPU \($0)" } ?? "the source"
    switch found.rule {
    case .lostCallback:
      return """
        \(source) had certainly added \(callback) to the queue before a flush took it, because its next event in the same \
        context lies before the flush began. That flush ended without the callback, and no later one ran it.
        """
    case .missedByFlush:
      return """
        \(source) had certainly added \(callback) to the queue of \(target) before a flush began, \
        \(margin(found)) earlier at least; it ran only in a later flush.
        """
    case .wrongCPU:
      let intended = found.cpus.count > 1 ? "CPU \(found.cpus[1])" : "its target"
      return """
        \(source) queued \(callback) to \(intended), whose flush passed without it; the same csd and function ran on \
        \(target), to which nobody had queued it.
        """
    case .ranTwice:
      return """
        \(callback) ran twice within one flush of \(target), with one csd. A csd can be on the list only once, and what is \
        queued meanwhile waits for the next flush.
        """
    case .classOrder:
      return """
        On \(target), a wakeup ran before another callback of the same flush. Wakeups are run last whatever the order of \
        the adds.
        """
    case .fifoOrder:
      return """
        On \(target), two callbacks of one flush ran in the opposite order of their adds, whose windows are \
        \(margin(found)) apart. They would be in order if the later one were SYNC and the earlier one not, but the other \
        members of the flush, or what the callers did meanwhile, exclude every such choice.
        """
    case .kickMissing:
      return """
        The queue of \(target) was known to be empty after its previous flush, yet none of the calls that the next flush \
        ran had kicked: each source went on without an IPI and without waking a polling idle CPU.
        """
    case .kickNotOwed:
      return """
        On \(target), a call of the flush kicked although the queue cannot have been empty when it was added: another call \
        of the same flush had kicked too, or had been added before, or stood ahead of it in its own class.
        """
    case .kickWithoutQueue:
      return """
        \(source) sent a cross-call IPI to \(target), but in the same context it had queued nothing for \(target) since it \
        was last seen doing something else.
        """
    case .polledNotIdle:
      return """
        \(source) left the IPI to \(target) out because that CPU's idle task was to see NEED_RESCHED. But \(target) ran other \
        tasks from before the call was queued until it ran.
        """
    case .csdReused:
      let other = found.cpus.count > 1 ? "CPU \(found.cpus[1])" : "another CPU"
      return """
        \(source) queued the csd of \(callback) while it was still on its way to \(target), for which \(other) had queued it: \
        it can't have been unlocked before, because \(target) did something else until \(margin(found)) later.
        """
    case .forbiddenContext:
      return """
        \(source) made the call with interrupts off or from within an interrupt, as the flags of its queue event say. There \
        another CPU that waits for \(source) in the same way would wait for ever.
        """
    case .addToOffline:
      return """
        \(source) queued \(callback) to \(target) after the step that takes \(target) down had ended, and before any that \
        brings it up began.
        """
    case .missedByDyingFlush:
      return """
        \(source) had added \(callback) to the queue of \(target) before that CPU was gone. It ran only after \(target) had \
        come back.
        """
    case .localRun:
      return found.csd == 0
        ? "\(source) ran \(callback) in place, and interrupts were on when it began."
        : "\(source) queued \(callback) to itself."
    }
  }

  private func margin(_ found: FoundDivergence) -> String {
    found.margin == .max ? "beyond any error of the clocks" : "\(found.margin) ns"
  }
}
