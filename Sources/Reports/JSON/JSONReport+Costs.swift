import FoundationEssentials
public import Verdicts

/// Costs as JSON, and back: schema `ipitrace-costs/1`, described by `ipitrace-costs-1.schema.json`.
extension JSONReport {
  /// The costs as UTF-8 text to be edited: what an item is called comes first, and every point has a line.
  /// - Throws: ``JSONReportError`` where a number is none that JSON has.
  public static func render(_ costs: CostTable) throws(JSONReportError) -> [UInt8] {
    var text = "{\n  \"schema\": \(quoted(costs.schema)),\n  \"items\": ["
    for (index, item) in costs.items.enumerated() {
      text += index == 0 ? "\n" : ",\n"
      text += "    {\n      \"name\": \(quoted(item.name)),\n      \"sentence\": \(quoted(item.sentence)),\n"
      text += "      \"isAssumed\": \(item.isAssumed),\n      \"count\": \(item.count),\n      \"points\": ["
      for (index, point) in item.points.enumerated() {
        text += index == 0 ? "\n" : ",\n"
        text += "        {\"share\": \(try number(point.share)), \"nanoseconds\": \(try number(point.nanoseconds))}"
      }
      text += "\n      ]\n    }"
    }
    return Array((text + "\n  ]\n}\n").utf8)
  }

  /// Reads costs that ``render(_:)-(CostTable)`` wrote, and somebody may have edited.
  ///
  /// Of an item, `name` and `points` must be there. Keys that this version does not know are passed over.
  /// - Throws: ``JSONReportError`` for anything else; it names the place, and the item or the line.
  /// - Complexity: O(number of bytes).
  public static func parseCosts(_ bytes: [UInt8]) throws(JSONReportError) -> CostTable {
    let data = Data(bytes)
    let decoder = JSONDecoder()
    do {
      let name = try decoder.decode(Header.self, from: data).schema
      guard name == CostTable.schemaName else {
        throw JSONReportError(
          message: "schema is \"\(VisibleText.escape(name, limit: 60))\", expected \"\(CostTable.schemaName)\"")
      }
      return try decoder.decode(CostTable.self, from: data)
    } catch let error as JSONReportError {
      throw error
    } catch let error as DecodingError {
      if let mistake = JSONMistake.first(in: bytes) {
        throw JSONReportError(message: "not a JSON document: \(mistake.sentence)")
      }
      var report = JSONReportError(error)
      if let index = itemIndex(error), let names = try? decoder.decode(Names.self, from: data).items,
        names.indices.contains(index), let name = names[index].name
      {
        report.message = "\"\(VisibleText.escape(name, limit: 60))\": \(report.message)"
      }
      throw report
    } catch {
      throw JSONReportError(message: "not a JSON document: \(VisibleText.escape("\(error)", limit: 200))")
    }
  }

  /// Just the names, where an item is not what it should be.
  private struct Names: Decodable {
    struct Item: Decodable {
      var name: String?

      private enum CodingKeys: CodingKey { case name }

      init(from decoder: any Decoder) {
        name = try? decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .name)
      }
    }

    var items: [Item]
  }

  /// The number of the item at which decoding ended.
  private static func itemIndex(_ error: DecodingError) -> Int? {
    let path: [any CodingKey] =
      switch error {
      case .keyNotFound(_, let context), .valueNotFound(_, let context), .typeMismatch(_, let context),
        .dataCorrupted(let context):
        context.codingPath
      @unknown default: []
      }
    return path.count > 1 && path[0].stringValue == "items" ? path[1].intValue : nil
  }

  private static func quoted(_ text: String) -> String { String(decoding: JSONText.quoted(text), as: UTF8.self) }

  private static func number(_ value: Double) throws(JSONReportError) -> String {
    guard value.isFinite else { throw JSONReportError(message: "the number \(value) can't be written as JSON") }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }
}
