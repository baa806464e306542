internal import Glibc

/// The files below `fixtures/`.
public enum Fixtures {
  public struct Missing: Error, CustomStringConvertible {
    public var path: String
    public var description: String { "no fixture at \(path)" }
  }

  /// The folder, found from where this source lies.
  public static let directory: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return parts.joined(separator: "/") + "/fixtures"
  }()

  /// The names in a folder that end in `suffix`, sorted.
  public static func files(in folder: String, suffix: String) throws -> [String] {
    let path = directory + "/" + folder
    guard let handle = opendir(path) else { throw Missing(path: path) }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(suffix) { names.append(name) }
    }
    return names.sorted()
  }

  public static func path(_ name: String) -> String { directory + "/" + name }

  /// The whole content of a file.
  public static func bytes(_ name: String) throws -> [UInt8] {
    let path = path(name)
    guard let file = fopen(path, "rb") else { throw Missing(path: path) }
    defer { fclose(file) }
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { return result }
      result += buffer[0..<count]
    }
  }

  public static func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
}
