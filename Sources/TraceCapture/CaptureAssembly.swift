import Glibc
import TraceTypes

/// Makes a trace file of recorded pages and of what is known about them.
struct CaptureAssembly: Sendable {
  /// With the names of tasks as far as the pages do not tell them, and without symbols.
  var header: TraceFileHeader
  /// All that are known.
  var symbols: KernelSymbols
  var formats: RecordedFormats
  /// CPU → its pages.
  var pages: [Int: RecordedPages]
  /// Stores all symbols, and not only those that the events refer to.
  var storesAllSymbols = false
  /// Puts other addresses in the place of the kernel's.
  var hidesAddresses = false
  /// The recorder was killed: behind the last page of each CPU, events are missing.
  var isCutShort = false
  /// Names of tasks by `saved_cmdlines` and `/proc`; false where the tasks are not those of this machine, or of this boot.
  var asksForTasks = true
  /// The file `saved_cmdlines`.
  var savedCommands = ""

  /// What was written.
  struct Outcome: Sendable {
    var size: UInt64 = 0
    var events: UInt64 = 0
    var lostEvents: UInt64 = 0
    var facts = CaptureFacts()
    /// For the user, each a sentence.
    var notes: [String] = []
  }

  /// Writes the file, and puts it in its place.
  /// - Throws: ``CaptureError``.
  /// - Complexity: O(length of the pages), in memory that does not depend on it.
  func write(to output: OutputFile) throws(CaptureError) -> Outcome {
    var outcome = Outcome()
    var header = header
    let recorder = Set(header.facts?.recorderThreads ?? [])
    let survey = PageSurvey(
      formats: formats, pageSize: header.pageSize, collectsData: hidesAddresses, recorder: recorder)
    let cpus = pages.keys.sorted()
    for cpu in cpus { if let pages = pages[cpu] { try survey.take(pages, cpu: cpu) } }

    let needed = symbols.lines(addresses: survey.addresses)
    if needed.isEmpty {
      outcome.notes.append(
        "The kernel hides its symbols (see kernel.kptr_restrict), so functions are known by their addresses only.")
    }
    header.symbols = storesAllSymbols ? symbols.text : needed
    header.tasks = header.tasks.merging(survey.tasks) { old, new in new.isEmpty ? old : new }
    if asksForTasks {
      header.tasks = TaskNames.complete(header.tasks, saved: savedCommands)
    } else {
      header.tasks = header.tasks.filter { !$0.value.isEmpty }
    }
    complete(&header, from: survey)
    var cleaner: PageCleaner?
    if hidesAddresses { cleaner = PageCleaner(formats: formats, replacement: hideAddresses(in: &header, survey)) }

    let pageSize = UInt64(header.pageSize)
    let count = max(header.statistics.count, (cpus.last ?? -1) + 1)
    var pageBytes = [UInt64](repeating: 0, count: count)
    for cpu in cpus { pageBytes[cpu] = (pages[cpu]?.size ?? 0) + (isCutShort ? pageSize : 0) }
    try output.append(TraceFileWriter.header(header, pageBytes: pageBytes))
    for cpu in cpus {
      guard let pages = pages[cpu] else { continue }
      if let cleaner { try append(pages, of: cpu, to: output, by: cleaner) } else { try output.append(pages) }
      if isCutShort { try appendEnd(to: output, time: survey.latestPage) }
    }
    try output.commit()
    outcome.size = output.size
    outcome.events = survey.events.values.reduce(0, +)
    outcome.facts = header.facts ?? CaptureFacts()
    outcome.lostEvents = outcome.facts.lostEvents.values.reduce(0, &+)
    return outcome
  }

  private func complete(_ header: inout TraceFileHeader, from survey: PageSurvey) {
    guard var facts = header.facts else { return }
    for cpu in pages.keys { facts.lostEvents[cpu] = max(facts.lostEvents[cpu] ?? 0, survey.lost[cpu] ?? 0) }
    if !facts.recorderThreads.isEmpty {
      if formats.names.contains(EventKind.schedSwitch.qualifiedName) { facts.recorderWakeups = survey.own.wakeups }
      facts.recorderInterrupts = survey.own.interruptsSent
    }
    if isCutShort { facts.isRecovered = true }
    header.facts = facts
  }

  // MARK: - Addresses

  private func hideAddresses(in header: inout TraceFileHeader, _ survey: PageSurvey) -> AddressReplacement {
    let replacement = AddressReplacement(code: survey.addresses, data: survey.data, symbols: header.symbols)
    header.symbols = replacement.symbols
    header.printkFormats = replacement.printkFormats(header.printkFormats)
    header.headerPage = AddressReplacement.cleaned(header.headerPage)
    header.headerEvent = AddressReplacement.cleaned(header.headerEvent)
    header.ftraceFormats = header.ftraceFormats.map(AddressReplacement.cleaned)
    header.systems = header.systems.map { ($0.name, $0.formats.map(AddressReplacement.cleaned)) }
    header.statistics = header.statistics.map {
      String(decoding: AddressReplacement.cleaned(Array($0.utf8)), as: UTF8.self)
    }
    return replacement
  }

  private func append(
    _ pages: RecordedPages, of cpu: Int, to output: OutputFile, by cleaner: PageCleaner
  ) throws(CaptureError) {
    let page = UnsafeMutableRawBufferPointer.allocate(byteCount: header.pageSize, alignment: 16)
    defer { page.deallocate() }
    var offset: UInt64 = 0
    while offset < pages.size {
      guard pages.file.read(into: page, at: pages.start + offset) == page.count else {
        throw .readFailed(cpu: cpu, errno)
      }
      if let mistake = cleaner.clean(page) { throw .malformedPage(cpu: cpu, offset: offset, mistake) }
      try output.append(UnsafeRawBufferPointer(page))
      offset += UInt64(page.count)
    }
  }

  /// Ends a CPU's pages with one that has no event, and says that events were lost before it.
  ///
  /// What was in the kernel's buffers when the recorder was killed is missing, on each CPU from another time on. A
  /// reader that did not know would find calls that never ran.
  private func appendEnd(to output: OutputFile, time: UInt64) throws(CaptureError) {
    let page = UnsafeMutableRawBufferPointer.allocate(byteCount: header.pageSize, alignment: 16)
    defer { page.deallocate() }
    PageHeader.clear(page, time: time)
    PageHeader.markLost(page)
    try output.append(UnsafeRawBufferPointer(page))
  }
}
