import CallHistories
import TraceTypes
import Verdicts

/// Collects how long callers waited for their callbacks, if they waited: no event says whether they did.
///
/// A wait lies between the end of the caller's own part (its queue events, kick and local run) and its next event. It was over
/// no earlier than the last callback, and no later than that event.
struct CallerWaitRecorder {
  /// A call's wait, if it waited.
  struct Wait {
    var began: UInt64
    /// The end of the last callback.
    var over: UInt64
    var slowest: UInt16

    /// Nil where the end of a callback was not seen, and where all were over before the caller had anything to wait for.
    init?(_ call: CompletedCall, targets: Span<QueuedCall>) {
      began = call.localEnded ?? call.began
      over = 0
      slowest = 0
      for index in targets.indices {
        guard !targets[index].inferred, let ended = targets[index].ended else { return nil }
        began = max(began, targets[index].kicked ?? 0, targets[index].queued)
        if ended > over {
          over = ended
          slowest = targets[index].target
        }
      }
      if over <= began { return nil }
    }
  }

  private struct Caller {
    var count: UInt64 = 0
    var sum: UInt64 = 0
    var longest: UInt64 = 0
    var longestAtMost: UInt64?
    var source: UInt16 = 0
    var slowest: UInt16 = 0
    var queued: UInt64 = 0
  }

  private var callerTable = InternTable(limit: 4_096)
  private var callers: ContiguousArray<Caller> = []

  /// Takes a call that may have waited.
  mutating func add(_ call: CompletedCall, targets: Span<QueuedCall>) {
    // From interrupts, and with interrupts off, single calls are asynchronous: the kernel warns about all others.
    if call.kind == .single, call.flags.contains(.interruptsOff) || call.flags.level != .task { return }
    guard let wait = Wait(call, targets: targets), let index = callerTable.number(call.callsite, call.function) else {
      return
    }
    if index == callers.count { callers.append(Caller()) }
    let length = wait.over - wait.began
    callers[index].count += 1
    callers[index].sum &+= length
    guard length > callers[index].longest else { return }
    callers[index].longest = length
    callers[index].longestAtMost = call.callerMovedOn.map { max(length, $0 > wait.began ? $0 - wait.began : 0) }
    callers[index].source = call.source
    callers[index].slowest = wait.slowest
    callers[index].queued = call.began
  }

  func summary(names: any AddressNaming) -> [BlockingSummary.CallerWait] {
    zip(callerTable.keys, callers).map { key, caller in
      BlockingSummary.CallerWait(
        callsite: names.text(key.0), callback: names.text(key.1), count: caller.count, atLeastNanoseconds: caller.sum,
        longestAtLeastNanoseconds: caller.longest, longestAtMostNanoseconds: caller.longestAtMost,
        longestSource: Int(caller.source), longestSlowestTarget: Int(caller.slowest),
        longestQueuedNanoseconds: caller.queued)
    }.sorted {
      ($1.longestAtLeastNanoseconds, $0.callsite, $0.callback) < (
        $0.longestAtLeastNanoseconds, $1.callsite, $1.callback
      )
    }
  }
}
