import TraceTypes

/// The part of a line before the event's name: task, CPU, context, time.
///
///     `          <idle>-0       [002] d.h1. 23636.756844: `   tracefs, trace-cmd with flags
///     `          <idle>-0       (-------) [002] d.h1. 236.5: ` with the thread group
///     `          <idle>-0       [002]   236.756844: `         without context
///     `  <idle>-0         1d.h1. 22642339830us+: `            the latency format
///     `  calls:           <idle>-0 …`                         trace-cmd, of one buffer of several
///
/// A task's name may hold anything, even what looks like the rest of a line. It has 16 columns, or 8 in the latency format, so
/// what stands behind them decides, and only where nothing fits there the line is searched.
struct LineHead {
  /// The columns of a task's name.
  static let commColumns = 16
  private static let shortCommColumns = 8
  /// Behind this many bytes no task's name can end.
  private static let lastDash = 96
  /// The kernel's own limit is 8,192.
  static let cpuLimit: UInt64 = 8192

  var comm: UnsafeBufferPointer<UInt8>
  /// The buffer's name where several are printed as one; empty for the top-level one.
  var buffer: UnsafeBufferPointer<UInt8>
  var pid: Int32
  var cpu: UInt16
  /// Nil where the text has no such column.
  var flags: ContextFlags?
  var nanoseconds: UInt64
  /// The number of digits behind the point of the time, 6 or 9; 0 where the time is a plain number.
  var fractionDigits: Int
  /// Names are cut off after 8 bytes.
  var isLatencyFormat: Bool

  /// Reads the head of a line.
  /// - Parameters:
  ///   - cursor: at the line's start; afterwards, if there is a head, at the event's name.
  ///   - known: what earlier lines began with.
  @inline(__always)
  static func read(_ cursor: inout LineCursor, _ known: borrowing KnownHeads) -> LineHead? {
    if let beginning = known.beginning(at: cursor.place), let head = LineHead(&cursor, beginning, known) { return head }
    return readUnknown(&cursor, known)
  }

  private static func readUnknown(_ cursor: inout LineCursor, _ known: borrowing KnownHeads) -> LineHead? {
    let start = cursor.place
    let length = cursor.end - start
    if length > commColumns + 8, start[commColumns] == UInt8(ascii: "-"),
      let head = LineHead(&cursor, dash: commColumns, known)
    {
      return head
    }
    if length > shortCommColumns + 8, start[shortCommColumns] == UInt8(ascii: "-"),
      let head = LineHead(&cursor, dash: shortCommColumns, known)
    {
      return head
    }
    return search(&cursor, known)
  }

  private static func search(_ cursor: inout LineCursor, _ known: borrowing KnownHeads) -> LineHead? {
    let start = cursor.place
    var dash = 1
    while dash < min(lastDash, cursor.end - start - 8) {
      if start[dash] == UInt8(ascii: "-"), start[dash + 1] &- UInt8(ascii: "0") <= 9,
        let head = LineHead(&cursor, dash: dash, known)
      {
        return head
      }
      dash += 1
    }
    return nil
  }

  /// Goes on behind a beginning that is known.
  @inline(__always)
  private init?(_ cursor: inout LineCursor, _ beginning: KnownHeads.Beginning, _ known: borrowing KnownHeads) {
    let start = cursor.place
    var at = LineCursor(from: start + beginning.length, to: cursor.end)
    guard let context = Context(&at, known), let time = Time(&at) else { return nil }
    comm = UnsafeBufferPointer(start: start + beginning.blanks, count: beginning.columns - beginning.blanks)
    buffer = UnsafeBufferPointer(start: start, count: 0)
    pid = beginning.pid
    cpu = beginning.cpu
    flags = context.flags
    nanoseconds = time.nanoseconds
    fractionDigits = time.fractionDigits
    isLatencyFormat = beginning.columns != Self.commColumns
    cursor = at
  }

  private init?(_ cursor: inout LineCursor, dash: Int, _ known: borrowing KnownHeads) {
    let start = cursor.place
    var at = LineCursor(from: start + dash + 1, to: cursor.end)
    guard let pid = at.decimal(), pid <= UInt64(Int32.max), at.take(UInt8(ascii: " ")) else { return nil }
    self.pid = Int32(truncatingIfNeeded: pid)
    at.skipBlanks()
    let hasThreadGroup = at.byte == UInt8(ascii: "(")
    if hasThreadGroup {
      while !at.isAtEnd, at.byte != UInt8(ascii: ")") { at.skip() }
      guard at.take(UInt8(ascii: ")")) else { return nil }
      at.skipBlanks()
    }
    let isBracketed = at.take(UInt8(ascii: "["))
    guard let cpu = at.decimal(), cpu < Self.cpuLimit else { return nil }
    self.cpu = UInt16(truncatingIfNeeded: cpu)
    if isBracketed { guard at.take(UInt8(ascii: "]")), at.byte == 0x20 else { return nil } }
    isLatencyFormat = !isBracketed
    let beginning = at.place
    // In the latency format the flags follow the CPU at once.
    guard let context = Context(&at, known), let time = Time(&at) else { return nil }
    flags = context.flags
    nanoseconds = time.nanoseconds
    fractionDigits = time.fractionDigits

    let columns = isLatencyFormat ? Self.shortCommColumns : Self.commColumns
    let prefix = max(0, dash - columns)
    comm = Self.trimmed(UnsafeBufferPointer(start: start + prefix, count: dash - prefix))
    buffer = Self.trimmed(UnsafeBufferPointer(start: start, count: prefix))
    if dash == columns, !hasThreadGroup {
      let length = beginning - start + (isBracketed ? 1 : 0)
      known.take(
        at: start, length: length, blanks: columns - comm.count, columns: columns, pid: self.pid, cpu: self.cpu)
    }
    cursor = at
  }

