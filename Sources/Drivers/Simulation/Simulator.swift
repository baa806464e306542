import BasicContainers
import CallEngines
import CallHistories
import TraceTypes
import Verdicts

/// Runs an engine on a load, in simulated time.
///
/// The engine decides what happens, the load when calls are made, and the costs how long things take. Nothing else decides
/// anything: the same load, costs and seed give the same outcome, however the load is cut into pieces.
///
///     load ──▶ calls, at their times ──▶ engine's steps ──▶ notes ──▶ costs ──▶ when each CPU goes on
///
/// A CPU makes its steps at one moment until one of them has a cost; then others come first. A step that waits is tried
/// again when what it waits for is released.
/// - Complexity: O(steps · log CPUs); memory for what is under way only.
struct Simulator: ~Copyable {
  struct Options: Sendable {
    var nodes: [Int]
    /// The core of each CPU; nil where it is not known. Empty where none is.
    var cores: [Int?] = []
    /// CPUs that are offline at the start.
    var offline: [Int] = []
    var seed: UInt64 = 1
    /// Whether times that were recorded for a call are used for it; else costs are drawn for everything.
    var usesRecordedTimes = true
    /// Whether CPUs take no interrupt while they took none in the recording: not when time is compressed. That is part of the load,
    /// whatever things cost.
    var usesClosedStretches = true
    /// 0 … 1.
    var allocationFailureRate = 0.0
    /// How long an IPI to one CPU is held back, for others to go with it, in nanoseconds.
    var coalescingNanoseconds: UInt64 = 0
    /// CPUs that are in user space whenever nothing shows them in the kernel.
    var userCPUs: Set<Int> = []
  }

  static let stackDepth = 24
  /// Frames that must be free for an interrupt or a call on top of what a CPU runs: the handler, a function, and a call of it.
  static let framesNeeded = 6
  /// Places for calls at first, and at most.
  static let firstPlaces = 256
  static let mostPlaces = 1 << 20
  /// More steps at one moment are no way to anywhere.
  static let mostStepsAtOnce = 1 << 22

  let engine: Engine
  let options: Options
  let costs: CostModel
  let random: RandomNumbers
  let kinds: KindMapping
  let names: any AddressNaming
  var machine: Machine

  var now: UInt64 = 0
  /// What is done before this time comes before all that is still to be entered.
  private var horizon: UInt64 = 0
  var queue = EventQueue()
  var cpus: UniqueArray<SimulatedCPU>
  /// When vectors reach each CPU; `never` where none is under way.
  var arrivals: UniqueArray<UInt64>
  /// What is left of a step's cost that was interrupted, by CPU and depth.
  var remaining: UniqueArray<UInt64>
  /// Those who wait, by a hash of what for: the first CPU, and from there on `nextWaiter`.
  var waiters: UniqueArray<Int32>
  let waiterMask: Int

  var places: UniqueArray<CallPlace>
  var freePlaces: UniqueArray<Int32>
  /// Places that nobody needs, in the order of time, and where that list begins.
  var restingPlaces: UniqueArray<Int32>
  var firstResting = 0
  var storages: [StorageKey: Int32] = [:]
  /// Who holds which of the engine's locks, by ``LockName/key``.
  var lockHolders: [Int: Int32] = [:]
  var targets: UniqueArray<TargetPlace>
  /// Unused runs of 1, 2, 4, … targets.
  var freeTargets: [[Int32]] = []

  var stretches: UniqueArray<LoadedStretch>
  var stretchCounts: UniqueArray<UInt32>
  static let keptStretches = 32

  var hotplugs: [LoadedHotplug] = []
  var firstHotplug = 0
  /// The CPU that goes, and until when the others are to take interrupts.
  var leaving: Int?

  var recorder = OutcomeRecorder()
  var timeline: SimulatedTimelineRecorder?
  var ordinal: UInt64 = 0
  /// Steps that the machine made.
  private(set) var steps: UInt64 = 0
  /// Calls that were not made, because their CPU waits for ever or for want of places.
  var callsNotMade: UInt64 = 0
  /// Somebody waited for what was already there: our own mistake, counted for tests.
  var missedWakeups: UInt64 = 0
  let timedCosts: TimedCosts
  /// Whether it matters who is in user space.
  let isolates: Bool

