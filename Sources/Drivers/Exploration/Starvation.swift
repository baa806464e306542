import CallEngines

/// Looks for a wait that lasts for ever while everybody who can move does move.
///
/// A caller is starved if there is a cycle in which its call stays where it is, and which is fair: every CPU that moves nowhere in the
/// cycle cannot move somewhere in it, the caller's included. (Weak fairness. A lock that a caller finds taken whenever it looks is
/// such a case; one that stays free until it looks is none.)
struct Starvation {
  /// A cycle: how to come to it, and round.
  struct Cycle {
    var cpu: Int
    var path: [Action]
    var round: [Action]
  }

  /// Where a CPU's task and call stand, per state; see ``Engine/place(of:_:)``.
  private let places: [[UInt32]]
  private let cpuCount: Int

  /// - Parameter places: per CPU, per state.
  init(places: [[UInt32]]) {
    self.places = places
    cpuCount = places.count
  }

  /// - Parameter path: the actions that lead to a state.
  /// - Complexity: O(CPUs · (states + transitions)).
  func find(in graph: borrowing TransitionGraph, path: (_ state: Int) -> [Action]) -> Cycle? {
    for cpu in 0..<cpuCount {
      let own = places[cpu]
      for component in cycles(own, graph) {
        if let cycle = fairCycle(cpu, component, in: graph, path: path) { return cycle }
      }
    }
    return nil
  }

  /// The cycles within which a CPU's call stays where it is.
  private func cycles(_ own: [UInt32], _ graph: borrowing TransitionGraph) -> [[Int]] {
    graph.cycles { state, target in own[state] != 0 && own[state] == own[target] }
  }

  private func fairCycle(
    _ cpu: Int, _ component: [Int], in graph: borrowing TransitionGraph, path: (_ state: Int) -> [Action]
  ) -> Cycle? {
    let inside = Set(component)
    let own = places[cpu]
    // Who moves within, and who could move in every state of it.
    var moves: Set<UInt8> = []
    var canAlwaysMove: Set<UInt8>?
    for state in component {
      var enabled: Set<UInt8> = []
      for transition in graph.transitions(of: state) {
        let action = Self.actor(graph.action(transition))
        enabled.insert(action)
        let target = graph.target(transition)
        if inside.contains(target), own[target] == own[state] { moves.insert(action) }
      }
      canAlwaysMove = canAlwaysMove.map { $0.intersection(enabled) } ?? enabled
    }
    guard (canAlwaysMove ?? []).isSubset(of: moves) else { return nil }
    guard let start = component.min() else { return nil }
    return Cycle(
      cpu: cpu, path: path(start),
      round: round(from: start, inside: inside, own: own, in: graph).map { Action(code: $0) })
  }

  /// The choices of one step are one actor's.
  private static func actor(_ code: UInt8) -> UInt8 { code & 7 < 4 ? code & ~7 : code }

  /// A short way from a state back to itself. (A fair one goes round in all of the component; this shows what goes on.)
  private func round(
    from start: Int, inside: Set<Int>, own: [UInt32], in graph: borrowing TransitionGraph
  ) -> [UInt8] {
    var cameBy: [Int: (from: Int, action: UInt8)] = [:]
    var queue = [start]
    var index = 0
    while index < queue.count {
      let state = queue[index]
      index += 1
      for transition in graph.transitions(of: state) {
        let target = graph.target(transition)
        guard inside.contains(target), own[target] == own[state] else { continue }
        if target == start {
          var way = [graph.action(transition)]
          var current = state
          while current != start, let step = cameBy[current] {
            way.append(step.action)
            current = step.from
          }
          return way.reversed()
        }
        if cameBy[target] == nil, target != start {
          cameBy[target] = (state, graph.action(transition))
          queue.append(target)
        }
      }
    }
    return []
  }
}
