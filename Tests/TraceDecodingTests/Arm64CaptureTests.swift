import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// The capture of an arm64 kernel, whose interrupts are told apart by a string that each record points to.
@Suite struct Arm64CaptureTests {
  static let path = Fixtures.path("captures/guest-arm64-6.12-hotplug.dat")

  /// What trace-cmd prints of each `ipi_entry`, `ipi_exit` and `ipi_raise`, by `CPU EVENT TEXT`, with the number of times.
  private static func reported() throws -> [String: Int] {
    let text = try #require(
      TestEnvironment.output(of: "trace-cmd report -N -t -i '\(path)' 2>/dev/null"),
      "trace-cmd is not installed, or fails")
    var result: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      for event in ["ipi_entry", "ipi_exit", "ipi_raise"] {
        guard let place = line.firstRange(of: " \(event): "), let open = line.firstIndex(of: "["),
          let cpu = Int(line[line.index(after: open)...].prefix { $0 != "]" })
        else { continue }
        let words = line[place.upperBound...].split(separator: " ").joined(separator: " ")
        result["\(cpu) \(event) \(words)", default: 0] += 1
      }
    }
    return result
  }

  @Test func handlersAreWhatTheirReasonsSay() throws {
    let file = try TraceFile(path: Self.path)
    let (collector, _) = try EventCollector.collect(file)
    let texts: [EventKind: String] = [
      .callFunctionEntry: "ipi_entry (Function call interrupts)",
      .callFunctionExit: "ipi_exit (Function call interrupts)",
      .rescheduleEntry: "ipi_entry (Rescheduling interrupts)",
      .rescheduleExit: "ipi_exit (Rescheduling interrupts)",
      .irqWorkEntry: "ipi_entry (IRQ work interrupts)", .irqWorkExit: "ipi_exit (IRQ work interrupts)",
    ]
    var ours: [String: Int] = [:]
    for event in collector.events {
      if let text = texts[event.kind] { ours["\(event.cpu) \(text)", default: 0] += 1 }
    }
    let theirs = try Self.reported().filter { !$0.key.contains("ipi_raise") }
    #expect(ours == theirs)
    #expect(Set(ours.keys.map { $0.drop { $0 != "(" } }).count == 3, "all three reasons occur")
    // No reason is left over, and nothing is read as an event of x86's that this kernel does not have.
    let others: Set<EventKind> = [.ipiEntry, .ipiExit, .callFunctionSingleEntry, .callFunctionSingleExit]
    #expect(!collector.events.contains { others.contains($0.kind) })
    #expect(!file.formats.contains { $0.qualifiedName.hasPrefix("irq_vectors:") })
  }

  @Test func raisesNameTheirTargets() throws {
    let (collector, _) = try EventCollector.collect(try TraceFile(path: Self.path))
    var ours: [String: Int] = [:]
    for (index, event) in collector.events.enumerated() where event.kind == .ipiRaise {
      let mask = try #require(collector.masks[index]?.first)
      let digits = String(mask, radix: 16)
      ours["\(event.cpu) \(String(repeating: "0", count: 8 - digits.count))\(digits)", default: 0] += 1
    }
    var theirs: [String: Int] = [:]
    for (line, count) in try Self.reported() where line.contains("ipi_raise") {
      // `0 ipi_raise target_mask=00000000,00000002 (Function call interrupts)`
      let words = line.split(separator: " ")
      let mask = try #require(words[2].split(separator: ",").last)
      theirs["\(words[0]) \(mask)", default: 0] += count
    }
    #expect(ours == theirs)
    #expect(!ours.isEmpty)
  }

  /// Each send is followed, in its own context, by an `ipi_raise` with the same targets.
  @Test func everySendIsRaised() throws {
    let (collector, _) = try EventCollector.collect(try TraceFile(path: Self.path))
    var waiting: [UInt32: UInt64] = [:]
    var raised = 0
    for (index, event) in collector.events.enumerated() {
      let context = UInt32(event.cpu) << 8 | UInt32(event.flags.level.rawValue)
      switch event.kind {
      case .ipiSendCPU: waiting[context] = 1 << UInt64(event.target)
      case .ipiSendCPUMask: waiting[context] = collector.masks[index]?.first
      case .ipiRaise:
        #expect(waiting.removeValue(forKey: context) == collector.masks[index]?.first, "at \(event.nanoseconds)")
        raised += 1
      default: break
      }
    }
    #expect(waiting.isEmpty)
    #expect(raised == collector.events.count { $0.kind == .ipiSendCPU || $0.kind == .ipiSendCPUMask })
  }

  /// Kernels of arm64 have pages of 4, 16 or 64 KiB, and so have the pages of their ring buffers.
  @Test(arguments: [4096, 16384, 65536], [6, 7])
  func pagesOfAnySize(_ pageSize: Int, _ version: Int) throws {
    let (collector, _) = try EventCollector.collect(try TraceFile(path: Self.path))
    var maskWords: [UInt64] = []
    var events: [TraceEvent] = []
    for (index, event) in collector.events.enumerated() {
      // Reasons are lost in decoding, so the handlers of this test are x86's; those of arm64 have one of their own above.
      var copy = event
      if let mask = collector.masks[index] {
        copy.target = Int32(maskWords.count)
        maskWords += mask
      }
      events.append(copy)
    }
    let builder = TraceFileBuilder(events: events, maskWords: maskWords, version: version, pageSize: pageSize)
    let file = try builder.open()
    let (again, stream) = try EventCollector.collect(file)
    #expect(again.gaps.isEmpty && stream.health.items.isEmpty, "\(stream.health.items)")
    #expect(SeenEvent.all(again) == SeenEvent.all(collector))
  }
}
