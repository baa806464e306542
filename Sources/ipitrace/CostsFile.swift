import ArgumentParser
import Drivers
import Reports

/// Costs as a file that can be edited.
enum CostsFile {
  /// Saved costs take a hundredth of this.
  private static let sizeLimit = 4 << 20

  static func write(_ costs: CostModel, to path: String) throws {
    try OutputFile.write(JSONReport.render(costs.table), to: path)
  }

  /// Reads costs, or ends with one sentence that names the file, the item and the reason.
  /// - Parameter path: `-` is standard input.
  static func read(path: String) throws(ExitCode) -> GivenCosts {
    let name = path == "-" ? "standard input" : path
    let reason: String
    do {
      return try GivenCosts(JSONReport.parseCosts(InputBytes.read(path: path, limit: sizeLimit)), source: name)
    } catch let error as InputError {
      reason = error.reason
    } catch let error as JSONReportError {
      reason = error.message
    } catch {
      reason = VisibleText.escape("\(error)", limit: 400)
    }
    StandardError.complain(
      "ipitrace replay: can't read \(VisibleText.escape(name, limit: 1_000)): expected costs written by "
        + "'ipitrace replay --save-costs', but \(reason)")
    throw ExitCode(3)
  }
}
