import Glibc

/// Why a recording could not be made. Each description is one sentence that says what to do.
public enum CaptureError: Error, Equatable, CustomStringConvertible {
  case notPermitted
  case noTracefs
  /// None of the events is there. The names are what was looked for.
  case noEvents([String])
  case unknownClock(String, available: [String])
  /// These CPUs of `--cpus` do not exist, or are offline.
  case noSuchCPUs(String, online: String)
  /// A step of setting up the instance failed: which, and errno.
  case setupFailed(String, Int32)
  case bufferRefused(kibibytesPerCPU: Int, Int32)
  case outputNotWritable(String, Int32)
  /// Something is at the output path that a rename must not replace, for example a device.
  case outputNotAFile(String)
  /// The recording is complete, but can't be put in its place; where it is kept.
  case outputNotReplaced(String, Int32, kept: String)
  /// A file is in the place of what is to be recovered.
  case outputExists(String)
  /// What is to be recovered is not what a killed recorder leaves behind: why.
  case noLeftover(String, String)
  /// A trace file, or the head of one, that can't be read: where, in bytes, and why.
  case malformedFile(String, offset: UInt64, String)
  /// Binding the recorder to these CPUs failed.
  case recorderCPUsRefused(String, Int32)
  case diskFull(String)
  case writeFailed(String, Int32)
  case readFailed(cpu: Int, Int32)
  /// The pages that the kernel handed out are not what its own header says.
  case malformedPage(cpu: Int, offset: UInt64, String)
  case commandNotFound(String)
  case commandNotStarted(String, Int32)
  /// A signal came before the recording began.
  case interrupted(signal: Int32)

  public var description: String {
    switch self {
    case .notPermitted:
      "Recording needs root (or CAP_SYS_ADMIN and access to tracefs), and a kernel that is not locked down: try sudo."
    case .noTracefs:
      "No tracefs is mounted and none could be mounted: try `mount -t tracefs nodev /sys/kernel/tracing`; "
        + "if that fails, the kernel was built without CONFIG_FTRACE."
    case .noEvents(let names):
      "This kernel has none of the events that would be recorded (\(names.joined(separator: ", "))): "
        + "it needs CONFIG_SMP and CONFIG_FTRACE."
    case .unknownClock(let name, let available):
      "The kernel has no trace clock ‘\(name)’; it has \(available.joined(separator: ", "))."
    case .noSuchCPUs(let list, let online):
      "CPUs \(list) can't be recorded: online are \(online)."
    case .setupFailed(let step, let error):
      "Can't set up the recording: \(step): \(Self.text(error))."
    case .bufferRefused(let kibibytes, let error):
      "The kernel refuses buffers of \(kibibytes) KiB per CPU (\(Self.text(error))): choose a smaller one with -b."
    case .outputNotWritable(let path, let error):
      "Can't write \(path): \(Self.text(error))."
    case .outputNotAFile(let path):
      "Won't replace \(path), which is not an ordinary file: choose another with -o."
    case .outputNotReplaced(let path, let error, let kept):
      "Can't put the recording in its place, \(path): \(Self.text(error)). It is kept: "
        + "`ipitrace record --recover \(kept) -o FILE` writes it elsewhere."
    case .outputExists(let path):
      "\(path) is there already: name another file with -o."
    case .noLeftover(let path, let reason):
      "\(path) is not what a killed recorder leaves behind: \(reason)."
    case .malformedFile(let path, let offset, let reason):
      "\(path), byte \(offset): \(reason)."
    case .recorderCPUsRefused(let list, let error):
      "The recorder can't run on CPUs \(list): \(Self.text(error))."
    case .diskFull(let path):
      "No space left for \(path): the recording was stopped and removed."
    case .writeFailed(let path, let error):
      "Writing \(path) failed (\(Self.text(error))): the recording was stopped and removed."
    case .readFailed(let cpu, let error):
      "Can't read the trace buffer of CPU \(cpu): \(Self.text(error))."
    case .malformedPage(let cpu, let offset, let reason):
      "The kernel's trace page of CPU \(cpu) at byte \(offset) of its data is malformed: \(reason)."
    case .commandNotFound(let name):
      "Command not found: \(name)."
    case .commandNotStarted(let name, let error):
      "Can't start \(name): \(Self.text(error))."
    case .interrupted(let signal):
      "Interrupted by signal \(signal) before the recording began."
    }
  }

  /// The exit status that says the same: 127 and 126 as a shell's, 128 + signal, and 125 for all else.
  public var exitStatus: Int32 {
    switch self {
    case .commandNotFound: 127
    case .commandNotStarted(_, let error): error == ENOENT ? 127 : 126
    case .interrupted(let signal): 128 + signal
    default: Self.ownFailureStatus
    }
  }

  /// The recorder's own failure, apart from whatever status a recorded command may end with.
  public static let ownFailureStatus: Int32 = 125

  /// What a failed write means: a full disk, or something else.
  static func writing(_ path: String, _ error: Int32) -> CaptureError {
    error == ENOSPC || error == EDQUOT ? .diskFull(path) : .writeFailed(path, error)
  }

  private static func text(_ error: Int32) -> String { String(cString: strerror(error)) }
}
