import TraceTypes

/// What the decoding loop needs to know about event types, laid out for table lookups.
///
/// Every record is read in the same way: five fields at the offsets and with the masks of its type, where a field that
/// the type doesn't have is masked away. So the loop has no branch that depends on the event's type, and keeps its
/// speed where types alternate.
struct EventTable: Sendable {
  /// How to read one number: eight bytes at an offset, of which the lowest count.
  struct Load: Sendable {
    /// Bytes from the start of the record.
    var offset = 0
    var mask: UInt64 = 0
    /// The sign bit of a signed number, 0 of an unsigned one.
    var sign: UInt64 = 0

    /// The number in the word at ``offset``, without regard to its sign.
    @inline(__always)
    func cut(_ word: UInt64) -> UInt64 { word & mask }

    func extend(_ word: UInt64) -> UInt64 { (cut(word) ^ sign) &- sign }

    /// Whether a number of this many bits lacks the sign that it has in the record.
    func losesSign(in bits: UInt64) -> Bool { sign != 0 && mask >> (bits - 1) == 0 }
  }

  /// What else has to be done with events of a type.
  enum Extra: UInt8, Sendable {
    case nothing
    /// Fields are signed and shorter than what holds them: the loop reads them as if they had no sign.
    case signs
    /// The record has a bitmap that its field `mask` points to, from the record's start.
    case mask
    /// The same, but from the field's end.
    case relativeMask
    /// What the event means depends on a string that `csd` points to.
    case reason
    /// The file doesn't describe the type.
    case unknown
  }

  struct Entry: Sendable {
    let kind: EventKind
    var extra: Extra
    /// The kind's part of ``EventWords``.
    let head: UInt64
    /// The shortest record that holds all fields read, in bytes.
    var minimumLength = 8
    var csd = Load()
    var function = Load()
    var callsite = Load()
    var target = Load()
    var detail = Load()
    /// The field that points to the bitmap.
    var mask = Load()

    init(kind: EventKind, extra: Extra) {
      self.kind = kind
      self.extra = extra
      head = EventWords.head(of: kind)
    }

    /// Whether a field has another sign than the loop gives it.
    var losesSigns: Bool {
      csd.losesSign(in: 64) || function.losesSign(in: 64) || callsite.losesSign(in: 64) || target.losesSign(in: 32)
        || detail.losesSign(in: 32)
    }
  }

  /// Where the fields are that all records begin with.
  struct CommonFields: Sendable, Equatable {
    var type = 0
    var flags = 2
    var pid = 4

    /// As all kernels have had them; then one load fetches all three.
    static let usual = CommonFields()
  }

  /// Position in ``entries`` for each event id that there can be; 0 for ids that the file doesn't describe.
  private(set) var positions: [UInt16]
  /// The first is for all types that the file doesn't describe.
  private(set) var entries: [Entry]
  /// Qualified names, in the order of ``entries``.
  private(set) var names: [String]
  private(set) var common = CommonFields.usual
  /// What the strings at these addresses say about an `ipi_entry` or `ipi_exit`.
  private(set) var reasons: [(address: UInt64, entry: EventKind, exit: EventKind)] = []

  /// The texts that tell what an interprocessor interrupt is for, on arm and arm64.
  private static let reasonTexts: [String: (EventKind, EventKind)] = [
    "Function call interrupts": (.callFunctionEntry, .callFunctionExit),
    "Rescheduling interrupts": (.rescheduleEntry, .rescheduleExit),
    "IRQ work interrupts": (.irqWorkEntry, .irqWorkExit),
  ]

  init(formats: [EventFormat], printkFormats: [UInt8]) {
    positions = [UInt16](repeating: 0, count: 1 << 16)
    entries = [Entry(kind: .other, extra: .unknown)]
    names = ["unknown"]
    if let format = formats.first(where: { $0.field("common_pid") != nil }) { common = Self.commonFields(of: format) }
    var needsReasons = false
    for format in formats where entries.count <= Int(UInt16.max) {
      let id = Int(format.id)
      // Ids are unique in a kernel; in a damaged file the first holds.
      guard positions[id] == 0 else { continue }
      positions[id] = UInt16(entries.count)
      let entry = Self.entry(for: format)
      needsReasons = needsReasons || entry.extra == .reason
      entries.append(entry)
      names.append(format.qualifiedName)
    }
    if needsReasons {
      // Each text has one address in a kernel. The limit is for files that say otherwise.
      let found = PrintkFormats.addresses(of: Array(Self.reasonTexts.keys), in: printkFormats).prefix(64)
      reasons = found.compactMap { found in
        Self.reasonTexts[found.text].map { (found.address, $0.0, $0.1) }
      }
    }
  }

