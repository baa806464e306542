public import BasicContainers

/// How a machine's cells are packed into words: as many bits for each as its values need, and none for a cell that is always 0.
///
/// Which cells are used, and how far, depends on the workload; an exploration finds out, and packs anew when it was wrong.
public struct StatePacking: ~Copyable {
  struct Place {
    var word: Int
    var shift: UInt64
    /// The bits that the value has, from bit 0; none for a cell that is not stored.
    var mask: UInt64
  }

  private(set) var places: UniqueArray<Place>
  /// The stored cells, word by word.
  private(set) var order: [Int] = []
  /// The cell that each bit of each word belongs to.
  private(set) var cellOfBit: UniqueArray<Int>
  /// Words of one packed state.
  public private(set) var wordCount = 0
  private var widths: [Int]

  /// - Parameter widths: bits of each cell.
  public init(widths: [Int]) {
    self.widths = widths
    places = UniqueArray(repeating: Place(word: 0, shift: 0, mask: 0), count: widths.count)
    var used = 64
    for cell in widths.indices where widths[cell] > 0 {
      if used + widths[cell] > 64 {
        wordCount += 1
        used = 0
      }
      places[cell] = Place(word: wordCount - 1, shift: UInt64(used), mask: (1 << UInt64(widths[cell])) - 1)
      order.append(cell)
      used += widths[cell]
    }
    // A state of no words would have no place in a store.
    wordCount = max(wordCount, 1)
    cellOfBit = UniqueArray(repeating: 0, count: wordCount * 64)
    for cell in order {
      for bit in 0..<widths[cell] { cellOfBit[places[cell].word * 64 + Int(places[cell].shift) + bit] = cell }
    }
  }

  /// The widths with room for these values, too.
  public func widths(withRoomFor values: [(cell: Int, value: Int32)]) -> [Int] {
    var result = widths
    for (cell, value) in values { result[cell] = max(result[cell], Self.width(of: value)) }
    return result
  }

  /// The bits that a value needs.
  public static func width(of value: Int32) -> Int { 32 - value.leadingZeroBitCount }

  /// Writes a state that is packed like this into zeros, packed in another way that has at least as much room.
  public func repack(
    _ packed: borrowing UniqueArray<UInt64>, at start: Int, into other: inout UniqueArray<UInt64>, at otherStart: Int,
    _ otherPacking: borrowing StatePacking
  ) {
    for cell in order {
      let place = places[cell]
      let otherPlace = otherPacking.places[cell]
      other[otherStart + otherPlace.word] |=
        (packed[start + place.word] >> place.shift & place.mask) << otherPlace.shift
    }
  }
}
