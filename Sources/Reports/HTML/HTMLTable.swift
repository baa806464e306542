/// A table in a container of its own that scrolls sideways, so that the page never has to.
struct HTMLTable {
  enum Kind {
    /// The row's name.
    case header
    case text
    case number
  }

  struct Column {
    var title: HTML
    var kind: Kind

    init(_ title: HTML, _ kind: Kind = .text) {
      self.title = title
      self.kind = kind
    }
  }

  /// Says what the table shows, to those who can't see its place in the page.
  var label: HTML
  var columns: [Column]
  private var rows = HTML()
  private var count = 0

  init(_ label: HTML, _ columns: [Column]) {
    self.label = label
    self.columns = columns
  }

  /// - Precondition: one cell for each column.
  mutating func add(_ cells: [HTML], attributes: HTML = "") {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    count += 1
    rows += "<tr\(attributes)>"
    for (cell, column) in zip(cells, columns) {
      switch column.kind {
      case .header: rows += "<th scope=\"row\">\(cell)</th>"
      case .text: rows += "<td>\(cell)</td>"
      case .number: rows += "<td class=\"n\">\(cell)</td>"
      }
    }
    rows += "</tr>\n"
  }

  var isEmpty: Bool { count == 0 }

  var html: HTML {
    let heads: HTML = columns.map { column in
      "<th scope=\"col\"\(column.kind == .number ? " class=\"n\"" : "")>\(column.title)</th>" as HTML
    }.joined()
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="\(label)"><table>
      <thead><tr>\(heads)</tr></thead>
      <tbody>
      \(rows)</tbody></table></div>

      """
  }
}

/// Small pieces that several sections use.
enum HTMLPiece {
  /// A name from the trace.
  static func name(_ name: String) -> HTML { "<code>\(name: name)</code>" }

  static func process(_ comm: String?) -> HTML { comm.map { name($0) } ?? "–" }

  static func count(_ value: UInt64) -> HTML { "\(visible: Quantity.count(value))" }

  static func count(_ value: UInt64?) -> HTML { "\(visible: Quantity.count(value))" }

  static func duration(_ nanoseconds: UInt64?) -> HTML { "\(visible: Quantity.duration(nanoseconds))" }

  /// Says that a list was cut, or nothing.
  static func more(_ total: Int, shown: Int, _ what: HTML) -> HTML {
    total > shown
      ? "<p class=\"more\">\(visible: Quantity.count(total - shown)) more \(what) are in the JSON result.</p>\n" : ""
  }

  /// A bar for a share of a whole, drawn beside the number that says the same.
  static func bar(_ part: UInt64, of whole: UInt64) -> HTML {
    let share = whole == 0 ? 0 : min(1, Double(part) / Double(whole))
    return """
      <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">\
      <rect class="track" width="100" height="8"/><rect class="fill" width="\(share * 100)" height="8"/></svg>
      """
  }

  /// Parts of one whole side by side. Empty parts are left out; what is there is at least one unit wide.
  static func stack(_ parts: [(style: HTML, name: HTML, value: UInt64)], of whole: UInt64) -> HTML {
    var x = 0.0
    var rects = HTML()
    for part in parts where part.value > 0 && whole > 0 {
      let width = min(max(2, Double(part.value) / Double(whole) * 1_000), max(0, 1_000 - x))
      rects += """
        <rect class="\(part.style)" x="\(x)" width="\(width)" height="20"><title>\(part.name)</title></rect>
        """
      x += width
    }
    return """
      <svg class="stack" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true">\
      <rect class="track" width="1000" height="20"/>\(rects)</svg>
      """
  }
}
