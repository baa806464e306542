/// Rendered pieces, one behind the other in one array: to append one of them is to copy bytes, and counts no references.
struct PieceStore {
  private var bytes: [UInt8] = []

  /// Keeps a piece.
  /// - Returns: where it is.
  mutating func add(_ piece: some Collection<UInt8>) -> Range<Int> {
    let start = bytes.count
    bytes.append(contentsOf: piece)
    return start..<bytes.count
  }

  /// Appends a piece that was kept.
  @inline(__always)
  func append(_ piece: Range<Int>, to target: inout [UInt8]) {
    bytes.withUnsafeBufferPointer { target.append(contentsOf: UnsafeBufferPointer(rebasing: $0[piece])) }
  }
}

/// Rendered pieces by number: those used lately are found without a hash table.
struct PieceCache {
  /// More different ones than this are rendered anew each time.
  private static let kept = 65_536
  private static let recentCount = 64

  private var store = PieceStore()
  private var places: [UInt64: Range<Int>] = [:]
  /// By the lowest bits of the mixed number; empty where there is nothing.
  private var recent = Array(repeating: (key: UInt64(0), place: 0..<0), count: recentCount)

  private static func slot(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> 58)
  }

  /// Appends a number's piece.
  /// - Returns: false where it has none.
  mutating func append(_ key: UInt64, to bytes: inout [UInt8]) -> Bool {
    let slot = Self.slot(key)
    let (known, piece) = recent[slot]
    if known == key, !piece.isEmpty {
      store.append(piece, to: &bytes)
      return true
    }
    guard let place = places[key] else { return false }
    recent[slot] = (key, place)
    store.append(place, to: &bytes)
    return true
  }

  /// Keeps a piece, if there is room, and appends it.
  mutating func add(_ key: UInt64, _ piece: [UInt8], to bytes: inout [UInt8]) {
    if places.count < Self.kept {
      let place = store.add(piece)
      places[key] = place
      recent[Self.slot(key)] = (key, place)
    }
    bytes.append(contentsOf: piece)
  }
}

/// Rendered pieces by place, each rendered when it is first needed.
struct PieceTable {
  private var store = PieceStore()
  /// Negative bounds where a piece is not there yet.
  private var pieces: [Range<Int>]
  private static let missing = -1 ..< -1

  init(count: Int) { pieces = Array(repeating: Self.missing, count: count) }

  /// Appends a place's piece.
  /// - Returns: false where it is not there yet.
  @inline(__always)
  func append(_ place: Int, to bytes: inout [UInt8]) -> Bool {
    let piece = pieces[place]
    if piece.lowerBound < 0 { return false }
    store.append(piece, to: &bytes)
    return true
  }

  /// Keeps the piece of a place, and appends it.
  mutating func add(_ place: Int, _ piece: [UInt8], to bytes: inout [UInt8]) {
    pieces[place] = store.add(piece)
    bytes.append(contentsOf: piece)
  }

  /// Appends the piece of a place.
  /// - Parameter render: gives it, where it is not there yet.
  @inline(__always)
  mutating func append(_ place: Int, to bytes: inout [UInt8], render: () -> [UInt8]) {
    if append(place, to: &bytes) { return }
    add(place, render(), to: &bytes)
  }
}
