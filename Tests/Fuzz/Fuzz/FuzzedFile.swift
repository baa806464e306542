import Glibc
import TestSupport

/// One file in memory that holds one input after the other.
final class FuzzedFile {
  nonisolated(unsafe) static let shared = FuzzedFile()

  let path: String
  private let descriptor: CInt

  init() {
    var template = Array("/dev/shm/ipitrace-fuzz-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    precondition(descriptor >= 0, "no file in /dev/shm")
    unlink(template)
    path = "/proc/self/fd/\(descriptor)"
  }

  /// Puts an input into the file; with IPITRACE_FUZZ_SAVE, into the file of that name as well.
  func fill(_ bytes: [UInt8]) {
    if let path = getenv("IPITRACE_FUZZ_SAVE") { precondition(TestFile.write(bytes, to: String(cString: path))) }
    precondition(ftruncate(descriptor, bytes.count) == 0)
    let count = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    precondition(count == bytes.count, "the input does not fit into /dev/shm")
  }
}
