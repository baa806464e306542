import TestSupport
import Testing
import TraceTypes
import Verdicts

@testable import Reports

@Suite("Comparison reports")
struct ComparisonReportTests {
  @Test("golden", arguments: [("diff-mixed", 100), ("diff-narrow", 60)])
  func golden(name: String, width: Int) {
    let text = TerminalReport(width: width).render(ExampleComparison.mixed)
    #expect(Golden.complaint(Array(text.utf8), name: "\(name).txt") == nil)
  }

  @Test("no line is wider than the page", arguments: [60, 80, 100, 160])
  func width(width: Int) {
    for result in [ExampleComparison.mixed, ExampleComparison.same, ExampleComparison.saved, ExampleComparison.hostile]
    {
      for line in TerminalReport(width: width).render(result).split(separator: "\n") {
        #expect(VisibleText.width(of: String(line)) <= width, "\(line)")
      }
    }
  }

  @Test("the headline says how many differences there are, that there are none, or that nothing was judged")
  func headline() {
    func first(_ comparison: Comparison) -> Substring? {
      TerminalReport().render(comparison).split(separator: "\n").first
    }
    // All: calls, callbackTime, p99. flush_tlb_func: calls, p99. new_func: calls. Four CPUs: calls, and CPU 3's handlers.
    #expect(first(ExampleComparison.mixed) == "≠ 11 differences beyond chance")
    #expect(first(ExampleComparison.same) == "≈ No difference that chance does not explain")
    #expect(first(ExampleComparison.saved) == "? Nothing could be judged")
    #expect(TerminalReport().render(ExampleComparison.saved).contains("a saved result does not tell"))
    #expect(!TerminalReport().render(ExampleComparison.saved).contains("dealt out"))
    for comparison in [ExampleComparison.mixed, ExampleComparison.same, ExampleComparison.saved] {
      let page = HTMLReport.render(comparison)
      #expect(page.contains(ComparisonFacts(comparison).headline))
    }
  }

  @Test(
    "changes in words",
    arguments: [
      (0.123, "+12.3 %"), (-0.5, "-50 %"), (0, "±0 %"), (0.0004, "±0 %"), (8, "+800 %"), (11.7, "× 12.7"),
      (1.0, "+100 %"), (-1, "-100 %"), (0.0999, "+10 %"), (0.9999, "+100 %"), (98_765, "× 98,766"),
    ])
  func percent(share: Double, words: String) { #expect(ComparisonWords.percent(share) == words) }

  @Test(
    "rates in words",
    arguments: [
      (0, "0"), (0.001, "< 0.01"), (0.015, "0.02"), (1.5, "1.50"), (9.996, "10.0"), (9.99, "9.99"), (25.13, "25.1"),
      (99.94, "99.9"), (99.96, "100"), (1_234.4, "1,234"), (1e300, "18,446,744,073,709,551,615"),
    ])
  func numbers(value: Double, words: String) { #expect(ComparisonWords.number(value) == words) }

  @Test("what a rule could not decide is said in one line")
  func rules() {
    let rules = ExampleComparison.mixed.rules
    #expect(ComparisonWords.notJudged(rules[1]) == "p99(ipi_mb)>20% was not judged: too little was seen")
    #expect(
      ComparisonWords.notJudged(rules[4])
        == "interference>0 was not judged in part: 7 judged, 3 × events were lost")
    #expect(ComparisonWords.outcome(rules[0]) == "fires: calls +300 %, calls of f +300 %")
    #expect(ComparisonWords.outcome(rules[3]) == "fires: ranTwice")
    #expect(ComparisonWords.outcome(rules[4]).hasPrefix("not judged in part: 7"))
    for rule in ExampleComparison.hostile.rules {
      #expect(!ComparisonWords.notJudged(rule).unicodeScalars.contains { $0.properties.generalCategory == .control })
    }
  }

  // MARK: Hostile and absurd

  @Test("without colour there is no control character but the newline")
  func plain() {
    for result in ExampleComparison.all {
      let strange = TerminalReport(style: .plain).render(result).unicodeScalars.filter {
        $0 != "\n" && ($0.properties.generalCategory == .control || $0.properties.generalCategory == .format)
      }
      #expect(strange.isEmpty)
    }
  }

  @Test("a name can't become markup, in any place of the page")
  func hostileNames() {
    let page = HTMLReport.render(ExampleComparison.hostile)
    #expect(page.matches(of: /<script/).isEmpty)
    #expect(page.matches(of: /<style/).count == 1)
    #expect(page.matches(of: /<.style/).count == 1)
    #expect(page.matches(of: /<img/).isEmpty)
    #expect(page.matches(of: /<b\s/).isEmpty)
    #expect(page.contains("&lt;script&gt;window.__fromTrace=1&lt;/script&gt;"))
    #expect(!page.unicodeScalars.contains { $0 != "\n" && $0.properties.generalCategory == .control })
    #expect(!page.unicodeScalars.contains { $0.properties.generalCategory == .format })
    #expect(page.contains("default-src 'none'"))
    #expect(!page.contains("script-src"))
    for link in page.matches(of: /href="([^"]*)"/) { #expect(link.output.1.hasPrefix("#")) }
  }

