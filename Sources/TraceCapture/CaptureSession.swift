import CTracefs
import Glibc
import TraceTypes

/// Records the events of cross-CPU calls into a trace file.
///
/// Works on one thread, the caller's, which also takes SIGINT, SIGTERM and SIGHUP while it runs. However it ends, its
/// instance in tracefs is gone, and the output file is either whole or untouched.
public final class CaptureSession {
  private let options: CaptureOptions
  private let note: (String) -> Void
  private var machine: CaptureStateMachine
  private var command: HeldCommand?

  /// - Parameter note: takes warnings, each a sentence without a newline.
  public init(options: CaptureOptions, note: @escaping (String) -> Void) {
    self.options = options
    self.note = note
    machine = CaptureStateMachine(hasCommand: !options.command.isEmpty)
  }

  /// Records until the command ends, the time is over, or a signal comes, and writes the file.
  /// - Returns: after the command has ended as well.
  /// - Throws: ``CaptureError``, with nothing left behind.
  /// - Complexity: O(length of the recording), in memory that does not depend on it.
  public func run() throws(CaptureError) -> CaptureSummary {
    let signals = try SignalPipe()
    let fileLimit = raiseFileLimit()
    let output = try OutputFile(path: options.output)
    if let program = options.command.first {
      _ = try HeldCommand.find(program, searchPath: HeldCommand.searchPath)
    }
    let root = try TracefsInstance.root()
    removeStaleInstances(root: root)
    // Before the readers are there: a command that had inherited them would close them when it begins, and for each
    // the kernel would raise a wakeup interrupt, as the first thing that is recorded.
    if !options.command.isEmpty {
      command = try HeldCommand(options.command, ignoring: signals.ignored, fileLimit: fileLimit)
    }
    let setup = try CaptureSetup(options: options, root: root, output: output, note: note)
    defer { close(setup) }

    let survey: PageSurvey
    let header: TraceFileHeader
    do throws(CaptureError) {
      try record(setup, signals: signals)
      try setup.finishReading()
      survey = try setup.survey()
      header = setup.header(survey: survey, allSymbols: options.storesAllSymbols, note: note)
      close(setup)
      try write(header, setup: setup, output: output)
    } catch {
      // A recorder has no business killing what it watches.
      if let command, command.isReleased, command.reap() == nil {
        note("\(options.command[0]) (process \(command.process)) goes on without being recorded.")
      }
      throw error
    }
    awaitCommand(signals)
    return CaptureSummary(
      output: options.output, size: output.size, events: survey.events.values.reduce(0, +),
      lostEvents: header.facts.lostEvents.values.reduce(0, &+), cpus: setup.readers.count,
      exitStatus: machine.exitStatus, facts: header.facts)
  }

  // MARK: - Recording

  private func record(_ setup: CaptureSetup, signals: SignalPipe) throws(CaptureError) {
    takeSignals(signals)
    if case .abandon(let signal) = machine.prepared() { throw .interrupted(signal: signal) }
    try setup.instance.switchTracing(on: true)
    let start = monotonicMilliseconds()
    // Its failure to start ends the recording before it has a file.
    try command?.release()
    if options.command.isEmpty, options.duration == nil { note("Recording. Press Ctrl-C to stop.") }

    var pace = PollPace()
    while true {
      var sleep = pace.milliseconds
      if let duration = options.duration {
        let left = duration.milliseconds - (monotonicMilliseconds() - start)
        if left <= 0, machine.durationElapsed() == .stop { break }
        sleep = Int32(max(min(Int64(sleep), left), 0))
      }
      signals.wait(milliseconds: sleep)
      if takeSignals(signals) { break }
      pace.looked(fullestPercent: try setup.drain())
    }
    try setup.instance.switchTracing(on: false)
  }

  /// Takes all signals that came in.
  /// - Returns: true when the recording is to stop.
  @discardableResult
  private func takeSignals(_ signals: SignalPipe) -> Bool {
    var stops = false
    var leaves = false
    while let signal = signals.next() {
      if signal.number == SIGCHLD {
        if let end = command?.reap() {
          let result = machine.commandEnded(end)
          stops = stops || result == .stop
        }
      } else {
        let result = machine.stopRequested(signal)
        if result.forwards { command?.send(signal.number) }
        stops = stops || result.stops
        leaves = leaves || result.leaves
      }
    }
    return stops || leaves
  }

  // MARK: - Afterwards

  private func close(_ setup: CaptureSetup) {
    let error = setup.close()
    if error != 0 {
      note("The instance \(setup.instance.name) can't be removed: \(String(cString: strerror(error))).")
    }
  }

  private func write(_ header: TraceFileHeader, setup: CaptureSetup, output: OutputFile) throws(CaptureError) {
    var pageBytes = [UInt64](repeating: 0, count: setup.cpuCount)
    for reader in setup.readers { pageBytes[reader.cpu] = reader.spool?.size ?? 0 }
    try output.append(TraceFileWriter.header(header, pageBytes: pageBytes))
    for reader in setup.readers {
      if let spool = reader.takeSpool() { try output.append(spool) }
    }
    try output.commit()
  }

  private func awaitCommand(_ signals: SignalPipe) {
    takeSignals(signals)
    guard machine.fileWritten() == .awaitCommand, let command else { return }
    note("The recording is complete; waiting for \(options.command[0]) (process \(command.process)) to end.")
    while machine.isAwaitingCommand {
      signals.wait(milliseconds: -1)
      takeSignals(signals)
    }
  }

  // MARK: - Beforehand

  private func removeStaleInstances(root: String) {
    let stale = StaleInstances.remove(in: root + "/instances", own: getpid())
    for name in stale.removed { note("Removed the instance \(name), left behind by a recorder that was killed.") }
    for name in stale.left { note("The instance \(name) of a dead recorder can't be removed: somebody uses it.") }
  }

  /// Two files per CPU may be more than the usual limit of 1,024.
  /// - Returns: the limit before, for the command.
  private func raiseFileLimit() -> rlimit {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var raised = limit
    raised.rlim_cur = raised.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised)
    return limit
  }

  private func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}
