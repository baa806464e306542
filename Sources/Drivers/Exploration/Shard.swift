import BasicContainers
import CallEngines

/// A part of an exploration's states, with a machine to expand them.
///
/// Unchecked: two threads never use one shard at a time, which ``Search`` sees to.
final class Shard: @unchecked Sendable {
  private let index: Int
  private let shardCount: Int
  private let engine: Engine
  private let options: Explorer.Options
  private let stackDepth: Int
  private let cpuCount: Int
  @exclusivity(unchecked) private var machine: Machine
  @exclusivity(unchecked) private var store: StateStore
  /// What belongs to the other shard; after the exchange, what came from there.
  @exclusivity(unchecked) var mailbox = StateRecords()
  /// What belongs here and is not kept yet.
  @exclusivity(unchecked) private var arrived = StateRecords()

  /// The states of the present distance, and behind them those of the next.
  @exclusivity(unchecked) private var frontier = 0..<0
  @exclusivity(unchecked) private(set) var transitions = 0
  /// What was violated at lesser distances.
  @exclusivity(unchecked) var found: PropertySet = []
  @exclusivity(unchecked) private var foundHere: PropertySet = []
  private var violations: [(Property, End)] = []
  @exclusivity(unchecked) private(set) var isTooDeep = false
  @exclusivity(unchecked) private(set) var isOverMemoryLimit = false
  @exclusivity(unchecked) private(set) var canGoRound = false
  /// Values that no packed state has room for, and what has to be done again when there is.
  private(set) var tooNarrow: [(cell: Int, value: Int32)] = []
  private var deferred: [(state: Int, action: Action)] = []

  @exclusivity(unchecked) private var graph = TransitionGraph()
  private let keepsTransitions: Bool
  /// Which call each CPU is within, per CPU, per state.
  private var places: [[UInt32]]
  /// Frames on each CPU's stack, per CPU, per state.
  private var depths: [[UInt8]]

  /// Where a violation was seen: behind an action, or in a state in which nobody can move.
  struct End {
    var state: StateNumber
    var action: Action?
  }

  /// More states have no number.
  static let maximumCount = Int(UInt32.max) / 2 - 1

  init(
    index: Int, of shardCount: Int, engine: Engine, workload: Workload, options: Explorer.Options, shape: Search.Shape,
    keepsTransitions: Bool
  ) {
    self.index = index
    self.shardCount = shardCount
    self.engine = engine
    self.options = options
    stackDepth = shape.stackDepth
    self.keepsTransitions = keepsTransitions
    cpuCount = workload.cpuCount
    places = Array(repeating: [], count: workload.cpuCount)
    depths = Array(repeating: [], count: workload.cpuCount)
    machine = engine.machine(for: workload, stackDepth: stackDepth, isTracking: true)
    machine.redirects = options.redirects
    store = StateStore(packing: StatePacking(widths: shape.widths), empty: machine)
  }

  var count: Int { store.count }
  var bytes: Int { store.bytes + graph.bytes }
  var frontierCount: Int { frontier.count }

  private func owner(of hash: UInt64) -> Int { shardCount == 1 ? 0 : Int(truncatingIfNeeded: hash & 1) }

  /// Takes the first state, if it is this shard's.
  func begin() {
    guard owner(of: machine.hash) == index else { return }
    // The machine holds it, and the survey has seen it, so that there is room.
    _ = store.write(machine, parent: UInt32.max, action: 0, to: &arrived)
    _ = store.insert(0, of: arrived)
    arrived.removeAll()
    frontier = 0..<1
  }

  /// Where a state came from; nil for the first.
  func origin(of state: Int) -> (StateNumber, UInt8)? {
    let (parent, action) = store.origin(of: state)
    return parent == UInt32.max ? nil : (StateNumber(code: Int(parent)), action)
  }

  // MARK: A distance

  func expandFrontier() {
    defer { keepArrived() }
    for state in frontier {
      expand(state)
      if arrived.count >= Self.enough || keepsTransitions { keepArrived() }
      if isTooDeep || state & 0xfff == 0xfff && isMemoryShort() { return }
    }
  }

  private func isMemoryShort() -> Bool {
    let taken = store.bytesAfterGrowth + graph.bytes * 2 + mailbox.bytes * 2
    if taken > options.memoryLimit / shardCount { isOverMemoryLimit = true }
    return isOverMemoryLimit
  }

  /// Does again what had no room.
  func expandDeferred() {
    defer { keepArrived() }
    let again = deferred
    deferred = []
    tooNarrow = []
    for (state, action) in again {
      store.load(state, into: &machine)
      let hash = machine.hash
      machine.forgetReports()
      _ = engine.take(action, &machine)
      keep(action, from: state)
      machine.takeBack(hash: hash)
    }
  }

  /// Keeps what the other shard found.
  func takeMail() {
    swap(&arrived, &mailbox)
    keepArrived()
    swap(&arrived, &mailbox)
  }

