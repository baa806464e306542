public import TraceTypes

/// A trace written down by hand, one event a line:
///
///     TIME CPU[LEVEL] VERB ARGUMENTS      # comment
///
/// Times are nanoseconds, levels `t` (task, the default), `i` (task with interrupts off), `s` (softirq), `h` (hardirq), `n`
/// (NMI), `z` (the idle task). Lines may come in any order.
///
/// | verb | arguments | event |
/// |---|---|---|
/// | `queue` | target function csd [`single` `many` `ttwu` `irqwork`] | `csd_queue_cpu`, `single` if nothing is said |
/// | `ipi` | target | `ipi_send_cpu` of a cross call |
/// | `mask` | CPU list | `ipi_send_cpumask` of a cross call |
/// | `raise` | CPU list | `ipi_raise`, which follows every send on arm64 |
/// | `poll` | target | `sched_wake_idle_without_ipi` |
/// | `resched` | target | `ipi_send_cpu` of the scheduler |
/// | `selfwork` | | `ipi_send_cpu` of irq_work to the own CPU |
/// | `handler`, `return` | | `call_function_single_entry`, `_exit`; level h |
/// | `run`, `done` | function csd | `csd_function_entry`, `_exit` |
/// | `local`, `localdone` | function [`on`] | the same with csd 0; `on`: with interrupts on |
/// | `switch` | [pid] | `sched_switch`, to the same task if no pid is said; every CPU's events are of its task 100 + CPU, but for the idle task's |
/// | `idle`, `wake` | | `cpu_idle` |
/// | `hotplug` | `enter`/`exit` CPU state | `cpuhp_enter`, `cpuhp_exit` |
/// | `lost` | until | a gap of the CPU's events, from this time to that |
public struct TraceScript: Sendable {
  public private(set) var events: [TraceEvent] = []
  public private(set) var gaps: [TraceGap] = []
  public private(set) var maskWords: [UInt64] = []

  public struct SyntaxError: Error, CustomStringConvertible {
    public var line: Int
    public var text: String
    public var description: String { "line \(line): \(text)" }
  }

  public init(_ text: String) throws {
    for (number, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = raw.prefix { $0 != "#" }
      let words = line.split(separator: " ").map(String.init)
      if words.isEmpty { continue }
      guard words.count >= 3, let time = UInt64(words[0]), let (cpu, flags) = Self.place(words[1]) else {
        throw SyntaxError(line: number + 1, text: String(raw))
      }
      let isIdle = words[1].hasSuffix("z")
      guard try take(words[2], Array(words.dropFirst(3)), time: time, cpu: cpu, flags: flags, isIdle: isIdle) else {
        throw SyntaxError(line: number + 1, text: String(raw))
      }
    }
    // A stable sort: events of one CPU at one time stay in the order of their lines.
    events = events.enumerated().sorted {
      ($0.element.nanoseconds, $0.element.cpu, $0.offset) < ($1.element.nanoseconds, $1.element.cpu, $1.offset)
    }.map(\.element)
  }

  public init(events: [TraceEvent], gaps: [TraceGap], maskWords: [UInt64]) {
    self.events = events
    self.gaps = gaps
    self.maskWords = maskWords
  }

  private static func place(_ word: String) -> (UInt16, ContextFlags)? {
    guard let first = word.first(where: \.isLetter) else { return UInt16(word).map { ($0, []) } }
    guard let cpu = UInt16(word.dropLast()) else { return nil }
    switch first {
    case "t", "z": return (cpu, [])
    case "i": return (cpu, [.interruptsOff])
    case "s": return (cpu, [.softInterrupt])
    case "h": return (cpu, [.hardInterrupt, .interruptsOff])
    case "n": return (cpu, [.nonMaskableInterrupt, .interruptsOff])
    default: return nil
    }
  }

