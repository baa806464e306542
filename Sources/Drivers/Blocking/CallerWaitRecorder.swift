import CallHistories
import TraceTypes
import Verdicts

/// A call's wait, if it waited.
///
/// It lies between the end of the caller's own part (its queue events, kick and local run) and its next event, and was over no
/// earlier than the last callback.
struct CallerWait {
  /// The end of the caller's own part.
  var began: UInt64
  /// The end of the last callback; `UInt64.max` where one was not seen.
  var over: UInt64
  var slowest: UInt16

  init(_ call: CompletedCall, targets: Span<QueuedCall>) {
    began = call.localEnded ?? call.began
    over = call.began
    slowest = 0
    for index in targets.indices {
      began = max(began, targets[index].queued, targets[index].kicked ?? 0)
      let ended = targets[index].inferred ? .max : targets[index].ended ?? .max
      if ended > over {
        over = ended
        slowest = targets[index].target
      }
    }
  }

  /// Whether all callbacks were seen to end, and the last of them after the caller had come to wait.
  var isSeen: Bool { over != .max && over > began }
}

/// Collects how long callers waited for their callbacks, if they waited: no event says whether they did.
struct CallerWaitRecorder {
  private struct Caller {
    var count: UInt64 = 0
    var sum: UInt64 = 0
    var longest: UInt64 = 0
    var longestAtMost: UInt64?
    var source: UInt16 = 0
    var slowest: UInt16 = 0
    var queued: UInt64 = 0

    mutating func add(_ call: CompletedCall, _ wait: CallerWait) {
      let length = wait.over - wait.began
      count += 1
      sum &+= length
      if length > longest { keep(call, wait, length) }
    }

    @inline(never)
    private mutating func keep(_ call: CompletedCall, _ wait: CallerWait, _ length: UInt64) {
      longest = length
      longestAtMost = call.callerMovedOn.map { max(length, $0 - min($0, wait.began)) }
      source = call.source
      slowest = wait.slowest
      queued = call.began
    }
  }

  /// By the caller's number.
  private var callers: ContiguousArray<Caller> = []

  /// Takes a call that may have waited.
  mutating func add(_ call: CompletedCall, _ wait: CallerWait, caller: Int) {
    // From interrupts, and with interrupts off, single calls are asynchronous: the kernel warns about all others.
    if call.kind == .single, call.flags.contains(.interruptsOff) || call.flags.level != .task { return }
    while callers.count <= caller { callers.append(Caller()) }
    callers[caller].add(call, wait)
  }

  /// - Parameter callers: call site and function of every caller, by its number.
  func summary(
    callers keys: ContiguousArray<(UInt64, UInt64)>, names: any AddressNaming
  ) -> [BlockingSummary.CallerWait] {
    zip(keys, callers).compactMap { key, caller in
      caller.count == 0
        ? nil
        : BlockingSummary.CallerWait(
          callsite: names.text(key.0), callback: names.text(key.1), count: caller.count,
          atLeastNanoseconds: caller.sum, longestAtLeastNanoseconds: caller.longest,
          longestAtMostNanoseconds: caller.longestAtMost, longestSource: Int(caller.source),
          longestSlowestTarget: Int(caller.slowest), longestQueuedNanoseconds: caller.queued)
    }.sorted {
      ($1.longestAtLeastNanoseconds, $0.callsite, $0.callback) < (
        $0.longestAtLeastNanoseconds, $1.callsite, $1.callback
      )
    }
  }
}
