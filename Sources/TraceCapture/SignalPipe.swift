import CTracefs
import Glibc
import Synchronization

/// The pipe's input while a ``SignalPipe`` lives, else −1. All that the signal handler touches.
private let handlerOutput = Atomic<Int32>(-1)

/// A signal that the recorder was sent.
struct ReceivedSignal: Equatable {
  var number: Int32
  /// True when the kernel sent it, as for Ctrl-C on a terminal: then the whole foreground group has got it.
  var fromKernel: Bool
}

/// Turns signals into bytes of a pipe, so that the recorder takes them one after the other and cleans up.
final class SignalPipe {
  /// What ends a recording.
  static let stopping: [Int32] = [SIGINT, SIGTERM, SIGHUP]

  private let pipe: Pipe
  private var previous: [(Int32, sigaction)] = []
  /// What was blocked when the recorder started.
  private var blocked = sigset_t()
  /// What was ignored when the recorder started; a command inherits that.
  private(set) var ignored = sigset_t()

  /// - Throws: ``CaptureError/setupFailed(_:_:)``.
  init() throws(CaptureError) {
    guard let pipe = Pipe(nonblocking: true) else { throw .setupFailed("making a pipe", errno) }
    self.pipe = pipe
    sigemptyset(&ignored)
    handlerOutput.store(pipe.input.number, ordering: .sequentiallyConsistent)
    for number in Self.stopping + [SIGCHLD] { install(number) }
    // Neither a reader of stderr that went away nor a limit on file sizes may end the recorder before it has removed
    // its instance.
    for number in [SIGPIPE, SIGXFSZ] { ignore(number) }
    // Who started us may have blocked them, and an exec keeps that: then the end of the command would never be seen.
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for number in Self.stopping + [SIGCHLD] { sigaddset(&wanted, number) }
    pthread_sigmask(SIG_UNBLOCK, &wanted, &blocked)
  }

  private func ignore(_ number: Int32) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = SIG_IGN
    var old = sigaction()
    sigaction(number, &action, &old)
    noteIgnored(number, old)
    previous.append((number, old))
  }

  deinit {
    pthread_sigmask(SIG_SETMASK, &blocked, nil)
    for (number, action) in previous.reversed() {
      var action = action
      sigaction(number, &action, nil)
    }
    handlerOutput.store(-1, ordering: .sequentiallyConsistent)
  }

  private func install(_ number: Int32) {
    var action = sigaction()
    action.__sigaction_handler.sa_sigaction = { number, information, _ in
      let saved = errno
      let fromKernel: Int32 = 0x80
      let isFromKernel = information?.pointee.si_code == fromKernel
      var byte = UInt8(truncatingIfNeeded: number) | (isFromKernel ? 0x80 : 0)
      _ = write(handlerOutput.load(ordering: .relaxed), &byte, 1)
      errno = saved
    }
    action.sa_flags = Int32(SA_SIGINFO) | Int32(SA_RESTART)
    sigemptyset(&action.sa_mask)
    var old = sigaction()
    sigaction(number, nil, &old)
    noteIgnored(number, old)
    // nohup means it. An ignored SIGINT only means that a script started us in the background.
    if number == SIGHUP && Self.isIgnored(old) { return }
    sigaction(number, &action, &old)
    previous.append((number, old))
  }

  private func noteIgnored(_ number: Int32, _ action: sigaction) {
    if Self.isIgnored(action) { sigaddset(&ignored, number) }
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }

  /// Sleeps until a signal comes, or the time is over.
  /// - Parameter milliseconds: 0 only looks; negative waits for ever.
  func wait(milliseconds: Int32) {
    var descriptor = pollfd(fd: pipe.output.number, events: Int16(POLLIN), revents: 0)
    _ = poll(&descriptor, 1, milliseconds)
  }

  /// The next signal that ``wait(milliseconds:)`` was woken by, or nil.
  func next() -> ReceivedSignal? {
    var byte: UInt8 = 0
    guard read(pipe.output.number, &byte, 1) == 1 else { return nil }
    return ReceivedSignal(number: Int32(byte & 0x7f), fromKernel: byte & 0x80 != 0)
  }
}
