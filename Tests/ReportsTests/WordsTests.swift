import Testing
import Verdicts

@testable import Reports

@Suite("Words and numbers")
struct WordsTests {
  @Test(
    "durations have three significant digits, rounded half up",
    arguments: [
      (0, "0 ns"), (999, "999 ns"), (1_000, "1.00 µs"), (1_004, "1.00 µs"), (1_005, "1.01 µs"), (9_994, "9.99 µs"),
      (9_995, "10.0 µs"), (99_949, "99.9 µs"), (99_950, "100 µs"), (999_499, "999 µs"), (999_500, "1.00 ms"),
      (123_456_789, "123 ms"), (999_500_000, "1.00 s"), (61_000_000_000, "61.0 s"), (999_499_999_999, "999 s"),
      (1_234_500_000_000, "1,235 s"), (UInt64.max, "18,446,744,074 s"),
    ] as [(UInt64, String)])
  func durations(nanoseconds: UInt64, expected: String) {
    #expect(Quantity.duration(nanoseconds) == expected)
  }

  @Test(
    "shares are rounded down, so that only the whole is 100 %",
    arguments: [
      (0, 10, "0 %"), (10, 10, "100 %"), (999_999, 1_000_000, "99.9 %"), (1, 3, "33.3 %"), (1, 1_001, "< 0.1 %"),
      (1, 1_000, "0.1 %"), (0, 0, "–"), (5, 0, "–"), (UInt64.max - 1, UInt64.max, "99.9 %"), (3, 2, "150.0 %"),
    ] as [(UInt64, UInt64, String)])
  func shares(part: UInt64, whole: UInt64, expected: String) {
    #expect(Quantity.share(part, of: whole) == expected)
  }

  @Test(
    "short counts take at most five characters",
    arguments: [
      (0, "0"), (9_999, "9999"), (10_000, "10.0k"), (99_999, "99.9k"), (999_999, "999k"), (1_000_000, "1.00M"),
      (1_049_999, "1.04M"), (UInt64.max, "18.4E"),
    ] as [(UInt64, String)])
  func shortCounts(value: UInt64, expected: String) {
    #expect(Quantity.shortCount(value) == expected)
  }

  @Test("counts, times and CPU lists")
  func others() {
    #expect(Quantity.count(UInt64(0)) == "0")
    #expect(Quantity.count(UInt64(999)) == "999")
    #expect(Quantity.count(UInt64(1_000)) == "1,000")
    #expect(Quantity.count(UInt64.max) == "18,446,744,073,709,551,615")
    #expect(Quantity.count(Int.min) == "-9,223,372,036,854,775,808")
    #expect(Quantity.time(1) == "0.000000001")
    #expect(Quantity.time(12_000_000_034) == "12.000000034")
    #expect(Quantity.cpuList([7, 0, 1, 2, 9, 2]) == "0-2,7,9")
    #expect(Quantity.cpuList([.max, .min, -1, 0]) == "\(Int.min),-1-0,\(Int.max)")
    #expect(Quantity.cpuList([]) == "")
  }

  @Test("the accounting is said to add up only where it does")
  func balance() {
    var accounting = Accounting(
      queued: 10, executed: 6, lost: 1, pending: 1, notJudged: [.init(reason: "a", count: 2)], local: 99, unqueued: 99)
    #expect(Words.balance(accounting) == "the parts add up to the queued calls")
    accounting.pending = 2
    #expect(Words.balance(accounting) == "the parts add up to 11, not to the 10 queued calls")
    accounting.pending = .max
    #expect(Words.balance(accounting) == "the parts do not add up to the queued calls")
  }

  @Test("who interrupts whom is read off the matrix, local runs apart")
  func matrixFacts() {
    let facts = MatrixFacts(
      CallMatrix(
        cpus: [0, 1, 2],
        cells: [
          .init(source: 0, target: 0, calls: 100, ipis: 0), .init(source: 0, target: 1, calls: 5, ipis: 4),
          .init(source: 2, target: 1, calls: 6, ipis: 1), .init(source: 1, target: 2, calls: 9, ipis: 9),
        ]))
    #expect(facts.localRuns == 100)
    #expect(facts.remoteCalls == 20)
    #expect(facts.remoteIPIs == 14)
    #expect(facts.targets.map(\.cpu) == [1, 2])
    #expect(facts.targets[0].calls == 11)
    #expect(facts.targets[0].mostFrom == 2)
    #expect(facts.pairs.map(\.calls) == [9, 6, 5])
  }
}

@Suite("Visible text")
struct VisibleTextTests {
  @Test(
    "what could mislead is escaped",
    arguments: [
      ("flush_tlb_func+0x1a/0x40 [mod]", "flush_tlb_func+0x1a/0x40 [mod]"), ("\u{1b}[31m", "\\u{1b}[31m"),
      ("a\nb\tc\r\n", "a\\nb\\tc\\r\\n"), ("\u{0}\u{7f}\u{9b}", "\\u{0}\\u{7f}\\u{9b}"), ("\\u{1b}", "\\\\u{1b}"),
      ("a\u{202e}b\u{2066}\u{200f}\u{61c}", "a\\u{202e}b\\u{2066}\\u{200f}\\u{61c}"), ("e\u{301}", "e\\u{301}"),
      ("\u{200b}\u{feff}\u{ad}\u{3164}", "\\u{200b}\\u{feff}\\u{ad}\\u{3164}"), ("\u{a0}\u{2028}", "\\u{a0}\\u{2028}"),
      ("ש", "\\u{5e9}"), ("é µ → 日本", "é µ → 日本"), ("\u{e000}\u{10ffff}", "\\u{e000}\\u{10ffff}"),
      (String(decoding: [0x61, 0xff] as [UInt8], as: UTF8.self), "a\\u{fffd}"), ("", ""),
    ])
  func escapes(text: String, expected: String) {
    #expect(VisibleText.escape(text) == expected)
  }

  @Test("every scalar comes out visible, and the result is stable in width")
  func everyScalar() {
    var invisible = 0
    for value in UInt32(0)...0x10ffff {
      guard let scalar = Unicode.Scalar(value) else { continue }
      for result in VisibleText.escape(String(Character(scalar))).unicodeScalars {
        switch result.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
          .nonspacingMark, .enclosingMark:
          invisible += 1
        case .spaceSeparator where result != " ": invisible += 1
        default: break
        }
      }
    }
    #expect(invisible == 0)
  }

  @Test("long text is cut, and the cut is said")
  func cut() {
    #expect(VisibleText.escape("abcdef", limit: 6) == "abcdef")
    #expect(VisibleText.escape("abcdefg", limit: 6) == "abcdef…(+1)")
    #expect(VisibleText.escape(String(repeating: "x", count: 1_000), limit: 10) == "xxxxxxxxxx…(+990)")
    // An escape is never cut in two.
    #expect(VisibleText.escape("abc\u{1b}d", limit: 6) == "abc…(+2)")
    #expect(VisibleText.escape("日本", limit: 3) == "日…(+1)")
  }
}
