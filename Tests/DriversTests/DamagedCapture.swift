import CallEngines
import CallHistories
import Drivers
import Glibc
import TestSupport
import TraceDecoding
import TraceTypes
import Verdicts

/// A copy of a capture on disk that a test damages and mends again.
final class DamagedCapture {
  let original: [UInt8]
  let sections: TraceFileSections
  private let scratch: ScratchFile
  private let descriptor: Int32

  /// The file is not there, or not in order.
  struct NoCapture: Error { var path: String }

  init(_ path: String) throws {
    guard let bytes = TestFile.read(path), let sections = TraceFileSections(bytes) else {
      throw NoCapture(path: path)
    }
    original = bytes
    self.sections = sections
    scratch = ScratchFile(bytes)
    descriptor = open(scratch.path, O_RDWR | O_CLOEXEC)
    precondition(descriptor >= 0, "can't open \(scratch.path)")
  }

  deinit { close(descriptor) }

  /// Replays the file cut off after so many bytes; cuts have to become shorter and shorter.
  func replay(cutTo length: Int) -> DamagedReplay {
    precondition(ftruncate(descriptor, length) == 0)
    return DamagedReplay(scratch.path)
  }

  /// Replays the file with some of its bytes changed, and changes them back.
  func replay(changing changes: [Int: UInt8]) -> DamagedReplay {
    for (place, byte) in changes { write(byte, at: place) }
    defer { for place in changes.keys { write(original[place], at: place) } }
    return DamagedReplay(scratch.path)
  }

  private func write(_ byte: UInt8, at place: Int) {
    var byte = byte
    precondition(pwrite(descriptor, &byte, 1, place) == 1)
  }
}

/// What a replay of a file says that may be damaged in any way.
struct DamagedReplay {
  /// Why the file was refused; then there is nothing else.
  private(set) var error: TraceFileError?
  /// The reader met bytes that no recorder writes.
  private(set) var provesDamage = false
  /// The damage that the reader named.
  private(set) var health: [TraceHealth.Item] = []
  private(set) var verdict: Verdict?
  /// The divergences that are claimed.
  private(set) var found: [FoundDivergence] = []
  /// Stands for all events and gaps that were read.
  private(set) var digest: UInt64 = 0

  var isRefused: Bool { error != nil }

  init(_ path: String) {
    do throws(TraceFileError) { try read(path) } catch { self.error = error }
  }

  private mutating func read(_ path: String) throws(TraceFileError) {
    let file = try TraceFile(path: path)
    let buffer = try file.analysisBuffer()
    let analysis = ReplayAnalysis(
      watched: [:], recordedKinds: Self.settings(file, buffer).recordedKinds, sink: NoCallSink())
    var reader = DigestingReader(
      HistoryBuilder(settings: Self.settings(file, buffer), names: file.symbols, consumer: analysis))
    let stream = try MergedStream(file: file, buffer: buffer)
    try stream.drain(into: &reader)
    reader.builder.finish()
    digest = reader.digest
    var all = file.health
    all.merge(stream.health)
    if reader.builder.statistics.impossible > 0 {
      all.add(TraceHealth.Item(name: "impossibleEvents", severity: .error, remedy: ""))
    }
    health = all.items
    provesDamage = all.provesDamage
    var found: [FoundDivergence] = []
    verdict = analysis.verdict(
      of: reader.builder, clockIsShared: TraceClock.isShared(buffer.clock),
      timesWentBack: health.contains { $0.name == "backwardTimes" }, isDamaged: all.provesDamage,
      lossWindows: stream.gaps.map {
        LossWindow(
          cpu: Int($0.cpu), startNanoseconds: $0.afterNanoseconds, endNanoseconds: $0.beforeNanoseconds,
          lostEvents: $0.lostEvents)
      }
    ) {
      found.append($0)
      return Divergence(
        rule: $0.rule.rawValue, timeNanoseconds: $0.time, cpus: $0.cpus.map(Int.init), callback: nil, events: [],
        expected: "", explanation: "")
    }
    self.found = found
  }

  /// As `ipitrace replay` has them.
  private static func settings(_ file: TraceFile, _ buffer: TraceBuffer) -> HistorySettings {
    var settings = HistorySettings()
    settings.wakeupFunction = file.symbols.addresses(ofSymbol: "sched_ttwu_pending").first
    settings.crossCallFunction =
      file.symbols.addresses(ofSymbol: "generic_smp_call_function_single_interrupt").first
    settings.cpus = buffer.regions.map(\.cpu)
    if let facts = file.facts {
      let described = Set(file.formats.map(\.qualifiedName))
      settings.recordedKinds = Set(
        facts.enabledEvents.filter(described.contains).compactMap { EventKind(qualifiedName: $0) })
      settings.possibleCPUs = facts.possible
      settings.addressesAreRaw = true
      if let online = facts.online, let recorded = facts.recorded {
        settings.someCPUsUnrecorded = online.cpus.contains { !recorded.contains($0) }
      }
    }
    return settings
  }
}

/// Hands events on, and makes a number of them that another sequence hardly has.
private struct DigestingReader: TraceEventConsumer, ~Copyable {
  var builder: HistoryBuilder
  private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325

  init(_ builder: consuming HistoryBuilder) { self.builder = builder }

  private mutating func add(_ word: UInt64) { digest = (digest ^ word) &* 0x100_0000_01b3 ^ digest >> 29 }

  mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    for index in events.indices {
      let event = events[index]
      add(event.nanoseconds)
      add(UInt64(event.cpu) << 16 | UInt64(event.kind.rawValue) << 8 | UInt64(event.flags.rawValue))
      add(UInt64(bitPattern: Int64(event.pid)) << 32 ^ event.csd)
      add(event.function ^ event.callsite << 1)
      guard event.kind == .ipiSendCPUMask || event.kind == .ipiRaise else {
        add(UInt64(bitPattern: Int64(event.target)) << 32 ^ UInt64(bitPattern: Int64(event.detail)))
        continue
      }
      for word in 0..<Int(event.detail) { add(maskWords[Int(event.target) + word]) }
    }
    builder.consume(events, maskWords: maskWords)
  }

  mutating func gapBegan(_ gap: TraceGap) {
    add(UInt64(gap.cpu) ^ (gap.afterNanoseconds ?? 1) ^ (gap.beforeNanoseconds ?? 2) << 1)
    builder.gapBegan(gap)
  }
}
