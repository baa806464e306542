import TestSupport
import Testing
import Verdicts

@testable import Drivers

@Suite struct KernelLogTests {
  private static func log(_ text: String) -> [KernelLog.Report] { KernelLog(Array(text.utf8)).reports }

  private static let detected =
    "smp: csd: Detected non-responsive CSD lock (#1) on CPU#3, waiting 5000000016 ns for CPU#05 do_nothing+0x0/0x10(0x0)."

  @Test func allThatIsSaidOfOneLock() throws {
    let reports = Self.log(
      """
      [    0.000000] Linux version 6.12.38
      [  105.000123] \(Self.detected)
      [  105.000130] smp: \tcsd: CSD lock (#1) unresponsive.
      [  105.000140] smp: csd: Re-sending CSD lock (#1) IPI from CPU#03 to CPU#05
      [  105.100000] CPU: 3 UID: 0 PID: 1 Comm: init Not tainted
      [  110.000123] smp: csd: Continued non-responsive CSD lock (#1) on CPU#3, waiting 10000000016 ns for CPU#05 do_nothing+0x0/0x10(0x0).
      [  110.000130] smp: \tcsd: CSD lock (#1) handling prior flush_tlb_func+0x0/0x2a0 [kvm](init_mm+0x0/0x400) request.
      [  111.000130] smp: csd: CSD lock (#1) got unstuck on CPU#03, CPU#05 released the lock.
      """)
    var expected = KernelLog.Report(kind: .lockWait, line: 2, nanoseconds: 110_000_123_000, bug: 1)
    expected.waitingCPU = 3
    expected.targetCPU = 5
    expected.callback = "do_nothing"
    expected.waitedNanoseconds = 10_000_000_016
    expected.continued = 1
    expected.resentIPIs = 1
    expected.activity = .handlingPrior("flush_tlb_func")
    expected.unstuck = true
    #expect(reports == [expected])
  }

  @Test(
    arguments: [
      ("[  105.000123] ", 105_000_123_000), ("<1>[  105.000123] ", 105_000_123_000),
      ("[  105.000123][    T1] ", 105_000_123_000), ("[  105.000123] [   T12] ", 105_000_123_000),
      ("1,812,105000123,-;", 105_000_123_000), ("Nov 21 18:31:14 host kernel: ", nil),
      ("Nov 21 18:31:14 host kernel: [  105.000123] ", 105_000_123_000), ("[Sat Nov 21 18:31:14 2026] ", nil),
      ("2026-11-21T18:31:14,000123+00:00 ", nil), ("[99999999999999999999.000001] ", nil),
      ("[18446744074.000001] ", nil), ("", nil),
    ] as [(String, UInt64?)])
  func stampsOfAllKinds(_ prefix: String, _ time: UInt64?) throws {
    for end in ["", "\r", "\n", "\r\n"] {
      let report = try #require(Self.log(prefix + Self.detected + end).first)
      #expect(report.nanoseconds == time && report.waitingCPU == 3 && report.targetCPU == 5, "\(prefix)")
      #expect(report.callback == "do_nothing" && report.waitedNanoseconds == 5_000_000_016)
    }
  }

  @Test func anotherBootCountsFromOneAgain() {
    let reports = Self.log("\(Self.detected)\n\(Self.detected)\ncsd: CSD lock (#1) unresponsive.\n")
    #expect(reports.map(\.line) == [1, 2] && reports.map(\.activity) == [nil, .unresponsive])
  }

  @Test func callbacksForOfflineCPUs() {
    let reports = Self.log(
      "[ 1.000000] WARNING: IPI on offline CPU 7\n[ 1.000001] IPI callback do_nothing+0x0/0x10 sent to offline CPU\n"
        + "IPI task-wakeup sent to offline CPU\nIPI callback, unknown type 3, sent to offline CPU\n")
    #expect(reports.count == 1)
    #expect(reports.first?.kind == .offlineCallback && reports.first?.targetCPU == 7)
    #expect(reports.first?.callback == "do_nothing")
  }

  @Test(arguments: [
    "csd:", "csd: ", "csd: CSD lock (#", "csd: CSD lock (#1) ", "csd: CSD lock (#99) unresponsive.",
    "csd: Detected non-responsive CSD lock (#-1) on CPU#3, waiting 5 ns for CPU#05 f(0).",
    "csd: Detected non-responsive CSD lock (#99999999999999999999) on CPU#3",
    "csd: Detected non-responsive CSD lock (#1) on CPU#", "csd: Re-sending CSD lock (#1) IPI from CPU#03 to CPU#05",
    "IPI callback ", "IPI on offline CPU ",
  ])
  func piecesSayNothing(_ line: String) { #expect(Self.log(line).isEmpty) }

  @Test func whatIsMissingIsUnknown() throws {
    let report = try #require(
      Self.log("csd: Detected non-responsive CSD lock (#1) on CPU#3, waiting -5 ns for CPU#-1 f(0).").first)
    #expect(report.waitedNanoseconds == nil && report.targetCPU == nil && report.callback == nil)
  }

