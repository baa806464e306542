import TraceTypes

/// Reads the parts of a file's header one after the other, and never beyond their end.
///
/// It stands either on a stretch of the file itself, or on the unpacked bytes of a compressed section.
struct ByteCursor {
  private enum Source {
    case file
    case memory([UInt8])
  }

  let file: InputFile
  private let source: Source
  /// What is read, for messages; for example `the options section`.
  private let name: String
  /// Where the source's byte 0 lies in the file. For unpacked bytes: where the section begins.
  private let base: UInt64
  private(set) var position: UInt64
  private(set) var end: UInt64

  /// Stands on the file from `start` to `end`, or to the end of the file where that comes first.
  init(file: InputFile, from start: UInt64, through end: UInt64 = .max, name: String) {
    self.file = file
    source = .file
    self.name = name
    base = 0
    self.end = min(end, file.size)
    position = start
  }

  /// Stands on bytes that were unpacked from the section at `offset`.
  init(file: InputFile, unpacked bytes: [UInt8], from offset: UInt64, name: String) {
    self.file = file
    source = .memory(bytes)
    self.name = name
    base = offset
    position = 0
    end = UInt64(bytes.count)
  }

  var remaining: UInt64 { position < end ? end - position : 0 }

  /// The place in the file that the next byte comes from; for unpacked bytes, the section that holds them.
  var location: ByteLocation {
    switch source {
    case .file: file.location(position)
    case .memory: file.location(base)
    }
  }

  func malformed(_ expected: String, found: String) -> TraceFileError {
    TraceFileError(.malformed, at: location, expected: expected, found: found)
  }

  private func missing(_ what: String, _ count: UInt64) -> TraceFileError {
    let atEndOfFile =
      switch source {
      case .file: end == file.size
      case .memory: false
      }
    return TraceFileError(
      atEndOfFile ? .truncated : .malformed, at: location, expected: "\(what) (\(count) bytes)",
      found: "\(remaining) bytes to the end of \(atEndOfFile ? "the file" : name)")
  }

  mutating func bytes(
    _ count: UInt64, limit: UInt64, _ what: @autoclosure () -> String
  ) throws(TraceFileError) -> [UInt8] {
    guard count <= remaining else { throw missing(what(), count) }
    guard count <= limit else {
      throw TraceFileError(.tooLarge, at: location, expected: "\(what()) of at most \(limit) bytes", found: "\(count)")
    }
    let size = Int(count)
    var result: [UInt8]
    switch source {
    case .memory(let bytes):
      result = Array(bytes[Int(position)..<Int(position) + size])
    case .file:
      result = [UInt8](repeating: 0, count: size)
      try Self.fill(&result, from: file, at: position)
    }
    position += count
    return result
  }

  private static func fill(
    _ bytes: inout [UInt8], from file: InputFile, at offset: UInt64
  ) throws(TraceFileError) {
    let count = bytes.count
    let read: Result<Int, TraceFileError> = bytes.withUnsafeMutableBytes { buffer in
      do throws(TraceFileError) { return .success(try file.read(at: offset, into: buffer)) } catch {
        return .failure(error)
      }
    }
    let done = try read.get()
    guard done == count else {
      throw TraceFileError(
        .truncated, at: file.location(offset), expected: "\(count) bytes", found: "\(done); the file has shrunk")
    }
  }

  mutating func skip(_ count: UInt64, _ what: @autoclosure () -> String) throws(TraceFileError) {
    guard count <= remaining else { throw missing(what(), count) }
    position += count
  }

  /// A number of `size` bytes, the lowest first.
  private mutating func number(_ size: UInt64, _ what: @autoclosure () -> String) throws(TraceFileError) -> UInt64 {
    try bytes(size, limit: 8, what()).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  mutating func u8(_ what: @autoclosure () -> String) throws(TraceFileError) -> UInt8 {
    UInt8(truncatingIfNeeded: try number(1, what()))
  }

  mutating func u16(_ what: @autoclosure () -> String) throws(TraceFileError) -> UInt16 {
    UInt16(truncatingIfNeeded: try number(2, what()))
  }

  mutating func u32(_ what: @autoclosure () -> String) throws(TraceFileError) -> UInt32 {
    UInt32(truncatingIfNeeded: try number(4, what()))
  }

  mutating func u64(_ what: @autoclosure () -> String) throws(TraceFileError) -> UInt64 {
    try number(8, what())
  }

  /// A string that ends with a zero byte, at most `limit` bytes long. Invalid UTF-8 is repaired.
  mutating func string(limit: UInt64, _ what: @autoclosure () -> String) throws(TraceFileError) -> String {
    let start = self
    let window = try bytes(min(remaining, limit &+ 1), limit: limit &+ 1, what())
    guard let length = window.firstIndex(of: 0) else {
      if UInt64(window.count) > limit {
        throw start.malformed("\(what()), ended by a zero byte", found: "more than \(limit) bytes without one")
      }
      throw start.missing("\(what()), ended by a zero byte", UInt64(window.count) + 1)
    }
    position = start.position + UInt64(length) + 1
    return String(decoding: window[..<length], as: UTF8.self)
  }

  /// A fixed word, for example `header_page` with its zero byte.
  mutating func word(_ word: String) throws(TraceFileError) {
    let start = self
    let bytes = try bytes(UInt64(word.utf8.count) + 1, limit: 64, "the word \"\(word)\"")
    guard bytes.dropLast().elementsEqual(word.utf8), bytes.last == 0 else {
      throw start.malformed("the word \"\(word)\"", found: Self.quoted(bytes))
    }
  }

  /// Bytes as a quoted string of printable ASCII, for messages.
  static func quoted(_ bytes: some Sequence<UInt8>) -> String {
    let characters = bytes.map { $0 >= 0x20 && $0 < 0x7f ? Character(UnicodeScalar($0)) : "." }
    return "\"" + String(characters) + "\""
  }
}
