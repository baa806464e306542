import Glibc
import Synchronization
import TestSupport
import Testing
import TraceTypes

@testable import TraceCapture

/// Recordings of the machine that runs the tests. One at a time, since an instance is named after its process.
@Suite(.serialized, .enabled(if: LiveKernel.canRecord)) struct LiveCaptureTests {
  private func record(
    _ change: (inout CaptureOptions) -> Void = { _ in }
  ) throws -> (summary: CaptureSummary, notes: [String], directory: TemporaryDirectory) {
    let directory = TemporaryDirectory()
    var options = CaptureOptions()
    options.output = directory.path + "/trace.dat"
    options.duration = CaptureDuration(milliseconds: 1_000)
    change(&options)
    let notes = Mutex<[String]>([])
    let load = CrossCallLoad()
    defer { load.stop() }
    let session = CaptureSession(options: options) { note in notes.withLock { $0.append(note) } }
    let summary = try session.run()
    #expect(!listing(LiveKernel.instances).contains("ipitrace-\(getpid())"))
    #expect(directory.names == ["trace.dat"])
    return (summary, notes.withLock { $0 }, directory)
  }

  @Test(.enabled(if: LiveKernel.hasTraceCmd && LiveKernel.hasSeveralCPUs))
  func traceCmdSeesTheSameEvents() throws {
    let (summary, notes, directory) = try record { $0.storesAllSymbols = true }
    #expect(notes == [])
    #expect(summary.events > 1_000)
    #expect(summary.exitStatus == 0)
    let report = try #require(RunningProgram.run("trace-cmd", ["report", directory.path + "/trace.dat"]))
    #expect(report.errors == "")
    var count: UInt64 = 0
    var last: Substring = ""
    var disorder = 0
    var queued = 0
    for line in report.output.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let cpu = words.firstIndex(where: { $0.hasPrefix("[0") }), words.count > cpu + 2 else { continue }
      count += 1
      // Seconds and microseconds, all of one width.
      let time = words[cpu + 1]
      if time.count == last.count, time < last { disorder += 1 }
      last = time
      if words[cpu + 2] == "csd_queue_cpu:" { queued += 1 }
    }
    #expect(count == summary.events)
    #expect(disorder == 0)
    #expect(queued > 0)
  }

  @Test(.enabled(if: LiveKernel.hasTraceCmd)) func factsAreInTheFile() throws {
    let (summary, _, directory) = try record { $0.recordsSwitches = false }
    let text = try #require(
      RunningProgram.run("trace-cmd", ["report", "--stat", directory.path + "/trace.dat"])?.output)
    let facts = try #require(CaptureFacts(text: text))
    #expect(facts == summary.facts)
    #expect(facts.enabledEvents.contains("ipi:ipi_send_cpu"))
    #expect(facts.enabledEvents.contains("sched:sched_wake_idle_without_ipi"))
    #expect(!facts.enabledEvents.contains("sched:sched_switch"))
    #expect(!facts.missingEvents.contains("sched:sched_switch"))
    #expect(facts.online?.isEmpty == false)
    #expect(facts.recorded == nil)
    #expect(facts.lostEvents.count == summary.cpus)
  }

  /// The recorder must not be in its own recording: no storm of its own making, no wakeup of a blocked reader.
  @Test(.enabled(if: LiveKernel.hasTraceCmd)) func recorderLeavesNoMarks() throws {
    // Several, as a kernel may drop what one does; see silentlyLostEvents.
    let (_, _, directory) = try record { $0.command = ["sh", "-c", "for i in 1 2 3 4 5 6; do sleep 0.1; done"] }
    let report = try #require(RunningProgram.run("trace-cmd", ["report", directory.path + "/trace.dat"])?.output)
    var thread = [CChar](repeating: 0, count: 64)
    let length = max(readlink("/proc/thread-self", &thread, thread.count), 0)
    let path = String(decoding: thread[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let own = try #require(path.split(separator: "/").last)
    // Other recorders may be at work on this machine: what counts is what these two tasks sent, not what hit them.
    let lines = report.split(separator: "\n").filter { line in
      line.split(separator: " ").first.map { $0.hasSuffix("-" + own) || $0.hasPrefix("sleep-") } ?? false
    }
    #expect(lines.contains { $0.hasPrefix("sleep-") || $0.contains(" sleep-") })
    let sent = lines.filter { $0.contains("ipi_send_cpu") || $0.contains("csd_queue_cpu") }
    #expect(sent.filter { $0.contains("rb_wake_up_waiters") || $0.contains("do_sync_core") } == [])
  }

  @Test func onlyTheCPUsAskedForAreRecorded() throws {
    let (summary, _, _) = try record { $0.cpus = CPUMask([0]) }
    #expect(summary.cpus == 1)
    #expect(summary.facts.recorded == CPUMask([0]))
    #expect(Array(summary.facts.lostEvents.keys) == [0])
  }

  @Test func failedStartLeavesNothing() throws {
    let directory = TemporaryDirectory()
    var options = CaptureOptions()
    options.output = directory.path + "/trace.dat"
    for (expected, change): (CaptureError?, (inout CaptureOptions) -> Void) in [
      (nil, { $0.clock = "sundial" }),
      (nil, { $0.cpus = CPUMask([CPUMask.highestCPU]) }),
      (nil, { $0.bufferSize = BufferSize(kibibytes: (1 << 30) - 1) }),
      (.commandNotFound("no-such-program"), { $0.command = ["no-such-program"] }),
      (.commandNotStarted("/etc/passwd", EACCES), { $0.command = ["/etc/passwd"] }),
    ] {
      var changed = options
      change(&changed)
      let error = #expect(throws: CaptureError.self) { try CaptureSession(options: changed) { _ in }.run() }
      if let expected { #expect(error == expected) }
      #expect(error?.description.hasSuffix(".") == true)
      #expect(!listing(LiveKernel.instances).contains("ipitrace-\(getpid())"))
      #expect(directory.names == [])
    }
  }

  /// Of all symbols, those chosen name any address as the whole list would.
  @Test func chosenSymbolsNameAddressesAsAllWould() throws {
    let text = try #require(TextFile.bytes("/proc/kallsyms"))
    let all = Self.parse(text)
    try #require(!all.isEmpty)
    var generator = SystemRandomNumberGenerator()
    let addresses = Set((0..<200).map { _ in all[Int.random(in: 0..<all.count, using: &generator)].address &+ 1 })
    let chosen = Self.parse(KernelSymbols(text, named: []).lines(addresses: addresses))
    #expect(chosen.count <= 2 * addresses.count)
    for address in addresses {
      #expect(Self.symbol(of: address, in: chosen) == Self.symbol(of: address, in: all))
    }
  }

  /// The simplest thing that can be right: the nearest below, the first of equals.
  private static func symbol(of address: UInt64, in symbols: [(address: UInt64, name: Substring)]) -> Substring? {
    var best: (address: UInt64, name: Substring)?
    for symbol in symbols where symbol.address <= address {
      if best.map({ $0.address < symbol.address }) ?? true { best = symbol }
    }
    return best?.name
  }

  private static func parse(_ text: [UInt8]) -> [(address: UInt64, name: Substring)] {
    String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count == 3, words[1] != "A", words[1] != "a", let address = UInt64(words[0], radix: 16), address != 0
      else { return nil }
      return (address, words[2])
    }
  }
}
