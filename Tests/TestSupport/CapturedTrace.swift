internal import Glibc
public import TraceDecoding
public import TraceTypes

/// A real capture of `fixtures/captures` as events that a test can alter and hand on again.
public struct CapturedTrace: Sendable {
  /// In the merged order. What a mask event's `target` points into is ``maskWords``.
  public var events: [TraceEvent] = []
  public var maskWords: [UInt64] = []
  public var gaps: [TraceGap] = []
  /// The CPUs that were recorded.
  public var cpus: [Int] = []
  /// Events known to have been switched on.
  public var recordedKinds: Set<EventKind> = []
  /// CPUs ran whose events were not recorded.
  public var someCPUsUnrecorded = false
  /// All CPUs read one clock.
  public var clockIsShared = false
  /// On some CPU, and the decoder gave the events the time before instead, and said so.
  public var timesWentBack = false
  public let symbols: SymbolTable

  /// The captures, by file name, each read once.
  public static let names = (try? Fixtures.files(in: "captures", suffix: ".dat")) ?? []

  /// The captures of the folder that IPITRACE_TEST_CAPTURES names, by path: for runs by hand.
  public static let moreNames: [String] =
    getenv("IPITRACE_TEST_CAPTURES").map { Fixtures.paths(in: String(cString: $0), suffix: ".dat") } ?? []

  /// Reads a capture of `fixtures/captures`, or one at a path.
  public init(fixture name: String) throws {
    let file = try TraceFile(path: name.hasPrefix("/") ? name : Fixtures.path("captures/" + name))
    let buffer = try file.analysisBuffer()
    let (collector, stream) = try EventCollector.collect(file, buffer)
    events = collector.events
    gaps = stream.gaps
    cpus = buffer.regions.map(\.cpu)
    symbols = file.symbols
    clockIsShared = TraceClock.isShared(buffer.clock)
    if let facts = file.facts {
      recordedKinds = Set(facts.enabledEvents.compactMap { EventKind(qualifiedName: $0) })
      if let online = facts.online, let recorded = facts.recorded {
        someCPUsUnrecorded = online.cpus.contains { !recorded.contains($0) }
      }
    }
    for (index, words) in collector.masks {
      events[index].target = Int32(maskWords.count)
      maskWords += words
    }
  }

  /// Puts the events back into the order of time, after times were altered. Events of one CPU keep their order.
  public mutating func restoreOrder() {
    var latest: [UInt16: UInt64] = [:]
    for index in events.indices {
      events[index].nanoseconds = max(events[index].nanoseconds, latest[events[index].cpu] ?? 0)
      latest[events[index].cpu] = events[index].nanoseconds
    }
    events = events.enumerated().sorted {
      ($0.element.nanoseconds, $0.element.cpu, $0.offset) < ($1.element.nanoseconds, $1.element.cpu, $1.offset)
    }.map(\.element)
  }

  /// Hands the trace to a consumer as a merged stream does: runs of one CPU, and each gap before the next event of any CPU.
  public func feed(_ consumer: inout some TraceEventConsumer & ~Copyable) {
    var rest = gaps.sorted { ($0.afterNanoseconds ?? 0) < ($1.afterNanoseconds ?? 0) }[...]
    var start = 0
    while start < events.count {
      while let gap = rest.first, (gap.afterNanoseconds ?? 0) < events[start].nanoseconds {
        consumer.gapBegan(gap)
        rest.removeFirst()
      }
      var end = start + 1
      while end < events.count, events[end].cpu == events[start].cpu,
        events[end].nanoseconds <= rest.first?.afterNanoseconds ?? .max
      {
        end += 1
      }
      consumer.consume(events.span.extracting(start..<end), maskWords: maskWords.span)
      start = end
    }
    for gap in rest { consumer.gapBegan(gap) }
  }
}
