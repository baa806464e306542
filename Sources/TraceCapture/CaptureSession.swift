import CTracefs
import Glibc
import TraceTypes

/// Records the events of cross-CPU calls into a trace file.
///
/// Works on the caller's thread, which also takes SIGINT, SIGTERM and SIGHUP while it runs; pieces are written by another
/// one. However it ends, its instance in tracefs is gone, and the output file is either whole or untouched. Only when it
/// is killed it leaves something behind: the instance, which the next recorder removes, and what it had recorded, of
/// which ``RecordingRecovery`` makes a file.
public final class CaptureSession {
  private let options: CaptureOptions
  private let note: (String) -> Void
  private var machine: CaptureStateMachine
  private var command: HeldCommand?
  private var pieces: RecordingPieces?
  /// The piece that is written while the next one is recorded.
  private var writer: (piece: PieceWriter, place: OutputPlace)?
  /// The thread that wrote during the current piece.
  private var writerThreads: [Int32] = []
  /// When the current piece is to end, on the trace's clock.
  private var pendingCut: UInt64?
  private var summary: CaptureSummary
  private var notedByPieces: Set<String> = []

  /// - Parameter note: takes warnings, each a sentence without a newline.
  public init(options: CaptureOptions, note: @escaping (String) -> Void) {
    self.options = options
    self.note = note
    machine = CaptureStateMachine(hasCommand: !options.command.isEmpty)
    summary = CaptureSummary(
      output: options.output, size: 0, events: 0, lostEvents: 0, cpus: 0, exitStatus: 0, facts: CaptureFacts())
  }

  /// Records until the command ends, the time is over, or a signal comes, and writes the file.
  /// - Returns: after the command has ended as well.
  /// - Throws: ``CaptureError``, with nothing left behind but complete pieces.
  /// - Complexity: O(length of the recording), in memory that does not depend on it.
  public func run() throws(CaptureError) -> CaptureSummary {
    let signals = try SignalPipe()
    let fileLimit = raiseFileLimit()
    let place = try OutputPlace(path: options.output)
    noteLeftovers(beside: place)
    pieces = options.pieces.map { RecordingPieces($0, place: place) }
    let output = try OutputFile(pieces?.next() ?? place)
    if let program = options.command.first {
      _ = try HeldCommand.find(program, searchPath: HeldCommand.searchPath)
    }
    let root = try TracefsInstance.root()
    removeStaleInstances(root: root)
    // Before the readers are there: a command that had inherited them would close them when it begins, and for each
    // the kernel would raise a wakeup interrupt, as the first thing that is recorded. And before the recorder goes to
    // CPUs of its own.
    if !options.command.isEmpty {
      command = try HeldCommand(options.command, ignoring: signals.ignored, fileLimit: fileLimit)
    }
    let affinity = try options.recorderCPUs.map { cpus throws(CaptureError) in try ThreadAffinity(cpus) }
    defer { affinity?.restore() }
    let setup = try CaptureSetup(options: options, root: root, output: output, note: note)
    defer { close(setup) }

    do throws(CaptureError) {
      try record(setup, signals: signals)
      try setup.finishReading()
      try finishPiece(waiting: true)
      let assembly = setup.lastAssembly(threads: writerThreads, piece: pieces?.current)
      close(setup)
      take(try writeLast(assembly, to: setup.output), of: setup.output.spool.place)
    } catch {
      // The process may end now, and the piece before is to be whole.
      try? finishPiece(waiting: true)
      // A recorder has no business killing what it watches.
      if let command, command.isReleased, command.reap() == nil {
        note("\(options.command[0]) (process \(command.process)) goes on without being recorded.")
      }
      throw error
    }
    awaitCommand(signals)
    summary.cpus = setup.readers.count
    summary.exitStatus = machine.exitStatus
    summary.pieces = pieces?.count
    return summary
  }

  /// Writes the file. All pages have been collected: when there is no room for both, they stay.
  private func writeLast(
    _ assembly: CaptureAssembly, to output: OutputFile
  ) throws(CaptureError) -> CaptureAssembly.Outcome {
    do throws(CaptureError) {
      return try assembly.write(to: output)
    } catch {
      guard case .diskFull(let path) = error else { throw error }
      output.keepPages()
      throw .outputNotReplaced(path, ENOSPC, kept: output.spool.path)
    }
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
    var lastLookAtPlace = start
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
      try divide(setup)
      let now = monotonicMilliseconds()
      if now - lastLookAtPlace >= 1_000 {
        lastLookAtPlace = now
        // Nothing that is recorded from here on could ever be put in its place.
        let place = setup.output.spool.place
        if place.isGone { throw .outputNotWritable(place.path, ENOENT) }
      }
    }
    try setup.instance.switchTracing(on: false)
  }

  // MARK: - Pieces

  /// Ends the current piece when it is large enough.
  private func divide(_ setup: CaptureSetup) throws(CaptureError) {
    guard pieces != nil else { return }
    try finishPiece(waiting: false)
    // One at a time: a disk that is too slow makes larger pieces, and neither losses nor a queue in memory.
    if writer != nil { return }
    guard let time = pendingCut else {
      // Cut at the next look: then everything until now is in the buffers for certain, on each CPU.
      if setup.spooledBytes >= options.pieces?.bytes ?? .max { pendingCut = setup.now }
      return
    }
    pendingCut = nil
    let number = pieces?.current ?? 0
    guard let next = pieces?.next() else { return }
    let place = setup.output.spool.place
    let (assembly, output) = try setup.cut(
      at: time, next: OutputFile(next), threads: writerThreads, piece: number)
    writerThreads = []
    writer = (PieceWriter(assembly, to: output), place)
  }

  /// Takes note of a piece that has been written.
  private func finishPiece(waiting: Bool) throws(CaptureError) {
    guard let (piece, place) = writer, waiting || piece.isDone else { return }
    writer = nil
    let outcome = piece.wait()
    writerThreads = [piece.thread]
    switch outcome {
    case .success(let outcome): take(outcome, of: place)
    case .failure(let error): throw error
    case nil: break
    }
  }

  private func take(_ outcome: CaptureAssembly.Outcome, of place: OutputPlace) {
    for text in outcome.notes where !notedByPieces.contains(text) {
      notedByPieces.insert(text)
      note(text)
    }
    summary.size += outcome.size
    summary.events += outcome.events
    summary.lostEvents &+= outcome.lostEvents
    summary.add(outcome.facts)
    pieces?.completed(place)
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

  private func noteLeftovers(beside place: OutputPlace) {
    for name in SpoolDirectory.leftovers(in: place) {
      let path = place.sibling(name).path
      note("A recorder was killed and left \(path): `ipitrace record --recover \(path)` makes a trace file of it.")
    }
  }

  /// Two files per CPU, and three with pieces, may be more than the usual limit of 1,024.
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
