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

/// What a builder keeps of a CPU's last event.
struct LatestEvent {
  var nanoseconds = QueuedCall.never
  var kind = EventKind.other
  var flags: ContextFlags = []
  /// Events were lost behind it.
  var isCut = false

  init() {}

  init(_ event: TraceEvent) {
    nanoseconds = event.nanoseconds
    kind = event.kind
    flags = event.flags
  }
}

extension LatestEvent {
  /// When the code that runs at a level, or what it had interrupted, made this event; 0 where it was made by what interrupted
  /// that code, and where events may be missing.
  @inline(__always)
  func time(through level: ContextLevel) -> UInt64 {
    isCut || nanoseconds == QueuedCall.never || flags.level > level ? 0 : nanoseconds
  }
}

extension HistoryBuilder {
  /// What every CPU was last seen doing.
  /// - Complexity: O(number of CPUs).
  func lastStates() -> [CPULastState] {
    (0..<cpus.count).map { cpu in
      let latest = cpus[cpu].latest
      let frame = cpus[cpu].frameCount > 0 ? innerFrames[cpu] : nil
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
    let started = calls[frame.localCall].shown.localStartedAt
    return started == QueuedCall.never ? nil : started
  }
}
