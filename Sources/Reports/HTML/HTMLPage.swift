import FoundationEssentials

/// The frame of every page: it needs nothing else, and a Content-Security-Policy lets nothing in from outside and runs no script
/// but the page's own, known by its hash.
struct HTMLPage {
  var title: HTML
  /// What kind of report it is, beside the program's name.
  var subject: HTML
  /// The link that leads past the table of contents.
  var skip: HTML
  var sections: [HTMLReport.Section]
  var footer: HTML
  var style: HTML
  /// Nil for a page without.
  var script: HTML?

  var text: String {
    let scriptPolicy: HTML = script.map { "; script-src 'sha256-\(visible: Self.hash($0))'" } ?? ""
    let scriptElement: HTML = script.map { "<script>\($0)</script>\n" } ?? ""
    let page: HTML = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'; \
      style-src 'sha256-\(visible: Self.hash(style))'\(scriptPolicy)">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="generator" content="ipitrace">
      <title>\(title) – ipitrace</title>
      <style>\(style)</style>
      </head>
      <body>
      <a class="skip" href="#summary">\(skip)</a>
      <header>
      <p class="brand">ipitrace <span>\(subject)</span></p>
      <nav aria-label="Sections"><ul>\(sections.map(\.link).joined())</ul></nav>
      </header>
      <main>
      \(sections.map(\.html).joined())
      </main>
      <footer><p>\(footer)</p></footer>
      \(scriptElement)</body>
      </html>

      """
    return page.text
  }

  private static func hash(_ html: HTML) -> String { Data(SHA256.hash(html.text.utf8)).base64EncodedString() }
}
