import Testing

@testable import Drivers

@Suite struct TransitionGraphTests {
  /// A graph from its edges, state by state.
  private func graph(_ edges: [[Int]]) -> TransitionGraph {
    var graph = TransitionGraph()
    for targets in edges {
      graph.beginState()
      for target in targets { graph.append(target: target, action: UInt8(truncatingIfNeeded: target)) }
    }
    return graph
  }

  private func cycles(_ edges: [[Int]], keeping keeps: (Int, Int) -> Bool = { _, _ in true }) -> Set<Set<Int>> {
    Set(graph(edges).cycles(keeping: keeps).map(Set.init))
  }

  @Test func aTreeHasNone() {
    #expect(cycles([[1, 2], [3], [3], []]).isEmpty)
  }

  @Test func aLoopIsOne() {
    #expect(cycles([[1], [1]]) == [[1]])
  }

  @Test func componentsAreMaximal() {
    // 0 → 1 ⇄ 2 ⇄ 3, and 4 ⇄ 5 apart, both entered from 0.
    #expect(cycles([[1, 4], [2], [1, 3], [2], [5], [4]]) == [[1, 2, 3], [4, 5]])
  }

  /// A cycle that is closed only through a state that was finished before is none.
  @Test func crossEdgesCloseNothing() {
    #expect(cycles([[1, 2], [3], [1, 4], [], [2]]) == [[2, 4]])
  }

  @Test func whatIsLeftOutClosesNothing() {
    #expect(cycles([[1], [2], [0]]) == [[0, 1, 2]])
    #expect(cycles([[1], [2], [0]]) { state, _ in state != 1 }.isEmpty)
  }

  @Test func transitionsBelongToTheirStates() {
    let graph = graph([[1, 2], [], [0]])
    #expect(graph.transitions(of: 0).map { graph.target($0) } == [1, 2])
    #expect(graph.transitions(of: 1).isEmpty)
    #expect(graph.transitions(of: 2).map { graph.action($0) } == [0])
  }

  /// A long way is walked without recursion.
  @Test func aLongCycleIsFound() {
    let count = 200_000
    let cycles = cycles((0..<count).map { [($0 + 1) % count] })
    #expect(cycles.count == 1)
    #expect(cycles.first?.count == count)
  }
}
