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
/// Between two targets of one call the caller has nothing else to do, so there it waited. Before the first target of a call, a
/// caller that came only then looks the same, above all one that watches for its callback in another way: the lab has such, and
/// most of its long single ones had not waited here. So these are kept apart, as possible.
///
/// A wait is given as a range. It is no longer than from the caller's last event to the unlock. How long the caller's own way took
/// before it came to the lock, no event says; between two targets of one call it is taken to have been no longer than the longest
/// such way of this caller on which the csd was free from the beginning. Elsewhere the lower end is 0.
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
    var caller: Int?

    var atMost: UInt64 { freed - previous }
  }

  private struct Caller {
    /// The longest way between two targets on which the csd was free; nil where none was seen.
    var ownWay: UInt64?
    var count: UInt64 = 0
    var atMost: UInt64 = 0
    var longestAtMost: UInt64 = 0
    /// From the caller's event before to the last moment with the lock held.
    var heldSum: UInt64 = 0
    var heldLongest: UInt64 = 0

    /// No sum of the single waits' lower ends is larger than what each of them loses by the own way.
    var atLeast: UInt64 {
      guard let ownWay else { return 0 }
      let lost = count.multipliedReportingOverflow(by: ownWay)
      let sum = lost.overflow ? 0 : heldSum - min(heldSum, lost.partialValue)
      return max(sum, heldLongest - min(heldLongest, ownWay))
    }
  }

  /// By a hash of the csd; a newer one takes the place of an older one.
  private var cache = ContiguousArray(repeating: Use(), count: cacheSize)
  /// By the caller's number.
  private var callers: ContiguousArray<Caller> = []
  private var certain = List()
  private var possible = List()

  private struct List {
    var count: UInt64 = 0
    var longest: [Wait] = []

    mutating func add(_ wait: Wait) {
      count += 1
      if longest.count == LockWaitRecorder.keptWaits, let least = longest.last, wait.atMost <= least.atMost { return }
      longest.insert(wait, at: longest.firstIndex { $0.atMost < wait.atMost } ?? longest.count)
      if longest.count > LockWaitRecorder.keptWaits { longest.removeLast() }
    }
  }

  /// Takes a call with at least one target, of a kind that locks its csd.
  /// - Parameter caller: the caller's number, or nil.
  mutating func add(_ call: CompletedCall, targets: Span<QueuedCall>, caller: Int?) {
    let isAsync = call.waits == false
    if !isAsync, targets.count == 1 {
      // By far the most calls are such. They may have stood at an earlier call's csd; what comes after them is of no interest.
      let place = Self.place(targets[0].csd)
      guard cache[place].csd == targets[0].csd else { return }
      compare(cache[place], call, targets: targets, index: 0, previous: call.previousEvent, caller: caller)
      cache[place].isAsync = false
      cache[place].freeFrom = .max
      return
    }
    var previous = call.previousEvent
    for index in targets.indices {
      let queued = targets[index].queued
      let csd = targets[index].csd
      let place = Self.place(csd)
      let use = cache[place]
      if use.csd == csd {
        compare(use, call, targets: targets, index: index, previous: previous, caller: caller)
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

  @inline(__always)
  private static func place(_ csd: UInt64) -> Int { Int(truncatingIfNeeded: (csd &* 0x9E37_79B9_7F4A_7C15) &>> 51) }

  /// Holds a queue event against the csd's use before.
  private mutating func compare(
    _ use: Use, _ call: CompletedCall, targets: Span<QueuedCall>, index: Int, previous: UInt64?, caller: Int?
  ) {
    let queued = targets[index].queued
    guard let previous, previous < queued else { return }
    if use.freeFrom <= previous {
      guard index > 0, let caller else { return }
      while callers.count <= caller { callers.append(Caller()) }
      callers[caller].ownWay = max(callers[caller].ownWay ?? 0, queued - previous)
      return
    }
    guard use.isAsync, !use.isOwned, use.source == call.source, use.lockedUntil > previous, use.lockedUntil <= queued,
      use.freeFrom != .max
    else { return }
    let freed = min(use.freeFrom, queued)
    guard queued - freed <= (queued - previous) / 8 else { return }
    take(
      Wait(
        source: call.source, target: targets[index].target, pid: call.pid, callsite: call.callsite,
        function: call.function, heldBy: use.function, heldOn: use.target, previous: previous,
        lockedUntil: use.lockedUntil, freed: freed, queued: queued, isInner: index > 0, caller: caller))
  }

  private mutating func take(_ wait: Wait) {
    guard wait.isInner else {
      possible.add(wait)
      return
    }
    certain.add(wait)
    guard let caller = wait.caller else { return }
    while callers.count <= caller { callers.append(Caller()) }
    let held = wait.lockedUntil - wait.previous
    callers[caller].count += 1
    callers[caller].atMost &+= wait.atMost
    callers[caller].longestAtMost = max(callers[caller].longestAtMost, wait.atMost)
    callers[caller].heldSum &+= held
    callers[caller].heldLongest = max(callers[caller].heldLongest, held)
  }

  // MARK: Giving

  /// - Parameter callers: call site and function of every caller, by its number.
  func summary(
    callers keys: ContiguousArray<(UInt64, UInt64)>, names: any AddressNaming, comm: (Int32) -> String?
  ) -> BlockingSummary.LockWaits {
    let named = zip(keys, callers).compactMap { key, caller in
      caller.count == 0
        ? nil
        : BlockingSummary.LockWaits.Caller(
          callsite: names.text(key.0), callback: names.text(key.1), count: caller.count,
          atLeastNanoseconds: caller.atLeast, atMostNanoseconds: caller.atMost,
          longestAtMostNanoseconds: caller.longestAtMost)
    }
    func waits(_ list: List) -> [BlockingSummary.LockWaits.LockWait] {
      list.longest.map { wait in
        let ownWay = wait.isInner ? wait.caller.flatMap { callers[$0].ownWay } : nil
        let held = wait.lockedUntil - wait.previous
        return BlockingSummary.LockWaits.LockWait(
          source: Int(wait.source), callback: names.text(wait.function), callsite: names.text(wait.callsite),
          comm: comm(wait.pid), target: Int(wait.target), heldBy: names.text(wait.heldBy), heldOn: Int(wait.heldOn),
          previousNanoseconds: wait.previous, freedNanoseconds: wait.freed, queuedNanoseconds: wait.queued,
          atLeastNanoseconds: ownWay.map { held - min(held, $0) } ?? 0, atMostNanoseconds: wait.atMost)
      }
    }
    return BlockingSummary.LockWaits(
      count: certain.count,
      callers: named.sorted {
        ($1.longestAtMostNanoseconds, $0.callsite, $0.callback) < (
          $0.longestAtMostNanoseconds, $1.callsite, $1.callback
        )
      }, longest: waits(certain), possibleCount: possible.count, possible: waits(possible))
  }
}
