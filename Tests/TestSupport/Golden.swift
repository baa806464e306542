import Glibc

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
