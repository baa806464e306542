import Drivers
import TestSupport
import Testing
import TraceTypes
import Verdicts

/// Real captures against themselves: nothing was changed, so nothing may be found.
@Suite struct CaptureHalvesTests {
  private static func side(_ trace: CapturedTrace, _ events: [TraceEvent]) -> ComparisonInput {
    var side = ComparedEvents(events)
    side.maskWords = trace.maskWords
    side.kinds = trace.recordedKinds
    side.cpus = trace.cpus
    side.names = trace.symbols
    return side.recording
  }

  /// The even or the odd ones of 64 pieces, put together. Halves would differ, and rightly: these loads begin and end.
  private static func pieces(_ trace: CapturedTrace, odd: Bool) -> [TraceEvent] {
    guard let first = trace.events.first?.nanoseconds, let last = trace.events.last?.nanoseconds else { return [] }
    let length = (last - first) / 64 + 1
    return trace.events.compactMap { event in
      let piece = (event.nanoseconds - first) / length
      guard (piece % 2 == 1) == odd else { return nil }
      var event = event
      event.nanoseconds -= (piece + 1) / 2 * length
      return event
    }
  }

  @Test(arguments: ["host-6.18-2cpu.dat", "guest-6.12-8cpu-hotplug.dat", "guest-6.12-idle-poll.dat"])
  func halvesOfACaptureDoNotDiffer(_ name: String) throws {
    let trace = try Captures.named(name)
    let comparison = Comparer.compare(
      before: Self.side(trace, Self.pieces(trace, odd: false)), after: Self.side(trace, Self.pieces(trace, odd: true)))
    #expect(comparison.resampling.map { $0.tested > 10 } == true)
    #expect(comparison.differences == [])
    let itself = Comparer.compare(before: Self.side(trace, trace.events), after: Self.side(trace, trace.events))
    #expect(itself.differences == [] && itself.items.allSatisfy { $0.change ?? 0 == 0 })
  }
}
