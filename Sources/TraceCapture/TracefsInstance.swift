import CTracefs
import Glibc
import TraceTypes

/// Owns one tracing instance of the kernel: a ring buffer with events, clock and CPU mask of its own.
///
/// It is gone when ``remove()`` was called or the owner is released. Everything that reads from it must be closed before.
/// The top-level buffer, `ftrace_enabled` and other people's instances are never written to.
final class TracefsInstance {
  let name: String
  /// The directory of the instance in tracefs.
  let path: String
  private var handle: OpaquePointer?

  /// Makes `ipitrace-<pid>`, with tracing off.
  /// - Throws: ``CaptureError/noTracefs``, ``CaptureError/notPermitted``, ``CaptureError/setupFailed(_:_:)``.
  init(name: String) throws(CaptureError) {
    errno = 0
    guard let handle = tracefs_instance_create(name) else {
      throw errno == EACCES || errno == EPERM || errno == EROFS
        ? .notPermitted : .setupFailed("making the instance \(name)", errno)
    }
    self.handle = handle
    self.name = name
    path = String(cString: tracefs_instance_get_trace_dir(handle)) + "/instances/" + name
    // New instances come with tracing on.
    try set("tracing_on", to: "0")
  }

  deinit { _ = remove() }

  /// The root of tracefs; mounts it where it is not, if that is allowed.
  /// - Throws: ``CaptureError/noTracefs``, ``CaptureError/notPermitted``.
  static func root() throws(CaptureError) -> String {
    tracefs_set_loglevel(TEP_LOG_NONE)
    guard let path = tracefs_tracing_dir() else { throw geteuid() == 0 ? .noTracefs : .notPermitted }
    let root = String(cString: path)
    if access(root + "/instances", W_OK | X_OK) != 0 {
      throw errno == EACCES || errno == EPERM || errno == EROFS ? .notPermitted : .noTracefs
    }
    return root
  }

  /// Removes the instance and all its settings.
  ///
  /// While somebody has one of its files open the kernel refuses; a passer-by who just looks is waited for.
  /// - Returns: 0, or errno when it could not be removed within a second.
  func remove() -> Int32 {
    guard let handle else { return 0 }
    for _ in 0..<100 {
      errno = 0
      if tracefs_instance_destroy(handle) == 0 {
        tracefs_instance_free(handle)
        self.handle = nil
        return 0
      }
      if errno != EBUSY { break }
      usleep(10_000)
    }
    return errno == 0 ? EIO : errno
  }

  /// Reads a file of the instance, or nil when there is none.
  func text(_ file: String) -> String? { TextFile.text("\(path)/\(file)") }

  /// Writes a value to a file of the instance.
  /// - Throws: ``CaptureError/setupFailed(_:_:)``.
  func set(_ file: String, to value: String) throws(CaptureError) {
    errno = 0
    if tracefs_instance_file_write(handle, file, value) < 0 {
      throw .setupFailed("writing ‘\(value)’ to \(path)/\(file)", errno == 0 ? EIO : errno)
    }
  }

  /// Chooses the clock; nil keeps the instance's own, except where the kernel found that to be unreliable.
  /// - Throws: ``CaptureError/unknownClock(_:available:)``, ``CaptureError/setupFailed(_:_:)``.
  func setClock(_ wanted: String?, root: String) throws(CaptureError) {
    let clocks = TraceClocks(text: text("trace_clock") ?? "")
    if let wanted {
      guard clocks.names.contains(wanted) else { throw .unknownClock(wanted, available: clocks.names) }
      try set("trace_clock", to: wanted)
    } else if TraceClocks(text: TextFile.text(root + "/trace_clock") ?? "").chosen == "global",
      clocks.names.contains("global")
    {
      // With an unstable TSC the kernel moves the top-level buffer, and only that, to the clock that is global.
      try set("trace_clock", to: "global")
    }
  }

  /// Sets the size of each CPU's buffer, for these CPUs or for all.
  /// - Throws: ``CaptureError/bufferRefused(kibibytesPerCPU:_:)``.
  func setBufferSize(_ size: BufferSize, cpus: CPUMask?) throws(CaptureError) {
    for cpu in cpus?.cpus ?? [-1] {
      errno = 0
      if tracefs_instance_set_buffer_size(handle, size.kibibytes, Int32(cpu)) != 0 {
        throw .bufferRefused(kibibytesPerCPU: size.kibibytes, errno == 0 ? ENOMEM : errno)
      }
    }
  }

  /// Switches one event on or off.
  /// - Returns: false when the kernel does not have it.
  /// - Throws: ``CaptureError/setupFailed(_:_:)``.
  func setEvent(_ kind: EventKind, on: Bool) throws(CaptureError) -> Bool {
    guard tracefs_event_file_exists(handle, kind.system, kind.name, "enable") else { return false }
    try set("events/\(kind.system)/\(kind.name)/enable", to: on ? "1" : "0")
    return true
  }

  func switchTracing(on: Bool) throws(CaptureError) {
    try set("tracing_on", to: on ? "1" : "0")
  }

  /// The CPUs for which the instance has buffers, online or not.
  var cpus: [Int] {
    names(in: path + "/per_cpu").compactMap { $0.hasPrefix("cpu") ? Int($0.dropFirst(3)) : nil }.sorted()
  }
}

/// The kernel's list of trace clocks, with the chosen one in brackets.
struct TraceClocks: Equatable {
  var names: [String] = []
  var chosen: String?

  init(text: String) {
    for word in text.split(whereSeparator: \.isWhitespace) {
      if word.hasPrefix("["), word.hasSuffix("]"), word.count > 2 {
        let name = String(word.dropFirst().dropLast())
        names.append(name)
        chosen = name
      } else {
        names.append(String(word))
      }
    }
  }
}

extension CPUMask {
  /// The form in which the kernel takes a mask: 32-bit words in hexadecimal, the highest first, with commas.
  ///
  /// Without leading zero words: the kernel refuses more words than it has CPUs for.
  var hexadecimalWords: String {
    let halves = words.reversed().flatMap { [$0 >> 32, $0 & 0xffff_ffff] }.drop(while: { $0 == 0 })
    if halves.isEmpty { return "0" }
    return halves.map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined(separator: ",")
  }
}
