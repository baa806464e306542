import ArgumentParser

@main
struct IPITrace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ipitrace",
    abstract: "Record the kernel's cross-CPU calls, and hold what happened against the kernel's own engine.",
    subcommands: [ReportCommand.self])
}
