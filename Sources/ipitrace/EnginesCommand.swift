import ArgumentParser
import Reports

/// `ipitrace engines`: the engines, their variants and the mail each comes from.
struct EnginesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "engines", abstract: "List the engines, their variants, and where each comes from.")

  @Option(help: "Write the list as JSON; - is standard output.", completion: .file())
  var json: String?

  func run() throws {
    let engines = EngineList()
    do {
      if let json {
        try OutputFile.write(JSONReport.render(engines), to: json)
      } else {
        let terminal = TerminalReport.forStandardOutput
        try OutputFile.write(engines.render(width: terminal.width, style: terminal.style), to: "-")
      }
    } catch let error as OutputError {
      StandardError.complain("ipitrace engines: \(VisibleText.escape(error.description, limit: 1_000))")
      throw ExitCode(1)
    }
  }
}
