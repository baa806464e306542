public import TraceTypes
public import Verdicts

/// Reads what the target of a late call did meanwhile, in a second, short look at the trace.
///
/// The flags of the target's own events tell in which context it ran between the kick and the handler. They say so of a moment,
/// not of the time between two events: a kick that was traced may be sent much later (its CPU may be taken away in between, as
/// that of a virtual machine often is), and until then nothing tells whether interrupts were on. So interrupts are taken to have
/// been off only
///
/// - while a callback was in progress, because a handler runs with interrupts off throughout;
/// - from the first to the last of at least five events of one task, all with interrupts off and without a gap that is longer
///   than a quarter of the whole. An interrupt that was taken ends that, and so does an event with interrupts on.
///
/// A target without any event in that time may have had interrupts off as well, or slept deeply, or not have run at all: then
/// the cause stays what it was.
public struct TargetWatch: TraceEventConsumer {
  /// How long before the first kick reading begins, to know what the target was at.
  public static let leadNanoseconds: UInt64 = 100_000

  enum Subject: Sendable {
    case lateCall(Int)
    case kernelReport(Int)
  }

  struct Window: Sendable {
    var subject: Subject
    var from: UInt64
    var through: UInt64
    var seen = SeenTarget()
  }

  /// The CPU whose events are to be fed; those of others are passed over.
  public let cpu: Int
  /// The first and the last time of interest.
  public private(set) var from: UInt64
  public private(set) var through: UInt64
  private(set) var windows: [Window]

  /// What has to be read to explain the late calls and the calls that a kernel log speaks of. Stretches of one CPU that overlap
  /// are one.
  /// - Parameter end: the end of the trace, for calls that never ran.
  public static func plan(for summary: BlockingSummary, end: UInt64) -> [TargetWatch] {
    var windows: [Int: [Window]] = [:]
    for (index, call) in summary.latestCalls.enumerated() where call.cause == .targetLate || call.cause == .unknown {
      guard let handler = call.handlerNanoseconds else { continue }
      let from = call.kickNanoseconds ?? call.queuedNanoseconds
      if from < handler {
        windows[call.target, default: []].append(Window(subject: .lateCall(index), from: from, through: handler))
      }
    }
    for (index, report) in (summary.kernelReports ?? []).enumerated() {
      guard let call = report.call, let target = report.targetCPU else { continue }
      let from = call.kickNanoseconds ?? call.queuedNanoseconds
      let through = call.handlerNanoseconds ?? call.startedNanoseconds ?? end
      if from < through {
        windows[target, default: []].append(Window(subject: .kernelReport(index), from: from, through: through))
      }
    }
    return windows.sorted { $0.key < $1.key }.flatMap { cpu, windows in
      var watches: [TargetWatch] = []
      for window in windows.sorted(by: { ($0.from, $0.through) < ($1.from, $1.through) }) {
        let from = window.from - min(window.from, leadNanoseconds)
        if let last = watches.last, from <= last.through {
          watches[watches.count - 1].windows.append(window)
          watches[watches.count - 1].through = max(last.through, window.through)
        } else {
          watches.append(TargetWatch(cpu: cpu, from: from, through: window.through, windows: [window]))
        }
      }
      return watches
    }
  }

  private init(cpu: Int, from: UInt64, through: UInt64, windows: [Window]) {
    self.cpu = cpu
    self.from = from
    self.through = through
    self.windows = windows
  }

  // MARK: Events

  public mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    for index in events.indices where Int(events[index].cpu) == cpu {
      let event = events[index]
      for window in windows.indices where event.nanoseconds < windows[window].through {
        windows[window].seen.take(event, from: windows[window].from)
      }
    }
  }

  public mutating func gapBegan(_ gap: TraceGap) {
    guard Int(gap.cpu) == cpu else { return }
    for window in windows.indices where (gap.afterNanoseconds ?? 0) < windows[window].through {
      windows[window].seen.lose()
    }
  }

  // MARK: Giving

  /// Enters what was seen.
  public func enter(into summary: inout BlockingSummary, names: any AddressNaming, comm: (Int32) -> String?) {
    for window in windows {
      let evidence = window.seen.evidence(from: window.from, names: names, comm: comm)
      switch window.subject {
      case .lateCall(let index):
        guard summary.latestCalls.indices.contains(index) else { continue }
        summary.latestCalls[index].evidence = evidence
        let call = summary.latestCalls[index]
        let delay = call.startedNanoseconds - min(call.startedNanoseconds, call.queuedNanoseconds)
        summary.latestCalls[index].cause = Self.cause(call.cause, delay: delay, evidence: evidence)
      case .kernelReport(let index):
        guard var call = summary.kernelReports?[index].call else { continue }
        call.evidence = evidence
        let started = call.startedNanoseconds ?? window.through
        call.cause = Self.cause(call.cause, delay: started - min(started, call.queuedNanoseconds), evidence: evidence)
        summary.kernelReports?[index].call = call
      }
    }
  }

  /// What took more than half of the delay.
  private static func cause(
    _ cause: BlockingSummary.Cause, delay: UInt64, evidence: BlockingSummary.TargetEvidence
  ) -> BlockingSummary.Cause {
    switch cause {
    case .callbackAhead, .inHandler, .kickDelayed, .interruptsOff, .idleExit: cause
    case .targetLate, .unknown:
      if let off = evidence.interruptsOffNanoseconds, off > delay / 2 {
        .interruptsOff
      } else if let idle = evidence.idleNanoseconds, idle > delay / 2 {
        .idleExit
      } else {
        cause
      }
    }
  }
}

