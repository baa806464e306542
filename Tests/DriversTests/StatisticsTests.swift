import TestSupport
import Testing

@testable import Verdicts

@Suite struct InternTableTests {
  @Test(arguments: [10, 1_000, 100_000]) func numbersKeysInTheOrderOfTheirFirstSight(_ limit: Int) {
    var random = RepeatableRandom.forTest()
    struct Key: Hashable {
      var first: UInt64
      var second: UInt64
    }
    let keys = (0..<3_000).map { _ in
      Key(first: 0xffff_ffff_8100_0000 + UInt64(random.below(400)) * 16, second: UInt64(random.below(12)) << 40)
    }
    var table = InternTable(limit: limit)
    var model: [Key: Int] = [:]
    var order: [Key] = []
    for key in keys {
      let expected = model[key] ?? (order.count < limit ? order.count : nil)
      if model[key] == nil, let expected {
        model[key] = expected
        order.append(key)
      }
      #expect(table.number(key.first, key.second) == expected, "seed \(random.seed)")
    }
    #expect(table.keys.count == order.count)
    #expect(zip(table.keys, order).allSatisfy { $0.0 == $1.first && $0.1 == $1.second })
  }

  @Test func zeroIsAKey() {
    var table = InternTable(limit: 5)
    #expect(table.number(0, 0) == 0)
    #expect(table.number(0, 1) == 1)
    #expect(table.number(0, 0) == 0)
  }
}

@Suite struct DurationRecorderTests {
  /// The percentiles of sorted values, by rank.
  static func exact(_ sorted: [UInt64], perMille: Int) -> UInt64 {
    sorted[max(1, (sorted.count * perMille + 999) / 1_000) - 1]
  }

  @Test(arguments: [8, 12, 20, 32, 63], [1, 7, 1_000, 20_000])
  func percentilesAreExactTo1Percent(_ bits: Int, _ count: Int) throws {
    var random = RepeatableRandom.forTest()
    var recorder = DurationRecorder()
    var values: [UInt64] = []
    for _ in 0..<count {
      // Evenly spread over the orders of magnitude.
      let value = random.next() >> UInt64(64 - 1 - random.below(bits))
      values.append(value)
      recorder.record(value)
    }
    values.sort()
    let summary = recorder.summary
    #expect(summary.count == UInt64(count))
    #expect(summary.minNanoseconds == values.first && summary.maxNanoseconds == values.last)
    #expect(summary.sumNanoseconds == values.reduce(0, &+))
    let percentiles: [(Int, UInt64?)] = [
      (500, summary.p50Nanoseconds), (900, summary.p90Nanoseconds), (990, summary.p99Nanoseconds),
      (999, summary.p999Nanoseconds),
    ]
    for (perMille, found) in percentiles {
      let found = try #require(found)
      let exact = Self.exact(values, perMille: perMille)
      let error = found > exact ? found - exact : exact - found
      #expect(error <= exact / 100, "seed \(random.seed): \(found), exactly \(exact), of \(count) below 2^\(bits)")
    }
    let distribution = recorder.distribution
    #expect(distribution.histogram.reduce(0) { $0 + $1.count } == UInt64(count))
    for bin in distribution.histogram {
      let exact = values.count { $0 >= bin.fromNanoseconds && ($0 < bin.toNanoseconds || bin.toNanoseconds == .max) }
      #expect(bin.count == UInt64(exact), "seed \(random.seed): \(bin)")
    }
  }

  @Test func extremes() {
    var recorder = DurationRecorder()
    #expect(recorder.summary.count == 0 && recorder.summary.p50Nanoseconds == nil)
    #expect(recorder.distribution.histogram.isEmpty)
    recorder.record(0)
    #expect(recorder.summary.p50Nanoseconds == 0 && recorder.summary.maxNanoseconds == 0)
    recorder.record(1)
    recorder.record(.max)
    #expect(recorder.summary.minNanoseconds == 0)
    #expect(recorder.summary.p50Nanoseconds == 1)
    #expect(recorder.summary.p999Nanoseconds == .max)
    #expect(recorder.summary.maxNanoseconds == .max)
    #expect(recorder.distribution.histogram.map(\.count) == [1, 1, 1])
  }
}