  /// Without blanks in front.
  private static func trimmed(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var first = 0
    while first < text.count, text[first] == 0x20 { first += 1 }
    return UnsafeBufferPointer(rebasing: text[first...])
  }

  // MARK: Time

  /// The time, and the colon and the blank behind it.
  private struct Time {
    var nanoseconds: UInt64
    var fractionDigits: Int

    @inline(__always)
    init?(_ at: inout LineCursor) {
      guard let whole = at.decimal() else { return nil }
      if at.take(UInt8(ascii: ".")) {
        let first = at.place
        guard let fraction = at.decimal() else { return nil }
        fractionDigits = at.place - first
        guard fractionDigits <= 9, whole <= 9_000_000_000 else { return nil }
        nanoseconds = fraction
        if fractionDigits == 6 {
          nanoseconds &*= 1000
        } else {
          for _ in fractionDigits..<9 { nanoseconds &*= 10 }
        }
        nanoseconds &+= whole &* 1_000_000_000
      } else if at.take("us") {
        guard whole <= 9_000_000_000_000_000 else { return nil }
        fractionDigits = 6
        nanoseconds = whole &* 1000
        // A mark for a long delay since the line before.
        if at.byte != UInt8(ascii: ":") { at.skip() }
      } else {
        guard whole < 1 << 63 else { return nil }
        fractionDigits = 0
        nanoseconds = whole
      }
      guard at.take(UInt8(ascii: ":")), at.take(UInt8(ascii: " ")) else { return nil }
    }
  }

  // MARK: Context

  /// The context, nil where the line has none.
  private struct Context {
    var flags: ContextFlags?

    /// Reads it with the blanks around it; nil where something stands there that is neither a context nor a time.
    @inline(__always)
    init?(_ at: inout LineCursor, _ known: borrowing KnownHeads) {
      at.skipBlanks()
      if at.byte &- UInt8(ascii: "0") <= 9 { return }
      let word = ByteWord(at: at.place)
      let count = min(word.marks(of: 0x20).first, at.end - at.place)
      if count < 8, let found = known.context(word, count: count) {
        flags = found
        at.skip(count)
      } else {
        guard let found = LineHead.flags(&at) else { return nil }
        known.take(found, of: word, count: count)
        flags = found
      }
      at.skipBlanks()
    }
  }

  /// The context: interrupts, rescheduling, interrupt level, and depths of which only the form is looked at.
  ///
  /// The letters are those of the kernel's `trace_print_lat_fmt()`; lazy rescheduling came with 6.13.
  private static func flags(_ at: inout LineCursor) -> ContextFlags? {
    let start = at.place
    while !at.isAtEnd, at.byte != 0x20 { at.skip() }
    let text = at.bytes(since: start)
    guard text.count >= 3, text.count <= 8 else { return nil }
    var flags: UInt8
    switch text[0] {
    case UInt8(ascii: "."), UInt8(ascii: "-"): flags = 0
    case UInt8(ascii: "d"): flags = ContextFlags.interruptsOff.rawValue
    case UInt8(ascii: "b"): flags = ContextFlags.bottomHalvesOff.rawValue
    case UInt8(ascii: "D"): flags = ContextFlags.interruptsOff.rawValue | ContextFlags.bottomHalvesOff.rawValue
    // The machine can't tell.
    case UInt8(ascii: "X"): flags = 0
    default: return nil
    }
    switch text[1] {
    case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "l"): break
    case UInt8(ascii: "N"), UInt8(ascii: "B"):
      flags |= ContextFlags.needReschedule.rawValue | ContextFlags.preemptReschedule.rawValue
    case UInt8(ascii: "n"), UInt8(ascii: "b"): flags |= ContextFlags.needReschedule.rawValue
    case UInt8(ascii: "p"), UInt8(ascii: "L"): flags |= ContextFlags.preemptReschedule.rawValue
    default: return nil
    }
    switch text[2] {
    case UInt8(ascii: "."), UInt8(ascii: "-"): break
    case UInt8(ascii: "h"): flags |= ContextFlags.hardInterrupt.rawValue
    case UInt8(ascii: "s"): flags |= ContextFlags.softInterrupt.rawValue
    case UInt8(ascii: "H"): flags |= ContextFlags.hardInterrupt.rawValue | ContextFlags.softInterrupt.rawValue
    case UInt8(ascii: "Z"): flags |= ContextFlags.nonMaskableInterrupt.rawValue | ContextFlags.hardInterrupt.rawValue
    case UInt8(ascii: "z"): flags |= ContextFlags.nonMaskableInterrupt.rawValue
    default: return nil
    }
    for depth in text.dropFirst(3) where depth != UInt8(ascii: ".") && depth != UInt8(ascii: "-") {
      guard LineCursor.digit(depth) != nil || depth == UInt8(ascii: "#") else { return nil }
    }
    return ContextFlags(rawValue: flags)
  }
}