/// What the events of one target show of a stretch of time.
struct SeenTarget: Sendable {
  private var events: UInt64 = 0
  private var pid: Int32?
  private var hasManyTasks = false
  /// The target was in an idle state, as its last `cpu_idle` event says.
  private var isIdle: Bool?
  private var idleUntil: UInt64?
  /// It went idle only after the kick.
  private var wentIdle = false
  /// The latest events of one task with interrupts off.
  private var run: Run?
  private var longestOff: UInt64 = 0
  /// Events were lost: what ended since may have begun at any time.
  private var isBroken = false
  /// Callbacks that have not returned, and how many of them were entered within the stretch.
  private var depth = 0
  private var innerDepth = 0
  /// When the outermost of them was entered.
  private var entered: UInt64?
  /// A callback that had begun before the stretch, and when it was over.
  private var outer: (function: UInt64, until: UInt64)?

  /// Events in a row, all with interrupts off.
  private struct Run {
    var pid: Int32
    var first: UInt64
    var last: UInt64
    var count = 1
    var longestGap: UInt64 = 0

    mutating func add(_ time: UInt64) {
      longestGap = max(longestGap, time - min(time, last))
      last = max(last, time)
      count += 1
    }

    /// How long the events show interrupts off, if they are close enough.
    var length: UInt64? { count >= 5 && longestGap <= (last - first) / 4 ? last - first : nil }
  }

  mutating func take(_ event: TraceEvent, from: UInt64) {
    let level = event.flags.level
    if level == .nonMaskable { return }
    let isWithin = event.nanoseconds > from
    if isWithin {
      events += 1
      if let pid, pid != event.pid { hasManyTasks = true }
      pid = event.pid
    }
    takeIdle(event, isWithin: isWithin)
    if isWithin { takeInterrupts(event, level: level) }
    takeCallback(event, from: from, isWithin: isWithin)
  }

  /// A callback that returns within the stretch, and was not entered there, had begun before.
  private mutating func takeCallback(_ event: TraceEvent, from: UInt64, isWithin: Bool) {
    switch event.kind {
    case .csdFunctionEntry:
      if depth == 0 { entered = event.nanoseconds }
      depth += 1
      if isWithin { innerDepth += 1 }
    case .csdFunctionExit:
      depth = max(0, depth - 1)
      if isWithin {
        if innerDepth > 0 {
          innerDepth -= 1
        } else if !isBroken || entered != nil {
          outer = (event.function, event.nanoseconds)
        }
      }
      guard isWithin, depth == 0, event.flags.contains(.interruptsOff), !isBroken || entered != nil else { return }
      let began = max(from, entered ?? from)
      longestOff = max(longestOff, event.nanoseconds - min(event.nanoseconds, began))
      entered = nil
    default: break
    }
  }

  private mutating func takeIdle(_ event: TraceEvent, isWithin: Bool) {
    guard event.kind == .cpuIdle else { return }
    if event.detail >= 0 {
      if isWithin { wentIdle = true }
      isIdle = true
    } else {
      if isWithin, idleUntil == nil, !wentIdle, isIdle ?? !isBroken { idleUntil = event.nanoseconds }
      isIdle = false
    }
  }

  private mutating func takeInterrupts(_ event: TraceEvent, level: ContextLevel) {
    // What a CPU does in its idle task is no evidence: it sleeps with interrupts off, and wakes on them. And events inside
    // interrupts always have them off.
    guard event.flags.contains(.interruptsOff), level < .hard, event.pid != 0 else {
      run = nil
      return
    }
    if run?.pid == event.pid {
      run?.add(event.nanoseconds)
      longestOff = max(longestOff, run?.length ?? 0)
    } else {
      run = Run(pid: event.pid, first: event.nanoseconds, last: event.nanoseconds)
    }
  }

  /// Events were lost: nothing before is known to go on.
  mutating func lose() {
    isBroken = true
    run = nil
    isIdle = nil
    depth = 0
    innerDepth = 0
    entered = nil
  }

  func evidence(
    from: UInt64, names: any AddressNaming, comm: (Int32) -> String?
  ) -> BlockingSummary.TargetEvidence {
    let task = hasManyTasks ? nil : pid
    return BlockingSummary.TargetEvidence(
      events: events,
      interruptsOffNanoseconds: longestOff.nilIfZero,
      idleNanoseconds: idleUntil.map { $0 - from }, pid: task.map(Int.init), comm: task.flatMap(comm),
      callback: outer.map { names.text($0.function) })
  }
}

extension UInt64 {
  fileprivate var nilIfZero: UInt64? { self == 0 ? nil : self }
}
