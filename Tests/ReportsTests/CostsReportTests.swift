import TestSupport
import Testing
import Verdicts

@testable import Reports

/// Costs as JSON that somebody edits: written, read again, and damaged.
@Suite("Costs as JSON")
struct CostsReportTests {
  static let example = CostTable(items: [
    .init(
      name: "delivery", sentence: "With \"quotes\", and / and \u{1b}[31m.", isAssumed: false, count: 975,
      points: [
        .init(share: 0, nanoseconds: 812), .init(share: 0.001, nanoseconds: 812.5),
        .init(share: 0.57, nanoseconds: 1e9),
        .init(share: 1, nanoseconds: 3_600_000_000_000),
      ]),
    .init(
      name: "pollingWake", sentence: "", isAssumed: true, count: 0, points: [.init(share: 0, nanoseconds: 1_000)]),
  ])

  /// Ways to break valid costs; every one of them must be refused by the schema.
  static let breakages: [@Sendable (inout JSONValue) -> Void] = [
    { $0["schema"] = .string("ipitrace-costs/2") },
    { $0["more"] = .null },
    { $0.remove("items") },
    { $0["items"][0]["name"] = .string("deliverySideways") },
    { $0["items"][0].remove("isAssumed") },
    { $0["items"][0]["count"] = .negative(-1) },
    { $0["items"][0]["points"] = .null },
    { $0["items"][0]["points"][0]["share"] = .number(1.5) },
    { $0["items"][0]["points"][0]["nanoseconds"] = .negative(-1) },
    { $0["items"][0]["points"][1].remove("nanoseconds") },
  ]

