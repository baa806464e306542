import ArgumentParser
import CallEngines
import Drivers

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Explore every interleaving of a small configuration.")
  @Flag var all = false
  @Flag var noReduction = false
  @Option var scenario: String?
  func run() throws {
    for s in ScenarioLibrary.all where scenario == nil || s.name == scenario {
      for c in s.cases {
        var o = Explorer.Options()
        o.reduces = !noReduction
        let f = Explorer(engine: c.engine, workload: s.workload, options: o).explore()
        print(
          s.name, c.engineName, f.states, f.transitions, f.depth, f.duration, f.bytes, f.violations.keys,
          f.stopped as Any)
      }
    }
  }
}
