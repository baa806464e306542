import Glibc

/// The course of a recording: what each event that comes from outside leads to. No I/O, no clock.
///
///     preparing ─▶ recording ─▶ writing ─▶ awaitingCommand ─▶ ended
///
/// Any state goes to `ended` when the recorder itself fails; that is thrown past this machine.
struct CaptureStateMachine: Equatable {
  private enum State: Equatable {
    /// The instance is being set up. Left by ``prepared()``.
    case preparing
    /// Tracing is on. Left by a signal, the end of the time, or of the command.
    case recording
    /// Tracing is off, the file is being made. Left by ``fileWritten()``.
    case writing
    /// The file is there; the command outlives it. Left by its end, or by a signal.
    case awaitingCommand
    case ended
  }

  private enum Command: Equatable {
    case none
    case running
    case ended(CommandEnd)
  }

  private var state = State.preparing
  private var command: Command
  /// The signal that came before tracing was on.
  private var earlySignal: Int32?
  /// The signal that ended the wait for the command.
  private var leavingSignal: Int32?

  init(hasCommand: Bool) { command = hasCommand ? .running : .none }

  enum PreparedResult: Equatable {
    case begin
    /// The user has lost interest: leave without a file.
    case abandon(signal: Int32)
  }

  /// Everything is set up, and tracing may be switched on.
  mutating func prepared() -> PreparedResult {
    precondition(state == .preparing, "prepared() in state \(state)")
    if let earlySignal {
      state = .ended
      return .abandon(signal: earlySignal)
    }
    state = .recording
    return .begin
  }

  struct SignalResult: Equatable {
    /// Switch tracing off.
    var stops = false
    /// Send the signal on to the command, which did not get it by itself.
    var forwards = false
    /// Wait no longer for the command.
    var leaves = false
  }

  /// A signal that asks the recorder to stop came in.
  mutating func stopRequested(_ signal: ReceivedSignal) -> SignalResult {
    // Ctrl-C and a terminal's hang-up reach the whole foreground group.
    let forwards = command == .running && !signal.fromKernel
    switch state {
    case .preparing:
      earlySignal = earlySignal ?? signal.number
      return SignalResult()
    case .recording:
      state = .writing
      return SignalResult(stops: true, forwards: forwards)
    case .writing:
      return SignalResult(forwards: forwards)
    case .awaitingCommand:
      state = .ended
      leavingSignal = signal.number
      return SignalResult(forwards: forwards, leaves: true)
    case .ended:
      return SignalResult()
    }
  }

  enum EndResult: Equatable {
    case stop
    case nothing
    /// There is nothing left to do.
    case leave
  }

  /// The command has ended.
  mutating func commandEnded(_ end: CommandEnd) -> EndResult {
    precondition(command != .none, "a command ended that was never started")
    command = .ended(end)
    switch state {
    case .preparing, .writing, .ended:
      return .nothing
    case .recording:
      state = .writing
      return .stop
    case .awaitingCommand:
      state = .ended
      return .leave
    }
  }

  /// The time to record is over.
  mutating func durationElapsed() -> EndResult {
    switch state {
    case .recording:
      state = .writing
      return .stop
    case .preparing, .writing, .awaitingCommand, .ended:
      return .nothing
    }
  }

  enum WrittenResult: Equatable {
    case leave
    case awaitCommand
  }

  /// The file is in its place.
  mutating func fileWritten() -> WrittenResult {
    precondition(state == .writing, "fileWritten() in state \(state)")
    switch command {
    case .running:
      state = .awaitingCommand
      return .awaitCommand
    case .none, .ended:
      state = .ended
      return .leave
    }
  }

  var isAwaitingCommand: Bool { state == .awaitingCommand }

  /// The command's status; 0 without one; 128 + signal where that made the recorder leave a command that still runs.
  var exitStatus: Int32 {
    switch command {
    case .none: 0
    case .running: leavingSignal.map { 128 + $0 } ?? 0
    case .ended(let end): end.exitStatus
    }
  }
}
