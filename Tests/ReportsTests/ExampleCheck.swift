import CallEngines
import Reports
import TestSupport
import Verdicts

/// Checks as they were explored once: what is printed of them does not depend on how an exploration is done.
enum ExampleCheck {
  /// Two engines, properties named and not, violated as claimed and not.
  static let deadlock = fixture("deadlock")
  /// A CPU that goes offline.
  static let lost = fixture("lost")
  /// Three CPUs, an IPI to two of them, a lock.
  static let lock = fixture("lock")
  /// More CPUs than fit beside each other on a narrow page.
  static let crowd = fixture("crowd")
  /// Names that try to be markup, to colour the terminal, and to turn the direction of writing.
  static let hostile = fixture("hostile")
  static let nothing = CheckResult(lines: [])

  private static func fixture(_ name: String) -> CheckResult {
    do {
      return try JSONReport.parseCheck(Fixtures.bytes("checks/\(name).json"))
    } catch {
      preconditionFailure("fixtures/checks/\(name).json: \(error)")
    }
  }

  /// Values that no exploration makes: indices that name nothing, CPUs that are not there, lines that agree in nothing.
  static let absurd: CheckResult = {
    var result = deadlock
    for index in result.lines.indices {
      result.lines[index].seconds = [.infinity, -.infinity, .nan, -1, 1e300][index % 5]
      result.lines[index].property = "property\(index)"
      result.lines[index].states = index % 2 == 0 ? .max : .min
      result.lines[index].reason = .tooLarge
    }
    result.lines[0].counterexample?.names = Counterexample.Names(
      calls: [], functions: [], locks: [], storages: [], csds: [.caller(storage: 9)])
    result.lines[0].counterexample?.start = []
    result.lines[0].counterexample?.cycle = [7, .max, -1]
    result.lines[1].counterexample?.steps[0].cpu = 99
    result.lines[1].counterexample?.end[0].cpu = -4
    result.lines[1].counterexample?.end[0].waitsForCPUs = [.min]
    result.lines[1].counterexample?.unfinished[0].call = -1
    result.lines[2].counterexample = result.lines[0].counterexample
    result.lines[2].counterexample?.steps = []
    return result
  }()
}
