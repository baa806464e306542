import CallHistories
import Drivers
import TestSupport
import Testing
import TraceTypes
import Verdicts

/// What the captures of `fixtures/captures` have to come to, whatever they hold in detail.
@Suite struct CaptureVerdictTests {
  @Test func thereAreCaptures() {
    #expect(CapturedTrace.names.count >= 4)
  }

  @Test(arguments: CapturedTrace.names) func nothingDivergesAndAllIsAccountedFor(_ name: String) throws {
    let trace = try Captures.named(name)
    let replay = CaptureReplay(trace)
    #expect(replay.found.isEmpty, "\(replay.summary)")
    // A kernel without csd events shows no calls, and nothing is said of them.
    let hasCalls = !name.hasSuffix("no-csd.dat")
    #expect(replay.verdict.result == (hasCalls ? .conforms : .undecided))
    #expect(replay.addsUp)
    // Counted without the builder.
    #expect(replay.verdict.accounting.queued == UInt64(trace.events.count { $0.kind == .csdQueueCPU }))
    #expect(replay.verdict.accounting.queued > 500 || !hasCalls)
    let entries = trace.events.count { $0.kind == .csdFunctionEntry && $0.csd == 0 }
    #expect(replay.verdict.accounting.local == UInt64(entries))
  }

  @Test(arguments: ["host-6.18-2cpu.dat", "guest-6.12-8cpu-hotplug.dat", "guest-6.12-idle-poll.dat"])
  func atLeast99PercentAreJudged(_ name: String) throws {
    let replay = CaptureReplay(try Captures.named(name))
    let verdict = replay.verdict
    #expect(verdict.judged * 100 >= verdict.accounting.queued * 99, "\(verdict.accounting)")
    // There the idle task of one CPU shows nothing of what it does outside interrupts.
    #expect(replay.statistics.silentLosses.isEmpty == !name.hasPrefix("host"))
  }

  @Test func lossWindowsAreNamed() throws {
    let trace = try Captures.overrun.get()
    let windows = CaptureReplay(trace).verdict.lossWindows
    #expect(!windows.isEmpty)
    for window in windows {
      #expect(trace.cpus.contains(window.cpu))
      let start = try #require(window.startNanoseconds)
      let end = try #require(window.endNanoseconds)
      #expect(start <= end)
      // The ends are events of that CPU, next to each other.
      let times = trace.events.filter { Int($0.cpu) == window.cpu }.map(\.nanoseconds)
      #expect(zip(times, times.dropFirst()).contains { $0 == start && $1 == end })
    }
    // The README says that every CPU lost events, and that both sorts of gaps occur.
    #expect(Set(windows.map(\.cpu)) == Set(trace.cpus))
    #expect(windows.contains { $0.lostEvents == nil } && windows.contains { $0.lostEvents != nil })
  }
}
