public import CallEngines

/// Takes every choice: every order in which CPUs can move, interrupts arrive and allocations end.
///
/// Breadth first, so that the first violation of a property is one of the shortest. States are stored whole. The memory limit ends
/// an exploration with what is known by then, and says that it is not exhausted.
///
/// With ``Options/reduces`` a step that nobody else can tell from a later one is taken alone; see ``Engine/movesAlone(_:_:)``.
/// That leaves out orders, and no verdict.
public struct Explorer {
  public struct Options: Sendable {
    /// Bytes for states; the process takes a little more.
    public var memoryLimit = 2 << 30
    /// States after which it ends, whatever the memory.
    public var stateLimit = Int.max
    public var reduces = true
    /// Faults to be noticed. For tests.
    public var redirects: [Redirect] = []
    /// Calls this every now and then with the number of states.
    public var progress: (@Sendable (_ states: Int) -> Void)?

    public init() {}
  }

  /// What an exploration found.
  public struct Finding: Sendable {
    /// Why not every state was reached, nil if all were.
    public var stopped: StopReason?
    public var states = 0
    /// Moves from one state to another, those included that lead to known ones.
    public var transitions = 0
    /// Length of the longest of the shortest ways.
    public var depth = 0
    public var duration = Duration.zero
    public var bytes = 0
    /// For each property that was violated, one of the shortest ways to it. For ``Property/boundedWaiting`` the way ends with
    /// what goes on for ever.
    public var violations: [Property: [Action]] = [:]
    /// How many of the last actions of ``Property/boundedWaiting``'s way are repeated for ever.
    public var repeated = 0
  }

  public enum StopReason: Sendable, Hashable {
    case memoryLimit(bytes: Int)
    /// The limit of ``Options/stateLimit``, or more states than have numbers.
    case tooManyStates
    /// A value of a state does not fit a byte.
    case tooLarge
  }

  let engine: Engine
  let workload: Workload
  let options: Options

  public init(engine: Engine, workload: Workload, options: Options = Options()) {
    self.engine = engine
    self.workload = workload
    self.options = options
  }

  /// - Complexity: O(transitions).
  public func explore() -> Finding {
    let begun = ContinuousClock.now
    // Handlers nest rarely: a deeper stack is tried when one that is not full does not do.
    var stackDepth = 4
    while true {
      var search = Search(
        engine: engine, workload: workload, options: options, stackDepth: stackDepth, keepsTransitions: false)
      if search.run() {
        var finding = search.finding
        if search.canGoRound, finding.stopped == nil { lookForStarvation(stackDepth: stackDepth, &finding) }
        finding.duration = ContinuousClock.now - begun
        return finding
      }
      stackDepth += 2
    }
  }
}

extension Explorer {
  /// Explores once more, keeps all transitions, and looks for waits that last for ever. Without cycles there are none.
  private func lookForStarvation(stackDepth: Int, _ finding: inout Finding) {
    var options = options
    options.reduces = false
    var search = Search(
      engine: engine, workload: workload, options: options, stackDepth: stackDepth, keepsTransitions: true)
    _ = search.run()
    guard search.finding.stopped == nil else {
      finding.stopped = search.finding.stopped
      return
    }
    guard let cycle = search.starvation() else { return }
    finding.violations[.boundedWaiting] = cycle.path + cycle.round
    finding.repeated = cycle.round.count
  }
}

/// One breadth-first search.
private struct Search: ~Copyable {
  private let engine: Engine
  private let options: Explorer.Options
  private let stackDepth: Int
  private let cpuCount: Int
  private var machine: Machine
  private var store: StateStore
  private(set) var finding = Explorer.Finding()
  private var found: PropertySet = []
  private var isTooDeep = false
  /// Whether a transition led to a state that is not farther from the first one: without, there is no cycle.
  private(set) var canGoRound = false
  /// The first state of the next distance.
  private var levelEnd = 1
  private let keepsTransitions: Bool
  private var graph = TransitionGraph()
  /// Where each CPU's call stands, per CPU, per state.
  private var places: [[UInt32]]

