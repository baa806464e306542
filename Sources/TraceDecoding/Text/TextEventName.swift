import TraceTypes

/// The names of events that occur in a text, numbered. Those that ipitrace reads have the numbers of their kinds.
struct TextEventNames: ~Copyable {
  /// Names of other events beyond these are counted as one.
  private static let capacity = 4096

  private var names = ByteInterner(capacity: Self.capacity, byteCapacity: Self.capacity * 64)

  /// Names and the colons behind them.
  private let recent = RecentTexts(bits: 6)

  init() {
    for kind in EventKind.allCases {
      var name = kind.name
      name.withUTF8 { _ = names.insert($0, hash: names.hash($0)) }
    }
  }

  /// Reads a name and the colon behind it.
  /// - Parameter cursor: at the name; afterwards, if there is one, behind the colon.
  /// - Returns: its number, or nil when there is no name with a colon.
  @inline(__always)
  mutating func take(_ cursor: inout LineCursor) -> Int? {
    let known = recent.find(at: cursor.place)
    guard known.length > 0 else { return takeUnknown(&cursor) }
    cursor.skip(known.length)
    return known.number
  }

  private mutating func takeUnknown(_ cursor: inout LineCursor) -> Int? {
    let start = cursor.place
    while !cursor.isAtEnd, cursor.byte.isIdentifier { cursor.skip() }
    let name = cursor.bytes(since: start)
    guard !name.isEmpty, cursor.take(UInt8(ascii: ":")) else { return nil }
    let number = number(name)
    recent.take(at: start, length: name.count + 1, number: number)
    return number
  }

  /// The number of a name; that of ``EventKind/other`` where there is no room for another.
  private mutating func number(_ name: UnsafeBufferPointer<UInt8>) -> Int {
    let hash = names.hash(name)
    if let number = names.find(name, hash: hash) { return number }
    return names.insert(name, hash: hash) ?? Int(EventKind.other.rawValue)
  }

  /// The name as reports give it: with its system where ipitrace knows it, which the text does not give.
  func name(_ number: Int) -> String {
    EventKind(rawValue: UInt8(clamping: number))?.qualifiedName ?? String(decoding: names[number], as: UTF8.self)
  }
}
