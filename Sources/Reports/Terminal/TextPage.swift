/// The lines of a terminal report as they are written, with headings, wrapped prose and tables.
struct TextPage {
  let width: Int
  let style: TerminalStyle
  private(set) var text = ""

  init(width: Int, style: TerminalStyle) {
    self.width = width
    self.style = style
  }

  mutating func line(_ line: String = "") { text += line + "\n" }

  /// An empty line and a title, with a note beside it.
  mutating func heading(_ title: String, note: String = "") {
    line()
    let fits = VisibleText.width(of: title) + 2 + VisibleText.width(of: note) <= width
    line(style.paint(title, .heading) + (note.isEmpty || !fits ? "" : "  " + style.paint(note, .faint)))
    if !fits { prose(note) }
  }

  /// Escaped words, wrapped between words, continued lines below the first word. A no-break space (U+00A0) joins two words,
  /// and is written as a space.
  /// - Parameters:
  ///   - indent: spaces before every line.
  ///   - label: stands before the first line; the text stays right of it.
  mutating func prose(_ words: String, indent: Int = 2, label: String = "") {
    let hang = indent + VisibleText.width(of: label)
    var current = String(repeating: " ", count: indent) + label
    var columns = hang
    var empty = true
    let room = max(width - hang, 1)
    for word in words.split(separator: " ").flatMap({ Self.pieces(of: $0, room: room) }) {
      let word = word.replacing("\u{a0}", with: " ")
      let length = VisibleText.width(of: String(word))
      if !empty, columns + 1 + length > width {
        line(current)
        current = String(repeating: " ", count: hang)
        columns = hang
        empty = true
      }
      if !empty {
        current += " "
        columns += 1
      }
      current += word
      columns += length
      empty = false
    }
    while current.last == " " { current.removeLast() }
    line(current)
  }

  /// A word as it is where it fits on a line, and otherwise in pieces that do.
  private static func pieces(of word: Substring, room: Int) -> [String] {
    var pieces: [String] = []
    var piece = String.UnicodeScalarView()
    var columns = 0
    for scalar in word.unicodeScalars {
      let width = VisibleText.width(of: String(Character(scalar)))
      if columns + width > room, !piece.isEmpty {
        pieces.append(String(piece))
        piece = String.UnicodeScalarView()
        columns = 0
      }
      piece.append(scalar)
      columns += width
    }
    return pieces + [String(piece)]
  }

  /// The table, each line indented, the titles faint.
  /// - Parameter headings: lines of their own, by the row that they stand above.
  mutating func table(_ table: TextTable, indent: Int = 2, headings: [Int: String] = [:]) {
    for (index, row) in table.lines(width: width - indent).enumerated() {
      if let heading = headings[table.hasTitles ? index - 1 : index] {
        line(String(repeating: " ", count: indent) + TextTable.cut(heading, to: width - indent))
      }
      line(String(repeating: " ", count: indent) + (index == 0 && table.hasTitles ? style.paint(row, .faint) : row))
    }
  }

  /// Says that a list was cut: `… 12 more`.
  mutating func more(_ total: Int, shown: Int, indent: Int = 2) {
    if total > shown { line(String(repeating: " ", count: indent) + "… \(Quantity.count(total - shown)) more") }
  }
}