  init(
    engine: Engine, workload: Workload, options: Explorer.Options, stackDepth: Int, keepsTransitions: Bool
  ) {
    self.keepsTransitions = keepsTransitions
    places = Array(repeating: [], count: workload.cpuCount)
    self.engine = engine
    self.options = options
    self.stackDepth = stackDepth
    cpuCount = workload.cpuCount
    machine = engine.machine(for: workload, stackDepth: stackDepth, isTracking: true)
    machine.redirects = options.redirects
    var survey = WidthSurvey(engine: engine, workload: workload, stackDepth: stackDepth)
    store = StateStore(packing: StatePacking(widths: survey.run()))
  }

  /// - Returns: false if a stack was full; the search has to begin again with deeper ones.
  mutating func run() -> Bool {
    guard store.packCandidate(from: machine) else {
      finding.stopped = .tooLarge
      return true
    }
    _ = store.insertCandidate(hash: machine.hash, parent: 0, action: 0)
    var next = 0
    while next < store.count {
      if next == levelEnd {
        finding.depth += 1
        levelEnd = store.count
      }
      expand(next)
      if isTooDeep { return false }
      if finding.stopped != nil { break }
      next &+= 1
      if store.count > options.stateLimit, next < store.count {
        finding.stopped = .tooManyStates
        break
      }
      if next & 0xfff == 0 {
        if store.bytesAfterGrowth + graph.bytes * 2 > options.memoryLimit {
          finding.stopped = .memoryLimit(bytes: options.memoryLimit)
          break
        }
        if store.count > StateStore.maximumCount - 1 << 16 {
          finding.stopped = .tooManyStates
          break
        }
        if next & 0xffff == 0 { options.progress?(store.count) }
      }
    }
    finding.states = store.count
    finding.bytes = store.bytes
    return true
  }

  /// - Precondition: transitions were kept, and the search is at its end.
  func starvation() -> Starvation.Cycle? {
    Starvation(places: places).find(in: graph) { store.path(to: $0) }
  }

  private mutating func expand(_ state: Int) {
    store.load(state, into: &machine)
    let hash = machine.hash
    machine.forgetReports()
    if keepsTransitions {
      graph.beginState()
      for cpu in 0..<cpuCount { places[cpu].append(engine.place(of: cpu, machine)) }
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
    if !canMove { ended(at: state, hash: hash) }
  }

  /// - Returns: whether the CPU can move.
  private mutating func step(_ cpu: Int, from state: Int, hash: UInt64) -> Bool {
    var choice = 0
    var canMove = false
    repeat {
      machine.forgetReports()
      machine.choice = choice
      switch engine.step(cpu, &machine) {
      case .moved:
        canMove = true
        moved(.step(cpu: cpu, choice: choice), from: state, hash: hash)
      case .blocked:
        note(machine.violations, at: state, .step(cpu: cpu, choice: choice))
      }
      choice &+= 1
    } while choice < machine.outcomes
    return canMove
  }

  private mutating func moved(_ action: Action, from state: Int, hash: UInt64) {
    finding.transitions &+= 1
    let violations = machine.violations
    if !violations.subtracting(found).isEmpty { note(violations, at: state, action) }
    if machine.depth(action.cpu) >= stackDepth { isTooDeep = true }
    // What happens after a csd was corrupted is not defined.
    if !violations.contains(.noCSDReuse) {
      if !store.patchCandidate(from: machine) { finding.stopped = .tooLarge }
      let target = store.insertCandidate(hash: machine.hash, parent: state, action: action.code)
      if target < levelEnd { canGoRound = true }
      if keepsTransitions { graph.append(target: target, action: action.code) }
    }
    machine.takeBack(hash: hash)
  }

  private mutating func note(_ violations: PropertySet, at state: Int, _ action: Action?) {
    let new = violations.subtracting(found)
    if new.isEmpty { return }
    found.formUnion(new)
    var path = store.path(to: state).map { Action(code: $0) }
    if let action { path.append(action) }
    for property in new.properties { finding.violations[property] = path }
  }

  /// Nobody can move any more.
  private mutating func ended(at state: Int, hash: UInt64) {
    machine.forgetReports()
    note(engine.violationsAtEnd(&machine), at: state, nil)
    machine.takeBack(hash: hash)
  }
}
