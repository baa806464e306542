import CallEngines
import Dispatch

/// One breadth-first search, over two shards of the states, each with a thread of its own.
///
/// A shard owns the states whose hash says so. It expands those that it owns, distance by distance, and hands over what belongs to
/// the other when both are done. Nothing depends on which of the two is faster: a search on one processor finds the same, in the
/// same order.
final class Search {
  private let options: Explorer.Options
  private let keepsTransitions: Bool
  private var shards: [Shard]
  private(set) var finding = Explorer.Finding()
  /// Ends the search as soon as all of these were violated.
  var endsWith: PropertySet?

  /// Less states than this are not worth a second thread.
  private static let worthSharing = 4_000

  init(
    engine: Engine, workload: Workload, options: Explorer.Options, shape: Shape, keepsTransitions: Bool
  ) {
    self.options = options
    self.keepsTransitions = keepsTransitions
    // Transitions are numbered by the one who finds them, so that only one may.
    let count = keepsTransitions ? 1 : 2
    shards = (0..<count).map { index in
      Shard(
        index: index, of: count, engine: engine, workload: workload, options: options, shape: shape,
        keepsTransitions: keepsTransitions)
    }
  }

  /// Whether a transition led to a state that is not farther from the first one: without, there is no cycle.
  var canGoRound: Bool { shards.contains { $0.canGoRound } }

  enum Outcome {
    /// By itself, or at a limit.
    case ended
    /// A stack was full.
    case tooDeep
    /// Values do not fit, and packing anew does not help: transitions that are kept have to come in the order of their
    /// states.
    case tooNarrow([(cell: Int, value: Int32)])
  }

  /// Searches, unless its shape does not do; then another search has to.
  func run() -> Outcome {
    for shard in shards { shard.begin() }
    while finding.stopped == nil {
      let frontier = shards.reduce(0) { $0 + $1.frontierCount }
      if frontier == 0 { break }
      inParallel(frontier) { $0.expandFrontier() }
      if shards.contains(where: \.isTooDeep) { return .tooDeep }
      exchange(frontier)
      if keepsTransitions, let values = tooNarrow { return .tooNarrow(values) }
      while widenPacking() {
        inParallel(frontier) { $0.expandDeferred() }
        exchange(frontier)
      }
      noteViolations()
      for shard in shards { shard.endDistance() }
      if shards.contains(where: { $0.frontierCount > 0 }) { finding.depth += 1 }
      lookAtLimits()
      if let endsWith, endsWith.isSubset(of: PropertySet(finding.violations.keys)) { break }
      options.progress?(stateCount)
    }
    finding.states = stateCount
    finding.transitions = shards.reduce(0) { $0 + $1.transitions }
    finding.bytes = shards.reduce(0) { $0 + $1.bytes }
    return .ended
  }

  private var stateCount: Int { shards.reduce(0) { $0 + $1.count } }

  private func inParallel(_ work: Int, _ body: @Sendable (Shard) -> Void) {
    guard shards.count > 1, work >= Self.worthSharing else {
      for shard in shards { body(shard) }
      return
    }
    let shards = shards
    DispatchQueue.concurrentPerform(iterations: shards.count) { body(shards[$0]) }
  }

  private func exchange(_ frontier: Int) {
    guard shards.count == 2 else { return }
    swap(&shards[0].mailbox, &shards[1].mailbox)
    inParallel(frontier) { $0.takeMail() }
  }

  /// What did not fit; nil if everything did, or could not whatever the packing.
  private var tooNarrow: [(cell: Int, value: Int32)]? {
    let values = shards.flatMap(\.tooNarrow)
    return values.isEmpty || values.contains { $0.value < 0 } ? nil : values
  }

  /// Gives every shard room for what did not fit.
  /// - Returns: whether anything has to be expanded again.
  private func widenPacking() -> Bool {
    guard let values = tooNarrow else {
      if shards.contains(where: { !$0.tooNarrow.isEmpty }) { finding.stopped = .tooLarge }
      return false
    }
    for shard in shards { shard.makeRoom(for: values) }
    return true
  }

  /// Takes over what was violated for the first time at this distance. The first shard's way is preferred, so that the same is
  /// found whenever one looks.
  private func noteViolations() {
    for shard in shards {
      for (property, end) in shard.takeViolations() where finding.violations[property] == nil {
        var path = self.path(to: end.state)
        if let action = end.action { path.append(action) }
        finding.violations[property] = path
      }
    }
    let found = PropertySet(finding.violations.keys)
    for shard in shards { shard.found = found }
  }

  private func lookAtLimits() {
    if shards.contains(where: \.isOverMemoryLimit) {
      finding.stopped = .memoryLimit(bytes: options.memoryLimit)
    } else if stateCount > options.stateLimit || shards.contains(where: { $0.count > Shard.maximumCount }) {
      if shards.contains(where: { $0.frontierCount > 0 }) { finding.stopped = .tooManyStates }
    }
  }

  /// The actions that lead to a state.
  /// - Complexity: O(depth).
  private func path(to state: StateNumber) -> [Action] {
    var path: [Action] = []
    var current = state
    while let (parent, action) = shards[current.shard].origin(of: current.index) {
      path.append(Action(code: action))
      current = parent
    }
    return path.reversed()
  }

  /// - Precondition: transitions were kept, and the search is at its end.
  func starvation() -> Starvation.Cycle? {
    shards[0].starvation { self.path(to: StateNumber(shard: 0, index: $0)) }
  }
}

/// A state, by its owner and its place there.
struct StateNumber {
  var shard: Int
  var index: Int

  /// One number for both.
  var code: Int { index &* 2 &+ shard }

  init(shard: Int, index: Int) {
    self.shard = shard
    self.index = index
  }

  init(code: Int) {
    shard = code & 1
    index = code >> 1
  }
}

extension Search {
  /// What is not known in advance, and tried.
  struct Shape {
    /// Frames on a CPU's stack, one of which has to stay free.
    private(set) var stackDepth: Int
    /// Bits of each cell, to begin with. They have room for the first state.
    private(set) var widths: [Int]

    init(stackDepth: Int, widths: [Int]) {
      self.stackDepth = stackDepth
      self.widths = widths
    }

    /// Handlers nest rarely: a deeper stack is tried when one that is not full does not do.
    init(engine: Engine, workload: Workload) {
      self.init(stackDepth: 2, widths: [])
      deepen(engine: engine, workload: workload)
    }

    mutating func deepen(engine: Engine, workload: Workload) {
      stackDepth += 2
      var survey = WidthSurvey(engine: engine, workload: workload, stackDepth: stackDepth)
      widths = survey.run()
    }

    mutating func widen(for values: [(cell: Int, value: Int32)]) {
      for (cell, value) in values { widths[cell] = max(widths[cell], StatePacking.width(of: value)) }
    }
  }
}
