import CallHistories
import TraceTypes
import Verdicts

// What is counted over complete calls: nothing of it says what is to be judged, and how. So it can be put off, and be done by
// another thread than the one that judges.
extension ReplayAnalysis {
  func count(_ call: CompletedCall, targets: Span<QueuedCall>) {
    let caller = statistics.add(call, targets: targets)
    blocking.callCompleted(call, targets: targets, caller: caller)
    for index in 0..<targets.count {
      let target = targets[index]
      if !target.inferred, !target.followsUnseen, target.reason == nil, let started = target.started {
        delays.add(from: target.source, to: target.target, queued: target.queued, started: started)
      }
    }
    sink.write(call, targets: targets)
  }

  func countHandler(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {
    statistics.addHandler(kind, cpu: cpu, start: start, end: end)
    sink.handlerCompleted(kind, cpu: cpu, start: start, end: end)
  }

  func countUnqueued(_ event: TraceEvent) {
    statistics.addUnqueued(event)
    sink.unqueuedCallback(event)
  }

  func countUnqueuedEnd(_ event: TraceEvent, started: UInt64) {
    statistics.addUnqueuedEnd(event, started: started)
    sink.unqueuedCallbackEnded(event, started: started)
  }
}
