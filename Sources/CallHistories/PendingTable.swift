internal import BasicContainers

/// Finds the pending calls with a csd: an open-addressing table with linear probing.
///
/// The calls with one csd form a chain, oldest first, through `QueuedCall.nextWithKey`; the table holds its two ends. A chain
/// of two occurs where a csd is queued again between its unlock and its callback's begin; those of one chain may have
/// different targets.
/// - Complexity: expected O(1) for every operation.
struct PendingTable: ~Copyable {
  struct Chain {
    var csd: UInt64
    var count: UInt16
    var first: Int32
    var last: Int32
  }

  private var slots: UniqueArray<Chain>
  private var mask: Int
  private(set) var count = 0

  init() {
    slots = UniqueArray(repeating: Self.empty, count: 1024)
    mask = 1023
  }

  private static let empty = Chain(csd: 0, count: 0, first: -1, last: -1)

  private func home(_ csd: UInt64) -> Int {
    // Fibonacci hashing: csd addresses differ in few, aligned bits.
    let mixed = (csd ^ (csd &>> 29)) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed &>> 32) & mask
  }

  /// The slot of a csd, or the free slot where it would go; a slot is free when its `first` is negative.
  func slot(csd: UInt64) -> Int {
    var index = home(csd)
    while slots[index].first >= 0 {
      if slots[index].csd == csd { return index }
      index = (index &+ 1) & mask
    }
    return index
  }

  subscript(slot: Int) -> Chain { slots[slot] }

  /// Puts a chain into a slot that ``slot(csd:)`` returned.
  mutating func set(_ slot: Int, to chain: Chain) {
    let isNew = slots[slot].first < 0
    slots[slot] = chain
    if isNew {
      count += 1
      if count * 2 > slots.count { grow() }
    }
  }

  /// Frees a slot and moves up what was displaced by it.
  mutating func remove(_ slot: Int) {
    var hole = slot
    var index = (slot &+ 1) & mask
    while slots[index].first >= 0 {
      let wanted = home(slots[index].csd)
      // Move the entry into the hole unless its home lies cyclically behind the hole.
      if ((index &- wanted) & mask) >= ((index &- hole) & mask) {
        slots[hole] = slots[index]
        hole = index
      }
      index = (index &+ 1) & mask
    }
    slots[hole] = Self.empty
    count -= 1
  }

  private mutating func grow() {
    var old = UniqueArray(repeating: Self.empty, count: slots.count * 2)
    swap(&old, &slots)
    mask = slots.count - 1
    for index in 0..<old.count where old[index].first >= 0 {
      slots[slot(csd: old[index].csd)] = old[index]
    }
  }
}

/// A set of addresses: an open-addressing table with linear probing.
/// - Complexity: expected O(1) for every operation.
struct AddressSet: ~Copyable {
  private var slots = UniqueArray(repeating: UInt64(0), count: 64)
  private var mask = 63
  /// 0 stands for a free slot.
  private var hasZero = false
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  /// The slot of an address, or the free one where it would go.
  @inline(__always)
  private func slot(_ address: UInt64) -> Int {
    var index = Int(truncatingIfNeeded: (address &* 0x9E37_79B9_7F4A_7C15) &>> 32) & mask
    while slots[index] != 0, slots[index] != address { index = (index &+ 1) & mask }
    return index
  }

  func contains(_ address: UInt64) -> Bool { address == 0 ? hasZero : slots[slot(address)] == address }

  mutating func insert(_ address: UInt64) {
    if contains(address) { return }
    count += 1
    if address == 0 {
      hasZero = true
      return
    }
    slots[slot(address)] = address
    if count * 2 > slots.count { grow() }
  }

  private mutating func grow() {
    var old = UniqueArray(repeating: UInt64(0), count: slots.count * 2)
    swap(&old, &slots)
    mask = slots.count - 1
    for index in 0..<old.count where old[index] != 0 { slots[slot(old[index])] = old[index] }
  }
}
