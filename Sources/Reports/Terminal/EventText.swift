public import TraceTypes

/// Prints events as lines of text, for looking at what was decoded.
public struct EventText: Sendable {
  private let names: any AddressNaming
  private let commands: [Int32: String]

  /// - Parameters:
  ///   - names: for addresses.
  ///   - commands: names for tasks.
  public init(names: any AddressNaming, commands: [Int32: String] = [:]) {
    self.names = names
    self.commands = commands
  }

  /// One event as one line without a newline: time in seconds, CPU, context, task, event, fields.
  /// - Parameter maskWords: the words that came with the event.
  public func line(for event: TraceEvent, maskWords: Span<UInt64>) -> String {
    let command = event.pid == 0 ? "<idle>" : commands[event.pid] ?? "<...>"
    let head =
      "\(Self.seconds(event.nanoseconds)) [\(Self.padded(UInt64(event.cpu), to: 3))] \(Self.letters(event.flags)) "
      + "\(VisibleText.escape(command))-\(event.pid) \(event.kind.qualifiedName)"
    return ([head] + fields(of: event, maskWords: maskWords)).joined(separator: " ")
  }

  /// One gap as one line without a newline.
  public func line(for gap: TraceGap) -> String {
    let after = gap.afterNanoseconds.map(Self.seconds) ?? "the beginning"
    let before = gap.beforeNanoseconds.map(Self.seconds) ?? "the end"
    let lost = gap.lostEvents.map { "\($0)" } ?? "an unknown number of"
    return "\(after) [\(Self.padded(UInt64(gap.cpu), to: 3))] lost \(lost) events until \(before)"
  }

  private func fields(of event: TraceEvent, maskWords: Span<UInt64>) -> [String] {
    switch event.kind {
    case .csdQueueCPU:
      [
        "cpu=\(event.target)", "callsite=\(place(event.callsite))", "func=\(place(event.function))",
        "csd=\(Self.hexadecimal(event.csd))",
      ]
    case .csdFunctionEntry, .csdFunctionExit:
      ["func=\(place(event.function))", "csd=\(Self.hexadecimal(event.csd))"]
    case .ipiSendCPU:
      ["cpu=\(event.target)", "callsite=\(place(event.callsite))", "callback=\(place(event.function))"]
    case .ipiSendCPUMask, .ipiRaise:
      [
        "cpumask=\(cpus(of: event, maskWords: maskWords))", "callsite=\(place(event.callsite))",
        "callback=\(place(event.function))",
      ]
    case .schedWakeIdleWithoutIPI: ["cpu=\(event.target)"]
    case .schedSwitch:
      ["prev_pid=\(event.detail)", "next_comm=\(VisibleText.escape(Self.comm(of: event)))", "next_pid=\(event.target)"]
    case .cpuIdle: ["state=\(event.detail)", "cpu_id=\(event.target)"]
    case .cpuhpEnter, .cpuhpMultiEnter:
      [
        "cpu=\(event.target)", "target=\(Int64(bitPattern: event.callsite))", "step=\(event.detail)",
        "fun=\(place(event.function))",
      ]
    case .cpuhpExit:
      [
        "cpu=\(event.target)", "state=\(Int64(bitPattern: event.callsite))", "step=\(event.detail)",
        "ret=\(Int64(bitPattern: event.function))",
      ]
    case .ipiEntry, .ipiExit, .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit,
      .rescheduleEntry, .rescheduleExit, .irqWorkEntry, .irqWorkExit, .other:
      []
    }
  }

  private func place(_ address: UInt64) -> String { VisibleText.escape(names.text(address)) }

  private func cpus(of event: TraceEvent, maskWords: Span<UInt64>) -> String {
    let first = Int(event.target)
    let (end, overflow) = first.addingReportingOverflow(Int(event.detail))
    guard !overflow, first >= 0, event.detail >= 0, end <= maskWords.count else { return "?" }
    var mask = CPUMask()
    for index in first..<end {
      for bit in 0..<64 where maskWords[index] >> UInt64(bit) & 1 == 1 {
        let cpu = (index - first) * 64 + bit
        if cpu <= CPUMask.highestCPU { mask.insert(cpu) }
      }
    }
    return mask.list
  }

  // MARK: Parts of a line

  static func seconds(_ nanoseconds: UInt64) -> String {
    "\(nanoseconds / 1_000_000_000).\(padded(nanoseconds % 1_000_000_000, to: 9))"
  }

  private static func padded(_ value: UInt64, to width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private static func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

  /// Interrupts off, need to reschedule, interrupt level: as in ftrace's text.
  private static func letters(_ flags: ContextFlags) -> String {
    let interrupts = flags.contains(.interruptsOff) ? "d" : flags.contains(.bottomHalvesOff) ? "b" : "."
    let reschedule: String =
      switch (flags.contains(.needReschedule), flags.contains(.preemptReschedule)) {
      case (true, true): "N"
      case (true, false): "n"
      case (false, true): "p"
      case (false, false): "."
      }
    let level: String =
      if flags.contains(.nonMaskableInterrupt) {
        flags.contains(.hardInterrupt) ? "Z" : "z"
      } else if flags.contains(.hardInterrupt) {
        flags.contains(.softInterrupt) ? "H" : "h"
      } else {
        flags.contains(.softInterrupt) ? "s" : "."
      }
    return interrupts + reschedule + level
  }

  /// The name in a `schedSwitch` event, up to its zero byte.
  private static func comm(of event: TraceEvent) -> String {
    let bytes = [event.csd, event.function].flatMap { word in (0..<8).map { UInt8(word >> ($0 * 8) & 0xff) } }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
