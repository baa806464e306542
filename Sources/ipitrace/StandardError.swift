import Glibc

/// Where warnings and errors go.
enum StandardError {
  /// Writes one line.
  static func complain(_ sentence: String) {
    let line = Array("\(sentence)\n".utf8)
    // Where standard error can't be written to, there is nobody left to tell.
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
