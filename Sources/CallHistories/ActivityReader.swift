public import TraceTypes

/// Puts the events of each CPU together to what it did, for drawing. See ``CPUActivity``.
///
/// What begins waits until it is known whether its end was seen, and what is inside of it waits with it. So nothing that is
/// told has to be taken back, and no end is made up. How much waits is bounded.
/// - Complexity: O(1) an event.
public struct ActivityReader {
  /// How much may wait, of all CPUs together; and how deep it may be nested.
  static let mostWaiting = 1 << 16
  static let deepest = 64
  /// What a CPU has more room for than this, it does not keep.
  private static let keptRoom = 1 << 10

  private struct CPU {
    var waiting: [CPUActivity] = []
    var open: [Open] = []
  }

  /// What has begun and not ended.
  private struct Open {
    var place: Int
    var flags: ContextFlags
    var isHandler: Bool
    /// For a callback: a handler began, so either it has turned interrupts on, or it is over and its end is missing.
    var isDoubtful = false
  }

  private var cpus: [CPU] = []
  private var waiting = 0
  /// Ends of callbacks are recorded.
  private var callbacksEnd = false
  /// What is known by now; whoever takes it removes it.
  public var pieces: [CPUActivity] = []

  public init() {}

  /// Takes an event.
  /// - Parameter isUnqueued: for the begin of a callback: no event of the trace queued it.
  public mutating func take(_ event: TraceEvent, isUnqueued: Bool) {
    let cpu = Int(event.cpu)
    while cpus.count <= cpu { cpus.append(CPU()) }
    switch event.kind {
    case .callFunctionSingleEntry, .callFunctionEntry, .rescheduleEntry, .irqWorkEntry:
      closeWhatIsOver(cpu, event)
      closeHandlers(cpu)
      begin(cpu, event, isQueued: false)
    case .csdFunctionEntry:
      closeWhatIsOver(cpu, event)
      begin(cpu, event, isQueued: event.csd != 0 && !isUnqueued)
    case .callFunctionSingleExit, .callFunctionExit, .rescheduleExit, .irqWorkExit: end(cpu, event)
    case .csdFunctionExit:
      callbacksEnd = true
      end(cpu, event)
    default: if !cpus[cpu].open.isEmpty { closeWhatIsOver(cpu, event) }
    }
  }

  /// Events of a CPU were lost: whatever it did may be over.
  public mutating func gapBegan(on cpu: UInt16) {
    if Int(cpu) < cpus.count { giveUp(Int(cpu), from: 0, .eventsLost) }
  }

  /// The trace has ended.
  public mutating func finish() {
    for cpu in cpus.indices { giveUp(cpu, from: 0, .traceEnd) }
  }

  // MARK: Begin and end

  private mutating func begin(_ cpu: Int, _ event: TraceEvent, isQueued: Bool) {
    if cpus[cpu].open.count >= Self.deepest { giveUp(cpu, from: 0, .tooMuchInside) }
    makeRoom()
    cpus[cpu].open.append(
      Open(place: cpus[cpu].waiting.count, flags: event.flags, isHandler: event.kind != .csdFunctionEntry))
    append(cpu, piece(.began, event, isQueued: isQueued))
  }

  private mutating func end(_ cpu: Int, _ event: TraceEvent) {
    makeRoom()
    let depth = cpus[cpu].open.lastIndex { Self.belong(cpus[cpu].waiting[$0.place], event) }
    if let depth, !isDoubtful(cpu, depth) {
      giveUp(cpu, from: depth + 1, .notRecorded)
      append(cpu, piece(.ended, event))
      cpus[cpu].open.removeLast()
    } else {
      if let depth { giveUp(cpu, from: depth, .notRecorded) } else { closeWhatIsOver(cpu, event) }
      append(cpu, piece(.endedOnly, event))
    }
    if cpus[cpu].open.isEmpty { handOn(cpu) }
  }

