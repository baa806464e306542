import Reports
import TestSupport
import Testing
import Verdicts

@Suite("JSON Schema")
struct JSONSchemaTests {
  static let folder = TestFile.packageRoot + "/Sources/Reports/Schema/"

  static func schema(_ name: String) throws -> JSONValue {
    try JSONValue.parse(#require(TestFile.read(folder + name)))
  }

  /// Ways to break a valid result; every one of them must be refused.
  static let breakages: [@Sendable (inout JSONValue) -> Void] = [
    { $0.remove("kicks") },
    { $0["extra"] = .null },
    { $0["schema"] = .string("ipitrace-result/2") },
    { $0["trace"].remove("kernel") },
    { $0["trace"]["kernel"] = .integer(6) },
    { $0["trace"]["cpus"]["online"] = .string("0-7") },
    { $0["trace"]["cpus"]["online"] = .array([.integer(65_536)]) },
    { $0["trace"]["events"]["byType"]["csd:csd_queue_cpu"] = .null },
    { $0["verdict"]["result"] = .string("fine") },
    { $0["verdict"]["judged"] = .null },
    { $0["verdict"]["accounting"]["pending"] = .negative(-1) },
    { $0["verdict"]["divergences"][0]["events"][0]["cpu"] = .null },
    { $0["verdict"]["divergences"][0]["callback"] = .integer(0) },
    { $0["health"][0]["severity"] = .string("bad") },
    { $0["latency"]["queueToKick"]["summary"]["p50Nanoseconds"] = .number(0.5) },
    { $0["latency"]["queueToKick"]["histogram"][0].remove("count") },
    { $0["matrix"]["cells"][0]["source"] = .negative(-1) },
    { $0["timeline"]["flows"][0]["kick"] = .string("email") },
    { $0["timeline"]["truncated"] = .integer(0) },
    { $0["engines"][0].remove("variant") },
    { $0["blocking"].remove("kernelReports") },
    { $0["blocking"]["latestCalls"][0]["evidence"].remove("pid") },
    { $0["blocking"]["latestCalls"][2]["cause"] = .string("bad luck") },
    { $0["blocking"]["waitChains"]["chains"][0]["links"][0]["interruptsOff"] = .null },
    { $0["blocking"]["lockWaits"]["longest"][0]["heldOn"] = .null },
    { $0["blocking"]["stuckCalls"]["oldest"][0].remove("targetState") },
    { $0["calls"]["byKind"]["irqWork"] = .integer(1) },
  ]

  /// Results that have to be valid. The absurd ones hold CPUs that no kernel has.
  static let valid: [ReplayResult] = [.example, .nothing, .large, .simulated, .scaled]

  @Test("results are valid", arguments: valid.indices)
  func resultsAreValid(index: Int) throws {
    let validator = try JSONSchemaValidator(schema: Self.schema("ipitrace-result-1.schema.json"))
    let value = try JSONValue.parse(JSONReport.render(Self.valid[index]))
    #expect(validator.complaints(about: value) == [])
  }

  /// The same for a result with a simulation.
  static let simulationBreakages: [@Sendable (inout JSONValue) -> Void] = [
    { $0.remove("simulation") },
    { $0["engines"][0].remove("outcome") },
    { $0["engines"][0].remove("differences") },
    { $0["engines"][0]["outcome"]["fates"].remove("lost") },
    { $0["engines"][0]["outcome"]["interrupts"]["single"] = .negative(-1) },
    { $0["engines"][2]["outcome"]["allocations"]["failed"] = .null },
    { $0["engines"][4]["outcome"]["deadlocks"][0]["cycle"][0]["waitsForCPU"] = .string("3") },
    { $0["engines"][1]["differences"][0]["measure"] = .string("IPIs") },
    { $0["engines"][1]["differences"][0]["isSignificant"] = .null },
    { $0["simulation"]["load"]["speedup"] = .null },
    { $0["simulation"]["reality"] = .null },
    { $0["simulation"]["calibration"]["items"][0].remove("reasons") },
    { $0["simulation"]["calibration"]["items"][0]["isWithinGoal"] = .integer(1) },
    { $0["simulation"]["costs"]["items"][0]["isAssumed"] = .string("no") },
    { $0["simulation"]["timeline"]["tracks"][0]["marks"][0]["kind"] = .string("email") },
    { $0["simulation"]["timeline"]["tracks"][0]["slices"][0].remove("endNanoseconds") },
    { $0["simulation"]["timeline"]["more"] = .null },
  ]

  @Test("broken simulations are not", arguments: simulationBreakages.indices)
  func brokenSimulationsAreNot(index: Int) throws {
    let validator = try JSONSchemaValidator(schema: Self.schema("ipitrace-result-1.schema.json"))
    let whole = try JSONValue.parse(JSONReport.render(.simulated))
    var value = whole
    Self.simulationBreakages[index](&value)
    try #require(value != whole, "the breakage did nothing")
    #expect(validator.complaints(about: value).count == 1)
  }

  @Test("broken results are not", arguments: breakages.indices)
  func brokenResultsAreNot(index: Int) throws {
    let validator = try JSONSchemaValidator(schema: Self.schema("ipitrace-result-1.schema.json"))
    let whole = try JSONValue.parse(JSONReport.render(.example))
    var value = whole
    Self.breakages[index](&value)
    try #require(value != whole, "the breakage did nothing")
    #expect(validator.complaints(about: value).count == 1)
  }

  static let call = """
    {"kind": "many", "source": 3, "pid": 812, "comm": "postgres", "callback": "flush_tlb_func",
     "callsite": "on_each_cpu_cond_mask+0x24", "waits": null, "mayBeSeveral": true, "targets": [
       {"cpu": 1, "queuedNanoseconds": 10, "type": "async", "typeEvidence": ["callerMovedOn", "order"],
        "kick": "maskIPI", "startedNanoseconds": 20, "endedNanoseconds": 25,
        "outcome": "ran", "reason": null},
       {"cpu": 2, "queuedNanoseconds": 18446744073709551615, "type": null, "typeEvidence": [], "kick": "coalesced",
        "startedNanoseconds": null,
        "endedNanoseconds": null, "outcome": "undecided", "reason": "eventsLost"}]}
    """

  static let brokenCalls: [@Sendable (inout JSONValue) -> Void] = [
    { $0.remove("waits") }, { $0["waits"] = .string("true") }, { $0["kind"] = .string("irqWork") },
    { $0["targets"][0].remove("reason") }, { $0["targets"][0]["kick"] = .null },
    { $0["targets"][1]["outcome"] = .string("lost") }, { $0["more"] = .bool(true) },
    { $0["targets"] = .null }, { $0["targets"][0]["type"] = .string("SYNC") }, { $0.remove("mayBeSeveral") },
    { $0["targets"][0]["typeEvidence"][0] = .string("guess") },
  ]

  @Test("a line of --calls is valid, and broken ones are not")
  func calls() throws {
    let validator = try JSONSchemaValidator(schema: Self.schema("ipitrace-calls-1.schema.json"))
    let whole = try JSONValue.parse(Array(Self.call.utf8))
    #expect(validator.complaints(about: whole) == [])
    for breakage in Self.brokenCalls {
      var value = whole
      breakage(&value)
      #expect(validator.complaints(about: value).count == 1)
    }
  }

  /// Every object of a schema names all of its keys as required and lets no other in, and every value is described.
  @Test(
    "the schemas are strict",
    arguments: [
      "ipitrace-result-1.schema.json", "ipitrace-calls-1.schema.json", "ipitrace-check-1.schema.json",
      "ipitrace-engines-1.schema.json", "ipitrace-diff-1.schema.json", "ipitrace-costs-1.schema.json",
    ])
  func strict(name: String) throws {
    func walk(_ schema: JSONValue, at place: String) {
      guard case .object(let keywords) = schema else { return }
      if case .object(let properties) = keywords["properties"] {
        #expect(keywords["additionalProperties"] == .bool(false), "\(place)")
        guard case .array(let required) = keywords["required"] else {
          Issue.record("\(place): nothing is required")
          return
        }
        #expect(Set(required.map(\.bytes)) == Set(properties.keys.map { JSONValue.string($0).bytes }), "\(place)")
        for (key, property) in properties {
          let target: JSONValue
          if case .string(let reference) = property["$ref"] {
            target = root["$defs"][String(reference.dropFirst("#/$defs/".count))]
          } else {
            target = property
          }
          #expect(
            property["description"] != .null || target["description"] != .null, "\(place).\(key) is not described")
          walk(property, at: "\(place).\(key)")
        }
      }
      if let items = keywords["items"] { walk(items, at: place + "[]") }
    }
    let root = try Self.schema(name)
    walk(root, at: "$")
    if case .object(let definitions) = root["$defs"] {
      for (key, definition) in definitions { walk(definition, at: key) }
    }
  }

