/// Rendered pieces by number: those used lately are found without a hash table.
struct PieceCache {
  /// More different ones than this are rendered anew each time.
  private static let kept = 65_536
  private static let recentCount = 64

  private var pieces: [[UInt8]] = []
  private var places: [UInt64: Int] = [:]
  /// By the lowest bits of the mixed number; the place is −1 where there is nothing.
  private var recent = Array(repeating: (key: UInt64(0), place: -1), count: recentCount)

  private static func slot(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> 58)
  }

  /// Appends a number's piece.
  /// - Returns: false where it has none.
  mutating func append(_ key: UInt64, to bytes: inout [UInt8]) -> Bool {
    let slot = Self.slot(key)
    if recent[slot].key == key, recent[slot].place >= 0 {
      bytes.append(contentsOf: pieces[recent[slot].place])
      return true
    }
    guard let place = places[key] else { return false }
    recent[slot] = (key, place)
    bytes.append(contentsOf: pieces[place])
    return true
  }

  /// Keeps a piece, if there is room, and appends it.
  mutating func add(_ key: UInt64, _ piece: [UInt8], to bytes: inout [UInt8]) {
    if pieces.count < Self.kept {
      places[key] = pieces.count
      recent[Self.slot(key)] = (key, pieces.count)
      pieces.append(piece)
    }
    bytes.append(contentsOf: piece)
  }
}

/// Rendered pieces by place, each rendered when it is first needed.
struct PieceTable {
  private var pieces: [[UInt8]?]

  init(count: Int) { pieces = Array(repeating: nil, count: count) }

  /// Appends a place's piece.
  /// - Returns: false where it is not there yet.
  func append(_ place: Int, to bytes: inout [UInt8]) -> Bool {
    guard let piece = pieces[place] else { return false }
    bytes.append(contentsOf: piece)
    return true
  }

  /// Keeps the piece of a place, and appends it.
  mutating func add(_ place: Int, _ piece: [UInt8], to bytes: inout [UInt8]) {
    pieces[place] = piece
    bytes.append(contentsOf: piece)
  }

  /// Appends the piece of a place.
  /// - Parameter render: gives it, where it is not there yet.
  mutating func append(_ place: Int, to bytes: inout [UInt8], render: () -> [UInt8]) {
    if let piece = pieces[place] {
      bytes.append(contentsOf: piece)
      return
    }
    let piece = render()
    pieces[place] = piece
    bytes.append(contentsOf: piece)
  }
}
