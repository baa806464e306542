import Glibc
import TraceTypes

/// Makes trace files of what is there already: of what a killed recorder left behind, or of another trace file.
public enum RecordingRecovery {
  /// Writes the trace file of a recorder that was killed, and removes what it left behind.
  ///
  /// The pages that it had collected are all in it. What was still in the kernel's buffers is not: the file says of each
  /// CPU that events are missing behind its last one.
  /// - Parameters:
  ///   - path: the directory `.OUTPUT.ipitrace-XXXXXX` beside the output.
  ///   - output: the file to write; nil for what was to be written, unless something is there.
  ///   - hidesAddresses: as ``CaptureOptions/hidesAddresses``; also done if the recorder was to do so.
  /// - Throws: ``CaptureError``, with everything as it was.
  /// - Complexity: O(length of the recording).
  public static func recover(
    _ path: String, to output: String?, hidesAddresses: Bool, storesAllSymbols: Bool, note: (String) -> Void
  ) throws(CaptureError) -> CaptureSummary {
    let spool = try SpoolDirectory(leftBehind: path)
    let (header, wasToHide, isThisBoot) = try SpoolHead.read(from: spool)
    if output == nil, access(spool.place.path, F_OK) == 0 { throw .outputExists(spool.place.path) }
    let place = try output.map { path throws(CaptureError) in try OutputPlace(path: path) } ?? spool.place
    var pages: [Int: RecordedPages] = [:]
    for cpu in header.statistics.indices where header.facts?.recorded?.contains(cpu) ?? true {
      guard let file = spool.open(PageSpool.name(cpu: cpu)) else { continue }
      // The last page may have been on its way.
      let size = file.size / UInt64(header.pageSize) * UInt64(header.pageSize)
      pages[cpu] = RecordedPages(file: file, size: size)
    }
    var assembly = CaptureAssembly(
      header: header, symbols: KernelSymbols(header.symbols), formats: try RecordedFormats(header.systems), pages: pages
    )
    // Also CPUs without a page may have done something since: they get the mark.
    for cpu in header.statistics.indices where header.facts?.recorded?.contains(cpu) ?? true {
      if assembly.pages[cpu] == nil, let head = spool.open(SpoolHead.fileName) {
        assembly.pages[cpu] = RecordedPages(file: head, size: 0)
      }
    }
    assembly.storesAllSymbols = storesAllSymbols
    assembly.hidesAddresses = hidesAddresses || wasToHide
    assembly.isCutShort = true
    assembly.asksForTasks = isThisBoot
    if isThisBoot, let root = try? TracefsInstance.root() {
      assembly.savedCommands = TextFile.text(root + "/saved_cmdlines") ?? ""
    }
    let file = try OutputFile(place)
    let outcome = try assembly.write(to: file)
    outcome.notes.forEach(note)
    spool.removeAll()
    return CaptureSummary(outcome, output: place.path, cpus: pages.count)
  }

  /// Writes a copy of a trace file that `ipitrace record` has written, without the kernel's addresses.
  /// - Throws: ``CaptureError``.
  /// - Complexity: O(length of the file).
  public static func hideAddresses(
    of path: String, in output: String, note: (String) -> Void
  ) throws(CaptureError) -> CaptureSummary {
    guard let file = FileDescriptor(opening: path, O_RDONLY | O_NONBLOCK), file.isOrdinary else {
      throw .malformedFile(path, offset: 0, errno == 0 ? "not an ordinary file" : String(cString: strerror(errno)))
    }
    let (header, regions) = try TraceFileReader.read(file, path: path)
    var pages: [Int: RecordedPages] = [:]
    for (cpu, region) in regions.enumerated() { pages[cpu] = region }
    var assembly = CaptureAssembly(
      header: header, symbols: KernelSymbols(header.symbols), formats: try RecordedFormats(header.systems), pages: pages
    )
    assembly.storesAllSymbols = true
    assembly.hidesAddresses = true
    assembly.asksForTasks = false
    let place = try OutputPlace(path: output)
    let outcome = try assembly.write(to: OutputFile(place))
    outcome.notes.forEach(note)
    return CaptureSummary(outcome, output: output, cpus: pages.values.count { $0.size > 0 })
  }
}

extension CaptureSummary {
  init(_ outcome: CaptureAssembly.Outcome, output: String, cpus: Int) {
    self.init(
      output: output, size: outcome.size, events: outcome.events, lostEvents: outcome.lostEvents, cpus: cpus,
      exitStatus: 0, facts: outcome.facts)
  }
}
