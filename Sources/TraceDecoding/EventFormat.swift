/// The layout of one event type, as the recorded kernel described it.
///
/// The kernel's counterpart is the file `events/SYSTEM/NAME/format` in tracefs.
public struct EventFormat: Sendable, Hashable {
  /// One field of an event's record.
  public struct Field: Sendable, Hashable {
    /// Where a field's value is.
    public enum Place: Sendable, Hashable {
      /// In the record, at the field's offset.
      case direct
      /// Elsewhere in the record; the field holds length << 16 | offset from the start of the record.
      case dataLocation
      /// Elsewhere in the record; the field holds length << 16 | offset from the end of the field.
      case relativeLocation
    }

    public var name: String
    /// The declared type without the name, for example `unsigned int`.
    public var type: String
    public var place: Place
    /// Bytes from the start of the record.
    public var offset: Int
    /// In bytes.
    public var size: Int
    public var isSigned: Bool

    public init(
      name: String, type: String, place: Place = .direct, offset: Int, size: Int, isSigned: Bool
    ) {
      self.name = name
      self.type = type
      self.place = place
      self.offset = offset
      self.size = size
      self.isSigned = isSigned
    }
  }

  /// The system, for example `csd`; for ftrace's own types, `ftrace`.
  public var system: String
  public var name: String
  /// The number that marks this type in records. It differs from kernel to kernel.
  public var id: UInt16
  /// In the order of the text, the common fields among them.
  public var fields: [Field]

  public var qualifiedName: String { "\(system):\(name)" }

  /// The field with this name, or nil.
  public func field(_ name: String) -> Field? { fields.first { $0.name == name } }

  /// Parses the text of a format file.
  /// - Returns: nil when the text has no name, no id below 65,536, or a field line that can't be understood.
  /// - Complexity: O(length of the text).
  public init?(system: String, text: some Sequence<UInt8>) {
    var name: String?
    var id: UInt16?
    var fields: [Field] = []
    let bytes = Array(text)
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let line = line.trimmed
      if line.starts(with: "field:".utf8) {
        guard let field = Self.field(line.dropFirst(6)) else { return nil }
        fields.append(field)
      } else if line.starts(with: "name:".utf8) {
        name = String(decoding: line.dropFirst(5).trimmed, as: UTF8.self)
      } else if line.starts(with: "ID:".utf8) {
        guard let number = line.dropFirst(3).trimmed.decimal, let value = UInt16(exactly: number) else { return nil }
        id = value
      } else if line.starts(with: "print fmt:".utf8) {
        // What follows is C text for printing; it may hold anything.
        break
      }
    }
    guard let name, let id, !name.isEmpty else { return nil }
    self.system = system
    self.name = name
    self.id = id
    self.fields = fields
  }

  /// Parses `unsigned int cpu;	offset:8;	size:4;	signed:0;`.
  static func field(_ line: ArraySlice<UInt8>) -> Field? {
    let parts = line.split(separator: UInt8(ascii: ";"))
    guard let declaration = parts.first?.trimmed else { return nil }
    var offset: Int?
    var size: Int?
    var isSigned = false
    for part in parts.dropFirst() {
      let part = part.trimmed
      guard let colon = part.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let value = part[(colon + 1)...].decimal
      switch String(decoding: part[..<colon], as: UTF8.self) {
      case "offset": offset = value
      case "size": size = value
      case "signed": isSigned = value == 1
      default: break
      }
    }
    guard let offset, let size, let (type, name) = parse(declaration) else { return nil }
    let place: Field.Place =
      if type.hasPrefix("__data_loc") { .dataLocation } else if type.hasPrefix("__rel_loc") {
        .relativeLocation
      } else { .direct }
    return Field(name: name, type: type, place: place, offset: offset, size: size, isSigned: isSigned)
  }

  /// Takes `char next_comm[16]` apart into type and name; what is in brackets belongs to the type.
  private static func parse(_ declaration: ArraySlice<UInt8>) -> (type: String, name: String)? {
    var words = declaration
    var brackets: ArraySlice<UInt8> = []
    if words.last == UInt8(ascii: "]"), let open = words.lastIndex(of: UInt8(ascii: "[")) {
      // In `__data_loc char[] name` the brackets are in the middle and stay there.
      brackets = words[open...]
      words = words[..<open].trimmed
    }
    let start = words.lastIndex { !$0.isIdentifier }.map { $0 + 1 } ?? words.startIndex
    let name = words[start...]
    let type = words[..<start].trimmed
    guard !name.isEmpty, !type.isEmpty else { return nil }
    return (String(decoding: type + brackets, as: UTF8.self), String(decoding: name, as: UTF8.self))
  }
}
