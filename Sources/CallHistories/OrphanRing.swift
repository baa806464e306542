internal import BasicContainers
import TraceTypes

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
    /// Which CPU made the latest of the later calls to its CPU with its csd and function; nil where there is none.
    var matchedBy: UInt16?
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
  /// How many of those in the buckets are firm.
  private var firmCount = 0
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
  @inline(__always)
  private func place(cpu: UInt16, csd: UInt64, where matches: (Orphan) -> Bool) -> Int? {
    var index = Int(buckets[Self.bucket(cpu, csd)])
    while index >= 0 {
      if entries[index].csd == csd, entries[index].cpu == cpu, matches(entries[index]) { return index }
      index = Int(entries[index].following)
    }
    return nil
  }

  /// Whether a firm one ran a function for a csd on a CPU.
  @inline(__always)
  func containsFirm(cpu: UInt16, csd: UInt64, function: UInt64) -> Bool {
    firmCount > 0 && place(cpu: cpu, csd: csd) { $0.isFirm && $0.function == function } != nil
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
    link(place)
  }

  /// Puts an entry into its bucket: those of a bucket ascend, so that the first one that matches is the lowest.
  private mutating func link(_ place: Int) {
    if entries[place].isFirm { firmCount += 1 }
    let bucket = Self.bucket(entries[place].cpu, entries[place].csd)
    let previous = entry(before: place, in: bucket)
    if previous >= 0 {
      entries[place].following = entries[previous].following
      entries[previous].following = Int16(place)
    } else {
      entries[place].following = buckets[bucket]
      buckets[bucket] = Int16(place)
    }
  }

  /// Takes an entry out of its bucket.
  private mutating func unlink(_ place: Int) {
    if entries[place].isFirm { firmCount -= 1 }
    let bucket = Self.bucket(entries[place].cpu, entries[place].csd)
    let previous = entry(before: place, in: bucket)
    if previous >= 0 {
      entries[previous].following = entries[place].following
    } else {
      buckets[bucket] = entries[place].following
    }
  }

  /// The last entry of a bucket that lies before a place, or −1.
  private func entry(before place: Int, in bucket: Int) -> Int {
    var previous = -1
    var index = Int(buckets[bucket])
    while index >= 0, index < place {
      previous = index
      index = Int(entries[index].following)
    }
    return previous
  }

  /// Finds one that ran the function of a queue event for the same csd on its target, not later than that, and notes who queued.
  /// - Returns: nil where there is none, or where the same CPU had it last: that is known, and the sooner of both told more.
  @inline(__always)
  mutating func match(_ event: TraceEvent) -> (orphan: Orphan, isFirst: Bool)? {
    let found = place(cpu: UInt16(truncatingIfNeeded: event.target), csd: event.csd) {
      $0.function == event.function && $0.time <= event.nanoseconds
    }
    guard let found else { return nil }
    let before = entries[found].matchedBy
    if before == event.cpu { return nil }
    entries[found].matchedBy = event.cpu
    return (entries[found], before == nil)
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
