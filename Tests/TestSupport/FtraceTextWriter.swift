public import TraceDecoding
public import TraceTypes

/// Writes a trace as ftrace prints it, so that what a test altered can be read back as text.
public struct FtraceTextWriter {
  public enum Form: String, CaseIterable, Sendable {
    /// The file `trace` of tracefs, but with nanoseconds.
    case nanoseconds
    /// The file `trace` of tracefs.
    case tracefs
    /// The same with the option latency-format.
    case latency
    /// The same without the option irq-info.
    case withoutContext
  }

  public var form: Form
  private let names: any AddressNaming
  private var bytes: [UInt8] = []

  public init(form: Form, names: any AddressNaming) {
    self.form = form
    self.names = names
  }

  /// The whole text, with marks where events were lost.
  public static func text(_ trace: CapturedTrace, form: Form) -> [UInt8] {
    var writer = FtraceTextWriter(form: form, names: trace.symbols)
    writer.put("# tracer: nop\n#\n# entries-in-buffer/entries-written: \(trace.events.count)/\(trace.events.count)")
    writer.put("   #P:\((trace.cpus.max() ?? 0) + 1)\n#\n")
    var gaps: [UInt16: [TraceGap]] = Dictionary(grouping: trace.gaps, by: \.cpu)
    for event in trace.events {
      if let gap = gaps[event.cpu]?.first, let before = gap.beforeNanoseconds, event.nanoseconds >= before,
        event.nanoseconds > gap.afterNanoseconds ?? 0
      {
        gaps[event.cpu]?.removeFirst()
        writer.put(mark: gap)
      }
      writer.put(event, trace.maskWords)
    }
    for cpu in gaps.keys.sorted() { for gap in gaps[cpu] ?? [] { writer.put(mark: gap) } }
    return writer.bytes
  }

  private mutating func put(_ text: String) { bytes += text.utf8 }

  private mutating func put(mark gap: TraceGap) {
    put("CPU:\(gap.cpu) [LOST \(gap.lostEvents.map { "\($0) " } ?? "")EVENTS]\n")
  }

  private mutating func put(_ event: TraceEvent, _ maskWords: [UInt64]) {
    let command = event.pid == 0 ? "<idle>" : "task \(event.pid)"
    let flags = form == .withoutContext ? "" : Self.letters(event.flags)
    let micros = (event.nanoseconds + 500) / 1000
    switch form {
    case .latency:
      put("\(Self.padded(String(command.prefix(8)), 8))-\(event.pid)".padded(to: 17))
      put("\(Self.padded("\(event.cpu)", 3))\(flags) \(micros)us : ")
    case .nanoseconds:
      put(
        "\(Self.padded(command, 16))-\(event.pid)".padded(to: 24) + " [\(Self.zeros(UInt64(event.cpu), 3))] \(flags) ")
      put("\(event.nanoseconds / 1_000_000_000).\(Self.zeros(event.nanoseconds % 1_000_000_000, 9)): ")
    case .tracefs, .withoutContext:
      put(
        "\(Self.padded(command, 16))-\(event.pid)".padded(to: 24) + " [\(Self.zeros(UInt64(event.cpu), 3))] \(flags) ")
      put("\(micros / 1_000_000).\(Self.zeros(micros % 1_000_000, 6)): ")
    }
    put("\(event.kind.name): \(fields(event, maskWords))\n")
  }

