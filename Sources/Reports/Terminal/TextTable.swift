/// A table of aligned columns for a terminal.
struct TextTable {
  enum Alignment { case left, right }

  struct Column {
    var title: String
    var alignment: Alignment
    /// Whether the column may be cut where the table is wider than the page.
    var shrinks: Bool
    /// Whether the column is left out where the page is too narrow for all.
    var isSpare = false

    static func text(_ title: String) -> Column { Column(title: title, alignment: .left, shrinks: true) }
    static func word(_ title: String) -> Column { Column(title: title, alignment: .left, shrinks: false) }
    static func number(_ title: String) -> Column { Column(title: title, alignment: .right, shrinks: false) }

    /// The column as one that may be left out.
    var spare: Column { Column(title: title, alignment: alignment, shrinks: shrinks, isSpare: true) }
  }

  private static let gap = 2
  private static let narrowest = 10

  private let columns: [Column]
  private var rows: [[String]] = []

  init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row of escaped cells.
  /// - Precondition: one cell for each column.
  mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    rows.append(cells)
  }

  var hasTitles: Bool { columns.contains { !$0.title.isEmpty } }

  /// The lines of the table, the titles first where there are any. Wider than `width` only where no column can shrink
  /// or be left out any more.
  func lines(width: Int) -> [String] {
    let all = hasTitles ? [columns.map(\.title)] + rows : rows
    let widest = columns.indices.map { index in all.map { VisibleText.width(of: $0[index]) }.max() ?? 0 }
    var shown = Array(columns.indices)
    while least(shown, widest) > width, let last = shown.lastIndex(where: { columns[$0].isSpare }) {
      shown.remove(at: last)
    }
    let widths = fit(shown, widest, into: width)
    return all.map { row in
      var line = ""
      for index in shown {
        if index != shown.first { line += String(repeating: " ", count: Self.gap) }
        let text = Self.cut(row[index], to: widths[index])
        let padding = String(repeating: " ", count: max(0, widths[index] - VisibleText.width(of: text)))
        line += columns[index].alignment == .left ? text + padding : padding + text
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// The width of the columns with their gaps, once all that can shrink have.
  private func least(_ shown: [Int], _ widest: [Int]) -> Int {
    shown.reduce(Self.gap * max(0, shown.count - 1)) { sum, index in
      sum + (columns[index].shrinks ? min(widest[index], Self.narrowest) : widest[index])
    }
  }

  private func fit(_ shown: [Int], _ widest: [Int], into width: Int) -> [Int] {
    var widths = widest
    var excess = shown.reduce(Self.gap * max(0, shown.count - 1) - width) { $0 + widths[$1] }
    while excess > 0 {
      // The widest column gives way first, down to the next one that may.
      let candidates = shown.filter { columns[$0].shrinks && widths[$0] > Self.narrowest }
      guard let first = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[first] -= 1
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
