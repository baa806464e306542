/// Counts what becomes of a load, target by target, in memory that grows with the number of CPUs and callbacks only.
package struct OutcomeRecorder: Sendable {
  /// How many different callbacks are told apart; what comes later is counted in the totals only.
  package static let keptCallbacks = 4_096
  /// How many deadlocks are described.
  package static let keptDeadlocks = 20

  package var calls: UInt64 = 0
  package var targets: UInt64 = 0
  package var fates = EngineOutcome.Fates()
  package var interrupts = EngineOutcome.Interrupts()
  package var allocations = EngineOutcome.Allocations()
  package private(set) var deadlocks: [EngineOutcome.Deadlock] = []

  private var queueToStart = DurationRecorder()
  private var callerWaits = DurationRecorder()
  private var csdLockWaits = DurationRecorder()
  private var engineLockWaits = DurationRecorder()

  private struct CPU: Sendable {
    var interrupts: UInt64 = 0
    var callbacks: UInt64 = 0
    var callbackTime: UInt64 = 0
    var waited: UInt64 = 0
    var delay = DurationRecorder()
  }

  private struct Callback: Sendable {
    var targets: UInt64 = 0
    var interrupts: UInt64 = 0
    var delay = DurationRecorder()
  }

  private var cpus: ContiguousArray<CPU> = []
  private var callbacks: ContiguousArray<Callback> = []

  /// Counted over the targets alone of which the recording tells the kick, so that both sides have the same.
  package var known = EngineOutcome.Interrupts()

  package init() {}

  /// A target was asked for.
  /// - Parameter callback: its callback's number, or nil beyond those that are told apart.
  @inline(__always)
  package mutating func asked(_ cpu: Int, callback: Int?) {
    targets += 1
    ensure(cpu)
    if let callback {
      while callback >= callbacks.count { callbacks.append(Callback()) }
      callbacks[callback].targets += 1
    }
  }

  /// A call that had been asked for was not made in the end.
  package mutating func notAsked(_ count: Int, callback: Int?) {
    targets -= UInt64(count)
    if let callback { callbacks[callback].targets -= UInt64(count) }
  }

  private mutating func ensure(_ cpu: Int) {
    while cpus.count <= cpu { cpus.append(CPU()) }
  }

  /// A CPU was sent an IPI, by the queueing of a callback.
  package mutating func interrupted(_ cpu: Int, callback: Int?) {
    ensure(cpu)
    cpus[cpu].interrupts += 1
    if let callback, callback < callbacks.count { callbacks[callback].interrupts += 1 }
  }

  /// A callback began.
  package mutating func started(on cpu: Int, callback: Int?, delay: UInt64?) {
    ensure(cpu)
    cpus[cpu].callbacks += 1
    guard let delay else { return }
    queueToStart.record(delay)
    cpus[cpu].delay.record(delay)
    if let callback, callback < callbacks.count { callbacks[callback].delay.record(delay) }
  }

  /// A callback ran this long.
  package mutating func ran(on cpu: Int, _ nanoseconds: UInt64) {
    ensure(cpu)
    cpus[cpu].callbackTime &+= nanoseconds
  }

  package mutating func callerWaited(_ cpu: Int, _ nanoseconds: UInt64) {
    callerWaits.record(nanoseconds)
    ensure(cpu)
    cpus[cpu].waited &+= nanoseconds
  }

  package mutating func csdLockWaited(_ cpu: Int, _ nanoseconds: UInt64) { csdLockWaits.record(nanoseconds) }
  package mutating func engineLockWaited(_ cpu: Int, _ nanoseconds: UInt64) { engineLockWaits.record(nanoseconds) }

  package mutating func deadlocked(_ deadlock: EngineOutcome.Deadlock) {
    if deadlocks.count < Self.keptDeadlocks { deadlocks.append(deadlock) }
  }

  /// - Parameters:
  ///   - allocates: whether the engine allocates anything.
  ///   - watched: the CPUs that were chosen.
  ///   - callbackNames: by number.
  package func outcome(allocates: Bool, watched: Set<Int>, callbackNames: [String]) -> EngineOutcome {
    let perCPU = cpus.indices.compactMap { cpu -> EngineOutcome.PerCPU? in
      let counts = cpus[cpu]
      let isWatched = watched.contains(cpu)
      guard isWatched || counts.interrupts > 0 || counts.callbacks > 0 || counts.waited > 0 else { return nil }
      return EngineOutcome.PerCPU(
        cpu: cpu, interrupts: counts.interrupts, callbacks: counts.callbacks, callbackNanoseconds: counts.callbackTime,
        queueToStart: counts.delay.summary, waitedNanoseconds: counts.waited, isWatched: isWatched)
    }
    let byCallback = zip(callbackNames, callbacks).map { name, counts in
      EngineOutcome.Callback(
        callback: name, targets: counts.targets, interrupts: counts.interrupts, queueToStart: counts.delay.summary)
    }.sorted { ($1.targets, $0.callback) < ($0.targets, $1.callback) }
    return EngineOutcome(
      calls: calls, targets: targets, fates: fates, interrupts: interrupts, queueToStart: queueToStart.distribution,
      waiting: EngineOutcome.Waiting(
        callers: callerWaits.summary, csdLock: csdLockWaits.summary, engineLock: engineLockWaits.summary),
      allocations: allocates ? allocations : nil, deadlocks: deadlocks, byCPU: perCPU, byCallback: byCallback)
  }

  package var delays: DurationSummary { queueToStart.summary }
  package var callerWaitSum: UInt64 { callerWaits.sum }
}
