import CZlib
import CZstd
public import TraceDecoding

/// Version 7: sections with headers, found through options.
extension TraceFileBuilder {
  func buildVersion7() -> Built {
    var file = opening()
    file.string(compression.rawValue)
    file.string(compression == .none ? "" : "1")
    let firstOptions = file.count
    file.number(UInt64(0))
    var boundaries = [file.count]

    var sections: [(id: UInt16, contents: [UInt8])] = [
      (16, headerInfo), (17, ftraceFormatBytes), (18, eventFormatBytes), (19, sized(kallsyms, as: UInt32.self)),
      (20, sized(printkFormats, as: UInt32.self)), (21, sized(commands, as: UInt64.self)),
    ]
    if reversesSections { sections.reverse() }
    var options = commonOptions
    options.append(option(8, ByteBuilder.bytes(UInt32(cpuCount))))

    // With reversed sections, the data come before the header.
    var dataStart: Int?
    func writeBuffers() {
      for buffer in buffers {
        let start = file.count
        dataStart = dataStart ?? start
        options.append(option(3, write(buffer, into: &file)))
        boundaries.append(start)
        boundaries.append(file.count)
      }
    }
    if reversesSections { writeBuffers() }
    for (id, contents) in sections {
      options.append(option(id, ByteBuilder.bytes(UInt64(file.count))))
      let isPacked = compressesHeader && compression != .none
      if isPacked {
        let packed = Self.pack(contents, compression)
        let sizes = ByteBuilder.bytes(UInt32(packed.count)) + ByteBuilder.bytes(UInt32(contents.count))
        section(id, flags: 1, sizes + packed, into: &file)
      } else {
        section(id, flags: 0, contents, into: &file)
      }
      boundaries.append(file.count)
    }
    if !reversesSections { writeBuffers() }

    // The options, spread over a chain of sections.
    let perSection = max(1, (options.count + optionSections - 1) / optionSections)
    var nextPlace = firstOptions
    for start in stride(from: 0, to: options.count, by: perSection) {
      file.patch(UInt64(file.count), at: nextPlace)
      let own = options[start..<min(start + perSection, options.count)].flatMap { $0 }
      section(0, flags: 0, own + option(0, ByteBuilder.bytes(UInt64(0))), into: &file)
      nextPlace = file.count - 8
      boundaries.append(file.count)
    }
    return Built(bytes: file.bytes, boundaries: boundaries, dataStart: dataStart ?? file.count)
  }

  private func section(_ id: UInt16, flags: UInt16, _ contents: [UInt8], into file: inout ByteBuilder) {
    file.number(id)
    file.number(flags)
    file.number(UInt32(0))
    file.number(UInt64(contents.count))
    file.append(contents)
  }

  /// Writes a buffer's data, and makes the contents of its option.
  private func write(_ buffer: Buffer, into file: inout ByteBuilder) -> [UInt8] {
    let start = file.count
    section(3, flags: compression == .none ? 0 : 1, [], into: &file)
    var option = ByteBuilder()
    option.number(UInt64(start))
    option.string(buffer.name)
    option.string(buffer.clock)
    option.number(UInt32(buffer.pageSize))
    option.number(UInt32(buffer.cpus.count))
    for cpu in buffer.cpus {
      if compression == .none { file.align(to: buffer.pageSize) }
      let offset = file.count
      if compression == .none {
        for page in cpu.pages { file.append(page) }
      } else {
        file.append(Self.chunks(cpu.pages, pages: chunkPages, compression))
      }
      let uncounted = compression == .none || countsChunkNumber ? 0 : 4
      option.number(UInt32(cpu.cpu))
      option.number(UInt64(offset))
      option.number(UInt64(max(0, file.count - offset - uncounted)))
    }
    file.patch(UInt64(file.count - start - 16), at: start + 8)
    return option.bytes
  }

  /// Pages as compressed chunks, with their number before them.
  public static func chunks(_ pages: [[UInt8]], pages perChunk: Int, _ compression: Compression) -> [UInt8] {
    var result = ByteBuilder()
    result.number(UInt32((pages.count + perChunk - 1) / perChunk))
    for start in stride(from: 0, to: pages.count, by: perChunk) {
      let plain = pages[start..<min(start + perChunk, pages.count)].flatMap { $0 }
      let packed = pack(plain, compression)
      result.number(UInt32(packed.count))
      result.number(UInt32(plain.count))
      result.append(packed)
    }
    return result.bytes
  }

  /// Compresses bytes into one frame.
  public static func pack(_ bytes: [UInt8], _ compression: Compression) -> [UInt8] {
    switch compression {
    case .none: return bytes
    case .zlib:
      var output = [UInt8](repeating: 0, count: Int(compressBound(uLong(bytes.count))))
      var length = uLongf(output.count)
      let status = CZlib.compress(&output, &length, bytes, uLong(bytes.count))
      precondition(status == Z_OK, "zlib failed with \(status)")
      return Array(output.prefix(Int(length)))
    case .zstd:
      var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
      let length = ZSTD_compress(&output, output.count, bytes, bytes.count, 3)
      precondition(ZSTD_isError(length) == 0, "zstd failed")
      return Array(output.prefix(Int(length)))
    }
  }
}
