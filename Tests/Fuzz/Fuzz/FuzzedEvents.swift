import TestSupport
import TraceTypes

/// Events made of bytes: each byte chooses among values that mean something to the analysis, or are at the edges.
struct FuzzedEvents {
  static let eventSize = 12
  static let maskWords: [UInt64] = [.max, 0, 5, 0x8000_0000_0000_0000, 2]
  private static let names = [
    "sched_ttwu_pending", "generic_smp_call_function_single_interrupt", "generic_exec_single",
    "smp_call_function_many_cond",
    "ttwu_queue_wakelist", "irq_work_queue_on", "__flush_smp_call_function_queue", "some_callback", "other_callback",
  ]
  private static let first: UInt64 = 0xffff_ffff_8100_0000

  static let kallsyms = names.enumerated().map {
    "\(String(first + UInt64($0.offset) * 0x1000, radix: 16)) T \($0.element)\n"
  }.joined()

  private var events: [TraceEvent] = []
  private var times: [UInt64]

  /// - Parameter isLate: whether the times are the last that there can be.
  init(isLate: Bool) { times = [UInt64](repeating: isLate ? .max - 5_000 : 1_000, count: 8) }

  /// As pages hold them: each CPU's in the order of time.
  var ordered: [TraceEvent] { events }

  mutating func add(_ bytes: ArraySlice<UInt8>) {
    let byte = Array(bytes)
    let cpu = Int(byte[1] & 7)
    let kind = EventKind.allCases[Int(byte[0]) % EventKind.allCases.count]
    // Mostly small steps; the largest are some 300 years.
    let step = UInt64(byte[2] & 0x3f) << UInt64(byte[2] >> 6 == 3 ? byte[3] % 58 : byte[2] >> 6 * 4)
    let sum = (byte[1] & 8 == 0 ? times.max() ?? 0 : times[cpu]).addingReportingOverflow(step)
    times[cpu] = sum.overflow ? times[cpu] : max(times[cpu], sum.partialValue)
    var event = TraceEvent(nanoseconds: times[cpu], cpu: UInt16(cpu), kind: kind)
    event.flags = ContextFlags(rawValue: byte[4])
    event.pid = byte[5] < 0xf0 ? Int32(byte[5] & 7) : Int32(truncatingIfNeeded: Int(byte[5]) << 24)
    event.csd = byte[6] == 0xff ? .max : UInt64(byte[6] & 7) << 6
    event.function = Self.address(byte[7])
    event.callsite = Self.address(byte[8])
    event.target = Self.number(byte[9])
    event.detail = Self.number(byte[10])
    if kind == .ipiSendCPUMask || kind == .ipiRaise {
      event.target = Int32(byte[9] % 4)
      event.detail = Int32(byte[10] % 2)
    }
    events.append(event)
  }

  /// The bytes of which an event like this one is made.
  static func bytes(of event: TraceEvent, csd: Int, step: UInt64) -> [UInt8] {
    func byte(_ address: UInt64) -> UInt8 {
      let known: [String: UInt8] = [
        "sched_ttwu_pending": 0, ScriptNames.crossCall: 1, "generic_exec_single": 2, "some_caller_of_many": 3,
        "ttwu_queue_wakelist": 4, "irq_work_queue_on": 5,
      ]
      return known.first { ScriptNames.address(of: $0.key) == address }?.value ?? (address == 0 ? 0xf0 : 7)
    }
    let kind = EventKind.allCases.firstIndex(of: event.kind) ?? 0
    let target = event.target < 0 ? 0xfd : UInt8(truncatingIfNeeded: event.target)
    let detail = event.detail < 0 ? 0xfd : UInt8(truncatingIfNeeded: event.detail)
    return [
      UInt8(kind), UInt8(event.cpu & 7), UInt8(min(step, 63)), 0, event.flags.rawValue, UInt8(event.pid & 7),
      UInt8(csd & 7), byte(event.function), byte(event.callsite), target, detail, 0,
    ]
  }

  private static func address(_ byte: UInt8) -> UInt64 {
    byte < 0xf0 ? first + UInt64(Int(byte & 15) % (names.count + 1)) * 0x1000 + UInt64(byte >> 4) : UInt64(byte & 15)
  }

  private static func number(_ byte: UInt8) -> Int32 {
    switch byte {
    case 0xff: .max
    case 0xfe: .min
    case 0xfd: -1
    case 0xfc: 65_535
    case 0xfb: 65_536
    case 0xfa: 300
    default: Int32(byte & 15)
    }
  }
}
