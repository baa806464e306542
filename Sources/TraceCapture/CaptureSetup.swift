import CTracefs
import Glibc
import TraceTypes

/// An instance with its settings and readers, and all that is learnt from it while it exists.
final class CaptureSetup {
  let instance: TracefsInstance
  private(set) var readers: [CPUBufferReader] = []
  /// One more than the highest CPU number of the machine.
  let cpuCount: Int
  private let root: String
  private let pipe: SplicePipe
  private let formats: RecordedFormats
  private let pageSize: Int
  private let bufferBytes: Int
  private var facts: CaptureFacts
  private let headerPage: [UInt8]
  private let clocks: String
  /// By CPU.
  private var statistics: [String] = []

  /// Sets everything up but does not switch tracing on.
  ///
  /// Switching an event on patches code on all CPUs, which is a storm of the very calls that are to be recorded. So all
  /// events are switched on while tracing is off.
  init(options: CaptureOptions, root: String, output: OutputFile, note: (String) -> Void) throws(CaptureError) {
    self.root = root
    pipe = try SplicePipe()
    facts = CaptureFacts(machineAt: "/sys/devices/system")
    instance = try TracefsInstance(name: StaleInstances.name(of: getpid()))
    let cpus = instance.cpus
    cpuCount = (cpus.last ?? 0) + 1

    try instance.setClock(options.clock, root: root)
    clocks = instance.text("trace_clock") ?? "[local]\n"
    if let wanted = options.cpus {
      guard !wanted.isEmpty, wanted.cpus.allSatisfy(cpus.contains) else {
        throw .noSuchCPUs(wanted.list, online: facts.online?.list ?? "unknown")
      }
      try instance.set("tracing_cpumask", to: wanted.hexadecimalWords)
    }
    facts.recorded = options.cpus
    let recorded = options.cpus?.cpus ?? cpus
    let buffers = options.cpus?.count ?? facts.online?.count ?? cpus.count
    let size = options.bufferSize ?? .standard(cpus: buffers, memoryKibibytes: Self.memoryKibibytes())
    bufferBytes = size.kibibytes << 10
    try instance.setBufferSize(size, cpus: options.cpus)

    headerPage =
      TextFile.bytes("\(instance.path)/events/header_page") ?? TextFile.bytes("\(root)/events/header_page") ?? []
    pageSize = try Self.pageSize(headerPage)

    let expected = CaptureEvents.expected(withSwitches: options.recordsSwitches)
    var enabled: [EventKind] = []
    for kind in expected where try instance.setEvent(kind, on: true) { enabled.append(kind) }
    guard !enabled.isEmpty else { throw .noEvents(expected.map(\.qualifiedName)) }
    facts.enabledEvents = enabled.map(\.qualifiedName)
    facts.missingEvents = expected.filter { !enabled.contains($0) }.map(\.qualifiedName)
    formats = try RecordedFormats(of: enabled, events: root + "/events")
    for warning in Self.warnings(enabled: enabled, missing: facts.missingEvents, fields: formats.missingFields) {
      note(warning)
    }

    for cpu in recorded {
      readers.append(try CPUBufferReader(cpu: cpu, instance: instance.path, pageSize: pageSize, output: output))
    }
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
      while try reader.flush(through: pipe) > 0 {}
    }
    statistics = (0..<cpuCount).map { instance.text("per_cpu/cpu\($0)/stats") ?? "" }
  }

  /// Walks over what was recorded.
  func survey() throws(CaptureError) -> PageSurvey {
    let survey = try PageSurvey(formats: formats, pageSize: pageSize)
    for reader in readers {
      if let spool = reader.spool { try survey.take(spool, cpu: reader.cpu) }
    }
    return survey
  }

  /// Everything of the file but the pages.
  func header(survey: PageSurvey, allSymbols: Bool, note: (String) -> Void) -> TraceFileHeader {
    for reader in readers {
      let counted = BufferStatistics(text: statistics[reader.cpu]).lost
      facts.lostEvents[reader.cpu] = max(counted, survey.lost[reader.cpu] ?? 0)
    }
    var header = TraceFileHeader()
    header.pageSize = pageSize
    header.headerPage = headerPage
    header.headerEvent = TextFile.bytes(root + "/events/header_event") ?? []
    header.ftraceFormats = names(in: root + "/events/ftrace").compactMap {
      TextFile.bytes("\(root)/events/ftrace/\($0)/format")
    }
    for (kind, text) in formats.texts {
      if let index = header.systems.firstIndex(where: { $0.name == kind.system }) {
        header.systems[index].formats.append(Array(text.utf8))
      } else {
        header.systems.append((kind.system, [Array(text.utf8)]))
      }
    }
    let symbols = TextFile.bytes("/proc/kallsyms") ?? []
    let needed = KernelSymbols.lines(of: symbols, addresses: survey.addresses, named: CaptureEvents.neededSymbols)
    header.symbols = allSymbols ? symbols : needed
    if needed.isEmpty {
      note("The kernel hides its symbols (see kernel.kptr_restrict), so functions are known by their addresses only.")
    }
    header.printkFormats = TextFile.bytes(root + "/printk_formats") ?? []
    header.tasks = TaskNames.complete(survey.tasks, saved: TextFile.text(root + "/saved_cmdlines") ?? "")
    header.statistics = statistics
    header.facts = facts
    header.clocks = clocks
    var name = utsname()
    uname(&name)
    header.system = Self.text(&name.sysname)
    header.release = Self.text(&name.release)
    header.machine = Self.text(&name.machine)
    return header
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
