internal import BasicContainers
public import TraceTypes

/// What a CPU was last seen doing when the trace ended.
public struct CPULastState: Sendable {
  public enum Hotplug: UInt8, Sendable {
    case none
    case goingOffline
    case offline
    case comingOnline
  }

  public var cpu: UInt16
  /// Its last event; nil where the trace has none.
  public var lastEvent: EventReference?
  /// The flags of that event.
  public var flags: ContextFlags
  /// The task that ran behind it, or nil.
  public var pid: Int32?
  /// When the handler of cross calls was entered that is still open.
  public var handlerStarted: UInt64?
  /// The innermost callback in progress.
  public var function: UInt64?
  /// When that began; nil where it is not known.
  public var functionStarted: UInt64?
  public var hotplug: Hotplug
}

/// The latest events of one CPU, by the level at which it ran; 0 where none is known.
struct LevelTimes {
  private var times: InlineArray<4, UInt64> = .init(repeating: 0)

  @inline(__always)
  mutating func note(_ level: ContextLevel, at time: UInt64) { times[Int(level.rawValue)] = time }

  /// The latest event at a level or below it, which is the latest that the code at this level, or what it interrupted, made.
  /// - Returns: 0 where none is known.
  @inline(__always)
  func latest(through level: ContextLevel) -> UInt64 {
    var latest = times[0]
    if level != .task { for index in 1...Int(level.rawValue) { latest = max(latest, times[index]) } }
    return latest
  }
}

/// What a builder keeps of a CPU's last event.
struct LatestEvent {
  var nanoseconds = QueuedCall.never
  var kind = EventKind.other
  var flags: ContextFlags = []

  init() {}

  init(_ event: TraceEvent) {
    nanoseconds = event.nanoseconds
    kind = event.kind
    flags = event.flags
  }
}

extension HistoryBuilder {
  /// What every CPU was last seen doing.
  /// - Complexity: O(number of CPUs).
  func lastStates() -> [CPULastState] {
    (0..<cpus.count).map { cpu in
      let latest = cpus[cpu].latest
      let frame = cpus[cpu].frames.last
      let hotplug: CPULastState.Hotplug =
        switch cpus[cpu].hotplug {
        case .none: .none
        case .dying: .goingOffline
        case .offline: .offline
        case .rising: .comingOnline
        }
      return CPULastState(
        cpu: UInt16(cpu),
        lastEvent: latest.nanoseconds == QueuedCall.never
          ? nil : EventReference(cpu: UInt16(cpu), nanoseconds: latest.nanoseconds, kind: latest.kind),
        flags: latest.flags, pid: cpus[cpu].currentPid < 0 ? nil : cpus[cpu].currentPid,
        handlerStarted: cpus[cpu].handlerStart == QueuedCall.never ? nil : cpus[cpu].handlerStart,
        function: frame?.function, functionStarted: frame.flatMap { started($0) }, hotplug: hotplug)
    }
  }

  private func started(_ frame: CPUState.Frame) -> UInt64? {
    if frame.node >= 0 { return nodes[Int(frame.node)].started }
    guard frame.localCall != .max, calls.contains(frame.localCall) else { return nil }
    let started = calls[frame.localCall].localStarted
    return started == QueuedCall.never ? nil : started
  }
}
