import Glibc
public import TraceDecoding

/// A file in the temporary directory that is gone when the value is.
public final class ScratchFile: Sendable {
  public let path: String

  public init(_ bytes: [UInt8], suffix: String = ".dat") {
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(directory)/ipitrace-XXXXXX\(suffix)".utf8CString)
    let descriptor = mkstemps(&template, Int32(suffix.utf8.count))
    precondition(descriptor >= 0, "no temporary file in \(directory): error \(errno)")
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var done = 0
    bytes.withUnsafeBytes { bytes in
      while done < bytes.count {
        let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
        precondition(count > 0, "the temporary file cannot be written: error \(errno)")
        done += count
      }
    }
    close(descriptor)
  }

  deinit { unlink(path) }
}

extension TraceFileBuilder {
  /// Builds the file and opens it.
  ///
  /// The file on disk goes away at once; the opened one stays readable.
  public func open() throws(TraceFileError) -> TraceFile { try Self.open(bytes) }

  /// Opens bytes as a trace file.
  public static func open(_ bytes: [UInt8]) throws(TraceFileError) -> TraceFile {
    let scratch = ScratchFile(bytes)
    return try withExtendedLifetime(scratch) { () throws(TraceFileError) in try TraceFile(path: scratch.path) }
  }
}
