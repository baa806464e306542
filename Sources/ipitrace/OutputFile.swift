import Glibc

/// A file that is written beside its place and put there when it is whole, so that nobody ever finds half of it.
///
/// Until then it has no name, where the file system can do that, so that nothing stays when the program is killed.
///
/// `-` is standard output. Devices and pipes are written to as they are: putting a file in their place would remove them.
/// A link is followed: the file that it points to is replaced.
final class OutputFile {
  /// How many bytes are worth a block for ``take(_:)``.
  static let blockSize = 256 << 10
  /// The path as the user gave it.
  let path: String
  private var descriptor: CInt = -1
  /// Where the file goes with ``commit()``; nil when the bytes go to their place directly.
  private var place: String?
  /// The name that it has until then, if it has one.
  private var partial: String?
  /// Writes what was taken and is not written yet.
  private var writer: BlockWriter?
  private static let directMode: mode_t = 0o644

  /// Opens for writing.
  /// - Throws: ``OutputError`` when that is refused.
  init(path: String) throws(OutputError) {
    self.path = path
    if path == "-" {
      descriptor = dup(STDOUT_FILENO)
      guard descriptor >= 0 else { throw OutputError(path: path, number: errno) }
      return
    }
    var status = stat()
    let exists = stat(path, &status) == 0
    let isRegular = status.st_mode & S_IFMT == S_IFREG
    if exists, !isRegular {
      descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw OutputError(path: path, number: errno) }
      return
    }
    let place = exists ? Self.resolved(path) : path
    self.place = place
    // By this path it gets its name.
    if access("/proc/self/fd", X_OK) == 0 {
      descriptor = open(Self.folder(of: place), Self.unnamed | O_WRONLY | O_CLOEXEC, Self.directMode)
      if descriptor >= 0 { return }
    }
    try withPartialName { name in
      descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, Self.directMode)
      return descriptor >= 0
    }
  }

  /// A file without a name, in a directory. glibc's own constant is not imported.
  private static let unnamed = 0o20000000 | O_DIRECTORY

  private static func folder(of path: String) -> String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "." }

  /// Tries names beside the place until one is free.
  private func withPartialName(_ take: (String) -> Bool) throws(OutputError) {
    let folder = place?.lastIndex(of: "/").map { String(place?[...$0] ?? "") } ?? ""
    for attempt in 0..<100 {
      let name = "\(folder).ipitrace-\(getpid())-\(attempt).partial"
      if take(name) {
        partial = name
        return
      }
      guard errno == EEXIST else { break }
    }
    throw OutputError(path: path, number: errno)
  }

  /// Writes all of the bytes, behind those that were taken.
  /// - Throws: ``OutputError``, for example when the disk is full.
  func write(_ bytes: [UInt8]) throws(OutputError) {
    try drain()
    if let error = BlockWriter.write(bytes, to: descriptor) { throw OutputError(path: path, number: error) }
  }

  /// Takes a block of bytes that are written while the caller goes on, and leaves an empty one in its place, with memory to
  /// go on with. For much that is written piece by piece: the thread that writes is made for the first block.
  /// - Throws: ``OutputError`` for a block before this one. The errors of the last ones come with the next ``write(_:)`` or
  ///   with ``commit()``.
  func take(_ block: inout [UInt8]) throws(OutputError) {
    let writer = self.writer ?? BlockWriter(descriptor: descriptor, willBeSynced: place != nil)
    self.writer = writer
    if let error = writer.take(&block) { throw OutputError(path: path, number: error) }
  }

  /// Waits until all that was taken has been written.
  private func drain() throws(OutputError) {
    guard let writer else { return }
    if let error = writer.end() { throw OutputError(path: path, number: error) }
    self.writer = nil
  }

  func write(_ text: String) throws(OutputError) { try write(Array(text.utf8)) }

  /// Puts the file in its place. Nothing may be written afterwards.
  /// - Throws: ``OutputError``; what was in the place before is still there then.
  func commit() throws(OutputError) {
    try drain()
    let open = descriptor
    if let place {
      // Without this a crash soon after can leave the new name with no content.
      if fsync(open) != 0, errno != EINVAL, errno != EROFS { throw OutputError(path: path, number: errno) }
      if partial == nil {
        // A link can't replace what is there, but a name can.
        try withPartialName { linkat(AT_FDCWD, "/proc/self/fd/\(open)", AT_FDCWD, $0, AT_SYMLINK_FOLLOW) == 0 }
      }
      if let partial, rename(partial, place) != 0 { throw OutputError(path: path, number: errno) }
      partial = nil
      self.place = nil
    }
    descriptor = -1
    if close(open) != 0, errno != EINTR { throw OutputError(path: path, number: errno) }
  }

  deinit {
    // As long as it writes, the descriptor has to be there.
    writer = nil
    if descriptor >= 0 { close(descriptor) }
    if let partial { unlink(partial) }
  }

  /// Writes a whole file at once.
  static func write(_ bytes: [UInt8], to path: String) throws(OutputError) {
    let file = try OutputFile(path: path)
    try file.write(bytes)
    try file.commit()
  }

  /// Writes a whole text at once.
  static func write(_ text: String, to path: String) throws(OutputError) { try write(Array(text.utf8), to: path) }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }
}

/// Why an output could not be written.
struct OutputError: Error, CustomStringConvertible {
  var path: String
  /// An `errno`.
  var number: CInt

  var description: String {
    "can't write \(path == "-" ? "standard output" : path): \(String(cString: strerror(number)))"
  }
}
