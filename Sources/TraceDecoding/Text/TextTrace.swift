public import TraceTypes

/// What was in a text: the counters that ``MergedStream`` has for a trace file.
public struct TextOutcome: Sendable {
  /// CPU → event name → number of events. Events that ipitrace reads have their system in front.
  public var eventCounts: [Int: [String: UInt64]] = [:]
  /// CPU → events lost, for CPUs that lost any.
  public var lostEvents: [Int: MergedStream.LostEvents] = [:]
  /// The gaps in the order in which they began, at most ``MergedStream/largestGapCount`` of them.
  public var gaps: [TraceGap] = []
  public var gapCount = 0
  /// What is wrong with the text.
  public var health = TraceHealth()
}

/// A trace as text: the files `trace` and `trace_pipe` of tracefs, or what `trace-cmd report` prints.
///
/// A file is read twice. The first reading finds out which CPUs there are and where events are missing, so that the second can
/// say so in time. What can be read only once (a pipe, a file of tracefs) is read as a stream: then a gap is known only when
/// it ends, and whoever builds histories must not judge what depends on knowing it earlier, see ``isStream``.
///
/// Symbols have addresses that stand for them, see ``names``. Pointers are taken as they are, hashed or not: equal stays
/// equal. Memory does not depend on the length of the text, but for the gaps of a file.
public final class TextTrace {
  /// The path as the user gave it; `-` is standard input.
  public var path: String { input.path }
  /// The text can be read only once. Gaps are not known beforehand, nor is ``cpus``.
  public var isStream: Bool { !input.isRepeatable }
  /// Names for the addresses in the events. They grow while a stream is read.
  public let names = TextSymbols()
  /// Names of tasks. They grow while a stream is read.
  public let commands = TextCommands()
  /// Whether the text tells the context of events. Without it, events outside handlers have unknown context, see
  /// ``TraceTypes/ContextFlags/unknown``.
  public let contextIsRecorded: Bool
  /// By how many nanoseconds a time in the text can be wrong.
  public let timeErrorNanoseconds: UInt64
  /// The CPUs that can have events: those seen and those that a header counts. All that there can be, for a stream.
  public let cpus: [Int]

  private let input: TextInput
  private var plan: TextPass.Plan?
  /// What a stream's reading has begun with.
  private var begun: PassBox?

  /// Holds what can't be copied.
  private final class PassBox {
    var pass: TextPass
    init(_ pass: consuming TextPass) { self.pass = pass }
  }

  /// Opens a text.
  /// - Parameter input: where the text comes from.
  /// - Throws: when it can't be read, or no line of it is an event.
  /// - Complexity: O(length of the text) for a file; for a stream, up to the first event.
  init(_ input: TextInput) throws(TraceFileError) {
    self.input = input
    let first = PassBox(TextPass(input: input, symbols: names, commands: commands, plan: nil))
    guard try first.pass.readToFirstEvent() else { throw Self.noEvents(first.pass, input) }
    contextIsRecorded = first.pass.contextIsRecorded ?? false
    guard input.isRepeatable else {
      begun = first
      plan = nil
      cpus = Array(0..<TextPass.cpuLimit)
      // A later line may be coarser than the first.
      timeErrorNanoseconds = 1000
      return
    }
    var census = NoConsumer()
    try first.pass.drain(into: &census, from: 0, through: .max)
    var buffer: [UInt8] = []
    var last = first
    if let best = first.pass.busiestBuffer {
      buffer = best
      let again = PassBox(TextPass(input: input, symbols: names, commands: commands, plan: nil))
      again.pass.buffer = best
      try again.pass.drain(into: &census, from: 0, through: .max)
      last = again
    }
    timeErrorNanoseconds = last.pass.timeError
    cpus = last.pass.possibleCPUs
    plan = TextPass.Plan(gaps: last.pass.gaps, buffer: buffer, handlersHaveExits: last.pass.handlersHaveExits)
  }

