import CallEngines
import TestSupport
import Testing
import Verdicts

@testable import Reports

@Suite("Check reports")
struct CheckReportTests {
  static let named: [(name: String, result: CheckResult, width: Int)] = [
    ("check-deadlock", ExampleCheck.deadlock, 100), ("check-lost", ExampleCheck.lost, 80),
    ("check-lock", ExampleCheck.lock, 100), ("check-crowd", ExampleCheck.crowd, 60),
  ]
  static let results = named.map(\.result)

  @Test("golden", arguments: named.indices)
  func golden(index: Int) {
    let (name, _, width) = Self.named[index]
    let text = TerminalReport(width: width).render(Self.results[index])
    #expect(Golden.complaint(Array(text.utf8), name: "\(name).txt") == nil)
  }

  @Test("golden with all properties, and without claimed traces")
  func details() {
    var detail = TerminalReport.CheckDetail()
    detail.showsAllProperties = true
    detail.showsClaimedTraces = false
    let text = TerminalReport().render(Self.results[0], detail: detail)
    #expect(Golden.complaint(Array(text.utf8), name: "check-all.txt") == nil)
  }

  @Test("no line is wider than the page", arguments: [60, 80, 100, 160])
  func width(width: Int) {
    for result in Self.results + [ExampleCheck.hostile] {
      for line in TerminalReport(width: width).render(result).split(separator: "\n") {
        #expect(VisibleText.width(of: String(line)) <= width, "\(line)")
      }
    }
  }

  @Test("every step is counted, and only those that show something have a row")
  func steps() throws {
    let example = try #require(Self.results[0].lines[0].counterexample)
    let diagram = LaneDiagram(example)
    #expect(diagram.stepCount == example.steps.count)
    let shown = example.steps.enumerated().filter { !$1.happenings.isEmpty }.map { $0.offset + 1 }
    #expect(Array(diagram.rows.map(\.step).prefix(shown.count)) == shown)
    #expect(diagram.rows.last?.step == diagram.stepCount)
    #expect(shown.count < diagram.stepCount)
  }

  @Test("a wait in the circle is printed with who ends it")
  func circle() {
    let text = TerminalReport(width: 100).render(Self.results[0])
    #expect(text.contains("They wait for each other: CPU 0 → CPU 1 → CPU 0."))
    #expect(text.contains("After 16 steps nobody can move any more:"))
    #expect(text.contains("“single 0 g wait” has never run on CPU 0."))
  }

  @Test("an arrow goes to every CPU that gets an IPI, over those between")
  func arrows() throws {
    let text = TerminalReport(width: 100).render(Self.results[2])
    #expect(text.contains(/CPU 2 ─+┼─+▶│\n/))
    #expect(text.contains(/│◀─+│ CPUs 0,2 ─+▶│\n/))
  }

  @Test("an engine with a long name stands above its lines, which have all figures")
  func longNames() {
    var result = Self.results[0]
    for index in result.lines.indices where result.lines[index].variant != nil {
      result.lines[index].variant = "allocated-free,over-counters,irqs-as-found"
    }
    let lines = TerminalReport(width: 80).render(result).split(separator: "\n")
    #expect(lines.contains("  llist-2014"))
    #expect(lines.contains("  llist-2014:allocated-free,over-counters,irqs-as-found"))
    #expect(lines.contains { $0.contains(/✗    noDeadlock +violated +188 +296 +29/) })
    #expect(lines.contains { $0.contains(/✓    14 other promises +holds +188 +296 +29/) })
  }

  @Test("steps that are repeated for ever are marked")
  func repeated() throws {
    var result = Self.results[1]
    let index = try #require(result.lines.firstIndex { $0.counterexample != nil })
    result.lines[index].counterexample?.repeated = 3
    result.lines[index].counterexample?.isStuck = false
    let text = TerminalReport(width: 80).render(result)
    #expect(text.contains("  19↻ ") && text.contains("  21↻ T │ goes on") && text.contains("  18  S"))
    #expect(text.contains("↻ for ever"))
    #expect(text.contains("The last 3 of 21 steps go on for ever; then:"))
    #expect(HTMLReport.render(result).contains(">↻ 19</td>"))
  }

  @Test("the summary says what is not as claimed")
  func summary() {
    func words(_ result: CheckResult) -> String { CheckWords.summary(CheckFacts(result, showsAll: false)) }
    #expect(words(Self.results[0]) == "33 properties in 2 explorations: 2 not as claimed.")
    #expect(words(Self.results[1]) == "16 properties in 1 exploration: all as claimed.")
    #expect(words(ExampleCheck.nothing) == "Nothing was explored.")
    var result = Self.results[1]
    for index in result.lines.indices where result.lines[index].result == .holds {
      result.lines[index].result = .notExhausted
      result.lines[index].reason = .memoryLimit
    }
    #expect(words(result) == "16 properties in 1 exploration: 15 not decided.")
    let text = TerminalReport().render(result)
    #expect(text.contains("? llist-2014:none,mail: Not exhausted after 146 states: the memory limit was reached."))
    #expect(text.contains("15 other promises  not exhausted"))
  }

  // MARK: Hostile and absurd

  @Test("without colour there is no control character but the newline")
  func plain() {
    for result in [ExampleCheck.hostile, ExampleCheck.absurd] {
      let strange = TerminalReport(style: .plain).render(result).unicodeScalars.filter {
        $0 != "\n" && ($0.properties.generalCategory == .control || $0.properties.generalCategory == .format)
      }
      #expect(strange.isEmpty)
    }
  }

