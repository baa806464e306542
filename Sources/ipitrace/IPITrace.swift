import ArgumentParser
import Glibc

@main
struct IPITrace: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ipitrace",
    abstract: "Record the kernel's cross-CPU calls, and hold what happened against the kernel's own engine.",
    subcommands: [RecordCommand.self, ReplayCommand.self, ReportCommand.self])

  /// Parses and runs, with the status 2 for wrong usage; the parser's own would be 64.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      // A recorded command's own status may be 64 as well.
      guard !(error is ExitCode), exitCode(for: error) == .validationFailure else { exit(withError: error) }
      StandardError.complain(fullMessage(for: error))
      Glibc.exit(2)
    }
  }
}
