import TraceTypes

/// The names of events that occur in a text, numbered. Those that ipitrace reads have the numbers of their kinds.
struct TextEventNames: ~Copyable {
  /// Names of other events beyond these are counted as one.
  private static let capacity = 4096

  private var names = ByteInterner(capacity: Self.capacity, byteCapacity: Self.capacity * 64)

  /// A name that was read lately, and the colon behind it.
  private struct Recent {
    /// The line's bytes from the name's first, in the third and fourth word only those that belong to it.
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var masks: (UInt64, UInt64) = (0, 0)
    /// With the colon; 0 in a place that nothing was put into.
    var length = 0
    var number = 0
  }

  private static let recentCount = 64
  /// By what the line says in the 16 bytes from the name's first.
  private let recent: UnsafeMutablePointer<Recent>

  init() {
    recent = .allocate(capacity: Self.recentCount)
    recent.initialize(repeating: Recent(), count: Self.recentCount)
    for kind in EventKind.allCases {
      var name = kind.name
      name.withUTF8 { _ = names.insert($0, hash: names.hash($0)) }
    }
  }

  deinit { recent.deallocate() }

  /// Reads a name and the colon behind it.
  /// - Parameter cursor: at the name; afterwards, if there is one, behind the colon.
  /// - Returns: its number, or nil when there is no name with a colon.
  @inline(__always)
  mutating func take(_ cursor: inout LineCursor) -> Int? {
    let start = cursor.place
    let first = ByteWord(at: start).bits
    let second = ByteWord(at: start + 8).bits
    // Long names often have the first 16 bytes in common.
    var place = Self.place(first ^ second &* 3)
    if recent[place].length == 0 || recent[place].words.0 != first || recent[place].words.1 != second {
      place = Self.place(first ^ second &* 3 ^ ByteWord(at: start + 16).bits &* 5)
    }
    let known = recent[place]
    if known.length > 0, known.words.0 == first, known.words.1 == second,
      known.words.2 == ByteWord(at: start + 16).bits & known.masks.0,
      known.words.3 == ByteWord(at: start + 24).bits & known.masks.1
    {
      cursor.skip(known.length)
      return known.number
    }
    return takeUnknown(&cursor)
  }

  @inline(__always)
  private static func place(_ mixed: UInt64) -> Int {
    Int(truncatingIfNeeded: (mixed &* 0x9e37_79b9_7f4a_7c15) &>> 58)
  }

  private mutating func takeUnknown(_ cursor: inout LineCursor) -> Int? {
    let start = cursor.place
    while !cursor.isAtEnd, cursor.byte.isIdentifier { cursor.skip() }
    let name = cursor.bytes(since: start)
    guard !name.isEmpty, cursor.take(UInt8(ascii: ":")) else { return nil }
    let number = number(name)
    let length = name.count + 1
    if length <= 32 {
      let mixed = ByteWord(at: start).bits ^ ByteWord(at: start + 8).bits &* 3
      let place = Self.place(length <= 16 ? mixed : mixed ^ ByteWord(at: start + 16).bits &* 5)
      let masks = (ByteWord.mask(max(0, length - 16)), ByteWord.mask(max(0, length - 24)))
      let words = (
        ByteWord(at: start).bits, ByteWord(at: start + 8).bits, ByteWord(at: start + 16).bits & masks.0,
        ByteWord(at: start + 24).bits & masks.1
      )
      recent[place] = Recent(words: words, masks: masks, length: length, number: number)
    }
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
