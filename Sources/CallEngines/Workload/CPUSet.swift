/// A set of CPUs that need not end: `.all` holds every CPU there can be.
///
/// The first 64 CPUs are held in place, so that small sets are copied and tested without touching memory elsewhere.
public struct CPUSet: Sendable, Hashable {
  private var low: UInt64
  /// The words of CPUs 64 and on, as far as they are not ``rest``.
  private var high: [UInt64]
  /// What all words behind `high` are: nothing, or everything.
  private var rest: UInt64

  private init(low: UInt64, high: [UInt64], rest: UInt64) {
    self.low = low
    self.high = high
    self.rest = rest
    // Equal sets are equal values.
    while self.high.last == rest { self.high.removeLast() }
  }

  public init() {
    low = 0
    high = []
    rest = 0
  }

  /// - Precondition: no CPU is negative.
  public init(_ cpus: some Sequence<Int>) {
    self.init()
    for cpu in cpus { insert(cpu) }
  }

  /// One CPU.
  public init(cpu: Int) {
    self.init()
    insert(cpu)
  }

  public static let all = CPUSet(low: .max, high: [], rest: .max)

  public var isEmpty: Bool { low == 0 && high.isEmpty && rest == 0 }

  /// The CPUs 64 · `index` and on, one bit each.
  @inline(__always) public func word(_ index: Int) -> UInt64 {
    if index == 0 { return low }
    return index <= high.count ? high[index &- 1] : rest
  }

  @inline(__always) public func contains(_ cpu: Int) -> Bool {
    cpu >= 0 && word(cpu &>> 6) &>> UInt64(truncatingIfNeeded: cpu & 63) & 1 == 1
  }

  /// - Precondition: `cpu` is not negative.
  public mutating func insert(_ cpu: Int) { set(cpu, true) }

  /// - Precondition: `cpu` is not negative.
  public mutating func remove(_ cpu: Int) { set(cpu, false) }

  private mutating func set(_ cpu: Int, _ isIn: Bool) {
    precondition(cpu >= 0, "there is no CPU \(cpu)")
    if contains(cpu) == isIn { return }
    let bit: UInt64 = 1 << UInt64(cpu & 63)
    if cpu < 64 {
      low ^= bit
      return
    }
    while high.count < cpu >> 6 { high.append(rest) }
    high[cpu >> 6 - 1] ^= bit
    while high.last == rest { high.removeLast() }
  }

  public func intersection(_ other: CPUSet) -> CPUSet {
    CPUSet(
      low: low & other.low,
      high: (0..<max(high.count, other.high.count)).map { word($0 + 1) & other.word($0 + 1) },
      rest: rest & other.rest)
  }

  public func removing(_ cpu: Int) -> CPUSet {
    guard contains(cpu) else { return self }
    var set = self
    set.remove(cpu)
    return set
  }

  /// The first CPU of the set at or behind `cpu`, and below `end`; `end` if there is none.
  public func first(from cpu: Int, below end: Int) -> Int {
    var candidate = cpu
    while candidate < end {
      let bits = word(candidate &>> 6) &>> UInt64(truncatingIfNeeded: candidate & 63)
      if bits != 0 { return min(end, candidate &+ bits.trailingZeroBitCount) }
      candidate = (candidate | 63) &+ 1
    }
    return end
  }

  /// The CPUs of the set below `end`, ascending.
  public func cpus(below end: Int) -> [Int] {
    var result: [Int] = []
    var cpu = first(from: 0, below: end)
    while cpu < end {
      result.append(cpu)
      cpu = first(from: cpu + 1, below: end)
    }
    return result
  }
}

extension CPUSet: ExpressibleByIntegerLiteral {
  /// The CPUs whose bits are set.
  public init(integerLiteral bits: UInt64) { self.init(bits: bits) }

  /// The first 64 CPUs, one bit each, and no other.
  public init(bits: UInt64) { self.init(low: bits, high: [], rest: 0) }
}
