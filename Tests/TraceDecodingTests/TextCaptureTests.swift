import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// The captures as `trace-cmd report` prints them hold the events that are in them.
@Suite struct TextCaptureTests {
  /// An event by what text and file have in common: names instead of addresses.
  struct NamedEvent: Equatable {
    var nanoseconds: UInt64
    var cpu: UInt16
    var kind: EventKind
    var pid: Int32
    var level: ContextLevel
    var interruptsOff: Bool
    var csd: UInt64
    var function: String
    var callsite: String
    var target: Int32
    var detail: Int32
    var mask: [UInt64]

    init(_ event: TraceEvent, mask: [UInt64]?, names: any AddressNaming) {
      let hasAddresses =
        switch event.kind {
        case .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU, .ipiSendCPUMask: true
        default: false
        }
      nanoseconds = event.nanoseconds
      cpu = event.cpu
      kind = event.kind
      pid = event.pid
      level = event.flags.level
      interruptsOff = event.flags.contains(.interruptsOff)
      csd = event.csd
      let isStep = event.kind == .cpuhpEnter || event.kind == .cpuhpMultiEnter
      // What has no name there may have one here: %ps of trace-cmd takes any symbol before the address.
      let function = hasAddresses || isStep ? names.text(event.function) : "\(event.function)"
      self.function = function.hasPrefix("0x") ? "" : function
      callsite = hasAddresses ? names.text(event.callsite) : "\(event.callsite)"
      target = mask == nil ? event.target : 0
      detail = mask == nil ? event.detail : 0
      // The text has no words for the CPUs behind the last.
      self.mask =
        CPUMask(
          (mask ?? []).enumerated().flatMap { word in
            (0..<64).filter { word.element >> UInt64($0) & 1 == 1 }.map { word.offset * 64 + $0 }
          }
        ).words
    }
  }

  private func sorted(_ collector: EventCollector, names: any AddressNaming, divisor: UInt64 = 1) -> [NamedEvent] {
    let events = collector.events.enumerated().map {
      NamedEvent($0.element, mask: collector.masks[$0.offset], names: names)
    }
    return events.enumerated().sorted {
      ($0.element.cpu, $0.offset) < ($1.element.cpu, $1.offset)
    }.map(\.element)
  }

  private func report(_ name: String, _ options: String) throws -> ReadText {
    let path = Fixtures.path("captures/" + name)
    let text = try #require(
      TestEnvironment.output(of: "trace-cmd report \(options) -i '\(path)' 2>/dev/null"),
      "trace-cmd is not installed, or fails")
    return try ReadText(Array(text.utf8))
  }

  @Test(arguments: CapturedTrace.names, ["-t -l", "-t -N", "-l -N", ""])
  func asTraceCmdPrintsThem(_ name: String, _ options: String) throws {
    let file = try TraceFile(path: Fixtures.path("captures/" + name))
    let (collector, stream) = try EventCollector.collect(file)
    let read = try report(name, options)
    let hasContext = options.contains("-l")
    let isExact = options.contains("-t")
    #expect(read.text.contextIsRecorded == hasContext)
    #expect(read.text.timeErrorNanoseconds == (isExact ? 0 : 1000))
    #expect(read.outcome.eventCounts == stream.eventCounts)
    #expect(read.outcome.lostEvents == stream.lostEvents)
    #expect(read.outcome.gaps.count == stream.gaps.count)
    if isExact { #expect(Set(read.outcome.gaps) == Set(stream.gaps)) }

    var theirs = sorted(read.collector, names: read.text.names)
    var ours = sorted(collector, names: file.symbols)
    try #require(theirs.count == ours.count)
    var differences = 0
    for index in ours.indices {
      if !isExact { ours[index].nanoseconds = (ours[index].nanoseconds + 500) / 1000 * 1000 }
      if !hasContext {
        (ours[index].level, ours[index].interruptsOff) = (.task, false)
        (theirs[index].level, theirs[index].interruptsOff) = (.task, false)
      }
      if theirs[index].function.isEmpty || ours[index].function.isEmpty {
        (theirs[index].function, ours[index].function) = ("", "")
      }
      guard ours[index] != theirs[index] else { continue }
      differences += 1
      if differences < 4 { Issue.record("\(ours[index]) is \(theirs[index])") }
    }
    #expect(differences == 0)
    #expect(read.text.commands[0] == "<idle>")
    #expect(read.outcome.health.items.allSatisfy { $0.name.hasPrefix("lostEvents") || $0.name == "contextNotRecorded" })
  }

  /// Where a text has no contexts, those that are given are right.
  @Test(arguments: CapturedTrace.names) func whatIsSaidOfContextsIsTrue(_ name: String) throws {
    let (collector, _) = try EventCollector.collect(TraceFile(path: Fixtures.path("captures/" + name)))
    let read = try report(name, "-t")
    func byCPU(_ events: [TraceEvent]) -> [TraceEvent] {
      events.enumerated().sorted { ($0.element.cpu, $0.offset) < ($1.element.cpu, $1.offset) }.map(\.element)
    }
    var known = 0
    for (truth, event) in zip(byCPU(collector.events), byCPU(read.collector.events)) where !event.flags.isUnknown {
      known += 1
      guard event.flags.level != truth.flags.level || !truth.flags.isSuperset(of: event.flags) else { continue }
      Issue.record("\(truth) is \(event)")
      break
    }
    #expect(known * 3 > read.collector.events.count)
  }

  /// What is printed of a part of the CPUs is that part.
  @Test func partOfTheCPUs() throws {
    let read = try report("guest-6.12-8cpu-hotplug.dat", "--cpu 1,2 -t")
    #expect(Set(read.collector.events.map(\.cpu)) == [1, 2])
    #expect(read.text.cpus == Array(0..<8))
  }
}
