import Glibc
import TraceTypes

extension CaptureFacts {
  /// What `/sys/devices/system` says about this machine's CPUs.
  init(machineAt directory: String) {
    self.init()
    func mask(_ file: String) -> CPUMask? {
      // nohz_full says "(null)" on a kernel that could, but was not told to.
      TextFile.line("\(directory)/cpu/\(file)").flatMap { CPUMask(list: $0) }
    }
    possible = mask("possible")
    online = mask("online")
    isolated = mask("isolated")
    nohzFull = mask("nohz_full")
    for name in names(in: "\(directory)/node") where name.hasPrefix("node") {
      guard let node = Int(name.dropFirst(4)), node >= 0 else { continue }
      nodes[node] = TextFile.line("\(directory)/node/\(name)/cpulist").flatMap { CPUMask(list: $0) }
    }
    // Only online CPUs have a topology.
    for name in names(in: "\(directory)/cpu") where name.hasPrefix("cpu") {
      guard let cpu = Int(name.dropFirst(3)), (0...CPUMask.highestCPU).contains(cpu) else { continue }
      let topology = "\(directory)/cpu/\(name)/topology"
      // The name before 5.3, which newer kernels still have as well.
      let list = TextFile.line("\(topology)/core_cpus_list") ?? TextFile.line("\(topology)/thread_siblings_list")
      guard let threads = list.flatMap({ CPUMask(list: $0) }), threads.contains(cpu) else { continue }
      cores[cpu] = threads.cpus.first
    }
  }
}

/// What one CPU's ring buffer counted: the file `per_cpu/cpuN/stats`.
struct BufferStatistics: Equatable {
  /// Overwritten before they were read, dropped because there was no room, or not committed because of nesting.
  var lost: UInt64 = 0
  /// Bytes written and not yet read.
  var bytes: UInt64 = 0
  /// Events that were read.
  var read: UInt64 = 0
  /// The time on the trace's clock, not later than it was.
  var now: UInt64?

  init(text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let text = line[line.index(after: colon)...].drop(while: \.isWhitespace)
      let value = UInt64(text) ?? 0
      switch line[..<colon] {
      case "overrun", "commit overrun", "dropped events": lost &+= value
      case "bytes": bytes = value
      case "read events": read = value
      case "now ts": now = Self.time(text)
      default: break
      }
    }
  }

  /// Seconds with six decimals where the clock counts nanoseconds, else what the clock counts.
  private static func time(_ text: Substring) -> UInt64? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard let whole = UInt64(parts[0]) else { return nil }
    if parts.count == 1 { return whole }
    guard parts.count == 2, parts[1].utf8.count == 6, let micro = UInt64(parts[1]), whole < 1 << 33 else { return nil }
    return whole * 1_000_000_000 + micro * 1_000
  }
}
