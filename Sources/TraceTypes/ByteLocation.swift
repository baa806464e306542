/// A place in an input, for messages: which input, and how many bytes from its start.
public struct ByteLocation: Hashable, Sendable, CustomStringConvertible {
  /// The path as the user gave it; `-` is standard input.
  public var file: String
  /// Bytes from the start of the file.
  public var offset: UInt64

  public init(file: String, offset: UInt64) {
    self.file = file
    self.offset = offset
  }

  public var description: String { "\(file): byte \(offset)" }
}
