internal import Glibc

/// Whether ratios that were measured in two rows of blocks differ by more than chance, all of them taken together.
///
/// Calls come in bursts: a hundred shootdowns are one munmap(). So calls are no independent events, and a test that takes them
/// for such finds differences everywhere. What is taken for independent here is a block of time, which holds many bursts; and
/// where blocks are seen to go together with their neighbours, their number is made smaller by as much.
///
/// If the two recordings do not differ, it does not matter which blocks belong to which. So the blocks are dealt out anew many
/// times, and a ratio's difference counts as much as it is larger than those of the shuffled blocks. That needs no assumption
/// about how counts or times are distributed.
///
/// Many ratios are tested at once. If each were allowed an error in 20, a hundred callbacks would yield five false accusations.
/// So what counts is, for each dealing, the *largest* of all differences, in units of its own spread (Westfall and Young,
/// single-step maxT): in 19 of 20 comparisons of equals, nothing at all is called different. Unlike Holm's or Bonferroni's
/// correction this loses nothing for items that say the same, as a CPU's, a callback's and the whole's often do; and unlike
/// Benjamini and Hochberg's it promises what a CI needs: that a run without a change passes.
///
/// Shuffled blocks answer whether the recordings are alike in all. Where one only varies more than the other, its mean may still
/// be the same. So the difference must also exceed the critical value times its own standard error, from each side's variance; and
/// where a side has little in few blocks, so that its variance is itself uncertain, the critical value is that of Student's
/// distribution (Welch). That is no exact test: in the hardest case that was tried, four bursts against forty single calls, 8 of
/// 100 pairs of equal rates are called different.
struct BlockTest {
  /// What was found of one ratio.
  struct Finding {
    /// The second ratio minus the first.
    var difference: Double
    /// The standard error of that, from what each side varies by in itself.
    var error: Double
    /// On how many observations the standard error rests, less those that the ratios take.
    var freedom: Double
    /// The difference in units of what it would be by chance.
    var score: Double
    /// How often chance makes the largest of all scores as large as this one.
    var probability: Double = 1
  }

  /// In so many of all comparisons of equals, anything is called different.
  static let level = 0.05
  /// How often blocks are dealt out. The critical value's own error is then a small part of it.
  static let permutations = 1_999
  /// The largest correlation between neighbours that is believed.
  private static let highestCorrelation = 0.9

  private let countBefore: Int
  private let count: Int
  /// Places of the chosen blocks, one dealing after the other.
  private let dealings: [Int]
  private let chosen: Int
  private var largest: [Double]
  private(set) var findings: [Finding] = []
  /// How many standard errors a difference has to exceed.
  private(set) var criticalValue = 0.0

  init(before: Int, after: Int, seed: UInt64) {
    countBefore = before
    count = before + after
    chosen = min(before, after)
    var shuffle = BlockShuffle(seed: seed)
    var dealings: [Int] = []
    dealings.reserveCapacity(Self.permutations * chosen)
    for _ in 0..<Self.permutations { dealings += shuffle.choose(chosen, of: count) }
    self.dealings = dealings
    largest = [Double](repeating: 0, count: Self.permutations)
  }

  /// Enters a ratio: the sum of the parts by the sum of the wholes.
  /// - Parameters:
  ///   - parts: one for each block, those of the first side first.
  ///   - wholes: likewise; their sum is positive on both sides.
  /// - Returns: its place in ``findings``.
  /// - Complexity: O(number of blocks · ``permutations``).
  mutating func enter(parts: [Double], wholes: [Double]) -> Int {
    precondition(parts.count == count && wholes.count == count, "\(parts.count) blocks, expected \(count)")
    let ratio = parts.reduce(0, +) / wholes.reduce(0, +)
    // A block's part of the whole difference: the sum over all is 0, and over a side what it has too much.
    var excess = [Double](repeating: 0, count: count)
    var squares = 0.0
    for index in 0..<count {
      excess[index] = parts[index] - ratio * wholes[index]
      squares += excess[index] * excess[index]
    }
    let before = Side(parts[..<countBefore], wholes[..<countBefore])
    let after = Side(parts[countBefore...], wholes[countBefore...])
    let inflation = max(before.inflation, after.inflation)
    var finding = Finding(
      difference: after.ratio - before.ratio, error: ((before.variance + after.variance) * inflation).squareRoot(),
      freedom: Self.freedom(before, after), score: 0)
    // What the sum over a side comes to in the shuffled blocks, squared, in the mean.
    let total = Double(count)
    let spread = (Double(countBefore) * (total - Double(countBefore)) / (total * (total - 1)) * squares).squareRoot()
    if spread > 0, spread < .infinity {
      finding.score = excess[countBefore...].reduce(0, +).magnitude / (spread * inflation.squareRoot())
      enter(excess, spread: spread)
    }
    findings.append(finding)
    return findings.count - 1
  }

