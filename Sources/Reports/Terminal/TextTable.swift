/// A table of aligned columns for a terminal.
struct TextTable {
  enum Alignment { case left, right }

  struct Column {
    var title: String
    var alignment: Alignment
    /// Whether the column may be cut where the table is wider than the page.
    var shrinks: Bool

    static func text(_ title: String) -> Column { Column(title: title, alignment: .left, shrinks: true) }
    static func word(_ title: String) -> Column { Column(title: title, alignment: .left, shrinks: false) }
    static func number(_ title: String) -> Column { Column(title: title, alignment: .right, shrinks: false) }
  }

  private static let gap = 2
  private static let narrowest = 10

  let columns: [Column]
  private(set) var rows: [[String]] = []

  init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row of escaped cells.
  /// - Precondition: one cell for each column.
  mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    rows.append(cells)
  }

  /// The lines of the table, the titles first where there are any. Wider than `width` only where no column can shrink
  /// any more.
  func lines(width: Int) -> [String] {
    let titles = columns.map(\.title)
    let hasTitles = titles.contains { !$0.isEmpty }
    let all = hasTitles ? [titles] + rows : rows
    let widths = fit(all, into: width)
    return all.map { row in
      var line = ""
      for (index, cell) in row.enumerated() {
        if index > 0 { line += String(repeating: " ", count: Self.gap) }
        let text = Self.cut(cell, to: widths[index])
        let padding = String(repeating: " ", count: max(0, widths[index] - VisibleText.width(of: text)))
        line += columns[index].alignment == .left ? text + padding : padding + text
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  private func fit(_ all: [[String]], into width: Int) -> [Int] {
    var widths = columns.indices.map { index in all.map { VisibleText.width(of: $0[index]) }.max() ?? 0 }
    var excess = widths.reduce(0, +) + Self.gap * max(0, columns.count - 1) - width
    while excess > 0 {
      // The widest column gives way first, down to the next one that may.
      let candidates = columns.indices.filter { columns[$0].shrinks && widths[$0] > Self.narrowest }
      guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }

  /// The text in at most `width` columns, with an ellipsis in the middle: names differ at both ends.
  static func cut(_ text: String, to width: Int) -> String {
    guard VisibleText.width(of: text) > width else { return text }
    guard width > 1 else { return "…" }
    let scalars = Array(text.unicodeScalars)
    var head = String.UnicodeScalarView()
    var tail: [Unicode.Scalar] = []
    var left = width - 1
    var first = 0
    var last = scalars.count - 1
    var takesHead = true
    while first <= last {
      let scalar = takesHead ? scalars[first] : scalars[last]
      let columns = VisibleText.width(of: String(Character(scalar)))
      guard columns <= left else { break }
      left -= columns
      if takesHead {
        head.append(scalar)
        first += 1
      } else {
        tail.append(scalar)
        last -= 1
      }
      takesHead.toggle()
    }
    return String(head) + "…" + String(String.UnicodeScalarView(tail.reversed()))
  }
}
