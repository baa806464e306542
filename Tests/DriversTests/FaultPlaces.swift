import CallEngines
import CallHistories
import Drivers
import TestSupport
import TraceDecoding
import TraceTypes
import Verdicts

/// What an altered capture has to come to.
struct Fault: Sendable {
  var rule: Rule
  /// CPUs that the divergence has to name.
  var cpus: Set<UInt16>
  /// Events that it has to name.
  var events: [EventReference] = []
  /// Where its time has to lie.
  var times: ClosedRange<UInt64>
  /// Rules that the alteration breaks as well, by its nature.
  var consequences: Set<Rule> = []
  /// What was altered, for messages.
  var text: String
  var trace: CapturedTrace
}

/// A capture with an index of its events and the flushes that were seen in it: where things can be altered.
///
/// The conditions for a place are of three kinds. Those of the *fault* say what it is: the right rule is at stake. Those of
/// *proof* say that what remains still shows it, as the tracepoints allow: an absent event proves something only where
/// events were not lost, and an order only where the windows do not overlap. They are stated here in terms of the events
/// themselves, with the exception of which call belongs to which callback: that is taken from the unaltered capture.
struct FaultPlaces: Sendable {
  struct EventKey: Hashable {
    var cpu: UInt16
    var time: UInt64
    var kind: EventKind
    var csd: UInt64
  }

  struct CallKey: Hashable {
    var source: UInt16
    var target: UInt16
    var queued: UInt64
    var csd: UInt64
  }

  struct Pair: Hashable {
    var source: UInt16
    var target: UInt16
  }

  /// A judged member of a judged flush.
  struct Place {
    var flush: Int
    var member: Int
  }

  let trace: CapturedTrace
  let flushes: [SeenFlush]
  /// All calls, in the order of their first events.
  let made: [KeepingSink.Kept]
  let calls: [CallKey: QueuedCall]
  let kinds: [CallKey: (kind: CallKind, targets: Int)]
  /// Event → its place in the trace; −1 where two look alike.
  private let index: [EventKey: Int]
  /// The places of each CPU's events.
  let byCPU: [UInt16: [Int]]
  private let byCSD: [UInt64: [QueuedCall]]
  private let byTarget: [UInt16: [QueuedCall]]
  /// The calls from one CPU to another whose callbacks were seen, in the order of their queue events.
  private let messages: [Pair: [(queued: UInt64, started: UInt64, csd: UInt64)]]
  /// CPUs on which events are missing without a mark: a switch named another task than the one that went on.
  let forgetfulCPUs: Set<UInt16>
  /// When the idle task of a CPU was first seen to run, and when it first showed an event outside interrupts.
  private let idleRan: [UInt16: UInt64]
  private let idleShowed: [UInt16: UInt64]
  /// When hotplug steps were taken, by the CPU that they were about.
  private let hotplug: [UInt16: [UInt64]]
  /// Threads that stop a CPU, as far as they were switched to: what they run of a queue they may run unseen.
  let stoppers: Set<Int32>
  /// When the events of each type were seen first and last.
  private let seen: [EventKind: ClosedRange<UInt64>]
  /// Where a call of each context level may not be over: for every event, whether it is on a CPU that is in one behind it.
  let callsGoOn: [Bool]
  let crossCall: UInt64
  let anySingle: QueuedCall?

