import ArgumentParser
import Drivers
import Reports

/// `ipitrace explain`: what a rule or a property says, and where it comes from.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Print a rule or a property with its source; without a name: list them all.")

  @Argument(
    help: ArgumentHelp("A rule, as in a verdict, or a property, as in a check.", valueName: "name"),
    completion: .list(Explanation.names))
  var name: String?

  func run() throws {
    let terminal = TerminalReport.forStandardOutput
    let text: String
    if let name {
      guard var explanation = Explanation(name: name) else {
        let names = Explanation.names.joined(separator: ", ")
        throw ValidationError("No rule or property ‘\(VisibleText.escape(name))’. They are \(names).")
      }
      mention(&explanation)
      text = explanation.render(width: terminal.width, style: terminal.style)
    } else {
      text = Explanation.list(width: terminal.width, style: terminal.style)
    }
    do {
      try OutputFile.write(text, to: "-")
    } catch {
      StandardError.complain("ipitrace explain: \(VisibleText.escape(error.description, limit: 1_000))")
      throw ExitCode(1)
    }
  }

  private func mention(_ explanation: inout Explanation) {
    guard let property = explanation.property else { return }
    for scenario in ScenarioLibrary.all {
      let violated = scenario.cases.filter { $0.violated.contains(property) }
      let held = scenario.cases.filter { $0.alsoHolds.contains(property) }
      if !violated.isEmpty {
        explanation.violated.append(
          Explanation.Mention(scenario: scenario.name, engines: violated.map(\.engineName)))
      }
      if !held.isEmpty {
        explanation.held.append(Explanation.Mention(scenario: scenario.name, engines: held.map(\.engineName)))
      }
    }
  }
}
