import FoundationEssentials
public import Verdicts

/// A result as JSON, and back: schema `ipitrace-result/1`, described by `ipitrace-result-1.schema.json`.
///
/// Equal results give equal bytes: keys are sorted, and nothing depends on time, place or machine.
public enum JSONReport {
  /// The result as UTF-8 text, indented, with a newline at the end.
  /// - Throws: ``JSONReportError`` when the encoder refuses the value, which no value of this type makes it do.
  public static func render(_ result: ReplayResult) throws(JSONReportError) -> [UInt8] {
    try encoded(result)
  }

  static func encoded(_ value: some Encodable) throws(JSONReportError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return try JSONText.escapingInvisible([UInt8](encoder.encode(value))) + [UInt8(ascii: "\n")]
    } catch {
      throw JSONReportError(message: "the result can't be written as JSON: \(error)")
    }
  }

  /// Reads a result that ``render(_:)`` wrote.
  ///
  /// Every key must be there, also where its value is null, but for those of a simulation, which older results lack. Keys
  /// that this version does not know are passed over.
  /// - Throws: ``JSONReportError`` for anything else; it names the place and what was expected there.
  /// - Complexity: O(number of bytes).
  public static func parse(_ bytes: [UInt8]) throws(JSONReportError) -> ReplayResult {
    let data = Data(bytes)
    let decoder = JSONDecoder()
    do {
      // The name comes first, so that a newer file is refused for being newer and not for what has changed in it.
      let name = try decoder.decode(Header.self, from: data).schema
      guard name == ReplayResult.schemaName else {
        throw JSONReportError(
          message: "schema is \"\(VisibleText.escape(name, limit: 60))\", expected \"\(ReplayResult.schemaName)\"")
      }
      return try decoder.decode(ReplayResult.self, from: data)
    } catch let error as JSONReportError {
      throw error
    } catch let error as DecodingError {
      throw JSONReportError(error)
    } catch {
      throw JSONReportError(message: "not a JSON document: \(VisibleText.escape("\(error)", limit: 200))")
    }
  }

  struct Header: Decodable {
    var schema: String
  }
}

/// Why bytes are no result.
public struct JSONReportError: Error, Equatable, CustomStringConvertible {
  /// One clause, without a final stop: the place and what was expected there.
  public var message: String

  public var description: String { message }

  init(message: String) { self.message = message }

  init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context):
      message = "\(Self.place(context.codingPath)) lacks the key \"\(VisibleText.escape(key.stringValue))\""
    case .valueNotFound(let type, let context):
      message = "\(Self.place(context.codingPath)) is null, expected \(Self.word(for: type))"
    case .typeMismatch(let type, let context):
      message = "\(Self.place(context.codingPath)) is not \(Self.word(for: type))"
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
      let detail = context.underlyingError.map { ": \(Self.detail($0))" } ?? ""
      message = "not a JSON document\(detail)"
    case .dataCorrupted(let context):
      message =
        "\(Self.place(context.codingPath)) can't be read: \(VisibleText.escape(context.debugDescription, limit: 200))"
    @unknown default:
      message = "not a result"
    }
  }

  /// The place in the document, for example `verdict.divergences[2].rule`.
  private static func place(_ path: [any CodingKey]) -> String {
    if path.isEmpty { return "the document" }
    var text = ""
    for key in path {
      if let index = key.intValue {
        text += "[\(index)]"
      } else {
        text += (text.isEmpty ? "" : ".") + VisibleText.escape(key.stringValue, limit: 60)
      }
    }
    return text
  }

  private static func word(for type: Any.Type) -> String {
    if type == String.self { return "a string" }
    if type == Bool.self { return "true or false" }
    if type == Int.self { return "an integer" }
    if type == UInt64.self { return "an integer that is not negative" }
    if type == Double.self { return "a number" }
    if type is any Collection.Type {
      return type is any ExpressibleByDictionaryLiteral.Type ? "an object" : "an array"
    }
    return "an object"
  }

  private static func detail(_ error: any Error) -> String {
    VisibleText.escape("\(error)", limit: 200)
  }
}
