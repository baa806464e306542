import ArgumentParser

@main
struct IPITrace: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ipitrace",
    abstract: "Record the kernel's cross-CPU calls, and hold what happened against the kernel's own engine.",
    subcommands: [RecordCommand.self, ReplayCommand.self, ReportCommand.self, DumpCommand.self])
}
