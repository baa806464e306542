/// The names of tasks, as the kernel remembered them when the recording ended.
///
/// The kernel's counterpart is `saved_cmdlines` in tracefs: a line `PID NAME` per task.
enum CommandNames {
  /// - Complexity: O(length of the text).
  static func parse(_ text: [UInt8]) -> [Int32: String] {
    var result: [Int32: String] = [:]
    for line in text.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == 0 }) {
      let line = line.drop { $0 == UInt8(ascii: " ") }
      guard let space = line.firstIndex(of: UInt8(ascii: " ")),
        let number = line[..<space].decimal, let pid = Int32(exactly: number)
      else { continue }
      result[pid] = String(decoding: line[(space + 1)...], as: UTF8.self)
    }
    return result
  }
}
