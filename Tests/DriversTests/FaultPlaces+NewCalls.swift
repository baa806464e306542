import CallHistories
import TestSupport
import TraceTypes

/// Calls that nobody made, for faults that need one.
extension FaultPlaces {
  /// A moment at which a CPU's task can make a call that it did not make.
  struct Spot {
    var cpu: UInt16
    /// The place in the trace to insert events at.
    var place: Int
    var time: UInt64
    var pid: Int32
    /// When the CPU's next event in the same context comes.
    var over: UInt64
  }

  /// The spots on a CPU in a stretch of the trace: its task has just been switched to, or is gone back to from a handler, and
  /// is not within a call; and what it does next is not about one.
  func spots(on cpu: UInt16, in places: Range<Int>) -> [Spot] {
    guard !forgetfulCPUs.contains(cpu) else { return [] }
    return events(of: cpu, before: places.upperBound).suffix(while: { $0 >= places.lowerBound }).compactMap { place in
      let event = trace.events[place]
      let pid: Int32
      switch event.kind {
      case .schedSwitch: pid = event.target
      case .callFunctionExit, .callFunctionSingleExit, .rescheduleExit, .irqWorkExit:
        guard !event.flags.contains(.softInterrupt),
          let last = events(of: cpu, before: place).last(where: { trace.events[$0].flags.level == .task }),
          trace.events[last].kind == .schedSwitch
        else { return nil }
        pid = event.pid
      default: return nil
      }
      guard pid > 0, !stoppers.contains(pid), !callsGoOn[place],
        let next = events(of: cpu, after: place).first(where: { trace.events[$0].flags.level == .task })
      else { return nil }
      switch trace.events[next].kind {
      case .schedSwitch, .csdQueueCPU:
        return Spot(
          cpu: cpu, place: place + 1, time: event.nanoseconds, pid: pid, over: trace.events[next].nanoseconds)
      default: return nil
      }
    }
  }

  /// The events of a single call that nobody made, to be inserted at a spot: the queue event, and the kick if it has one.
  func singleCall(at spot: Spot, target: UInt16, isKicked: Bool) -> [TraceEvent]? {
    guard let known = anySingle else { return nil }
    var event = TraceEvent(
      nanoseconds: spot.time, cpu: spot.cpu, kind: .csdQueueCPU, pid: spot.pid, csd: Self.newCSD,
      function: known.function, callsite: known.callsite, target: Int32(target))
    let queued = event
    event.kind = .ipiSendCPU
    event.csd = 0
    event.function = crossCall
    return isKicked ? [queued, event] : [queued]
  }

  /// The callback of a call that nobody made, where and when another event is.
  func callback(of queued: TraceEvent, at other: TraceEvent) -> [TraceEvent] {
    var entry = other
    entry.kind = .csdFunctionEntry
    (entry.csd, entry.function) = (queued.csd, queued.function)
    (entry.callsite, entry.target, entry.detail) = (0, 0, 0)
    var exit = entry
    exit.kind = .csdFunctionExit
    return [entry, exit]
  }

  /// The csd of calls that nobody made: an address that no capture has.
  static var newCSD: UInt64 { 0xffff_9999_9999_9990 }

  /// Whether a task that runs on a CPU is neither the idle task nor the one that stops the CPU.
  func isOrdinary(_ event: TraceEvent) -> Bool { event.pid > 0 && !stoppers.contains(event.pid) }
}

extension EventReference {
  init(_ event: TraceEvent) { self.init(cpu: event.cpu, nanoseconds: event.nanoseconds, kind: event.kind) }
}

extension CapturedTrace {
  /// Inserts events before those at some places.
  mutating func insert(_ additions: [(place: Int, events: [TraceEvent])]) {
    for addition in additions.sorted(by: { $0.place > $1.place }) {
      events.insert(contentsOf: addition.events, at: addition.place)
    }
  }
}

extension ArraySlice where Element == Int {
  /// The longest end of which all fulfil a condition.
  func suffix(while matches: (Int) -> Bool) -> ArraySlice<Int> {
    self[(lastIndex { !matches($0) }.map { $0 + 1 } ?? startIndex)...]
  }
}
