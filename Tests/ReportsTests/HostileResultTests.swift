import TestSupport
import Testing
import Verdicts

@testable import Reports

/// Every text that a saved result can hold, in every place, is made hostile: no report lets one through.
@Suite("Results of hostile texts")
struct HostileResultTests {
  /// What a terminal, a page or a reader's eye would obey, all in one.
  static let hostile =
    "</script></title></style></svg><script>window.__fromTrace=1</script>\"'><img src=x onerror=window.__fromTrace=1>"
    + "\u{1b}[31m\u{1b}]0;x\u{7}\r\n\t\u{7f}\u{85}\u{9b}2J\u{ad}\u{200b}\u{200f}\u{202e}\u{2028}\u{2066}\u{feff}\u{e0041}א\0"

  /// What of it would be markup.
  static let markup = ["<script>window", "<img src", "</title></style>", "onerror=\"", "'><"]

  /// The scalars of a rendered text that are obeyed rather than seen, or that turn what stands beside them.
  static func obeyed(_ text: String) -> [String] {
    text.unicodeScalars.filter { $0 != "\n" && (VisibleText.isObeyed($0) || $0 == "א") }.map {
      String($0.value, radix: 16)
    }
  }

  /// Where texts stand, all elements of an array being one place; the keys of an object of counts are texts too.
  private static func places(in value: JSONValue, _ path: String = "") -> Set<String> {
    switch value {
    case .string: [path]
    case .array(let items): items.reduce(into: []) { $0.formUnion(places(in: $1, path + "[]")) }
    case .object(let members):
      members.reduce(into: []) { $0.formUnion(places(in: $1.value, path + "." + $1.key)) }
    default: []
    }
  }

  private static func replacing(_ chosen: Set<String>, in value: JSONValue, _ path: String = "") -> JSONValue {
    switch value {
    case .string where chosen.contains(path): .string(hostile)
    case .array(let items): .array(items.map { replacing(chosen, in: $0, path + "[]") })
    case .object(let members):
      .object(
        Dictionary(uniqueKeysWithValues: members.map { ($0.key, replacing(chosen, in: $0.value, path + "." + $0.key)) })
      )
    default: value
    }
  }

  /// The result with all texts replaced that may be anything, and how many places that are. Where a text has to be one of a
  /// few words, the result is refused.
  private static func result(from source: ReplayResult) throws -> (ReplayResult, Int) {
    var document = try JSONValue.parse(JSONReport.render(source))
    var types = document["trace"]["events"]["byType"]
    types[hostile] = .integer(7)
    document["trace"]["events"] = {
      var events = document["trace"]["events"]
      events["byType"] = types
      return events
    }()
    let free = places(in: document).filter { place in
      (try? JSONReport.parse(replacing([place], in: document).bytes)) != nil
    }
    return (try JSONReport.parse(replacing(free, in: document).bytes), free.count)
  }

  @Test("all texts of a result", arguments: [(false, 50), (true, 60)])
  func everyPlace(isSimulated: Bool, count: Int) throws {
    let (result, places) = try Self.result(from: isSimulated ? .simulated : .example)
    // As many as there are, at the least, when this was written.
    #expect(places >= count, "\(places)")
    for width in [40, 100] {
      let text = TerminalReport(width: width).render(result)
      #expect(Self.obeyed(text) == [])
    }
    #expect(TerminalReport(width: 400).render(result).contains("<script>window.__fromTrace=1</script>"))
    let page = HTMLReport.render(result)
    #expect(Self.obeyed(page) == [])
    for markup in Self.markup { #expect(!page.contains(markup), "\(markup)") }
    #expect(page.contains("&lt;script&gt;window.__fromTrace=1&lt;/script&gt;"))
    var renderer = PerfettoRenderer(names: ScriptNames(), clock: Self.hostile) { _ in Self.hostile }
    renderer.finish(result)
    let drawing = try PerfettoTrace(renderer.bytes)
    #expect(drawing.texts.flatMap(Self.obeyed) == [] && !drawing.texts.contains { $0.contains("\n") })
    #expect(drawing.events.contains { $0.name.contains("<script>window.__fromTrace=1</script>") })
    let json = String(decoding: try JSONReport.render(result), as: UTF8.self)
    #expect(json.unicodeScalars.allSatisfy { $0 == "\n" || !VisibleText.isObeyed($0) })
    #expect(try JSONReport.parse(Array(json.utf8)).calls == result.calls)
  }

  @Test("a comparison of hostile names, and what was explored under them")
  func others() throws {
    var pages = ExampleComparison.all.map { HTMLReport.render($0) }
    var texts = ExampleComparison.all.map { TerminalReport(width: 100).render($0) }
    var documents = try ExampleComparison.all.map { try JSONReport.render($0) }
    let check = ExampleCheck.hostile
    pages.append(HTMLReport.render(check))
    texts.append(TerminalReport(width: 100).render(check, detail: .init()))
    documents.append(try JSONReport.render(check))
    for text in pages + texts { #expect(Self.obeyed(text) == []) }
    for page in pages { for markup in Self.markup { #expect(!page.contains(markup), "\(markup)") } }
    for document in documents {
      let text = String(decoding: document, as: UTF8.self)
      #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || !VisibleText.isObeyed($0) })
    }
  }

  @Test("beyond U+FFFF an escape in JSON is two; what is seen stays as it is")
  func escapes() {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    #expect(
      text(JSONText.quoted("a\"\\\n\u{7f}\u{9b}\u{202e}\u{e0041}日本é"))
        == #""a\"\\\u000a\u007f\u009b\u202e\udb40\udc41日本é""#)
    #expect(
      text(JSONText.escapingInvisible(Array("{\n\"a\": \"\u{202e}é\u{e0041}\"\n}".utf8)))
        == "{\n\"a\": \"\\u202eé\\udb40\\udc41\"\n}")
    #expect(VisibleText.disarm("a\\u{1b}\u{1b}[1m\n\u{202e}é") == "a\\u{1b}\\u{1b}[1m\n\\u{202e}é")
  }
}
