import CallEngines
import Testing

@testable import Drivers

@Suite struct SearchTests {
  private let engine: Engine
  private let workload: Workload

  init() throws {
    let text = "scenario test\ncpu 0: single 1 f wait; many 0-1 f\ncpu 1: single 0 g; down 0\nengine llist-2014"
    let scenario = try #require(try ScenarioParser.parse(text).first)
    engine = try #require(scenario.cases.first).engine
    workload = scenario.workload
  }

  /// Room for the first state, and for nothing else.
  private var narrow: Search.Shape {
    let machine = engine.machine(for: workload, stackDepth: 8, isTracking: true)
    let widths = (0..<machine.layout.cellCount).map { StatePacking.width(of: machine.value(of: $0)) }
    return Search.Shape(stackDepth: 8, widths: widths)
  }

  private func search(_ shape: Search.Shape, keepsTransitions: Bool = false) -> Search {
    Search(
      engine: engine, workload: workload, options: Explorer.Options(), shape: shape, keepsTransitions: keepsTransitions)
  }

  /// Packing anew in the middle of a search changes nothing that is found.
  @Test func narrowCellsAreWidened() throws {
    var wide = narrow
    wide.widen(for: wide.widths.indices.map { ($0, 255) })
    let expected = search(wide)
    let found = search(narrow)
    guard case .ended = expected.run(), case .ended = found.run() else {
      Issue.record("a search did not end")
      return
    }
    #expect(expected.finding.states > 500)
    #expect(found.finding.states == expected.finding.states)
    #expect(found.finding.transitions == expected.finding.transitions)
    #expect(found.finding.depth == expected.finding.depth)
    #expect(found.finding.violations.mapValues(\.count) == expected.finding.violations.mapValues(\.count))
  }

  /// What keeps transitions asks for another search instead: a transition that comes late would be taken for another state's.
  @Test func transitionsAreNotKeptOutOfOrder() {
    guard case .tooNarrow(let values) = search(narrow, keepsTransitions: true).run() else {
      Issue.record("it went on")
      return
    }
    var shape = narrow
    shape.widen(for: values)
    for (cell, value) in values { #expect(shape.widths[cell] >= StatePacking.width(of: value)) }
  }

  @Test func aFullStackIsSaid() {
    let machine = engine.machine(for: workload, stackDepth: 2, isTracking: true)
    let shape = Search.Shape(stackDepth: 2, widths: Array(repeating: 8, count: machine.layout.cellCount))
    guard case .tooDeep = search(shape).run() else {
      Issue.record("it went on")
      return
    }
  }

  /// With neither room nor depth to begin with, an exploration comes to the same.
  @Test func anExplorationFindsItsShape() {
    var options = Explorer.Options()
    options.reduces = false
    let finding = Explorer(engine: engine, workload: workload, options: options).explore()
    var unreduced = narrow
    unreduced.widen(for: unreduced.widths.indices.map { ($0, 255) })
    let whole = Search(
      engine: engine, workload: workload, options: options, shape: unreduced, keepsTransitions: false)
    guard case .ended = whole.run() else {
      Issue.record("a search did not end")
      return
    }
    #expect(finding.states == whole.finding.states)
    #expect(finding.transitions == whole.finding.transitions)
  }
}
