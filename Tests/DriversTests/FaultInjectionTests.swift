import CallEngines
import CallHistories
import TestSupport
import Testing
import TraceTypes
import Verdicts

/// A real capture in which one thing is altered gives exactly that divergence, and no other.
@Suite struct FaultInjectionTests {
  /// Those that say what was recorded.
  static let captures =
    CapturedTrace.names.filter { !$0.hasSuffix("no-csd.dat") && !$0.hasPrefix("guest-arm64") } + CapturedTrace.moreNames
  static let places = Dictionary(
    uniqueKeysWithValues: captures.map { name in (name, Result { FaultPlaces(try Captures.named(name)) }) })
  /// How many faults of a kind are made in each capture.
  static let usual = 8

  @Test(arguments: FaultKind.allCases, captures)
  func oneFaultIsOneDivergence(_ kind: FaultKind, _ capture: String) throws {
    var random = RepeatableRandom.forTest()
    let all = try #require(Self.places[capture]).get().faults(kind)
    let chosen = all.shuffled(using: &random).prefix(RepeatableRandom.places(Self.usual, unoptimised: 2))
    var right = 0
    for make in chosen {
      let fault = make()
      let replay = CaptureReplay(fault.trace)
      let comment: Comment = "\(kind): \(fault.text), seed \(random.seed), found: \(replay.summary)"
      #expect(replay.addsUp, comment)
      let found = replay.found.filter { !fault.consequences.contains($0.rule) }
      #expect(fault.rule == kind.rule && found.map(\.rule) == [fault.rule], comment)
      guard found.count == 1, let found = found.first, found.rule == fault.rule else { continue }
      #expect(fault.cpus.isSubset(of: found.cpus), comment)
      #expect(fault.times.contains(found.time), comment)
      #expect(fault.events.allSatisfy(found.events.contains), "\(comment) naming \(found.events)")
      right += 1
    }
    print("\(capture) \(kind): \(all.count) places, \(chosen.count) injected, \(right) found, seed \(random.seed)")
  }

  /// The captures have places for every rule: without them, the test above says nothing.
  @Test func thereArePlaces() throws {
    var injected = 0
    var byRule: [Rule: Int] = [:]
    for kind in FaultKind.allCases {
      for capture in Self.captures {
        let count = try #require(Self.places[capture]).get().faults(kind).count
        injected += min(count, Self.usual)
        byRule[kind.rule, default: 0] += count
      }
    }
    #expect(injected >= 200)
    for rule in Rule.allCases { #expect(byRule[rule] ?? 0 >= 10, "\(rule): \(byRule[rule] ?? 0)") }
  }

  /// A missing kick can be told wherever nothing was lost and no CPU changed its state: so at most flushes.
  @Test func kicksAreDecidableAtMostFlushes() throws {
    let flushes = try #require(Self.places["guest-6.12-8cpu-hotplug.dat"]).get().flushes
    let decidable = flushes.count { $0.flush.kicksUndecidable == nil }
    #expect(decidable * 2 > flushes.count, "\(decidable) of \(flushes.count)")
  }
}
