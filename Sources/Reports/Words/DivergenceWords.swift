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
    }
  }

  private func margin(_ found: FoundDivergence) -> String {
    found.margin == .max ? "beyond any error of the clocks" : "\(found.margin) ns"
  }
}
