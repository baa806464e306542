/// A program that a test runs to its end, with its output in bytes.
public struct SpawnedCommand {
  /// Exit status; 128 + number when a signal ended it.
  public var status: Int
  public var output: [UInt8]
  public var errors: [UInt8]

  public var outputText: String { String(decoding: output, as: UTF8.self) }
  public var errorText: String { String(decoding: errors, as: UTF8.self) }

  /// Runs a program and waits for it.
  /// - Parameters:
  ///   - arguments: the program first, searched in PATH unless it holds a slash.
  ///   - input: what it reads on standard input.
  /// - Returns: nil when it could not be started.
  public static func run(_ arguments: [String], input: [UInt8] = []) -> SpawnedCommand? {
    guard let program = RunningProgram(arguments[0], Array(arguments.dropFirst()), input: input) else { return nil }
    let result = program.wait()
    return SpawnedCommand(status: Int(result.status), output: result.outputBytes, errors: result.errorBytes)
  }
}
