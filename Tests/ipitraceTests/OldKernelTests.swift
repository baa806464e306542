import TestSupport
import Testing
import TraceTypes

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

  @Test("an arm kernel's handlers count only where the file has the texts of their reasons", arguments: [false, true])
  func reasons(_ hasTexts: Bool) throws {
    let pages = try #require(
      TraceFileBuilder(events: [
        TraceEvent(nanoseconds: 1_000, cpu: 0, kind: .ipiEntry, flags: .hardInterrupt),
        TraceEvent(nanoseconds: 2_000, cpu: 0, kind: .ipiExit, flags: .hardInterrupt),
      ]).buffers.first)
    var builder = TraceFileBuilder(buffers: [pages])
    builder.formats.removeAll { $0.system == "irq_vectors" }
    if hasTexts { builder.printkFormats = "0xffff800081000000 : \"Function call interrupts\"\n" }
    let scratch = ScratchFile(builder.bytes)
    let value = try JSONValue.parse(try replay(scratch.path, "--cpus", "0", "--json", "-").output)
    #expect(value["interference"][0]["handlers"] == (hasTexts ? .integer(0) : .null))
    #expect(try replay(scratch.path).outputText.contains("handlersNotRecorded") != hasTexts)
  }

  @Test("a CPU that is named is told of alone")
  func named() throws {
    let text = try replay(Self.path, "--cpus", "2").outputText
    #expect(text.contains("CPU 2, named by you: ") && !text.contains("  CPU 1: "))
  }
}
