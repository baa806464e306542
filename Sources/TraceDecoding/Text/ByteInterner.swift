import Glibc

/// Gives each different stretch of bytes a number: the first gets 0, the next 1, and so on.
///
/// All bytes are copied into one arena, so that a look-up allocates nothing. What the table does not hold is bounded.
struct ByteInterner: ~Copyable {
  private struct Entry {
    var hash: UInt64
    var offset: Int
    var length: Int
  }

  /// The most stretches that are kept.
  let capacity: Int
  /// The most bytes that are kept.
  let byteCapacity: Int
  private(set) var count = 0
  /// Position in ``entries`` plus 1, or 0 for a free place. The number of places is a power of two.
  private var places: UnsafeMutableBufferPointer<UInt32>
  private var entries: UnsafeMutableBufferPointer<Entry>
  private var bytes: UnsafeMutableBufferPointer<UInt8>
  private var byteCount = 0
  /// Different in each table, so that nobody can write a file whose names all fall into one place.
  private let seed = UInt64.random(in: 0 ... .max)

  init(capacity: Int, byteCapacity: Int) {
    self.capacity = capacity
    self.byteCapacity = byteCapacity
    places = .allocate(capacity: 256)
    places.initialize(repeating: 0)
    entries = .allocate(capacity: 128)
    bytes = .allocate(capacity: 4096)
  }

  deinit {
    places.deallocate()
    entries.deallocate()
    bytes.deallocate()
  }

  /// A hash that is made word by word.
  struct Hash {
    private var state: UInt64

    @inline(__always)
    fileprivate init(seed: UInt64) { state = seed }

    /// Adds eight bytes; at the end fewer, or none, with zeros behind.
    @inline(__always)
    mutating func add(_ word: UInt64) {
      state = (state ^ word) &* 0x9e37_79b9_7f4a_7c15
      state ^= state &>> 29
    }

    /// The hash of all bytes, whose number tells zeros at the end apart.
    @inline(__always)
    func value(length: Int) -> UInt64 {
      let hash = (state ^ UInt64(truncatingIfNeeded: length)) &* 0x9e37_79b9_7f4a_7c15
      return hash ^ hash &>> 32
    }
  }

  /// Begins a hash, which this table alone makes.
  @inline(__always)
  func hashing() -> Hash { Hash(seed: seed) }

  /// The hash of bytes: what comes of adding them word by word, and the last ones, which may be none.
  func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash = hashing()
    var index = 0
    repeat {
      var word: UInt64 = 0
      for place in 0..<min(8, text.count - index) { word |= UInt64(text[index + place]) << UInt64(place * 8) }
      hash.add(word)
      index += 8
    } while index <= text.count
    return hash.value(length: text.count)
  }

  /// The number of a stretch, or nil when the table doesn't have it.
  @inline(__always)
  func find(_ text: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int? {
    let mask = places.count &- 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while true {
      let position = Int(places[place]) &- 1
      if position < 0 { return nil }
      if entries[position].hash == hash, equals(entries[position], text) { return position }
      place = (place &+ 1) & mask
    }
  }

  @inline(__always)
  private func equals(_ entry: Entry, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard entry.length == text.count, let start = text.baseAddress, let own = bytes.baseAddress else { return false }
    return memcmp(own + entry.offset, start, entry.length) == 0
  }

  /// Whether a further stretch of this length will be taken.
  func hasRoom(for length: Int) -> Bool { count < capacity && length <= byteCapacity - byteCount }

  /// Adds a stretch that the table does not have.
  /// - Returns: its number, or nil when the table is full.
  mutating func insert(_ text: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int? {
    guard hasRoom(for: text.count) else { return nil }
    if count == entries.count { grow() }
    if byteCount + text.count > bytes.count {
      let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: (byteCount + text.count) * 2)
      _ = larger.initialize(from: bytes[..<byteCount])
      bytes.deallocate()
      bytes = larger
    }
    for index in text.indices { bytes[byteCount + index] = text[index] }
    entries.initializeElement(at: count, to: Entry(hash: hash, offset: byteCount, length: text.count))
    byteCount += text.count
    place(count)
    count += 1
    return count - 1
  }

  /// The bytes of a number.
  subscript(number: Int) -> UnsafeBufferPointer<UInt8> {
    precondition(number >= 0 && number < count, "no such number")
    let start = entries[number].offset
    return UnsafeBufferPointer(rebasing: bytes[start..<start + entries[number].length])
  }

  private mutating func grow() {
    let larger = UnsafeMutableBufferPointer<Entry>.allocate(capacity: entries.count * 2)
    _ = larger.moveInitialize(fromContentsOf: entries[..<count])
    entries.deallocate()
    entries = larger
    places.deallocate()
    places = .allocate(capacity: entries.count * 2)
    places.initialize(repeating: 0)
    for position in 0..<count { place(position) }
  }

  private func place(_ position: Int) {
    let mask = places.count - 1
    var place = Int(truncatingIfNeeded: entries[position].hash) & mask
    while places[place] != 0 { place = (place + 1) & mask }
    places[place] = UInt32(position + 1)
  }
}
