import Verdicts

/// A lane diagram in characters.
///
///     step    CPU 0                                     CPU 1
///        1  T │ calls “single 1 f”                        │
///        6  T │ sends IPI (single) to CPU 1 ─────────────▶│
///        7    │                                         H ┃ takes IPI (single)
///
/// The letter is the context that moved. The line of a lane is heavy while interrupts are off, and dotted while the CPU is dead.
struct LaneText {
  /// Letter, space, line, space.
  private static let gutter = 4
  private static let gap = 1
  /// Narrower lanes are given up for a list.
  private static let narrowest = 15
  private static let widest = 48

  private let diagram: LaneDiagram
  private let stepWidth: Int
  private let textWidth: Int
  private let isList: Bool

  init(_ diagram: LaneDiagram, width: Int) {
    self.diagram = diagram
    stepWidth = max(4, String(diagram.stepCount).count)
    let room = width - stepWidth - 2
    let lanes = max(diagram.cpus.count, 1)
    let text = room / lanes - Self.gutter - Self.gap
    isList = text < Self.narrowest
    textWidth = isList ? max(room - Self.gutter - Self.listColumn, Self.narrowest) : min(text, Self.widest)
  }

  /// `CPU 12`, in a list.
  private static let listColumn = 8

  var heading: String {
    let step = pad("step", left: stepWidth) + "  "
    if isList { return step + pad("", right: Self.gutter) + "CPU" }
    let lanes = diagram.cpus.map { pad("", right: Self.gutter) + pad("CPU \($0)", right: textWidth + Self.gap) }
    return trimmed(step + lanes.joined())
  }

  /// The rows, in order.
  var lines: [String] { diagram.rows.flatMap { isList ? listLines($0) : laneLines($0) } }

  /// What letters and lines stand for.
  var legend: String {
    var parts = diagram.contexts.map { "\(LaneDiagram.letter($0)) \(LaneDiagram.name($0))" }
    let lines = diagram.rows.flatMap { isList ? [line(of: $0.cpu, in: $0)] : $0.lines } + diagram.start
    if lines.contains(.interruptsOff) { parts.append("┃ interrupts off") }
    if lines.contains(.dead) { parts.append("┊ dead") }
    if diagram.rows.contains(where: \.isRepeated) { parts.append("↻ for ever") }
    return parts.joined(separator: "  ")
  }

  // MARK: Rows

  private func listLines(_ row: LaneDiagram.Row) -> [String] {
    var lines: [String] = []
    for entry in row.entries {
      for piece in wrapped(entry.text) {
        let head =
          lines.isEmpty
          ? pad("\(row.step)", left: stepWidth) + (row.isRepeated ? "↻ " : "  ") + LaneDiagram.letter(row.context) + " "
            + pad("CPU \(row.cpu)", right: Self.listColumn)
          : pad("", right: stepWidth + 4 + Self.listColumn)
        lines.append(head + mark(line(of: row.cpu, in: row)) + " " + piece)
      }
    }
    return lines
  }

  private func line(of cpu: Int, in row: LaneDiagram.Row) -> LaneDiagram.Line {
    diagram.cpus.firstIndex(of: cpu).map { row.lines[$0] } ?? .dead
  }

  private func laneLines(_ row: LaneDiagram.Row) -> [String] {
    guard let actor = diagram.cpus.firstIndex(of: row.cpu) else { return [] }
    var lines: [String] = []
    for entry in row.entries {
      let targets = entry.arrows.compactMap { diagram.cpus.firstIndex(of: $0) }
      let pieces = wrapped(entry.text)
      for (index, piece) in pieces.enumerated() {
        let isLast = index == pieces.count - 1
        let step = pad(lines.isEmpty ? "\(row.step)" : "", left: stepWidth) + (row.isRepeated ? "↻ " : "  ")
        let letter = lines.isEmpty ? LaneDiagram.letter(row.context) : " "
        lines.append(step + laneLine(row, actor, letter, piece, arrows: isLast ? targets : []))
      }
    }
    return lines
  }

  private func laneLine(
    _ row: LaneDiagram.Row, _ actor: Int, _ letter: String, _ text: String, arrows: [Int]
  ) -> String {
    let first = min(arrows.min() ?? actor, actor)
    let last = max(arrows.max() ?? actor, actor)
    var result = ""
    for lane in diagram.cpus.indices {
      let passesBefore = lane != actor && (lane > first && lane < actor || lane > actor && lane <= last)
      let passesAfter = lane > actor && lane < last || lane < actor && lane >= first || lane == actor && last > actor
      let isTarget = arrows.contains(lane)
      // Before the line.
      if lane == actor {
        // An arrow to the left begins at the line, where no letter stands before it.
        result += letter == " " && first < actor ? "──" : letter + " "
      } else {
        result += passesBefore ? (isTarget && lane > actor ? "─▶" : "──") : "  "
      }
      result += mark(row.lines[lane], crossed: lane != actor && passesBefore && passesAfter && !isTarget)
      // Behind it.
      if lane == actor {
        let used = VisibleText.width(of: text)
        let rest = max(0, 1 + textWidth + Self.gap - 1 - used)
        result += " " + text
        result += passesAfter && rest > 0 ? " " + String(repeating: "─", count: rest - 1) : spaces(rest)
      } else if passesAfter {
        result += (isTarget && lane < actor ? "◀" : "─") + String(repeating: "─", count: textWidth + Self.gap)
      } else {
        result += spaces(1 + textWidth + Self.gap)
      }
    }
    return trimmed(result)
  }

  private func mark(_ line: LaneDiagram.Line, crossed: Bool = false) -> String {
    switch line {
    case .interruptsOn: crossed ? "┼" : "│"
    case .interruptsOff: crossed ? "╂" : "┃"
    case .dead: crossed ? "┼" : "┊"
    }
  }

  // MARK: Texts

  private func wrapped(_ text: String) -> [String] {
    var page = TextPage(width: textWidth, style: .plain)
    page.prose(text, indent: 0)
    return page.text.split(separator: "\n").map(String.init)
  }

  private func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }
  private func pad(_ text: String, right width: Int) -> String {
    text + spaces(max(0, width - VisibleText.width(of: text)))
  }
  private func pad(_ text: String, left width: Int) -> String {
    spaces(max(0, width - VisibleText.width(of: text))) + text
  }
  private func trimmed(_ text: String) -> String {
    var text = Substring(text)
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
