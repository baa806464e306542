import ArgumentParser
import Glibc
import Reports
import TestSupport
import TraceDecoding
import TraceTypes
import Verdicts

/// Everything that ends in a replay.
enum TraceTargets {
  static func trace(_ bytes: [UInt8]) throws {
    let file = FuzzedFile.shared
    file.fill(bytes)
    // Half of the inputs are taken for complete recordings, of which more is judged.
    try replay(bytes, file.path, isComplete: bytes.count % 2 == 0)
  }

  static func text(_ bytes: [UInt8]) throws { try trace(bytes) }

  /// - Note: What a pipe does not hold is left out.
  static func stream(_ bytes: [UInt8]) throws {
    var ends: [CInt] = [0, 0]
    precondition(pipe(&ends) == 0, "no pipe")
    _ = bytes.prefix(60_000).withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
    close(ends[1])
    defer { close(ends[0]) }
    try replay(bytes, "/dev/fd/\(ends[0])", isComplete: bytes.count % 2 == 0)
  }

  /// The first three bytes choose version, compression, size of pages and number of CPUs.
  static func pages(_ bytes: [UInt8]) throws {
    guard bytes.count >= 3 else { return }
    let forms: [(Int, Compression)] = [(6, .none), (7, .none), (7, .zlib), (7, .zstd)]
    let (version, compression) = forms[Int(bytes[0] & 3)]
    let cpuCount = Int(bytes[1] & 7) + 1
    let size = 128 << Int(bytes[2] & 3)
    var cpus = (0..<cpuCount).map { TraceFileBuilder.CPU($0, pages: []) }
    var rest = bytes[3...]
    var cpu = 0
    while !rest.isEmpty {
      let page = Array(rest.prefix(size))
      cpus[cpu].pages.append(page + [UInt8](repeating: 0, count: size - page.count))
      rest = rest.dropFirst(size)
      cpu = (cpu + 1) % cpuCount
    }
    var builder = TraceFileBuilder(
      version: version, compression: compression, buffers: [.init(pageSize: size, cpus: cpus)])
    (builder.pageSize, builder.headerPageSize, builder.chunkPages) = (size, size, 2)
    builder.compressesHeader = false
    let file = FuzzedFile.shared
    file.fill(builder.bytes)
    try replay(bytes, file.path, isComplete: bytes[0] & 4 == 0)
  }

  /// The texts of formats, with a zero byte between them, over pages that the usual formats fit.
  static func formats(_ bytes: [UInt8]) throws {
    var builder = SmallTraces.mixed
    builder.formats = []
    builder.moreFormats = bytes.split(separator: 0, omittingEmptySubsequences: false).prefix(100).map { text in
      let system = text.prefix { $0 != 0x0a }
      return (String(decoding: system, as: UTF8.self), String(decoding: text.dropFirst(system.count), as: UTF8.self))
    }
    let file = FuzzedFile.shared
    file.fill(builder.bytes)
    try replay(bytes, file.path, isComplete: bytes.count % 2 == 0)
  }

  /// Twelve bytes to an event; the first two bytes say how the file is.
  static func events(_ bytes: [UInt8], simulates: Bool) throws {
    guard bytes.count >= 2 else { return }
    var source = FuzzedEvents(isLate: bytes[0] & 2 != 0)
    var rest = bytes[2...]
    while rest.count >= FuzzedEvents.eventSize {
      source.add(rest.prefix(FuzzedEvents.eventSize))
      rest = rest.dropFirst(FuzzedEvents.eventSize)
    }
    var builder = TraceFileBuilder(events: source.ordered, maskWords: FuzzedEvents.maskWords, version: 6)
    builder.kallsyms = FuzzedEvents.kallsyms
    let file = FuzzedFile.shared
    file.fill(builder.bytes)
    let engines = EngineArgument.allValueStrings
    try replay(
      bytes, file.path, isComplete: bytes[0] & 1 == 0, engine: simulates ? engines[Int(bytes[1]) % engines.count] : nil)
  }

  /// Replays a trace as `ipitrace replay` does, and renders what comes out in every form.
  static func replay(_ input: [UInt8], _ path: String, isComplete: Bool, engine: String? = nil) throws {
    var replay = try Replay(path: path, isComplete: isComplete)
    if isComplete { replay.namedCPUs = CPUMask([0, 1, 3]) }
    replay.drawsActivities = input.count % 4 < 2
    if let engine {
      var request = SimulationRequest()
      request.engines = EngineArgument(argument: engine).map { [$0] } ?? []
      replay.simulation = request
    }
    do {
      let source = replay.source
      var (result, sink) = try replay.run(
        sink: CountingSink(
          names: source.names, clock: source.clock, comm: source.comm, draws: replay.drawsActivities))
      precondition(result.verdict.addsUp, "calls without an end: \(result.verdict.accounting)")
      precondition(sink.calls == result.calls.total, "\(sink.calls) calls of \(result.calls.total) were written")
      sink.finish(result)
      try TextTargets.show(result, of: input)
    } catch is ValidationError {
      // More CPUs than can be simulated.
      precondition(engine != nil)
    }
  }
}

extension Verdict {
  /// Whether every queued call has exactly one end, and is judged or not.
  var addsUp: Bool {
    let parts =
      accounting.executed + accounting.lost + accounting.pending + accounting.notJudged.reduce(0) { $0 + $1.count }
    return accounting.queued == parts && judged + undecided == accounting.queued
  }
}
