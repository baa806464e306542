import Synchronization

/// The names of tasks that a text gave so far. It grows while the text is read, and may be asked meanwhile.
public final class TextCommands: Sendable {
  /// The most tasks whose names are kept.
  static let capacity = 1 << 18
  /// In bytes; what is behind it is left out. The kernel's own limit is 15.
  private static let longestName = 64

  private struct Name {
    var bytes: [UInt8]
    var isWhole: Bool
  }

  private let names = Mutex<[Int32: Name]>([:])

  /// The latest name of a task, or nil when the text gave none.
  public subscript(pid: Int32) -> String? {
    if pid == 0 { return "<idle>" }
    return names.withLock { $0[pid].map { String(decoding: $0.bytes, as: UTF8.self) } }
  }

  /// Takes a name.
  /// - Parameter isWhole: false where the form of the text cuts names off; then a whole name that is known stays.
  func take(_ bytes: UnsafeBufferPointer<UInt8>, of pid: Int32, isWhole: Bool) {
    if pid == 0 || bytes.elementsEqual("<...>".utf8) { return }
    let bytes = UnsafeBufferPointer(rebasing: bytes.prefix(Self.longestName))
    names.withLock { names in
      if let known = names[pid] {
        if known.bytes.elementsEqual(bytes) || (known.isWhole && !isWhole) { return }
      } else if names.count >= Self.capacity {
        return
      }
      names[pid] = Name(bytes: Array(bytes), isWhole: isWhole)
    }
  }
}
