public import TraceTypes

/// The layout of an event type, from which both its format text and its records are made.
public struct FormatBuilder: Sendable {
  public struct Field: Sendable {
    /// The declaration in C, for example `unsigned int`; what is behind the name, in brackets, is in `suffix`.
    public var type: String
    public var name: String
    public var suffix: String
    public var offset: Int
    public var size: Int
    public var isSigned: Bool

    public init(
      _ type: String, _ name: String, suffix: String = "", offset: Int, size: Int, isSigned: Bool = false
    ) {
      self.type = type
      self.name = name
      self.suffix = suffix
      self.offset = offset
      self.size = size
      self.isSigned = isSigned
    }
  }

  /// What to put into a field.
  public enum Value: Sendable {
    case number(UInt64)
    /// The bytes of a fixed array, or of the array that a `__data_loc` or `__rel_loc` field points to.
    case bytes([UInt8])
  }

  public var system: String
  public var name: String
  public var id: Int
  public var fields: [Field]

  public init(_ system: String, _ name: String, id: Int, fields: [Field]) {
    self.system = system
    self.name = name
    self.id = id
    self.fields = fields
  }

  public static let commonFields = [
    Field("unsigned short", "common_type", offset: 0, size: 2),
    Field("unsigned char", "common_flags", offset: 2, size: 1),
    Field("unsigned char", "common_preempt_count", offset: 3, size: 1),
    Field("int", "common_pid", offset: 4, size: 4, isSigned: true),
  ]

  /// The text of the format file.
  public var text: String {
    func line(_ field: Field) -> String {
      "\tfield:\(field.type) \(field.name)\(field.suffix);\toffset:\(field.offset);\tsize:\(field.size);"
        + "\tsigned:\(field.isSigned ? 1 : 0);\n"
    }
    let printed = fields.first { $0.suffix.isEmpty && !$0.type.hasPrefix("__") }
    let format = printed.map { "print fmt: \"\($0.name)=%lx\", REC->\($0.name)" } ?? "print fmt: \"event\""
    return "name: \(name)\nID: \(id)\nformat:\n" + Self.commonFields.map(line).joined() + "\n"
      + fields.map(line).joined() + "\n\(format)\n"
  }

  /// A record with the given values; fields without one are zero.
  public func record(
    flags: ContextFlags = [], preemptCount: UInt8 = 0, pid: Int32 = 0, _ values: [String: Value] = [:]
  ) -> [UInt8] {
    let end = fields.map { $0.offset + $0.size }.max() ?? 8
    var result = [UInt8](repeating: 0, count: (max(8, end) + 3) / 4 * 4)
    func put(_ bytes: [UInt8], at offset: Int) {
      result.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    put(ByteBuilder.bytes(UInt16(truncatingIfNeeded: id)), at: 0)
    put([flags.rawValue, preemptCount], at: 2)
    put(ByteBuilder.bytes(pid), at: 4)
    for field in fields {
      switch values[field.name] {
      case nil: break
      case .number(let number): put(Array(ByteBuilder.bytes(number).prefix(field.size)), at: field.offset)
      case .bytes(let bytes) where field.type.hasPrefix("__data_loc") || field.type.hasPrefix("__rel_loc"):
        let base = field.type.hasPrefix("__rel_loc") ? field.offset + 4 : 0
        put(ByteBuilder.bytes(UInt32(bytes.count) << 16 | UInt32(result.count - base)), at: field.offset)
        result += bytes
        result += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
      case .bytes(let bytes): put(Array(bytes.prefix(field.size)), at: field.offset)
      }
    }
    return result
  }
}

extension FormatBuilder {
  /// The layouts of the event types that ipitrace reads, as on x86-64 and arm64 with Linux 6.12. The ids are made up.
  public static let linux612: [FormatBuilder] = makeLinux612()

  /// The layout of the given kind.
  public static func linux612(_ kind: EventKind) -> FormatBuilder {
    guard let format = linux612.first(where: { "\($0.system):\($0.name)" == kind.qualifiedName }) else {
      preconditionFailure("no layout of \(kind)")
    }
    return format
  }

