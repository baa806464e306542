import Glibc

/// Finds instances that a recorder left behind because it was killed.
enum StaleInstances {
  static let prefix = "ipitrace-"

  /// The instance name of a process.
  static func name(of process: Int32) -> String { prefix + String(process) }

  /// The names of instances `ipitrace-<pid>` whose process is gone, or is another program by now.
  ///
  /// An instance with the own pid is one of them: this process has none yet when it asks.
  static func find(in directory: String, processes: String = "/proc", own: Int32) -> [String] {
    names(in: directory).filter { name in
      guard name.hasPrefix(prefix), let process = Int32(name.dropFirst(prefix.count)), process > 0,
        String(process) == name.dropFirst(prefix.count)
      else { return false }
      if process == own { return true }
      // The kernel keeps the first 15 bytes of the program's name.
      guard let program = TextFile.line("\(processes)/\(process)/comm") else { return true }
      return !program.hasPrefix("ipitrace")
    }
  }

  /// Removes the stale instances. One that somebody still reads from resists, and stays.
  /// - Returns: the names of those removed, and of those that could not be.
  static func remove(
    in directory: String, processes: String = "/proc", own: Int32
  ) -> (removed: [String], left: [String]) {
    var removed: [String] = []
    var left: [String] = []
    for name in find(in: directory, processes: processes, own: own) {
      if rmdir("\(directory)/\(name)") == 0 || errno == ENOENT {
        removed.append(name)
      } else {
        left.append(name)
      }
    }
    return (removed, left)
  }
}
