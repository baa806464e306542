import CallEngines
import TestSupport
import Testing

@testable import Drivers

@Suite("Scenario parser")
struct ScenarioParserTests {
  /// The one scenario of a text that begins behind its name.
  private func parse(_ text: String) throws -> Scenario {
    let scenarios = try ScenarioParser.parse("scenario test\n" + text)
    return try #require(scenarios.count == 1 ? scenarios[0] : nil)
  }

  private func calls(_ operation: String) throws -> Call {
    let scenario = try parse("cpus 4\ncpu 1: \(operation)")
    #expect(scenario.callTexts == [operation.split(separator: " ").joined(separator: " ")])
    #expect(scenario.workload.tasks[1].operations == [.call(0)])
    return try #require(scenario.workload.calls.first)
  }

  // MARK: Statements

  @Test("a scenario without statements has two CPUs that do nothing")
  func least() throws {
    let scenario = try parse("")
    #expect(scenario.name == "test")
    #expect(scenario.claim.isEmpty && scenario.source.isEmpty && scenario.cases.isEmpty)
    #expect(scenario.workload.cpuCount == 2)
    #expect(scenario.workload.nodes == [0, 0])
    #expect(scenario.workload.tasks.allSatisfy { $0.operations.isEmpty })
    #expect(scenario.workload.allocation == .succeeds)
  }

  @Test("every statement")
  func statements() throws {
    let scenario = try parse(
      """
      # a comment, and an empty line

      claim   What it   shows.   # not this
      source the mail
      cpus 4
      node 0: 0-1
      node 3: 2,3
      offline 1,3
      allocation either
      function f: lock A; lock B; unlock B ; ;unlock A
      cpu 0: irqs-off; single 2 f wait
      cpu 0: irqs-on
      cpu 2: down 0;up 0;idle
      engine llist-2014 violates noDeadlock,noLostCallback holds noInterrupt
      engine llist-2014:none,mail holds noWarning violates noRefusal
      """)
    #expect(scenario.claim == "What it shows.")
    #expect(scenario.source == "the mail")
    #expect(scenario.workload.cpuCount == 4)
    #expect(scenario.workload.nodes == [0, 0, 3, 3])
    #expect(scenario.workload.offline == [1, 3])
    #expect(scenario.workload.allocation == .either)
    #expect(scenario.workload.functions.map(\.name) == ["f"])
    #expect(scenario.workload.functions[0].body.operations == [.lock(0), .lock(1), .unlock(1), .unlock(0)])
    #expect(scenario.lockNames == ["A", "B"])
    #expect(scenario.workload.lockCount == 2)
    #expect(scenario.workload.tasks[0].operations == [.disableInterrupts, .call(0), .enableInterrupts])
    #expect(scenario.workload.tasks[2].operations == [.takeDown(0), .bringUp(0), .idlePolling])
    #expect(scenario.cases.map(\.engineName) == ["llist-2014", "llist-2014:none,mail"])
    #expect(scenario.cases[0].violated == [.noDeadlock, .noLostCallback])
    #expect(scenario.cases[0].alsoHolds == [.noInterrupt])
    #expect(scenario.cases[1].violated == [.noRefusal])
    #expect(scenario.cases[1].engine == Engine(name: "llist-2014:none,mail"))
    #expect(scenario.cases[0].properties.contains(.noInterrupt))
    #expect(!scenario.cases[0].properties.contains(.noRefusal))
    #expect(scenario.cases[1].properties.contains(.noRefusal))
  }

  @Test("user space, and what may be left to it")
  func userSpace() throws {
    let scenario = try parse(
      """
      cpu 0: async 1 a f defer -> 0; single 1 f wait defer if 1; wakeup 1 t
      cpu 1: user; kernel; user
      """)
    #expect(scenario.workload.calls.map(\.isDeferrable) == [true, true, false])
    #expect(scenario.workload.calls[0].expectedResults == CallResultSet(.success))
    #expect(scenario.workload.tasks[1].operations == [.enterUser, .leaveUser, .enterUser])
  }

  @Test("scenarios follow each other, and each has functions and names of its own")
  func several() throws {
    let scenarios = try ScenarioParser.parse(
      "\r\nscenario one\r\ncpu 0: lock A; single 1 f\r\n\r\nscenario two\r\ncpu 1: lock B; single 0 g\r\n")
    #expect(scenarios.map(\.name) == ["one", "two"])
    #expect(scenarios.map(\.lockNames) == [["A"], ["B"]])
    #expect(scenarios.map { $0.workload.functions.map(\.name) } == [["f"], ["g"]])
  }