  private static func commonFields(of format: EventFormat) -> CommonFields {
    var result = CommonFields.usual
    for (name, place) in [
      ("common_type", \CommonFields.type), ("common_flags", \.flags), ("common_pid", \.pid),
    ] {
      if let field = format.field(name), field.offset <= 56 { result[keyPath: place] = field.offset }
    }
    return result
  }

  private static func entry(for format: EventFormat) -> Entry {
    guard let kind = EventKind(qualifiedName: format.qualifiedName) else { return Entry(kind: .other, extra: .nothing) }
    var entry = Entry(kind: kind, extra: .nothing)

    func load(_ name: String, part: Int = 0) -> Load {
      guard let field = format.field(name), field.offset >= 0, field.offset <= 1 << 20, field.size <= 1 << 20 else {
        return Load()
      }
      // A name of 16 bytes is read as two words.
      let size = field.size - part * 8 >= 8 ? 8 : field.size - part * 8
      guard size > 0 else { return Load() }
      entry.minimumLength = max(entry.minimumLength, field.offset + field.size)
      let mask = size == 8 ? UInt64.max : (1 << UInt64(size * 8)) - 1
      let sign = field.isSigned && field.size <= 8 ? mask ^ (mask >> 1) : 0
      return Load(offset: field.offset + part * 8, mask: mask, sign: sign)
    }

    func bitmap(_ name: String) {
      guard let field = format.field(name), field.size == 4 else { return }
      switch field.place {
      case .direct: return
      case .dataLocation: entry.extra = .mask
      case .relativeLocation: entry.extra = .relativeMask
      }
      entry.mask = load(name)
    }

    switch kind {
    case .csdQueueCPU:
      entry.csd = load("csd")
      entry.function = load("func")
      entry.callsite = load("callsite")
      entry.target = load("cpu")
    case .csdFunctionEntry, .csdFunctionExit:
      entry.csd = load("csd")
      entry.function = load("func")
    case .ipiSendCPU:
      entry.function = load("callback")
      entry.callsite = load("callsite")
      entry.target = load("cpu")
    case .ipiSendCPUMask:
      entry.function = load("callback")
      entry.callsite = load("callsite")
      bitmap("cpumask")
    case .ipiRaise:
      bitmap("target_cpus")
    case .ipiEntry, .ipiExit:
      entry.csd = load("reason")
      entry.extra = .reason
    case .schedWakeIdleWithoutIPI:
      entry.target = load("cpu")
    case .schedSwitch:
      entry.csd = load("next_comm")
      entry.function = load("next_comm", part: 1)
      entry.target = load("next_pid")
      entry.detail = load("prev_pid")
    case .cpuIdle:
      entry.target = load("cpu_id")
      entry.detail = load("state")
    case .cpuhpEnter, .cpuhpMultiEnter:
      entry.function = load("fun")
      entry.target = load("cpu")
      entry.detail = load("idx")
      entry.callsite = load("target")
    case .cpuhpExit:
      entry.function = load("ret")
      entry.target = load("cpu")
      entry.detail = load("idx")
      entry.callsite = load("state")
    case .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit, .rescheduleEntry,
      .rescheduleExit, .irqWorkEntry, .irqWorkExit, .other:
      break
    }
    if entry.extra == .nothing, entry.losesSigns { entry.extra = .signs }
    return entry
  }

  /// Whether a format of the events on which verdicts rest can be a kernel's: all its fields there, of the size that they have
  /// in every 64-bit kernel, at multiples of four, none over another. Fields read at the wrong place look like a kernel gone mad.
  static func isPossible(_ format: EventFormat) -> Bool {
    let wanted: [(name: String, size: Int)]
    switch EventKind(qualifiedName: format.qualifiedName) {
    case .csdQueueCPU: wanted = [("cpu", 4), ("callsite", 8), ("func", 8), ("csd", 8)]
    case .csdFunctionEntry, .csdFunctionExit: wanted = [("func", 8), ("csd", 8)]
    case .ipiSendCPU: wanted = [("cpu", 4), ("callsite", 8), ("callback", 8)]
    case .ipiSendCPUMask: wanted = [("cpumask", 4), ("callsite", 8), ("callback", 8)]
    default: return true
    }
    // The fields that all records begin with.
    var taken = [0..<8]
    for (name, size) in wanted {
      guard let field = format.field(name), field.size == size, field.offset % 4 == 0 else { return false }
      let place = field.offset..<field.offset + size
      if taken.contains(where: { $0.overlaps(place) }) { return false }
      taken.append(place)
    }
    return true
  }

  /// What an `ipi_entry` or `ipi_exit` with this reason is.
  func kind(of kind: EventKind, reason: UInt64) -> EventKind {
    for known in reasons where known.address == reason {
      return kind == .ipiEntry ? known.entry : known.exit
    }
    return kind
  }
}