  @Test("a name can't become markup, in any place of the page")
  func hostileNames() {
    let page = HTMLReport.render(ExampleCheck.hostile)
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

  @Test("values that no exploration makes do not stop it", arguments: [0, 60, 100, Int.max])
  func absurd(width: Int) {
    #expect(!TerminalReport(width: width).render(ExampleCheck.absurd).isEmpty)
    #expect(!HTMLReport.render(ExampleCheck.absurd).isEmpty)
    #expect(throws: JSONReportError.self) { try JSONReport.render(ExampleCheck.absurd) }
  }

  // MARK: HTML

  @Test("the lines come first, and each violated one leads to its diagram")
  func links() throws {
    let page = HTMLReport.render(Self.results[0])
    let summary = try #require(page.firstMatch(of: /(?s)<section id="summary".*?<\/section>/)).output
    let links = summary.matches(of: /<a href="#(trace-\d+)">violated/).map { String($0.output.1) }
    #expect(links.count == 5)
    for link in links { #expect(page.contains("id=\"\(link)\"")) }
    #expect(page.matches(of: /<table class="lanes">/).count == Set(links).count)
    #expect(summary.contains("claimed to hold") == false)
    #expect(summary.contains("every engine promises it"))
  }

  static let pages =
    results + [
      ExampleCheck.nothing, ExampleCheck.hostile, ExampleCheck.absurd,
    ]

  @Test("a real browser finds nothing wrong", .enabled(if: BrowserCheck.isPossible), .timeLimit(.minutes(10)))
  func inTheBrowser() throws {
    let pages = Self.pages.enumerated().map { ("check-\($0)", HTMLReport.render($1)) }
    for (name, problems) in try BrowserCheck.problems(of: pages, kind: "check") { #expect(problems == [], "\(name)") }
  }

  // MARK: JSON

  @Test("results are valid, and are read again as they were")
  func json() throws {
    let validator = try JSONSchemaValidator(schema: JSONSchemaTests.schema("ipitrace-check-1.schema.json"))
    for result in Self.results + [ExampleCheck.nothing, ExampleCheck.hostile] {
      let bytes = try JSONReport.render(result)
      #expect(validator.complaints(about: try JSONValue.parse(bytes)) == [])
      #expect(try JSONReport.parseCheck(bytes) == result)
    }
  }

  static let breakages: [@Sendable (inout JSONValue) -> Void] = [
    { $0[0].remove("variant") }, { $0[0]["extra"] = .null }, { $0[0]["result"] = .string("fails") },
    { $0[0]["states"] = .negative(-1) }, { $0[0]["expected"] = .null }, { $0[0]["seconds"] = .string("1") },
    { $0[0]["reason"] = .string("tired") }, { $0[0]["counterexample"]["steps"][0].remove("cpu") },
    { $0[0]["counterexample"]["steps"][0]["cpu"] = .integer(32) },
    { $0[0]["counterexample"]["steps"][0]["happenings"] = .array([.object(["exploded": .object([:])])]) },
    { $0[0]["counterexample"]["end"][0]["waitsFor"] = .object(["csd": .object([:])]) },
    { $0[0]["counterexample"]["names"]["csds"][0] = .integer(0) },
  ]

  @Test("broken results are not", arguments: breakages.indices)
  func brokenResultsAreNot(index: Int) throws {
    let validator = try JSONSchemaValidator(schema: JSONSchemaTests.schema("ipitrace-check-1.schema.json"))
    let whole = try JSONValue.parse(JSONReport.render(Self.results[0]))
    var value = whole
    Self.breakages[index](&value)
    try #require(value != whole, "the breakage did nothing")
    #expect(!validator.complaints(about: value).isEmpty)
  }

  // MARK: Engines and explanations

  @Test("the engines' list is valid JSON, and whole as text")
  func engines() throws {
    let list = EngineList()
    let validator = try JSONSchemaValidator(schema: JSONSchemaTests.schema("ipitrace-engines-1.schema.json"))
    let value = try JSONValue.parse(JSONReport.render(list))
    #expect(validator.complaints(about: value) == [])
    let text = list.render(width: 160)
    for (index, engine) in EngineDescription.all.enumerated() {
      #expect(value[index]["name"] == .string(engine.name))
      #expect(text.contains("\n\(engine.name)\n") || text.hasPrefix("\(engine.name)\n"))
      for choice in engine.groups.flatMap(\.choices) { #expect(text.contains(" \(choice.name) ")) }
    }
  }

  @Test("every rule and property is explained, and in the list")
  func explanations() throws {
    let list = Explanation.list(width: 160)
    for name in Explanation.names {
      let explanation = try #require(Explanation(name: name))
      let text = explanation.render(width: 160)
      #expect(list.contains("  \(name)  "))
      if let rule = explanation.rule { #expect(text.contains(rule.sentence) && text.contains(rule.source)) }
      if let property = explanation.property { #expect(text.contains(property.sentence)) }
    }
    #expect(Set(Explanation.names).count == Explanation.names.count)
    #expect(Explanation(name: "noSuchRule") == nil)
    #expect(Explanation(name: "") == nil)
  }

  @Test("one name can be a rule and a property: both are explained")
  func both() throws {
    var explanation = try #require(Explanation(name: "classOrder"))
    explanation.violated = [Explanation.Mention(scenario: "one", engines: ["a", "b:c"])]
    explanation.held = [Explanation.Mention(scenario: "two", engines: ["d"])]
    #expect(Golden.complaint(Array(explanation.render().utf8), name: "explain-classOrder.txt") == nil)
  }
}
