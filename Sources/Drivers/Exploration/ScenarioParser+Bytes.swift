extension ScenarioParser {
  /// Reads scenarios from a file's bytes, which have to be UTF-8.
  /// - Throws: ``ScenarioError``.
  /// - Complexity: O(number of bytes).
  public static func parse(bytes: [UInt8]) throws(ScenarioError) -> [Scenario] {
    if let text = String(validating: bytes, as: UTF8.self) { return try parse(text) }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
    throw ScenarioError(line: line + 1, reason: "not UTF-8 text")
  }
}
