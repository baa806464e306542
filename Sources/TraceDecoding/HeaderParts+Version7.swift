import TraceTypes

/// Version 7: sections in any order, found through options, which are chained.
extension HeaderParts {
  /// The names under which files know what ipitrace can unpack, and what they call everything else.
  private struct Packing {
    var name: String
    var compression: Compression?
  }

  /// Where the sections are, as the options say.
  private struct Sections {
    var offsets: [TraceOption: UInt64] = [:]
    /// Read after the rest, because they need the page layout.
    var buffers: [[UInt8]] = []
    var textBufferOffset: UInt64?
  }

  static func version7(_ cursor: inout ByteCursor, pageSize: UInt32) throws(TraceFileError) -> HeaderParts {
    var parts = HeaderParts(input: cursor.file, pageSize: pageSize)
    let name = try cursor.string(limit: 64, "the name of the compression")
    _ = try cursor.string(limit: 64, "the version of the compression")
    let packing = Packing(name: name, compression: Compression(rawValue: name))
    let first = try cursor.u64("the offset of the first options section")

    let sections = try parts.readOptions7(from: first, packing)
    let required: [TraceOption] = [.headerInfo, .eventFormats]
    for option in required where sections.offsets[option] == nil {
      throw TraceFileError(
        .malformed, at: cursor.file.location(first), expected: "options that name the section \(option)",
        found: "no such option")
    }
    for (option, offset) in sections.offsets.sorted(by: { $0.value < $1.value }) {
      guard offset != 0 else { continue }
      var section = try parts.section(at: offset, option, packing)
      switch option {
      case .headerInfo: try parts.readPageHeader(&section)
      case .ftraceEvents: try parts.readFtraceFormats(&section)
      case .eventFormats: try parts.readEventFormats(&section)
      case .symbols: try parts.readSymbols(&section)
      case .printk: try parts.readPrintkFormats(&section)
      case .commands: try parts.readCommands(&section)
      default: break
      }
    }
    for contents in sections.buffers { try parts.readBuffer7(contents, packing) }
    if sections.buffers.isEmpty, let offset = sections.textBufferOffset {
      throw TraceFileError(
        .notSupported, at: parts.input.location(offset), expected: "recorded events (a BUFFER option)",
        found: "the text of a latency tracer alone")
    }
    let highest = parts.buffers.flatMap(\.regions).map(\.cpu).max() ?? -1
    parts.cpuCount = max(parts.cpuCount, highest + 1)
    return parts
  }

  /// Stands on the contents of the section at an offset, unpacked.
  private func section(
    at offset: UInt64, _ option: TraceOption, _ packing: Packing
  ) throws(TraceFileError) -> ByteCursor {
    let (flags, size, contents) = try sectionHeader(at: offset, option)
    var cursor = contents
    guard flags & 1 == 1 else { return cursor }
    let place = cursor
    guard let compression = packing.compression else {
      throw TraceFileError(
        .notSupported, at: place.location, expected: "compression with zlib or zstd", found: "\"\(packing.name)\"")
    }
    let packed = UInt64(try cursor.u32("the packed size of section \(option)"))
    let plain = UInt64(try cursor.u32("the unpacked size of section \(option)"))
    guard packed <= size else {
      throw place.malformed("a packed size within section \(option) (\(size) bytes)", found: "\(packed)")
    }
    guard plain <= Compression.largestSection else {
      throw TraceFileError(
        .tooLarge, at: place.location,
        expected: "a section that unpacks to \(Compression.largestSection) bytes at most",
        found: "\(plain)")
    }
    let bytes = try cursor.bytes(packed, limit: Compression.largestSection, "section \(option)")
    guard let unpacked = compression.unpacked(bytes, size: Int(plain)) else {
      throw place.malformed(
        "\(packed) bytes of \(packing.name) that unpack to \(plain) bytes", found: "something else")
    }
    return ByteCursor(file: input, unpacked: unpacked, from: offset, name: "section \(option)")
  }

  /// Reads the header of a section: flags, size, and a cursor on what follows.
  private func sectionHeader(
    at offset: UInt64, _ option: TraceOption
  ) throws(TraceFileError) -> (flags: UInt16, size: UInt64, contents: ByteCursor) {
    var cursor = ByteCursor(file: input, from: offset, name: "section \(option)")
    let id = try cursor.u16("the header of section \(option)")
    guard id == option.rawValue else {
      throw TraceFileError(
        .malformed, at: input.location(offset), expected: "section \(option.rawValue) (\(option))",
        found: "section \(id)")
    }
    let flags = try cursor.u16("the flags of section \(option)")
    _ = try cursor.u32("the description of section \(option)")
    let size = try cursor.u64("the size of section \(option)")
    guard option == .buffer || size <= cursor.remaining else {
      throw TraceFileError(
        .truncated, at: cursor.location, expected: "section \(option) (\(size) bytes)",
        found: "\(cursor.remaining) bytes to the end of the file")
    }
    let end = cursor.position.addingReportingOverflow(size)
    let contents = ByteCursor(
      file: input, from: cursor.position, through: end.overflow ? .max : end.partialValue, name: "section \(option)")
    return (flags, size, contents)
  }

