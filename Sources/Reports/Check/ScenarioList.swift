/// Scenarios with their claims, as text.
public struct ScenarioList: Sendable {
  private var scenarios: [(name: String, claim: String, engines: [String])] = []

  public init() {}

  public mutating func add(name: String, claim: String, engines: [String]) {
    scenarios.append((name, claim, engines))
  }

  /// The list as text, every line ended by a newline.
  public func render(width: Int = TerminalReport.defaultWidth, style: TerminalStyle = .plain) -> String {
    var page = TextPage(width: TerminalReport(width: width, style: style).width, style: style)
    for scenario in scenarios {
      page.line(style.paint(VisibleText.escape(scenario.name), .heading))
      if !scenario.claim.isEmpty { page.prose(VisibleText.escape(scenario.claim, limit: VisibleText.sentenceLimit)) }
      let engines = scenario.engines.map { VisibleText.escape($0) }.joined(separator: "  ")
      page.prose(engines, label: "with ")
    }
    return page.text
  }
}
