/// Short texts that were read lately, with a number for each: a look-up that needs no length and no hash of the whole.
///
/// What is found is what was taken with the very same bytes.
struct RecentTexts: ~Copyable {
  /// The longest text that is kept.
  static let longest = 48

  /// A text takes eight words: six for its bytes, then its length and its number. The first two hold the line's bytes,
  /// even those behind a shorter text; in the others what does not belong to the text is 0.
  private static let entrySize = 8
  private let table: UnsafeMutablePointer<UInt64>
  private let bits: UInt64

  /// - Parameter bits: how many texts are kept, as a power of two.
  init(bits: Int) {
    self.bits = UInt64(bits)
    table = .allocate(capacity: Self.entrySize << bits)
    // A place of length 0 is empty.
    table.initialize(repeating: 0, count: Self.entrySize << bits)
  }

  deinit { table.deallocate() }

  /// Looks for a text that a line has at a place. ``longest`` bytes and a word from there can be looked at.
  /// - Returns: its length, and the number that was given; a length of 0 when it is not known.
  @inline(__always)
  func find(at start: UnsafePointer<UInt8>) -> (length: Int, number: Int) {
    let first = ByteWord(at: start).bits
    let second = ByteWord(at: start + 8).bits
    // Many long texts have the first 16 bytes in common.
    var entry = entry(first, second, 0)
    if entry[0] != first || entry[1] != second || entry[6] == 0 {
      entry = self.entry(first, second, ByteWord(at: start + 16).bits)
      if entry[0] != first || entry[1] != second { return (0, 0) }
    }
    let length = Int(truncatingIfNeeded: entry[6])
    var at = 16
    while at < length {
      if ByteWord(at: start + at).prefix(length &- at) != entry[at &>> 3] { return (0, 0) }
      at &+= 8
    }
    return (length, Int(truncatingIfNeeded: entry[7]))
  }

  /// Takes a text, unless it is too long.
  func take(at start: UnsafePointer<UInt8>, length: Int, number: Int) {
    guard length > 0, length <= Self.longest else { return }
    let first = ByteWord(at: start).bits
    let second = ByteWord(at: start + 8).bits
    let entry = entry(first, second, length <= 16 ? 0 : ByteWord(at: start + 16).bits)
    entry[0] = first
    entry[1] = second
    for index in 2..<6 {
      entry[index] = ByteWord(at: start + index * 8).bits & ByteWord.mask(max(0, length - index * 8))
    }
    entry[6] = UInt64(length)
    entry[7] = UInt64(number)
  }

  @inline(__always)
  private func entry(_ first: UInt64, _ second: UInt64, _ third: UInt64) -> UnsafeMutablePointer<UInt64> {
    let mixed = (first ^ second &* 3 ^ third &* 5) &* 0x9e37_79b9_7f4a_7c15
    return table + Int(truncatingIfNeeded: mixed &>> (64 &- bits)) &* Self.entrySize
  }
}
