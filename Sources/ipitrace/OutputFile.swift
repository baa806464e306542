import Glibc

/// A file that is written beside its place and put there when it is whole, so that nobody ever finds half of it.
///
/// `-` is standard output. Devices and pipes are written to as they are: putting a file in their place would remove them.
/// A link is followed: the file that it points to is replaced.
final class OutputFile {
  /// The path as the user gave it.
  let path: String
  private var descriptor: CInt
  /// Where the bytes are until ``commit()``, and where they go then; nil when they go to their place directly.
  private var move: (from: String, to: String)?
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
    let folder = place.lastIndex(of: "/").map { String(place[...$0]) } ?? ""
    for attempt in 0..<100 {
      let partial = "\(folder).ipitrace-\(getpid())-\(attempt).partial"
      descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, Self.directMode)
      if descriptor >= 0 {
        move = (partial, place)
        return
      }
      guard errno == EEXIST else { break }
    }
    throw OutputError(path: path, number: errno)
  }

  /// Writes all of the bytes.
  /// - Throws: ``OutputError``, for example when the disk is full.
  func write(_ bytes: [UInt8]) throws(OutputError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done) }
      if count < 0 {
        if errno == EINTR { continue }
        throw OutputError(path: path, number: errno)
      }
      done += count
    }
  }

  func write(_ text: String) throws(OutputError) { try write(Array(text.utf8)) }

  /// Puts the file in its place. Nothing may be written afterwards.
  /// - Throws: ``OutputError``; what was in the place before is still there then.
  func commit() throws(OutputError) {
    let open = descriptor
    if let move {
      // Without this a crash soon after can leave the new name with no content.
      if fsync(open) != 0, errno != EINVAL, errno != EROFS { throw OutputError(path: path, number: errno) }
      if rename(move.from, move.to) != 0 { throw OutputError(path: path, number: errno) }
      self.move = nil
    }
    descriptor = -1
    if close(open) != 0, errno != EINTR { throw OutputError(path: path, number: errno) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if let move { unlink(move.from) }
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
