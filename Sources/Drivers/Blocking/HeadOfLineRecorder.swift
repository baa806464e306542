import CallHistories
import TraceTypes
import Verdicts

/// Finds the callbacks that others of the same flush stood behind.
struct HeadOfLineRecorder {
  /// More than the late calls that are kept, because some of those here are never complete.
  static let keptDelays = 64
  /// Outside handlers, what looks like one flush may be two, and members have to be looked at in pairs.
  private static let mostPairs = 64

  private struct Callback {
    var runs: UInt64 = 0
    var delayed: UInt64 = 0
    var delay: UInt64 = 0
    var longest: UInt64 = 0
    var target: UInt16 = 0
    var started: UInt64 = 0
  }

  /// One call that others stood before, by its target and begin, which no two calls share.
  private struct Delay {
    var target: UInt16
    var started: UInt64
    var total: UInt64
    var function: UInt64
    var length: UInt64
    /// All that ran ahead of it.
    var ahead: UInt64
  }

  private var table = InternTable(limit: 4_096)
  private var callbacks: ContiguousArray<Callback> = []
  /// The calls with the longest delays, longest first.
  private var delays: [Delay] = []

  /// Takes a flush of at least two callbacks, in the order in which they ran.
  mutating func add(_ flush: CompletedFlush, members: ContiguousArray<FlushMember>) {
    for index in members.indices.dropLast() {
      let run = Self.length(of: index, members)
      guard run > 0 else { continue }
      let behind =
        flush.inHandler ? members.count - 1 - index : Self.count(behind: index, members)
      guard behind > 0, let place = table.number(members[index].function, 0) else { continue }
      if place == callbacks.count { callbacks.append(Callback()) }
      callbacks[place].runs += 1
      callbacks[place].delayed += UInt64(behind)
      callbacks[place].delay = callbacks[place].delay.addingProduct(run, UInt64(behind))
      if run > callbacks[place].longest {
        callbacks[place].longest = run
        callbacks[place].target = flush.cpu
        callbacks[place].started = members[index].started
      }
    }
    for index in members.indices.dropFirst() { keepIfLate(index, members, target: flush.cpu) }
  }

  /// How long a member kept the next from running.
  private static func length(of index: Int, _ members: ContiguousArray<FlushMember>) -> UInt64 {
    let end = min(members[index].ended, members[index + 1].started)
    return end > members[index].started ? end - members[index].started : 0
  }

  /// Members behind that were certainly queued when a member began.
  private static func count(behind index: Int, _ members: ContiguousArray<FlushMember>) -> Int {
    members[(index + 1)...].prefix(mostPairs).count { $0.addedBy <= members[index].started }
  }

  private mutating func keepIfLate(_ index: Int, _ members: ContiguousArray<FlushMember>, target: UInt16) {
    let member = members[index]
    guard member.started > member.queued else { return }
    let total = member.started - member.queued
    if delays.count == Self.keptDelays, let least = delays.last, total <= least.total { return }
    var longest: (function: UInt64, length: UInt64) = (0, 0)
    var all: UInt64 = 0
    for ahead in 0..<index where members[ahead].started >= member.queued {
      let length = Self.length(of: ahead, members)
      all &+= length
      if length > longest.length { longest = (members[ahead].function, length) }
    }
    guard longest.length > 0 else { return }
    delays.insert(
      Delay(
        target: target, started: member.started, total: total, function: longest.function, length: longest.length,
        ahead: all),
      at: delays.firstIndex { $0.total < total } ?? delays.count)
    if delays.count > Self.keptDelays { delays.removeLast() }
  }

  // MARK: Giving

  /// The longest callback ahead of a call that began on a CPU at a time.
  func behind(target: Int, started: UInt64, names: any AddressNaming) -> BlockingSummary.Behind? {
    guard let delay = delays.first(where: { Int($0.target) == target && $0.started == started }) else { return nil }
    return BlockingSummary.Behind(
      callback: names.text(delay.function), delayNanoseconds: delay.length, allNanoseconds: delay.ahead)
  }

  func summary(names: any AddressNaming) -> [BlockingSummary.HeadOfLine] {
    zip(table.keys, callbacks).map { key, callback in
      BlockingSummary.HeadOfLine(
        callback: names.text(key.0), runs: callback.runs, delayedCalls: callback.delayed,
        delayNanoseconds: callback.delay, longestNanoseconds: callback.longest, longestTarget: Int(callback.target),
        longestStartedNanoseconds: callback.started)
    }.sorted { ($1.delayNanoseconds, $0.callback) < ($0.delayNanoseconds, $1.callback) }
  }
}

extension UInt64 {
  /// The sum with a product, or the largest value where it would be larger.
  fileprivate func addingProduct(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedReportingOverflow(by: right)
    let sum = addingReportingOverflow(product.partialValue)
    return product.overflow || sum.overflow ? .max : sum.partialValue
  }
}