  init(_ trace: CapturedTrace) {
    self.trace = trace
    let replay = CaptureReplay(trace, keepsFlushes: true, sink: KeepingSink())
    flushes = replay.flushes
    made = replay.sink.calls
    anySingle = made.first { $0.call.kind == .single }?.targets.first
    var calls: [CallKey: QueuedCall] = [:]
    var kinds: [CallKey: (kind: CallKind, targets: Int)] = [:]
    var byCSD: [UInt64: [QueuedCall]] = [:]
    var byTarget: [UInt16: [QueuedCall]] = [:]
    var messages: [Pair: [(queued: UInt64, started: UInt64, csd: UInt64)]] = [:]
    for kept in replay.sink.calls {
      for target in kept.targets {
        let key = CallKey(source: target.source, target: target.target, queued: target.queued, csd: target.csd)
        calls[key] = target
        kinds[key] = (kept.call.kind, kept.targets.count)
        byCSD[target.csd, default: []].append(target)
        byTarget[target.target, default: []].append(target)
        guard !target.inferred, target.reason == nil, let started = target.started, started >= target.queued else {
          continue
        }
        messages[Pair(source: target.source, target: target.target), default: []]
          .append((target.queued, started, target.csd))
      }
    }
    self.messages = messages.mapValues { $0.sorted { $0.queued < $1.queued } }
    self.calls = calls
    self.kinds = kinds
    self.byCSD = byCSD
    self.byTarget = byTarget

    var index: [EventKey: Int] = [:]
    var byCPU: [UInt16: [Int]] = [:]
    var expectedPid: [UInt16: Int32] = [:]
    var forgetful: Set<UInt16> = []
    var hotplug: [UInt16: [UInt64]] = [:]
    var idleRan: [UInt16: UInt64] = [:]
    var idleShowed: [UInt16: UInt64] = [:]
    var watch = ContextWatch()
    var seenKinds: [EventKind: ClosedRange<UInt64>] = [:]
    var callsGoOn: [Bool] = []
    for (place, event) in trace.events.enumerated() {
      let key = EventKey(cpu: event.cpu, time: event.nanoseconds, kind: event.kind, csd: event.csd)
      index[key] = index[key] == nil ? place : -1
      byCPU[event.cpu, default: []].append(place)
      _ = watch.take(event)
      let first = seenKinds[event.kind]?.lowerBound ?? event.nanoseconds
      seenKinds[event.kind] = first...event.nanoseconds
      callsGoOn.append(watch.isCalling(event.cpu))
      if let expected = expectedPid[event.cpu], expected != event.pid { forgetful.insert(event.cpu) }
      expectedPid[event.cpu] = event.kind == .schedSwitch ? event.target : event.pid
      if event.pid == 0 {
        if idleRan[event.cpu] == nil { idleRan[event.cpu] = event.nanoseconds }
        if event.flags.level == .task, idleShowed[event.cpu] == nil { idleShowed[event.cpu] = event.nanoseconds }
      }
      if event.kind == .cpuhpEnter || event.kind == .cpuhpMultiEnter || event.kind == .cpuhpExit, event.target >= 0 {
        hotplug[UInt16(event.target), default: []].append(event.nanoseconds)
      }
    }
    self.index = index
    self.byCPU = byCPU
    self.callsGoOn = callsGoOn
    stoppers = watch.stoppers
    seen = seenKinds
    self.forgetfulCPUs = forgetful
    self.hotplug = hotplug
    self.idleRan = idleRan
    self.idleShowed = idleShowed
    crossCall = trace.symbols.addresses(ofSymbol: ScriptNames.crossCall).first ?? 0
  }

  // MARK: Finding

  /// Whether it had been seen by the beginning of a flush that the CPU's idle task, if it ran, shows what it does.
  func showsItsIdleTask(_ seen: SeenFlush) -> Bool {
    let cpu = seen.flush.cpu
    guard let ran = idleRan[cpu], ran <= seen.flush.notBefore else { return true }
    return idleShowed[cpu].map { $0 < seen.flush.notBefore } ?? false
  }

  /// Whether all callbacks of a flush in a handler belong to calls that were queued.
  func knowsAllCallbacks(_ seen: SeenFlush) -> Bool {
    var count = 0
    for place in byCPU[seen.flush.cpu] ?? [] where trace.events[place].nanoseconds >= seen.flush.notBefore {
      let event = trace.events[place]
      if event.kind == .callFunctionExit || event.kind == .callFunctionSingleExit { break }
      if event.kind == .csdFunctionEntry, event.csd != 0 { count += 1 }
    }
    return count == seen.members.count
  }

  func key(_ member: FlushMember, of flush: SeenFlush) -> CallKey {
    CallKey(source: member.source, target: flush.flush.cpu, queued: member.queued, csd: member.csd)
  }

  /// The members of all flushes in handlers that were judged in the unaltered capture.
  var judgedMembers: [Place] {
    var result: [Place] = []
    for (number, seen) in flushes.enumerated() where seen.flush.inHandler && seen.isExplained {
      let isJudged = (seen.members + seen.silent).allSatisfy {
        guard let call = calls[key($0, of: seen)] else { return false }
        return call.outcome == .ran && call.reason == nil
      }
      guard isJudged else { continue }
      for member in seen.members.indices { result.append(Place(flush: number, member: member)) }
    }
    return result
  }

  func event(_ cpu: UInt16, _ time: UInt64, _ kind: EventKind, csd: UInt64 = 0) -> Int? {
    guard let place = index[EventKey(cpu: cpu, time: time, kind: kind, csd: csd)], place >= 0 else { return nil }
    return place
  }

