import Glibc
import TraceTypes

/// Reads the head of a trace file that ``TraceFileWriter`` wrote, and finds the recorded pages.
///
/// Files of other recorders may hold what would be lost here (more buffers, hooks, guests): they are refused.
struct TraceFileReader {
  private let file: FileDescriptor
  private let path: String
  private let size: UInt64
  private var offset: UInt64 = 0

  /// Longer parts are not in a file of ours.
  private static let longestPart: UInt64 = 256 << 20

  /// - Returns: the head, with the symbols, tasks and facts that are in the file, and the pages by CPU.
  /// - Throws: ``CaptureError/malformedFile(_:offset:_:)``.
  static func read(
    _ file: FileDescriptor, path: String
  ) throws(CaptureError) -> (header: TraceFileHeader, pages: [RecordedPages]) {
    var reader = TraceFileReader(file: file, path: path)
    return try reader.readAll()
  }

  private init(file: FileDescriptor, path: String) {
    self.file = file
    self.path = path
    size = file.size
  }

  private mutating func readAll() throws(CaptureError) -> (TraceFileHeader, [RecordedPages]) {
    var header = TraceFileHeader()
    try expect([0x17, 0x08, 0x44], "the magic number of a trace file")
    try expect(Array("tracing6\0".utf8), "version 6, as `trace-cmd convert --file-version 6` writes it")
    #if _endian(little)
      let order: UInt8 = 0
    #else
      let order: UInt8 = 1
    #endif
    try expect([order, UInt8(MemoryLayout<Int>.size)], "byte order and word size of this machine")
    header.pageSize = Int(try number(UInt32.self))
    guard header.pageSize >= 1024, header.pageSize <= 1 << 26, header.pageSize.nonzeroBitCount == 1 else {
      throw mistake("a page of \(header.pageSize) bytes")
    }
    try expect(Array("header_page\0".utf8), "header_page")
    header.headerPage = try sized(UInt64.self)
    try expect(Array("header_event\0".utf8), "header_event")
    header.headerEvent = try sized(UInt64.self)
    for _ in 0..<(try count(of: "formats of ftrace")) { header.ftraceFormats.append(try sized(UInt64.self)) }
    for _ in 0..<(try count(of: "systems")) {
      var system: (name: String, formats: [[UInt8]]) = (try terminated(), [])
      for _ in 0..<(try count(of: "formats")) { system.formats.append(try sized(UInt64.self)) }
      header.systems.append(system)
    }
    header.symbols = try sized(UInt32.self)
    header.printkFormats = try sized(UInt32.self)
    for line in String(decoding: try sized(UInt64.self), as: UTF8.self).split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: " ", maxSplits: 1)
      if parts.count == 2, let task = Int32(parts[0]) { header.tasks[task] = String(parts[1]) }
    }
    let cpus = try count(of: "CPUs")
    try expect(Array("options  \0".utf8), "options")
    try readOptions(into: &header)
    try expect(Array("flyrecord\0".utf8), "the table of the CPUs' pages")
    var pages: [RecordedPages] = []
    // A small file could otherwise claim the same bytes for each of thousands of CPUs.
    var left = size
    for cpu in 0..<cpus {
      let at = offset
      let (start, length) = (try number(UInt64.self), try number(UInt64.self))
      guard start <= size, length <= size - start, length % UInt64(header.pageSize) == 0 else {
        throw .malformedFile(path, offset: at, "the pages of CPU \(cpu) do not lie in the file")
      }
      guard length <= left else {
        throw .malformedFile(path, offset: at, "the pages of CPU \(cpu) are another CPU's as well")
      }
      left -= length
      pages.append(RecordedPages(file: file, start: start, size: length))
    }
    return (header, pages)
  }

  private mutating func readOptions(into header: inout TraceFileHeader) throws(CaptureError) {
    header.facts = nil
    while true {
      let at = offset
      let id = try number(UInt16.self)
      guard let option = TraceFileWriter.Option(rawValue: id) else {
        throw .malformedFile(path, offset: at, "option \(id), which `ipitrace record` does not write")
      }
      if option == .done { break }
      var bytes = try sized(UInt32.self)
      if option == .cpuCount { continue }
      if bytes.last == 0 { bytes.removeLast() }
      let text = String(decoding: bytes, as: UTF8.self)
      switch option {
      case .statistics:
        if let facts = CaptureFacts(text: text) { header.facts = facts }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
        header.statistics.append(
          lines.filter { !$0.hasPrefix(CaptureFacts.linePrefix) }.joined(separator: "\n"))
      case .clock: header.clocks = text
      case .uname:
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        if words.count == 4 { (header.system, header.release, header.machine) = (words[0], words[2], words[3]) }
      case .cpuCount, .done: break
      }
    }
    guard header.facts != nil else { throw mistake("no facts of `ipitrace record` before this place") }
  }

  // MARK: - Bytes

  private func mistake(_ reason: String) -> CaptureError { .malformedFile(path, offset: offset, reason) }

  private mutating func take(_ count: UInt64) throws(CaptureError) -> [UInt8] {
    guard count <= size - offset else { throw mistake("the file ends \(count - (size - offset)) bytes too early") }
    guard count <= Self.longestPart else { throw mistake("a part of \(count) bytes") }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(count), alignment: 1)
    defer { bytes.deallocate() }
    guard file.read(into: bytes, at: offset) == bytes.count else { throw mistake("reading failed") }
    offset += count
    return Array(bytes)
  }

  private mutating func expect(_ wanted: [UInt8], _ what: String) throws(CaptureError) {
    let at = offset
    guard try take(UInt64(wanted.count)) == wanted else { throw .malformedFile(path, offset: at, "expected \(what)") }
  }

  private mutating func number<Number: FixedWidthInteger>(_: Number.Type) throws(CaptureError) -> Number {
    try take(UInt64(MemoryLayout<Number>.size)).withUnsafeBytes { $0.loadUnaligned(as: Number.self) }
  }

  private mutating func sized<Size: FixedWidthInteger>(_: Size.Type) throws(CaptureError) -> [UInt8] {
    try take(UInt64(truncatingIfNeeded: try number(Size.self)))
  }

  /// Each counted thing takes at least a byte.
  private mutating func count(of what: String) throws(CaptureError) -> Int {
    let count = try number(UInt32.self)
    guard UInt64(count) <= size - offset, count <= 1 << 20 else { throw mistake("\(count) \(what)") }
    return Int(count)
  }

  private mutating func terminated() throws(CaptureError) -> String {
    var result: [UInt8] = []
    while true {
      let byte = try take(1)[0]
      if byte == 0 { return String(decoding: result, as: UTF8.self) }
      guard result.count < 256 else { throw mistake("a name without an end") }
      result.append(byte)
    }
  }
}