  @Test("numbers that no recording has do not stop it")
  func absurd() throws {
    #expect(!TerminalReport(width: 60).render(ExampleComparison.absurd).isEmpty)
    #expect(!HTMLReport.render(ExampleComparison.absurd).isEmpty)
    #expect(try !JSONReport.render(ExampleComparison.absurd).isEmpty)
  }

  @Test("the page grows with what is shown, not with the comparison")
  func capped() {
    var many = ExampleComparison.mixed
    many.byCallback = (0..<20_000).map { _ in many.byCallback[0] }
    many.byCPU = (0..<4_096).map { _ in many.byCPU[3] }
    let page = HTMLReport.render(many)
    #expect(page.utf8.count < 1 << 20)
    #expect(page.contains("19,940 more callbacks are in the JSON result."))
    #expect(TerminalReport().render(many).split(separator: "\n").count < 250)
  }

  @Test("a real browser finds nothing wrong", .enabled(if: BrowserCheck.isPossible), .timeLimit(.minutes(10)))
  func inTheBrowser() throws {
    let pages = ExampleComparison.all.enumerated().map { ("diff-\($0)", HTMLReport.render($1)) }
    for (name, problems) in try BrowserCheck.problems(of: pages, kind: "diff") { #expect(problems == [], "\(name)") }
  }

  // MARK: JSON

  static let breakages: [@Sendable (inout JSONValue) -> Void] = [
    { $0.remove("rules") }, { $0["extra"] = .null }, { $0["schema"] = .string("ipitrace-diff/2") },
    { $0["before"]["form"] = .string("guess") }, { $0["before"]["trace"].remove("clock") },
    { $0["after"]["damage"] = .null }, { $0["circumstances"][0]["kind"] = .string("weather") },
    { $0["resampling"]["seed"] = .negative(-1) }, { $0["total"][0].remove("reason") },
    { $0["total"][0]["isSignificant"] = .string("yes") }, { $0["total"][0]["before"]["value"] = .string("1") },
    { $0["byCallback"][0]["presence"] = .string("never") }, { $0["byCPU"][0]["cpu"] = .integer(65_536) },
    { $0["byCPU"][0]["items"][0]["measure"] = .string("cost") }, { $0["rules"][0]["causes"][0].remove("cpu") },
    { $0["rules"][1]["notJudged"][0]["reason"] = .string("tired") },
  ]

  @Test("comparisons are valid against the schema, and broken ones are not")
  func json() throws {
    let validator = try JSONSchemaValidator(schema: JSONSchemaTests.schema("ipitrace-diff-1.schema.json"))
    for result in [ExampleComparison.mixed, ExampleComparison.saved, ExampleComparison.same, ExampleComparison.hostile]
    {
      let value = try JSONValue.parse(JSONReport.render(result))
      #expect(validator.complaints(about: value) == [])
    }
    let whole = try JSONValue.parse(JSONReport.render(ExampleComparison.mixed))
    for (index, breakage) in Self.breakages.enumerated() {
      var value = whole
      breakage(&value)
      try #require(value != whole, "breakage \(index) did nothing")
      #expect(!validator.complaints(about: value).isEmpty, "breakage \(index)")
    }
  }

  @Test("what can be of one kind only is named in the schema")
  func names() throws {
    let schema = try JSONSchemaTests.schema("ipitrace-diff-1.schema.json")
    let definitions = schema["$defs"]
    #expect(
      definitions["item"]["properties"]["measure"]["enum"]
        == .array(ComparedMeasure.allCases.map { .string($0.rawValue) }))
    #expect(definitions["reason"]["enum"] == .array(NotComparedReason.allCases.map { .string($0.rawValue) }))
    #expect(
      schema["properties"]["circumstances"]["items"]["properties"]["kind"]["enum"]
        == .array(Comparison.Circumstance.Kind.allCases.map { .string($0.rawValue) }))
  }
}
