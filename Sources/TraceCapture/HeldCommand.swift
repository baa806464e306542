import CTracefs
import Glibc

/// A command that is started before the recording and begins with it.
final class HeldCommand {
  let process: Int32
  private let name: String
  private var gate: FileDescriptor?
  private let report: FileDescriptor
  private var ended: CommandEnd?

  /// Where programs are looked for.
  static var searchPath: String { getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin" }

  /// Finds a program as a shell does.
  /// - Throws: ``CaptureError/commandNotFound(_:)``, ``CaptureError/commandNotStarted(_:_:)``.
  static func find(_ name: String, searchPath: String) throws(CaptureError) -> String {
    if name.contains("/") {
      guard access(name, F_OK) == 0 else { throw .commandNotFound(name) }
      guard isProgram(name) else { throw .commandNotStarted(name, EACCES) }
      return name
    }
    var found: String?
    for directory in searchPath.split(separator: ":", omittingEmptySubsequences: false) where !name.isEmpty {
      let candidate = directory.isEmpty ? "./" + name : directory + "/" + name
      if isProgram(candidate) { return candidate }
      if found == nil, access(candidate, F_OK) == 0 { found = candidate }
    }
    if found != nil { throw .commandNotStarted(name, EACCES) }
    throw .commandNotFound(name)
  }

  private static func isProgram(_ path: String) -> Bool {
    var status = stat()
    return access(path, X_OK) == 0 && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// Starts the process; it waits for ``release()``.
  /// - Throws: ``CaptureError/commandNotFound(_:)``, ``CaptureError/commandNotStarted(_:_:)``.
  init(_ command: [String], ignoring ignored: sigset_t, fileLimit: rlimit) throws(CaptureError) {
    name = command[0]
    let path = try Self.find(name, searchPath: Self.searchPath)
    guard let gate = Pipe(nonblocking: false), let report = Pipe(nonblocking: false) else {
      throw .setupFailed("making a pipe", errno)
    }
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    var ignored = ignored
    var limit = fileLimit
    process = ipitrace_fork_held(
      path, arguments, environ, gate.output.number, gate.input.number, report.input.number, &ignored, &limit)
    if process < 0 { throw .commandNotStarted(name, errno) }
    self.gate = gate.input
    self.report = report.output
  }

  var isReleased: Bool { gate == nil }

  /// Lets the command begin.
  /// - Throws: ``CaptureError/commandNotStarted(_:_:)`` when the kernel refuses the program.
  func release() throws(CaptureError) {
    if let gate {
      let byte: [UInt8] = [1]
      _ = byte.withUnsafeBytes { gate.write($0) }
    }
    gate = nil
    var error: Int32 = 0
    var count: Int
    // Ends with nothing as soon as exec has closed the other end.
    repeat {
      count = withUnsafeMutableBytes(of: &error) { read(report.number, $0.baseAddress, $0.count) }
    } while count < 0 && errno == EINTR
    if count == MemoryLayout<Int32>.size {
      reap(waiting: true)
      throw .commandNotStarted(name, error)
    }
  }

  /// How the command ended, or nil while it lives.
  @discardableResult
  func reap(waiting: Bool = false) -> CommandEnd? {
    if let ended { return ended }
    var status: Int32 = 0
    var result: pid_t
    repeat { result = waitpid(process, &status, waiting ? 0 : WNOHANG) } while result < 0 && errno == EINTR
    if result == process { ended = CommandEnd(waitStatus: status) }
    if result < 0 { ended = .exited(CaptureError.ownFailureStatus) }
    return ended
  }

  func send(_ signal: Int32) {
    if ended == nil { kill(process, signal) }
  }

  /// Ends a command that was never released.
  deinit {
    guard gate != nil else { return }
    gate = nil
    reap(waiting: true)
  }
}

/// How a command ended.
enum CommandEnd: Equatable {
  case exited(Int32)
  case killed(signal: Int32)

  init(waitStatus status: Int32) {
    let signal = status & 0x7f
    self = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal)
  }

  /// What a shell would report.
  var exitStatus: Int32 {
    switch self {
    case .exited(let status): status
    case .killed(let signal): 128 + signal
    }
  }
}
