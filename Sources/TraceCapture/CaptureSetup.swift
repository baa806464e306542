import CTracefs
import Glibc
import TraceTypes

/// An instance with its settings and readers, and all that is learnt from it while it exists.
final class CaptureSetup {
  let instance: TracefsInstance
  private(set) var readers: [CPUBufferReader] = []
  /// One more than the highest CPU number of the machine.
  let cpuCount: Int
  /// Where the pages go.
  private(set) var output: OutputFile
  private let options: CaptureOptions
  private let root: FileDescriptor
  private let pipe: SplicePipe
  private let formats: RecordedFormats
  private let pageSize: Int
  private let bufferBytes: Int
  private var symbols = SymbolSource()
  /// All that is known from the start; without symbols.
  private var head = TraceFileHeader()
  /// CPU → lost events that the kernel counted in earlier pieces.
  private var lostBefore: [Int: UInt64] = [:]

  /// Sets everything up but does not switch tracing on.
  ///
  /// Switching an event on patches code on all CPUs, which is a storm of the very calls that are to be recorded. So all
  /// events are switched on while tracing is off.
  init(options: CaptureOptions, root: String, output: OutputFile, note: (String) -> Void) throws(CaptureError) {
    self.options = options
    self.output = output
    guard let tracefs = FileDescriptor(opening: root, ipitrace_path_only() | O_DIRECTORY) else { throw .noTracefs }
    self.root = tracefs
    pipe = try SplicePipe()
    var facts = CaptureFacts(machineAt: "/sys/devices/system")
    instance = try TracefsInstance(name: StaleInstances.name(of: getpid()), root: root)
    let cpus = instance.cpus
    cpuCount = (cpus.last ?? 0) + 1

    try instance.setClock(options.clock, root: root)
    if let wanted = options.cpus {
      guard !wanted.isEmpty, wanted.cpus.allSatisfy(cpus.contains) else {
        throw .noSuchCPUs(wanted.list, online: facts.online?.list ?? "unknown")
      }
      try instance.set("tracing_cpumask", to: wanted.hexadecimalWords)
    }
    facts.recorded = options.cpus
    facts.recorderCPUs = options.recorderCPUs
    let recorded = options.cpus?.cpus ?? cpus
    let buffers = options.cpus?.count ?? facts.online?.count ?? cpus.count
    let size = options.bufferSize ?? .standard(cpus: buffers, memoryKibibytes: Self.memoryKibibytes())
    bufferBytes = size.kibibytes << 10
    try instance.setBufferSize(size, cpus: options.cpus)

    head.headerPage = instance.bytes("events/header_page") ?? TextFile.bytes("\(root)/events/header_page") ?? []
    pageSize = try Self.pageSize(head.headerPage)

    let expected = CaptureEvents.expected(withSwitches: options.recordsSwitches)
    var enabled: [EventKind] = []
    for kind in expected where try instance.setEvent(kind, on: true) { enabled.append(kind) }
    guard !enabled.isEmpty else { throw .noEvents(expected.map(\.qualifiedName)) }
    facts.enabledEvents = enabled.map(\.qualifiedName)
    facts.missingEvents = expected.filter { !enabled.contains($0) }.map(\.qualifiedName)
    formats = try RecordedFormats(of: enabled, events: root + "/events")
    let lacking = formats.missingFields(of: enabled)
    for warning in Self.warnings(enabled: enabled, missing: facts.missingEvents, fields: lacking) { note(warning) }
    completeHead(facts: facts, root: root)
    try writeHead()

    for cpu in recorded {
      readers.append(try CPUBufferReader(cpu: cpu, instance: instance, pageSize: pageSize, output: output))
    }
  }

