internal import Histogram

/// Collects durations in nanoseconds, exact to 1 %, in memory that does not grow with their number.
///
/// A histogram is made at the first value, so that recorders that stay empty cost nothing.
struct DurationRecorder: Sendable {
  /// Longer durations count as this: an hour.
  static let longest: UInt64 = 3_600_000_000_000

  private var histogram: Histogram<UInt64>?
  private(set) var sum: UInt64 = 0
  private var smallest = UInt64.max
  private var largest: UInt64 = 0

  init() {}

  var count: UInt64 { histogram?.totalCount ?? 0 }

  /// - Complexity: O(1).
  mutating func record(_ nanoseconds: UInt64) {
    if histogram == nil {
      histogram = Histogram(highestTrackableValue: Self.longest, numberOfSignificantValueDigits: .two)
    }
    histogram!.record(min(nanoseconds, Self.longest))
    sum = sum.addingReportingOverflow(nanoseconds).partialValue
    smallest = min(smallest, nanoseconds)
    largest = max(largest, nanoseconds)
  }

  var summary: DurationSummary {
    guard let histogram, histogram.totalCount > 0 else {
      return DurationSummary(
        count: 0, minNanoseconds: nil, p50Nanoseconds: nil, p90Nanoseconds: nil, p99Nanoseconds: nil,
        p999Nanoseconds: nil, maxNanoseconds: nil, sumNanoseconds: 0)
    }
    // The histogram gives the upper end of a bucket, which can lie above the largest value seen.
    func percentile(_ percent: Double) -> UInt64 {
      max(smallest, min(histogram.valueAtPercentile(percent), largest))
    }
    return DurationSummary(
      count: histogram.totalCount, minNanoseconds: smallest, p50Nanoseconds: percentile(50),
      p90Nanoseconds: percentile(90), p99Nanoseconds: percentile(99), p999Nanoseconds: percentile(99.9),
      maxNanoseconds: largest, sumNanoseconds: sum)
  }

  var distribution: DurationDistribution {
    var bins: [DurationDistribution.Bin] = []
    guard let histogram else { return DurationDistribution(summary: summary, histogram: bins) }
    for value in histogram.recordedValues() {
      let bounds = Self.bin(holding: value.value)
      if let last = bins.last, last.fromNanoseconds == bounds.from {
        bins[bins.count - 1].count += value.count
      } else {
        bins.append(
          DurationDistribution.Bin(fromNanoseconds: bounds.from, toNanoseconds: bounds.to, count: value.count))
      }
    }
    return DurationDistribution(summary: summary, histogram: bins)
  }

  /// The bin of a value, four to an octave from 4 ns on; below, one per nanosecond.
  static func bin(holding value: UInt64) -> (from: UInt64, to: UInt64) {
    guard value >= 4 else { return (value, value + 1) }
    let exponent = UInt64(63 - value.leadingZeroBitCount)
    let width = (UInt64(1) << exponent) / 4
    let from = value / width * width
    return (from, from + width)
  }
}
