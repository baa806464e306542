import Reports
import TestSupport
import Testing
import Verdicts

@Suite("JSON report")
struct JSONReportTests {
  static let named: [(name: String, result: ReplayResult)] = [
    ("example", .example), ("nothing", .nothing), ("large", .large), ("absurd", .absurd),
  ]

  @Test("what is written is read again", arguments: named.indices)
  func roundTrip(index: Int) throws {
    let result = Self.named[index].result
    #expect(try JSONReport.parse(JSONReport.render(result)) == result)
  }

  @Test("equal results give equal bytes, and parsing does not change them")
  func deterministic() throws {
    let bytes = try JSONReport.render(.example)
    #expect(try JSONReport.render(JSONReport.parse(bytes)) == bytes)
    #expect(bytes.last == UInt8(ascii: "\n"))
  }

  @Test("golden")
  func golden() throws {
    #expect(try Golden.complaint(JSONReport.render(.example), name: "example.json") == nil)
    #expect(try Golden.complaint(JSONReport.render(.nothing), name: "nothing.json") == nil)
  }

  @Test("unknown is null and never absent")
  func unknownIsNull() throws {
    let value = try JSONValue.parse(JSONReport.render(.nothing))
    guard case .object(let trace) = value["trace"], case .object(let cpus) = value["trace"]["cpus"] else {
      Issue.record("no trace")
      return
    }
    for key in ["kernel", "clock", "startNanoseconds", "endNanoseconds"] { #expect(trace[key] == .some(.null)) }
    for key in ["possible", "online", "isolated", "nohzFull"] { #expect(cpus[key] == .some(.null)) }
  }

  @Test(
    "what is no result is refused, with the place",
    arguments: [
      ("", "not a JSON document"), ("{", "not a JSON document"), ("[]", "the document is not an object"),
      ("{}", "the document lacks the key \"schema\""), ("null", "an object"),
      ("{\"schema\": 1}", "schema is not a string"),
      ("{\"schema\": \"ipitrace-result/2\"}", "schema is \"ipitrace-result/2\", expected \"ipitrace-result/1\""),
      ("{\"schema\": \"ipitrace-result/1\"}", "the document lacks the key \"trace\""),
      ("{\"schema\": \"\\u001b[31m\"}", "schema is \"\\u{1b}[31m\""),
      (String(repeating: "[", count: 100_000), "not a JSON document"),
    ])
  func refusals(text: String, expected: String) {
    #expect {
      try JSONReport.parse(Array(text.utf8))
    } throws: { error in
      "\(error)".contains(expected)
    }
  }

  @Test("bytes that are no UTF-8 are refused")
  func notUTF8() {
    #expect(throws: JSONReportError.self) { try JSONReport.parse([0x22, 0xff, 0xfe, 0x22]) }
  }

  @Test("a broken value is refused, with its place in the document")
  func place() throws {
    var value = try JSONValue.parse(JSONReport.render(.example))
    value["verdict"]["divergences"][1]["rule"] = .integer(1)
    #expect {
      try JSONReport.parse(value.bytes)
    } throws: { error in
      "\(error)" == "verdict.divergences[1].rule is not a string"
    }
    value = try JSONValue.parse(JSONReport.render(.example))
    value["trace"].remove("kernel")
    #expect {
      try JSONReport.parse(value.bytes)
    } throws: { error in
      "\(error)" == "trace lacks the key \"kernel\""
    }
    value = try JSONValue.parse(JSONReport.render(.example))
    value["calls"]["total"] = .negative(-1)
    #expect(throws: JSONReportError.self) { try JSONReport.parse(value.bytes) }
  }

  @Test("a document cut anywhere is refused")
  func truncated() throws {
    let bytes = try JSONReport.render(.nothing)
    for length in stride(from: 0, to: bytes.count - 2, by: 7) {
      #expect(throws: JSONReportError.self) { try JSONReport.parse(Array(bytes[..<length])) }
    }
  }
}
