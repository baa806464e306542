public import CallEngines

/// The engines with their variants, as text and as data for JSON.
public struct EngineList: Sendable {
  struct Engine: Encodable {
    struct Group: Encodable {
      struct Choice: Encodable {
        var name: String
        var sentence: String
        /// Whether it is taken where the variant does not say.
        var isDefault: Bool
      }

      var name: String
      var choices: [Choice]
    }

    var name: String
    var sentence: String
    var source: String
    var groups: [Group]
  }

  let engines: [Engine]

  public init(_ descriptions: [EngineDescription] = EngineDescription.all) {
    engines = descriptions.map { description in
      Engine(
        name: description.name, sentence: description.sentence, source: description.source,
        groups: description.groups.map { group in
          Engine.Group(
            name: group.name,
            choices: group.choices.enumerated().map { index, choice in
              Engine.Group.Choice(name: choice.name, sentence: choice.sentence, isDefault: index == 0)
            })
        })
    }
  }

  /// The list as text, every line ended by a newline.
  public func render(width: Int = TerminalReport.defaultWidth, style: TerminalStyle = .plain) -> String {
    let report = TerminalReport(width: width, style: style)
    var page = TextPage(width: report.width, style: style)
    for (index, engine) in engines.enumerated() {
      if index > 0 { page.line() }
      page.line(style.paint(engine.name, .heading))
      page.prose(engine.sentence)
      page.prose(engine.source, label: "from ")
      for group in engine.groups {
        let longest = group.choices.map(\.name.count).max() ?? 0
        page.line("  " + style.paint("\(group.name):", .faint))
        for choice in group.choices {
          let padding = String(repeating: " ", count: longest - choice.name.count + 2)
          let note = choice.isDefault && group.choices.count > 1 ? " (unless chosen otherwise)" : ""
          page.prose(choice.sentence + note, indent: 4, label: choice.name + padding)
        }
      }
    }
    page.line()
    page.prose("Name one as NAME or NAME:CHOICE,CHOICE…, with one choice of each group at most.", indent: 0)
    return page.text
  }
}