  private func fields(_ event: TraceEvent, _ maskWords: [UInt64]) -> String {
    switch event.kind {
    case .csdQueueCPU:
      "cpu=\(event.target) callsite=\(place(event.callsite)) func=\(symbol(event.function)) csd=\(Self.hashed(event.csd))"
    case .csdFunctionEntry, .csdFunctionExit: "func=\(symbol(event.function)), csd=\(Self.hashed(event.csd))"
    case .ipiSendCPU:
      "cpu=\(event.target) callsite=\(place(event.callsite)) callback=\(place(event.function))"
    case .ipiSendCPUMask:
      "cpumask=\(Self.mask(event, maskWords)) callsite=\(place(event.callsite)) callback=\(place(event.function))"
    case .ipiRaise: "target_mask=\(Self.mask(event, maskWords)) (Function call interrupts)"
    case .schedWakeIdleWithoutIPI: "cpu=\(event.target)"
    case .schedSwitch:
      "prev_comm=a b prev_pid=\(event.detail) prev_prio=120 prev_state=R+ ==> next_comm=\(Self.name(event)) "
        + "next_pid=\(event.target) next_prio=120"
    case .cpuIdle: "state=\(UInt32(bitPattern: event.detail)) cpu_id=\(event.target)"
    case .cpuhpEnter, .cpuhpMultiEnter:
      "cpu: \(Self.zeros(UInt64(event.target), 4)) target: \(Self.padded("\(Int64(bitPattern: event.callsite))", 3)) "
        + "step: \(Self.padded("\(event.detail)", 3)) (\(symbol(event.function)))"
    case .cpuhpExit:
      " cpu: \(Self.zeros(UInt64(event.target), 4))  state: \(Self.padded("\(Int64(bitPattern: event.callsite))", 3)) "
        + "step: \(Self.padded("\(event.detail)", 3)) ret: \(Int64(bitPattern: event.function))"
    case .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit, .rescheduleEntry,
      .rescheduleExit, .irqWorkEntry, .irqWorkExit:
      "vector=251"
    case .ipiEntry, .ipiExit: "(Timer broadcast interrupts)"
    case .other: ""
    }
  }

  /// As `%pS` prints it.
  private func place(_ address: UInt64) -> String {
    if address == 0 { return "0x0" }
    guard names.symbolName(containing: address) != nil else { return "0x" + String(address, radix: 16) }
    let text = names.text(address)
    return text.contains("+") ? "\(text)/0xfff0" : "\(text)+0x0/0xfff0"
  }

  /// As `%ps` prints it.
  private func symbol(_ address: UInt64) -> String {
    names.symbolName(containing: address) ?? "0x" + String(address, radix: 16)
  }

  /// As `%p` prints it: another number, but a different one for a different pointer, and 0 for 0.
  public static func hashed(_ pointer: UInt64) -> String { zeros(pointer &* 0x9e37_79b9_7f4a_7c15, 16, radix: 16) }

  private static func mask(_ event: TraceEvent, _ words: [UInt64]) -> String {
    let own = words[Int(event.target)..<Int(event.target) + Int(event.detail)]
    return own.reversed().map { "\(zeros($0 >> 32, 8, radix: 16)),\(zeros($0 & 0xffff_ffff, 8, radix: 16))" }
      .joined(separator: ",")
  }

  private static func name(_ event: TraceEvent) -> String {
    let bytes = [event.csd, event.function].flatMap { word in (0..<8).map { UInt8(word >> ($0 * 8) & 0xff) } }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The kernel's letters: `trace_print_lat_fmt()`.
  private static func letters(_ flags: ContextFlags) -> String {
    let interrupts =
      switch (flags.contains(.interruptsOff), flags.contains(.bottomHalvesOff)) {
      case (true, true): "D"
      case (true, false): "d"
      case (false, true): "b"
      case (false, false): "."
      }
    let reschedule =
      switch (flags.contains(.needReschedule), flags.contains(.preemptReschedule)) {
      case (true, true): "N"
      case (true, false): "n"
      case (false, true): "p"
      case (false, false): "."
      }
    let level =
      switch (flags.contains(.nonMaskableInterrupt), flags.contains(.hardInterrupt), flags.contains(.softInterrupt)) {
      case (true, true, _): "Z"
      case (true, false, _): "z"
      case (false, true, true): "H"
      case (false, true, false): "h"
      case (false, false, true): "s"
      case (false, false, false): "."
      }
    return interrupts + reschedule + level + "1."
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.utf8.count)) + text
  }

  private static func zeros(_ value: UInt64, _ width: Int, radix: Int = 10) -> String {
    let digits = String(value, radix: radix)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - utf8.count)) }
}

/// A text, read.
public struct ReadText {
  public var collector = EventCollector()
  public var outcome: TextOutcome
  public var text: TextTrace

  /// Reads a text of ftrace in a file.
  public init(path: String) throws {
    guard case .text(let text) = try AnyTrace(path: path) else { throw Fixtures.Missing(path: path) }
    self.text = text
    outcome = try text.drain(into: &collector)
  }

  public init(_ bytes: [UInt8]) throws {
    let scratch = ScratchFile(bytes)
    self = try withExtendedLifetime(scratch) { try ReadText(path: scratch.path) }
  }

  /// The counter of this name, summed over the CPUs.
  public func health(_ name: String) -> UInt64 {
    outcome.health.items.filter { $0.name == name }.reduce(0) { $0 + $1.count }
  }
}
