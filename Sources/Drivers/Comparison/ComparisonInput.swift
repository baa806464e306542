public import CallHistories
public import TraceTypes
public import Verdicts

/// What a comparison is given of one side.
public struct ComparisonInput: Sendable {
  /// As the user gave it.
  public var name: String
  public var result: ReplayResult
  /// Nil for a saved result.
  public var slices: SlicedStatistics?
  /// Types of events that were switched on for certain, seen or not.
  public var recordedKinds: Set<EventKind>
  /// The CPUs that were recorded, seen or not.
  public var recordedCPUs: [Int]
  /// CPUs ran whose events were not recorded.
  public var isPartial: Bool

  /// - Parameters:
  ///   - recordedKinds: as far as they are known besides those that were seen.
  ///   - unreadableKinds: what was recorded, and is as good as absent.
  ///   - recordedCPUs: as far as they are known besides those that were seen.
  public init(
    name: String, result: ReplayResult, slices: SlicedStatistics? = nil, recordedKinds: Set<EventKind> = [],
    unreadableKinds: Set<EventKind> = [], recordedCPUs: [Int] = [], isPartial: Bool = false
  ) {
    self.name = name
    self.result = result
    self.slices = slices
    self.isPartial = isPartial
    let seen = result.trace.events.byType.filter { $0.value > 0 }.keys.compactMap { EventKind(qualifiedName: $0) }
    var kinds: Set<EventKind> = []
    for kind in recordedKinds.union(seen).subtracting(unreadableKinds) { kinds.formUnion(kind.decodedKinds) }
    self.recordedKinds = kinds
    // A saved result may hold any number.
    self.recordedCPUs = Set(recordedCPUs + result.trace.events.byCPU.map(\.cpu)).filter {
      $0 >= 0 && $0 <= CPUMask.highestCPU
    }.sorted()
  }
}

/// Counts by slices of time while a recording is replayed.
public struct SliceSink: CompletedCallSink {
  public private(set) var statistics: SlicedStatistics

  public init(names: any AddressNaming) {
    statistics = SlicedStatistics { CallbackName.comparable(names.text($0)) }
  }

  public mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
    statistics.add(call, targets: targets)
  }

  public mutating func handlerCompleted(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {
    statistics.addHandler(kind, cpu: cpu, start: start, end: end)
  }

  public mutating func unqueuedCallback(_ event: TraceEvent) { statistics.addUnqueued(event) }

  public mutating func unqueuedCallbackEnded(_ event: TraceEvent, started: UInt64) {
    statistics.addUnqueuedEnd(event, started: started)
  }
}

/// Names of callbacks, as they can be held against those of another kernel.
enum CallbackName {
  /// The name without what the compiler hangs on to it: `f.isra.0` is `f` in the next build.
  static func comparable(_ name: String) -> String {
    guard let dot = name.firstIndex(of: ".") else { return name }
    let suffix = name[name.index(after: dot)...].prefix { $0 != "." }
    return ["isra", "constprop", "part", "cold", "llvm", "lto_priv"].contains(suffix) ? String(name[..<dot]) : name
  }

  /// Whether it is an address, which another boot puts to another use.
  static func isAddress(_ name: String) -> Bool { name.hasPrefix("0x") }
}
