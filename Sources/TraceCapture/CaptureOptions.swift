public import TraceTypes

/// What to record, how, and where to.
public struct CaptureOptions: Sendable {
  /// The file to write.
  public var output = "trace.dat"
  /// Per CPU; nil takes ``BufferSize/standard(cpus:memoryKibibytes:)``.
  public var bufferSize: BufferSize?
  /// The kernel's name of a trace clock; nil leaves the choice to the kernel.
  public var clock: String?
  /// Stop after this time; nil goes on until the command ends, or a signal comes.
  public var duration: CaptureDuration?
  /// The CPUs to record; nil for all.
  public var cpus: CPUMask?
  /// Whether to record every `sched_switch`.
  public var recordsSwitches = true
  /// Whether to store all symbols of the kernel, and not only those that the events refer to.
  public var storesAllSymbols = false
  /// Whether to write other addresses in the place of the kernel's, so that the file can be given away.
  public var hidesAddresses = false
  /// Divides the recording into pieces; nil for one file.
  public var pieces: PieceOptions?
  /// The CPUs on which the recorder itself runs; nil for any.
  public var recorderCPUs: CPUMask?
  /// A program and its arguments; the recording lasts as long as it runs. Empty for none.
  public var command: [String] = []

  public init() {}
}

/// What became of a recording.
public struct CaptureSummary: Sendable, Equatable {
  public var output: String
  /// Of the file, or of all pieces that were written, in bytes.
  public var size: UInt64
  public var events: UInt64
  public var lostEvents: UInt64
  /// How many CPUs' buffers were read.
  public var cpus: Int
  /// The command's exit status, 128 + signal if one killed it; 0 without a command.
  public var exitStatus: Int32
  public var facts: CaptureFacts
  /// How many pieces of a recording in pieces are there; nil for one file.
  public var pieces: Int?
}

extension CaptureSummary {
  /// Takes the facts of one more piece. What was counted is added up; all else is that of the last piece.
  mutating func add(_ new: CaptureFacts) {
    let old = facts
    facts = new
    if new.piece == nil { return }
    facts.lostEvents.merge(old.lostEvents) { $0 &+ $1 }
    facts.recorderWakeups = new.recorderWakeups.map { $0 &+ (old.recorderWakeups ?? 0) }
    facts.recorderInterrupts = new.recorderInterrupts.map { $0 &+ (old.recorderInterrupts ?? 0) }
  }
}
