/// Texts that the events of a trace name by number. Each is written once, with the first packet that uses it.
struct PerfettoTexts {
  /// More are written in full each time.
  private static let most = 65_536

  private let table: UInt64
  private var ids: [String: UInt64] = [:]

  /// - Parameter table: the field of the interned data that holds them.
  init(table: UInt64) { self.table = table }

  /// The number of a text; nil where there are too many.
  /// - Parameter new: takes the entry of a text that has no number yet.
  mutating func id(of text: String, new: inout ProtobufWriter) -> UInt64? {
    if let id = ids[text] { return id }
    guard ids.count < Self.most else { return nil }
    let id = UInt64(ids.count) + 1
    ids[text] = id
    Self.put(text, id: id, table: table, to: &new)
    return id
  }

  static func put(_ text: String, id: UInt64, table: UInt64, to writer: inout ProtobufWriter) {
    let entry = writer.open(table)
    writer.put(PerfettoField.Interned.id, id)
    writer.put(PerfettoField.Interned.text, text)
    writer.close(entry)
  }
}
