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
    /// Whether ``Property/boundedWaiting`` is decided. Where states can be reached on ways of different lengths, it takes as long
    /// again.
    public var decidesWaiting = true
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
    /// Why ``Property/boundedWaiting`` was not decided although every state was reached, nil if it was.
    public var waitingStopped: StopReason?
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
    var shape = Search.Shape(engine: engine, workload: workload)
    let search = run(options, &shape)
    var finding = search.finding
    if options.reduces { shorten(&finding, &shape) }
    if options.decidesWaiting, search.canGoRound, finding.stopped == nil { lookForStarvation(&finding, &shape) }
    finding.duration = ContinuousClock.now - begun
    return finding
  }

  /// Searches, and again where the shape did not do.
  private func run(
    _ options: Options, _ shape: inout Search.Shape, keepsTransitions: Bool = false, endsWith: PropertySet? = nil
  ) -> Search {
    while true {
      let search = Search(
        engine: engine, workload: workload, options: options, shape: shape, keepsTransitions: keepsTransitions)
      search.endsWith = endsWith
      switch search.run() {
      case .ended: return search
      case .tooDeep: shape.deepen(engine: engine, workload: workload)
      case .tooNarrow(let values): shape.widen(for: values)
      }
    }
  }

  /// Finds the shortest ways to what was violated. A step taken alone can make a way longer than it need be, by one that another
  /// CPU takes.
  private func shorten(_ finding: inout Finding, _ shape: inout Search.Shape) {
    if finding.violations.isEmpty { return }
    var options = options
    options.reduces = false
    let search = run(options, &shape, endsWith: PropertySet(finding.violations.keys))
    for (property, path) in search.finding.violations where path.count < finding.violations[property]?.count ?? 0 {
      finding.violations[property] = path
    }
  }

  /// Explores once more, keeps all transitions, and looks for waits that last for ever. Without cycles there are none.
  private func lookForStarvation(_ finding: inout Finding, _ shape: inout Search.Shape) {
    var options = options
    options.reduces = false
    let search = run(options, &shape, keepsTransitions: true)
    finding.waitingStopped = search.finding.stopped
    guard finding.waitingStopped == nil, let cycle = search.starvation() else { return }
    finding.violations[.boundedWaiting] = cycle.path + cycle.round
    finding.repeated = cycle.round.count
  }
}