  /// Keeps the states that belong here, some at a time, so that memory is waited for once.
  private func keepArrived() {
    var first = 0
    while first < arrived.count {
      let last = min(first &+ Self.enough, arrived.count)
      store.prepare(for: arrived, first..<last)
      for record in first..<last {
        let target = store.insert(record, of: arrived)
        if target < frontier.upperBound { canGoRound = true }
        if keepsTransitions {
          graph.append(
            target: target, action: UInt8(truncatingIfNeeded: arrived.words[record &* store.stride &+ 1] >> 32))
        }
      }
      first = last
    }
    arrived.removeAll()
  }

  /// States that are kept together.
  private static let enough = 64

  /// The next distance begins.
  func endDistance() { frontier = frontier.upperBound..<store.count }

  /// - Precondition: the mailbox is empty.
  func makeRoom(for values: [(cell: Int, value: Int32)]) {
    store.makeRoom(for: values)
    if deferred.isEmpty { tooNarrow = [] }
  }

  func takeViolations() -> [(Property, End)] {
    let result = violations
    violations = []
    return result
  }

  func starvation(path: (_ state: Int) -> [Action]) -> Starvation.Cycle? {
    Starvation(places: places, depths: depths).find(in: graph, path: path)
  }

  // MARK: A state

  private func expand(_ state: Int) {
    store.load(state, into: &machine)
    let hash = machine.hash
    machine.forgetReports()
    if keepsTransitions {
      graph.beginState()
      for cpu in 0..<cpuCount {
        places[cpu].append(engine.place(of: cpu, machine))
        depths[cpu].append(UInt8(truncatingIfNeeded: machine.depth(cpu)))
      }
    }
    if options.reduces {
      for cpu in 0..<cpuCount where engine.movesAlone(cpu, machine) {
        if step(cpu, from: state, hash: hash) { return }
      }
    }
    var canMove = false
    for cpu in 0..<cpuCount {
      if machine.depth(cpu) > 0, step(cpu, from: state, hash: hash) { canMove = true }
      let pending = machine.pending(cpu)
      if pending != 0, machine.takesInterrupts(cpu) {
        for vector in Vector.allCases where pending >> Int(vector.rawValue) & 1 == 1 {
          canMove = true
          machine.forgetReports()
          engine.takeInterrupt(vector, on: cpu, &machine)
          moved(.interrupt(cpu: cpu, vector), from: state, hash: hash)
        }
      }
      if engine.canStop(cpu, machine) {
        canMove = true
        machine.forgetReports()
        engine.enterStop(cpu, &machine)
        moved(.stop(cpu: cpu), from: state, hash: hash)
      }
    }
    if !canMove {
      machine.forgetReports()
      note(engine.violationsAtEnd(&machine), at: state, nil)
      machine.takeBack(hash: hash)
    }
  }

  /// - Returns: whether the CPU can move.
  private func step(_ cpu: Int, from state: Int, hash: UInt64) -> Bool {
    var choice = 0
    var canMove = false
    repeat {
      machine.forgetReports()
      machine.choice = choice
      switch engine.step(cpu, &machine) {
      case .moved:
        canMove = true
        if keepsTransitions, machine.tookLock { depths[cpu][state] |= Starvation.couldLock }
        moved(.step(cpu: cpu, choice: choice), from: state, hash: hash)
      case .blocked:
        note(machine.violations, at: state, .step(cpu: cpu, choice: choice))
      }
      choice &+= 1
    } while choice < machine.outcomes
    return canMove
  }

  private func moved(_ action: Action, from state: Int, hash: UInt64) {
    transitions &+= 1
    note(machine.violations, at: state, action)
    if machine.depth(action.cpu) >= stackDepth { isTooDeep = true }
    // What happens after a csd was corrupted is not defined.
    if !machine.violations.contains(.noCSDReuse) { keep(action, from: state) }
    machine.takeBack(hash: hash)
  }

  /// Keeps the state that an action led to, or sends it to whom it belongs.
  private func keep(_ action: Action, from state: Int) {
    let parent = UInt32(truncatingIfNeeded: StateNumber(shard: index, index: state).code)
    let cell =
      owner(of: machine.hash) == index
      ? store.write(machine, parent: parent, action: action.code, to: &arrived)
      : store.write(machine, parent: parent, action: action.code, to: &mailbox)
    guard let cell else { return }
    tooNarrow.append((cell, machine.value(of: cell)))
    deferred.append((state, action))
  }

  private func note(_ properties: PropertySet, at state: Int, _ action: Action?) {
    let new = properties.subtracting(found).subtracting(foundHere)
    if new.isEmpty { return }
    foundHere.formUnion(new)
    for property in new.properties {
      violations.append((property, End(state: StateNumber(shard: index, index: state), action: action)))
    }
  }
}