  private func completeHead(facts: CaptureFacts, root: String) {
    head.pageSize = pageSize
    head.headerEvent = TextFile.bytes(root + "/events/header_event") ?? []
    head.ftraceFormats = names(in: root + "/events/ftrace").compactMap {
      TextFile.bytes("\(root)/events/ftrace/\($0)/format")
    }
    head.systems = formats.systems
    head.printkFormats = TextFile.bytes(root + "/printk_formats") ?? []
    head.statistics = [String](repeating: "", count: cpuCount)
    head.facts = facts
    head.facts?.recorderThreads = [ipitrace_thread_id()]
    head.clocks = instance.text("trace_clock") ?? "[local]\n"
    var name = utsname()
    uname(&name)
    head.system = Self.text(&name.sysname)
    head.release = Self.text(&name.release)
    head.machine = Self.text(&name.machine)
  }

  /// Writes down what a recovery needs.
  private func writeHead() throws(CaptureError) {
    var head = head
    head.symbols = symbols.current().text
    head.tasks = TaskNames.all(saved: savedCommands)
    try SpoolHead.write(head, hidesAddresses: options.hidesAddresses, to: output)
  }

  private var savedCommands: String {
    guard let file = FileDescriptor(opening: "saved_cmdlines", in: root, O_RDONLY) else { return "" }
    return TextFile.bytes(of: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Moves what the buffers hold into the spools.
  /// - Returns: how full the fullest buffer was, in percent.
  func drain() throws(CaptureError) -> Int {
    var most = 0
    for reader in readers { most = max(most, try reader.drain(through: pipe)) }
    return min(most, bufferBytes) * 100 / max(bufferBytes, 1)
  }

  /// Takes all that is left in the buffers. Tracing must be off.
  func finishReading() throws(CaptureError) {
    for reader in readers {
      while try reader.drain(through: pipe) > 0 {}
      while try reader.flush() > 0 {}
    }
  }

  // MARK: - Pieces

  /// Bytes of the pages of the current piece.
  var spooledBytes: UInt64 { readers.reduce(0) { $0 + ($1.spool?.size ?? 0) } }

  /// The time on the trace's clock, not later than it is.
  var now: UInt64? { readers.first.flatMap { BufferStatistics(text: instance.statistics(cpu: $0.cpu)).now } }

  /// Ends the current piece at a time that is past on all CPUs; what was recorded since goes to the next one.
  /// - Parameters:
  ///   - threads: the recorder's own besides this one.
  ///   - piece: the number of the current piece.
  /// - Returns: the piece that ended, and where it is to be written.
  /// - Complexity: O(what was recorded since that time, and was not read yet).
  func cut(
    at time: UInt64, next: OutputFile, threads: [Int32], piece: Int
  ) throws(CaptureError) -> (CaptureAssembly, OutputFile) {
    for reader in readers {
      // Whoever has read as much as a buffer holds has read all that was in it when this began.
      var moved = 0
      while moved <= bufferBytes {
        let count = try reader.drain(through: pipe)
        if count == 0 { break }
        moved += count
      }
      try reader.flushPage()
    }
    try SpoolHead.share(from: output.spool, with: next)
    let old = output
    output = next
    var pages: [Int: RecordedPages] = [:]
    for reader in readers {
      guard let spool = reader.move(to: next) else { continue }
      try PieceCut.moveEvents(laterThan: time, of: reader.cpu, from: spool, pageSize: pageSize) {
        () throws(CaptureError) in try reader.openSpool()
      }
      pages[reader.cpu] = spool.pages
    }
    return (assembly(of: pages, threads: threads, piece: piece), old)
  }

  /// What has been recorded since the last cut. Reading must be finished.
  func lastAssembly(threads: [Int32], piece: Int?) -> CaptureAssembly {
    var pages: [Int: RecordedPages] = [:]
    for reader in readers { pages[reader.cpu] = reader.spool?.pages }
    return assembly(of: pages, threads: threads, piece: piece)
  }

  private func assembly(of pages: [Int: RecordedPages], threads: [Int32], piece: Int?) -> CaptureAssembly {
    var header = head
    header.statistics = (0..<cpuCount).map { instance.statistics(cpu: $0) }
    for reader in readers {
      let lost = BufferStatistics(text: header.statistics[reader.cpu]).lost
      header.facts?.lostEvents[reader.cpu] = lost &- (lostBefore[reader.cpu] ?? 0)
      lostBefore[reader.cpu] = lost
    }
    header.facts?.recorderThreads += threads
    header.facts?.piece = piece
    var assembly = CaptureAssembly(header: header, symbols: symbols.current(), formats: formats, pages: pages)
    assembly.storesAllSymbols = options.storesAllSymbols
    assembly.hidesAddresses = options.hidesAddresses
    assembly.savedCommands = savedCommands
    return assembly
  }

  /// Closes the readers and removes the instance. The spools stay.
  /// - Returns: 0, or errno when the instance could not be removed.
  func close() -> Int32 {
    for reader in readers { reader.close() }
    return instance.remove()
  }

  deinit { _ = close() }

  // MARK: - Details

  /// One sentence for each thing that the kernel lacks.
  static func warnings(
    enabled: [EventKind], missing: [String], fields: [(kind: EventKind, fields: [String])]
  ) -> [String] {
    var result: [String] = []
    if !missing.isEmpty { result.append("This kernel does not have \(missing.joined(separator: ", ")).") }
    if !enabled.contains(where: { $0.system == "csd" }) {
      result.append(
        "Without csd events (Linux 6.4 and later) a recording can tell which interrupts were handled when and for how "
          + "long, but not who asked for them, nor for which callbacks.")
    }
    for (kind, names) in fields {
      result.append("This kernel's \(kind.qualifiedName) has no \(names.joined(separator: ", ")).")
    }
    return result
  }

  /// Bytes of a sub-buffer, which only the instance's own header tells.
  private static func pageSize(_ header: [UInt8]) throws(CaptureError) -> Int {
    guard !header.isEmpty, let parser = tep_alloc() else { throw .setupFailed("reading events/header_page", ENOENT) }
    defer { tep_free(parser) }
    var text = header.map { CChar(bitPattern: $0) }
    text.append(0)
    guard tep_parse_header_page(parser, &text, UInt(header.count), Int32(MemoryLayout<Int>.size)) == 0 else {
      throw .setupFailed("reading events/header_page", EINVAL)
    }
    let size = Int(tep_get_sub_buffer_size(parser))
    guard size >= 1024, size <= 1 << 26, size.nonzeroBitCount == 1 else {
      throw .setupFailed("reading events/header_page", EINVAL)
    }
    return size
  }

  private static func memoryKibibytes() -> Int {
    let pages = sysconf(Int32(_SC_PHYS_PAGES))
    let size = sysconf(Int32(_SC_PAGESIZE))
    return pages > 0 && size > 0 ? pages * (size / 1024) : 1 << 20
  }

  private static func text(_ field: inout some Any) -> String {
    withUnsafeBytes(of: &field) { String(decoding: $0.prefix(while: { $0 != 0 }), as: UTF8.self) }
  }
}

/// Names of the tasks that events refer to.
enum TaskNames {
  /// All names that the kernel remembers, and those of all processes.
  static func all(saved: String, processes: String = "/proc") -> [Int32: String] {
    var tasks: [Int32: String] = [:]
    for name in names(in: processes) {
      if let task = Int32(name) { tasks[task] = "" }
    }
    for line in saved.split(whereSeparator: \.isNewline) {
      if let task = line.split(separator: " ").first.flatMap({ Int32($0) }) { tasks[task] = "" }
    }
    return complete(tasks, saved: saved, processes: processes)
  }

  /// Fills in what switches did not tell: from the kernel's own list, and from the tasks that still live.
  /// - Parameters:
  ///   - tasks: task → name, empty where unknown.
  ///   - saved: the file `saved_cmdlines`: lines such as `1234 cat`.
  static func complete(_ tasks: [Int32: String], saved: String, processes: String = "/proc") -> [Int32: String] {
    var result = tasks
    for line in saved.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, let task = Int32(parts[0]), result[task] == "", parts[1] != "<...>" else { continue }
      result[task] = String(parts[1])
    }
    for (task, name) in result where name.isEmpty {
      if let program = TextFile.line("\(processes)/\(task)/comm") {
        result[task] = program
      } else {
        result[task] = nil
      }
    }
    return result
  }
}
