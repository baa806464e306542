import TestSupport
import Testing
import TraceTypes

/// Costs that are saved, edited and given back, on recordings whose costs are known.
@Suite("ipitrace replay --costs")
struct CostsCommandTests {
  private static let captures = TestFile.packageRoot + "/fixtures/captures/"
  private static let host = captures + "host-6.18-2cpu.dat"

  private static func replay(_ arguments: [String], input: [UInt8] = []) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([ReportCommandTests.program, "replay"] + arguments, input: input))
  }

  private static func json(_ arguments: [String], input: [UInt8] = []) throws -> JSONValue {
    let run = try replay(arguments, input: input)
    try #require(run.status == 0, "\(run.errorText)")
    return try JSONValue.parse(run.output)
  }

  private static func number(_ value: JSONValue) -> Double? {
    switch value {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }

  private static func elements(_ value: JSONValue) -> [JSONValue] {
    if case .array(let elements) = value { elements } else { [] }
  }

  /// Changes an item of saved costs.
  private static func edit(_ costs: inout JSONValue, _ name: String, _ change: (inout JSONValue) -> Void) throws {
    let index = try #require(elements(costs["items"]).firstIndex { $0["name"] == .string(name) })
    change(&costs["items"][index])
  }

  /// Multiplies all durations of an item.
  private static func scale(_ costs: inout JSONValue, _ name: String, by factor: Double) throws {
    try edit(&costs, name) { item in
      for index in elements(item["points"]).indices {
        item["points"][index]["nanoseconds"] = .number((number(item["points"][index]["nanoseconds"]) ?? 0) * factor)
      }
    }
  }

  private static func item(_ costs: JSONValue, _ name: String) -> JSONValue {
    elements(costs["items"]).first { $0["name"] == .string(name) } ?? .null
  }

  /// The simulated latency of an engine's outcome, on one CPU or in all.
  private static func latency(_ result: JSONValue, engine: Int = 0, cpu: UInt64? = nil) -> Double? {
    let outcome = result["engines"][engine]["outcome"]
    guard let cpu else { return number(outcome["queueToStart"]["summary"]["p50Nanoseconds"]) }
    let one = elements(outcome["byCPU"]).first { $0["cpu"] == .integer(cpu) }
    return one.flatMap { number($0["queueToStart"]["p50Nanoseconds"]) }
  }

  // MARK: A machine of four CPUs

  /// CPU 0 calls CPU 1, a thread of its own core, CPU 2, of its node, and CPU 3, of another one; thirty times each.
  private static func machine() throws -> [UInt8] {
    var lines: [String] = []
    for index in 0..<90 {
      let target = index % 3 + 1
      let time = 1_000_000 + index * 100_000
      let handler = time + 100 + [400, 1_000, 3_000][target - 1]
      lines += [
        "\(time) 0 queue \(target) callback csd\(target)", "\(time + 100) 0 ipi \(target)",
        "\(handler) \(target)h handler", "\(handler + 300) \(target)h run callback csd\(target)",
        "\(handler + 500) \(target)h done callback csd\(target)", "\(handler + 570) \(target)h return",
      ]
    }
    var builder = TraceFileBuilder(events: try TraceScript(lines.joined(separator: "\n")).events)
    builder.kallsyms = ["callback", "generic_exec_single", ScriptNames.crossCall].map {
      (ScriptNames.address(of: $0), $0)
    }.sorted { $0.0 < $1.0 }.map { "\(String($0.0, radix: 16)) T \($0.1)\n" }.joined()
    var facts = CaptureFacts()
    facts.enabledEvents = SyntheticLoad.kinds.map(\.qualifiedName).sorted()
    facts.online = CPUMask(0..<4)
    facts.recorded = facts.online
    facts.nodes = [0: CPUMask(0..<3), 1: CPUMask([3])]
    facts.cores = [0: 0, 1: 0, 2: 2, 3: 3]
    builder.statistics = [facts.text]
    return builder.bytes
  }

  private struct Files {
    let folder = TemporaryDirectory()
    let trace: String

    init() throws {
      trace = folder.path + "/machine.dat"
      try #require(TestFile.write(CostsCommandTests.machine(), to: trace))
    }

    func write(_ value: JSONValue, _ name: String = "costs.json") throws -> String {
      let path = folder.path + "/" + name
      try #require(TestFile.write(value.bytes, to: path))
      return path
    }
  }

  @Test("costs are measured by distance, saved, and simulate what was recorded")
  func distances() throws {
    let files = try Files()
    let costs = try Self.json([files.trace, "--save-costs", "-"])
    let schema = try JSONValue.parse(
      #require(TestFile.read(TestFile.packageRoot + "/Sources/Reports/Schema/ipitrace-costs-1.schema.json")))
    #expect(JSONSchemaValidator(schema: schema).complaints(about: costs) == [])
    for (name, nanoseconds) in [
      ("deliverySameCore", 400), ("deliverySameNode", 1_000), ("deliveryOtherNode", 3_000), ("add", 100),
      ("handlerEntry", 300), ("handlerExit", 70), ("callback", 200),
    ] as [(String, UInt64)] {
      let item = Self.item(costs, name)
      #expect(item["isAssumed"] == .bool(false), "\(name)")
      let points = Self.elements(item["points"])
      #expect(!points.isEmpty && points.allSatisfy { $0["nanoseconds"] == .integer(nanoseconds) }, "\(name)")
    }
    #expect(Self.item(costs, "delivery")["count"] == .integer(90))
    #expect(Self.item(costs, "pollingWake")["isAssumed"] == .bool(true))

    let path = try files.write(costs)
    let result = try Self.json([files.trace, "--engine", "mainline", "--costs", path, "--json", "-"])
    // 100 ns of the queueing, the way, and 300 ns to the callback: as recorded.
    for (cpu, nanoseconds) in [(1, 800), (2, 1_400), (3, 3_400)] as [(UInt64, Double)] {
      #expect(Self.latency(result, cpu: cpu) == nanoseconds, "CPU \(cpu)")
    }
  }

  @Test("an edited item changes what rests on it, and nothing else")
  func edited() throws {
    let files = try Files()
    var costs = try Self.json([files.trace, "--save-costs", "-"])
    try Self.scale(&costs, "deliverySameNode", by: 0.5)
    try Self.scale(&costs, "deliverySameCore", by: 10)
    let result = try Self.json(
      [files.trace, "--engine", "mainline", "--costs", try files.write(costs), "--json", "-"])
    for (cpu, nanoseconds) in [(1, 4_400), (2, 900), (3, 3_400)] as [(UInt64, Double)] {
      #expect(Self.latency(result, cpu: cpu) == nanoseconds, "CPU \(cpu)")
    }
    // A file of one item: the others stay as measured.
    let one = """
      {"schema": "ipitrace-costs/1", "items": [{"name": "handlerEntry", "points": [{"share": 1, "nanoseconds": 2300}]}]}
      """
    let other = try Self.json(
      [files.trace, "--engine", "mainline", "--costs", "-", "--json", "-"], input: Array(one.utf8))
    #expect(Self.latency(other, cpu: 1) == 2_800 && Self.latency(other, cpu: 3) == 5_400)
    #expect(other["simulation"]["costs"]["source"] == .string("standard input"))
  }

  // MARK: A real recording

  @Test("saved costs come back as they were, and the latency falls when the deliveries in them are halved")
  func halved() throws {
    let folder = TemporaryDirectory()
    let path = folder.path + "/costs.json"
    let saved = try Self.replay([Self.host, "--save-costs", path])
    #expect(saved.status == 0 && saved.outputText.contains("Verdict"))
    var costs = try JSONValue.parse(#require(TestFile.read(path)))
    let again = try Self.json([Self.host, "--costs", path, "--save-costs", "-"])
    for index in Self.elements(costs["items"]).indices {
      #expect(again["items"][index]["points"] == costs["items"][index]["points"])
      #expect(again["items"][index]["name"] == costs["items"][index]["name"])
    }
    let asMeasured = try Self.json([Self.host, "--engine", "mainline", "--costs", path, "--json", "-"])
    #expect(asMeasured["simulation"]["costs"]["source"] == .string(path))
    for name in ["delivery", "deliverySameCore", "deliverySameNode", "deliveryOtherNode", "maskDelivery"] {
      try Self.scale(&costs, name, by: 0.5)
    }
    let edited = folder.path + "/edited.json"
    try #require(TestFile.write(costs.bytes, to: edited))
    let halved = try Self.json([Self.host, "--engine", "mainline", "--costs", edited, "--json", "-"])
    let (before, after) = try (#require(Self.latency(asMeasured)), #require(Self.latency(halved)))
    #expect(after < 0.85 * before, "\(before) ns, \(after) ns")
    // Nothing of it is chance.
    #expect(try Self.json([Self.host, "--engine", "mainline", "--costs", edited, "--json", "-"]) == halved)
  }

  @Test("the reports say that costs were given")
  func said() throws {
    let folder = TemporaryDirectory()
    let costs = folder.path + "/costs.json"
    let page = folder.path + "/page.html"
    #expect(try Self.replay([Self.host, "--save-costs", costs]).status == 0)
    let sentence = "These costs were given."
    let run = try Self.replay([Self.host, "--engine", "mainline", "--costs", costs, "--html", page])
    #expect(run.status == 0 && run.outputText.contains(sentence))
    #expect(String(decoding: try #require(TestFile.read(page)), as: UTF8.self).contains(sentence))
    let measured = try Self.replay([Self.host, "--engine", "mainline"])
    #expect(!measured.outputText.contains(sentence) && measured.outputText.contains("measured in the same recording"))
  }

  /// The latencies of the same report rest on the same calls, but are collected elsewhere: every kick whose handler was seen is
  /// either a delivery or one of a mask.
  @Test(
    "measured costs agree with the latencies of the same report",
    arguments: ["host-6.18-2cpu.dat", "guest-6.12-8cpu-storm.dat", "guest-6.12-8cpu-hotplug.dat"])
  func agree(capture: String) throws {
    let result = try Self.json([Self.captures + capture, "--engine", "mainline", "--json", "-"])
    let items = Self.elements(result["simulation"]["costs"]["items"])
    func summary(_ name: String) -> JSONValue {
      items.first { $0["name"] == .string(name) }?["distribution"]["summary"] ?? .null
    }
    func isMeasured(_ name: String) -> Bool {
      items.contains { $0["name"] == .string(name) && $0["isAssumed"] == .bool(false) }
    }
    func count(_ summary: JSONValue) -> Double { Self.number(summary["count"]) ?? -1 }
    let latency = result["latency"]
    let delivery = summary("delivery")
    try #require(isMeasured("delivery") && isMeasured("callback") && isMeasured("handlerEntry"))
    // A mask's, if too few were measured, are those that stand in.
    let masks = isMeasured("maskDelivery") ? count(summary("maskDelivery")) : 0
    let kicks = latency["kickToHandler"]["summary"]
    #expect(count(delivery) + masks <= count(kicks) && count(delivery) + masks > count(kicks) - 20)
    for percentile in ["p50Nanoseconds", "p90Nanoseconds"] {
      let single = try #require(Self.number(delivery[percentile]))
      let mask = isMeasured("maskDelivery") ? try #require(Self.number(summary("maskDelivery")[percentile])) : single
      let whole = try #require(Self.number(kicks[percentile]))
      #expect(
        whole > 0.97 * min(single, mask) && whole < 1.03 * max(single, mask),
        "\(percentile): \(whole) ns, \(single) ns, \(mask) ns")
    }
    let run = latency["startToEnd"]["summary"]
    #expect(count(summary("callback")) == count(run))
    let (cost, seen) = try (
      #require(Self.number(summary("callback")["p50Nanoseconds"])), #require(Self.number(run["p50Nanoseconds"]))
    )
    #expect(abs(cost - seen) < 0.05 * seen, "\(cost) ns, \(seen) ns")
  }

  // MARK: Hostile input

  @Test("costs that make no sense end in one sentence that names file, item and reason, and status 3")
  func refusals() throws {
    let files = try Files()
    let costs = try Self.json([files.trace, "--save-costs", "-"])
    let edits: [(@Sendable (inout JSONValue) -> Void, String)] = [
      ({ $0["points"][3]["share"] = .number(1.25) }, "\"add\": points[3].share is 1.25, expected 0 to 1"),
      (
        { $0["points"][3]["share"] = .number(0.5) },
        "\"add\": points[4].share is 0.02, after 0.5: shares have to ascend"
      ),
      (
        { $0["points"][0]["nanoseconds"] = .negative(-5) },
        "\"add\": points[0].nanoseconds is -5.0, expected 0 to 3600000000000, an hour"
      ),
      (
        { $0["points"][36]["nanoseconds"] = .number(1e300) },
        "\"add\": points[36].nanoseconds is 1e+300, expected 0 to 3600000000000, an hour"
      ),
      ({ $0["points"] = .array([]) }, "\"add\": it has no points"),
      ({ $0["name"] = .string("addition") }, "\"addition\": there is no cost of this name"),
      ({ $0["name"] = .string("\u{1b}[31m\n") }, "\"\\u{1b}[31m\\n\": there is no cost of this name"),
      ({ $0["name"] = .string("callback") }, "\"callback\": it is there twice"),
    ]
    for (change, message) in edits {
      var edited = costs
      try Self.edit(&edited, "add", change)
      let path = try files.write(edited)
      let run = try Self.replay([files.trace, "--engine", "mainline", "--costs", path])
      #expect(run.status == 3 && run.output.isEmpty)
      #expect(
        run.errorText
          == "ipitrace replay: can't read \(path): expected costs written by 'ipitrace replay --save-costs', but "
          + message + "\n")
    }
    for (path, reason) in [
      (files.folder.path + "/none.json", "No such file or directory"), (files.folder.path, "Is a directory"),
      ("/dev/null", "not a JSON document"), ("/dev/zero", "longer than 4 MiB"),
    ] {
      let run = try Self.replay([files.trace, "--engine", "mainline", "--costs", path])
      #expect(run.status == 3 && run.errorText.hasPrefix("ipitrace replay: can't read \(path): "))
      #expect(run.errorText.contains(", but \(reason)") && run.errorText.filter { $0 == "\n" }.count == 1)
    }
  }

  @Test("wrong usage is said, and an output that can't be written")
  func usage() throws {
    let files = try Files()
    let costs = files.folder.path + "/costs.json"
    #expect(try Self.replay([files.trace, "--save-costs", costs]).status == 0)
    #expect(try Self.replay([files.trace, "--costs", costs]).status == 2)
    #expect(try Self.replay([files.trace, "--save-costs", "-", "--json", "-"]).status == 2)
    #expect(try Self.replay([files.trace, "--engine", "mainline", "--costs", "-", "--dmesg", "-"]).status == 2)
    let whole = try #require(TestFile.read(costs))
    let place = files.folder.path + "/no/such/costs.json"
    for path in [place, "/dev/full"] {
      let run = try Self.replay([files.trace, "--save-costs", path])
      #expect(run.status == 1 && run.output.isEmpty)
      #expect(run.errorText.hasPrefix("ipitrace replay: can't write \(path): "))
    }
    // A trace that can't be read leaves older costs as they are.
    #expect(try Self.replay([costs, "--save-costs", costs]).status == 3)
    #expect(TestFile.read(costs) == whole)
  }

  /// Costs at their ends: nothing takes any time, or everything takes an hour.
  @Test("extreme costs end, and lose no call", arguments: [0, 3_600_000_000_000] as [UInt64])
  func extremes(nanoseconds: UInt64) throws {
    let folder = TemporaryDirectory()
    var costs = try Self.json([Self.host, "--save-costs", "-"])
    for index in Self.elements(costs["items"]).indices {
      costs["items"][index]["points"] = .array([
        .object(["share": .integer(0), "nanoseconds": .integer(nanoseconds)])
      ])
    }
    let path = folder.path + "/costs.json"
    try #require(TestFile.write(costs.bytes, to: path))
    let result = try Self.json([
      Self.host, "--engine", "mainline", "--engine", "generic-2008", "--engine", "percpu-2009", "--engine",
      "llist-2014:none",
      "--costs", path, "--json", "-",
    ])
    let engines = Self.elements(result["engines"])
    #expect(engines.count == 4)
    for engine in engines {
      guard case .object(let fates) = engine["outcome"]["fates"] else {
        Issue.record("no fates")
        continue
      }
      #expect(fates.values.reduce(0) { $0 + (Self.number($1) ?? 0) } == Self.number(engine["outcome"]["targets"]))
    }
  }

  @Test("random damage ends in a result or in one sentence")
  func damage() throws {
    var random = RepeatableRandom.forTest()
    let files = try Files()
    let path = files.folder.path + "/costs.json"
    #expect(try Self.replay([files.trace, "--save-costs", path]).status == 0)
    let whole = try #require(TestFile.read(path))
    for _ in 0..<RepeatableRandom.places(120) {
      var bytes = whole
      for _ in 0...random.below(4) {
        let place = random.below(bytes.count)
        switch random.below(4) {
        // Digits first: those make costs that are still taken.
        case 0...1: bytes[place] = UInt8(random.below(10)) + UInt8(ascii: "0")
        case 2: bytes[place] = UInt8(random.below(256))
        default: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(20)))
        }
      }
      try #require(TestFile.write(bytes, to: path))
      let run = try Self.replay([files.trace, "--engine", "mainline", "--costs", path])
      #expect(run.status == 0 || run.status == 3, "seed \(random.seed): \(run.errorText)")
      #expect(run.status == 0 ? run.errors.isEmpty : run.errorText.filter { $0 == "\n" }.count == 1)
    }
  }
}
