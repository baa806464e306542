import Glibc

/// A directory of a test's own, gone with its owner.
public final class TemporaryDirectory {
  public let path: String

  public init() {
    var name = Array("/tmp/ipitrace-test-XXXXXX".utf8CString)
    precondition(mkdtemp(&name) != nil, "no temporary directory")
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { _ = RunningProgram.run("rm", ["-rf", path]) }

  /// Makes a file, and the directories that lead to it.
  /// - Returns: its path.
  @discardableResult
  public func write(_ text: String, to name: String) -> String {
    let parts = name.split(separator: "/")
    var place = path
    for part in parts.dropLast() {
      place += "/" + part
      mkdir(place, 0o700)
    }
    place += "/" + parts[parts.count - 1]
    let file = open(place, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(file) }
    let bytes = Array(text.utf8)
    let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
    precondition(count == bytes.count, "can't write \(place)")
    return place
  }

  /// The names in it, sorted.
  public var names: [String] { listing(path) }
}

/// The names in a directory, sorted, without `.` and `..`.
public func listing(_ path: String) -> [String] {
  guard let stream = opendir(path) else { return [] }
  defer { closedir(stream) }
  var result: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) {
      String(decoding: $0.prefix(while: { $0 != 0 }), as: UTF8.self)
    }
    if name != "." && name != ".." { result.append(name) }
  }
  return result.sorted()
}
