public import CallEngines

/// What a rule or a property says, as text.
public struct Explanation: Sendable {
  /// A scenario and its engines, in which a property is named.
  public struct Mention: Sendable {
    public var scenario: String
    public var engines: [String]

    public init(scenario: String, engines: [String]) {
      self.scenario = scenario
      self.engines = engines
    }
  }

  /// The rules and properties that have this name; none if nothing has.
  public let rule: Rule?
  public let property: Property?
  /// Where the property is claimed to be violated, and where to hold.
  public var violated: [Mention] = []
  public var held: [Mention] = []

  /// - Returns: nil if neither a rule nor a property has the name.
  public init?(name: String) {
    rule = Rule(rawValue: name)
    property = Property(name: name)
    if rule == nil, property == nil { return nil }
  }

  /// The names of all rules and properties, each once.
  public static var names: [String] {
    let rules = Rule.allCases.map(\.rawValue)
    return rules + Property.allCases.map(\.name).filter { !rules.contains($0) }
  }

  /// The explanation as text, every line ended by a newline.
  public func render(width: Int = TerminalReport.defaultWidth, style: TerminalStyle = .plain) -> String {
    var page = TextPage(width: TerminalReport(width: width, style: style).width, style: style)
    if let rule {
      page.line(
        style.paint(rule.rawValue, .heading) + "  "
          + style.paint("a rule that a trace is held against, \(rule.severity.rawValue)", .faint))
      page.prose(rule.sentence)
      page.prose(rule.source, label: "source    ")
      page.prose("ipitrace replay TRACE --fail-on \(rule.rawValue)", label: "used by   ")
    }
    if rule != nil, property != nil { page.line() }
    if let property {
      let kind =
        property.isPromise
        ? "a property that every exploration decides" : "a property that explorations decide where a scenario asks"
      page.line(style.paint(property.name, .heading) + "  " + style.paint(kind, .faint))
      page.prose(property.sentence)
      write(violated, "violated, as claimed, in:", to: &page)
      write(held, "claimed to hold in:", to: &page)
      if violated.isEmpty, held.isEmpty { page.prose("No scenario names it.") }
      if property.isPromise { page.prose("In every other scenario it is claimed to hold.") }
    }
    return page.text
  }

  private func write(_ mentions: [Mention], _ title: String, to page: inout TextPage) {
    if mentions.isEmpty { return }
    page.line("  " + page.style.paint(title, .faint))
    for mention in mentions {
      page.prose(mention.engines.joined(separator: " "), indent: 4, label: mention.scenario + "  ")
    }
  }

  /// All rules and properties with their sentences, as text.
  public static func list(width: Int = TerminalReport.defaultWidth, style: TerminalStyle = .plain) -> String {
    var page = TextPage(width: TerminalReport(width: width, style: style).width, style: style)
    let longest = names.map(\.count).max() ?? 0
    func put(_ name: String, _ sentence: String) {
      page.prose(sentence, label: name + String(repeating: " ", count: longest - name.count + 2))
    }
    page.line(style.paint("Rules that a trace is held against", .heading))
    for rule in Rule.allCases { put(rule.rawValue, rule.sentence) }
    page.line()
    page.line(style.paint("Properties that every exploration decides", .heading))
    for property in Property.allCases where property.isPromise { put(property.name, property.sentence) }
    page.line()
    page.line(style.paint("Properties that explorations decide where a scenario asks", .heading))
    for property in Property.allCases where !property.isPromise { put(property.name, property.sentence) }
    return page.text
  }
}
