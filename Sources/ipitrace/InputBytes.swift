import Glibc

/// Reads whole inputs of a size that fits in memory; `-` is standard input.
enum InputBytes {
  /// All bytes of the file.
  /// - Parameter limit: in bytes; a longer input is refused.
  /// - Throws: ``InputError`` when the file can't be read or is longer than the limit.
  static func read(path: String, limit: Int) throws(InputError) -> [UInt8] {
    let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw InputError(path: path, reason: String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw InputError(path: path, reason: String(cString: strerror(errno)))
      }
      guard bytes.count + count <= limit else { throw InputError(path: path, reason: "longer than \(limit >> 20) MiB") }
      bytes += chunk[..<count]
    }
  }
}

/// Why an input could not be read.
struct InputError: Error {
  var path: String
  var reason: String
}
