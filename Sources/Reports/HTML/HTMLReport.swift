public import Verdicts

/// A result as one page that needs nothing else: no network, no fonts, no files beside it.
///
/// It is whole without JavaScript; the script only adds zooming to the timeline. A Content-Security-Policy lets nothing
/// in from outside and runs no script but that one, known by its hash. Lists are capped and say so, so the page grows
/// with what is in the result and not with the length of the trace.
public enum HTMLReport {
  /// The page, as text.
  /// - Complexity: O(size of the result).
  public static func render(_ result: ReplayResult) -> String {
    let matrix = MatrixFacts(result.matrix)
    let simulation = simulation(result)
    let sections: [Section] =
      [summary(result, matrix: matrix), verdict(result), findings(result.verdict)] + (simulation.map { [$0] } ?? []) + [
        calls(result), matrixSection(matrix), latency(result.latency),
        timeline(result.timeline, divergences: result.verdict.divergences),
        interference(result.interference), blocking(result.blocking), health(result),
      ]
    let kernel: HTML = result.trace.kernel.map { " · kernel \(name: $0)" } ?? ""
    return HTMLPage(
      title: "\(visible: Words.headline(result.verdict))\(kernel)", subject: "cross-CPU calls, replayed",
      skip: "Skip to the verdict", sections: sections,
      footer: "Times are seconds on the trace's clock. Percentiles are exact to 1 %. A dash means unknown.",
      style: simulation == nil ? HTMLStyle.text : HTMLStyle.withSimulation, script: HTMLScript.text
    ).text
  }

  /// A part of the page with its place in the table of contents.
  struct Section {
    var identifier: HTML
    var title: HTML
    /// Stands beside the title.
    var note: HTML = ""
    var body: HTML

    var link: HTML { "<li><a href=\"#\(identifier)\">\(title)</a></li>" }

    var html: HTML {
      """
      <section id="\(identifier)" aria-labelledby="\(identifier)-title">
      <h2 id="\(identifier)-title">\(title)</h2>
      \(note.text.isEmpty ? "" : "<p class=\"note\">\(note)</p>")
      \(body)
      </section>

      """
    }
  }
}
