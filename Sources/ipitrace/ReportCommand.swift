import ArgumentParser
import Glibc
import Reports
import Verdicts

/// `ipitrace report`: renders a saved result again.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Render a saved result again.",
    discussion: """
      Prints the result as text, or writes it as one HTML page that needs nothing else. The exit status is 0 when the \
      result could be read, whatever it says, and 3 when it could not.
      """)

  /// Results are capped when they are made and stay far below this.
  static let sizeLimit = 256 << 20

  @Argument(
    help: ArgumentHelp("A result written by 'ipitrace replay --json'; - is standard input.", valueName: "RESULT.json"),
    completion: .file(extensions: ["json"]))
  var input: String

  @Option(
    help: ArgumentHelp("Write an HTML page instead of text; - is standard output.", valueName: "FILE"),
    completion: .file(extensions: ["html"]))
  var html: String?

  func run() throws {
    let result = try read()
    do {
      if let html {
        try OutputFile.write(Array(HTMLReport.render(result).utf8), to: html)
      } else {
        let terminal = TerminalFacts(descriptor: STDOUT_FILENO)
        let report = TerminalReport(
          width: terminal.width ?? TerminalReport.defaultWidth, style: terminal.wantsColour ? .ansi : .plain)
        try OutputFile.write(Array(report.render(result).utf8), to: "-")
      }
    } catch {
      complain("\(VisibleText.escape(error.description, limit: 1_000))")
      throw ExitCode(1)
    }
  }

  private func read() throws -> ReplayResult {
    let reason: String
    do {
      return try JSONReport.parse(InputBytes.read(path: input, limit: Self.sizeLimit))
    } catch let error as InputError {
      reason = error.reason
    } catch let error as JSONReportError {
      reason = error.message
    }
    let name = input == "-" ? "standard input" : VisibleText.escape(input, limit: 1_000)
    complain("can't read \(name): expected a result written by 'ipitrace replay --json', but \(reason)")
    throw ExitCode(3)
  }

  private func complain(_ sentence: String) { StandardError.complain("ipitrace report: \(sentence)") }
}
