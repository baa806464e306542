internal import BasicContainers

/// The latest callbacks that nobody queued, for comparison with calls that nobody ran.
///
/// They are found by a hash of CPU and csd: every queue event and every callback asks, and many CPUs leave many orphans.
/// - Complexity: expected O(number of orphans with the same CPU and csd), but for ``take(csd:where:)``.
struct OrphanRing: ~Copyable {
  struct Orphan {
    var cpu: UInt16
    var csd: UInt64
    var function: UInt64
    var time: UInt64
    /// Everything was known that could have queued it.
    var isFirm = false
    /// A later call to its CPU has its csd and function.
    var isMatched = false
    fileprivate var isTaken = false
    /// The next one in its bucket, or −1.
    fileprivate var following: Int16 = -1

    init(cpu: UInt16, csd: UInt64, function: UInt64, time: UInt64, isFirm: Bool = false) {
      self.cpu = cpu
      self.csd = csd
      self.function = function
      self.time = time
      self.isFirm = isFirm
    }
  }

  static let capacity = 256
  private static let bucketCount = 2_048
  private var entries = UniqueArray<Orphan>()
  private var next = 0
  /// The first entry of each bucket, or −1.
  private var buckets = UniqueArray(repeating: Int16(-1), count: bucketCount)

  @inline(__always)
  private static func bucket(_ cpu: UInt16, _ csd: UInt64) -> Int {
    let mixed = (csd ^ UInt64(cpu) &<< 48) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed &>> 53)
  }

  var count: Int { entries.count }

  /// False: there is none with this CPU and csd.
  @inline(__always)
  func mayHold(cpu: UInt16, csd: UInt64) -> Bool { buckets[Self.bucket(cpu, csd)] >= 0 }

  /// The place of the one with a CPU and csd that matches; of several the lowest.
  private func place(cpu: UInt16, csd: UInt64, where matches: (Orphan) -> Bool) -> Int? {
    var found: Int?
    var index = Int(buckets[Self.bucket(cpu, csd)])
    while index >= 0 {
      if entries[index].csd == csd, entries[index].cpu == cpu, index < found ?? .max, matches(entries[index]) {
        found = index
      }
      index = Int(entries[index].following)
    }
    return found
  }

  func contains(cpu: UInt16, csd: UInt64, where matches: (Orphan) -> Bool) -> Bool {
    place(cpu: cpu, csd: csd, where: matches) != nil
  }

  mutating func add(_ orphan: Orphan) {
    var place = entries.count
    if place < Self.capacity {
      entries.append(orphan)
    } else {
      place = next
      next = (next + 1) % Self.capacity
      if !entries[place].isTaken { unlink(place) }
      entries[place] = orphan
    }
    let bucket = Self.bucket(orphan.cpu, orphan.csd)
    entries[place].following = buckets[bucket]
    buckets[bucket] = Int16(place)
  }

  /// Takes an entry out of its bucket.
  private mutating func unlink(_ place: Int) {
    let bucket = Self.bucket(entries[place].cpu, entries[place].csd)
    let following = entries[place].following
    var index = Int(buckets[bucket])
    if index == place {
      buckets[bucket] = following
      return
    }
    while index >= 0 {
      let next = Int(entries[index].following)
      if next == place {
        entries[index].following = following
        return
      }
      index = next
    }
  }

  /// Finds one with a CPU and csd that matches, and notes that it did.
  mutating func match(cpu: UInt16, csd: UInt64, where matches: (Orphan) -> Bool) -> (orphan: Orphan, isFirst: Bool)? {
    guard let index = place(cpu: cpu, csd: csd, where: matches) else { return nil }
    defer { entries[index].isMatched = true }
    return (entries[index], !entries[index].isMatched)
  }

  /// Takes out one with a csd, of any CPU, that matches. Its place stays used until its turn comes.
  /// - Complexity: O(capacity).
  mutating func take(csd: UInt64, where matches: (Orphan) -> Bool) -> Orphan? {
    for index in 0..<entries.count where entries[index].csd == csd && !entries[index].isTaken {
      guard matches(entries[index]) else { continue }
      unlink(index)
      entries[index].isTaken = true
      return entries[index]
    }
    return nil
  }
}
