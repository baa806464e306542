import CallHistories
import TraceTypes
import Verdicts

/// Finds callers that had to wait for a csd which their CPU's earlier call still held.
///
/// ## What the events show of it
///
/// `csd_lock()` spins *before* the queue event, and no event says so. For an async single call the CPU has one csd for all
/// targets, for a call to many CPUs one for each target. An ASYNC csd is unlocked just before its callback is entered, so a
/// wait is taken to have been there where
///
/// - the earlier call of the same CPU with this csd did not wait, which its caller showed by going on before the callback's end;
/// - the csd was certainly still locked at the caller's last event before the queue event, because not even the handler that
///   unlocked it had been entered;
/// - the callback was entered before the queue event, or at once after it, and the csd was queued again right then: what lies
///   between the two is no more than an eighth of the time since the caller's last event.
///
/// A caller that came that late by chance looks the same. So the wait is given as a range. It is no longer than from the
/// caller's last event to the unlock. How long the caller's own way took before it came to the lock, no event says; between two
/// targets of one call it is taken to have been no longer than the longest such way of this caller on which the csd was free
/// from the beginning. Elsewhere the lower end is 0.
struct LockWaitRecorder {
  static let keptWaits = 20
  private static let cacheSize = 1 << 13

  /// The latest use of a csd.
  private struct Use {
    var csd: UInt64 = 0
    var function: UInt64 = 0
    /// The csd was locked until then at least …
    var lockedUntil: UInt64 = 0
    /// … and free from then on; `UInt64.max` where that is not known.
    var freeFrom: UInt64 = 0
    var source: UInt16 = 0
    var target: UInt16 = 0
    var isAsync = false
    /// Several CPUs used it: it is the caller's own, for which nobody waits.
    var isOwned = false
  }

  struct Wait {
    var source: UInt16
    var target: UInt16
    var pid: Int32
    var callsite: UInt64
    var function: UInt64
    var heldBy: UInt64
    var heldOn: UInt16
    var previous: UInt64
    var lockedUntil: UInt64
    var freed: UInt64
    var queued: UInt64
    /// Between two targets of one call.
    var isInner: Bool

    var atMost: UInt64 { freed - previous }
  }

  private struct Caller {
    /// The longest way between two targets on which the csd was free; nil where none was seen.
    var ownWay: UInt64?
    var count: UInt64 = 0
    var atMost: UInt64 = 0
    var longestAtMost: UInt64 = 0
    /// Of the waits between two targets: how many, and from the caller's event to the last moment with the lock held.
    var innerCount: UInt64 = 0
    var innerSum: UInt64 = 0
    var innerLongest: UInt64 = 0

    /// No sum of the single waits' lower ends is larger than what each of them loses by the own way.
    var atLeast: UInt64 {
      guard let ownWay else { return 0 }
      let lost = innerCount.multipliedReportingOverflow(by: ownWay)
      let sum = lost.overflow || lost.partialValue > innerSum ? 0 : innerSum - lost.partialValue
      return max(sum, innerLongest > ownWay ? innerLongest - ownWay : 0)
    }
  }

  /// By a hash of the csd; a newer one takes the place of an older one.
  private var cache = ContiguousArray(repeating: Use(), count: cacheSize)
  private var callerTable = InternTable(limit: 4_096)
  private var callers: ContiguousArray<Caller> = []
  private var count: UInt64 = 0
  private var longest: [Wait] = []

