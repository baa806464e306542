import ArgumentParser
import CallEngines
import Drivers
import FoundationEssentials

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "check", abstract: "Explore every interleaving of a small configuration.")
  @Flag var all = false
  @Flag var noReduction = false
  @Option var scenario: String?
  @Option var file: String?
  @Option var memory: Int = 2000
  func run() throws {
    var list = ScenarioLibrary.all
    if let file { list = try ScenarioParser.parse(String(contentsOfFile: file, encoding: .utf8)) }
    for s in list where scenario == nil || s.name == scenario {
      for c in s.cases {
        var o = Explorer.Options(); o.reduces = !noReduction; o.memoryLimit = memory << 20
        let f = Explorer(engine: c.engine, workload: s.workload, options: o).explore()
        print(s.name, c.engineName, f.states, f.transitions, f.depth, f.duration, f.bytes / f.states, f.violations.keys.map(\.name), f.stopped as Any)
      }
    }
  }
}
