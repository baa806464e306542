import CTracefs
import Glibc
import TraceTypes

/// Keeps the calling thread, and those that it starts, on some CPUs.
struct ThreadAffinity {
  /// Bits of the mask that the kernel takes; it knows at most 8,192 CPUs.
  private static let bytes = 1024
  private let before: [UInt8]?

  /// - Throws: ``CaptureError/recorderCPUsRefused(_:_:)``, for example when none of them is online.
  init(_ cpus: CPUMask) throws(CaptureError) {
    var old = [UInt8](repeating: 0, count: Self.bytes)
    let count = old.withUnsafeMutableBytes { ipitrace_get_affinity($0.baseAddress, $0.count) }
    before = count > 0 ? old : nil
    // In words of the machine, hence in bytes of a little-endian one.
    var mask = [UInt64](repeating: 0, count: Self.bytes / 8)
    for cpu in cpus.cpus where cpu < Self.bytes * 8 { mask[cpu / 64] |= 1 << UInt64(cpu % 64) }
    let error = mask.withUnsafeBytes { ipitrace_set_affinity($0.baseAddress, $0.count) == 0 ? 0 : errno }
    if error != 0 { throw .recorderCPUsRefused(cpus.list, error) }
  }

  func restore() {
    guard let before else { return }
    _ = before.withUnsafeBytes { ipitrace_set_affinity($0.baseAddress, $0.count) }
  }
}
