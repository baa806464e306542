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
  /// Where its time has to lie.
  var times: ClosedRange<UInt64>
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

  /// A judged member of a judged flush.
  struct Place {
    var flush: Int
    var member: Int
  }

  let trace: CapturedTrace
  let flushes: [SeenFlush]
  let calls: [CallKey: QueuedCall]
  let kinds: [CallKey: (kind: CallKind, targets: Int)]
  /// Event → its place in the trace; −1 where two look alike.
  private let index: [EventKey: Int]
  /// The places of each CPU's events.
  private let byCPU: [UInt16: [Int]]
  private let byCSD: [UInt64: [QueuedCall]]
  private let byTarget: [UInt16: [QueuedCall]]
  /// CPUs on which events are missing without a mark: a switch named another task than the one that went on.
  let forgetfulCPUs: Set<UInt16>
  /// When the idle task of a CPU was first seen to run, and when it first showed an event outside interrupts.
  private let idleRan: [UInt16: UInt64]
  private let idleShowed: [UInt16: UInt64]
  /// When hotplug steps were taken, by the CPU that they were about.
  private let hotplug: [UInt16: [UInt64]]
  let crossCall: UInt64

  init(_ trace: CapturedTrace) {
    self.trace = trace
    let replay = CaptureReplay(trace, keepsFlushes: true, sink: KeepingSink())
    flushes = replay.flushes
    var calls: [CallKey: QueuedCall] = [:]
    var kinds: [CallKey: (kind: CallKind, targets: Int)] = [:]
    var byCSD: [UInt64: [QueuedCall]] = [:]
    var byTarget: [UInt16: [QueuedCall]] = [:]
    for kept in replay.sink.calls {
      for target in kept.targets {
        let key = CallKey(source: target.source, target: target.target, queued: target.queued, csd: target.csd)
        calls[key] = target
        kinds[key] = (kept.call.kind, kept.targets.count)
        byCSD[target.csd, default: []].append(target)
        byTarget[target.target, default: []].append(target)
      }
    }
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
    for (place, event) in trace.events.enumerated() {
      let key = EventKey(cpu: event.cpu, time: event.nanoseconds, kind: event.kind, csd: event.csd)
      index[key] = index[key] == nil ? place : -1
      byCPU[event.cpu, default: []].append(place)
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
    return all[(all.firstIndex { $0 > place } ?? all.count)...]
  }

  func events(of cpu: UInt16, before place: Int) -> ArraySlice<Int> {
    let all = byCPU[cpu] ?? []
    return all[..<(all.firstIndex { $0 >= place } ?? all.count)]
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
}
