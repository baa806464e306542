import ArgumentParser
import TraceCapture
import TraceTypes

struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Record the events of cross-CPU calls into a trace file.",
    usage: "ipitrace record [<options>] [-- <command> …]",
    discussion: """
      Records into a tracing instance of its own, which is gone afterwards, until COMMAND ends, --duration is over, or \
      Ctrl-C. The file opens in trace-cmd report and KernelShark as well; it appears whole or not at all.

      Needs root and a mounted tracefs. The exit status is that of COMMAND (128 + signal if one killed it), 127 or 126 \
      if it could not be started, and 125 if the recording failed.
      """)

  @Option(name: [.customShort("o"), .customLong("output")], help: "The file to write.")
  var output = "trace.dat"

  @Option(
    name: [.customShort("b"), .customLong("buffer-size")],
    help: ArgumentHelp("Buffer per CPU in KiB; 4M and 512K are understood.", valueName: "size"),
    transform: { try parsed(BufferSize(parsing: $0), "‘\($0)’ is no buffer size: 4096 (KiB), 4M, 512K") })
  var bufferSize: BufferSize?

  @Option(
    name: [.customShort("C"), .customLong("clock")],
    help: ArgumentHelp("The kernel's trace clock to use, for example mono. (default: local)", valueName: "clock"))
  var clock: String?

  @Option(
    help: ArgumentHelp("Stop after this time: 10, 10s, 500ms, 2m.", valueName: "time"),
    transform: { try parsed(CaptureDuration(parsing: $0), "‘\($0)’ is no time: 10, 10s, 500ms, 2m") })
  var duration: CaptureDuration?

  @Option(
    help: ArgumentHelp("Record these CPUs only, for example 0-3,7. (default: all)", valueName: "list"),
    transform: { text in
      try parsed(CPUMask(list: text).flatMap { $0.isEmpty ? nil : $0 }, "‘\(text)’ is no list of CPUs: 0-3,7")
    })
  var cpus: CPUMask?

  @Flag(
    name: .customLong("no-sched"),
    help: """
      Leave out sched_switch, most of the volume on a busy machine. Everything else stays, also the scheduler's \
      sched_wake_idle_without_ipi.
      """)
  var withoutSwitches = false

  @Flag(help: "Store all symbols of the kernel, about 5 MB, instead of those that the events refer to.")
  var allSymbols = false

  @Argument(parsing: .postTerminator, help: ArgumentHelp("The command to run.", valueName: "command"))
  var command: [String] = []

  func run() throws {
    var options = CaptureOptions()
    options.output = output
    options.bufferSize = bufferSize
    options.clock = clock
    options.duration = duration
    options.cpus = cpus
    options.recordsSwitches = !withoutSwitches
    options.storesAllSymbols = allSymbols
    options.command = command

    do {
      let summary = try CaptureSession(options: options, note: Self.say).run()
      Self.say(
        "\(summary.events) events of \(summary.cpus) \(summary.cpus == 1 ? "CPU" : "CPUs"), \(summary.lostEvents) lost, "
          + "\(Self.size(summary.size)) in \(summary.output).")
      if summary.exitStatus != 0 { throw ExitCode(summary.exitStatus) }
    } catch let error as CaptureError {
      Self.say(error.description)
      throw ExitCode(error.exitStatus)
    }
  }

  private static func say(_ message: String) { StandardError.complain("ipitrace: \(message)") }

  private static func size(_ bytes: UInt64) -> String {
    if bytes < 1 << 20 { return "\((bytes + 1023) >> 10) KiB" }
    let tenths = (bytes * 10) >> 20
    return "\(tenths / 10).\(tenths % 10) MiB"
  }
}

private func parsed<Value>(_ value: Value?, _ message: String) throws -> Value {
  guard let value else { throw ValidationError(message) }
  return value
}
