public import TraceDecoding
public import TraceTypes

/// Builds trace files of versions 6 and 7, byte by byte.
public struct TraceFileBuilder: Sendable {
  /// One CPU's data.
  public struct CPU: Sendable {
    public var cpu: Int
    public var pages: [[UInt8]]

    public init(_ cpu: Int, pages: [[UInt8]]) {
      self.cpu = cpu
      self.pages = pages
    }
  }

  public struct Buffer: Sendable {
    public var name: String
    public var clock: String
    public var pageSize: Int
    public var cpus: [CPU]

    public init(name: String = "", clock: String = "local", pageSize: Int = 4096, cpus: [CPU] = []) {
      self.name = name
      self.clock = clock
      self.pageSize = pageSize
      self.cpus = cpus
    }
  }

  public var version = 7
  /// Of the trace data; in version 7 only.
  public var compression = Compression.none
  /// Whether the header sections are compressed as well.
  public var compressesHeader = true
  /// The page size in the file's opening.
  public var pageSize = 4096
  /// The page size that `header_page` speaks of.
  public var headerPageSize = 4096
  /// The number of pages in a compressed chunk.
  public var chunkPages = 10
  /// Whether the size of a compressed region includes the number of chunks. In files of trace-cmd it doesn't.
  public var countsChunkNumber = false
  public var bigEndianMark: UInt8 = 0
  public var longSize: UInt8 = 8
  public var commitSize = 8
  public var formats = FormatBuilder.linux612
  /// ftrace's own types; one, so that the part isn't empty.
  public var ftraceFormats = [
    FormatBuilder("ftrace", "print", id: 5, fields: [.init("unsigned long", "ip", offset: 8, size: 8)])
  ]
  /// Format texts besides, by system.
  public var moreFormats: [(system: String, text: String)] = []
  public var kallsyms = "ffffffff81000000 T _stext\nffffffff81000100 T first_function\n"
  public var printkFormats = ""
  public var commands = "1 systemd\n42 a name\n"
  public var uname: String? = "Linux host 6.12.117-test x86_64"
  /// The texts of the CPUSTAT options.
  public var statistics: [String] = []
  public var clockText = "[local] global counter\n"
  /// Version 6: what "options" ends with.
  public var dataKind = "flyrecord"
  /// Version 7: write the sections in reverse order.
  public var reversesSections = false
  /// Version 7: how many options sections to chain.
  public var optionSections = 2
  /// The first is the top-level one.
  public var buffers: [Buffer] = []

  public init(version: Int = 7, compression: Compression = .none, buffers: [Buffer] = []) {
    self.version = version
    self.compression = compression
    self.buffers = buffers
  }

  /// A file of one buffer that holds the events, each on its CPU's pages; within a CPU they have to be in the order of
  /// time. A mask event's `target` and `detail` point into `maskWords`.
  public init(
    events: [TraceEvent], maskWords: [UInt64] = [], version: Int = 7, compression: Compression = .none,
    pageSize: Int = 4096
  ) {
    var sequences: [Int: PageSequenceBuilder] = [:]
    for event in events {
      let hasMask = event.kind == .ipiSendCPUMask || event.kind == .ipiRaise
      let words = hasMask ? Array(maskWords[Int(event.target)..<Int(event.target + event.detail)]) : []
      sequences[Int(event.cpu), default: PageSequenceBuilder(pageSize: pageSize)]
        .event(FormatBuilder.record(of: event, maskWords: words), at: event.nanoseconds)
    }
    let cpus = sequences.sorted { $0.key < $1.key }.map { CPU($0.key, pages: $0.value.pages) }
    self.init(version: version, compression: compression, buffers: [Buffer(pageSize: pageSize, cpus: cpus)])
    self.pageSize = pageSize
    headerPageSize = pageSize
  }

  /// A file, and the offsets at which its parts begin and end.
  public struct Built: Sendable {
    public var bytes: [UInt8]
    public var boundaries: [Int]
    /// Where the first byte of recorded data is.
    public var dataStart: Int
  }

  public var bytes: [UInt8] { build().bytes }

  public func build() -> Built {
    version == 6 ? buildVersion6() : buildVersion7()
  }

  // MARK: Parts that both versions have

  func opening() -> ByteBuilder {
    var file = ByteBuilder()
    file.append([0x17, 0x08, 0x44] + Array("tracing".utf8))
    file.string("\(version)")
    file.append([bigEndianMark, longSize])
    file.number(UInt32(pageSize))
    return file
  }

  var headerInfo: [UInt8] {
    let page = """
      \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
      \tfield: local_t commit;\toffset:8;\tsize:\(commitSize);\tsigned:1;
      \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
      \tfield: char data;\toffset:16;\tsize:\(headerPageSize - 16);\tsigned:0;

      """
    let event = """
      # compressed entry header
      \ttype_len    :    5 bits
      \ttime_delta  :   27 bits
      \tarray       :   32 bits

      \tpadding     : type == 29
      \ttime_extend : type == 30
      \ttime_stamp : type == 31
      \tdata max type_len  == 28

      """
    var part = ByteBuilder()
    part.string("header_page")
    part.number(UInt64(page.utf8.count))
    part.append(Array(page.utf8))
    part.string("header_event")
    part.number(UInt64(event.utf8.count))
    part.append(Array(event.utf8))
    return part.bytes
  }

  var ftraceFormatBytes: [UInt8] {
    var part = ByteBuilder()
    part.number(UInt32(ftraceFormats.count))
    for format in ftraceFormats {
      part.number(UInt64(format.text.utf8.count))
      part.append(Array(format.text.utf8))
    }
    return part.bytes
  }

  var eventFormatBytes: [UInt8] {
    var texts = formats.map { (system: $0.system, text: $0.text) } + moreFormats
    var part = ByteBuilder()
    var systems: [String] = []
    for (system, _) in texts where !systems.contains(system) { systems.append(system) }
    part.number(UInt32(systems.count))
    for system in systems {
      let own = texts.filter { $0.system == system }
      texts.removeAll { $0.system == system }
      part.string(system)
      part.number(UInt32(own.count))
      for (_, text) in own {
        part.number(UInt64(text.utf8.count))
        part.append(Array(text.utf8))
      }
    }
    return part.bytes
  }

  /// A text with a size of 32 or 64 bits before it.
  func sized(_ text: String, as size: (some FixedWidthInteger).Type) -> [UInt8] {
    func number<Number: FixedWidthInteger>(_: Number.Type) -> [UInt8] { ByteBuilder.bytes(Number(text.utf8.count)) }
    return number(size) + Array(text.utf8)
  }

  var cpuCount: Int { (buffers.flatMap { $0.cpus.map(\.cpu) }.max() ?? -1) + 1 }

  func option(_ id: UInt16, _ contents: [UInt8]) -> [UInt8] {
    ByteBuilder.bytes(id) + ByteBuilder.bytes(UInt32(contents.count)) + contents
  }

  var commonOptions: [[UInt8]] {
    var options: [[UInt8]] = []
    options.append(option(4, Array(clockText.utf8) + [0]))
    if let uname { options.append(option(5, Array(uname.utf8) + [0])) }
    for text in statistics { options.append(option(2, Array(text.utf8) + [0])) }
    // An option that no version of ipitrace knows.
    options.append(option(999, [1, 2, 3]))
    return options
  }
}
