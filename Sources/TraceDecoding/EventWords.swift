import TraceTypes

/// A ``TraceEvent`` as the six words that it is in memory.
///
/// CPU, kind, flags and pid share one of them, and records have the last two where the event wants them, only lower: put together
/// as a word they cost a third of what storing them one by one does.
enum EventWords {
  typealias Words = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

  /// Whether the compiler lays out events as is supposed here. Trivially true or false for a given compiler.
  static let layoutIsAsSupposed =
    MemoryLayout<TraceEvent>.size == MemoryLayout<Words>.size
    && MemoryLayout<TraceEvent>.stride == MemoryLayout<TraceEvent>.size
    && MemoryLayout<TraceEvent>.offset(of: \.nanoseconds) == 0 && MemoryLayout<TraceEvent>.offset(of: \.flags) == 11
    && MemoryLayout<TraceEvent>.offset(of: \.pid) == 12 && MemoryLayout<TraceEvent>.offset(of: \.csd) == 16
    && MemoryLayout<TraceEvent>.offset(of: \.function) == 24 && MemoryLayout<TraceEvent>.offset(of: \.callsite) == 32
    && MemoryLayout<TraceEvent>.offset(of: \.target) == 40 && MemoryLayout<TraceEvent>.offset(of: \.detail) == 44

  /// What an event's second word has of its kind.
  static func head(of kind: EventKind) -> UInt64 { second(TraceEvent(nanoseconds: 0, cpu: 0, kind: kind)) }

  /// What an event's second word has of its CPU.
  static func head(of cpu: UInt16) -> UInt64 {
    second(TraceEvent(nanoseconds: 0, cpu: cpu, kind: .other)) & ~head(of: .other)
  }

  private static func second(_ event: TraceEvent) -> UInt64 { unsafeBitCast(event, to: Words.self).1 }

  /// The event of these numbers.
  /// - Parameters:
  ///   - head: of CPU and kind together.
  ///   - common: type, flags and pid, as they lie in the first word of a record.
  @inline(__always)
  static func event(
    nanoseconds: UInt64, head: UInt64, common: UInt64, csd: UInt64, function: UInt64, callsite: UInt64, target: UInt64,
    detail: UInt64
  ) -> TraceEvent {
    let context = common & 0xffff_ffff_0000_0000 | (common & 0xff_0000) &<< 8
    return unsafeBitCast(
      (nanoseconds, head | context, csd, function, callsite, target & 0xffff_ffff | detail &<< 32), to: TraceEvent.self)
  }
}
