import FoundationEssentials
public import Verdicts

extension JSONReport {
  /// A check as UTF-8 text: an array of lines, described by `ipitrace-check-1.schema.json`.
  /// - Throws: ``JSONReportError`` when the encoder refuses a value, such as a time that is no number.
  public static func render(_ result: CheckResult) throws(JSONReportError) -> [UInt8] {
    try encoded(result)
  }

  /// Reads a check that ``render(_:)`` wrote.
  /// - Throws: ``JSONReportError`` for anything else; it names the place and what was expected there.
  public static func parseCheck(_ bytes: [UInt8]) throws(JSONReportError) -> CheckResult {
    do {
      return try JSONDecoder().decode(CheckResult.self, from: Data(bytes))
    } catch let error as DecodingError {
      throw JSONReportError(error)
    } catch {
      throw JSONReportError(message: "not a JSON document: \(error)")
    }
  }

  /// The engines as UTF-8 text, as ``EngineList`` has them.
  public static func render(_ engines: EngineList) throws(JSONReportError) -> [UInt8] {
    try encoded(engines.engines)
  }
}
