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
  private static let commColumns = 16
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
  /// - Parameter cursor: at the line's start; afterwards, if there is a head, at the event's name.
  @inline(__always)
  static func read(_ cursor: inout LineCursor) -> LineHead? {
    let start = cursor.place
    let length = cursor.end - start
    if length > commColumns + 8, start[commColumns] == UInt8(ascii: "-"),
      let head = LineHead(&cursor, start: start, dash: commColumns)
    {
      return head
    }
    if length > shortCommColumns + 8, start[shortCommColumns] == UInt8(ascii: "-"),
      let head = LineHead(&cursor, start: start, dash: shortCommColumns)
    {
      return head
    }
    return search(&cursor)
  }

  private static func search(_ cursor: inout LineCursor) -> LineHead? {
    let start = cursor.place
    var dash = 1
    while dash < min(lastDash, cursor.end - start - 8) {
      if start[dash] == UInt8(ascii: "-"), start[dash + 1] &- UInt8(ascii: "0") <= 9,
        let head = LineHead(&cursor, start: start, dash: dash)
      {
        return head
      }
      dash += 1
    }
    return nil
  }

  @inline(__always)
  private init?(_ cursor: inout LineCursor, start: UnsafePointer<UInt8>, dash: Int) {
    var at = LineCursor(from: start + dash + 1, to: cursor.end)
    guard let pid = at.decimal(), pid <= UInt64(Int32.max), at.take(UInt8(ascii: " ")) else { return nil }
    self.pid = Int32(truncatingIfNeeded: pid)
    at.skipBlanks()
    if at.byte == UInt8(ascii: "(") {
      // The thread group.
      while !at.isAtEnd, at.byte != UInt8(ascii: ")") { at.skip() }
      guard at.take(UInt8(ascii: ")")) else { return nil }
      at.skipBlanks()
    }
    let isBracketed = at.take(UInt8(ascii: "["))
    guard let cpu = at.decimal(), cpu < Self.cpuLimit else { return nil }
    self.cpu = UInt16(truncatingIfNeeded: cpu)
    if isBracketed { guard at.take(UInt8(ascii: "]")), at.byte == 0x20 else { return nil } }
    isLatencyFormat = !isBracketed
    // In the latency format the flags follow the CPU at once.
    if isBracketed || at.byte == 0x20 { at.skipBlanks() }
    flags = nil
    if at.byte &- UInt8(ascii: "0") > 9 {
      guard let found = Self.flags(&at) else { return nil }
      flags = found
      at.skipBlanks()
    }
    guard let whole = at.decimal() else { return nil }
    if at.take(UInt8(ascii: ".")) {
      let first = at.place
      guard let fraction = at.decimal() else { return nil }
      fractionDigits = at.place - first
      guard fractionDigits <= 9, whole <= 9_000_000_000 else { return nil }
      var nanoseconds = fraction
      for _ in fractionDigits..<9 { nanoseconds &*= 10 }
      self.nanoseconds = whole &* 1_000_000_000 &+ nanoseconds
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

    let columns = isLatencyFormat ? Self.shortCommColumns : Self.commColumns
    let prefix = max(0, dash - columns)
    comm = Self.trimmed(UnsafeBufferPointer(start: start + prefix, count: dash - prefix))
    buffer = Self.trimmed(UnsafeBufferPointer(start: start, count: prefix))
    cursor = at
  }

  /// Without blanks in front.
  @inline(__always)
  private static func trimmed(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var first = 0
    while first < text.count, text[first] == 0x20 { first += 1 }
    return UnsafeBufferPointer(rebasing: text[first...])
  }

  /// The context: interrupts, rescheduling, interrupt level, and depths of which only the form is looked at.
  ///
  /// The letters are those of the kernel's `trace_print_lat_fmt()`; lazy rescheduling came with 6.13.
  @inline(__always)
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
