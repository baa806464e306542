import BasicContainers

/// The transitions of an exploration, kept for questions about what goes on for ever.
struct TransitionGraph: ~Copyable {
  /// Where each state's transitions begin; states are expanded in the order of their numbers.
  private var first = UniqueArray<Int>()
  private var targets = UniqueArray<UInt32>()
  private var actions = UniqueArray<UInt8>()

  var stateCount: Int { first.count }
  var bytes: Int { first.capacity * 8 + targets.capacity * 4 + actions.capacity }

  /// The next state's transitions begin.
  mutating func beginState() { first.append(targets.count) }

  mutating func append(target: Int, action: UInt8) {
    targets.append(UInt32(truncatingIfNeeded: target))
    actions.append(action)
  }

  func transitions(of state: Int) -> Range<Int> {
    first[state]..<(state + 1 < first.count ? first[state + 1] : targets.count)
  }

  func target(_ transition: Int) -> Int { Int(targets[transition]) }
  func action(_ transition: Int) -> UInt8 { actions[transition] }

  /// The strongly connected components that hold a cycle, of the part of the graph that `keeps` leaves.
  ///
  /// Tarjan's algorithm, without recursion.
  /// - Complexity: O(states + transitions).
  func cycles(keeping keeps: (_ state: Int, _ target: Int) -> Bool) -> [[Int]] {
    let count = stateCount
    var found: [[Int]] = []
    // 0: not seen; else the order of finding + 1.
    var order = [UInt32](repeating: 0, count: count)
    var lowest = [UInt32](repeating: 0, count: count)
    var isOpen = [Bool](repeating: false, count: count)
    var open: [Int] = []
    var way: [(state: Int, next: Int)] = []
    var seen: UInt32 = 0
    for root in 0..<count where order[root] == 0 {
      way.append((root, transitions(of: root).lowerBound))
      while let (state, next) = way.last {
        if order[state] == 0 {
          seen += 1
          order[state] = seen
          lowest[state] = seen
          isOpen[state] = true
          open.append(state)
        }
        let range = transitions(of: state)
        var transition = next
        var descended = false
        while transition < range.upperBound {
          let target = target(transition)
          if keeps(state, target) {
            if order[target] == 0 {
              way[way.count - 1].next = transition + 1
              way.append((target, transitions(of: target).lowerBound))
              descended = true
              break
            }
            if isOpen[target] { lowest[state] = min(lowest[state], order[target]) }
          }
          transition += 1
        }
        if descended { continue }
        way.removeLast()
        if let below = way.last?.state { lowest[below] = min(lowest[below], lowest[state]) }
        guard lowest[state] == order[state] else { continue }
        var component: [Int] = []
        repeat {
          component.append(open.removeLast())
          isOpen[component[component.count - 1]] = false
        } while component[component.count - 1] != state
        if component.count > 1 || hasLoop(state, keeping: keeps) { found.append(component) }
      }
    }
    return found
  }

  private func hasLoop(_ state: Int, keeping keeps: (_ state: Int, _ target: Int) -> Bool) -> Bool {
    transitions(of: state).contains { target($0) == state && keeps(state, state) }
  }
}
