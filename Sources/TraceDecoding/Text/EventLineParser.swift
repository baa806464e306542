import TraceTypes

/// Reads the events' own part of lines: name and fields.
///
/// Both forms are read: the kernel's own `print fmt`, which `trace-cmd report -N` prints as well, and what trace-cmd's
/// plugins and its raw format make of it. Fields are found by their names, in any order.
struct EventLineParser: ~Copyable {
  var places: TextPlaces
  var names = TextEventNames()
  /// What mask events point into.
  var maskWords: [UInt64] = []

  /// The next task, if the event gives one, and its name.
  private(set) var nextPid: Int32?
  private(set) var nextComm = UnsafeBufferPointer<UInt8>(start: nil, count: 0)

  init(symbols: TextSymbols) { places = TextPlaces(symbols: symbols) }

  /// Reads name and fields of an event.
  /// - Parameters:
  ///   - cursor: at the event's name.
  ///   - event: gets kind and fields.
  /// - Returns: the number of the event's name, or nil when the fields are not what such an event has.
  @inline(__always)
  mutating func parse(_ cursor: inout LineCursor, into event: inout TraceEvent) -> Int? {
    nextPid = nil
    // What the function tracers print has no colon behind a name.
    guard let number = names.take(&cursor) else { return Int(EventKind.other.rawValue) }
    guard let kind = EventKind(rawValue: UInt8(clamping: number)), kind != .other else { return number }
    event.kind = kind
    return fields(&cursor, &event) ? number : nil
  }

  private mutating func fields(_ cursor: inout LineCursor, _ event: inout TraceEvent) -> Bool {
    let start = cursor.place
    cursor.skipBlanks()
    switch event.kind {
    case .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU, .ipiSendCPUMask, .schedWakeIdleWithoutIPI,
      .cpuIdle, .cpuhpEnter, .cpuhpMultiEnter, .cpuhpExit:
      // trace-cmd fills the name up with blanks, and prints masks as lists.
      return namedFields(&cursor, &event, isPadded: cursor.place - start > 1)
    case .schedSwitch:
      return contextSwitch(cursor, &event) || shortContextSwitch(cursor, &event)
    case .ipiRaise: return raise(&cursor, &event)
    case .ipiEntry, .ipiExit:
      event.kind = reasonKind(cursor, of: event.kind)
      return true
    case .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit, .rescheduleEntry,
      .rescheduleExit, .irqWorkEntry, .irqWorkExit, .other:
      return true
    }
  }

  // MARK: Named fields

  private struct Fields: OptionSet {
    let rawValue: UInt16
    static let cpu = Fields(rawValue: 1)
    static let callsite = Fields(rawValue: 2)
    static let function = Fields(rawValue: 4)
    static let csd = Fields(rawValue: 8)
    static let mask = Fields(rawValue: 16)
    static let state = Fields(rawValue: 32)
    static let step = Fields(rawValue: 64)
    static let result = Fields(rawValue: 128)
    static let aim = Fields(rawValue: 256)
  }

  private static func needed(by kind: EventKind) -> Fields {
    switch kind {
    case .csdQueueCPU: [.cpu, .callsite, .function, .csd]
    case .csdFunctionEntry, .csdFunctionExit: [.function, .csd]
    case .ipiSendCPU: [.cpu, .callsite, .function]
    case .ipiSendCPUMask: [.mask, .callsite, .function]
    case .schedWakeIdleWithoutIPI: .cpu
    case .cpuIdle: [.cpu, .state]
    case .cpuhpEnter, .cpuhpMultiEnter: [.cpu, .aim, .step, .function]
    case .cpuhpExit: [.cpu, .state, .step, .result]
    default: []
    }
  }

