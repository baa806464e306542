/// Puts numbers and strings one behind the other, the lowest byte first.
public struct ByteBuilder: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public var count: Int { bytes.count }

  public static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  public mutating func number(_ value: some FixedWidthInteger) { bytes += Self.bytes(value) }

  /// A string with a zero byte at its end.
  public mutating func string(_ text: String) { bytes += Array(text.utf8) + [0] }

  public mutating func append(_ more: [UInt8]) { bytes += more }

  /// Zero bytes up to a multiple of the size.
  public mutating func align(to size: Int) {
    bytes += [UInt8](repeating: 0, count: (size - bytes.count % size) % size)
  }

  /// Writes over what is at an offset.
  public mutating func patch(_ value: some FixedWidthInteger, at offset: Int) {
    bytes.replaceSubrange(offset..<offset + value.bitWidth / 8, with: Self.bytes(value))
  }
}
