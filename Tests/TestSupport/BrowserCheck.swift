import Glibc

/// Looks at pages in a real browser: what `Tests/Browser/check_report.py` finds.
public enum BrowserCheck {
  /// Whether there is a browser.
  public static let isPossible = access("/usr/bin/chromium", X_OK) == 0

  /// Why pages could not be looked at.
  public struct Failure: Error, CustomStringConvertible {
    public var description: String
  }

  /// What is wrong with each page, by its name, one line for each problem; empty where all is well.
  ///
  /// One browser looks at all of them, because to start one takes as long as to look at a small page.
  /// - Parameter kind: what the pages are, as the script's `--page` has it.
  public static func problems(
    of pages: [(name: String, html: String)], kind: String = "replay"
  ) throws -> [String: [String]] {
    let folder = TemporaryDirectory()
    var command = ["python3", TestFile.packageRoot + "/Tests/Browser/check_report.py", "--page", kind]
    for (name, html) in pages {
      let path = "\(folder.path)/\(name).html"
      guard TestFile.write(Array(html.utf8), to: path) else { throw Failure(description: "can't write \(path)") }
      command.append(path)
    }
    guard let run = SpawnedCommand.run(command) else { throw Failure(description: "python3 does not start") }
    var found: [String: [String]] = [:]
    var problems: [String] = []
    for line in run.outputText.split(separator: "\n").map(String.init) {
      if let (name, _) = pages.first(where: {
        line == "\($0.name).html: all is well" || line == "\($0.name).html: \(problems.count) problems"
      }) {
        found[name] = problems
        problems = []
      } else {
        problems.append(line)
      }
    }
    let isWell = found.values.allSatisfy(\.isEmpty)
    guard found.count == pages.count, problems.isEmpty, run.status == (isWell ? 0 : 1) else {
      throw Failure(description: "\(run.status): \(run.outputText)\(run.errorText)")
    }
    return found
  }
}
