import BasicContainers

/// What a state's record has before the packed state: its hash, and where it came from.
enum StateRecord {
  static let headWords = 2

  static func origin(parent: UInt32, action: UInt8) -> UInt64 { UInt64(action) << 32 | UInt64(parent) }
}

/// Records on their way to the shard that owns their states.
struct StateRecords: ~Copyable {
  var words = UniqueArray<UInt64>()
  private(set) var count = 0
  private var stride = 0

  var bytes: Int { words.capacity * 8 }

  /// Makes room for one more.
  /// - Returns: where its words begin. It counts with ``endRecord()``.
  mutating func beginRecord(_ stride: Int) -> Int {
    self.stride = stride
    let start = count &* stride
    while words.count < start &+ stride { words.append(0) }
    return start
  }

  mutating func endRecord() { count &+= 1 }

  mutating func removeAll() { count = 0 }
}
