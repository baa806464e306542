import CallEngines
import Drivers
import Testing

@Suite struct ExplorerTests {
  /// Explores the one scenario of a text with the one engine that it names.
  private func explore(_ text: String, _ change: (inout Explorer.Options) -> Void = { _ in }) throws -> Explorer.Finding
  {
    let scenario = try #require(try ScenarioParser.parse("scenario test\n" + text).first)
    var options = Explorer.Options()
    change(&options)
    return Explorer(engine: try #require(scenario.cases.first).engine, workload: scenario.workload, options: options)
      .explore()
  }

  /// One task of two operations stands before the first, before the second, behind both, and is gone.
  @Test func countsTheStatesOfOneTask() throws {
    let finding = try explore("cpus 1\ncpu 0: irqs-off; irqs-on\nengine llist-2014")
    #expect(finding.states == 4)
    #expect(finding.transitions == 3)
    #expect(finding.depth == 3)
    #expect(finding.stopped == nil)
  }

  /// Two tasks with one lock: each before, within, behind and gone, 4 · 4, but not both within. Each can move unless it is gone, or
  /// the other is within and it is before: 3 · 4 − 1 − 1 ways for each.
  @Test func countsTheStatesOfALock() throws {
    let finding = try explore("cpu 0: lock A; unlock A\ncpu 1: lock A; unlock A\nengine llist-2014")
    #expect(finding.states == 15)
    #expect(finding.transitions == 20)
    #expect(finding.depth == 6)
    #expect(finding.violations.isEmpty)
  }

  @Test func findsTheShortestWayToADeadlock() throws {
    let finding = try explore(
      "cpu 0: irqs-off; irqs-on; lock A; lock B; unlock B; unlock A\ncpu 1: lock B; lock A; unlock A; unlock B\nengine llist-2014"
    )
    // Three steps of CPU0 to have A, one of CPU1 to have B.
    #expect(finding.violations[.noDeadlock]?.count == 4)
  }

  @Test func endsAtTheMemoryLimit() throws {
    let finding = try explore(Self.storm) { $0.memoryLimit = 4 << 20 }
    #expect(finding.stopped == .memoryLimit(bytes: 4 << 20))
    #expect(finding.states > 1_000)
    #expect(finding.bytes <= 4 << 20)
  }

  @Test func endsAtTheStateLimit() throws {
    let finding = try explore(Self.storm) { $0.stateLimit = 1_000 }
    #expect(finding.stopped == .tooManyStates)
    #expect(finding.states > 1_000)
  }

  /// A limit that the last state just meets is none.
  @Test func isExhaustedAtItsLastState() throws {
    let finding = try explore("cpus 1\ncpu 0: irqs-off; irqs-on\nengine llist-2014") { $0.stateLimit = 4 }
    #expect(finding.stopped == nil)
  }

  #if !DEBUG
    /// Two threads find the same, in the same order, whichever is faster.
    @Test func findsTheSameEveryTime() throws {
      func found() throws -> [Property: [Action]] {
        let finding = try explore(Self.storm)
        #expect(finding.states > 100_000)
        return finding.violations
      }
      let first = try found()
      #expect(first[.serialised] != nil)
      for _ in 0..<5 { #expect(try found() == first) }
    }

    /// Taking steps alone leaves out states, and no verdict, and gives ways that are as short.
    @Test(arguments: ScenarioLibraryTests.cases) func reductionKeepsVerdicts(
      _ libraryCase: ScenarioLibraryTests.LibraryCase
    ) {
      var options = Explorer.Options()
      let workload = libraryCase.scenario.workload
      let reduced = Explorer(engine: libraryCase.item.engine, workload: workload, options: options).explore()
      options.reduces = false
      let whole = Explorer(engine: libraryCase.item.engine, workload: workload, options: options).explore()
      #expect(reduced.states <= whole.states)
      for property in libraryCase.item.properties where property != .boundedWaiting {
        #expect(reduced.violations[property]?.count == whole.violations[property]?.count, "\(property.name)")
      }
      #expect((reduced.violations[.boundedWaiting] == nil) == (whole.violations[.boundedWaiting] == nil))
    }
  #endif

  static let storm = """
    cpus 3
    cpu 0: many 1-2 f wait
    cpu 1: single 2 g wait
    cpu 2: single 0 g wait
    engine llist-2014
    """
}
