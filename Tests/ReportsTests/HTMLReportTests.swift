import TestSupport
import Testing
import Verdicts

@testable import Reports

@Suite("HTML report")
struct HTMLReportTests {
  @Test("SHA-256 of FIPS 180-4's examples")
  func hash() {
    func hex(_ text: String) -> String {
      SHA256.hash(text.utf8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    #expect(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    #expect(
      hex(String(repeating: "a", count: 1_000_000))
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test("what has a meaning in HTML is escaped")
  func escaping() {
    let name = "<a href='x' title=\"y\">&\u{1b}"
    let piece: HTML = "<b title=\"\(name: name)\">\(sentence: name)</b>"
    let escaped = "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;\\u{1b}"
    #expect(piece.text == "<b title=\"\(escaped)\">\(escaped)</b>")
  }

  @Test(
    "coordinates have at most two decimals",
    arguments: [
      (0, "0"), (1.5, "1.5"), (1.005, "1"), (2.345, "2.35"), (-0.25, "-0.25"), (100, "100"), (.nan, "0"),
      (.infinity, "0"), (1e300, "0"), (10.04, "10.04"),
    ] as [(Double, String)])
  func coordinates(value: Double, expected: String) {
    let piece: HTML = "\(value)"
    #expect(piece.text == expected)
  }

  @Test("steps of the time axis are round and at most ten")
  func steps() {
    #expect(TimelineDrawing.step(1) == 1)
    #expect(TimelineDrawing.step(11) == 2)
    #expect(TimelineDrawing.step(1_000_000) == 100_000)
    #expect(TimelineDrawing.step(1_100_000) == 200_000)
    #expect(TimelineDrawing.step(.max) == 2_000_000_000_000_000_000)
  }

  @Test("a name can't become markup, in any place of the page")
  func hostileNames() {
    let page = HTMLReport.render(.example)
    #expect(page.matches(of: /<script/).count == 1)
    #expect(page.matches(of: /<\/script/).count == 1)
    #expect(page.matches(of: /<style/).count == 1)
    #expect(page.matches(of: /<img/).isEmpty)
    #expect(page.contains("&lt;script&gt;window.__fromTrace=1&lt;/script&gt;"))
    #expect(!page.unicodeScalars.contains { $0 != "\n" && $0.properties.generalCategory == .control })
    #expect(!page.unicodeScalars.contains { $0.properties.generalCategory == .format })
  }

  @Test("the page refers to nothing outside itself")
  func selfContained() {
    let page = HTMLReport.render(.example)
    #expect(page.contains("default-src 'none'"))
    #expect(!page.contains("unsafe"))
    #expect(page.matches(of: /https?:|url\((?!#)|@import|src=/).allSatisfy { $0.output == "src=" })
    for link in page.matches(of: /href="([^"]*)"/) { #expect(link.output.1.hasPrefix("#")) }
  }

  @Test("the verdict, what was judged and who interrupts whom come first")
  func tenSeconds() throws {
    let page = HTMLReport.render(.example)
    let summary = try #require(page.firstMatch(of: /(?s)<section id="summary".*?<\/section>/)).output
    #expect(summary.contains("Diverges from mainline"))
    #expect(summary.contains("98.3 %"))
    #expect(summary.contains("6,021 of 6,120 queued calls"))
    #expect(summary.contains("Who interrupts whom"))
  }

  @Test("the page grows with what is shown, not with the result")
  func capped() {
    #expect(HTMLReport.render(.nothing).utf8.count < 64 << 10)
    #expect(HTMLReport.render(.large).utf8.count < 2 << 20)
    var many = ReplayResult.example
    many.verdict.divergences = (0..<10_000).map { _ in many.verdict.divergences[0] }
    many.verdict.divergenceCount = 20_000
    many.calls.byCallback = (0..<50_000).map { _ in many.calls.byCallback[0] }
    many.blocking.latestCalls = (0..<50_000).map { _ in many.blocking.latestCalls[0] }
    let page = HTMLReport.render(many)
    #expect(page.utf8.count < 1 << 20)
    #expect(page.contains("The first 50 of 20,000 are shown."))
    #expect(page.contains("49,960 more callbacks are in the JSON result."))
  }

  static let named: [(name: String, result: ReplayResult)] = [
    ("example", .example), ("nothing", .nothing), ("large", .large), ("absurd", .absurd), ("backwards", .backwards),
  ]

  /// Tests/Browser/check_report.py says what is checked. The example's names try to run scripts.
  @Test("a real browser finds nothing wrong", .enabled(if: BrowserCheck.isPossible), .timeLimit(.minutes(10)))
  func inTheBrowser() throws {
    let pages = Self.named.map { ($0.name, HTMLReport.render($0.result)) }
    for (name, problems) in try BrowserCheck.problems(of: pages) { #expect(problems == [], "\(name)") }
  }

  /// The checks themselves, checked: each of these pages is the example with one thing wrong.
  @Test(
    "a real browser finds what is wrong", .enabled(if: BrowserCheck.isPossible), .timeLimit(.minutes(10)))
  func browserChecks() throws {
    let mistakes = [
      ("<main>", "<main><div>x</div><pre>\(String(repeating: "wide", count: 400))</pre>", ["px wide in a window of"]),
      ("<main>", "<main><b onmouseover=\"window.__fromTrace=1\">x</b>", ["a script from the trace ran"]),
      ("<main>", "<main><script>window.__fromTrace=1</script>", ["2 script elements"]),
      ("<style>", "<style> ", ["buttons are hidden", "log: "]),
      ("class=\"skip\"", "class=\"soft\" tabindex=\"-1\"", ["no visible skip link"]),
    ]
    let page = HTMLReport.render(.example)
    let broken = mistakes.enumerated().map { index, mistake in
      ("broken-\(index)", page.replacing(mistake.0, with: mistake.1, maxReplacements: 1))
    }
    // What one page does must not be held against the next.
    let problems = try BrowserCheck.problems(of: broken + [("example", page)])
    #expect(problems["example"] == [])
    for (index, mistake) in mistakes.enumerated() {
      #expect(broken[index].1 != page)
      let found = try #require(problems["broken-\(index)"])
      #expect(found.contains { problem in mistake.2.contains { problem.contains($0) } }, "\(mistake.1): \(found)")
    }
  }
}
