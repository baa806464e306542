import FoundationEssentials

/// Any JSON document, for tests that look at its shape.
public enum JSONValue: Codable, Equatable, Sendable {
  case null
  case bool(Bool)
  /// A number without a fraction that fits; negative ones are in `negative`.
  case integer(UInt64)
  case negative(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  public static func parse(_ bytes: [UInt8]) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
  }

  public var bytes: [UInt8] { (try? JSONEncoder().encode(self)).map { [UInt8]($0) } ?? [] }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .negative(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .negative(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }

  /// The member of an object, or null.
  public subscript(key: String) -> JSONValue {
    get { if case .object(let members) = self { members[key] ?? .null } else { .null } }
    set {
      guard case .object(var members) = self else { return }
      members[key] = newValue
      self = .object(members)
    }
  }

  /// The element of an array, or null.
  public subscript(index: Int) -> JSONValue {
    get { if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { .null } }
    set {
      guard case .array(var elements) = self, elements.indices.contains(index) else { return }
      elements[index] = newValue
      self = .array(elements)
    }
  }

  /// The object without a member.
  public mutating func remove(_ key: String) {
    guard case .object(var members) = self else { return }
    members[key] = nil
    self = .object(members)
  }
}