  @Test("a function may be called before it is declared, and calls others")
  func functions() throws {
    let scenario = try parse("cpu 0: single 1 f\nfunction g: lock A\nfunction f: single 0 g; async 0 c f")
    #expect(scenario.workload.functions.map(\.name) == ["f", "g"])
    #expect(scenario.workload.functions[0].body.operations == [.call(1), .call(2)])
    #expect(scenario.workload.functions[1].body.operations == [.lock(0)])
    #expect(scenario.storageNames == ["c"])
    #expect(scenario.workload.privateStorageCount == 1)
  }

  @Test("nothing is no scenario", arguments: ["", "\n\n", "# a comment", "  \t "])
  func nothing(text: String) throws {
    #expect(try ScenarioParser.parse(text).isEmpty)
  }

  // MARK: Calls

  @Test("every call")
  func everyCall() throws {
    var call = Call(kind: .single)
    call.target = 2
    #expect(try calls("single 2 f") == call)
    call.waits = true
    #expect(try calls("single 2 f wait") == call)
    call = Call(kind: .singleAsync)
    call.target = 3
    #expect(try calls("async 3 c f") == call)
    call = Call(kind: .many)
    call.mask = 0b1101
    #expect(try calls("many 0,2-3 f") == call)
    call.kind = .onEach
    call.waits = true
    #expect(try calls("each 0,2-3 f wait") == call)
    call.kind = .any
    call.mask = 0
    #expect(try calls("any none f wait") == call)
    call = Call(kind: .queue)
    call.target = 2
    #expect(try calls("queue 2 q f") == call)
    call.kind = .irqWork
    #expect(try calls("irq-work 2 w f") == call)
    call.kind = .wakeup
    #expect(try calls("wakeup 2 task") == call)
    call = Call(kind: .xcallMask)
    call.mask = 0b110
    call.flags = 0x10
    #expect(try calls("xcall-mask 1-2 f sync") == call)
    call.kind = .xcallAny
    call.flags = 0x20
    #expect(try calls("xcall-any 1-2 f irq-work") == call)
    call = Call(kind: .xcallPrivate)
    call.target = 2
    call.flags = 0x30
    #expect(try calls("xcall-private 2 c f ttwu") == call)
    call.kind = .xcall
    call.flags = 0
    #expect(try calls("xcall 2 f async") == call)
    call.target = -1
    call.flags = 0xa5
    #expect(try calls("xcall all f 0xa5") == call)
    call.flags = 17
    #expect(try calls("xcall -1 f 17") == call)
  }

  @Test("a call may be to a CPU that does not exist", arguments: [-128, -1, 4, 255])
  func outOfRange(target: Int) throws {
    #expect(try calls("single \(target) f").target == target)
  }

  @Test("conditions and expected results")
  func conditions() throws {
    let call = try calls("each 0-3 f wait if 1,3 -> 0|-ENXIO")
    #expect(call.waits)
    #expect(call.condition == 0b1010)
    #expect(call.expectedResults == [CallResultSet(.success), CallResultSet(.noSuchCPU)])
    #expect(try calls("many 1-3 f if none").condition == 0)
    #expect(try calls("single 2 f -> -EBUSY").expectedResults == CallResultSet(.busy))
    #expect(try calls("single 2 f -> -ENOMEM|-EINVAL").expectedResults.contains(CallResultSet(.invalid)))
    #expect(try calls("single 2 f").condition == .all)
  }

  @Test("names are the same storage wherever they stand")
  func storage() throws {
    let scenario = try parse("cpu 0: async 1 c f; queue 1 q f\ncpu 1: async 0 c f")
    #expect(scenario.workload.calls.map(\.storage) == [0, 1, 0])
    #expect(scenario.storageNames == ["c", "q"])
  }

  @Test("a wakeup runs the scheduler's function")
  func wakeup() throws {
    #expect(try parse("cpu 0: wakeup 1 t").workload.functions.map(\.name) == ["sched_ttwu_pending"])
  }

  // MARK: Errors

  private static let userSpace = "in user space a task does nothing before \"kernel\", in scenario \"test\""

