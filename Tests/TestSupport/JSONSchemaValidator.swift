/// Holds JSON against a JSON Schema, as far as the project's schemas use the language (draft 2020-12).
///
/// A keyword that it does not know is a complaint of its own: a schema never passes because a part was not understood.
public struct JSONSchemaValidator {
  private static let annotations: Set<String> = ["$schema", "$id", "$defs", "title", "description"]

  private let schema: JSONValue

  public init(schema: JSONValue) { self.schema = schema }

  /// What is wrong with the value, each with its place; empty when it is valid.
  /// - Complexity: O(size of the value), times the alternatives of `anyOf`.
  public func complaints(about value: JSONValue) -> [String] { check(value, schema, at: "$") }

  private func check(_ value: JSONValue, _ schema: JSONValue, at place: String) -> [String] {
    guard case .object(let keywords) = schema else { return ["\(place): the schema is no object"] }
    var wrong: [String] = []
    for (keyword, argument) in keywords where !Self.annotations.contains(keyword) {
      switch (keyword, argument) {
      case ("$ref", .string(let reference)):
        let prefix = "#/$defs/"
        guard reference.hasPrefix(prefix),
          case .object = self.schema["$defs"][String(reference.dropFirst(prefix.count))]
        else {
          wrong.append("\(place): unknown reference \(reference)")
          continue
        }
        wrong += check(value, self.schema["$defs"][String(reference.dropFirst(prefix.count))], at: place)
      case ("type", .string(let name)):
        if !Self.isOf(type: name, value) { wrong.append("\(place): not of type \(name)") }
      case ("type", .array(let names)):
        let fits = names.contains { if case .string(let name) = $0 { Self.isOf(type: name, value) } else { false } }
        if !fits { wrong.append("\(place): of none of the types") }
      case ("const", _):
        if value != argument { wrong.append("\(place): not the constant") }
      case ("enum", .array(let values)):
        if !values.contains(value) { wrong.append("\(place): none of the values") }
      case ("anyOf", .array(let alternatives)):
        let results = alternatives.map { check(value, $0, at: place) }
        if !results.contains(where: \.isEmpty) { wrong += results.first ?? ["\(place): no alternatives"] }
      case ("minimum", _):
        if let order = Self.compare(value, argument), order < 0 { wrong.append("\(place): too small") }
      case ("maximum", _):
        if let order = Self.compare(value, argument), order > 0 { wrong.append("\(place): too large") }
      case ("items", .object):
        guard case .array(let elements) = value else { continue }
        for (index, element) in elements.enumerated() { wrong += check(element, argument, at: "\(place)[\(index)]") }
      case ("required", .array(let names)):
        guard case .object(let members) = value else { continue }
        for case .string(let name) in names where members[name] == nil { wrong.append("\(place): lacks \(name)") }
      case ("properties", .object(let properties)):
        guard case .object(let members) = value else { continue }
        for (name, member) in members {
          if let property = properties[name] { wrong += check(member, property, at: "\(place).\(name)") }
        }
      case ("additionalProperties", _):
        guard case .object(let members) = value else { continue }
        guard case .object(let known) = keywords["properties"] ?? .object([:]) else { continue }
        for (name, member) in members where known[name] == nil {
          wrong +=
            argument == .bool(false)
            ? ["\(place): unknown key \(name)"] : check(member, argument, at: "\(place).\(name)")
        }
      default:
        wrong.append("\(place): keyword \(keyword) is not understood")
      }
    }
    return wrong.sorted()
  }

  private static func isOf(type: String, _ value: JSONValue) -> Bool {
    switch (type, value) {
    case ("null", .null), ("boolean", .bool), ("integer", .integer), ("integer", .negative), ("number", .integer),
      ("number", .negative), ("number", .number), ("string", .string), ("array", .array), ("object", .object):
      true
    default: false
    }
  }

  /// Negative, 0 or positive, or nil where one of them is no number.
  private static func compare(_ left: JSONValue, _ right: JSONValue) -> Int? {
    switch (left, right) {
    case (.integer(let left), .integer(let right)): left < right ? -1 : left > right ? 1 : 0
    case (.negative(let left), .negative(let right)): left < right ? -1 : left > right ? 1 : 0
    case (.negative, .integer): -1
    case (.integer, .negative): 1
    case (.number(let left), .number(let right)): left < right ? -1 : left > right ? 1 : 0
    case (.number(let left), .integer(let right)): compare(.number(left), .number(Double(right)))
    case (.number(let left), .negative(let right)): compare(.number(left), .number(Double(right)))
    case (.integer, .number), (.negative, .number): compare(right, left).map { -$0 }
    default: nil
    }
  }
}
