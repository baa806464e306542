import TestSupport
import Testing
import Verdicts

@testable import Drivers

/// What the recordings that were made for it show of the designs.
@Suite("What recordings show of designs")
struct RecordedDesignTests {
  private static let seeds: [UInt64] = [1, 2, 3]

  /// CPU 3 goes four times while others call it without waiting. Whoever flushes the queue of a CPU that dies runs all of it, on
  /// the recorded times; whoever does not leaves calls behind that nobody ever runs.
  @Test(arguments: seeds) func callsToACPUThatDies(seed: UInt64) throws {
    let simulated = SimulatedCapture(try Captures.named("guest-6.12-4cpu-dying.dat"))
    #expect(simulated.hotplugs.count >= 8)
    let flushing = ["mainline", "xcall-2022", "llist-2014:dying", "queue-2014:dying"]
    let losing = ["llist-2014:none", "queue-2014:none", "percpu-2009", "generic-2008"]
    let outcome = try simulated.run(flushing + losing) { $0.seed = seed }
    // Those of which the recording shows no end are mostly those that only the dying stage ran, of which there is no event.
    let unseen = outcome.summary.reality.fates.unknown
    #expect(unseen >= 20)
    for name in flushing {
      let counts = try #require(outcome[name])
      #expect(counts.calls == outcome.summary.reality.calls, "\(name)")
      #expect(counts.fates.lost == 0 && counts.fates.deadlocked == 0 && counts.deadlocks.isEmpty, "\(name)")
      // Some that came at the last moment come too late in the simulation.
      #expect(counts.fates.refused <= 5 && counts.fates.ran + counts.fates.refused == counts.targets, "\(name)")
    }
    for name in losing {
      let counts = try #require(outcome[name])
      #expect(counts.fates.lost > 0, "\(name)")
      // Sooner or later somebody needs what is left behind, and waits for ever.
      #expect(!counts.deadlocks.isEmpty && counts.fates.ran < outcome.summary.reality.fates.ran, "\(name)")
      let downs = simulated.hotplugs.filter { if case .down = $0.change { true } else { false } }
      #expect(counts.deadlocks.allSatisfy { $0.timeNanoseconds > downs[0].time }, "\(name)")
    }
    // Until the first CPU has gone there is no difference.
    #expect(outcome["llist-2014:none"].map { $0.fates.lost <= unseen } == true)
  }

  /// Wakeups and shootdowns at once: which design sends how many IPIs does not depend on chance.
  @Test func designsInAStorm() throws {
    let simulated = SimulatedCapture(try Captures.named("guest-6.12-8cpu-storm.dat"))
    let designs = [
      "generic-2008", "percpu-2009", "llist-2014", "queue-2014", "xcall-2022", "mainline", "mainline:no-polling",
      "mainline:no-ttwu-queue", "mainline:mask-never", "mainline:mask-always",
    ]
    var orders: Set<[String]> = []
    for seed in Self.seeds {
      let outcome = try simulated.run(designs) { $0.seed = seed }
      let received = try designs.map { name in (name, try #require(outcome[name]).interrupts.total) }
      orders.insert(received.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0))
      func counts(_ name: String) throws -> EngineOutcome.Interrupts { try #require(outcome[name]).interrupts }
      let today = try counts("mainline")
      // Leaving out those of a mask whose queues are in use saves IPIs; a wakeup without the queue never shares one.
      #expect(try today.total < counts("llist-2014").total)
      #expect(try counts("llist-2014").total <= counts("percpu-2009").total)
      #expect(try today.total < counts("mainline:no-ttwu-queue").total)
      #expect(try counts("mainline:no-polling").total >= today.total)
      // How masks are used changes how many are sent, not how many arrive.
      let (never, always) = (try counts("mainline:mask-never"), try counts("mainline:mask-always"))
      #expect(never.maskOperations == 0 && never.single > today.single)
      #expect(always.maskOperations > today.maskOperations && always.single < today.single)
      #expect(outcome.summary.calibration?.isWithinGoals == true)
    }
    #expect(orders.count == 1, "\(orders)")
  }
}
