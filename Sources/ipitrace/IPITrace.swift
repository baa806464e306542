import ArgumentParser
import Glibc

// Not an AsyncParsableCommand: its entry point moves everything to a worker thread of Dispatch, which would then be
// seen, with its own name and its own wakeups, in what we record.
@main
struct IPITrace: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ipitrace",
    abstract: "Record the kernel's cross-CPU calls, and hold what happened against the kernel's own engine.",
    discussion: """
      Exit status: 0 fine, 1 findings that --fail-on asks for or an output that can't be written, 2 wrong usage, 3 a \
      trace or result that can't be read. `record` passes on the status of the command that it runs.
      """,
    version: "0.1.0",
    subcommands: [
      RecordCommand.self, ReplayCommand.self, ReportCommand.self, DiffCommand.self, CheckCommand.self,
      EnginesCommand.self, ExplainCommand.self, DumpCommand.self,
    ])

  /// The exit status of wrong usage. The argument parser's own would be 64.
  private static let usageStatus: CInt = 2

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let status as ExitCode {
      // What a command chose, after it has said why. It may be 64: a recorded command may have ended with that.
      Glibc.exit(status.rawValue)
    } catch {
      let status = exitCode(for: error)
      // Help, when it was asked for.
      if status.isSuccess { exit(withError: error) }
      StandardError.complain(fullMessage(for: error))
      Glibc.exit(status == .validationFailure ? usageStatus : status.rawValue)
    }
  }
}
