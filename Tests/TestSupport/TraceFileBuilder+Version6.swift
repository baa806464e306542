/// Version 6: the parts in a fixed order, the data of all buffers at the end.
extension TraceFileBuilder {
  func buildVersion6() -> Built {
    var file = opening()
    var boundaries = [file.count]
    for part in [
      headerInfo, ftraceFormatBytes, eventFormatBytes, sized(kallsyms, as: UInt32.self),
      sized(printkFormats, as: UInt32.self), sized(commands, as: UInt64.self), ByteBuilder.bytes(UInt32(cpuCount)),
    ] {
      file.append(part)
      boundaries.append(file.count)
    }
    file.string("options  ")
    var bufferPlaces: [Int] = []
    for option in commonOptions { file.append(option) }
    for buffer in buffers.dropFirst() {
      bufferPlaces.append(file.count + 6)
      file.append(option(3, ByteBuilder.bytes(UInt64(0)) + Array(buffer.name.utf8) + [0]))
    }
    file.number(UInt16(0))
    boundaries.append(file.count)

    var dataStart: Int?
    for (index, buffer) in (buffers.isEmpty ? [Buffer()] : buffers).enumerated() {
      if index > 0 { file.patch(UInt64(file.count), at: bufferPlaces[index - 1]) }
      file.string(dataKind)
      let table = file.count
      for _ in 0..<cpuCount {
        file.number(UInt64(0))
        file.number(UInt64(0))
      }
      let clock = "[\(buffer.clock)]"
      file.number(UInt64(clock.utf8.count + 1))
      file.string(clock)
      boundaries.append(file.count)
      for cpu in 0..<cpuCount {
        file.align(to: pageSize)
        dataStart = dataStart ?? file.count
        let data = buffer.cpus.first { $0.cpu == cpu }?.pages.flatMap { $0 } ?? []
        file.patch(UInt64(file.count), at: table + 16 * cpu)
        file.patch(UInt64(data.count), at: table + 16 * cpu + 8)
        file.append(data)
        boundaries.append(file.count)
      }
    }
    return Built(bytes: file.bytes, boundaries: boundaries, dataStart: dataStart ?? file.count)
  }
}
