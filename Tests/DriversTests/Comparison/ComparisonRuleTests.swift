import Testing

@testable import Drivers
@testable import Verdicts

@Suite struct ComparisonRuleTests {
  @Test func whatIsARule() throws {
    func rule(_ text: String) throws -> ComparisonRule { try #require(ComparisonRule(text), "\(text)") }
    #expect(try rule("interrupts>5%").subject == .measure(.interrupts))
    #expect(try rule("interrupts>5%").place == .total)
    #expect(try rule("interrupts>5%").threshold == 0.05)
    #expect(try rule("p99(flush_tlb_func)>20%").place == .callback("flush_tlb_func"))
    #expect(try rule("interrupts(cpu3)>12.5%").place == .cpu(3))
    #expect(try rule("interrupts(cpu3)>12.5%").threshold == 0.125)
    #expect(try rule("calls(cpuset_func)>0").place == .callback("cpuset_func"))
    #expect(try rule("p99(*)>0%").place == .any)
    #expect(try rule("interference>0").subject == .interference)
    #expect(try rule("interference(cpu65535)>0").place == .cpu(65_535))
    #expect(try rule("diverges").subject == .diverges)
    // A name can hold anything.
    #expect(try rule("calls(a>b(c)>1%").place == .callback("a>b(c"))
    for measure in ComparedMeasure.allCases {
      #expect(try rule("\(measure.rawValue)>1%").subject == .measure(measure))
    }
  }

  @Test(
    arguments: [
      "", "diverges>0", "interrupts", "interrupts>", "interrupts>5", "interrupts>-5%", "interrupts>5%%",
      "interrupts<5%",
      "interrupts>1e3%", "interrupts>.5%", "interrupts>5.%", "interrupts>1.2345%", "interrupts()>5%",
      "interrupts(cpu3>5%", "interrupts(cpu3)x>5%", "Interrupts>5%", "time>5%", "interrupts>٥%", "handlers(f)>0",
      "interference(f)>0", "runMean(cpu1)>1%", "interrupts(cpu65536)>0x", "interrupts>99999999999%",
    ])
  func whatIsNone(_ text: String) { #expect(ComparisonRule(text) == nil) }

  // MARK: Judging

  private static func item(
    _ measure: ComparedMeasure, _ before: Double, _ after: Double, _ found: Bool?
  ) -> ComparedItem {
    var item = ComparedItem(
      measure: measure, before: .init(count: 10, value: before), after: .init(count: 10, value: after))
    item.isSignificant = found
    if found == nil { item.reason = .tooFew }
    return item
  }

  private static func comparison(_ items: [ComparedItem], broken: ([String], [String]) = ([], [])) -> Comparison {
    func side(_ rules: [String]) -> ComparedSide {
      ComparedSide(
        name: "", form: .recording,
        trace: .init(
          kernel: nil, clock: nil, startNanoseconds: nil, endNanoseconds: nil,
          cpus: .init(possible: nil, online: nil, isolated: nil, nohzFull: nil),
          events: .init(total: 0, lost: 0, byType: [:], byCPU: [])),
        recordedCPUs: [], verdict: rules.isEmpty ? .conforms : .diverges, divergenceCount: UInt64(rules.count),
        brokenRules: rules, queued: 0, undecided: 0, damage: [])
    }
    return Comparison(
      before: side(broken.0), after: side(broken.1), circumstances: [], resampling: nil, total: items,
      byCallback: [.init(callback: "f", presence: .both, items: items)],
      byCPU: [
        .init(cpu: 1, presence: .both, isWatched: true, items: items),
        .init(cpu: 2, presence: .both, isWatched: false, items: [item(.handlers, 1, 9, true)]),
      ], rules: [])
  }

  private static func judge(_ rule: String, _ comparison: Comparison) throws -> RuleOutcome {
    RuleJudge.judge(try #require(ComparisonRule(rule)), comparison)
  }

  /// Both must be so: beyond the threshold, and beyond chance.
  @Test func aRuleFiresForWhatIsCertainAndLarge() throws {
    let risen = Self.comparison([Self.item(.calls, 100, 120, true)])
    #expect(try Self.judge("calls>19%", risen).result == .fired)
    #expect(try Self.judge("calls>21%", risen).result == .quiet)
    #expect(try Self.judge("calls(f)>19%", risen).causes.map(\.callback) == ["f"])
    #expect(try Self.judge("calls(cpu1)>19%", risen).causes.map(\.cpu) == [1])
    #expect(try Self.judge("calls(*)>19%", risen).causes.count == 2)
    #expect(try Self.judge("calls>0", Self.comparison([Self.item(.calls, 100, 900, false)])).result == .quiet)
    #expect(try Self.judge("calls>0", Self.comparison([Self.item(.calls, 900, 100, true)])).result == .quiet)
    #expect(try Self.judge("calls>999%", Self.comparison([Self.item(.calls, 0, 1, true)])).result == .fired)
  }

  @Test func whatWasNotJudgedDoesNotFireAndIsNotQuiet() throws {
    let unknown = try Self.judge("calls>0", Self.comparison([Self.item(.calls, 100, 900, nil)]))
    #expect(unknown.result == .notJudged && unknown.notJudged == [.init(reason: .tooFew, count: 1)])
    let absent = try Self.judge("calls(g)>0", Self.comparison([Self.item(.calls, 100, 900, true)]))
    #expect(absent.result == .notJudged && absent.notJudged == [.init(reason: nil, count: 1)])
    let partly = try Self.judge(
      "interference>0", Self.comparison([Self.item(.handlers, 1, 2, true), Self.item(.callbacks, 1, 2, nil)]))
    #expect(partly.result == .fired && partly.judged == 1 && partly.notJudged.count == 1)
  }

  @Test func interferenceIsThatOfWatchedCPUs() throws {
    let comparison = Self.comparison([Self.item(.handlers, 5, 5, false), Self.item(.calls, 1, 9, true)])
    #expect(try Self.judge("interference>0", comparison).result == .quiet)
    #expect(try Self.judge("interference(cpu2)>0", comparison).result == .fired)
    #expect(try Self.judge("interference(*)>0", comparison).causes.map(\.cpu) == [2])
  }

  @Test func onlyNewDivergencesCount() throws {
    #expect(try Self.judge("diverges", Self.comparison([], broken: (["a"], ["a"]))).result == .quiet)
    #expect(try Self.judge("diverges", Self.comparison([], broken: (["a"], ["a", "b"]))).brokenRules == ["b"])
    #expect(try Self.judge("diverges", Self.comparison([], broken: ([], ["b"]))).result == .fired)
    var undecided = Self.comparison([])
    undecided.after.verdict = .undecided
    #expect(try Self.judge("diverges", undecided).result == .notJudged)
  }
}

@Suite struct BlockTestTests {
  /// Two blocks against two: of the six ways to deal them out, one other has as large a difference.
  @Test func dealingsAreCounted() {
    var test = BlockTest(before: 2, after: 2, seed: 3)
    let place = test.enter(parts: [1, 1, 5, 5], wholes: [1, 1, 1, 1])
    test.finish()
    #expect(test.findings[place].difference == 4)
    #expect(test.findings[place].error == 0)
    #expect(abs(test.findings[place].probability - 2.0 / 6) < 0.03)
  }

  @Test func equalBlocksDoNotDiffer() {
    var test = BlockTest(before: 8, after: 8, seed: 3)
    let place = test.enter(parts: Array(repeating: 3, count: 16), wholes: Array(repeating: 1, count: 16))
    test.finish()
    #expect(test.findings[place].score == 0 && test.findings[place].probability == 1)
  }

  /// What goes on for many blocks is one observation and not many.
  @Test func blocksThatGoTogetherCountForLess() {
    let phases = (0..<16).map { Double($0 < 8 ? 10 : 2) }
    let mixed = (0..<16).map { Double($0 % 2 == 0 ? 10 : 2) }
    var test = BlockTest(before: 16, after: 16, seed: 3)
    let wholes = [Double](repeating: 1, count: 32)
    let slow = test.enter(parts: phases.map { $0 + 4 } + phases, wholes: wholes)
    let fast = test.enter(parts: mixed.map { $0 + 4 } + mixed, wholes: wholes)
    test.finish()
    #expect(test.findings[slow].difference == test.findings[fast].difference)
    #expect(test.findings[slow].score < test.findings[fast].score / 2)
    #expect(test.findings[slow].error > test.findings[fast].error * 2)
  }

  /// Three small bursts are no proof that bursts are small.
  @Test func aVarianceOfFewBlocksIsNotTrusted() {
    var test = BlockTest(before: 16, after: 16, seed: 3)
    let wholes = [Double](repeating: 1, count: 32)
    let even = (0..<16).map { Double(2 + $0 % 3) }
    let rare = (0..<16).map { Double($0 % 6 == 1 ? 3 : 0) }
    let sure = test.enter(parts: even + even.map { $0 / 4 }, wholes: wholes)
    let unsure = test.enter(parts: even + rare, wholes: wholes)
    test.finish()
    #expect(test.findings[unsure].freedom < test.findings[sure].freedom)
    #expect(test.margin(test.findings[sure]) < 1.5 * test.criticalValue * test.findings[sure].error)
    // Student's quantile for 10 degrees of freedom and 3.4 standard deviations is 4.9.
    var finding = test.findings[unsure]
    (finding.freedom, finding.error) = (10, 1)
    let margin = test.margin(finding)
    #expect(margin > test.criticalValue * 1.1 && margin < test.criticalValue * 2)
    finding.freedom = 1e6
    #expect(abs(test.margin(finding) - test.criticalValue) < 0.01)
  }

  @Test func choicesAreEvenAndRepeatable() {
    var shuffle = BlockShuffle(seed: 5)
    var counts = [Int](repeating: 0, count: 10)
    for _ in 0..<10_000 {
      let chosen = shuffle.choose(3, of: 10)
      #expect(Set(chosen).count == 3 && chosen == chosen.sorted())
      for number in chosen { counts[number] += 1 }
    }
    for count in counts { #expect(abs(count - 3_000) < 250) }
    var again = BlockShuffle(seed: 5)
    var same = BlockShuffle(seed: 5)
    #expect(again.choose(7, of: 31) == same.choose(7, of: 31))
  }
}

@Suite struct SliceHistogramTests {
  @Test func everyDurationIsInItsBin() {
    var previous = -1
    for value in Array(0...5_000) + (13..<64).flatMap({ [UInt64(1) << UInt64($0) - 1, 1 << UInt64($0)] }) + [.max] {
      let bin = SliceHistogram.bin(of: value)
      #expect(bin >= previous && bin < SliceHistogram.binCount)
      #expect(SliceHistogram.upperEnd(of: bin) >= value)
      if bin > 0 { #expect(SliceHistogram.upperEnd(of: bin - 1) < value) }
      previous = bin
    }
  }

  @Test func sumsAreTheSame() {
    var (all, first, second) = (SliceHistogram(), SliceHistogram(), SliceHistogram())
    for value: UInt64 in [3, 17, 900, 1, .max, 40_000, 900, 0] {
      all.record(value)
      if value % 2 == 0 { first.record(value) } else { second.record(value) }
    }
    first.add(second)
    var expected = [UInt64](repeating: 0, count: SliceHistogram.binCount)
    var found = expected
    all.add(to: &expected)
    first.add(to: &found)
    #expect(found == expected && first.count == 8 && found.reduce(0, +) == 8)
    #expect(first.sum == .max)
    #expect(all.count(above: SliceHistogram.bin(of: 17)) == 4)
    #expect(all.count(above: SliceHistogram.binCount) == 0)
  }
}
