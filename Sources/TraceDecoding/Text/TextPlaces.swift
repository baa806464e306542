import TraceTypes

/// Reads places in the kernel as a text names them, and gives the addresses that stand for them.
struct TextPlaces: ~Copyable {
  let symbols: TextSymbols
  private var known = ByteInterner(capacity: TextSymbols.capacity, byteCapacity: 8 << 20)
  /// Those of them that were read lately.
  private let recent = RecentTexts(bits: 8)
  /// By number in ``known``.
  private var addresses: [UInt64] = []
  /// Places for which there was no room.
  private(set) var overflown: UInt64 = 0

  init(symbols: TextSymbols) { self.symbols = symbols }

  /// Reads `symbol+0x1c/0x40 [module]`, where all but the symbol may be absent, or a pointer in hexadecimal digits.
  /// - Returns: the address, or nil when nothing of that kind is there.
  @inline(__always)
  mutating func place(_ cursor: inout LineCursor) -> UInt64? {
    let start = cursor.place
    switch cursor.byte {
    case UInt8(ascii: "0"):
      guard start[1] == UInt8(ascii: "x") else { break }
      var rest = LineCursor(from: start + 2, to: cursor.end)
      if let pointer = rest.hexadecimal(), endsPlace(rest) {
        cursor = rest
        return pointer
      }
    case UInt8(ascii: "("):
      // How trace-cmd prints a pointer that is 0.
      if ByteWord(at: start).prefix(5) == ByteWord("(nil)").bits {
        cursor.skip(5)
        return 0
      }
      if cursor.take("(null)") { return 0 }
    default:
      let known = recent.find(at: start)
      if known.length > 0, endsPlace(LineCursor(from: start + known.length, to: cursor.end)) {
        cursor.skip(known.length)
        return addresses[known.number]
      }
    }
    return readPlace(&cursor)
  }

  /// Whether a place ends here for certain: no other text, and no module, belongs to it.
  @inline(__always)
  private func endsPlace(_ cursor: LineCursor) -> Bool {
    if cursor.byte == 0x20 { return cursor.place[1] != UInt8(ascii: "[") }
    return cursor.byte == UInt8(ascii: ",") || cursor.byte == UInt8(ascii: ")") || cursor.isAtEnd
  }

  private mutating func readPlace(_ cursor: inout LineCursor) -> UInt64? {
    let start = cursor.place
    var hash = known.hashing()
    while true {
      let word = ByteWord(at: cursor.place)
      let ends = word.marks(of: 0x20) | word.marks(of: UInt8(ascii: ",")) | word.marks(of: UInt8(ascii: ")"))
      let count = min(ends.first, cursor.end - cursor.place)
      cursor.skip(count)
      hash.add(word.prefix(count))
      if count < 8 { break }
    }
    // A module follows behind a blank; a symbol never begins with a bracket.
    if cursor.byte == 0x20, cursor.place + 1 < cursor.end, cursor.place[1] == UInt8(ascii: "[") {
      return placeInModule(&cursor, start)
    }
    return place(cursor.bytes(since: start), hash.value(length: cursor.place - start))
  }

  private mutating func placeInModule(_ cursor: inout LineCursor, _ start: UnsafePointer<UInt8>) -> UInt64? {
    var rest = cursor
    rest.skip()
    while !rest.isAtEnd, rest.byte != UInt8(ascii: "]") { rest.skip() }
    if rest.take(UInt8(ascii: "]")) { cursor = rest }
    let text = cursor.bytes(since: start)
    return place(text, known.hash(text))
  }

  @inline(__always)
  private mutating func place(_ text: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> UInt64? {
    if text.isEmpty { return nil }
    if let pointer = Self.pointer(text) { return pointer }
    guard let number = known.find(text, hash: hash) else { return add(text, hash: hash) }
    if let start = text.baseAddress { recent.take(at: start, length: text.count, number: number) }
    return addresses[number]
  }

  /// A pointer: `0x` and digits, or 16 digits as the kernel prints them.
  @inline(__always)
  private static func pointer(_ text: UnsafeBufferPointer<UInt8>) -> UInt64? {
    guard text[0] == UInt8(ascii: "0") || text.count == 16, let start = text.baseAddress else { return nil }
    let isMarked = text.count > 2 && text[1] | 0x20 == UInt8(ascii: "x")
    guard isMarked || text.count == 16 || text.count == 1 else { return nil }
    var cursor = LineCursor(from: start + (isMarked ? 2 : 0), to: start + text.count)
    guard let value = cursor.hexadecimal(), cursor.isAtEnd else { return nil }
    return value
  }

  private mutating func add(_ text: UnsafeBufferPointer<UInt8>, hash: UInt64) -> UInt64? {
    guard let parts = Parts(text) else { return nil }
    var address: UInt64?
    // Names are kept as long as the texts are that hold them.
    let isKept = known.hasRoom(for: text.count)
    if parts.offset <= TextSymbols.largestOffset, parts.size.map({ parts.offset <= $0 }) ?? true {
      address = symbols.address(ofSymbol: parts.name, module: parts.module, offset: parts.offset, keeps: isKept)
    } else if isKept {
      address = symbols.address(ofText: String(decoding: text, as: UTF8.self))
    }
    guard let address, known.insert(text, hash: hash) != nil else {
      overflown += 1
      return address ?? TextAddress.hashes | hash & 0xffff_ffff_ffff
    }
    addresses.append(address)
    return address
  }

  /// What a symbol's text consists of.
  private struct Parts {
    var name: String
    var module: String?
    var offset: UInt64 = 0
    var size: UInt64?

    init?(_ text: UnsafeBufferPointer<UInt8>) {
      guard let start = text.baseAddress else { return nil }
      // A pointer that was not hashed yet, and what else stands in parentheses, is no place.
      if text[0] == UInt8(ascii: "(") { return nil }
      var cursor = LineCursor(from: start, to: start + text.count)
      while !cursor.isAtEnd, cursor.byte != UInt8(ascii: "+"), cursor.byte != 0x20 { cursor.skip() }
      let nameBytes = cursor.bytes(since: start)
      guard !nameBytes.isEmpty, nameBytes.count <= 512 else { return nil }
      name = String(decoding: nameBytes, as: UTF8.self)
      if cursor.take("+0x") {
        guard let value = cursor.hexadecimal() else { return nil }
        offset = value
        if cursor.take("/0x") {
          guard let value = cursor.hexadecimal() else { return nil }
          size = value
        }
      }
      cursor.skipBlanks()
      if cursor.take(UInt8(ascii: "[")) {
        let start = cursor.place
        while !cursor.isAtEnd, cursor.byte != UInt8(ascii: "]") { cursor.skip() }
        module = String(decoding: cursor.bytes(since: start), as: UTF8.self)
        guard cursor.take(UInt8(ascii: "]")) else { return nil }
      }
      guard cursor.isAtEnd else { return nil }
    }
  }
}
