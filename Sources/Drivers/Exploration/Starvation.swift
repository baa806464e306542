import CallEngines

/// Looks for a wait that lasts for ever while everybody who can move does move.
///
/// A caller is starved if there is a cycle in which its call stays where it is, and which is fair to everybody:
///
/// - a program that is topmost on its CPU's stack somewhere in the cycle moves in it, unless it cannot move in one of the states
///   in which it is topmost (so that a condition that is false whenever the caller looks is a wait, even if it is true
///   in between; and one that only handlers keep it from looking at is none);
/// - an interrupt that can be taken somewhere in the cycle is taken in it;
/// - a lock that is free again and again is taken by who spins on it.
struct Starvation {
  /// A cycle: how to come to it, and round.
  struct Cycle {
    var cpu: Int
    var path: [Action]
    var round: [Action]
  }

  /// Which call a CPU is within, per CPU, per state; see ``Engine/place(of:_:)``.
  private let places: [[UInt32]]
  /// How many frames a CPU's stack has, and whether the topmost can take a lock, per CPU, per state.
  private let depths: [[UInt8]]

  /// In a depth: the next step takes a lock.
  static let couldLock: UInt8 = 0x80
  private let cpuCount: Int

  init(places: [[UInt32]], depths: [[UInt8]]) {
    self.places = places
    self.depths = depths
    cpuCount = places.count
  }

  /// - Parameter path: the actions that lead to a state.
  /// - Complexity: O(CPUs · (states + transitions)) where the cycles are fair or the first look shows that none is; each
  ///   further look has less states.
  func find(in graph: borrowing TransitionGraph, path: (_ state: Int) -> [Action]) -> Cycle? {
    for cpu in 0..<cpuCount {
      // 0 is outside of any call; so is, in what follows, every state that no fair cycle goes through.
      var own = places[cpu]
      while true {
        var hasChanged = false
        for component in cycles(own, graph) {
          let unfair = statesUnfair(to: component, own, in: graph)
          if unfair.isEmpty { return cycle(cpu, component, own, in: graph, path: path) }
          // What goes round beside them may still be fair.
          for state in unfair { own[state] = 0 }
          hasChanged = true
        }
        if !hasChanged { break }
      }
    }
    return nil
  }

  /// The cycles within which a CPU's call stays where it is.
  private func cycles(_ own: [UInt32], _ graph: borrowing TransitionGraph) -> [[Int]] {
    graph.cycles { state, target in own[state] != 0 && own[state] == own[target] }
  }

  /// The states of a component in which somebody could move who moves nowhere in it, and would not be passed over for ever.
  /// - Returns: none if the component is fair to all.
  private func statesUnfair(to component: [Int], _ own: [UInt32], in graph: borrowing TransitionGraph) -> [Int] {
    let inside = Set(component)
    var moves: Set<Actor> = []
    var couldMove: [Actor: Int] = [:]
    var wasTopmost: [Actor: Int] = [:]
    var couldLock: Set<Actor> = []
    for state in component {
      var enabled: Set<Actor> = []
      for transition in graph.transitions(of: state) {
        let actor = actor(graph.action(transition), in: state)
        enabled.insert(actor)
        let target = graph.target(transition)
        if inside.contains(target), own[target] == own[state] { moves.insert(actor) }
      }
      for actor in enabled { couldMove[actor, default: 0] += 1 }
      for cpu in 0..<cpuCount where depths[cpu][state] != 0 {
        wasTopmost[program(cpu, in: state), default: 0] += 1
        if depths[cpu][state] & Self.couldLock != 0 { couldLock.insert(program(cpu, in: state)) }
      }
    }
    var unfairTo: Set<Actor> = []
    for (actor, count) in couldMove where !moves.contains(actor) {
      switch actor {
      case .program: if count == wasTopmost[actor] || couldLock.contains(actor) { unfairTo.insert(actor) }
      case .event: unfairTo.insert(actor)
      }
    }
    if unfairTo.isEmpty { return [] }
    return component.filter { state in
      graph.transitions(of: state).contains { unfairTo.contains(actor(graph.action($0), in: state)) }
    }
  }

  private func cycle(
    _ cpu: Int, _ component: [Int], _ own: [UInt32], in graph: borrowing TransitionGraph,
    path: (_ state: Int) -> [Action]
  ) -> Cycle? {
    guard let start = component.min() else { return nil }
    return Cycle(
      cpu: cpu, path: path(start),
      round: round(from: start, inside: Set(component), own: own, in: graph).map { Action(code: $0) })
  }

  /// Who moves: a program, by its place on a stack, or an interrupt or the stopper.
  private enum Actor: Hashable {
    case program(cpu: Int, depth: UInt8)
    case event(code: UInt8)
  }

  private func actor(_ code: UInt8, in state: Int) -> Actor {
    switch Action(code: code) {
    case .step(let cpu, _): program(cpu, in: state)
    case .interrupt, .stop: .event(code: code)
    }
  }

  private func program(_ cpu: Int, in state: Int) -> Actor {
    .program(cpu: cpu, depth: depths[cpu][state] & ~Self.couldLock)
  }

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
