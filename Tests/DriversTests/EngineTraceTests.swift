import TestSupport
import Testing
import TraceTypes
import Verdicts

@testable import CallEngines

/// What the engine does conforms to the engine, whatever the order of its steps; and what a faulty engine does, does not.
@Suite struct EngineTraceTests {
  typealias Point = Mainline.Point

  /// Calls of every kind between three or four CPUs.
  private func workload(_ random: inout RepeatableRandom) -> Workload {
    var workload = Workload(cpuCount: Int.random(in: 3...4, using: &random))
    workload.functions = [Function(name: "f")]
    for cpu in 0..<workload.cpuCount {
      var operations: [CallEngines.Operation] = []
      for _ in 0..<Int.random(in: 3...6, using: &random) {
        let kinds: [Call.Kind] = [.single, .single, .singleAsync, .many, .many, .onEach, .irqWork, .wakeup]
        var call = Call(kind: kinds.randomElement(using: &random) ?? .single)
        call.target = Int.random(in: 0..<workload.cpuCount, using: &random)
        if call.kind == .irqWork || call.kind == .wakeup, call.target == cpu {
          call.target = (cpu + 1) % workload.cpuCount
        }
        call.mask = CPUSet(bits: UInt64.random(in: 0..<1 << UInt64(workload.cpuCount), using: &random))
        call.waits = Bool.random(using: &random)
        call.storage = workload.privateStorageCount
        workload.privateStorageCount += 1
        operations.append(.call(workload.calls.count))
        workload.calls.append(call)
      }
      workload.tasks[cpu] = Program(operations)
    }
    return workload
  }

  private func replay(_ trace: EngineTrace) throws -> Replayed {
    Replayed(try TraceScript(trace.lines.joined(separator: "\n")))
  }

  @Test func everyRunOfTheEngineConforms() throws {
    var random = RepeatableRandom.forTest()
    var runs = 0
    var judged: UInt64 = 0
    var undecided: UInt64 = 0
    for _ in 0..<300 {
      let trace = EngineTrace(workload: workload(&random), random: random)
      // The trace has taken a copy of the generator.
      _ = random.next()
      #expect(trace.hasEnded)
      let replayed = try replay(trace)
      #expect(replayed.rules == [], "\(trace.text)")
      runs += trace.runs
      judged += replayed.verdict.judged
      undecided += replayed.verdict.undecided
    }
    // Each trace begins with one call to each CPU, beside those of the workload.
    #expect(Int(judged + undecided) >= runs)
    #expect(undecided * 100 < judged, "\(judged) judged, \(undecided) not")
  }

  /// A fault in the engine, and the rules by which a replay finds it.
  struct ReplayedFault: Sendable, CustomTestStringConvertible {
    var name: String
    var redirects: [Redirect]
    var rules: Set<Rule>
    /// Rules by which the same can be told, where two windows overlap: a call that did not run, and whose target was not kicked
    /// after its flush, was lost by that or came later and was owed a kick.
    var ambiguous: Set<Rule> = []

    var testDescription: String { name }
  }

  static let faults: [ReplayedFault] = [
    ReplayedFault(
      name: "kicks a queue that is not empty",
      redirects: Redirect.always(at: Point.execAdds, not: Point.execWaits, but: Point.kickPolls), rules: [.kickNotOwed],
      ambiguous: [.kickMissing]),
    ReplayedFault(
      name: "kicks first and adds then",
      redirects: [
        Redirect(to: Point.execAdds.rawValue, instead: Point.kickSends.rawValue),
        Redirect(from: Point.kickSends.rawValue, to: Point.execWaits.rawValue, instead: Point.execAdds.rawValue),
        Redirect(from: Point.execAdds.rawValue, to: Point.kickPolls.rawValue, instead: Point.execWaits.rawValue),
      ], rules: [.kickWithoutQueue, .kickMissing], ambiguous: [.kickNotOwed]),
    ReplayedFault(
      name: "leaves out the first pass",
      redirects: Redirect.drop(Point.firstPass, next: Point.secondPass), rules: [.lostCallback],
      ambiguous: [.kickMissing]),
    ReplayedFault(
      name: "leaves out the second pass and the third",
      redirects: Redirect.drop(Point.secondPass, next: Point.flushEnds), rules: [.lostCallback],
      ambiguous: [.kickMissing]),
    ReplayedFault(
      name: "wakes nobody", redirects: Redirect.drop(Point.wakeupsRun, next: Point.flushEnds), rules: [.lostCallback],
      ambiguous: [.kickMissing]),
  ]

  @Test(arguments: faults) func aFaultIsFound(_ fault: ReplayedFault) throws {
    var random = RepeatableRandom.forTest(fault.name)
    var found: [Rule: Int] = [:]
    for _ in 0..<150 {
      let trace = EngineTrace(workload: workload(&random), redirects: fault.redirects, random: random)
      _ = random.next()
      for rule in Set(try replay(trace).rules) { found[rule, default: 0] += 1 }
    }
    #expect(Set(found.keys).subtracting(fault.ambiguous).union(fault.rules) == fault.rules, "\(found)")
    #expect(fault.rules.allSatisfy { found[$0, default: 0] >= 15 }, "\(found)")
  }
}
