internal import BasicContainers

/// Collects durations in nanoseconds, exact to 1 %, in memory that does not grow with their number.
///
/// A logarithmic histogram of 128 linear bins an octave. Every queued call is recorded several times over, so this is part of
/// the replay's inner loop: recording is a shift, an addition and an increment. A general histogram library took a fifth of the
/// whole replay's time for it.
package struct DurationRecorder: Sendable {
  private static let binsPerOctave: UInt64 = 128
  private static let binBits: UInt64 = 7

  /// Bin → count; grows to the largest duration seen, at most 58 octaves.
  private var bins: ContiguousArray<UInt64> = []
  package private(set) var count: UInt64 = 0
  package private(set) var sum: UInt64 = 0
  private var smallest = UInt64.max
  private var largest: UInt64 = 0

  package init() {}

  /// - Complexity: amortized O(1).
  @inline(__always)
  package mutating func record(_ nanoseconds: UInt64) {
    let bin = Self.bin(of: nanoseconds)
    if bin >= bins.count { grow(to: bin) }
    bins[bin] &+= 1
    count &+= 1
    sum = sum.addingReportingOverflow(nanoseconds).partialValue
    if nanoseconds < smallest { smallest = nanoseconds }
    if nanoseconds > largest { largest = nanoseconds }
  }

  @inline(never)
  private mutating func grow(to bin: Int) {
    bins.append(contentsOf: repeatElement(0, count: (bin | 127) + 1 - bins.count))
  }

  /// Takes over what was tallied elsewhere.
  mutating func add(_ tally: borrowing DurationTally) {
    if tally.bins.count > bins.count { grow(to: tally.bins.count - 1) }
    for bin in 0..<tally.bins.count { bins[bin] &+= tally.bins[bin] }
    count &+= tally.count
    sum &+= tally.sum
    smallest = min(smallest, tally.smallest)
    largest = max(largest, tally.largest)
  }

  /// The first 128 bins are one nanosecond wide; then the width doubles every 128 bins.
  @inline(__always)
  fileprivate static func bin(of value: UInt64) -> Int {
    let octave = UInt64(truncatingIfNeeded: max(0, 56 - (value | 1).leadingZeroBitCount))
    return Int(truncatingIfNeeded: octave &<< binBits &+ (value &>> octave))
  }

  /// The largest duration that a bin holds.
  private static func upperEnd(of bin: Int) -> UInt64 {
    let bin = UInt64(bin)
    if bin < 2 * binsPerOctave { return bin }
    let octave = bin / binsPerOctave - 1
    // The last bin of all ends where the numbers end.
    return ((bin % binsPerOctave + binsPerOctave + 1) << octave) &- 1
  }

  /// The duration that this share of the recorded ones does not exceed.
  /// - Complexity: O(number of bins).
  private func percentile(_ perMille: UInt64) -> UInt64 {
    let rank = max(1, (count.multipliedFullWidth(by: perMille).low &+ 999) / 1000)
    var seen: UInt64 = 0
    for bin in bins.indices where bins[bin] > 0 {
      seen &+= bins[bin]
      if seen >= rank { return max(smallest, min(Self.upperEnd(of: bin), largest)) }
    }
    return largest
  }

  /// The durations that these shares of the recorded ones do not exceed.
  /// - Parameter perMille: ascending; 0 is the shortest.
  /// - Returns: empty if nothing was recorded.
  /// - Complexity: O(number of bins).
  package func quantiles(perMille: [UInt64]) -> [UInt64] {
    guard count > 0 else { return [] }
    var result: [UInt64] = []
    var bin = 0
    var seen = bins[0]
    for share in perMille {
      let rank = max(1, (count.multipliedFullWidth(by: share).low &+ 999) / 1000)
      while seen < rank, bin + 1 < bins.count {
        bin += 1
        seen &+= bins[bin]
      }
      result.append(share == 0 ? smallest : max(smallest, min(Self.upperEnd(of: bin), largest)))
    }
    return result
  }

  package var summary: DurationSummary {
    guard count > 0 else {
      return DurationSummary(
        count: 0, minNanoseconds: nil, p50Nanoseconds: nil, p90Nanoseconds: nil, p99Nanoseconds: nil,
        p999Nanoseconds: nil, maxNanoseconds: nil, sumNanoseconds: 0)
    }
    return DurationSummary(
      count: count, minNanoseconds: smallest, p50Nanoseconds: percentile(500), p90Nanoseconds: percentile(900),
      p99Nanoseconds: percentile(990), p999Nanoseconds: percentile(999), maxNanoseconds: largest, sumNanoseconds: sum)
  }

  package var distribution: DurationDistribution {
    var coarse: [DurationDistribution.Bin] = []
    for bin in bins.indices where bins[bin] > 0 {
      let bounds = Self.coarseBin(holding: Self.upperEnd(of: bin))
      if let last = coarse.last, last.fromNanoseconds == bounds.from {
        coarse[coarse.count - 1].count += bins[bin]
      } else {
        coarse.append(
          DurationDistribution.Bin(fromNanoseconds: bounds.from, toNanoseconds: bounds.to, count: bins[bin]))
      }
    }
    return DurationDistribution(summary: summary, histogram: coarse)
  }

  /// The bin of a value in reports: four to an octave from 4 ns on; below, one per nanosecond. Fine bins do not straddle them.
  static func coarseBin(holding value: UInt64) -> (from: UInt64, to: UInt64) {
    guard value >= 4 else { return (value, value + 1) }
    let exponent = UInt64(63 - value.leadingZeroBitCount)
    let width = (UInt64(1) << exponent) / 4
    let from = value / width * width
    return (from, from.addingReportingOverflow(width).overflow ? .max : from + width)
  }
}

/// The part of a ``DurationRecorder`` that records. It can't be copied, so no recording has to ask whether its bins are shared.
struct DurationTally: ~Copyable {
  /// See ``DurationRecorder``.
  fileprivate var bins = UniqueArray<UInt64>()
  fileprivate var count: UInt64 = 0
  fileprivate var sum: UInt64 = 0
  fileprivate var smallest = UInt64.max
  fileprivate var largest: UInt64 = 0

  /// - Complexity: amortized O(1).
  @inline(__always)
  mutating func record(_ nanoseconds: UInt64) {
    let bin = DurationRecorder.bin(of: nanoseconds)
    if bin >= bins.count { grow(to: bin) }
    bins[bin] &+= 1
    count &+= 1
    sum &+= nanoseconds
    if nanoseconds < smallest { smallest = nanoseconds }
    if nanoseconds > largest { largest = nanoseconds }
  }

  @inline(never)
  private mutating func grow(to bin: Int) {
    while bins.count <= bin | 127 { bins.append(0) }
  }

  var recorder: DurationRecorder {
    var recorder = DurationRecorder()
    recorder.add(self)
    return recorder
  }
}
