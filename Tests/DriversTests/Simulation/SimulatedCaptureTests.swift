import CallEngines
import TestSupport
import Testing
import Verdicts

@testable import Drivers

/// Every capture through every engine. IPITRACE_TEST_CAPTURES names a folder of more.
@Suite("The loads of recordings, simulated")
struct SimulatedCaptureTests {
  static let captures = CapturedTrace.names + CapturedTrace.moreNames

  @Test func theVariantsAreKnown() {
    for name in SimulatedCapture.allEngines + SimulatedCapture.fewEngines {
      #expect(Engine(name: name) != nil, "\(name)")
    }
    #expect(Set(SimulatedCapture.allEngines).count == SimulatedCapture.allEngines.count)
  }

  @Test(arguments: captures) func endsAndConserves(capture: String) throws {
    let simulated = SimulatedCapture(try Captures.named(capture))
    let outcome = try simulated.run(SimulatedCapture.engines) { $0.allocationFailureRate = 0.01 }
    #expect(outcome.missedWakeups == 0)
    let load = outcome.summary.load
    let notMade = load.remarks.first { $0.name == "callsNotMade" }?.count ?? 0
    for result in outcome.results {
      let name = result.engine + (result.variant.map { ":" + $0 } ?? "")
      let counts = try #require(result.outcome)
      #expect(counts.fates.sum == counts.targets && counts.fates.unknown == 0, "\(name): \(counts.fates)")
      // What was recorded and is not simulated was not made.
      #expect(counts.calls <= outcome.summary.reality.calls && counts.targets <= outcome.summary.reality.targets)
      #expect(outcome.summary.reality.calls - counts.calls <= notMade, "\(name)")
      let kicked = counts.interrupts
      #expect(
        kicked.single + kicked.maskTargets + kicked.saved + kicked.polling + kicked.deferred
          >= counts.fates.ran + counts.fates.lost + counts.fates.pending, "\(name): \(kicked)")
      #expect(kicked.unknown == 0 && kicked.maskOperations <= kicked.maskTargets, "\(name)")
      #expect(counts.queueToStart.summary.count <= counts.fates.ran + counts.fates.deadlocked, "\(name)")
      #expect(counts.byCPU.reduce(0) { $0 + $1.interrupts } == kicked.total, "\(name)")
      #expect(counts.byCPU.map(\.cpu) == counts.byCPU.map(\.cpu).sorted(), "\(name)")
      if counts.deadlocks.isEmpty { #expect(counts.fates.deadlocked == 0, "\(name)") }
      for deadlock in counts.deadlocks {
        #expect(!deadlock.cycle.isEmpty && Set(deadlock.cycle.map(\.cpu)).count == deadlock.cycle.count, "\(name)")
      }
      #expect((counts.allocations != nil) == (result.engine == "generic-2008"), "\(name)")
    }
    // Today's engine loses nothing and holds up nobody.
    let today = try #require(outcome["mainline"])
    #expect(today.fates.lost == 0 && today.fates.deadlocked == 0 && today.deadlocks.isEmpty)
    let queueless = try #require(outcome["mainline:no-ttwu-queue"])
    #expect(queueless.fates.lost == 0 && queueless.fates.deadlocked == 0)
    try isCalibrated(outcome, capture)
  }

  /// A goal that is missed has a reason.
  private func isCalibrated(_ outcome: SimulatedCapture.Outcome, _ capture: String) throws {
    let calibration = try #require(outcome.summary.calibration)
    #expect(calibration.engine == "mainline")
    #expect(calibration.items.map(\.measure) == Calibration.Measure.allCases)
    for item in calibration.items {
      #expect((item.isWithinGoal == nil) == (item.goal == nil || item.error == nil))
      if let error = item.error, let goal = item.goal { #expect(item.isWithinGoal == (abs(error) <= goal)) }
      if item.isWithinGoal != true, item.goal != nil {
        #expect(!item.reasons.isEmpty, "\(capture): \(item.measure) \(item.error ?? .nan)")
      }
    }
    // What is in the repository, the simulation follows.
    if CapturedTrace.names.contains(capture) { #expect(calibration.isWithinGoals, "\(capture): \(calibration.items)") }
  }

  /// What is simulated more than once.
  private static var repeated: [String] {
    #if DEBUG
      ["host-6.18-2cpu.dat"]
    #else
      captures
    #endif
  }

  @Test(arguments: repeated) func isTheSameAgain(capture: String) throws {
    let simulated = SimulatedCapture(try Captures.named(capture))
    let few = ["generic-2008", "percpu-2009", "llist-2014:none", "queue-2014", "xcall-2022"]
    let first = try simulated.run(few) { $0.allocationFailureRate = 0.3 }
    let again = try simulated.run(few) { $0.allocationFailureRate = 0.3 }
    #expect(first == again)
    // Each engine by itself, so that the threads are others.
    for name in few.prefix(2) {
      let alone = try simulated.run([name]) { $0.allocationFailureRate = 0.3 }
      #expect(alone[name] == first[name], "\(name)")
    }
    let other = try simulated.run(few) {
      $0.allocationFailureRate = 0.3
      $0.seed = 2
    }
    if first.summary.reality.calls > 100 { #expect(first.results != other.results) }
    for size in [1, 50] {
      let cut = try simulated.run(few) {
        $0.allocationFailureRate = 0.3
        $0.batchSize = size
      }
      #expect(cut == first, "batches of \(size)")
    }
  }
}