  /// - Parameter names: for what is told of deadlocks.
  init(engine: Engine, costs: CostModel, options: Options, names: any AddressNaming) {
    let cpuCount = options.nodes.count
    self.engine = engine
    self.options = options
    self.costs = costs
    self.names = names
    random = RandomNumbers(seed: options.seed)
    kinds = KindMapping(engine)
    timedCosts = TimedCosts(costs, nodes: options.nodes, cores: options.cores)
    isolates = engine.defers && !options.userCPUs.isEmpty
    machine = engine.drivenMachine(
      nodes: options.nodes, offline: options.offline, callCount: Self.firstPlaces, stackDepth: Self.stackDepth,
      allocation: options.allocationFailureRate > 0 ? .either : .succeeds)
    cpus = UniqueArray(repeating: SimulatedCPU(), count: cpuCount)
    arrivals = UniqueArray(repeating: SimulatedCPU.never, count: cpuCount * Self.vectors)
    remaining = UniqueArray(repeating: 0, count: cpuCount * (Self.stackDepth + 1))
    var buckets = 16
    while buckets < 2 * cpuCount { buckets *= 2 }
    waiters = UniqueArray(repeating: -1, count: buckets)
    waiterMask = buckets - 1
    places = UniqueArray(repeating: CallPlace(), count: Self.firstPlaces)
    freePlaces = UniqueArray()
    for place in stride(from: Self.firstPlaces - 1, through: 0, by: -1) { freePlaces.append(Int32(place)) }
    restingPlaces = UniqueArray()
    targets = UniqueArray()
    stretches = UniqueArray(
      repeating: LoadedStretch(from: .max, to: 0, cpu: 0, entryNanoseconds: nil),
      count: options.usesClosedStretches ? cpuCount * Self.keptStretches : 0)
    stretchCounts = UniqueArray(repeating: 0, count: cpuCount)
  }

  /// Room for the vectors of each CPU.
  static var vectors: Int { 4 }

  // MARK: The way of time

  /// Lets everything happen that happens before a time.
  mutating func run(until time: UInt64) {
    horizon = time
    defer { horizon = 0 }
    while true {
      let next = queue.nextTime
      if firstHotplug < hotplugs.count, hotplugs[firstHotplug].time < time, hotplugs[firstHotplug].time <= next {
        let hotplug = hotplugs[firstHotplug]
        guard begin(hotplug) else {
          // Another one is still on its way. It is tried again when something has happened.
          if next >= time { return }
          handleNext()
          continue
        }
        firstHotplug += 1
        continue
      }
      guard next < time else { return }
      handleNext()
    }
  }

  private mutating func handleNext() {
    let entry = queue.removeFirst()
    now = max(now, entry.time)
    let cpu = Int(entry.cpu)
    switch entry.kind {
    case .step:
      guard cpus[cpu].token == entry.token, cpus[cpu].readyAt != SimulatedCPU.never else { return }
      cpus[cpu].readyAt = SimulatedCPU.never
      advance(cpu)
    case .arrival:
      let vector = Int(entry.token)
      guard arrivals[cpu &* Self.vectors &+ vector] == entry.time else { return }
      arrivals[cpu &* Self.vectors &+ vector] = SimulatedCPU.never
      cpus[cpu].arrived |= 1 << UInt8(vector)
      disturb(cpu)
    }
  }

  /// A CPU goes on at a time.
  mutating func schedule(_ cpu: Int, at time: UInt64) {
    cpus[cpu].token &+= 1
    cpus[cpu].readyAt = time
    queue.add(.step, cpu: cpu, at: time, token: cpus[cpu].token)
  }

  /// A step of a CPU has taken time. Where nothing comes before its end, it is over at once: the same as entering it and
  /// taking it out again.
  /// - Returns: whether the CPU goes on, now.
  @inline(__always) private mutating func passes(_ cost: UInt64, on cpu: Int) -> Bool {
    let end = now &+ cost
    if end < horizon, end < queue.nextTime, firstHotplug >= hotplugs.count || end < hotplugs[firstHotplug].time {
      now = end
      return true
    }
    schedule(cpu, at: end)
    return false
  }

  /// Something has come for a CPU: an interrupt, or a call that it is to make. If it can, it takes it now.
  mutating func disturb(_ cpu: Int) {
    let view = machine.view(of: cpu)
    guard takesSomething(cpu, view) else { return }
    if cpus[cpu].readyAt != SimulatedCPU.never {
      // What it was doing is gone on with later.
      let place = cpu &* (Self.stackDepth &+ 1) &+ view.depth
      // Who is held until a time is not held longer for what it does meanwhile.
      remaining[place] =
        cpus[cpu].heldUntil == cpus[cpu].readyAt
        ? 0 : max(remaining[place], cpus[cpu].readyAt &- min(now, cpus[cpu].readyAt))
      cpus[cpu].readyAt = SimulatedCPU.never
      cpus[cpu].token &+= 1
    }
    advance(cpu)
  }

  /// Whether a CPU, as it stands, turns to something that has come for it.
  private mutating func takesSomething(_ cpu: Int, _ view: CPUView) -> Bool {
    if takesInterrupt(cpu, view) || takesInterruptCall(cpu, view) { return true }
    // Who polls leaves the idle loop first.
    if leaving != nil, machine.isWantedByStop(cpu), view.idlesPolling || engine.canStop(cpu, machine) { return true }
    return takesTaskCall(cpu, view)
  }

  private func hasRoom(_ view: CPUView) -> Bool { view.depth &+ Self.framesNeeded <= Self.stackDepth }

  private func takesInterrupt(_ cpu: Int, _ view: CPUView) -> Bool {
    cpus[cpu].arrived != 0 && view.takesInterrupts && hasRoom(view)
  }

  /// An interrupt makes its call where interrupts are on, and so does a callback, which is where they are off.
  private func takesInterruptCall(_ cpu: Int, _ view: CPUView) -> Bool {
    cpus[cpu].firstInterruptCall >= 0 && hasRoom(view) && view.state != .dead
      && (view.interruptsEnabled || view.runsFunction)
  }

