import Drivers
import Glibc
import TestSupport
import Testing
import Verdicts

/// How often equals are called different, and changes are found: measured, over many pairs of recordings of known loads.
///
/// IPITRACE_TEST_PLACES asks for more pairs.
@Suite struct ComparisonErrorRateTests {
  private static let pairs = RepeatableRandom.places(70, unoptimised: 12)
  /// How many of them, which are larger, show whether a change is found.
  private static let changes = pairs < 70 ? 4 : max(10, pairs / 10)

  /// The largest number of `count` pairs that a level allows, in 999 of 1,000 runs of a test that is just as good.
  private static func allowed(of count: Int, level: Double = 0.05) -> Int {
    let mean = Double(count) * level
    return Int((mean + 3.1 * (mean * (1 - level)).squareRoot()).rounded(.up))
  }

  /// Each shape has its pairs: 210 in all, every third with one recording three times as long.
  @Test(arguments: SyntheticLoad.Shape.allCases)
  func equalsAreSeldomCalledDifferent(_ shape: SyntheticLoad.Shape) {
    var random = RepeatableRandom(seed: RepeatableRandom.testSeed() &+ UInt64("\(shape)".utf8.count))
    var found: [String] = []
    for pair in 0..<Self.pairs {
      let before = SyntheticLoad(shape: shape, seconds: 0.7)
      var after = before
      if pair % 3 == 2 { after.seconds *= 3 }
      let comparison = Comparer.compare(
        before: ComparedEvents(before, &random).recording, after: ComparedEvents(after, &random).recording,
        seed: UInt64(pair))
      #expect(comparison.resampling.map { $0.tested > 40 } == true)
      let differences = comparison.differences
      if !differences.isEmpty { found.append("pair \(pair): \(differences)") }
    }
    Self.show("\(shape): \(found.count) of \(Self.pairs) pairs of equals differ")
    #expect(found.count <= Self.allowed(of: Self.pairs), "seed \(random.seed): \(found)")
  }

  /// Where one recording only varies more than the other, its rates are still the same.
  ///
  /// The level is not promised for this: the recordings do differ. And the third callback, of which there are four bursts in
  /// a recording, is as hard as it gets: where they happen to be small, nothing tells that they can be larger.
  @Test(arguments: [SyntheticLoad.Shape.bursts, .phases])
  func unequalSpreadIsNoDifferenceOfRates(_ shape: SyntheticLoad.Shape) {
    var random = RepeatableRandom(seed: RepeatableRandom.testSeed() &+ UInt64("\(shape)".utf8.count))
    var found: [String] = []
    for pair in 0..<Self.pairs {
      let even = SyntheticLoad(shape: .even, seconds: pair % 3 == 2 ? 2.1 : 0.7)
      let uneven = SyntheticLoad(shape: shape, seconds: 0.7)
      let comparison = Comparer.compare(
        before: ComparedEvents(even, &random).recording, after: ComparedEvents(uneven, &random).recording,
        seed: UInt64(pair))
      let rates = comparison.items.filter { $0.measure == .calls || $0.measure == .handlers }
      if rates.contains(where: { $0.isSignificant == true }) { found.append("pair \(pair): \(comparison.differences)") }
    }
    Self.show("even against \(shape): rates of \(found.count) of \(Self.pairs) pairs of equals differ")
    #expect(found.count <= Self.allowed(of: Self.pairs, level: 0.1), "seed \(random.seed): \(found)")
  }

  /// Twice as many calls of one callback are found, and pinned on that one.
  @Test(arguments: [SyntheticLoad.Shape.even, .bursts])
  func aDoubledRateIsFound(_ shape: SyntheticLoad.Shape) {
    var random = RepeatableRandom(seed: RepeatableRandom.testSeed() &+ UInt64("\(shape)".utf8.count))
    var found = 0
    var others = 0
    let count = Self.changes
    for pair in 0..<count {
      var before = SyntheticLoad(shape: shape, seconds: shape == .bursts ? 6 : 3)
      before.sources = before.sources.map { source in
        var source = source
        source.callsPerSecond *= 2
        return source
      }
      var after = before
      after.sources[1].callsPerSecond *= 2
      let comparison = Comparer.compare(
        before: ComparedEvents(before, &random).recording, after: ComparedEvents(after, &random).recording,
        seed: UInt64(pair))
      if let item = comparison.item(.calls, callback: "ipi_mb"), item.hasRisen {
        found += 1
        #expect((item.changeAtLeast ?? 0) > 0 && (item.changeAtMost ?? 0) > 0.5)
      }
      if comparison.item(.calls, callback: "flush_tlb_func")?.isSignificant != false { others += 1 }
    }
    Self.show("\(shape): a doubled rate is found in \(found) of \(count), another callback blamed in \(others)")
    #expect(found * 10 >= count * 9, "seed \(random.seed): found in \(found) of \(count)")
    #expect(others <= Self.allowed(of: count))
  }

  @Test(arguments: [SyntheticLoad.Shape.even, .bursts])
  func callbacksThatComeThirtyPerCentLaterAreFound(_ shape: SyntheticLoad.Shape) {
    var random = RepeatableRandom(seed: RepeatableRandom.testSeed() &+ UInt64("\(shape)".utf8.count))
    var found = 0
    let count = Self.changes
    for pair in 0..<count {
      var before = SyntheticLoad(shape: shape, seconds: shape == .bursts ? 6 : 3)
      for index in before.sources.indices { before.sources[index].callsPerSecond *= 3 }
      var after = before
      after.sources[0].medianDelay *= 1.3
      let comparison = Comparer.compare(
        before: ComparedEvents(before, &random).recording, after: ComparedEvents(after, &random).recording,
        seed: UInt64(pair))
      if comparison.item(.p50, callback: "flush_tlb_func")?.hasRisen == true { found += 1 }
    }
    Self.show("\(shape): a median 30 % later is found in \(found) of \(count)")
    #expect(found * 10 >= count * 9, "seed \(random.seed): found in \(found) of \(count)")
  }

  /// With IPITRACE_TEST_FIGURES set: for those who want to know the figures, not only that they are within bounds.
  private static func show(_ line: String) {
    if getenv("IPITRACE_TEST_FIGURES") != nil { print(line) }
  }
}