  private static func makeLinux612() -> [FormatBuilder] {
    func unsigned(_ name: String, _ offset: Int) -> Field { Field("unsigned int", name, offset: offset, size: 4) }
    func signed(_ name: String, _ offset: Int) -> Field {
      Field("int", name, offset: offset, size: 4, isSigned: true)
    }
    func pointer(_ name: String, _ offset: Int) -> Field { Field("void *", name, offset: offset, size: 8) }
    func mask(_ name: String, _ offset: Int) -> Field { Field("__data_loc cpumask_t", name, offset: offset, size: 4) }
    func fields(_ kind: EventKind) -> [Field] {
      switch kind {
      case .csdQueueCPU: [unsigned("cpu", 8), pointer("callsite", 16), pointer("func", 24), pointer("csd", 32)]
      case .csdFunctionEntry, .csdFunctionExit: [pointer("func", 8), pointer("csd", 16)]
      case .ipiSendCPU: [unsigned("cpu", 8), pointer("callsite", 16), pointer("callback", 24)]
      case .ipiSendCPUMask: [mask("cpumask", 8), pointer("callsite", 16), pointer("callback", 24)]
      case .ipiRaise:
        [
          Field("__data_loc unsigned long[]", "target_cpus", offset: 8, size: 4),
          Field("const char *", "reason", offset: 16, size: 8),
        ]
      case .ipiEntry, .ipiExit: [Field("const char *", "reason", offset: 8, size: 8)]
      case .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit, .rescheduleEntry,
        .rescheduleExit, .irqWorkEntry, .irqWorkExit:
        [signed("vector", 8)]
      case .schedWakeIdleWithoutIPI: [signed("cpu", 8)]
      case .schedSwitch:
        [
          Field("char", "prev_comm", suffix: "[16]", offset: 8, size: 16), signed("prev_pid", 24),
          signed("prev_prio", 28), Field("long", "prev_state", offset: 32, size: 8, isSigned: true),
          Field("char", "next_comm", suffix: "[16]", offset: 40, size: 16), signed("next_pid", 56),
          signed("next_prio", 60),
        ]
      case .cpuIdle: [Field("u32", "state", offset: 8, size: 4), Field("u32", "cpu_id", offset: 12, size: 4)]
      case .cpuhpEnter, .cpuhpMultiEnter:
        [unsigned("cpu", 8), signed("target", 12), signed("idx", 16), pointer("fun", 24)]
      case .cpuhpExit: [unsigned("cpu", 8), signed("state", 12), signed("idx", 16), signed("ret", 20)]
      case .other: [unsigned("value", 8)]
      }
    }
    var result: [FormatBuilder] = []
    for kind in EventKind.allCases where kind != .other {
      result.append(FormatBuilder(kind.system, kind.name, id: 100 + 7 * Int(kind.rawValue), fields: fields(kind)))
    }
    // A type that ipitrace does not read.
    result.append(FormatBuilder("timer", "timer_start", id: 90, fields: fields(.other)))
    return result
  }

  /// The record of an event: the inverse of decoding. Events of kind `other` become `timer:timer_start`.
  public static func record(of event: TraceEvent, maskWords: [UInt64] = [], preemptCount: UInt8 = 0) -> [UInt8] {
    func number(_ value: some BinaryInteger) -> Value { .number(UInt64(truncatingIfNeeded: value)) }
    let format = event.kind == .other ? linux612.first { $0.system == "timer" } : linux612(event.kind)
    guard let format else { preconditionFailure("no layout of \(event.kind)") }
    let mask = Value.bytes(maskWords.flatMap { ByteBuilder.bytes($0) })
    let values: [String: Value] =
      switch event.kind {
      case .csdQueueCPU:
        [
          "csd": number(event.csd), "func": number(event.function), "callsite": number(event.callsite),
          "cpu": number(event.target),
        ]
      case .csdFunctionEntry, .csdFunctionExit: ["csd": number(event.csd), "func": number(event.function)]
      case .ipiSendCPU:
        ["callback": number(event.function), "callsite": number(event.callsite), "cpu": number(event.target)]
      case .ipiSendCPUMask:
        ["callback": number(event.function), "callsite": number(event.callsite), "cpumask": mask]
      case .ipiRaise: ["target_cpus": mask]
      case .schedWakeIdleWithoutIPI: ["cpu": number(event.target)]
      case .schedSwitch:
        [
          "next_comm": .bytes(ByteBuilder.bytes(event.csd) + ByteBuilder.bytes(event.function)),
          "next_pid": number(event.target), "prev_pid": number(event.detail),
        ]
      case .cpuIdle: ["cpu_id": number(event.target), "state": number(event.detail)]
      case .cpuhpEnter, .cpuhpMultiEnter:
        [
          "fun": number(event.function), "cpu": number(event.target), "idx": number(event.detail),
          "target": number(event.callsite),
        ]
      case .cpuhpExit:
        [
          "ret": number(event.function), "cpu": number(event.target), "idx": number(event.detail),
          "state": number(event.callsite),
        ]
      case .ipiEntry, .ipiExit, .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry,
        .callFunctionExit, .rescheduleEntry, .rescheduleExit, .irqWorkEntry, .irqWorkExit, .other:
        [:]
      }
    return format.record(flags: event.flags, preemptCount: preemptCount, pid: event.pid, values)
  }
}