  // MARK: Options

  private mutating func readOptions7(from first: UInt64, _ packing: Packing) throws(TraceFileError) -> Sections {
    var sections = Sections()
    var seen: Set<UInt64> = []
    var next = first
    var total: UInt64 = 0
    repeat {
      guard seen.insert(next).inserted else {
        throw TraceFileError(
          .malformed, at: input.location(next), expected: "a chain of options that ends", found: "one that loops")
      }
      var cursor = try section(at: next, .done, packing)
      total += cursor.remaining
      guard total <= TraceOption.largestTotal else {
        throw TraceFileError(
          .tooLarge, at: input.location(next), expected: "options of at most \(TraceOption.largestTotal) bytes",
          found: "\(total) bytes")
      }
      next = try readOptionsSection(&cursor, into: &sections)
    } while next != 0
    return sections
  }

  /// - Returns: where the next options section begins, or 0.
  private mutating func readOptionsSection(
    _ cursor: inout ByteCursor, into sections: inout Sections
  ) throws(TraceFileError) -> UInt64 {
    while cursor.remaining > 0 {
      let place = cursor
      let id = try cursor.u16("an option")
      let size = UInt64(try cursor.u32("the size of option \(id)"))
      let contents = try cursor.bytes(size, limit: TraceOption.largestTotal, "option \(id)")
      guard let option = TraceOption(rawValue: id) else { continue }
      switch option {
      case .done: return try Self.offset(contents, option, place)
      case .buffer: sections.buffers.append(contents)
      case .bufferText: sections.textBufferOffset = try Self.offset(contents, option, place)
      case .headerInfo, .ftraceEvents, .eventFormats, .symbols, .printk, .commands:
        sections.offsets[option] = try Self.offset(contents, option, place)
      case .clock, .cpuCount, .cpuStatistics, .uname:
        try take(option, contents, at: place)
      }
    }
    return 0
  }

  /// The offset at the start of an option.
  private static func offset(
    _ contents: [UInt8], _ option: TraceOption, _ place: ByteCursor
  ) throws(TraceFileError) -> UInt64 {
    guard contents.count >= 8 else {
      throw place.malformed("an offset of 8 bytes in option \(option)", found: "\(contents.count) bytes")
    }
    return contents[..<8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  // MARK: Buffers

  private mutating func readBuffer7(_ contents: [UInt8], _ packing: Packing) throws(TraceFileError) {
    var cursor = ByteCursor(file: input, unpacked: contents, from: 0, name: "the BUFFER option")
    let offset = try cursor.u64("the offset of a buffer")
    // From here on messages name the place that the option describes.
    cursor = ByteCursor(file: input, unpacked: Array(contents[8...]), from: offset, name: "the BUFFER option")
    let place = cursor
    let name = try cursor.string(limit: 4096, "the name of a buffer")
    let clock = try cursor.string(limit: 4096, "the clock of buffer \"\(name)\"")
    let pageSize = try cursor.u32("the page size of buffer \"\(name)\"")
    let count = try cursor.u32("the number of CPUs of buffer \"\(name)\"")
    guard UInt64(count) <= cursor.remaining / 20 else {
      throw cursor.malformed("a number of CPUs that fits into the BUFFER option", found: "\(count)")
    }
    var compression = Compression.none
    if count > 0 {
      let (flags, _, _) = try sectionHeader(at: offset, .buffer)
      if flags & 1 == 1 {
        guard let known = packing.compression else {
          throw TraceFileError(
            .notSupported, at: place.location, expected: "compression with zlib or zstd",
            found: "\"\(packing.name)\"")
        }
        compression = known
      }
    }
    var buffer = TraceBuffer(name: name, clock: TraceBuffer.clockName(clock), subBufferSize: 0, regions: [])
    for _ in 0..<count {
      let cpu = try cursor.u32("a CPU of buffer \"\(name)\"")
      let offset = try cursor.u64("the offset of the data of CPU \(cpu)")
      let size = try cursor.u64("the size of the data of CPU \(cpu)")
      buffer.regions.append(
        try region(cpu: Int(cpu), offset: offset, byteCount: size, compression: compression, at: place))
    }
    buffer.subBufferSize = try subBufferSize(declared: pageSize, regions: buffer.regions, at: place)
    buffers.append(buffer)
  }
}