  /// Takes a call with at least one target, of a kind that locks its csd.
  mutating func add(_ call: CompletedCall, targets: Span<QueuedCall>) {
    let isAsync = call.waits == false
    var previous = call.previousEvent
    var caller: Int?
    for index in targets.indices {
      let queued = targets[index].queued
      let csd = targets[index].csd
      let place = Int(truncatingIfNeeded: (csd &* 0x9E37_79B9_7F4A_7C15) &>> 51)
      let use = cache[place]
      if use.csd == csd, let previous, previous < queued {
        if use.freeFrom <= previous {
          if index > 0 {
            caller = caller ?? number(of: call)
            if let caller { callers[caller].ownWay = max(callers[caller].ownWay ?? 0, queued - previous) }
          }
        } else if use.isAsync, !use.isOwned, use.source == call.source, use.lockedUntil > previous,
          use.lockedUntil <= queued, use.freeFrom != .max
        {
          let freed = min(use.freeFrom, queued)
          if queued - freed <= (queued - previous) / 8 {
            caller = caller ?? number(of: call)
            take(
              Wait(
                source: call.source, target: targets[index].target, pid: call.pid, callsite: call.callsite,
                function: call.function, heldBy: use.function, heldOn: use.target, previous: previous,
                lockedUntil: use.lockedUntil, freed: freed, queued: queued, isInner: index > 0), of: caller)
          }
        }
      }
      let started = targets[index].inferred ? nil : targets[index].started
      let ended = targets[index].inferred ? nil : targets[index].ended
      cache[place] = Use(
        csd: csd, function: call.function, lockedUntil: targets[index].handler ?? queued,
        freeFrom: (isAsync ? started : ended) ?? .max, source: call.source, target: targets[index].target,
        isAsync: isAsync, isOwned: use.csd == csd && (use.isOwned || use.source != call.source))
      previous = queued
    }
  }

  private mutating func number(of call: CompletedCall) -> Int? {
    guard let index = callerTable.number(call.callsite, call.function) else { return nil }
    if index == callers.count { callers.append(Caller()) }
    return index
  }

  private mutating func take(_ wait: Wait, of caller: Int?) {
    count += 1
    if let caller {
      callers[caller].count += 1
      callers[caller].atMost &+= wait.atMost
      callers[caller].longestAtMost = max(callers[caller].longestAtMost, wait.atMost)
      if wait.isInner {
        let held = wait.lockedUntil - wait.previous
        callers[caller].innerCount += 1
        callers[caller].innerSum &+= held
        callers[caller].innerLongest = max(callers[caller].innerLongest, held)
      }
    }
    if longest.count == Self.keptWaits, let least = longest.last, wait.atMost <= least.atMost { return }
    longest.insert(wait, at: longest.firstIndex { $0.atMost < wait.atMost } ?? longest.count)
    if longest.count > Self.keptWaits { longest.removeLast() }
  }

  // MARK: Giving

  func summary(names: any AddressNaming, comm: (Int32) -> String?) -> BlockingSummary.LockWaits {
    var ownWays: [BlockingAnalysis.CallerKey: UInt64] = [:]
    var named: [BlockingSummary.LockWaits.Caller] = []
    for (key, caller) in zip(callerTable.keys, callers) {
      ownWays[BlockingAnalysis.CallerKey(callsite: key.0, function: key.1)] = caller.ownWay
      guard caller.count > 0 else { continue }
      named.append(
        BlockingSummary.LockWaits.Caller(
          callsite: names.text(key.0), callback: names.text(key.1), count: caller.count,
          atLeastNanoseconds: caller.atLeast, atMostNanoseconds: caller.atMost,
          longestAtMostNanoseconds: caller.longestAtMost))
    }
    return BlockingSummary.LockWaits(
      count: count,
      callers: named.sorted {
        ($1.longestAtMostNanoseconds, $0.callsite, $0.callback) < (
          $0.longestAtMostNanoseconds, $1.callsite, $1.callback
        )
      },
      longest: longest.map { wait in
        let ownWay = ownWays[BlockingAnalysis.CallerKey(callsite: wait.callsite, function: wait.function)]
        let held = wait.lockedUntil - wait.previous
        return BlockingSummary.LockWaits.LockWait(
          source: Int(wait.source), callback: names.text(wait.function), callsite: names.text(wait.callsite),
          comm: comm(wait.pid), target: Int(wait.target), heldBy: names.text(wait.heldBy), heldOn: Int(wait.heldOn),
          previousNanoseconds: wait.previous, freedNanoseconds: wait.freed, queuedNanoseconds: wait.queued,
          atLeastNanoseconds: wait.isInner ? ownWay.map { held > $0 ? held - $0 : 0 } ?? 0 : 0,
          atMostNanoseconds: wait.atMost)
      })
  }
}