  /// Whether an exit of its kind may be another handler's than the one at a depth: of a callback in that a handler began, but
  /// no end was seen. Callbacks are told apart by what they run.
  private func isDoubtful(_ cpu: Int, _ depth: Int) -> Bool {
    let open = cpus[cpu].open
    return open[depth].isHandler && open[depth...].contains { $0.isDoubtful }
  }

  private func piece(_ step: CPUActivity.Step, _ event: TraceEvent, isQueued: Bool = false) -> CPUActivity {
    let isCallback = event.kind == .csdFunctionEntry || event.kind == .csdFunctionExit
    return CPUActivity(
      step: step, kind: event.kind, cpu: event.cpu, nanoseconds: event.nanoseconds, csd: isCallback ? event.csd : 0,
      function: isCallback ? event.function : 0, isQueued: isQueued)
  }

  private static func belong(_ begin: CPUActivity, _ exit: TraceEvent) -> Bool {
    switch exit.kind {
    case .callFunctionSingleExit: begin.kind == .callFunctionSingleEntry
    case .callFunctionExit: begin.kind == .callFunctionEntry
    case .rescheduleExit: begin.kind == .rescheduleEntry
    case .irqWorkExit: begin.kind == .irqWorkEntry
    default: begin.kind == .csdFunctionEntry && begin.csd == exit.csd && begin.function == exit.function
    }
  }

  // MARK: What is over unseen

  private mutating func closeWhatIsOver(_ cpu: Int, _ event: TraceEvent) {
    if let place = cpus[cpu].open.firstIndex(where: { Self.isOver($0, event) }) {
      giveUp(cpu, from: place, .notRecorded)
    }
  }

  /// A handler begins. Handlers run with interrupts off, so another one is over; unless a callback is still open in it, which
  /// may have turned interrupts on. Where no end of a callback was ever seen, an open one tells nothing.
  private mutating func closeHandlers(_ cpu: Int) {
    var first = 0
    if callbacksEnd, let callback = cpus[cpu].open.lastIndex(where: { !$0.isHandler }) {
      cpus[cpu].open[callback].isDoubtful = true
      first = callback + 1
    }
    if let depth = cpus[cpu].open[first...].firstIndex(where: \.isHandler) { giveUp(cpu, from: depth, .notRecorded) }
  }

  /// Whether an event shows that something is over: no CPU turns to what it does in a lower context before.
  private static func isOver(_ open: Open, _ event: TraceEvent) -> Bool {
    guard !event.flags.isUnknown, !open.flags.isUnknown else { return false }
    let level = event.flags.level
    if level < open.flags.level { return true }
    guard level == .task, open.flags.level == .task else { return false }
    return event.kind == .schedSwitch || event.kind == .cpuIdle
      || event.flags.isDisjoint(with: [.interruptsOff, .interruptsUnknown])
  }

  /// What has begun, from a depth on, has no end that was seen.
  private mutating func giveUp(_ cpu: Int, from depth: Int, _ reason: CPUActivity.UnseenEnd) {
    guard depth < cpus[cpu].open.count else { return }
    for open in cpus[cpu].open[depth...] {
      cpus[cpu].waiting[open.place].step = .beganOnly
      cpus[cpu].waiting[open.place].unseenEnd = reason
    }
    cpus[cpu].open.removeSubrange(depth...)
    if depth == 0 { handOn(cpu) }
  }

  // MARK: Handing on

  private mutating func makeRoom() {
    guard waiting >= Self.mostWaiting else { return }
    for cpu in cpus.indices { giveUp(cpu, from: 0, .tooMuchInside) }
  }

  private mutating func append(_ cpu: Int, _ piece: CPUActivity) {
    cpus[cpu].waiting.append(piece)
    waiting += 1
  }

  private mutating func handOn(_ cpu: Int) {
    waiting -= cpus[cpu].waiting.count
    pieces.append(contentsOf: cpus[cpu].waiting)
    cpus[cpu].waiting.removeAll(keepingCapacity: cpus[cpu].waiting.count <= Self.keptRoom)
  }
}
