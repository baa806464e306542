import CallEngines
import Drivers
import Testing

@Suite struct ScenarioLibraryTests {
  /// Every scenario of the library with each of its engines.
  static let cases: [LibraryCase] = ScenarioLibrary.all.flatMap { scenario in
    scenario.cases.map { LibraryCase(scenario: scenario, item: $0) }
  }

  struct LibraryCase: Sendable, CustomTestStringConvertible {
    var scenario: Scenario
    var item: Scenario.Case

    var testDescription: String { "\(scenario.name) \(item.engineName)" }
  }

  @Test(arguments: cases) func comesOutAsClaimed(_ libraryCase: LibraryCase) {
    var options = Explorer.Options()
    #if DEBUG
      // What is larger is left to the optimised tests, which are thirty times as fast.
      options.stateLimit = 5_000
    #endif
    let finding = Explorer(
      engine: libraryCase.item.engine, workload: libraryCase.scenario.workload, options: options
    ).explore()
    #if DEBUG
      if finding.stopped == .tooManyStates { return }
    #endif
    #expect(finding.stopped == nil)
    for property in libraryCase.item.properties {
      let isExpected = libraryCase.item.violated.contains(property)
      #expect((finding.violations[property] != nil) == isExpected, "\(property.name)")
    }
  }
}
