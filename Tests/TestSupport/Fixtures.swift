internal import Glibc

/// The files below `fixtures/`.
public enum Fixtures {
  public struct Missing: Error, CustomStringConvertible {
    public var path: String
    public var description: String { "no fixture at \(path)" }
  }

  /// The folder, found from where this source lies.
  public static let directory = TestFile.packageRoot + "/fixtures"

  /// The names in a folder that end in `suffix`, sorted.
  public static func files(in folder: String, suffix: String) throws -> [String] {
    let path = directory + "/" + folder
    guard access(path, R_OK) == 0 else { throw Missing(path: path) }
    return listing(path).filter { $0.hasSuffix(suffix) }
  }

  /// The paths of the files in any folder that end in `suffix`, sorted; none where there is no such folder.
  static func paths(in folder: String, suffix: String) -> [String] {
    listing(folder).filter { $0.hasSuffix(suffix) }.map { folder + "/" + $0 }
  }

  public static func path(_ name: String) -> String { directory + "/" + name }

  /// The whole content of a file.
  public static func bytes(_ name: String) throws -> [UInt8] {
    guard let bytes = TestFile.read(path(name)) else { throw Missing(path: path(name)) }
    return bytes
  }

  public static func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
}
