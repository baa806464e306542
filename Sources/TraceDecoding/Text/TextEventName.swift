import TraceTypes

/// The names of events that occur in a text, numbered. Those that ipitrace reads have the numbers of their kinds.
struct TextEventNames: ~Copyable {
  /// Names of other events beyond these are counted as one.
  private static let capacity = 4096

  private var names = ByteInterner(capacity: Self.capacity, byteCapacity: Self.capacity * 64)

  init() {
    for kind in EventKind.allCases {
      var name = kind.name
      name.withUTF8 { _ = names.insert($0, hash: names.hash($0)) }
    }
  }

  /// The number of a name; that of ``EventKind/other`` where there is no room for another.
  @inline(__always)
  mutating func number(_ name: UnsafeBufferPointer<UInt8>) -> Int {
    let hash = names.hash(name)
    if let number = names.find(name, hash: hash) { return number }
    return names.insert(name, hash: hash) ?? Int(EventKind.other.rawValue)
  }

  /// The name as reports give it: with its system where ipitrace knows it, which the text does not give.
  func name(_ number: Int) -> String {
    EventKind(rawValue: UInt8(clamping: number))?.qualifiedName ?? String(decoding: names[number], as: UTF8.self)
  }
}
