import Glibc
import TestSupport
import Testing

@Suite("ipitrace check, engines and explain")
struct CheckCommandTests {
  private func ipitrace(_ arguments: [String], input: [UInt8] = []) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([ReportCommandTests.program] + arguments, input: input))
  }

  private func check(_ arguments: String..., input: String = "") throws -> SpawnedCommand {
    try ipitrace(["check"] + arguments, input: Array(input.utf8))
  }

  static let deadlock = """
    scenario wait-deadlock
    claim Two CPUs that call each other with interrupts off wait for ever.
    cpu 0: irqs-off; single 1 f wait
    cpu 1: irqs-off; single 0 g wait
    engine llist-2014 violates noDeadlock,noLostCallback

    """

  // MARK: What comes out

  @Test("0 if everything came out as claimed, 1 if not")
  func statuses() throws {
    let claimed = try check("-", input: Self.deadlock)
    #expect(claimed.status == 0)
    #expect(claimed.outputText.contains("They wait for each other: CPU 0 → CPU 1 → CPU 0."))
    #expect(claimed.outputText.hasSuffix("16 properties in 1 exploration: all as claimed.\n"))
    #expect(claimed.errors.isEmpty)
    let surprising = try check("-", input: Self.deadlock.replacing("noDeadlock,", with: ""))
    #expect(surprising.status == 1)
    #expect(surprising.outputText.contains("llist-2014, noDeadlock: violated, every engine promises it."))
    #expect(surprising.errors.isEmpty)
    let missing = try check("-", input: Self.deadlock.replacing("violates", with: "violates neverWaits,"))
    #expect(missing.status == 1)
    #expect(missing.outputText.contains("llist-2014, neverWaits: holds, claimed to be violated."))
  }

  @Test("a scenario by its name, by its file, and from standard input")
  func subjects() throws {
    let folder = TemporaryDirectory()
    let path = folder.path + "/a.scenario"
    try #require(TestFile.write(Array(Self.deadlock.utf8), to: path))
    func withoutTimes(_ run: SpawnedCommand) -> String {
      run.outputText.replacing(/\s+[0-9.]+ (ns|µs|ms|s)\n/, with: "\n")
    }
    let file = try check(path)
    #expect(file.status == 0)
    #expect(withoutTimes(file) == withoutTimes(try check("-", input: Self.deadlock)))
    let named = try check("late-ipi", "--engine", "llist-2014:none,mail")
    #expect(named.outputText.hasPrefix("late-ipi\n"))
    #expect(!named.outputText.contains("llist-2014:dying"))
  }

  @Test("an engine, with programs from options")
  func engine() throws {
    let run = try check(
      "llist-2014", "--variant", "none", "--cpu", "0: irqs-off; single 1 f wait", "--cpu",
      "1: irqs-off; single 0 g wait", "--property", "noDeadlock,noInterrupt", "--property", "noneRunTwice")
    #expect(run.status == 1)
    #expect(run.outputText.contains(/✗  llist-2014:none  noDeadlock +violated/))
    #expect(run.outputText.contains(/✓  llist-2014:none  noneRunTwice +holds/))
    #expect(run.outputText.hasSuffix("3 properties in 1 exploration: 2 not as claimed.\n"))
    let quiet = try check("llist-2014")
    #expect(quiet.status == 0)
    #expect(quiet.outputText.contains("16 properties in 1 exploration: all as claimed."))
    #expect(try check("llist-2014:none", "--cpus", "1").status == 0)
    let wide = try check(
      "llist-2014", "--cpu", "4: each 0,2 f wait", "--node", "1: 2-4", "--offline", "1,3", "--allocation", "either",
      "--function", "f: lock A; unlock A", "--no-reduction", "--verbose")
    #expect(wide.status == 0)
  }

  @Test("all scenarios of an engine, as JSON that the schema describes, and as a page")
  func outputs() throws {
    let folder = TemporaryDirectory()
    let run = try check(
      "late-ipi", "--json", folder.path + "/check.json", "--html", folder.path + "/check.html")
    #expect([0, 1].contains(run.status))
    let schema = try JSONValue.parse(
      #require(TestFile.read(TestFile.packageRoot + "/Sources/Reports/Schema/ipitrace-check-1.schema.json")))
    let value = try JSONValue.parse(#require(TestFile.read(folder.path + "/check.json")))
    #expect(JSONSchemaValidator(schema: schema).complaints(about: value) == [])
    #expect(value[0]["scenario"] == .string("late-ipi"))
    #expect(value[0]["engine"] == .string("llist-2014"))
    let page = String(decoding: try #require(TestFile.read(folder.path + "/check.html")), as: UTF8.self)
    #expect(page.hasPrefix("<!DOCTYPE html>") && page.hasSuffix("</html>\n"))
    let json = try check("-", "--json", "-", input: Self.deadlock)
    #expect(json.status == 0)
    #expect(JSONSchemaValidator(schema: schema).complaints(about: try JSONValue.parse(json.output)) == [])
    let full = try check("-", "--json", "/dev/full", input: Self.deadlock)
    #expect(full.status == 1)
    #expect(full.errorText == "ipitrace check: can't write /dev/full: No space left on device\n")
  }

  @Test("--list names the scenarios, and each of them can be named")
  func list() throws {
    let run = try check("--list")
    #expect(run.status == 0)
    let names = run.outputText.split(separator: "\n").filter { !$0.hasPrefix(" ") }
    #expect(names.contains("late-ipi"))
    #expect(Set(names).count == names.count)
    let few = try check("--list", "--engine", "llist-2014:dying,mail")
    #expect(few.status == 0)
    #expect(few.outputText.contains("llist-2014:dying,mail"))
    #expect(!few.outputText.contains("llist-2014:none"))
  }

  @Test("a memory limit that is too small ends with what is known, and 1")
  func memory() throws {
    let text = "scenario s\ncpus 4\ncpu 0: many 1-3 f wait\ncpu 1: many 0-3 g wait\nengine llist-2014\n"
    let run = try check("-", "--memory", "1M", input: text)
    #expect(run.status == 1)
    #expect(run.outputText.contains("? llist-2014: Not exhausted after "))
    #expect(run.outputText.contains("states: the memory limit was reached."))
    #expect(run.outputText.hasSuffix("16 properties in 1 exploration: 16 not decided.\n"))
  }

  // MARK: What is refused

  static let usageErrors: [(arguments: [String], sentence: String)] = [
    ([], "Say what to explore: a scenario, a file, an engine, or --all."),
    (["late-ipi", "--all"], "--all takes no subject."),
    (["late-ipi", "--list"], "--list takes no subject."),
    (["no-such-thing"], "‘no-such-thing’ is no scenario (see --list), no engine"),
    (["no\u{1b}[31m-such"], "‘no\\u{1b}[31m-such’ is no scenario"),
    (["llist-2014:bogus"], "No engine or variant ‘llist-2014:bogus’. The engines are "),
    (["llist-2014:none", "--variant", "mail"], "Give the variant once: ‘llist-2014:none’ has one."),
    (["llist-2014", "--variant", "bogus"], "No engine or variant ‘llist-2014:bogus’."),
    (["late-ipi", "--engine", "bogus"], "No engine or variant ‘bogus’."),
    (["storm", "--engine", "llist-2014:none,mail"], "None of these scenarios has the engine ‘llist-2014:none,mail’."),
    (["late-ipi", "--cpu", "0: irqs-off"], "--cpu is for an engine, not for a scenario."),
    (["--all", "--cpus", "3"], "--cpus is for an engine, not for --all."),
    (["./x.scenario", "--variant", "none"], "--variant is for an engine, not for a file."),
    (["late-ipi", "--property", "bogus"], "No property ‘bogus’. They are noDeadlock, "),
    (["late-ipi", "--memory", "lots"], "‘lots’ is no size: 512M, 4G"),
    (["late-ipi", "--memory", "0"], "‘0’ is no size: 512M, 4G"),
    (["late-ipi", "--memory", "-1G"], ""),
    (["late-ipi", "--memory", "99999999999T"], "‘99999999999T’ is no size: 512M, 4G"),
    (["late-ipi", "--memory", "1000000T"], "--memory 1024000000G: there are only "),
    (["late-ipi", "--json", "-", "--html", "-"], "Only one output can go to standard output."),
    (["llist-2014", "--cpu", "0: bogus"], "--cpu ‘0: bogus’: unknown operation \"bogus\"."),
    (["llist-2014", "--cpu", "bogus"], "--cpu ‘bogus’: expected \":\" in \"bogus\"."),
    (["llist-2014", "--cpu", "99: irqs-off"], "--cpus ‘33’: expected 1 to 32 CPUs, found \"33\"."),
    (["llist-2014", "--cpus", "0"], "--cpus ‘0’: expected 1 to 32 CPUs, found \"0\"."),
    (["llist-2014", "--cpus", "99999999999999999999"], "--cpus ‘99999999999999999999’: expected 1 to 32 CPUs"),
    (["llist-2014", "--cpus", "-9223372036854775808"], ""),
    (["llist-2014", "--allocation", "maybe"], "--allocation ‘maybe’: expected fails, succeeds or either"),
    (["llist-2014", "--offline", "7"], "--offline ‘7’: expected a CPU below 2, found \"7\"."),
    (["llist-2014", "--node", "x: 1"], "--node ‘x: 1’: expected a node, found \"x\"."),
    (["llist-2014", "--function", "f"], "--function ‘f’: expected \":\" in \"f\"."),
    (["llist-2014", "--cpu", "0: irqs-off\nengine x"], "--cpu: a line break in the value."),
    (["llist-2014", "--cpu", "0: queue 1 q f"], "llist-2014 has no call \"queue\""),
  ]

  @Test("wrong usage is 2, and says what is wrong", arguments: usageErrors.indices)
  func usage(index: Int) throws {
    let (arguments, sentence) = Self.usageErrors[index]
    let run = try ipitrace(["check"] + arguments)
    #expect(run.status == 2)
    #expect(run.output.isEmpty)
    #expect(run.errorText.hasPrefix("Error: "))
    #expect(run.errorText.contains(sentence), "\(run.errorText)")
    #expect(!run.errors.contains(0x1b))
  }

  static let hostileFiles: [(bytes: [UInt8], sentence: String)] = [
    ([], ": no scenario in it"),
    (Array("scenario x".utf8), ": scenario \"x\" names no engine"),
    ([0x7f, 0x45, 0x4c, 0x46, 0, 0xff, 0xfe], ":1: not UTF-8 text"),
    (Array("scenario x\n\nclaim \u{1b}[31m\n".utf8) + [0xc3], ":4: not UTF-8 text"),
    ([UInt8](repeating: 0, count: 1_000), ":1: expected \"scenario NAME\" first, found \"\\u{0}"),
    (Array("\u{1b}]0;x\u{7}\n".utf8), ":1: expected \"scenario NAME\" first, found \"\\u{1b}]0;x\\u{7}\""),
    (Array("scenario x\ncpus 18446744073709551616\n".utf8), ":2: expected 1 to 32 CPUs"),
    (Array("scenario x\nnode -1: 0\n".utf8), ":2: expected a node, found \"-1\""),
    (Array("scenario x\ncpu 0: xcall 1 f 0xfffffffffffffffff\n".utf8), ":2: expected flags"),
    (Array(("scenario x\nclaim " + String(repeating: "a", count: 2 << 20)).utf8), ": longer than 1 MiB"),
    (
      Array(("scenario x\n" + String(repeating: "x", count: 900_000)).utf8),
      ":2: unknown statement \"" + String(repeating: "x", count: 100)
    ),
    (
      Array(("scenario x\ncpu 0: " + String(repeating: "(", count: 500_000)).utf8),
      ":2: unknown operation \"((((((((("
    ),
    (
      Array(("scenario x\ncpu 0: " + String(repeating: "lock A;", count: 100_000)).utf8),
      ":2: more than 250 operations"
    ),
    (
      Array("scenario x\n".utf8) + (0..<60_000).flatMap { Array("function \($0):\n".utf8) },
      ":202: more than 200 functions"
    ),
  ]

  @Test("a hostile file is 3, with one line that says where", arguments: hostileFiles.indices)
  func hostile(index: Int) throws {
    let (bytes, sentence) = Self.hostileFiles[index]
    let folder = TemporaryDirectory()
    let path = folder.path + "/hostile.scenario"
    try #require(TestFile.write(bytes, to: path))
    let file = try ipitrace(["check", path])
    let input = try ipitrace(["check", "-"], input: bytes)
    for (run, name) in [(file, path), (input, "standard input")] {
      #expect(run.status == 3)
      #expect(run.output.isEmpty)
      #expect(run.errorText.contains(name) && run.errorText.contains(sentence), "\(run.errorText.prefix(300))")
      #expect(run.errors.filter { $0 == UInt8(ascii: "\n") }.count == 1)
      #expect(!run.errors.contains { $0 < 0x20 && $0 != UInt8(ascii: "\n") })
      #expect(run.errors.count < 1_000)
    }
  }

  @Test("a file that can't be read is 3")
  func unreadable() throws {
    let folder = TemporaryDirectory()
    let missing = try check(folder.path + "/missing.scenario")
    #expect(missing.status == 3)
    let sentence = "ipitrace check: can't read \(folder.path)/missing.scenario: No such file or directory\n"
    #expect(missing.errorText == sentence)
    #expect(try check(folder.path).errorText == "ipitrace check: can't read \(folder.path): Is a directory\n")
  }

  @Test("random bytes never do more than be refused")
  func random() throws {
    var random = RepeatableRandom.forTest()
    for _ in 0..<20 {
      let bytes = (0..<random.below(3_000)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let run = try ipitrace(["check", "-"], input: bytes)
      #expect(run.status == 3, "seed \(random.seed)")
      #expect(run.errors.filter { $0 == UInt8(ascii: "\n") }.count == 1, "seed \(random.seed)")
    }
  }

  @Test("names from a file can't reach the terminal or the page as they are")
  func hostileNames() throws {
    let text = """
      scenario \u{1b}[31m<script>alert(1)</script>
      claim \u{9b}31m</style><img src=x>
      cpu 0: single 1 <b>\u{1b}c wait
      engine llist-2014 violates noInterrupt

      """
    let run = try check("-", input: text)
    #expect(run.status == 0)
    #expect(!run.output.contains(0x1b))
    #expect(run.outputText.contains("\\u{1b}[31m<script>"))
    let page = try check("-", "--html", "-", input: text).outputText
    #expect(!page.contains("<script") && !page.contains("<img") && !page.contains("\u{1b}") && !page.contains("\u{9b}"))
    let listing = try check("-", "--json", "-", input: text)
    #expect(!listing.output.contains(0x1b))
  }

  // MARK: engines and explain

  @Test("engines lists what check takes")
  func engines() throws {
    let text = try ipitrace(["engines"])
    #expect(text.status == 0)
    #expect(text.outputText.contains("llist-2014\n"))
    let json = try ipitrace(["engines", "--json", "-"])
    #expect(json.status == 0)
    let schema = try JSONValue.parse(
      #require(TestFile.read(TestFile.packageRoot + "/Sources/Reports/Schema/ipitrace-engines-1.schema.json")))
    let value = try JSONValue.parse(json.output)
    #expect(JSONSchemaValidator(schema: schema).complaints(about: value) == [])
    guard case .array(let engines) = value else {
      Issue.record("no array")
      return
    }
    for engine in engines {
      guard case .string(let name) = engine["name"] else { continue }
      #expect(try ipitrace(["check", name, "--cpus", "1", "--cpu", "0: irqs-off"]).status == 0)
    }
    #expect(try ipitrace(["engines", "--json", "/dev/full"]).status == 1)
  }

  @Test("explain has every name of its list, and refuses others with the list")
  func explain() throws {
    let rule = try ipitrace(["explain", "kickMissing"])
    #expect(rule.status == 0)
    #expect(rule.outputText.contains("6.12 kernel/smp.c __smp_call_single_queue()"))
    let property = try ipitrace(["explain", "noLostCallback"])
    #expect(property.status == 0)
    #expect(property.outputText.contains("What was queued runs.") && property.outputText.contains("late-ipi"))
    let list = try ipitrace(["explain"])
    #expect(list.status == 0)
    #expect(list.outputText.contains("kickMissing") && list.outputText.contains("noLostCallback"))
    let unknown = try ipitrace(["explain", "no\u{1b}Such"])
    #expect(unknown.status == 2)
    #expect(unknown.output.isEmpty)
    #expect(unknown.errorText.contains("No rule or property ‘no\\u{1b}Such’. They are lostCallback, "))
    #expect(!unknown.errors.contains(0x1b))
  }
}
