import CTracefs
import Glibc
import TraceTypes

/// Owns one tracing instance of the kernel: a ring buffer with events, clock and CPU mask of its own.
///
/// It is gone when ``remove()`` was called or the owner is released. Everything that reads from it must be closed before.
/// The top-level buffer, `ftrace_enabled` and other people's instances are never written to.
///
/// All files are reached through descriptors of their directories, so that a recording goes on, and cleans up behind
/// itself, when somebody unmounts tracefs meanwhile.
final class TracefsInstance {
  let name: String
  /// The directory of the instance in tracefs, as it was called when it was made.
  let path: String
  /// The directory in which instances are made.
  private let instances: FileDescriptor
  private let directory: FileDescriptor
  private var exists = true

  /// Makes `ipitrace-<pid>`, with tracing off.
  /// - Parameter root: the root of tracefs.
  /// - Throws: ``CaptureError/notPermitted``, ``CaptureError/setupFailed(_:_:)``.
  init(name: String, root: String) throws(CaptureError) {
    self.name = name
    path = root + "/instances/" + name
    guard let instances = FileDescriptor(opening: root + "/instances", ipitrace_path_only() | O_DIRECTORY),
      mkdirat(instances.number, name, 0o700) == 0
    else {
      throw errno == EACCES || errno == EPERM || errno == EROFS
        ? .notPermitted : .setupFailed("making the instance \(name)", errno)
    }
    guard let directory = FileDescriptor(opening: name, in: instances, ipitrace_path_only() | O_DIRECTORY) else {
      let error = errno
      unlinkat(instances.number, name, ipitrace_remove_directory())
      throw .setupFailed("opening the instance \(name)", error)
    }
    self.instances = instances
    self.directory = directory
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
    guard exists else { return 0 }
    for _ in 0..<100 {
      if unlinkat(instances.number, name, ipitrace_remove_directory()) == 0 || errno == ENOENT {
        exists = false
        return 0
      }
      if errno != EBUSY { break }
      usleep(10_000)
    }
    return errno == 0 ? EIO : errno
  }

  /// Opens a file of the instance.
  /// - Returns: nil with errno set when that fails.
  func open(_ file: String, _ flags: Int32) -> FileDescriptor? {
    FileDescriptor(opening: file, in: directory, flags)
  }

  /// Reads a file of the instance, or nil when there is none.
  func bytes(_ file: String) -> [UInt8]? { open(file, O_RDONLY).flatMap { TextFile.bytes(of: $0) } }

  /// Reads a file of the instance as text, or nil when there is none.
  func text(_ file: String) -> String? { bytes(file).map { String(decoding: $0, as: UTF8.self) } }

  /// Writes a value to a file of the instance.
  /// - Throws: ``CaptureError/setupFailed(_:_:)``.
  func set(_ file: String, to value: String) throws(CaptureError) {
    let error = write(value, to: file)
    if error != 0 { throw .setupFailed("writing ‘\(value)’ to \(path)/\(file)", error) }
  }

  /// - Returns: 0 or errno.
  private func write(_ value: String, to file: String) -> Int32 {
    guard let opened = open(file, O_WRONLY | O_TRUNC) else { return errno }
    return Array(value.utf8).withUnsafeBytes { opened.write($0) }
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
    let files = cpus.map { $0.cpus.map { "per_cpu/cpu\($0)/buffer_size_kb" } } ?? ["buffer_size_kb"]
    for file in files {
      let error = write(String(size.kibibytes), to: file)
      if error != 0 { throw .bufferRefused(kibibytesPerCPU: size.kibibytes, error) }
    }
  }

  /// Switches one event on or off.
  /// - Returns: false when the kernel does not have it.
  /// - Throws: ``CaptureError/setupFailed(_:_:)``.
  func setEvent(_ kind: EventKind, on: Bool) throws(CaptureError) -> Bool {
    let file = "events/\(kind.system)/\(kind.name)/enable"
    guard faccessat(directory.number, file, F_OK, 0) == 0 else { return false }
    try set(file, to: on ? "1" : "0")
    return true
  }

  func switchTracing(on: Bool) throws(CaptureError) {
    try set("tracing_on", to: on ? "1" : "0")
  }

  /// The CPUs for which the instance has buffers, online or not.
  var cpus: [Int] {
    guard let perCPU = open("per_cpu", ipitrace_path_only() | O_DIRECTORY) else { return [] }
    return names(in: perCPU).compactMap { $0.hasPrefix("cpu") ? Int($0.dropFirst(3)) : nil }.sorted()
  }

  /// What a CPU's buffer has counted: the text of the file `stats`.
  func statistics(cpu: Int) -> String { text("per_cpu/cpu\(cpu)/stats") ?? "" }
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
