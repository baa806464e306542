internal import BasicContainers
import CallHistories
import TraceTypes

/// Complete calls, and what else a replay counts, in the order in which they came: to be counted later, or elsewhere.
public struct CallLog: ~Copyable {
  /// What each entry is; what it has with it stands in the array of its kind. That is a call's number of targets, 0 or more, or
  /// one of these.
  private enum Other {
    static let handler: Int32 = -1
    static let unqueued: Int32 = -2
    static let unqueuedEnd: Int32 = -3
    static let activity: Int32 = -4
    static let gap: Int32 = -5
  }

  private var entries = UniqueArray<Int32>()
  private var calls = UniqueArray<CompletedCall>()
  private var targets = UniqueArray<QueuedCall>()
  private var handlers = UniqueArray<LoggedHandler>()
  private var callbacks = UniqueArray<LoggedCallback>()
  private var activities = UniqueArray<CPUActivity>()
  private var gaps = UniqueArray<TraceGap>()

  public init() {}

  public var isEmpty: Bool { entries.count == 0 }

  mutating func append(_ call: CompletedCall, targets new: Span<QueuedCall>) {
    entries.append(Int32(truncatingIfNeeded: new.count))
    calls.append(call)
    targets.append(copying: new)
  }

  mutating func appendHandler(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {
    entries.append(Other.handler)
    handlers.append(LoggedHandler(kind: kind, cpu: cpu, start: start, end: end))
  }

  mutating func appendUnqueued(_ event: TraceEvent) {
    entries.append(Other.unqueued)
    callbacks.append(LoggedCallback(event: event, started: 0))
  }

  mutating func appendUnqueuedEnd(_ event: TraceEvent, started: UInt64) {
    entries.append(Other.unqueuedEnd)
    callbacks.append(LoggedCallback(event: event, started: started))
  }

  mutating func append(_ piece: CPUActivity) {
    entries.append(Other.activity)
    activities.append(piece)
  }

  mutating func append(_ gap: TraceGap) {
    entries.append(Other.gap)
    gaps.append(gap)
  }

  /// Tells everything, and is empty then.
  mutating func tell(_ analysis: ReplayAnalysis<some CompletedCallSink>) {
    var call = 0
    var target = 0
    var handler = 0
    var callback = 0
    var activity = 0
    var gap = 0
    for index in 0..<entries.count {
      switch entries[index] {
      case Other.handler:
        let done = handlers[handler]
        analysis.countHandler(done.kind, cpu: done.cpu, start: done.start, end: done.end)
        handler += 1
      case Other.unqueued:
        analysis.countUnqueued(callbacks[callback].event)
        callback += 1
      case Other.unqueuedEnd:
        analysis.countUnqueuedEnd(callbacks[callback].event, started: callbacks[callback].started)
        callback += 1
      case Other.activity:
        analysis.sink.activitySeen(activities[activity])
        activity += 1
      case Other.gap:
        analysis.sink.eventsLost(gaps[gap])
        gap += 1
      case let count:
        let end = target + Int(count)
        analysis.count(calls[call], targets: targets.span.extracting(target..<end))
        target = end
        call += 1
      }
    }
    entries.removeAll(keepingCapacity: true)
    calls.removeAll(keepingCapacity: true)
    targets.removeAll(keepingCapacity: true)
    handlers.removeAll(keepingCapacity: true)
    callbacks.removeAll(keepingCapacity: true)
    activities.removeAll(keepingCapacity: true)
    gaps.removeAll(keepingCapacity: true)
  }
}

/// A handler that was seen from its begin to its end.
struct LoggedHandler: Sendable {
  var kind: HandlerKind
  var cpu: UInt16
  var start: UInt64
  var end: UInt64
}

/// A callback that nothing in the trace queued: its begin, or, with the time of its begin, its end.
struct LoggedCallback: Sendable {
  var event: TraceEvent
  var started: UInt64
}
