import CallHistories
import Verdicts

/// Counts what was recorded of a load, in the form in which simulations are counted.
struct RecordedOutcome {
  var recorder = OutcomeRecorder()

  mutating func add(_ call: LoadedCall, targets: Span<QueuedCall>) {
    recorder.calls &+= 1
    let callback = call.callback >= 0 ? Int(call.callback) : nil
    var isMask = false
    for index in targets.indices {
      if targets[index].kick == .maskIPI { isMask = true }
      add(targets[index], callback: callback)
    }
    if isMask { recorder.interrupts.maskOperations &+= 1 }
    if let returned = call.returned, returned >= call.time {
      recorder.callerWaited(Int(call.source), returned - call.time)
    }
  }

  private mutating func add(_ target: QueuedCall, callback: Int?) {
    let cpu = Int(target.target)
    recorder.asked(cpu, callback: callback)
    switch target.outcome {
    case .ran: recorder.fates.ran &+= 1
    case .pending: recorder.fates.pending &+= 1
    case .lost: recorder.fates.lost &+= 1
    case .open, .undecided: recorder.fates.unknown &+= 1
    }
    switch target.kick {
    case .ipi:
      recorder.interrupts.single &+= 1
      recorder.known.single &+= 1
      recorder.interrupted(cpu, callback: callback)
    case .maskIPI:
      recorder.interrupts.maskTargets &+= 1
      recorder.known.maskTargets &+= 1
      recorder.interrupted(cpu, callback: callback)
    case .coalesced:
      recorder.interrupts.saved &+= 1
      recorder.known.saved &+= 1
    case .polling:
      recorder.interrupts.polling &+= 1
      recorder.known.polling &+= 1
    case .unknown, .undecided: recorder.interrupts.unknown &+= 1
    }
    guard !target.inferred, !target.followsUnseen, let started = target.started else {
      if target.outcome == .ran { recorder.started(on: cpu, callback: callback, delay: nil) }
      return
    }
    recorder.started(on: cpu, callback: callback, delay: started >= target.queued ? started - target.queued : nil)
    if let ended = target.ended, ended >= started { recorder.ran(on: cpu, ended - started) }
  }
}