  /// Reads `name=value` and `name: value`, and a function in parentheses.
  @inline(__always)
  private mutating func namedFields(
    _ cursor: inout LineCursor, _ event: inout TraceEvent, isPadded: Bool
  ) -> Bool {
    var found: Fields = []
    while true {
      cursor.skipSeparators()
      if cursor.isAtEnd { break }
      if cursor.take(UInt8(ascii: "(")) {
        guard let function = places.place(&cursor), cursor.take(UInt8(ascii: ")")) else { return false }
        event.function = function
        found.insert(.function)
        continue
      }
      guard let name = Self.fieldName(&cursor) else { return false }
      switch name {
      case .cpu:
        guard let value = cursor.decimal(), value <= UInt64(CPUMask.highestCPU) else { return false }
        event.target = Int32(truncatingIfNeeded: value)
        found.insert(.cpu)
      case .csd:
        guard let value = places.place(&cursor) else { return false }
        event.csd = value
        found.insert(.csd)
      case .function:
        guard let value = places.place(&cursor) else { return false }
        event.function = value
        found.insert(.function)
      case .callsite:
        guard let value = places.place(&cursor) else { return false }
        event.callsite = value
        found.insert(.callsite)
      case .mask:
        guard mask(&cursor, &event, isList: isPadded) else { return false }
        found.insert(.mask)
      case .state:
        guard let value = cursor.integer() else { return false }
        if event.kind == .cpuIdle {
          event.detail = Int32(truncatingIfNeeded: value)
        } else {
          event.callsite = UInt64(bitPattern: value)
        }
        found.insert(.state)
      case .step:
        guard let value = cursor.integer() else { return false }
        event.detail = Int32(truncatingIfNeeded: value)
        found.insert(.step)
      case .aim:
        guard let value = cursor.integer() else { return false }
        event.callsite = UInt64(bitPattern: value)
        found.insert(.aim)
      case .result:
        guard let value = cursor.integer() else { return false }
        event.function = UInt64(bitPattern: value)
        found.insert(.result)
      case .other:
        while !cursor.isAtEnd, cursor.byte != 0x20 { cursor.skip() }
      }
      // A number that goes on in letters was none.
      guard cursor.isAtEnd || cursor.byte == 0x20 || cursor.byte == UInt8(ascii: ",") else { return false }
    }
    return found.isSuperset(of: Self.needed(by: event.kind))
  }

  /// What the fields are called, in all events and forms; none has more than eight letters.
  private enum FieldName {
    case cpu, csd, function, callsite, mask, state, step, aim, result, other

    @inline(__always)
    init(_ word: UInt64) {
      self =
        switch word {
        case ByteWord("func").bits, ByteWord("callback").bits, ByteWord("fun").bits: .function
        case ByteWord("csd").bits: .csd
        case ByteWord("cpu").bits, ByteWord("cpu_id").bits: .cpu
        case ByteWord("callsite").bits: .callsite
        case ByteWord("cpumask").bits: .mask
        case ByteWord("state").bits: .state
        case ByteWord("step").bits, ByteWord("idx").bits: .step
        case ByteWord("target").bits: .aim
        case ByteWord("ret").bits: .result
        default: .other
        }
    }
  }

  /// Reads `name=` or `name:` and the blanks behind; nil where no name is.
  @inline(__always)
  private static func fieldName(_ cursor: inout LineCursor) -> FieldName? {
    let word = ByteWord(at: cursor.place)
    let length = (word.marks(of: UInt8(ascii: "=")) | word.marks(of: UInt8(ascii: ":"))).first
    var name = FieldName(word.prefix(length))
    if name != .other, isMark(cursor.place[length]) {
      cursor.skip(length &+ 1)
    } else {
      let start = cursor.place
      while cursor.byte.isIdentifier { cursor.skip() }
      guard cursor.place > start, isMark(cursor.byte) else { return nil }
      cursor.skip()
      name = .other
    }
    if cursor.byte == 0x20 { cursor.skipBlanks() }
    return name
  }

