import CallEngines
import Drivers
import Testing

/// What was written for mainline, run through the cross call interface.
@Suite struct CrossCallExplorationTests {
  /// The promises that a scenario of the library violates, as it is and with every call under its new name.
  private func promises(of name: String) throws -> (old: [Property], new: [Property]) {
    let workload = try #require(ScenarioLibrary.all.first { $0.name == name }).workload
    func violated(_ engine: String, _ workload: Workload) throws -> [Property] {
      let finding = Explorer(engine: try #require(Engine(name: engine)), workload: workload).explore()
      #expect(finding.stopped == nil)
      return Property.allCases.filter { $0.isPromise && finding.violations[$0] != nil }
    }
    return (try violated("mainline", workload), try violated("xcall-2022", workload.asCrossCalls()))
  }

  @Test(arguments: [
    "mainline-wait", "mainline-irqs-off", "mainline-irqs-off-many", "mainline-irqs-off-async", "mainline-busy",
    "mainline-handler-wait", "mainline-handler-async", "mainline-cond", "mainline-coalescing", "mainline-polling",
  ])
  func comesToTheSame(_ name: String) throws {
    let (old, new) = try promises(of: name)
    #expect(old == new)
  }

  /// -ENXIO of one CPU is gone.
  @Test func anOfflineCPUIsNoError() throws {
    let (old, new) = try promises(of: "mainline-nxio")
    #expect(old == [])
    #expect(new == [.returnValues])
  }

  /// The interface is additive: with the old calls the engine is mainline.
  @Test func theOldCallsAreThereAsWell() throws {
    let engine = try #require(Engine(name: "xcall-2022"))
    for scenario in ScenarioLibrary.all where scenario.cases.contains(where: { $0.engineName == "mainline" }) {
      guard scenario.name == "mainline-irq-work" || scenario.name == "mainline-dying" else { continue }
      let item = try #require(scenario.cases.first { $0.engineName == "mainline" })
      let finding = Explorer(engine: engine, workload: scenario.workload).explore()
      for property in item.properties {
        #expect((finding.violations[property] != nil) == item.violated.contains(property), "\(property.name)")
      }
    }
  }
}
