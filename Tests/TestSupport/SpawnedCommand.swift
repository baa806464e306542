import Glibc

/// A program that a test runs to its end.
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
    guard let folder = TemporaryFolder() else { return nil }
    let inputPath = folder.path + "/in"
    guard TestFile.write(input, to: inputPath) else { return nil }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, inputPath, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, folder.path + "/out", O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, folder.path + "/err", O_WRONLY | O_CREAT, 0o600)
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var child = pid_t()
    guard posix_spawnp(&child, arguments[0], &actions, nil, words, environ) == 0 else { return nil }
    var state: CInt = 0
    while waitpid(child, &state, 0) < 0 {
      guard errno == EINTR else { return nil }
    }
    let signal = Int(state & 0x7f)
    return SpawnedCommand(
      status: signal == 0 ? Int(state >> 8 & 0xff) : 128 + signal, output: TestFile.read(folder.path + "/out") ?? [],
      errors: TestFile.read(folder.path + "/err") ?? [])
  }
}

/// A folder that is removed with everything in it when the value goes away.
public final class TemporaryFolder {
  public let path: String

  public init?() {
    var template = Array("/tmp/ipitrace-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { return nil }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The names in it, sorted.
  public var names: [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  deinit {
    for name in names { unlink(path + "/" + name) }
    rmdir(path)
  }
}

/// Whole files, for tests.
public enum TestFile {
  /// The folder that holds Package.swift.
  public static let packageRoot: String = {
    let here = "\(#filePath)"
    return here.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
  }()

  public static func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
  }

  public static func write(_ bytes: [UInt8], to path: String) -> Bool {
    guard let file = fopen(path, "w") else { return false }
    let count = fwrite(bytes, 1, bytes.count, file)
    return fclose(file) == 0 && count == bytes.count
  }
}

/// Outputs that are compared whole with files in `fixtures/golden`.
public enum Golden {
  /// Says how the output differs from the golden file, or nothing where it does not.
  ///
  /// With RECORD_GOLDENS set in the environment the file is written instead, and the complaint says so: a run that
  /// records is never a run that passes.
  public static func complaint(_ output: [UInt8], name: String) -> String? {
    let path = TestFile.packageRoot + "/fixtures/golden/" + name
    if getenv("RECORD_GOLDENS") != nil {
      mkdir(TestFile.packageRoot + "/fixtures", 0o755)
      mkdir(TestFile.packageRoot + "/fixtures/golden", 0o755)
      return TestFile.write(output, to: path)
        ? "recorded \(name); run again without RECORD_GOLDENS" : "can't write \(path)"
    }
    guard let golden = TestFile.read(path) else { return "no golden file \(name); record it with RECORD_GOLDENS=1" }
    if golden == output { return nil }
    let expected = String(decoding: golden, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    let found = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    let line = zip(expected, found).prefix { $0 == $1 }.count
    return """
      \(name) differs from line \(line + 1) on:
      expected: \(line < expected.count ? expected[line] : "the end")
      found:    \(line < found.count ? found[line] : "the end")
      """
  }
}
