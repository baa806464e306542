public import TraceTypes

/// Why a trace file can't be analysed at all: where, what was expected there, and what was found instead.
///
/// Damage among the recorded events is no such error; it is counted in ``TraceFile/health`` and
/// ``MergedStream/health``, and the analysis goes on.
public struct TraceFileError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: String, Sendable {
    /// The operating system refused to open or to read the file.
    case unreadable
    /// The file isn't a trace file of trace-cmd.
    case notATrace
    /// The file is a trace file of a kind that ipitrace doesn't read.
    case notSupported
    /// The file ends before the part that is needed to start.
    case truncated
    /// The file contradicts itself.
    case malformed
    /// A part of the file, or what it unpacks to, is larger than any real one.
    case tooLarge
    /// The file holds no recorded events.
    case empty
  }

  public var reason: Reason
  public var location: ByteLocation
  /// What should have been there, as a noun phrase.
  public var expected: String
  /// What was there, as a noun phrase.
  public var found: String

  public init(_ reason: Reason, at location: ByteLocation, expected: String, found: String) {
    self.reason = reason
    self.location = location
    self.expected = expected
    self.found = found
  }

  /// One sentence: place, expectation, finding.
  public var description: String {
    let head =
      switch reason {
      case .unreadable: "cannot be read"
      case .notATrace: "is not a trace file"
      case .notSupported: "is not supported"
      case .truncated: "is cut off"
      case .malformed: "is damaged"
      case .tooLarge: "is damaged or too large"
      case .empty: "has no events"
      }
    return "\(location.file) \(head): at byte \(location.offset), expected \(expected), found \(found)"
  }
}
