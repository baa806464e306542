import Glibc
import TraceTypes

/// What a spool directory holds beside the pages: the head of a trace file without any, written before the first page.
///
/// It has what can't be learnt later, when the recorder is gone or the machine was started anew: all symbols, formats,
/// clock and machine. What only the end of a recording tells is missing.
enum SpoolHead {
  static let fileName = "head"
  /// Its name until it is whole.
  private static let unfinishedName = "head.new"
  /// The boot that the recording is of.
  private static let bootName = "boot"
  /// There if the recording is to be written without addresses.
  private static let hidingName = "no-addresses"

  /// - Throws: ``CaptureError/diskFull(_:)``, ``CaptureError/writeFailed(_:_:)``.
  static func write(_ header: TraceFileHeader, hidesAddresses: Bool, to output: OutputFile) throws(CaptureError) {
    let bytes = TraceFileWriter.header(
      header, pageBytes: [UInt64](repeating: 0, count: max(header.statistics.count, 1)))
    // The head comes last, and whole: whoever is killed before has recorded nothing, and nothing is recovered without what
    // goes with it.
    try write(bootIdentity ?? [], bootName, to: output)
    if hidesAddresses { try write([], hidingName, to: output) }
    try write(bytes, unfinishedName, to: output)
    let error = output.spool.rename(unfinishedName, to: fileName)
    if error != 0 { throw .writing(output.path, error) }
  }

  /// Gives the next piece's spool directory the head of the one before.
  static func share(from old: SpoolDirectory, with output: OutputFile) throws(CaptureError) {
    for file in [bootName, hidingName, fileName] where !output.spool.link(file, from: old) {
      // Not every file system has links.
      guard let source = old.open(file) else { continue }
      guard let bytes = TextFile.bytes(of: source) else { throw .writeFailed(output.path, errno) }
      try write(bytes, file, to: output)
    }
  }

  /// The head that a recorder left, and whether addresses are to be hidden and the machine still is in the same boot.
  /// - Throws: ``CaptureError/noLeftover(_:_:)``, ``CaptureError/malformedFile(_:offset:_:)``.
  static func read(
    from spool: SpoolDirectory
  ) throws(CaptureError) -> (header: TraceFileHeader, hidesAddresses: Bool, isThisBoot: Bool) {
    guard let file = spool.open(fileName) else {
      throw .noLeftover(spool.path, "it was killed before it recorded anything")
    }
    let (header, _) = try TraceFileReader.read(file, path: "\(spool.path)/\(fileName)")
    let boot = spool.open(bootName).flatMap { TextFile.bytes(of: $0) } ?? []
    return (header, spool.open(hidingName) != nil, !boot.isEmpty && boot == bootIdentity)
  }

  private static var bootIdentity: [UInt8]? { TextFile.bytes("/proc/sys/kernel/random/boot_id") }

  private static func write(_ bytes: [UInt8], _ name: String, to output: OutputFile) throws(CaptureError) {
    guard let file = output.spool.create(name) else { throw .writing(output.path, errno) }
    let error = bytes.withUnsafeBytes { file.write($0) }
    if error != 0 { throw .writing(output.path, error) }
  }
}
