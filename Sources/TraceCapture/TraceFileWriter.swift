import TraceTypes

/// Everything of a trace file but the recorded pages.
struct TraceFileHeader: Sendable {
  /// The files `header_page` and `header_event` of the instance.
  var headerPage: [UInt8] = []
  var headerEvent: [UInt8] = []
  /// Formats of ftrace's own events.
  var ftraceFormats: [[UInt8]] = []
  /// Formats of the recorded events, by system.
  var systems: [(name: String, formats: [[UInt8]])] = []
  /// Lines as in `/proc/kallsyms`.
  var symbols: [UInt8] = []
  /// The file `printk_formats`.
  var printkFormats: [UInt8] = []
  /// Task → name.
  var tasks: [Int32: String] = [:]
  /// CPU → the file `per_cpu/cpuN/stats`. The CPUs of the file are 0 up to the last of these.
  var statistics: [String] = []
  /// Nil for a file of another recorder.
  var facts: CaptureFacts? = CaptureFacts()
  /// The file `trace_clock`, with the chosen clock in brackets.
  var clocks = ""
  /// Kernel name, release and machine, as uname(2) has them.
  var system = ""
  var release = ""
  var machine = ""
  /// Bytes of a page of the recorded data.
  var pageSize = 4096
}

/// Writes `trace.dat` files, version 6, uncompressed: the form that every trace-cmd since 2010 and KernelShark read.
///
/// The recording is the file's top-level buffer, wherever the kernel kept it, so that every tool shows it at once.
///
/// ``CaptureFacts`` go to the end of the last CPU's text of statistics (option `CPUSTAT`). Tools treat that text as
/// opaque: `trace-cmd report --stat` prints it, and `trace-cmd convert` takes it along from version 6 to 7, compressed
/// or not, and back. An option id of our own does not do: convert drops it, and report complains about it. The host's
/// name is not written: `localhost` stands in its place.
enum TraceFileWriter {
  /// The numbers of the options, as in trace-cmd.dat(5).
  enum Option: UInt16 {
    case done = 0
    case statistics = 2
    case clock = 4
    case uname = 5
    case cpuCount = 8
  }

  /// All bytes before the first CPU's pages, padded up to a page.
  /// - Parameter pageBytes: CPU → bytes of recorded pages, which follow in this order, each a multiple of a page.
  static func header(_ header: TraceFileHeader, pageBytes: [UInt64]) -> [UInt8] {
    var file = FileBytes()
    file.append([0x17, 0x08, 0x44])
    file.append("tracing")
    file.appendTerminated("6")
    #if _endian(little)
      file.append([0])
    #else
      file.append([1])
    #endif
    file.append([UInt8(MemoryLayout<Int>.size)])
    file.append(UInt32(header.pageSize))

    file.appendTerminated("header_page")
    file.appendSized(header.headerPage, UInt64.self)
    file.appendTerminated("header_event")
    file.appendSized(header.headerEvent, UInt64.self)

    file.append(UInt32(header.ftraceFormats.count))
    for format in header.ftraceFormats { file.appendSized(format, UInt64.self) }
    file.append(UInt32(header.systems.count))
    for system in header.systems {
      file.appendTerminated(system.name)
      file.append(UInt32(system.formats.count))
      for format in system.formats { file.appendSized(format, UInt64.self) }
    }
    file.appendSized(header.symbols, UInt32.self)
    file.appendSized(header.printkFormats, UInt32.self)
    file.appendSized(taskLines(header.tasks), UInt64.self)

    file.append(UInt32(pageBytes.count))
    file.append("options  \0")
    for (cpu, text) in header.statistics.enumerated() {
      let facts = cpu == header.statistics.count - 1 ? header.facts?.text ?? "" : ""
      file.append(option: Option.statistics.rawValue, text: "CPU: \(cpu)\n\(text)\(facts)")
    }
    file.append(option: Option.clock.rawValue, text: header.clocks)
    file.append(
      option: Option.uname.rawValue, text: "\(header.system) localhost \(header.release) \(header.machine)")
    file.append(Option.cpuCount.rawValue)
    file.append(UInt32(4))
    file.append(UInt32(pageBytes.count))
    file.append(Option.done.rawValue)

    file.append("flyrecord\0")
    // Behind the table come the length of the clock's name and the name, which the manual page does not mention.
    let clock = Array("[\(TraceClocks(text: header.clocks).chosen ?? "local")]".utf8)
    let end = UInt64(file.bytes.count + pageBytes.count * 16 + 8 + clock.count)
    let pageSize = UInt64(header.pageSize)
    let dataStart = (end + pageSize - 1) / pageSize * pageSize
    var offset = dataStart
    for bytes in pageBytes {
      file.append(offset)
      file.append(bytes)
      offset += bytes
    }
    file.appendSized(clock, UInt64.self)
    file.append([UInt8](repeating: 0, count: Int(dataStart) - file.bytes.count))
    return file.bytes
  }

  /// Lines such as `1234 cat`. A newline in a name would be the end of its line.
  private static func taskLines(_ tasks: [Int32: String]) -> [UInt8] {
    var result: [UInt8] = []
    for (task, name) in tasks.sorted(by: { $0.key < $1.key }) where !name.isEmpty {
      result.append(contentsOf: "\(task) ".utf8)
      result.append(contentsOf: name.utf8.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 })
      result.append(UInt8(ascii: "\n"))
    }
    return result
  }
}

/// Bytes of a file in the machine's own byte order.
private struct FileBytes {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ values: [UInt8]) { bytes.append(contentsOf: values) }

  mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  mutating func appendTerminated(_ text: String) {
    append(text)
    bytes.append(0)
  }

  mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
  }

  /// Its length first, as a number of the given width, and then the bytes.
  mutating func appendSized<Size: FixedWidthInteger>(_ values: [UInt8], _: Size.Type) {
    append(Size(values.count))
    append(values)
  }

  mutating func append(option: UInt16, text: String) {
    append(option)
    append(UInt32(text.utf8.count + 1))
    appendTerminated(text)
  }
}
