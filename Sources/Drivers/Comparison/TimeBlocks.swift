import Verdicts

/// A recording's slices, brought to blocks of a length that suits both sides of a comparison.
struct TimeBlocks {
  /// The most blocks of the shorter recording, and, merging two by two, at least half as many.
  ///
  /// More would be shorter, and go together with their neighbours; the test loses next to nothing by having few.
  static let most = 32
  /// With fewer blocks on a side, too few dealings differ.
  static let fewest = 8

  private(set) var blocks: [SlicedStatistics.Slice]
  /// How much of each block lies within the recording, in seconds.
  private(set) var seconds: [Double]

  /// The length of the blocks, as a power of two of nanoseconds, that suits both recordings, or why there is none.
  static func shift(
    _ before: SlicedStatistics, _ beforeSpan: ClosedRange<UInt64>, _ after: SlicedStatistics,
    _ afterSpan: ClosedRange<UInt64>
  ) -> Result<UInt64, NotJudgeable> {
    var shift = max(before.shift, after.shift)
    func fewest(_ shift: UInt64) -> Int {
      min(Grid(beforeSpan, shift: shift).count, Grid(afterSpan, shift: shift).count)
    }
    func most(_ shift: UInt64) -> Int {
      max(Grid(beforeSpan, shift: shift).count, Grid(afterSpan, shift: shift).count)
    }
    // Slices end where the last call was, and the recording may go on.
    while most(shift) > SlicedStatistics.maximumSlices { shift += 1 }
    if fewest(shift) < Self.fewest {
      let own = min(
        Grid(beforeSpan, shift: before.shift).count, Grid(afterSpan, shift: after.shift).count)
      return .failure(NotJudgeable(reason: own < Self.fewest ? .tooShort : .unequalLengths))
    }
    while fewest(shift) > Self.most { shift += 1 }
    return .success(shift)
  }

  /// Why two recordings can't be cut into blocks.
  struct NotJudgeable: Error {
    var reason: NotComparedReason
  }

  /// - Parameter shift: no less than the slices' own.
  init(_ statistics: SlicedStatistics, span: ClosedRange<UInt64>, shift: UInt64) {
    let grid = Grid(span, shift: shift)
    blocks = Array(repeating: SlicedStatistics.Slice(), count: grid.count)
    seconds = grid.seconds
    for (index, slice) in statistics.slices.enumerated() {
      let number = (statistics.first + UInt64(index)) >> (shift - statistics.shift)
      blocks[grid.place(of: number)].add(slice)
    }
  }

  /// Where blocks begin: at multiples of their length. The first and the last one, of which the recording may have only a
  /// part, belong to their neighbour where that is less than half.
  private struct Grid {
    private let first: UInt64
    private let last: UInt64
    private let mergesFirst: Bool
    let count: Int
    private let span: ClosedRange<UInt64>
    private let shift: UInt64

    init(_ span: ClosedRange<UInt64>, shift: UInt64) {
      self.span = span
      self.shift = shift
      first = span.lowerBound >> shift
      last = span.upperBound >> shift
      let length = UInt64(1) << shift
      let head = length - (span.lowerBound & (length - 1))
      let tail = span.upperBound & (length - 1)
      let whole = last - first
      mergesFirst = whole > 0 && head < length / 2
      let mergesLast = whole > (mergesFirst ? 1 : 0) && tail < length / 2
      count = Int(whole + 1 - (mergesFirst ? 1 : 0) - (mergesLast ? 1 : 0))
    }

    func place(of number: UInt64) -> Int {
      let offset = number > first ? number - first : 0
      return Int(min(mergesFirst && offset > 0 ? offset - 1 : offset, UInt64(count - 1)))
    }

    var seconds: [Double] {
      var result = [Double](repeating: 0, count: count)
      for place in 0..<count {
        let begin = place == 0 ? span.lowerBound : (first + UInt64(place) + (mergesFirst ? 1 : 0)) << shift
        let end =
          place == count - 1 ? span.upperBound : (first + UInt64(place) + (mergesFirst ? 1 : 0) + 1) << shift
        result[place] = Double(end - begin) / 1e9
      }
      return result
    }
  }
}
