import CallHistories
import TestSupport
import Testing
import TraceTypes

@testable import Drivers

/// What is drawn knows what the histories know.
@Suite("Events tapped for a drawing")
struct ActivityTapTests {
  private struct Collector: CompletedCallSink {
    static let takesHandlers = false
    var pieces: [CPUActivity] = []
    mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {}
    mutating func activitySeen(_ piece: CPUActivity) { pieces.append(piece) }
  }

  /// - Parameter edit: changes the events before they are read.
  private func pieces(_ script: String, edit: (inout TraceEvent) -> Void = { _ in }) throws -> [CPUActivity] {
    let events = try TraceScript(script).events.map {
      var event = $0
      edit(&event)
      return event
    }
    let analysis = ReplayAnalysis(watched: [:], recordedKinds: Set(EventKind.allCases), sink: Collector())
    var settings = HistorySettings()
    settings.recordedKinds = Set(EventKind.allCases)
    settings.cpus = [0, 1]
    var tap = ActivityTap(HistoryBuilder(settings: settings, names: ScriptNames(), consumer: analysis), analysis)
    tap.consume(events.span, maskWords: [UInt64]().span)
    tap.finish()
    return analysis.sink.pieces
  }

  private static let script = """
    1 0 switch
    10 0 handler
    11 0h run f c1
    20 0h done f c1
    21 0 return
    """

  @Test func oneTaskRunsAHandlerToItsEnd() throws {
    let pieces = try pieces(Self.script)
    #expect(pieces.map(\.step) == [.began, .began, .ended, .ended])
    #expect(pieces.map(\.nanoseconds) == [10, 11, 20, 21])
  }

  /// Another task runs than the CPU had switched to: what began before need not be what ends behind.
  @Test func aLossThatNoMarkTellsOfEndsNothing() throws {
    let pieces = try pieces(Self.script) { if $0.nanoseconds >= 20 { $0.pid = 7 } }
    #expect(pieces.map(\.step) == [.beganOnly, .beganOnly, .endedOnly, .endedOnly])
    #expect(pieces.map(\.unseenEnd) == [.eventsLost, .eventsLost, nil, nil])
  }

  /// The event that shows the loss lies behind it.
  @Test func whatBeginsWithTheLossIsWhole() throws {
    let pieces = try pieces(
      """
      1 0 switch
      10 0 handler
      20 0 handler
      21 0 return
      """
    ) { if $0.nanoseconds >= 20 { $0.pid = 7 } }
    #expect(pieces.map(\.step) == [.beganOnly, .began, .ended])
    #expect(pieces.first?.unseenEnd == .eventsLost)
  }
}
