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

  @Test func namesAreUnique() {
    let names = ScenarioLibrary.all.map(\.name)
    #expect(Set(names).count == names.count)
  }

  @Test func everyEngineHasAScenario() {
    let engines = Set(ScenarioLibrary.all.flatMap(\.cases).map { $0.engineName.prefix { $0 != ":" } })
    for description in EngineDescription.all { #expect(engines.contains(description.name[...]), "\(description.name)") }
  }

  /// A check that nothing ever fails checks nothing.
  @Test func everyPropertyIsViolatedSomewhere() {
    let faults =
      Generic2008FaultTests.faults + PerCPU2009FaultTests.faults + LockLess2014FaultTests.faults
      + PendingQueue2014FaultTests.faults + CrossCall2022FaultTests.faults + MainlineFaultTests.faults
      + MainlineVariantFaultTests.faults
    let violated = Set(ScenarioLibrary.all.flatMap(\.cases).flatMap(\.violated) + faults.map(\.violates))
    for property in Property.allCases { #expect(violated.contains(property), "\(property.name)") }
    for description in EngineDescription.all {
      let count = faults.count { $0.engine.prefix { $0 != ":" } == description.name }
      #expect(count >= 5, "\(description.name) has \(count) faults")
    }
  }

  @Test(arguments: cases) func comesOutAsClaimed(_ libraryCase: LibraryCase) {
    var options = Explorer.Options()
    #if DEBUG
      // What is larger is left to the optimised tests, which are thirty times as fast.
      options.stateLimit = 200
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
