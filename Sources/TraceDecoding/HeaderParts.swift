import TraceTypes

/// What the header of a trace file says, gathered while it is read. The versions differ in where things are, not in
/// what they are.
struct HeaderParts {
  /// More than the kernel can have; a file with more is damaged.
  static let largestCPUCount = 65_536

  let input: InputFile
  /// The page size in the file's opening, in bytes.
  let pageSize: UInt32
  var layout = PageLayout()
  var formats: [EventFormat] = []
  var symbolText: [UInt8] = []
  var printkText: [UInt8] = []
  var commandText: [UInt8] = []
  var cpuCount = 0
  /// The texts of all CPUSTAT options, one behind the other.
  var statistics = ""
  var kernelRelease: String?
  /// The clock of the whole file, for buffers that don't name theirs.
  var clock: String?
  var buffers: [TraceBuffer] = []
  var health = TraceHealth()

  init(input: InputFile, pageSize: UInt32) {
    self.input = input
    self.pageSize = pageSize
  }

  // MARK: Sections that both versions have

  mutating func readPageHeader(_ cursor: inout ByteCursor) throws(TraceFileError) {
    try cursor.word("header_page")
    let size = try cursor.u64("the size of header_page")
    let place = cursor
    let text = try cursor.bytes(size, limit: 1 << 20, "header_page")
    switch PageLayout.parse(text) {
    case .success(let layout): self.layout = layout
    case .failure(let error):
      if let longSize = error.longSize {
        throw TraceFileError(
          .notSupported, at: place.location, expected: "a trace of a 64-bit kernel",
          found: "a commit field of \(longSize) bytes")
      }
      throw place.malformed(
        "header_page with the fields timestamp, commit and data", found: ByteCursor.quoted(text.prefix(80)))
    }
    try cursor.word("header_event")
    let eventSize = try cursor.u64("the size of header_event")
    guard eventSize <= 1 << 20 else {
      throw cursor.malformed("header_event of at most 1 MiB", found: "\(eventSize) bytes")
    }
    try cursor.skip(eventSize, "header_event")
  }

  mutating func readFtraceFormats(_ cursor: inout ByteCursor) throws(TraceFileError) {
    let count = try cursor.u32("the number of ftrace's event formats")
    try readFormats(&cursor, count: count, system: "ftrace")
  }

  mutating func readEventFormats(_ cursor: inout ByteCursor) throws(TraceFileError) {
    let systems = try cursor.u32("the number of event systems")
    // An empty system takes 5 bytes.
    guard UInt64(systems) <= cursor.remaining / 5 else {
      throw cursor.malformed("a number of event systems that fits", found: "\(systems)")
    }
    for _ in 0..<systems {
      let system = try cursor.string(limit: 256, "the name of an event system")
      let count = try cursor.u32("the number of events of system \(system)")
      try readFormats(&cursor, count: count, system: system)
    }
  }

  private mutating func readFormats(
    _ cursor: inout ByteCursor, count: UInt32, system: String
  ) throws(TraceFileError) {
    guard UInt64(count) <= cursor.remaining / 8, count <= 1 << 20 else {
      throw cursor.malformed("a number of event formats of system \(system) that fits", found: "\(count)")
    }
    for _ in 0..<count {
      let size = try cursor.u64("the size of an event format of system \(system)")
      let text = try cursor.bytes(size, limit: 1 << 20, "an event format of system \(system)")
      if let format = EventFormat(system: system, text: text), EventTable.isPossible(format) {
        formats.append(format)
      } else {
        health.add(.unreadableFormats)
      }
    }
  }

  mutating func readSymbols(_ cursor: inout ByteCursor) throws(TraceFileError) {
    let size = try cursor.u32("the size of the kernel's symbols")
    symbolText = try cursor.bytes(UInt64(size), limit: Compression.largestSection, "the kernel's symbols")
  }

  mutating func readPrintkFormats(_ cursor: inout ByteCursor) throws(TraceFileError) {
    let size = try cursor.u32("the size of the printk formats")
    printkText = try cursor.bytes(UInt64(size), limit: Compression.largestSection, "the printk formats")
  }

