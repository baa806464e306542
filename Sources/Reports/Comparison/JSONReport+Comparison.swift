public import Verdicts

extension JSONReport {
  /// A comparison as UTF-8 text, described by `ipitrace-diff-1.schema.json`.
  /// - Throws: ``JSONReportError`` when the encoder refuses a value, which none of a comparison makes it do.
  public static func render(_ comparison: Comparison) throws(JSONReportError) -> [UInt8] { try encoded(comparison) }
}