  @Test func hostileBytes() {
    var random = RepeatableRandom.forTest()
    let words = [
      "csd: ", "Detected non-responsive CSD lock (#", "1", ") on CPU#", ", waiting ", " ns for CPU#", "\u{0}", "\n",
      "99999999999999999999", "[", "]", ".", " 000001", "CSD lock (#", "handling prior ", " request", "\u{fffd}", "é",
      "IPI callback ", " sent to offline CPU", "got unstuck", "-",
    ]
    for _ in 0..<2_000 {
      var bytes: [UInt8] = []
      for _ in 0..<random.below(40) {
        bytes += random.chance(0.8) ? Array(words[random.below(words.count)].utf8) : [UInt8(random.below(256))]
      }
      let log = KernelLog(bytes)
      #expect(log.reports.count <= KernelLog.keptReports, "seed \(random.seed)")
    }
    let long = Array(repeating: UInt8(ascii: "c"), count: 1 << 20) + Array("\n\(Self.detected)\n".utf8)
    #expect(KernelLog(long).reports.map(\.line) == [2])
    let many = Array(String(repeating: Self.detected + "\n", count: 1_000).utf8)
    #expect(KernelLog(many).reports.count == KernelLog.keptReports && KernelLog(many).dropped == 800)
  }
}

@Suite struct KernelReportTests {
  private static func report(
    _ line: String, trace: String = StuckCallTests.hang, clock: String? = "local"
  ) throws -> KernelReport {
    let replay = try BlockingReplay(trace, names: ["hang", "f"], log: line, clock: clock)
    return try #require(replay.summary.kernelReports?.first)
  }

  private static func line(_ stamp: String, cpu: Int = 0, waited: Int = 9_990_000, callback: String = "f") -> String {
    "\(stamp)smp: csd: Detected non-responsive CSD lock (#1) on CPU#\(cpu), waiting \(waited) ns for CPU#01"
      + " \(callback)+0x0/0x10(0x0)."
  }

  @Test func aStuckCallIsFoundByItsTime() throws {
    let report = try Self.report(Self.line("[    0.010000] "))
    let call = try #require(report.call)
    #expect(report.absence == nil && report.waitingCPU == 0 && report.targetCPU == 1 && report.callback == "f")
    #expect(call.queuedNanoseconds == 2_000 && call.kickNanoseconds == 2_100 && call.foundByTime)
    #expect(call.outcome == .pending && call.startedNanoseconds == nil && call.comm == "task100")
    #expect(call.targetState?.callback == "hang" && call.targetState?.callbackSinceNanoseconds == 1_100)
    #expect(call.sourceState?.cpu == 0)
    #expect(call.evidence?.events == 0)
  }

  @Test func withoutAStampByItsLength() throws {
    let report = try Self.report(Self.line("[Sat Nov 21 18:31:14 2026] ", waited: 49_000_000))
    #expect(report.call?.queuedNanoseconds == 2_000 && report.call?.foundByTime == false)
    let other = try Self.report(Self.line("[    0.010000] ", waited: 49_000_000), clock: "mono")
    #expect(other.call?.foundByTime == false)
  }

  @Test func aCallThatRanLate() throws {
    let trace = """
      1000000 0 queue 1 slow h single
      1001000 0 ipi 1
      1002000 0 switch
      1100000 2 queue 1 f a single
      1200000 2 switch
      2000000 1 handler
      2001000 1h run slow h
      22001000 1h done slow h
      22002000 1h run f a
      22003000 1h done f a
      22004000 1 return
      30000000 2 switch
      """
    let replay = try BlockingReplay(
      trace, names: ["slow", "f"], log: Self.line("[    0.020000] ", cpu: 2, waited: 18_800_000))
    let call = try #require(replay.summary.kernelReports?.first?.call)
    #expect(call.outcome == .ran && call.startedNanoseconds == 22_002_000 && call.endedNanoseconds == 22_003_000)
    #expect(call.cause == .callbackAhead && call.behind?.callback == "slow")
    #expect(call.behind?.delayNanoseconds == 20_000_000 && call.targetState == nil)
  }

  @Test(arguments: [
    // On the kernel's clock before the first event, and behind the last.
    (line("[    0.009000] "), KernelReport.Absence.beforeTrace), (line("[    9.000000] "), .afterTrace),
    // No such callback, CPU, or length.
    (line("[    0.010000] ", callback: "g"), .noSuchCall), (line("[    0.010000] ", cpu: 2), .noSuchCall),
    (line("", waited: 5_000_000_000), .noSuchCall), (line("[    0.010000] ", callback: ""), .noSuchCall),
    ("csd: Detected non-responsive CSD lock (#1) on CPU#3", .notNamed),
    ("IPI callback f+0x0/0x10 sent to offline CPU", .notNamed),
  ])
  func notFound(_ line: String, _ absence: KernelReport.Absence) throws {
    let report = try Self.report(line)
    #expect(report.call == nil && report.absence == absence)
  }

  @Test func withoutALogThereIsNothing() throws {
    #expect(try BlockingReplay(StuckCallTests.hang, names: []).summary.kernelReports == nil)
    #expect(try BlockingReplay(StuckCallTests.hang, names: [], log: "").summary.kernelReports == [])
  }
}
