import Glibc
import Reports

/// Where warnings and errors go.
enum StandardError {
  /// Writes one line. What a terminal would obey is escaped, whoever made it part of the sentence.
  static func complain(_ sentence: String) {
    let line = Array("\(VisibleText.disarm(sentence))\n".utf8)
    // Where standard error can't be written to, there is nobody left to tell.
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
