import Glibc
import Verdicts

extension HTMLReport {
  /// Up to this many CPUs the heat map is a table with a number in every cell; above, a drawing.
  private static let tableLimit = 24
  /// The drawing has at most this many rows; above, neighbouring CPUs share one.
  private static let drawingLimit = 64
  private static let levels = 8

  /// The heat map: source × target.
  static func matrixSection(_ matrix: MatrixFacts) -> Section {
    var body = HTML()
    if matrix.cpus.isEmpty {
      body = "<p>No calls.</p>"
    } else {
      body = """
        <div class="heatmap">
        \(matrix.cpus.count <= tableLimit ? table(matrix) : drawing(matrix))
        \(legend(matrix))
        </div>
        <h3>Busiest pairs</h3>
        \(pairs(matrix))
        """
    }
    return Section(
      identifier: "matrix", title: "Matrix",
      note: """
        Rows call, columns are called. \(visible: Quantity.count(matrix.remoteCalls, "call")) across CPUs, \
        \(visible: Quantity.count(matrix.remoteIPIs, "IPI"))\
        \(matrix.localRuns > 0 ? "; \(visible: Quantity.count(matrix.localRuns, "local run")) on the diagonal" : "")
        """, body: body)
  }

  /// 0 for nothing, else 1 … 8 on a logarithmic scale: counts of pairs lie decades apart.
  private static func level(_ value: UInt64, most: UInt64) -> Int {
    guard value > 0 else { return 0 }
    guard most > 1 else { return levels }
    return min(levels, 1 + Int(Double(levels) * log(Double(value)) / (log(Double(most)) * 1.000_001)))
  }

  private static func table(_ matrix: MatrixFacts) -> HTML {
    let most = matrix.pairs.first?.calls ?? 0
    let received = Dictionary(uniqueKeysWithValues: matrix.targets.map { ($0.cpu, $0.calls) })
    let heads = matrix.cpus.map { "<th scope=\"col\">\($0)</th>" as HTML }.joined()
    var rows = HTML()
    for source in matrix.cpus {
      rows += "<tr><th scope=\"row\">CPU \(source)</th>"
      for target in matrix.cpus {
        let calls = matrix.calls(from: source, to: target) ?? 0
        if source == target {
          rows += "<td class=\"self\" title=\"CPU \(source): \(visible: Quantity.count(calls, "local run"))\">"
          rows += calls > 0 ? "\(visible: Quantity.shortCount(calls))</td>" : "</td>"
        } else if calls == 0 {
          rows += "<td class=\"h0\"><span aria-label=\"0\">·</span></td>"
        } else {
          rows += """
            <td class="h\(level(calls, most: most))" title="CPU \(source) → CPU \(target): \
            \(visible: Quantity.count(calls, "call"))">\(visible: Quantity.shortCount(calls))</td>
            """
        }
      }
      rows += "</tr>\n"
    }
    let sums = matrix.cpus.map { cpu in
      "<td>\(visible: Quantity.shortCount(received[cpu] ?? 0))</td>" as HTML
    }.joined()
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="Calls from source to target"><table class="heat">
      <thead><tr><th scope="col"><span class="soft">from ↓ to →</span></th>\(heads)</tr></thead>
      <tbody>\(rows)</tbody>
      <tfoot><tr><th scope="row">called</th>\(sums)</tr></tfoot>
      </table></div>
      """
  }

  private static func drawing(_ matrix: MatrixFacts) -> HTML {
    let share = (matrix.cpus.count + drawingLimit - 1) / drawingLimit
    let groups = (matrix.cpus.count + share - 1) / share
    let place = Dictionary(uniqueKeysWithValues: matrix.cpus.enumerated().map { ($1, $0 / share) })
    var calls = [UInt64](repeating: 0, count: groups * groups)
    for pair in matrix.pairs {
      guard let row = place[pair.source], let column = place[pair.target] else { continue }
      calls[row * groups + column] = calls[row * groups + column].plus(pair.calls)
    }
    let most = calls.max() ?? 0
    func name(_ group: Int) -> String {
      Quantity.cpuList(Array(matrix.cpus[group * share..<min(matrix.cpus.count, (group + 1) * share)]))
    }
    var cells = HTML()
    var labels = HTML()
    let size = 640.0 / Double(groups)
    let every = max(1, groups / 16)
    for row in 0..<groups {
      let middle = 48 + (Double(row) + 0.5) * size
      if row % every == 0 {
        labels += """
          <text x="42" y="\(middle + 4)" text-anchor="end">\(visible: name(row))</text>\
          <text x="\(middle + 4)" y="42" transform="rotate(-60 \(middle + 4) 42)">\(visible: name(row))</text>

          """
      }
      cells += "<rect class=\"self\" x=\"\(row)\" y=\"\(row)\" width=\"1\" height=\"1\"/>\n"
      for column in 0..<groups where calls[row * groups + column] > 0 {
        let value = calls[row * groups + column]
        cells += """
          <path class="h\(level(value, most: most))" d="M\(column) \(row)h1v1h-1z"><title>\(visible: name(row)) → \
          \(visible: name(column)): \(HTMLPiece.count(value))</title></path>

          """
      }
    }
    return """
      <figure><div class="scroll" tabindex="0" role="region" aria-label="Calls from source to target">
      <svg class="heat" viewBox="0 0 700 700" role="group" aria-label="Heat map of calls, \(groups) by \(groups)">
      \(labels)<rect class="frame" x="48" y="48" width="640" height="640"/>
      <g transform="translate(48 48) scale(\(size))">\(cells)</g>
      </svg></div>
      \(share > 1 ? "<figcaption>Each row and column stands for \(share) CPUs.</figcaption>" : "")</figure>
      """
  }

  private static func legend(_ matrix: MatrixFacts) -> HTML {
    guard !matrix.pairs.isEmpty else { return "" }
    let boxes = (1...levels).map { "<span class=\"swatch h\($0)\"></span>" as HTML }.joined()
    return """
      <p class="legend"><span>fewer</span><span aria-hidden="true">\(boxes)</span><span>more</span> \
      <span class="soft">logarithmic</span></p>
      """
  }

  private static func pairs(_ matrix: MatrixFacts) -> HTML {
    if matrix.pairs.isEmpty { return "<p>No CPU was called by another.</p>" }
    let limit = 20
    var table = HTMLTable(
      "Busiest pairs of source and target",
      [
        .init("from", .header), .init("to"), .init("calls", .number), .init(""), .init("share", .number),
        .init("IPIs", .number),
      ])
    let most = matrix.pairs.first?.calls ?? 0
    for pair in matrix.pairs.prefix(limit) {
      table.add([
        "CPU \(pair.source)", "CPU \(pair.target)", HTMLPiece.count(pair.calls), HTMLPiece.bar(pair.calls, of: most),
        "\(visible: Quantity.share(pair.calls, of: matrix.remoteCalls))", HTMLPiece.count(pair.ipis),
      ])
    }
    return "\(table.html)\(HTMLPiece.more(matrix.pairs.count, shown: limit, "pairs"))"
  }
}
