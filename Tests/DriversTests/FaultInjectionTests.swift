import CallEngines
import CallHistories
import TestSupport
import Testing
import TraceTypes
import Verdicts

/// A real capture in which one thing is altered gives exactly that divergence, and no other.
@Suite struct FaultInjectionTests {
  static let captures = ["guest-6.12-8cpu-hotplug.dat", "host-6.18-2cpu.dat", "guest-6.12-idle-poll.dat"]
  static let places = [
    captures[0]: Result { FaultPlaces(try Captures.hotplug.get()) },
    captures[1]: Result { FaultPlaces(try Captures.host.get()) },
    captures[2]: Result { FaultPlaces(try Captures.polling.get()) },
  ]

  @Test(arguments: FaultKind.allCases, captures)
  func oneFaultIsOneDivergence(_ kind: FaultKind, _ capture: String) throws {
    var random = RepeatableRandom.forTest()
    let all = try #require(Self.places[capture]).get().faults(kind)
    let chosen = all.shuffled(using: &random).prefix(RepeatableRandom.places(20))
    print("\(capture) \(kind): \(chosen.count) of \(all.count) places, IPITRACE_TEST_SEED=\(random.seed)")
    for make in chosen {
      let fault = make()
      let replay = CaptureReplay(fault.trace)
      let comment: Comment = "\(fault.text), seed \(random.seed), found: \(replay.summary)"
      #expect(replay.addsUp, comment)
      #expect(replay.found.map(\.rule) == [fault.rule], comment)
      guard replay.found.count == 1, let found = replay.found.first else { continue }
      #expect(fault.cpus.isSubset(of: found.cpus), comment)
      #expect(fault.times.contains(found.time), comment)
    }
  }

  /// The captures have places for the faults: without them, the test above says nothing.
  @Test func thereArePlaces() throws {
    for kind in FaultKind.allCases {
      let count = try Self.captures.reduce(0) { try $0 + Self.places[$1]!.get().faults(kind).count }
      #expect(count >= (kind == .asyncSwapped || kind == .wakeupsSwapped ? 0 : 20), "\(kind): \(count)")
    }
  }

  /// A missing kick can be told wherever nothing was lost and no CPU changed its state: so at most flushes.
  @Test func kicksAreDecidableAtMostFlushes() throws {
    let flushes = try #require(Self.places[Self.captures[0]]).get().flushes
    let decidable = flushes.count { $0.flush.kicksUndecidable == nil }
    #expect(decidable * 2 > flushes.count, "\(decidable) of \(flushes.count)")
  }
}