  /// What is behind `scenario test`, the line of the error, and its reason.
  static let errors: [(text: String, line: Int, reason: String)] = [
    ("bogus", 2, "unknown statement \"bogus\""),
    ("\n\n  bogus x", 4, "unknown statement \"bogus\""),
    ("scenario", 2, "a scenario needs a name"),
    ("scenario test", 2, "a second scenario \"test\""),
    ("cpus 0", 2, "expected 1 to 32 CPUs, found \"0\""),
    ("cpus 33", 2, "expected 1 to 32 CPUs, found \"33\""),
    ("cpus -1", 2, "expected 1 to 32 CPUs, found \"-1\""),
    ("cpus", 2, "expected 1 to 32 CPUs, found \"\""),
    ("cpus 99999999999999999999", 2, "expected 1 to 32 CPUs, found \"99999999999999999999\""),
    ("cpu 0: irqs-off\ncpus 3", 3, "\"cpus\" has to stand before the programs"),
    ("function f: single 0 g\ncpus 3", 3, "\"cpus\" has to stand before the programs"),
    ("node 1", 2, "expected \":\" in \"1\""),
    ("node : 1", 2, "expected a name before \":\""),
    ("node x: 1", 2, "expected a node, found \"x\""),
    ("node 256: 1", 2, "expected a node, found \"256\""),
    ("node 1: 2", 2, "expected a CPU below 2, found \"2\""),
    ("offline 2", 2, "expected a CPU below 2, found \"2\""),
    ("offline 0-", 2, "expected a CPU below 2, found \"\""),
    ("offline 1-0", 2, "expected CPUs, found \"1-0\""),
    ("allocation sometimes", 2, "expected fails, succeeds or either, found \"sometimes\""),
    ("function f", 2, "expected \":\" in \"f\""),
    ("function f: bogus", 2, "unknown operation \"bogus\""),
    ("cpu 0", 2, "expected \":\" in \"0\""),
    ("cpu 2: irqs-off", 2, "expected a CPU below 2, found \"2\""),
    ("cpu x: irqs-off", 2, "expected a CPU below 2, found \"x\""),
    ("cpu 0: irqs-off now", 2, "did not expect \"now\""),
    ("cpu 0: lock", 2, "expected a lock behind \"lock\""),
    ("cpu 0: unlock", 2, "expected a lock behind \"unlock\""),
    ("cpu 0: down", 2, "expected a CPU behind \"down\""),
    ("cpu 0: down 2", 2, "expected a CPU below 2, found \"2\""),
    ("cpu 0: up -1", 2, "expected a CPU below 2, found \"-1\""),
    ("cpu 0: single", 2, "expected a CPU behind \"single\""),
    ("cpu 0: single 1", 2, "expected a function behind \"single 1\""),
    ("cpu 0: single x f", 2, "expected a CPU, found \"x\""),
    ("cpu 0: single all f", 2, "expected a CPU, found \"all\""),
    ("cpu 0: single 256 f", 2, "expected a CPU, found \"256\""),
    ("cpu 0: single -129 f", 2, "expected a CPU, found \"-129\""),
    ("cpu 0: single 9223372036854775808 f", 2, "expected a CPU, found \"9223372036854775808\""),
    ("cpu 0: single 1 f wait wait", 2, "did not expect \"wait\""),
    ("cpu 0: many 2 f", 2, "expected a CPU below 2, found \"2\""),
    ("cpu 0: many 0-1,x f", 2, "expected a CPU below 2, found \"x\""),
    ("cpu 0: async 1", 2, "expected a csd behind \"async 1\""),
    ("cpu 0: async 1 c", 2, "expected a function behind \"async 1 c\""),
    ("cpu 0: async 1 c f wait", 2, "did not expect \"wait\""),
    ("cpu 0: wakeup 1", 2, "expected a csd behind \"wakeup 1\""),
    ("cpu 0: xcall 1 f", 2, "expected flags behind \"xcall 1 f\""),
    ("cpu 0: xcall 1 f fast", 2, "expected flags, found \"fast\""),
    ("cpu 0: xcall 1 f 256", 2, "expected flags, found \"256\""),
    ("cpu 0: xcall 1 f 0x100", 2, "expected flags, found \"0x100\""),
    ("cpu 0: single 1 f if", 2, "expected CPUs behind \"single 1 f if\""),
    ("cpu 0: single 1 f if 7", 2, "expected a CPU below 2, found \"7\""),
    ("cpu 0: single 1 f ->", 2, "expected a result behind \"single 1 f ->\""),
    ("cpu 0: single 1 f -> 1", 2, "no result \"1\""),
    ("cpu 0: single 1 f -> 0|-EIO", 2, "no result \"-EIO\""),
    ("cpu 0: user; single 1 f; kernel", 2, userSpace),
    ("cpu 0: user; idle", 2, userSpace),
    ("cpu 0: single 1 f wait; user; repeat", 2, userSpace),
    ("function f: user", 2, "\"user\" or \"kernel\" in a function, in scenario \"test\""),
    ("function f: kernel", 2, "\"user\" or \"kernel\" in a function, in scenario \"test\""),
    ("cpu 0: single 1 f if 1 defer", 2, "did not expect \"defer\""),
    ("cpu 0: wakeup 1 t defer defer", 2, "did not expect \"defer\""),
    ("engine", 2, "expected an engine"),
    ("engine no-such-engine", 2, "no engine or variant \"no-such-engine\""),
    ("engine llist-2014:bogus", 2, "no engine or variant \"llist-2014:bogus\""),
    ("engine llist-2014:none,dying", 2, "no engine or variant \"llist-2014:none,dying\""),
    ("engine llist-2014:", 2, "no engine or variant \"llist-2014:\""),
    ("engine llist-2014\nengine llist-2014", 3, "a second case of llist-2014"),
    ("engine llist-2014 noDeadlock", 2, "expected \"violates\" or \"holds\" before \"noDeadlock\""),
    ("engine llist-2014 violates noSuchProperty", 2, "no property \"noSuchProperty\""),
    ("cpu 0: queue 1 q f\nengine llist-2014", 3, "llist-2014 has no call \"queue\", in scenario \"test\""),
  ]