  mutating func readCommands(_ cursor: inout ByteCursor) throws(TraceFileError) {
    let size = try cursor.u64("the size of the command names")
    commandText = try cursor.bytes(size, limit: Compression.largestSection, "the command names")
  }

  // MARK: Options that both versions have

  /// Takes what an option says, if it is one of those whose contents are alike in both versions.
  mutating func take(_ option: TraceOption, _ contents: [UInt8], at place: ByteCursor) throws(TraceFileError) {
    switch option {
    case .cpuStatistics:
      // Bounded by the size of the options, which the caller bounds.
      statistics += Self.text(contents) + "\n"
    case .clock:
      clock = TraceBuffer.clockName(Self.text(contents)) ?? clock
    case .uname:
      // System, host, release, machine.
      let words = Self.text(contents).split(separator: " ")
      if words.count >= 3 { kernelRelease = String(words[2]) }
    case .cpuCount:
      guard contents.count >= 4 else {
        throw place.malformed("a CPU count of 4 bytes", found: "\(contents.count) bytes")
      }
      let count = contents[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
      try takeCPUCount(count, at: place)
    default: break
    }
  }

  mutating func takeCPUCount(_ count: Int, at place: ByteCursor) throws(TraceFileError) {
    guard count <= Self.largestCPUCount else {
      throw place.malformed("a number of CPUs up to \(Self.largestCPUCount)", found: "\(count)")
    }
    cpuCount = count
  }

  /// A text that may end with a zero byte.
  private static func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  // MARK: Buffers

  /// A region as the file declares it, cut to the extent of the file.
  mutating func region(
    cpu: Int, offset: UInt64, byteCount: UInt64, compression: Compression, at place: ByteCursor
  ) throws(TraceFileError) -> TraceBuffer.Region {
    guard cpu < Self.largestCPUCount else {
      throw place.malformed("a CPU below \(Self.largestCPUCount)", found: "\(cpu)")
    }
    guard !offset.addingReportingOverflow(byteCount).overflow else {
      throw place.malformed("data of CPU \(cpu) within the file", found: "\(byteCount) bytes at \(offset)")
    }
    let available = offset < input.size ? min(byteCount, input.size - offset) : 0
    if available < byteCount { health.add(.truncated(cpu: cpu, bytes: byteCount - available)) }
    return TraceBuffer.Region(
      cpu: cpu, offset: offset, byteCount: available, compression: compression, missingBytes: byteCount - available)
  }

  /// The buffers, once their regions and page sizes are known to be possible.
  func finishedBuffers(_ input: InputFile) throws(TraceFileError) -> [TraceBuffer] {
    var result: [TraceBuffer] = []
    for var buffer in buffers {
      buffer.regions.sort { $0.cpu < $1.cpu }
      for (first, second) in zip(buffer.regions, buffer.regions.dropFirst()) where first.cpu == second.cpu {
        throw TraceFileError(
          .malformed, at: input.location(second.offset), expected: "one stretch of data per CPU",
          found: "two of CPU \(first.cpu)")
      }
      // A small file could otherwise claim the same bytes for each of thousands of CPUs.
      let filled = buffer.regions.filter { $0.byteCount > 0 }.sorted { $0.offset < $1.offset }
      for (first, second) in zip(filled, filled.dropFirst()) where first.offset + first.byteCount > second.offset {
        throw TraceFileError(
          .malformed, at: input.location(second.offset), expected: "data of CPU \(second.cpu) alone",
          found: "data of CPU \(first.cpu) as well")
      }
      if buffer.clock == nil { buffer.clock = clock }
      result.append(buffer)
    }
    // The top-level buffer comes first; the others stay in the order of the file.
    return result.filter(\.name.isEmpty) + result.filter { !$0.name.isEmpty }
  }
}

/// The options of trace files that ipitrace reads.
enum TraceOption: UInt16 {
  case done = 0
  case cpuStatistics = 2
  case buffer = 3
  case clock = 4
  case uname = 5
  case cpuCount = 8
  case headerInfo = 16
  case ftraceEvents = 17
  case eventFormats = 18
  case symbols = 19
  case printk = 20
  case commands = 21
  case bufferText = 22

  /// All options of one file together are smaller than this many bytes.
  static let largestTotal: UInt64 = 64 << 20
}
