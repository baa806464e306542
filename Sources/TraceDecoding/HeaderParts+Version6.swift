import TraceTypes

/// Version 6: one part after the other, in a fixed order.
extension HeaderParts {
  static func version6(_ cursor: inout ByteCursor, pageSize: UInt32) throws(TraceFileError) -> HeaderParts {
    var parts = HeaderParts(input: cursor.file, pageSize: pageSize)
    try parts.readPageHeader(&cursor)
    try parts.readFtraceFormats(&cursor)
    try parts.readEventFormats(&cursor)
    try parts.readSymbols(&cursor)
    try parts.readPrintkFormats(&cursor)
    try parts.readCommands(&cursor)

    let place = cursor
    try parts.takeCPUCount(Int(try cursor.u32("the number of CPUs")), at: place)
    var instances: [(name: String, offset: UInt64)] = []
    try parts.readBuffer6(&cursor, name: "", instances: &instances)
    var seen: Set<UInt64> = []
    // An instance's own options are not asked for further instances.
    for (name, offset) in instances where seen.insert(offset).inserted {
      var nested: [(name: String, offset: UInt64)] = []
      var cursor = ByteCursor(file: cursor.file, from: offset, name: "buffer \"\(name)\"")
      try parts.readBuffer6(&cursor, name: name, instances: &nested)
    }
    return parts
  }

  /// Reads options, if there are any, and then where the CPUs' data lie.
  private mutating func readBuffer6(
    _ cursor: inout ByteCursor, name: String, instances: inout [(name: String, offset: UInt64)]
  ) throws(TraceFileError) {
    var place = cursor
    var kind = try cursor.bytes(10, limit: 10, "the kind of the data")
    if kind.elementsEqual("options  \0".utf8) {
      instances += try readOptions6(&cursor)
      place = cursor
      kind = try cursor.bytes(10, limit: 10, "the kind of the data")
    }
    if kind.elementsEqual("latency  \0".utf8) {
      throw TraceFileError(
        .notSupported, at: place.location, expected: "recorded events (\"flyrecord\")",
        found: "the text of a latency tracer (\"latency\")")
    }
    guard kind.elementsEqual("flyrecord\0".utf8) else {
      throw place.malformed("\"options\", \"flyrecord\" or \"latency\"", found: ByteCursor.quoted(kind))
    }
    guard UInt64(cpuCount) <= cursor.remaining / 16 else {
      throw TraceFileError(
        .truncated, at: cursor.location, expected: "offset and size of the data of \(cpuCount) CPUs",
        found: "\(cursor.remaining) bytes")
    }
    var buffer = TraceBuffer(name: name, clock: nil, subBufferSize: 0, regions: [])
    for cpu in 0..<cpuCount {
      let place = cursor
      let offset = try cursor.u64("the offset of the data of CPU \(cpu)")
      let size = try cursor.u64("the size of the data of CPU \(cpu)")
      buffer.regions.append(try region(cpu: cpu, offset: offset, byteCount: size, compression: .none, at: place))
    }
    // Undocumented: a size and the list of clocks follow, where the recorder stored it. Padding follows where not.
    var clockCursor = cursor
    if let size = try? clockCursor.u64("the size of the clock's name"), size > 0, size <= 4096,
      let text = try? clockCursor.bytes(size, limit: 4096, "the clock's name")
    {
      buffer.clock = TraceBuffer.clockName(String(decoding: text.prefix { $0 != 0 }, as: UTF8.self))
    }
    buffer.subBufferSize = try subBufferSize(declared: pageSize, regions: buffer.regions, at: place)
    buffers.append(buffer)
  }

  private mutating func readOptions6(
    _ cursor: inout ByteCursor
  ) throws(TraceFileError) -> [(name: String, offset: UInt64)] {
    var instances: [(name: String, offset: UInt64)] = []
    var total: UInt64 = 0
    while true {
      let place = cursor
      let id = try cursor.u16("an option")
      if id == 0 { return instances }
      let size = UInt64(try cursor.u32("the size of option \(id)"))
      total += size
      guard total <= TraceOption.largestTotal else {
        throw TraceFileError(
          .tooLarge, at: place.location, expected: "options of at most \(TraceOption.largestTotal) bytes",
          found: "\(total) bytes")
      }
      guard let option = TraceOption(rawValue: id) else {
        try cursor.skip(size, "option \(id)")
        continue
      }
      if option == .buffer {
        var contents = ByteCursor(
          file: input, from: cursor.position, through: cursor.position &+ size, name: "option \(id)")
        let offset = try contents.u64("the offset of a buffer")
        instances.append((try contents.string(limit: 4096, "the name of a buffer"), offset))
        try cursor.skip(size, "option \(id)")
      } else {
        try take(option, try cursor.bytes(size, limit: TraceOption.largestTotal, "option \(id)"), at: place)
      }
    }
  }
}
