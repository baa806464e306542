import TestSupport
import Testing
import Verdicts

@testable import Reports

@Suite("Terminal report")
struct TerminalReportTests {
  @Test("golden")
  func golden() {
    let report = TerminalReport(width: 100)
    #expect(Golden.complaint(Array(report.render(.example).utf8), name: "example.txt") == nil)
    #expect(Golden.complaint(Array(report.render(.nothing).utf8), name: "nothing.txt") == nil)
    #expect(Golden.complaint(Array(report.render(.large).utf8), name: "large.txt") == nil)
  }

  @Test("no line is wider than the page, whatever the names are", arguments: [80, 100, 120, 160])
  func width(width: Int) {
    for result in [ReplayResult.example, .nothing, .large] {
      for line in TerminalReport(width: width).render(result).split(separator: "\n") {
        // Only a table whose numbers alone are wider than the page may be, and there is none at 80 columns and more.
        #expect(VisibleText.width(of: String(line)) <= width, "\(line)")
      }
    }
  }

  @Test("values that no replay makes do not stop it", arguments: [-5, 0, 60, 100, Int.max])
  func absurd(width: Int) {
    #expect(!TerminalReport(width: width).render(.absurd).isEmpty)
    #expect(!TerminalReport(width: width).render(.backwards).isEmpty)
  }

  @Test("without colour there is no control character but the newline")
  func plain() {
    for result in [ReplayResult.example, .absurd] {
      let strange = TerminalReport(style: .plain).render(result).unicodeScalars.filter {
        $0 != "\n" && ($0.properties.generalCategory == .control || $0.properties.generalCategory == .format)
      }
      #expect(strange.isEmpty)
    }
  }

  @Test("colour adds escape sequences of its own and nothing else")
  func colour() {
    let plain = TerminalReport(style: .plain).render(.example)
    let ansi = TerminalReport(style: .ansi).render(.example)
    #expect(ansi != plain)
    #expect(ansi.replacing(/\u{1b}\[[0-9;]*m/, with: "") == plain)
    #expect(ansi.matches(of: /\u{1b}\[0m/).count * 2 == ansi.matches(of: /\u{1b}\[/).count)
  }

  @Test("the printed parts of the accounting add up to the printed sum")
  func accounting() throws {
    let text = TerminalReport().render(.example)
    func number(_ line: Substring) -> Int? {
      line.firstMatch(of: /[^0-9]([0-9,]+)(?:\s+[<0-9.]+.*%)?$/).flatMap { Int($0.1.replacing(",", with: "")) }
    }
    let lines = text.split(separator: "\n")
    let parts = lines.filter { $0.hasPrefix("  =  ") || $0.hasPrefix("  +  ") }.compactMap(number)
    let sum = try #require(lines.first { $0.contains("   sum ") }.flatMap(number))
    let queued = try #require(lines.first { $0.contains("   queued calls ") }.flatMap(number))
    #expect(parts.count == 6)
    #expect(parts.reduce(0, +) == sum)
    #expect(sum == queued)
  }

  @Test("tables cut names in the middle and numbers never")
  func table() {
    var table = TextTable([.text("name"), .number("count")])
    table.add(["a_very_long_symbol_name_that_does_not_fit", "123456789"])
    table.add(["short", "1"])
    #expect(
      table.lines(width: 30) == [
        "name                     count", "a_very_lo…s_not_fit  123456789", "short                        1",
      ])
    var spare = TextTable([.text("name"), .number("first").spare, .number("second").spare, .number("last")])
    spare.add(["a", "1", "2", "3"])
    #expect(spare.lines(width: 25) == ["name  first  second  last", "a         1       2     3"])
    #expect(spare.lines(width: 24) == ["name  first  last", "a         1     3"])
    #expect(spare.lines(width: 1) == ["name  last", "a        3"])
    #expect(TextTable.cut("abc", to: 1) == "…")
    #expect(TextTable.cut("日本語", to: 4) == "日…")
  }
}