  /// A task makes its call when its CPU does nothing else.
  private func takesTaskCall(_ cpu: Int, _ view: CPUView) -> Bool {
    cpus[cpu].firstTaskCall >= 0 && view.state == .online && view.isIdle
  }

  /// A CPU makes its steps, until one of them takes time, or waits.
  mutating func advance(_ cpu: Int) {
    // Whatever it is that lets it move: it stands in no list of those who wait.
    if cpus[cpu].waitKey >= 0 { stopWaiting(cpu) }
    var stepsNow = 0
    while true {
      var depth = machine.stackDepth(of: cpu)
      if cpus[cpu].handlerDepth > depth { cpus[cpu].handlerDepth = 0 }
      if depth == 0 || leaving != nil || cpus[cpu].isAskedFor {
        guard turns(cpu) else { return }
        depth = machine.stackDepth(of: cpu)
      }
      let rest = remaining[cpu &* (Self.stackDepth &+ 1) &+ depth]
      if rest > 0 {
        remaining[cpu &* (Self.stackDepth &+ 1) &+ depth] = 0
        if passes(rest, on: cpu) { continue }
        return
      }
      if cpus[cpu].heldUntil > now, engine.isStopped(cpu, &machine) {
        return schedule(cpu, at: cpus[cpu].heldUntil)
      }

      if options.allocationFailureRate > 0 { machine.choice = allocationFails(machine.topCall(of: cpu)) ? 1 : 0 }
      steps &+= 1
      stepsNow &+= 1
      // An engine may have broken its own lists, as a mail's form does, and go round in them for ever.
      if stepsNow > Self.mostStepsAtOnce { return goesRound(cpu) }
      switch engine.step(cpu, &machine) {
      case .blocked(let wait):
        machine.forgetNotes()
        return beginWaiting(cpu, wait, call: machine.topCall(of: cpu))
      case .moved:
        guard machine.noteCount() > 0 else { continue }
        let cost = handleNotes(of: cpu)
        if cost == 0 { continue }
        guard passes(cost, on: cpu) else { return }
        stepsNow = 0
      }
    }
  }

  /// A CPU turns to what has come for it, as long as something has.
  /// - Returns: false if it does nothing more at this moment.
  private mutating func turns(_ cpu: Int) -> Bool {
    while true {
      let view = machine.view(of: cpu)
      if takesInterrupt(cpu, view) {
        let cost = takeInterrupt(cpu)
        if passes(cost, on: cpu) { continue }
        return false
      }
      if leaving != nil, machine.isWantedByStop(cpu), engine.canStop(cpu, machine) {
        engine.enterStop(cpu, &machine)
        _ = handleNotes(of: cpu)
        if cpus[cpu].heldUntil > now {
          schedule(cpu, at: cpus[cpu].heldUntil)
          return false
        }
        continue
      }
      if takesInterruptCall(cpu, view) {
        let place = Int(cpus[cpu].firstInterruptCall)
        removeFirstInterruptCall(cpu)
        begin(place)
        continue
      }
      if takesTaskCall(cpu, view) {
        let place = Int(cpus[cpu].firstTaskCall)
        if places[place].earliest > now {
          schedule(cpu, at: places[place].earliest)
          return false
        }
        if view.depth > 0 { engine.endPolling(cpu, &machine) }
        // It enters the kernel, where work may wait.
        if isolates, engine.leaveUser(cpu, &machine) { continue }
        removeFirstTaskCall(cpu)
        begin(place)
        continue
      }
      if view.depth > 0 { return true }
      // An isolated CPU that does nothing here computes.
      if isolates, options.userCPUs.contains(cpu), view.state == .online { engine.enterUser(cpu, &machine) }
      return false
    }
  }

  /// A CPU takes the vector that reached it first of all.
  /// - Returns: what that costs, in nanoseconds.
  private mutating func takeInterrupt(_ cpu: Int) -> UInt64 {
    // Of several, the lowest: the order between vectors is the hardware's.
    let bits = cpus[cpu].arrived
    let vector = Vector(rawValue: UInt8(bits.trailingZeroBitCount)) ?? .single
    cpus[cpu].arrived &= ~(1 << vector.rawValue)
    timeline?.interruptTaken(on: cpu, at: now)
    engine.takeInterrupt(vector, on: cpu, &machine)
    if cpus[cpu].handlerDepth == 0 {
      cpus[cpu].handlerDepth = machine.view(of: cpu).depth
      cpus[cpu].handlerSince = now
    }
    // The queue is taken halfway between the handler's begin and the first callback's. A walker takes nothing.
    if kinds.walks(vector) { return entryCost(of: cpu) }
    return entryCost(of: cpu, keep: true) / 2
  }

  private func allocationFails(_ call: Int?) -> Bool {
    guard let call else { return false }
    let number = random.number(.allocation, places[call].ordinal, 0) >> 11
    return Double(number) < options.allocationFailureRate * Double(1 << 53)
  }
}