  private mutating func take(
    _ verb: String, _ words: [String], time: UInt64, cpu: UInt16, flags: ContextFlags, isIdle: Bool
  ) throws -> Bool {
    var event = TraceEvent(nanoseconds: time, cpu: cpu, kind: .other, flags: flags, pid: isIdle ? 0 : 100 + Int32(cpu))
    switch (verb, words.count) {
    case ("queue", 3...4):
      guard let target = Int32(words[0]) else { return false }
      event.kind = .csdQueueCPU
      event.target = target
      event.function = ScriptNames.address(of: words[1])
      event.csd = ScriptNames.address(of: words[2])
      let sites = [
        "single": "generic_exec_single", "many": "some_caller_of_many", "ttwu": "ttwu_queue_wakelist",
        "irqwork": "irq_work_queue_on",
      ]
      guard let site = sites[words.count == 4 ? words[3] : "single"] else { return false }
      event.callsite = ScriptNames.address(of: site)
    case ("ipi", 1):
      guard let target = Int32(words[0]) else { return false }
      event.kind = .ipiSendCPU
      event.target = target
      event.function = ScriptNames.address(of: ScriptNames.crossCall)
    case ("mask", 1), ("raise", 1):
      guard let mask = CPUMask(list: words[0]) else { return false }
      event.kind = verb == "mask" ? .ipiSendCPUMask : .ipiRaise
      event.target = Int32(maskWords.count)
      event.detail = Int32(mask.words.count)
      maskWords += mask.words
      if verb == "mask" { event.function = ScriptNames.address(of: ScriptNames.crossCall) }
    case ("poll", 1):
      guard let target = Int32(words[0]) else { return false }
      event.kind = .schedWakeIdleWithoutIPI
      event.target = target
    case ("resched", 1):
      guard let target = Int32(words[0]) else { return false }
      event.kind = .ipiSendCPU
      event.target = target
    case ("selfwork", 0):
      event.kind = .ipiSendCPU
      event.target = Int32(cpu)
      event.function = ScriptNames.address(of: "rb_wake_up_waiters")
    case ("handler", 0), ("return", 0):
      event.kind = verb == "handler" ? .callFunctionSingleEntry : .callFunctionSingleExit
      event.flags = [.hardInterrupt, .interruptsOff]
    case ("run", 2), ("done", 2):
      event.kind = verb == "run" ? .csdFunctionEntry : .csdFunctionExit
      event.function = ScriptNames.address(of: words[0])
      event.csd = ScriptNames.address(of: words[1])
      event.flags.insert(.interruptsOff)
    case ("local", 1...2), ("localdone", 1...2):
      guard words.count == 1 || words[1] == "on" else { return false }
      event.kind = verb == "local" ? .csdFunctionEntry : .csdFunctionExit
      event.function = ScriptNames.address(of: words[0])
      if words.count == 1 { event.flags.insert(.interruptsOff) }
    case ("switch", 0...1):
      guard let next = words.isEmpty ? event.pid : Int32(words[0]) else { return false }
      event.kind = .schedSwitch
      event.target = next
    case ("idle", 0), ("wake", 0):
      event.kind = .cpuIdle
      event.target = Int32(cpu)
      event.detail = verb == "idle" ? 1 : -1
    case ("hotplug", 3):
      guard let target = Int32(words[1]), let state = UInt64(words[2]) else { return false }
      event.kind = words[0] == "enter" ? .cpuhpEnter : .cpuhpExit
      event.target = target
      event.callsite = state
    case ("lost", 1):
      guard let until = UInt64(words[0]) else { return false }
      gaps.append(TraceGap(cpu: cpu, afterNanoseconds: time, beforeNanoseconds: until, lostEvents: nil))
      return true
    default: return false
    }
    events.append(event)
    return true
  }

  /// The CPUs that have events or gaps.
  public var cpus: [Int] { Set(events.map { Int($0.cpu) } + gaps.map { Int($0.cpu) }).sorted() }

  /// Hands the trace to a consumer, event by event, with the gaps where a merged stream would announce them.
  public func feed(_ consumer: inout some TraceEventConsumer & ~Copyable) {
    var rest = gaps.sorted { ($0.afterNanoseconds ?? 0) < ($1.afterNanoseconds ?? 0) }
    for event in events {
      while let gap = rest.first, (gap.afterNanoseconds ?? 0) < event.nanoseconds {
        consumer.gapBegan(gap)
        rest.removeFirst()
      }
      let one = [event]
      consumer.consume(one.span, maskWords: maskWords.span)
    }
    for gap in rest { consumer.gapBegan(gap) }
  }
}

/// Names for the addresses of a ``TraceScript``: every name has an address made from its letters.
public struct ScriptNames: AddressNaming {
  public static let crossCall = "generic_smp_call_function_single_interrupt"
  private let known: [UInt64: String]
  private let hasSymbols: Bool

  /// - Parameters:
  ///   - names: further names to know.
  ///   - hasSymbols: false for a trace without kallsyms.
  public init(names: [String] = [], hasSymbols: Bool = true) {
    self.hasSymbols = hasSymbols
    var known: [UInt64: String] = [:]
    let fixed = [
      Self.crossCall, "sched_ttwu_pending", "generic_exec_single", "some_caller_of_many", "ttwu_queue_wakelist",
      "irq_work_queue_on", "rb_wake_up_waiters",
    ]
    for name in names + fixed { known[Self.address(of: name)] = name }
    self.known = known
  }

  /// FNV-1a, in the upper half as kernel addresses are.
  public static func address(of name: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash | 0xffff_0000_0000_0000
  }

  public func symbolName(containing address: UInt64) -> String? { hasSymbols ? known[address] : nil }

  public func text(_ address: UInt64) -> String {
    symbolName(containing: address) ?? "0x" + String(address, radix: 16)
  }

  public func addresses(ofSymbol name: String) -> [UInt64] {
    let address = Self.address(of: name)
    return hasSymbols && known[address] != nil ? [address] : []
  }
}