  @inline(__always)
  private static func isMark(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":") }

  // MARK: Masks

  /// Reads a set of CPUs: the kernel's words of eight hexadecimal digits, the highest first, or a list.
  ///
  /// - Parameter isList: decides where a text could be both: `3`.
  private mutating func mask(_ cursor: inout LineCursor, _ event: inout TraceEvent, isList: Bool) -> Bool {
    let start = cursor.place
    while !cursor.isAtEnd, cursor.byte != 0x20 { cursor.skip() }
    let text = cursor.bytes(since: start)
    event.target = Int32(truncatingIfNeeded: maskWords.count)
    let lastWord = text.lastIndex(of: UInt8(ascii: ",")).map { $0 + 1 } ?? 0
    let isHexadecimal = text.count - lastWord == 8 || (!isList && !text.contains(UInt8(ascii: "-")))
    guard isHexadecimal ? words(text) : list(text) else {
      maskWords.removeLast(maskWords.count - Int(event.target))
      return false
    }
    event.detail = Int32(truncatingIfNeeded: maskWords.count - Int(event.target))
    return true
  }

  private mutating func words(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    var word: UInt64 = 0
    var digits: UInt64 = 0
    for byte in text.reversed() where byte != UInt8(ascii: ",") {
      guard let digit = LineCursor.digit(byte), digits < LineHead.cpuLimit / 4 else { return false }
      word |= digit << (digits % 16 * 4)
      digits += 1
      if digits % 16 == 0 {
        maskWords.append(word)
        word = 0
      }
    }
    if digits % 16 != 0 { maskWords.append(word) }
    return digits > 0
  }

  /// `0,2-4,64`, in ascending order as trace-cmd prints it, so that the work is bounded.
  private mutating func list(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let start = text.baseAddress else { return false }
    var cursor = LineCursor(from: start, to: start + text.count)
    let firstWord = maskWords.count
    var next: UInt64 = 0
    repeat {
      guard let first = cursor.decimal(), first >= next else { return false }
      var last = first
      if cursor.take(UInt8(ascii: "-")) {
        guard let end = cursor.decimal(), end >= first else { return false }
        last = end
      }
      guard last < LineHead.cpuLimit else { return false }
      while maskWords.count - firstWord <= Int(last / 64) { maskWords.append(0) }
      for cpu in first...last { maskWords[firstWord + Int(cpu / 64)] |= 1 << (cpu % 64) }
      next = last + 1
    } while cursor.take(UInt8(ascii: ","))
    return cursor.isAtEnd
  }

  // MARK: Context switches

  /// The kernel's own limit for the name of a task, in bytes.
  private static let longestName = 15

  /// The kernel's own form. A name may hold anything, so what stands behind the names is looked for from the end, and the
  /// next name begins as far in front of that as a name can.
  private mutating func contextSwitch(_ cursor: LineCursor, _ event: inout TraceEvent) -> Bool {
    guard cursor.begins(with: "prev_comm="), let nextPid = cursor.find(" next_pid=", last: true) else { return false }
    var number = LineCursor(from: nextPid + 10, to: cursor.end)
    guard let next = number.decimal(), next <= UInt64(Int32.max) else { return false }
    let names = LineCursor(from: max(cursor.place, nextPid - Self.longestName - 11), to: nextPid)
    guard let nextName = names.find(" next_comm=") else { return false }
    event.target = Int32(truncatingIfNeeded: next)
    event.detail = event.pid
    take(nextComm: UnsafeBufferPointer(start: nextName + 11, count: nextPid - nextName - 11), &event)
    return true
  }

  /// The form of trace-cmd's plugin: `name:1 [120] S ==> name:2 [120]`.
  private mutating func shortContextSwitch(_ cursor: LineCursor, _ event: inout TraceEvent) -> Bool {
    guard let priority = cursor.find(" [", last: true),
      let colon = LineCursor(from: cursor.place, to: priority).find(":", last: true)
    else { return false }
    var number = LineCursor(from: colon + 1, to: priority)
    guard let next = number.decimal(), number.isAtEnd, next <= UInt64(Int32.max) else { return false }
    // The first arrow behind a priority and a state that leaves no more than a name.
    var rest = LineCursor(from: max(cursor.place, colon - Self.longestName - 5), to: colon)
    while let arrow = rest.find(" ==> ") {
      if Self.endsWithState(LineCursor(from: cursor.place, to: arrow)) {
        event.target = Int32(truncatingIfNeeded: next)
        event.detail = event.pid
        take(nextComm: UnsafeBufferPointer(start: arrow + 5, count: colon - arrow - 5), &event)
        return true
      }
      rest.move(to: arrow + 1)
    }
    return false
  }

  /// Whether a text ends in `[120] S`.
  private static func endsWithState(_ text: LineCursor) -> Bool {
    guard let bracket = text.find("] ", last: true), text.end - bracket <= 8 else { return false }
    return LineCursor(from: bracket + 2, to: text.end).find(" ") == nil
  }

  private mutating func take(nextComm name: UnsafeBufferPointer<UInt8>, _ event: inout TraceEvent) {
    nextComm = name
    nextPid = event.target
    guard let start = name.baseAddress else { return }
    event.csd = ByteWord(at: start).prefix(name.count)
    event.function = ByteWord(at: start + 8).prefix(max(0, name.count - 8))
  }

  // MARK: arm and arm64

  /// `target_mask=00000000,0000000f (Function call interrupts)`.
  private mutating func raise(_ cursor: inout LineCursor, _ event: inout TraceEvent) -> Bool {
    let isPadded = cursor.place[-2] == 0x20
    guard cursor.take("target_mask=") || cursor.take("target_cpus=") else { return false }
    return mask(&cursor, &event, isList: isPadded)
  }

  /// What a handler is for, as its reason says.
  private func reasonKind(_ cursor: LineCursor, of kind: EventKind) -> EventKind {
    let isEntry = kind == .ipiEntry
    if cursor.begins(with: "(Function call interrupts)") { return isEntry ? .callFunctionEntry : .callFunctionExit }
    if cursor.begins(with: "(Rescheduling interrupts)") { return isEntry ? .rescheduleEntry : .rescheduleExit }
    if cursor.begins(with: "(IRQ work interrupts)") { return isEntry ? .irqWorkEntry : .irqWorkExit }
    return kind
  }
}
