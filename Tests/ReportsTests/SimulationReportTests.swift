import TestSupport
import Testing
import Verdicts

@testable import Reports

@Suite("Report of a simulation")
struct SimulationReportTests {
  // MARK: Text

  @Test("golden", arguments: [100, 64])
  func golden(width: Int) throws {
    let text = TerminalReport(width: width).render(.simulated)
    let section = try #require(text.firstMatch(of: /(?s)\nReal versus model.*/)).output
    #expect(Golden.complaint(Array(section.utf8), name: "simulated-\(width).txt") == nil)
  }
}
