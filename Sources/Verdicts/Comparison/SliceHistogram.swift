/// Durations of one slice of time in nanoseconds, counted by size, small and easy to add up.
///
/// A logarithmic histogram of 16 linear bins an octave, so exact to 6 %; octaves without a duration take no room. There is one
/// for every slice, callback and CPU. What is reported is counted exactly beside it; this one only has to tell how the
/// durations of one stretch of time differ from those of another.
package struct SliceHistogram: Sendable {
  /// Bit o: there are bins of octave o.
  private var octaves: UInt64 = 0
  /// 16 for every octave there is, ascending.
  private var bins: ContiguousArray<UInt32> = []
  package private(set) var count: UInt64 = 0
  /// Saturated.
  package private(set) var sum: UInt64 = 0

  package init() {}

  /// How many bins there can be.
  package static let binCount = 61 * 16

  /// The bin of a duration: the first 16 are one nanosecond wide, then the width doubles every 16.
  package static func bin(of value: UInt64) -> Int {
    let octave = UInt64(truncatingIfNeeded: max(0, 59 - (value | 1).leadingZeroBitCount))
    return Int(truncatingIfNeeded: octave &<< 4 &+ (value &>> octave))
  }

  /// The largest duration that a bin holds.
  package static func upperEnd(of bin: Int) -> UInt64 {
    if bin < 32 { return UInt64(bin) }
    let octave = UInt64(bin / 16 - 1)
    return ((UInt64(bin % 16) + 17) << octave) &- 1
  }

  /// - Complexity: O(1) but for the first duration of an octave.
  package mutating func record(_ nanoseconds: UInt64) {
    let bin = Self.bin(of: nanoseconds)
    let start = place(octave: bin / 16)
    if bins[start + bin % 16] < .max { bins[start + bin % 16] += 1 }
    count &+= 1
    sum = Self.sum(sum, nanoseconds)
  }

  package mutating func add(_ other: SliceHistogram) {
    var from = 0
    for octave in 0..<64 where other.octaves >> UInt64(octave) & 1 == 1 {
      let start = place(octave: octave)
      for index in 0..<16 {
        let total = bins[start + index].addingReportingOverflow(other.bins[from + index])
        bins[start + index] = total.overflow ? .max : total.partialValue
      }
      from += 16
    }
    count &+= other.count
    sum = Self.sum(sum, other.sum)
  }

  /// Adds every bin's count to that bin's place.
  package func add(to counts: inout [UInt64]) {
    var from = 0
    for octave in 0..<61 where octaves >> UInt64(octave) & 1 == 1 {
      for index in 0..<16 { counts[octave * 16 + index] &+= UInt64(bins[from + index]) }
      from += 16
    }
  }

  /// How many durations lie in bins behind this one.
  package func count(above bin: Int) -> UInt64 {
    var from = 0
    var result: UInt64 = 0
    for octave in 0..<64 where octaves >> UInt64(octave) & 1 == 1 {
      for index in 0..<16 where octave * 16 + index > bin { result &+= UInt64(bins[from + index]) }
      from += 16
    }
    return result
  }

  /// Where the bins of an octave begin; they are made if there are none.
  private mutating func place(octave: Int) -> Int {
    let bit = UInt64(1) << UInt64(octave)
    let start = (octaves & (bit - 1)).nonzeroBitCount * 16
    if octaves & bit == 0 {
      octaves |= bit
      bins.insert(contentsOf: repeatElement(0, count: 16), at: start)
    }
    return start
  }

  private static func sum(_ first: UInt64, _ second: UInt64) -> UInt64 {
    let sum = first.addingReportingOverflow(second)
    return sum.overflow ? .max : sum.partialValue
  }
}
