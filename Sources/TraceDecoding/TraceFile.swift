public import TraceTypes

/// A trace file of trace-cmd (`trace.dat`), opened: everything but the recorded events themselves.
///
/// Versions 6 and 7 are read, recorded on 64-bit little-endian machines, compressed with zlib or zstd or not at all.
/// The layouts are described in trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5).
public struct TraceFile: Sendable {
  /// The path as the user gave it.
  public var path: String { input.path }
  /// The version of the file format, 6 or 7.
  public let version: Int
  /// The release of the recorded kernel, as in `uname -r`, or nil when the file does not say.
  public let kernelRelease: String?
  /// What ipitrace's recorder left in the file, or nil when another program wrote it.
  public let facts: CaptureFacts?
  /// Names of tasks by pid, as the kernel remembered them at the end of the recording.
  public let commands: [Int32: String]
  /// Names for kernel addresses.
  public let symbols: SymbolTable
  /// The event types that the file describes, ftrace's own among them.
  public let formats: [EventFormat]
  /// The number of CPUs that the file gives for the recorded machine.
  public let cpuCount: Int
  /// The recorded ring buffers; the top-level one comes first where the file has it.
  public let buffers: [TraceBuffer]
  /// What is wrong with the file's header and its extent.
  public let health: TraceHealth

  /// Whether the file has the texts that tell what an `ipi_entry` or `ipi_exit` is about; without, their reasons are numbers.
  public var explainsReasons: Bool { !events.reasons.isEmpty }

  let input: InputFile
  let layout: PageLayout
  let events: EventTable

  /// Opens a file and reads its header.
  /// - Parameter path: the file; `-` is standard input, which has to be a regular file, too.
  /// - Throws: when the file can't be read, or is no trace file of a kind that can be analysed.
  /// - Complexity: O(size of the header); the recorded events are not touched.
  public init(path: String) throws(TraceFileError) {
    let input = try InputFile(path: path)
    var cursor = ByteCursor(file: input, from: 0, name: "the file")
    let opening = try Opening(&cursor)
    let parts =
      switch opening.version {
      case 6: try HeaderParts.version6(&cursor, pageSize: opening.pageSize)
      default: try HeaderParts.version7(&cursor, pageSize: opening.pageSize)
      }

    self.input = input
    version = opening.version
    kernelRelease = parts.kernelRelease
    facts = CaptureFacts(text: parts.statistics)
    commands = CommandNames.parse(parts.commandText)
    symbols = SymbolTable(kallsyms: parts.symbolText)
    formats = parts.formats
    layout = parts.layout
    cpuCount = parts.cpuCount
    buffers = try parts.finishedBuffers(input)
    health = parts.health
    events = EventTable(formats: parts.formats, printkFormats: parts.printkText)
  }

  /// The first bytes of a file, alike in all versions.
  private struct Opening {
    var version: Int
    var pageSize: UInt32

    init(_ cursor: inout ByteCursor) throws(TraceFileError) {
      let start = cursor
      let magic: [UInt8] = [0x17, 0x08, 0x44] + Array("tracing".utf8)
      let expected = "the mark of a trace.dat file (17 08 44 \"tracing\")"
      guard cursor.remaining >= UInt64(magic.count) else {
        throw TraceFileError(.notATrace, at: start.location, expected: expected, found: "\(cursor.remaining) bytes")
      }
      let bytes = try cursor.bytes(UInt64(magic.count), limit: 16, "the mark of a trace file")
      guard bytes == magic else {
        throw TraceFileError(.notATrace, at: start.location, expected: expected, found: ByteCursor.quoted(bytes))
      }
      let place = cursor.location
      let version = try cursor.string(limit: 16, "the version of the file format")
      guard version == "6" || version == "7" else {
        throw TraceFileError(.notSupported, at: place, expected: "version 6 or 7", found: "version \"\(version)\"")
      }
      self.version = version == "6" ? 6 : 7

      let orderPlace = cursor.location
      switch try cursor.u8("the byte order") {
      case 0: break
      case 1:
        throw TraceFileError(
          .notSupported, at: orderPlace, expected: "a trace of a little-endian machine", found: "big-endian")
      case let other:
        throw TraceFileError(.malformed, at: orderPlace, expected: "the byte order, 0 or 1", found: "\(other)")
      }
      let longPlace = cursor.location
      let longSize = try cursor.u8("the size of a long")
      guard longSize == 8 else {
        throw TraceFileError(
          longSize == 4 ? .notSupported : .malformed, at: longPlace, expected: "a trace of a 64-bit machine",
          found: "a size of long of \(longSize) bytes")
      }
      pageSize = try cursor.u32("the page size")
    }
  }
}
