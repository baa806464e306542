import CallHistories
import TraceTypes
import Verdicts

/// What is counted over complete calls: nothing of it says what is to be judged, and how.
struct CallTally<Sink: CompletedCallSink> {
  var statistics: CallStatistics
  var blocking: BlockingAnalysis
  var delays = MessageDelays()
  var sink: Sink

  mutating func callCompleted(_ call: CompletedCall, targets: Span<QueuedCall>) {
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

  mutating func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {
    statistics.addHandler(kind, cpu: cpu, start: start, end: end)
    sink.handlerCompleted(kind, cpu: cpu, start: start, end: end)
  }

  mutating func unqueuedCallback(_ event: TraceEvent) {
    statistics.addUnqueued(event)
    sink.unqueuedCallback(event)
  }

  mutating func unqueuedCallbackEnded(_ event: TraceEvent, started: UInt64) {
    statistics.addUnqueuedEnd(event, started: started)
    sink.unqueuedCallbackEnded(event, started: started)
  }
}
