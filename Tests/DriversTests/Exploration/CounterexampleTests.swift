import CallEngines
import Testing
import Verdicts

@testable import Drivers

@Suite("Counterexamples")
struct CounterexampleTests {
  private func lines(_ text: String) throws -> [CheckLine] {
    let scenario = try #require(try ScenarioParser.parse("scenario test\n" + text).first)
    return ScenarioCheck().lines(of: scenario, try #require(scenario.cases.first))
  }

  private func example(_ property: Property, _ text: String) throws -> Counterexample {
    let line = try lines(text).first { $0.property == property.name }
    return try #require(line?.counterexample)
  }

  static let deadlock = """
    cpus 3
    cpu 0: irqs-off; single 1 f wait
    cpu 1: irqs-off; single 0 g wait
    engine llist-2014 violates noDeadlock
    """

  @Test("two CPUs that wait for each other")
  func deadlock() throws {
    let example = try example(.noDeadlock, Self.deadlock)
    #expect(example.isStuck)
    #expect(example.cycle == [0, 1])
    #expect(example.end.map(\.waitsForCPUs) == [[1], [0], []])
    #expect(example.end.map(\.interruptsOn) == [false, false, true])
    #expect(example.end.map(\.pending) == [[.single], [.single], []])
    #expect(example.end.map(\.context) == [.task, .task, .none])
    for cpu in 0...1 {
      guard case .csd(let csd)? = example.end[cpu].waitsFor else {
        Issue.record("CPU \(cpu) waits for \(String(describing: example.end[cpu].waitsFor))")
        continue
      }
      #expect(example.names.csds[csd] == .call(call: cpu))
    }
    #expect(example.end[2].waitsFor == nil)
    #expect(example.unfinished.map(\.cpu) == [1, 0])
    #expect(example.unfinished.allSatisfy { !$0.hasStarted })
    #expect(example.names.calls == ["single 1 f wait", "single 0 g wait"])
    #expect(example.names.functions == ["f", "g"])
    #expect(example.steps.filter { $0.happenings.contains(.interruptsDisabled) }.map(\.cpu) == [0, 1])
  }

  @Test("a callback takes a lock that its caller holds: a waits-for circle over a lock")
  func lock() throws {
    let example = try example(
      .noDeadlock,
      """
      function f: lock A; unlock A
      cpu 0: lock A; single 1 f wait; unlock A
      engine llist-2014
      """)
    #expect(example.cycle == [0, 1])
    #expect(example.end[1].waitsFor == .lock(.callers(0)))
    #expect(example.end[1].context == .function)
    #expect(example.unfinished == [Counterexample.Unfinished(call: 0, cpu: 1, hasStarted: true)])
  }

  @Test("a CPU can wait for itself")
  func itself() throws {
    let example = try example(.noDeadlock, "cpu 0: lock A; lock A\nengine llist-2014")
    #expect(example.cycle == [0])
    #expect(example.end[0].waitsForCPUs == [0])
  }

  @Test("a handler waits for a csd that the call below it has locked and not queued: its CPU waits for itself")
  func below() throws {
    let example = try example(
      .noDeadlock, "function f: single 1 g\ncpu 0: single 1 h\ncpu 1: single 0 f\nengine llist-2014")
    #expect(example.cycle == [0])
    #expect(example.end[0].context == .function)
    guard case .csd(let csd)? = example.end[0].waitsFor else {
      Issue.record("CPU 0 waits for \(String(describing: example.end[0].waitsFor))")
      return
    }
    #expect(example.names.csds[csd] == .own(cpu: 0))
  }

  @Test("a call to many waits for one csd after the other, and so for one CPU")
  func oneOfMany() throws {
    let example = try example(
      .noDeadlock, "cpus 3\ncpu 0: many 1-2 f wait\ncpu 1: irqs-off; lock A; lock A\nengine llist-2014")
    #expect(example.end[0].waitsForCPUs == [1])
  }

  @Test("a lost callback: contexts follow handlers, functions and the stopper")
  func lost() throws {
    let example = try example(.noLostCallback, "cpu 0: single 1 f; down 1\nengine llist-2014:none")
    #expect(example.isStuck)
    #expect(example.cycle.isEmpty)
    #expect(example.end[1].state == .dead)
    #expect(example.end[1].context == .none)
    #expect(example.unfinished.map(\.cpu) == [1])
    let entered = example.steps.filter { $0.kind == .stop }
    #expect(entered.map(\.context) == [.stopper, .stopper])
    #expect(example.steps.first { $0.happenings.contains(.died) }?.stateAfter == .dead)
  }

  @Test("a violation in the middle of a run is its last step")
  func middle() throws {
    let example = try example(.noInterrupt, "cpu 0: each 0-1 f wait\nengine llist-2014 violates noInterrupt")
    #expect(!example.isStuck)
    let isSending = { (happening: Happening) in if case .ipiSent = happening { true } else { false } }
    #expect(example.steps.last?.happenings.contains(where: isSending) == true)
    #expect(example.steps.dropLast().allSatisfy { !$0.happenings.contains(where: isSending) })
  }

  @Test("a step that must not wait, and does, is the last one")
  func waits() throws {
    let line = try lines("cpu 0: async 1 c f; async 1 c f\nengine llist-2014 violates neverWaits")
      .first { $0.property == Property.neverWaits.name }
    let example = try #require(line?.counterexample)
    #expect(example.steps.last?.waitsFor != nil)
    #expect(example.steps.dropLast().allSatisfy { $0.waitsFor == nil })
  }

  @Test("handlers run on top of what they interrupt, and functions on top of handlers")
  func contexts() throws {
    // The property is violated where the second request is sent, behind a whole flush.
    let example = try example(
      .noInterrupt, "cpu 0: idle\ncpu 1: single 0 f wait; single 0 f\nengine llist-2014 violates noInterrupt")
    #expect(example.steps.count > 3)
    for step in example.steps where step.kind == .interrupt { #expect(step.context == .handler) }
    for step in example.steps {
      if case .functionStarted? = step.happenings.last { #expect(step.contextAfter == .function) }
      if case .functionFinished? = step.happenings.last {
        #expect(step.context == .function && step.contextAfter != .function)
      }
      if step.happenings.contains(.interruptReturned) { #expect(step.context == .handler) }
    }
  }

  // MARK: Lines

  @Test("a line for each property, with what was claimed")
  func check() throws {
    let lines = try lines(Self.deadlock)
    #expect(lines.map(\.property) == Property.allCases.filter(\.isPromise).map(\.name))
    let first = try #require(lines.first)
    #expect(first.result == .violated && first.expected == .violated && first.isAsClaimed && first.isNamed)
    let lost = try #require(lines.first { $0.property == "noLostCallback" })
    #expect(lost.result == .violated && lost.expected == .holds && !lost.isAsClaimed && !lost.isNamed)
    let twice = try #require(lines.first { $0.property == "noneRunTwice" })
    #expect(twice.result == .holds && twice.isAsClaimed && twice.counterexample == nil)
    #expect(lines.allSatisfy { $0.states == first.states && $0.depth == first.depth && $0.reason == nil })
    #expect(lines.allSatisfy { $0.engine == "llist-2014" && $0.variant == nil })
  }

  @Test("what is not exhausted is not called fine")
  func notExhausted() throws {
    let scenario = try #require(
      try ScenarioParser.parse(
        "scenario test\ncpus 4\ncpu 0: many 1-3 f wait\ncpu 1: many 0-3 g wait\nengine llist-2014:none,mail"
      ).first)
    var check = ScenarioCheck()
    check.options.memoryLimit = 1 << 20
    check.properties = [.noDeadlock, .noInterrupt]
    let lines = check.lines(of: scenario, scenario.cases[0])
    #expect(lines.map(\.result) == [.notExhausted, .violated])
    #expect(lines.allSatisfy { !$0.isAsClaimed && $0.isNamed && $0.reason == .memoryLimit })
    #expect(lines.allSatisfy { $0.variant == "none,mail" })
  }
}
