import ArgumentParser
import Reports
import TraceCapture
import TraceTypes

struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Record the events of cross-CPU calls into a trace file.",
    usage: """
      ipitrace record [<options>] [-- <command> …]
      ipitrace record --recover <directory> [-o <file>] [--no-addresses]
      ipitrace record --from <trace> --no-addresses -o <file>
      """,
    discussion: """
      Records into a tracing instance of its own, which is gone afterwards, until COMMAND ends, --duration is over, or \
      Ctrl-C. The file opens in trace-cmd report and KernelShark as well; it appears whole or not at all, and only its \
      owner can read it, as it holds addresses of the kernel: --no-addresses makes one that can be given away.

      Until then the recording is in the directory .FILE.ipitrace-XXXXXX beside it. A recorder that is killed leaves it \
      there; --recover makes a trace file of it, with all that had been collected, and removes it.

      Needs root and a mounted tracefs. The exit status is that of COMMAND (128 + signal if one killed it), 127 or 126 \
      if it could not be started, and 125 if the recording failed.
      """)

  @Option(
    name: [.customShort("o"), .customLong("output")], help: "The file to write. (default: trace.dat)",
    completion: .file())
  var output: String?

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

  @Flag(
    name: .customLong("no-addresses"),
    help: """
      Write other addresses in the place of the kernel's: names, order and identity stay, but nothing tells where the \
      kernel lies.
      """)
  var hidesAddresses = false

  @Option(
    help: ArgumentHelp(
      "Write FILE.000001, FILE.000002, …: a new one after so much, for example 64M. Nothing is lost in between.",
      valueName: "size"),
    transform: { text in
      try parsed(
        MemorySize(parsing: text).flatMap { $0.bytes >= Self.smallestPiece ? $0 : nil },
        "‘\(text)’ is no size of a piece: 64M, 1G; at least 64K")
    })
  var rotate: MemorySize?

  @Option(
    help: ArgumentHelp("With --rotate: keep the last so many of these files.", valueName: "count"),
    transform: { text in try parsed(Int(text).flatMap { $0 > 0 ? $0 : nil }, "‘\(text)’ is no number of files: 1, 10") }
  )
  var keep: Int?

  @Option(
    name: .customLong("recorder-cpus"),
    help: ArgumentHelp(
      "Run the recorder itself on these CPUs only; the command may run on all.", valueName: "list"),
    transform: { text in
      try parsed(CPUMask(list: text).flatMap { $0.isEmpty ? nil : $0 }, "‘\(text)’ is no list of CPUs: 0-3,7")
    })
  var recorderCPUs: CPUMask?

  @Option(
    help: ArgumentHelp(
      "Record nothing, but make the trace file of what a killed recorder left in this directory.",
      valueName: "directory"), completion: .directory)
  var recover: String?

  @Option(
    help: ArgumentHelp(
      "Record nothing, but copy a file that was recorded before; with --no-addresses.", valueName: "trace"),
    completion: .file())
  var from: String?

  @Argument(parsing: .postTerminator, help: ArgumentHelp("The command to run.", valueName: "command"))
  var command: [String] = []

  private static let smallestPiece = 64 << 10

  func validate() throws {
    if keep != nil, rotate == nil { throw ValidationError("--keep needs --rotate.") }
    if recover != nil, from != nil { throw ValidationError("--recover and --from exclude each other.") }
    if recover != nil || from != nil {
      guard
        command.isEmpty, rotate == nil, duration == nil, cpus == nil, bufferSize == nil, clock == nil,
        recorderCPUs == nil, !withoutSwitches
      else {
        throw ValidationError(
          "--recover and --from record nothing: only -o, --all-symbols and --no-addresses go along.")
      }
    }
    if from != nil {
      guard hidesAddresses else { throw ValidationError("--from is for --no-addresses.") }
      guard output != nil else { throw ValidationError("--from needs a file to write: -o.") }
    }
  }

  func run() throws {
    do {
      let summary = try makeFile()
      for sentence in Self.sentences(about: summary) { Self.say(sentence) }
      if summary.exitStatus != 0 { throw ExitCode(summary.exitStatus) }
    } catch let error as CaptureError {
      Self.say(error.description)
      throw ExitCode(error.exitStatus)
    }
  }

  private func makeFile() throws(CaptureError) -> CaptureSummary {
    if let recover {
      return try RecordingRecovery.recover(
        recover, to: output, hidesAddresses: hidesAddresses, storesAllSymbols: allSymbols, note: Self.say)
    }
    if let from { return try RecordingRecovery.hideAddresses(of: from, in: output ?? "", note: Self.say) }
    var options = CaptureOptions()
    if let output { options.output = output }
    options.bufferSize = bufferSize
    options.clock = clock
    options.duration = duration
    options.cpus = cpus
    options.recordsSwitches = !withoutSwitches
    options.storesAllSymbols = allSymbols
    options.hidesAddresses = hidesAddresses
    options.pieces = rotate.map { PieceOptions(bytes: UInt64($0.bytes), kept: keep) }
    options.recorderCPUs = recorderCPUs
    options.command = command
    return try CaptureSession(options: options, note: Self.say).run()
  }

  /// What was recorded, and what the recorder itself added to it.
  private static func sentences(about summary: CaptureSummary) -> [String] {
    let cpus = "\(summary.cpus) \(summary.cpus == 1 ? "CPU" : "CPUs")"
    var result = ["\(summary.events) events of \(cpus), \(summary.lostEvents) lost, \(size(summary.size))"]
    if let pieces = summary.pieces {
      result[0] +=
        "; \(pieces) \(pieces == 1 ? "file" : "files") \(summary.output).* \(pieces == 1 ? "is" : "are") there."
    } else {
      result[0] += " in \(summary.output)."
    }
    if let sent = summary.facts.recorderInterrupts {
      var sentence = "The recorder itself sent \(sent) \(sent == 1 ? "IPI" : "IPIs")"
      if let wakeups = summary.facts.recorderWakeups { sentence += " and began to run \(wakeups) times" }
      if let cpus = summary.facts.recorderCPUs { sentence += " on CPUs \(cpus.list)" }
      result.append(sentence + ".")
    }
    return result
  }

  private static func say(_ message: String) {
    StandardError.complain("ipitrace: \(VisibleText.escape(message, limit: 10_000))")
  }

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
