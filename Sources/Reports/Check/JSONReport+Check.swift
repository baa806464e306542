import FoundationEssentials
public import Verdicts

extension JSONReport {
  /// A check as UTF-8 text: an array of lines, described by `ipitrace-check-1.schema.json`.
  /// - Throws: ``JSONReportError`` when the encoder refuses a value, such as a time that is no number.
  public static func render(_ result: CheckResult) throws(JSONReportError) -> [UInt8] {
    try encoded(result)
  }

  /// The engines as UTF-8 text, as ``EngineList`` has them.
  public static func render(_ engines: EngineList) throws(JSONReportError) -> [UInt8] {
    try encoded(engines.engines)
  }

  private static func encoded(_ value: some Encodable) throws(JSONReportError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return try [UInt8](encoder.encode(value)) + [UInt8(ascii: "\n")]
    } catch {
      throw JSONReportError(message: "the result can't be written as JSON: \(error)")
    }
  }
}
