/// Writes protobuf's wire format into one array of bytes.
///
/// Our own, because a trace takes six types of messages, which are only ever written: generated code, and a library behind it,
/// would be many times as much.
struct ProtobufWriter {
  var bytes: [UInt8] = []

  private static let ofVarint: UInt64 = 0
  private static let ofFixed64: UInt64 = 1
  private static let ofLength: UInt64 = 2

  @inline(__always)
  mutating func putVarint(_ value: UInt64) {
    if value < 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value))
    } else {
      putLongVarint(value)
    }
  }

  private mutating func putLongVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  @inline(__always)
  mutating func put(_ field: UInt64, _ value: UInt64) {
    putVarint(field << 3 | Self.ofVarint)
    putVarint(value)
  }

  mutating func put(_ field: UInt64, fixed value: UInt64) {
    putVarint(field << 3 | Self.ofFixed64)
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  mutating func put(_ field: UInt64, _ text: String) { put(field, Array(text.utf8)) }

  mutating func put(_ field: UInt64, _ content: [UInt8]) {
    putVarint(field << 3 | Self.ofLength)
    putVarint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  /// What was rendered before: whole fields.
  mutating func put(rendered fields: [UInt8]) { bytes.append(contentsOf: fields) }

  /// Begins a message inside of the one at hand.
  /// - Returns: where it begins, for ``close(_:)``.
  mutating func open(_ field: UInt64) -> Int {
    putVarint(field << 3 | Self.ofLength)
    // Most messages are shorter than 128 bytes, so that their length takes one.
    bytes.append(0)
    return bytes.count
  }

  /// Ends the message that began at a place.
  mutating func close(_ start: Int) {
    var length = bytes.count - start
    var place = start - 1
    while length >= 0x80 {
      bytes[place] = UInt8(truncatingIfNeeded: length) | 0x80
      length >>= 7
      place += 1
      bytes.insert(0, at: place)
    }
    bytes[place] = UInt8(truncatingIfNeeded: length)
  }

  /// The bytes of what a closure puts.
  static func rendered(_ put: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var writer = ProtobufWriter()
    put(&writer)
    return writer.bytes
  }
}