  /// Delivers the events of a stretch of time, and says where some were lost.
  /// - Parameters:
  ///   - from: the earliest time to deliver, in nanoseconds; nil is the beginning.
  ///   - through: the latest time to deliver, in nanoseconds; nil is the end.
  /// - Returns: what was read. It is complete if no end was given.
  /// - Throws: when the text can't be read any further, and for a stream that was read before.
  /// - Complexity: O(length of the text).
  public func drain(
    into consumer: inout some TraceEventConsumer & ~Copyable, from: UInt64? = nil, through: UInt64? = nil
  ) throws(TraceFileError) -> TextOutcome {
    let box: PassBox
    if isStream {
      guard let begun else {
        throw TraceFileError(
          .unreadable, at: input.location(0), expected: "a file that can be read twice", found: "a stream")
      }
      box = begun
      self.begun = nil
    } else {
      box = PassBox(TextPass(input: input, symbols: names, commands: commands, plan: plan))
    }
    try box.pass.drain(into: &consumer, from: from ?? 0, through: through ?? .max)
    var outcome = box.pass.outcome()
    if isStream { outcome.health.add(.readAsStream) }
    return outcome
  }

  private struct NoConsumer: TraceEventConsumer {
    mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {}
    mutating func gapBegan(_ gap: TraceGap) {}
  }

  private static func noEvents(_ pass: borrowing TextPass, _ input: TextInput) -> TraceFileError {
    let line = "a line of ftrace text (TASK-PID [CPU] FLAGS TIME: EVENT: FIELDS)"
    if let (offset, text) = pass.firstMalformed {
      return TraceFileError(
        .notATrace, at: input.location(offset),
        expected: "\(line) or the mark of a trace.dat file (17 08 44 \"tracing\")", found: ByteCursor.quoted(text))
    }
    return TraceFileError(
      pass.hasHeader ? .empty : .notATrace, at: input.location(0), expected: line,
      found: "\(pass.lineNumber) lines without one")
  }
}

extension TextPass {
  /// By how much a time can be wrong: half a unit, because the last digit is rounded, and as much for what it is held against.
  fileprivate var timeError: UInt64 {
    guard fractionDigits > 0 else { return 0 }
    return fractionDigits >= 9 ? 0 : (0..<(9 - fractionDigits)).reduce(1) { value, _ in value * 10 }
  }

  fileprivate var possibleCPUs: [Int] {
    (0..<Self.cpuLimit).filter { cpus[$0].isSeen || cpus[$0].malformed > 0 || $0 < cpuCount ?? 0 }
  }

  /// Where the text holds several buffers: the one with most cross calls, unless that is the top-level one.
  fileprivate var busiestBuffer: [UInt8]? {
    guard !buffers.isEmpty else { return nil }
    let best = buffers.max { ($0.value, $1.key.count) < ($1.value, $0.key.count) }
    guard let best, best.value > topLevelWeight else { return [] }
    return best.key
  }

  fileprivate var handlersHaveExits: Bool {
    func total(_ kind: EventKind) -> UInt64 {
      (0..<Self.cpuLimit).reduce(0) { $0 + kindCounts[$1 * EventKind.allCases.count + Int(kind.rawValue)] }
    }
    let pairs: [(EventKind, EventKind)] = [
      (.callFunctionSingleEntry, .callFunctionSingleExit), (.callFunctionEntry, .callFunctionExit),
      (.rescheduleEntry, .rescheduleExit), (.irqWorkEntry, .irqWorkExit), (.ipiEntry, .ipiExit),
    ]
    return pairs.allSatisfy { total($0.0) == 0 || total($0.1) > 0 }
  }
}

/// A trace, in whatever form it is.
public enum AnyTrace {
  case file(TraceFile)
  case text(TextTrace)

  /// Opens a trace, and recognises by its content what it is.
  /// - Parameter path: the file; `-` is standard input.
  /// - Throws: when it can't be read, or is no trace of a kind that can be analysed.
  public init(path: String) throws(TraceFileError) {
    let input = try TextInput(path: path)
    guard input.canBeText else {
      self = .file(try TraceFile(path: path))
      return
    }
    let first = try input.firstBytes(4096)
    // Text has no zero byte, and an empty file is no text.
    if first.isEmpty || first.starts(with: [0x17, 0x08, 0x44]) || first.contains(0) {
      self = .file(try TraceFile(path: path))
    } else {
      self = .text(try TextTrace(input))
    }
  }
}
