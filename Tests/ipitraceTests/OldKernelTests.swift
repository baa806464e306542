import TestSupport
import Testing

/// `ipitrace replay` on recordings that lack what most answers need.
@Suite("ipitrace replay of an old kernel") struct OldKernelTests {
  static let path = Fixtures.path("captures/guest-6.1-no-csd.dat")

  func replay(_ arguments: String...) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([ReportCommandTests.program, "replay"] + arguments))
  }

  @Test("says what is missing, what that leaves open, and what is left")
  func text() throws {
    let run = try replay(Self.path)
    #expect(run.status == 0 && run.errors.isEmpty)
    let text = run.outputText
    #expect(text.hasPrefix("? undecided against mainline  the trace can't have queued calls\n"))
    for counter in ["missingEvents × 5", "callsNotRecorded × 1", "callbacksNotRecorded × 2", "sendsNotRecorded × 2"] {
      #expect(text.contains(counter), "\(counter)")
    }
    #expect(text.contains("Interference  what interrupted each CPU\n"))
    for cpu in 0..<4 { #expect(text.contains("  CPU \(cpu): ")) }
    #expect(text.contains("callbacks not recorded") && !text.contains("0 callbacks"))
    #expect(try replay(Self.path, "--fail-on", "undecided").status == 1)
  }

  @Test("writes null for what is not known, as the schema has it, and a page")
  func json() throws {
    let value = try JSONValue.parse(try replay(Self.path, "--json", "-").output)
    let schema = try JSONValue.parse(
      #require(TestFile.read(TestFile.packageRoot + "/Sources/Reports/Schema/ipitrace-result-1.schema.json")))
    #expect(JSONSchemaValidator(schema: schema).complaints(about: value) == [])
    for cpu in 0..<4 {
      #expect(value["interference"][cpu]["selectedAs"] == .string("all"))
      #expect(value["interference"][cpu]["callbacks"] == .null)
      #expect(value["interference"][cpu]["handlers"] != .null)
    }
    let page = try replay(Self.path, "--html", "-").outputText
    #expect(page.contains("What interrupted each CPU"))
    #expect(!page.contains("No callback ran here."))
  }

  @Test("a CPU that is named is told of alone")
  func named() throws {
    let text = try replay(Self.path, "--cpus", "2").outputText
    #expect(text.contains("CPU 2, named by you: ") && !text.contains("  CPU 1: "))
  }
}
