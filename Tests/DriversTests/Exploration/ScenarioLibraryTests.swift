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
    let finding = Explorer(engine: libraryCase.item.engine, workload: libraryCase.scenario.workload).explore()
    #expect(finding.stopped == nil)
    for property in libraryCase.item.properties {
      let isExpected = libraryCase.item.violated.contains(property)
      #expect((finding.violations[property] != nil) == isExpected, "\(property.name)")
    }
  }
}