  @Test("what is written is valid, and read as it was; one point a line")
  func roundTrip() throws {
    let bytes = try JSONReport.render(Self.example)
    #expect(try JSONReport.parseCosts(bytes) == Self.example)
    let validator = try JSONSchemaValidator(schema: JSONSchemaTests.schema("ipitrace-costs-1.schema.json"))
    let whole = try JSONValue.parse(bytes)
    #expect(validator.complaints(about: whole) == [])
    for breakage in Self.breakages {
      var value = whole
      breakage(&value)
      #expect(validator.complaints(about: value).count == 1)
    }
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains("\n        {\"share\": 0.001, \"nanoseconds\": 812.5},\n"))
    #expect(try JSONReport.parseCosts(JSONReport.render(CostTable(items: []))) == CostTable(items: []))
  }

  @Test("numbers that JSON does not have are not written")
  func noNumbers() {
    for number in [Double.nan, .infinity, -.infinity] {
      var costs = Self.example
      costs.items[0].points[0].nanoseconds = number
      #expect(throws: JSONReportError.self) { try JSONReport.render(costs) }
    }
  }

  @Test("of an item, only its name and its points are needed")
  func least() throws {
    let text = """
      {"schema": "ipitrace-costs/1", "note": "mine", "items": [{"name": "add", "points": [{"share": 0, "nanoseconds": 1}]}]}
      """
    #expect(
      try JSONReport.parseCosts(Array(text.utf8))
        == CostTable(items: [
          .init(name: "add", sentence: "", isAssumed: false, count: 0, points: [.init(share: 0, nanoseconds: 1)])
        ]))
  }

  @Test(
    "what is wrong is named, with its item",
    arguments: [
      ("", "not a JSON document: line 1, column 1: expected a value"), ("[]", "the document is not an object"),
      ("{}", "the document lacks the key \"schema\""),
      (#"{"schema": "ipitrace-result/1"}"#, "schema is \"ipitrace-result/1\", expected \"ipitrace-costs/1\""),
      (#"{"schema": "ipitrace-costs/1"}"#, "the document lacks the key \"items\""),
      (#"{"schema": "ipitrace-costs/1", "items": {}}"#, "items is not an array"),
      (#"{"schema": "ipitrace-costs/1", "items": [{}]}"#, "items[0] lacks the key \"name\""),
      (
        #"{"schema": "ipitrace-costs/1", "items": [3, {"name": "add"}]}"#, "items[0] is not an object"
      ),
      (
        #"{"schema": "ipitrace-costs/1", "items": [{"name": "add"}]}"#, #""add": items[0] lacks the key "points""#
      ),
      (
        #"{"schema": "ipitrace-costs/1", "items": [{"name": "add", "points": [{"share": "0", "nanoseconds": 1}]}]}"#,
        #""add": items[0].points[0].share is not a number"#
      ),
      (
        #"{"schema": "ipitrace-costs/1", "items": [{"name": "add", "points": [{"share": 0, "nanoseconds": null}]}]}"#,
        #""add": items[0].points[0].nanoseconds is null, expected a number"#
      ),
      (
        #"{"schema": "ipitrace-costs/1", "items": [{"name": "add", "points": [{"share": 0, "nanoseconds": 1e999}]}]}"#,
        "not a JSON document: line 1, column 97: expected a number that is not that large"
      ),
      (
        #"{"schema": "ipitrace-costs/1", "items": [{"name": "add", "points": [{"share": 0, "nanoseconds": NaN}]}]}"#,
        "not a JSON document: line 1, column 97: expected a value"
      ),
      (
        #"{"schema": "ipitrace-costs/1", "items": [{"name": "\u001b[31m", "points": 1}]}"#,
        #""\u{1b}[31m": items[0].points is not an array"#
      ),
    ])
  func refusals(text: String, message: String) {
    let error = #expect(throws: JSONReportError.self) { try JSONReport.parseCosts(Array(text.utf8)) }
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    #expect(error?.message.utf8.contains(0x1b) == false)
  }

  @Test("random damage ends in costs or in one short sentence")
  func damage() throws {
    var random = RepeatableRandom.forTest()
    let whole = try JSONReport.render(Self.example)
    let pieces = ["1e999", "-", "NaN", "{", "]", "\"", "\\ud800", "null", "99999999999999999999", "\u{0}", "items"]
    var refused = 0
    for _ in 0..<RepeatableRandom.places(600) {
      var bytes = whole
      for _ in 0...random.below(3) {
        let place = random.below(bytes.count)
        switch random.below(5) {
        case 0: bytes[place] = UInt8(random.below(256))
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(40)))
        case 2: bytes.insert(contentsOf: Array(pieces[random.below(pieces.count)].utf8), at: place)
        case 3: bytes.replaceSubrange(place..., with: bytes[..<place])
        default: bytes.removeSubrange((place + 1)...)
        }
        if bytes.isEmpty { bytes = [0x20] }
      }
      do {
        _ = try JSONReport.parseCosts(bytes)
      } catch {
        refused += 1
        #expect(error.message.utf8.count < 600 && !error.message.isEmpty, "seed \(random.seed)")
        #expect(!error.message.utf8.contains { $0 < 0x20 }, "seed \(random.seed): \(error.message)")
      }
    }
    #expect(refused > 300, "seed \(random.seed)")
    let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
    #expect(throws: JSONReportError.self) { try JSONReport.parseCosts(deep) }
  }

  @Test("a report says that costs were given, and what that changes")
  func given() throws {
    var result = ReplayResult.simulated
    let sentence = "These costs were given."
    #expect(!TerminalReport().render(result).contains(sentence))
    #expect(!HTMLReport.render(result).contains(sentence))
    result.simulation?.costs.source = "mine\u{1b}.json"
    result.simulation?.costs.items[0].distribution.summary.count = 0
    let text = TerminalReport(width: 100).render(result)
    #expect(text.contains("Costs  from mine\\u{1b}.json\n  \(sentence) "))
    #expect(text.contains(/\ delivery +0 .* given\n/) && text.contains(/\ handlerEntry .* measured\n/))
    #expect(HTMLReport.render(result).contains("<p>\(sentence) "))
    #expect(HTMLReport.render(result).contains("<span class=\"soft\">given</span>"))
  }

  @Test(
    "the place of a mistake",
    arguments: [
      ("{\"a\": 1\n \"b\": 2}", 2, 2, "',' or '}'"), ("[1, 2", 1, 6, "',' or ']'"), ("[1,]", 1, 4, "a value"),
      ("{\"a\": 1,}", 1, 9, "a key in quotes"), ("{\"a\" 1}", 1, 6, "':'"), ("{} x", 1, 4, "nothing more"),
      ("[01]", 1, 3, "',' or ']'"), ("[-]", 1, 3, "a digit"), ("[1.]", 1, 4, "a digit"), ("\n\n[tru]", 3, 5, "true"),
      ("[\"a\nb\"]", 1, 4, "the text's closing quote"), ("[\"\\x\"]", 1, 4, "an escape that JSON has"),
      ("[\"\\u12g4\"]", 1, 7, "four hex digits"), ("{a: 1}", 1, 2, "a key in quotes"),
      (String(repeating: "[", count: 600), 1, 513, "no deeper nesting"),
    ])
  func mistakes(text: String, line: Int, column: Int, expected: String) {
    #expect(JSONMistake.first(in: Array(text.utf8)) == JSONMistake(line: line, column: column, expected: expected))
  }

  @Test("where the decoder finds JSON there is no mistake, and where there is one it finds none")
  func mistakesAreThoseOfTheDecoder() throws {
    var random = RepeatableRandom.forTest()
    let parts = ["{", "}", "[", "]", ",", ":", "\"a\"", "\"\\n\"", "1", "-0.5e3", "true", "null", " ", "\n", "e", "0"]
    var valid = 0
    for _ in 0..<20_000 {
      let text = (0..<(1 + random.below(7))).map { _ in parts[random.below(parts.count)] }.joined()
      let parsed = try? JSONValue.parse(Array(text.utf8))
      #expect((parsed != nil) == (JSONMistake.first(in: Array(text.utf8)) == nil), "seed \(random.seed): \(text)")
      if parsed != nil { valid += 1 }
    }
    #expect(valid > 100, "seed \(random.seed)")
    #expect(JSONMistake.first(in: try JSONReport.render(Self.example)) == nil)
    #expect(JSONMistake.first(in: try JSONReport.render(ReplayResult.example)) == nil)
  }
}