  @Test("what can't be understood is said with its line", arguments: errors.indices)
  func refusals(index: Int) {
    let (text, line, reason) = Self.errors[index]
    #expect(throws: ScenarioError(line: line, reason: reason)) { try ScenarioParser.parse("scenario test\n" + text) }
  }

  @Test("a text begins with a scenario")
  func beginning() {
    #expect(throws: ScenarioError(line: 2, reason: "expected \"scenario NAME\" first, found \"cpus\"")) {
      try ScenarioParser.parse("# none\ncpus 2")
    }
  }

  @Test("an engine without a call is found at the end of its scenario, not of the text")
  func unsupported() {
    #expect(throws: ScenarioError(line: 4, reason: "llist-2014 has no call \"queue\", in scenario \"one\"")) {
      try ScenarioParser.parse("scenario one\nengine llist-2014\ncpu 0: queue 1 q f\nscenario two\n")
    }
  }

  // MARK: Limits

  @Test("there is a limit to everything")
  func limits() {
    func reason(_ text: String) -> String? {
      do {
        _ = try ScenarioParser.parse(text)
        return nil
      } catch { return error.reason }
    }
    func many(_ count: Int, _ text: (Int) -> String) -> String { (0..<count).map(text).joined(separator: "\n") }
    let begin = "scenario test\n"
    #expect(reason(String(repeating: "#", count: 1 << 20)) == nil)
    #expect(reason(String(repeating: "#", count: 1 << 20 + 1)) == "longer than 1048576 bytes")
    #expect(reason(many(1_000) { "scenario \($0)" }) == nil)
    #expect(reason(many(1_001) { "scenario \($0)" }) == "more than 1000 scenarios")
    #expect(reason(begin + many(200) { "function f\($0):" }) == nil)
    #expect(reason(begin + many(201) { "function f\($0):" }) == "more than 200 functions")
    #expect(reason(begin + many(200) { "function f: lock l\($0)" }) == nil)
    #expect(reason(begin + many(201) { "function f: lock l\($0)" }) == "more than 200 locks")
    #expect(reason(begin + many(64) { _ in "cpu 0: single 1 f" }) == nil)
    #expect(reason(begin + many(65) { _ in "cpu 0: single 1 f" }) == "more than 64 calls")
    #expect(reason(begin + "cpu 0: " + String(repeating: "irqs-off;", count: 250)) == nil)
    #expect(reason(begin + "cpu 0: " + String(repeating: "irqs-off;", count: 251)) == "more than 250 operations")
    #expect(reason(begin + many(251) { _ in "cpu 0: irqs-off" }) == "more than 250 operations on one CPU")
  }

  @Test("bytes have to be UTF-8, and the first line that is not is named")
  func bytes() throws {
    #expect(try ScenarioParser.parse(bytes: Array("scenario é".utf8)).map(\.name) == ["é"])
    #expect(throws: ScenarioError(line: 3, reason: "not UTF-8 text")) {
      try ScenarioParser.parse(bytes: Array("scenario a\n\ncl".utf8) + [0xff, 0x0a, 0xfe])
    }
  }

  @Test("random bytes and broken scenarios are refused or read, and never more")
  func random() throws {
    let whole = Array(
      """
      scenario s
      cpus 3
      node 1: 0-2
      function f: lock A; unlock A
      cpu 0: irqs-off; many 1-2 f wait if 1 -> 0|-EBUSY
      cpu 1: async 0 c f; down 2
      engine llist-2014:none,mail violates noDeadlock holds noInterrupt
      """.utf8)
    var random = RepeatableRandom.forTest()
    for _ in 0..<5_000 {
      var bytes = whole
      for _ in 0...Int.random(in: 0..<6, using: &random) {
        let place = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(contentsOf: Array(" ;:,-|>0 9\n".utf8).shuffled(using: &random).prefix(3), at: place)
        default: bytes.removeSubrange(place...)
        }
        if bytes.isEmpty { bytes = [0] }
      }
      do {
        _ = try ScenarioParser.parse(bytes: bytes)
      } catch {
        #expect(error.line >= 1 && !error.reason.isEmpty, "seed \(random.seed)")
      }
    }
  }
}
