import Glibc

/// A program that a test runs, with what it prints collected.
public final class RunningProgram {
  public struct Result: Sendable {
    /// Exit status, or 128 + the signal that killed it.
    public var status: Int32
    public var outputBytes: [UInt8]
    public var errorBytes: [UInt8]

    public var output: String { String(decoding: outputBytes, as: UTF8.self) }
    public var errors: String { String(decoding: errorBytes, as: UTF8.self) }
  }

  public let process: Int32
  private let output: Int32
  private let errors: Int32

  /// - Parameters:
  ///   - path: the program; one without a slash is looked for in PATH.
  ///   - input: what it reads on standard input.
  /// - Returns: nil when it can't be started.
  public init?(_ path: String, _ arguments: [String], input: [UInt8] = []) {
    var names = (0..<3).map { _ in Array("/tmp/ipitrace-test-XXXXXX".utf8CString) }
    output = mkstemp(&names[0])
    errors = mkstemp(&names[1])
    let inputFile = mkstemp(&names[2])
    defer { close(inputFile) }
    for name in names { unlink(name) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    guard input.withUnsafeBytes({ pwrite(inputFile, $0.baseAddress, $0.count, 0) }) == input.count else { return nil }
    posix_spawn_file_actions_adddup2(&actions, inputFile, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, errors, 2)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var all = sigset_t()
    sigfillset(&all)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    var process: pid_t = 0
    let error = posix_spawnp(&process, path, &actions, &attributes, pointers, environ)
    self.process = process
    if error != 0 { return nil }
  }

  deinit {
    close(output)
    close(errors)
  }

  public func send(_ signal: Int32) { kill(process, signal) }

  /// Waits until it ends.
  public func wait() -> Result {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    let signal = status & 0x7f
    return Result(
      status: signal == 0 ? status >> 8 & 0xff : 128 + signal, outputBytes: Self.bytes(output),
      errorBytes: Self.bytes(errors))
  }

  /// Runs a program to its end; nil when it can't be started.
  public static func run(_ path: String, _ arguments: [String]) -> Result? {
    RunningProgram(path, arguments)?.wait()
  }

  private static func bytes(_ file: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { chunk.deallocate() }
    while true {
      let count = pread(file, chunk.baseAddress, chunk.count, off_t(bytes.count))
      if count <= 0 { return bytes }
      bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
    }
  }
}
