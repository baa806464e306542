/// Reads protobuf's wire format, strictly, as its documentation has it.
struct ProtobufReader {
  /// A field with the value of its type; the others are nil.
  struct Field {
    var number: UInt64
    var varint: UInt64?
    var fixed64: UInt64?
    var bytes: [UInt8]?
  }

  struct Malformed: Error {
    var offset: Int
  }

  private let bytes: ArraySlice<UInt8>
  private var at: Int

  private init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    at = bytes.startIndex
  }

  /// The fields of a message, in their order.
  static func fields(of message: [UInt8]) throws -> [Field] {
    var reader = ProtobufReader(message[...])
    var fields: [Field] = []
    while reader.at < reader.bytes.endIndex { fields.append(try reader.field()) }
    return fields
  }

  private mutating func byte() throws -> UInt8 {
    guard at < bytes.endIndex else { throw Malformed(offset: at) }
    defer { at += 1 }
    return bytes[at]
  }

  private mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for position in 0..<10 {
      let next = try byte()
      if position == 9, next > 1 { throw Malformed(offset: at) }
      value |= UInt64(next & 0x7f) << UInt64(position * 7)
      if next < 0x80 { return value }
    }
    throw Malformed(offset: at)
  }

  private mutating func field() throws -> Field {
    let key = try varint()
    guard key >> 3 != 0 else { throw Malformed(offset: at) }
    switch key & 7 {
    case 0: return Field(number: key >> 3, varint: try varint())
    case 1:
      var value: UInt64 = 0
      for position in 0..<8 { value |= UInt64(try byte()) << UInt64(position * 8) }
      return Field(number: key >> 3, fixed64: value)
    case 2:
      let length = try varint()
      guard length <= UInt64(bytes.endIndex - at) else { throw Malformed(offset: at) }
      defer { at += Int(length) }
      return Field(number: key >> 3, bytes: Array(bytes[at..<at + Int(length)]))
    default: throw Malformed(offset: at)
    }
  }
}
