import CallEngines
import Drivers
import TestSupport
import Testing
import Verdicts

/// Every file of `fixtures/histories` carries its verdict in its name: `WHAT.VERDICT.history`, where VERDICT is `conforms`,
/// `undecided`, or the rules that must be found, joined by `+`.
@Suite struct HistoryFixtureTests {
  @Test(arguments: try Fixtures.files(in: "histories", suffix: ".history"))
  func verdictIsAsNamed(_ file: String) throws {
    let text = try Fixtures.text("histories/" + file)
    let expected = file.split(separator: ".")[1]
    let replayed = Replayed(try TraceScript(text))
    switch expected {
    case "conforms":
      #expect(replayed.rules == [], "\(replayed.verdict.divergences)")
      #expect(replayed.verdict.result == .conforms)
    case "undecided":
      #expect(replayed.rules == [], "\(replayed.verdict.divergences)")
      #expect(replayed.verdict.undecided > 0)
    default:
      #expect(replayed.rules.map(\.rawValue).sorted() == expected.split(separator: "+").map(String.init).sorted())
    }
    let accounting = replayed.verdict.accounting
    let parts =
      accounting.executed + accounting.lost + accounting.pending
      + accounting.notJudged.reduce(0) { $0 + $1.count }
    #expect(accounting.queued == parts)
  }

  @Test func thereAreFixtures() throws {
    #expect(try Fixtures.files(in: "histories", suffix: ".history").count >= 20)
  }
}
