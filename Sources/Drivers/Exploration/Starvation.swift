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
  /// - Complexity: O(CPUs · (states + transitions)).
  func find(in graph: borrowing TransitionGraph, path: (_ state: Int) -> [Action]) -> Cycle? {
    for cpu in 0..<cpuCount {
      let own = places[cpu]
      for component in cycles(own, graph) {
        if let cycle = fairCycle(cpu, component, in: graph, path: path) { return cycle }
      }
      // Once more without the states in which it could have a lock: what goes round beside them need not give it one.
      var spinning = own
      for state in own.indices where depths[cpu][state] & Self.couldLock != 0 { spinning[state] = 0 }
      if spinning == own { continue }
      for component in cycles(spinning, graph) {
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
    for (actor, count) in couldMove where !moves.contains(actor) {
      switch actor {
      case .program: if count == wasTopmost[actor] || couldLock.contains(actor) { return nil }
      case .event: return nil
      }
    }
    guard let start = component.min() else { return nil }
    return Cycle(
      cpu: cpu, path: path(start),
      round: round(from: start, inside: inside, own: own, in: graph).map { Action(code: $0) })
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
