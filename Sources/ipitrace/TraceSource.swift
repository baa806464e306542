import TraceDecoding
import TraceTypes

/// A trace to replay, whatever its form: what a replay asks of it.
struct TraceSource {
  /// What was read: the counters that both forms have.
  struct Outcome {
    var eventCounts: [Int: [String: UInt64]]
    var lostEvents: [Int: MergedStream.LostEvents]
    var gaps: [TraceGap]
    var health: TraceHealth

    init(_ outcome: TextOutcome) {
      (eventCounts, lostEvents) = (outcome.eventCounts, outcome.lostEvents)
      (gaps, health) = (outcome.gaps, outcome.health)
    }

    /// Of a stream that was read to its end.
    init(of stream: MergedStream, in file: TraceFile) {
      (eventCounts, lostEvents, gaps) = (stream.eventCounts, stream.lostEvents, stream.gaps)
      health = file.health
      health.merge(stream.health)
    }
  }

  private enum Form {
    case file(TraceFile, TraceBuffer)
    case text(TextTrace)
  }

  private let form: Form

  init(path: String) throws(TraceFileError) {
    switch try AnyTrace(path: path) {
    case .file(let file): form = .file(file, try file.analysisBuffer())
    case .text(let text): form = .text(text)
    }
  }

  var kernelRelease: String? {
    switch form {
    case .file(let file, _): file.kernelRelease
    case .text: nil
    }
  }

  var clock: String? {
    switch form {
    case .file(_, let buffer): buffer.clock
    case .text: nil
    }
  }

  var facts: CaptureFacts? {
    switch form {
    case .file(let file, _): file.facts
    case .text: nil
    }
  }

  var names: any AddressNaming {
    switch form {
    case .file(let file, _): file.symbols
    case .text(let text): text.names
    }
  }

  /// Names of tasks by pid, as far as they are known by now; 0 is idle.
  var comm: (Int32) -> String? {
    switch form {
    case .file(let file, _):
      var comms = file.commands
      comms[0] = "<idle>"
      let known = comms
      return { known[$0] }
    case .text(let text):
      let commands = text.commands
      return { commands[$0] }
    }
  }

  /// The CPUs that were recorded, or that can have been.
  var cpus: [Int] {
    switch form {
    case .file(_, let buffer): buffer.regions.map(\.cpu)
    case .text(let text): text.cpus
    }
  }

  /// The types of events that are described, or nil where nothing says which there are.
  var describedEvents: Set<String>? {
    switch form {
    case .file(let file, _): Set(file.formats.map(\.qualifiedName))
    case .text: nil
    }
  }

  /// Whether it is told what the handlers of interprocessor interrupts are for, where one event stands for all of them.
  var explainsReasons: Bool {
    switch form {
    case .file(let file, _): file.explainsReasons
    case .text: true
    }
  }

  /// The trace can be read only once, and gaps are known only when they end.
  var isStream: Bool {
    switch form {
    case .file: false
    case .text(let text): text.isStream
    }
  }

  var contextIsKnown: Bool {
    switch form {
    case .file: true
    case .text(let text): text.contextIsRecorded
    }
  }

  /// By how many nanoseconds a difference of two times can be wrong.
  var timeErrorNanoseconds: UInt64 {
    switch form {
    case .file: 0
    case .text(let text): text.timeErrorNanoseconds
    }
  }

  /// All events, to be read block by block, and what reading them has told when that is over. Nil for a text: its names are
  /// learned from it while it is read.
  func stream() throws(TraceFileError) -> (MergedStream, outcome: () -> Outcome)? {
    guard case .file(let file, let buffer) = form else { return nil }
    let stream = try MergedStream(file: file, buffer: buffer)
    return (stream, { Outcome(of: stream, in: file) })
  }

  /// Delivers one CPU's events of a stretch of time.
  /// - Returns: false where that is not to be had: a text has no places by time and CPU.
  func drain(
    cpu: Int, into consumer: inout some TraceEventConsumer & ~Copyable, from: UInt64, through: UInt64
  ) throws(TraceFileError) -> Bool {
    guard case .file(let file, var buffer) = form else { return false }
    buffer.regions.removeAll { $0.cpu != cpu }
    try MergedStream(file: file, buffer: buffer, from: from, through: through).drain(into: &consumer)
    return true
  }

  /// Delivers the events of a stretch of time; nil is the beginning, and the end.
  func drain(
    into consumer: inout some TraceEventConsumer & ~Copyable, from: UInt64? = nil, through: UInt64? = nil
  ) throws(TraceFileError) -> Outcome {
    switch form {
    case .file(let file, let buffer):
      let stream = try MergedStream(file: file, buffer: buffer, from: from, through: through)
      try stream.drain(into: &consumer)
      return Outcome(of: stream, in: file)
    case .text(let text):
      return Outcome(try text.drain(into: &consumer, from: from, through: through))
    }
  }
}
