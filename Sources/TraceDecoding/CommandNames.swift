/// The names of tasks, as the kernel remembered them when the recording ended.
///
/// The kernel's counterpart is `saved_cmdlines` in tracefs: a line `PID NAME` per task.
enum CommandNames {
  /// In bytes. The kernel's own limit is `TASK_COMM_LEN`, 16. A name stands beside each of its task's calls.
  private static let longestName = 256

  /// - Complexity: O(length of the text).
  static func parse(_ text: [UInt8]) -> [Int32: String] {
    var result: [Int32: String] = [:]
    for line in text.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == 0 }) {
      let line = line.drop { $0 == UInt8(ascii: " ") }
      guard let space = line.firstIndex(of: UInt8(ascii: " ")),
        let number = line[..<space].decimal, let pid = Int32(exactly: number)
      else { continue }
      let name = line[(space + 1)...]
      result[pid] =
        String(decoding: name.prefix(longestName), as: UTF8.self) + (name.count > longestName ? "…" : "")
    }
    return result
  }
}