  static let hasOracle = SpawnedCommand.run(["python3", "-c", "import jsonschema"])?.status == 0

  /// Python's jsonschema package as an independent judge: of the schemas themselves, of whole and of broken values.
  @Test("Python's jsonschema agrees", .enabled(if: hasOracle))
  func oracle() throws {
    let program = """
      import json, sys
      from jsonschema import Draft202012Validator
      schema = json.load(open(sys.argv[1]))
      Draft202012Validator.check_schema(schema)
      validator = Draft202012Validator(schema)
      print("".join("1" if validator.is_valid(json.loads(line)) else "0" for line in sys.stdin))
      """
    func judge(_ schema: String, _ values: [JSONValue]) throws -> String {
      let input = values.flatMap { $0.bytes + [UInt8(ascii: "\n")] }
      let run = try #require(SpawnedCommand.run(["python3", "-c", program, Self.folder + schema], input: input))
      #expect(run.status == 0, "\(run.errorText)")
      return run.outputText.filter { $0 != "\n" }
    }
    let whole = try Self.valid.map { try JSONValue.parse(JSONReport.render($0)) }
    let breakages = Self.breakages.map { (0, $0) } + Self.simulationBreakages.map { (3, $0) }
    let broken = breakages.map { index, breakage in
      var value = whole[index]
      breakage(&value)
      return value
    }
    #expect(
      try judge("ipitrace-result-1.schema.json", whole + broken)
        == String(repeating: "1", count: whole.count) + String(repeating: "0", count: broken.count))
    let call = try JSONValue.parse(Array(Self.call.utf8))
    let brokenCalls = Self.brokenCalls.map { breakage in
      var value = call
      breakage(&value)
      return value
    }
    let check = try JSONValue.parse(JSONReport.render(CheckReportTests.results[0]))
    let brokenChecks = CheckReportTests.breakages.map { breakage in
      var value = check
      breakage(&value)
      return value
    }
    #expect(
      try judge("ipitrace-check-1.schema.json", [check] + brokenChecks)
        == "1" + String(repeating: "0", count: brokenChecks.count))
    let comparison = try JSONValue.parse(JSONReport.render(ExampleComparison.mixed))
    let brokenComparisons = ComparisonReportTests.breakages.map { breakage in
      var value = comparison
      breakage(&value)
      return value
    }
    #expect(
      try judge("ipitrace-diff-1.schema.json", [comparison] + brokenComparisons)
        == "1" + String(repeating: "0", count: brokenComparisons.count))
    let costs = try JSONValue.parse(JSONReport.render(CostsReportTests.example))
    let brokenCosts = CostsReportTests.breakages.map { breakage in
      var value = costs
      breakage(&value)
      return value
    }
    #expect(
      try judge("ipitrace-costs-1.schema.json", [costs] + brokenCosts)
        == "1" + String(repeating: "0", count: brokenCosts.count))
    #expect(
      try judge("ipitrace-calls-1.schema.json", [call] + brokenCalls)
        == "1" + String(repeating: "0", count: brokenCalls.count))
  }
}
