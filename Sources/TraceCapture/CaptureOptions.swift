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
  /// A program and its arguments; the recording lasts as long as it runs. Empty for none.
  public var command: [String] = []

  public init() {}
}

/// What became of a recording.
public struct CaptureSummary: Sendable, Equatable {
  public var output: String
  /// Of the file, in bytes.
  public var size: UInt64
  public var events: UInt64
  public var lostEvents: UInt64
  /// How many CPUs' buffers were read.
  public var cpus: Int
  /// The command's exit status, 128 + signal if one killed it; 0 without a command.
  public var exitStatus: Int32
  public var facts: CaptureFacts
}
