import Glibc

/// A number of bytes, as users write it: `512M`, `4G`.
struct MemorySize: CustomStringConvertible {
  var bytes: Int

  static let standard = MemorySize(bytes: 2 << 30)

  init(bytes: Int) { self.bytes = bytes }

  /// - Returns: nil for what is no size, or none that is more than 0.
  init?(parsing text: String) {
    var digits = Substring(text.uppercased())
    var shift = 0
    for (unit, power) in [("K", 10), ("M", 20), ("G", 30), ("T", 40)] where digits.hasSuffix(unit) {
      digits.removeLast()
      shift = power
      break
    }
    guard !digits.isEmpty, digits.allSatisfy(\.isASCII), digits.allSatisfy(\.isNumber), let count = Int(digits),
      count > 0
    else { return nil }
    let product = count.multipliedReportingOverflow(by: 1 << shift)
    if product.overflow { return nil }
    bytes = product.partialValue
  }

  var description: String {
    for (unit, shift) in [("G", 30), ("M", 20), ("K", 10)] where bytes >= 1 << shift {
      let tenths = bytes / (1 << shift) * 10 + bytes % (1 << shift) * 10 >> shift
      return tenths % 10 == 0 ? "\(tenths / 10)\(unit)" : "\(tenths / 10).\(tenths % 10)\(unit)"
    }
    return "\(bytes)"
  }

  /// What a process can have here at most: the machine's memory, or less where a limit says so.
  static var ofMachine: MemorySize {
    var limits = [sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))]
    if let text = try? InputBytes.read(path: "/sys/fs/cgroup/memory.max", limit: 64),
      let limit = Int(String(decoding: text, as: UTF8.self).filter { !$0.isNewline })
    {
      limits.append(limit)
    }
    var addresses = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &addresses) == 0, let limit = Int(exactly: addresses.rlim_cur)
    {
      limits.append(limit)
    }
    return MemorySize(bytes: limits.filter { $0 > 0 }.min() ?? .max)
  }
}