  private mutating func enter(_ excess: [Double], spread: Double) {
    let chosen = chosen
    // Most of a comparison's time is spent here.
    largest.withUnsafeMutableBufferPointer { largest in
      excess.withUnsafeBufferPointer { excess in
        dealings.withUnsafeBufferPointer { dealings in
          var index = 0
          var round = 0
          while round < largest.count {
            var sum = 0.0
            let end = index &+ chosen
            while index < end {
              sum += excess[dealings[index]]
              index &+= 1
            }
            largest[round] = max(largest[round], sum.magnitude / spread)
            round &+= 1
          }
        }
      }
    }
  }

  /// Gives every ratio its probability. Nothing may be entered afterwards.
  mutating func finish() {
    let sorted = largest.sorted(by: >)
    // The observed order of the blocks is one of those that there are.
    let allowed = Int(Self.level * Double(Self.permutations + 1))
    criticalValue = sorted[max(0, allowed - 1)]
    for index in findings.indices {
      // Sums of the same blocks in another order differ by a rounding.
      let score = findings[index].score * (1 - 1e-9)
      var low = 0
      var high = sorted.count
      while low < high {
        let middle = (low + high) / 2
        if sorted[middle] >= score { low = middle + 1 } else { high = middle }
      }
      findings[index].probability = Double(low + 1) / Double(Self.permutations + 1)
    }
  }

  /// What a difference has to exceed, in its own unit. After ``finish()``.
  ///
  /// The critical value is one of the normal distribution's kind; Wallace's approximation takes it to Student's.
  func margin(_ finding: Finding) -> Double {
    if finding.error == 0 { return 0 }
    let value = criticalValue * (8 * finding.freedom + 3) / (8 * finding.freedom + 1)
    let student = (finding.freedom * (exp(min(value * value / finding.freedom, 500)) - 1)).squareRoot()
    return max(student, criticalValue) * finding.error
  }

  /// Welch's and Satterthwaite's degrees of freedom.
  private static func freedom(_ before: Side, _ after: Side) -> Double {
    let sum = before.variance + after.variance
    let parts =
      before.variance * before.variance / before.freedom + after.variance * after.variance / after.freedom
    return parts > 0 && parts < .infinity ? max(1, sum * sum / parts) : 1
  }

  /// One side's ratio, and how certain it is.
  private struct Side {
    var ratio: Double
    /// Of the ratio.
    var variance: Double
    /// Blocks without anything say little of how things come in those that have something.
    var freedom: Double
    /// By how much the variance is larger because neighbouring blocks go together.
    var inflation: Double

    init(_ parts: ArraySlice<Double>, _ wholes: ArraySlice<Double>) {
      let whole = wholes.reduce(0, +)
      ratio = parts.reduce(0, +) / whole
      var squares = 0.0
      var products = 0.0
      var previous = 0.0
      for (part, whole) in zip(parts, wholes) {
        let excess = part - ratio * whole
        squares += excess * excess
        products += excess * previous
        previous = excess
      }
      let count = Double(parts.count)
      freedom = max(1, Double(parts.count { $0 > 0 }) - 1)
      variance = squares * count / (count - 1) / (whole * whole)
      // Without any correlation the expected value is -1/count.
      let correlation = squares > 0 ? products / squares + 1 / count : 0
      let believed = min(max(0, correlation), BlockTest.highestCorrelation)
      inflation = (1 + believed) / (1 - believed)
    }
  }
}