  /// Entry and exit of a member's callback.
  func callback(_ member: FlushMember, of flush: SeenFlush) -> (entry: Int, exit: Int)? {
    guard let entry = event(flush.flush.cpu, member.started, .csdFunctionEntry, csd: member.csd) else { return nil }
    let exit = trace.events[(entry + 1)...].firstIndex {
      $0.cpu == flush.flush.cpu && $0.kind == .csdFunctionExit && $0.csd == member.csd && $0.function == member.function
    }
    guard let exit else { return nil }
    return (entry, exit)
  }

  /// A CPU's events behind a place of the trace, in order.
  func events(of cpu: UInt16, after place: Int) -> ArraySlice<Int> {
    let all = byCPU[cpu] ?? []
    return all[Self.count(of: all, below: place + 1)...]
  }

  func events(of cpu: UInt16, before place: Int) -> ArraySlice<Int> {
    let all = byCPU[cpu] ?? []
    return all[..<Self.count(of: all, below: place)]
  }

  private static func count(of ascending: [Int], below limit: Int) -> Int {
    var (low, high) = (0, ascending.count)
    while low < high {
      let middle = (low + high) / 2
      if ascending[middle] < limit { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Other calls with the same csd.
  func others(_ member: FlushMember) -> [QueuedCall] {
    (byCSD[member.csd] ?? []).filter { $0.queued != member.queued || $0.source != member.source }
  }

  /// Calls queued for a CPU at or before one time whose callback, as far as one was seen, began at or after another.
  func pending(on target: UInt16, queuedBy latest: UInt64, startedFrom earliest: UInt64) -> [QueuedCall] {
    (byTarget[target] ?? []).filter { $0.queued <= latest && ($0.inferred ? .max : $0.started ?? .max) >= earliest }
  }

  // MARK: Proof

  /// Whether events of some types were seen both before a time and after another: what shows none was switched on in between.
  func areShown(_ kinds: [EventKind], from begin: UInt64, to end: UInt64) -> Bool {
    kinds.allSatisfy { kind in seen[kind].map { $0.lowerBound < begin && $0.upperBound > end } ?? false }
  }

  /// Whether a CPU took no hotplug steps around a stretch of time: within 20 ms of it.
  func isSteady(_ cpu: UInt16, _ from: UInt64, _ to: UInt64) -> Bool {
    let margin: UInt64 = 20_000_000
    return !(hotplug[cpu] ?? []).contains { $0 &+ margin >= from && $0 <= to &+ margin }
  }

  /// Whether nothing is missing of what the CPUs of a call did about it: an absent event proves nothing elsewhere.
  func isComplete(_ member: FlushMember, _ flush: SeenFlush) -> Bool {
    !forgetfulCPUs.contains(flush.flush.cpu) && !forgetfulCPUs.contains(member.source)
      && isSteady(flush.flush.cpu, member.queued, member.started)
      && isSteady(member.source, member.queued, member.started)
  }

  /// Whether a time on one CPU certainly comes before a time on another, whatever the clocks: because a call that the one made
  /// later came to the other earlier, or because the difference is larger than what their clocks may disagree by at that time.
  /// Calls that an alteration concerns do not count.
  func isBefore(
    _ first: UInt16, _ time: UInt64, _ second: UInt16, _ other: UInt64, without csds: Set<UInt64> = []
  ) -> Bool {
    guard time < other else { return false }
    if first == second || trace.clockIsShared { return true }
    let all = messages[Pair(source: first, target: second)] ?? []
    let behind = all.drop { $0.queued < time + Self.stretch }.filter { !csds.contains($0.csd) }
    if behind.contains(where: { $0.started < other }) { return true }
    // What they may disagree by is less than the shortest of the times that calls seemed to take, both earlier and later.
    let earlier = all.prefix { $0.queued + Self.stretch < time }.filter { !csds.contains($0.csd) }.suffix(Self.nearby)
    let later = behind.drop { $0.queued < other + Self.stretch }.prefix(Self.nearby)
    guard let before = earlier.map({ $0.started - $0.queued }).min(),
      let after = later.map({ $0.started - $0.queued }).min()
    else { return false }
    return other - time > max(before, after)
  }

  /// Calls so near in time, in nanoseconds, are taken together when clocks are compared, and so many such are looked at.
  private static let stretch: UInt64 = 1 << 18
  private static let nearby = 15
}
