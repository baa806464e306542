/// Numbers keys of two words, 0, 1, 2, … in the order of their first sight: an open-addressing table with linear probing.
///
/// What is counted by key lies in arrays beside it. Looking up a call site is part of the replay's inner loop, and a general
/// dictionary spends most of it in its hash function, which guards against attacks that a bounded table need not fear.
/// - Complexity: expected O(1) a look-up.
package struct InternTable: Sendable {
  private struct Slot: Sendable {
    var first: UInt64
    var second: UInt64
    var index: Int32
  }

  /// Keys behind this many get no number.
  let limit: Int
  private var slots: ContiguousArray<Slot>
  private var mask: Int
  package private(set) var keys: ContiguousArray<(UInt64, UInt64)> = []

  package init(limit: Int) {
    self.limit = limit
    slots = ContiguousArray(repeating: Slot(first: 0, second: 0, index: -1), count: 64)
    mask = 63
  }

  /// The number of a key, a new one if it has none, or nil beyond the limit.
  @inline(__always)
  package mutating func number(_ first: UInt64, _ second: UInt64) -> Int? {
    // Most keys lie where their search begins.
    let slot = slots[home(first, second)]
    if slot.index >= 0, slot.first == first, slot.second == second { return Int(slot.index) }
    return find(first, second)
  }

  /// The number of a key, or nil if it has none.
  package func knownNumber(_ first: UInt64, _ second: UInt64) -> Int? {
    var position = home(first, second)
    while slots[position].index >= 0 {
      if slots[position].first == first, slots[position].second == second { return Int(slots[position].index) }
      position = (position &+ 1) & mask
    }
    return nil
  }

  @inline(never)
  private mutating func find(_ first: UInt64, _ second: UInt64) -> Int? {
    var position = home(first, second)
    while slots[position].index >= 0 {
      if slots[position].first == first, slots[position].second == second { return Int(slots[position].index) }
      position = (position &+ 1) & mask
    }
    guard keys.count < limit else { return nil }
    let number = keys.count
    slots[position] = Slot(first: first, second: second, index: Int32(number))
    keys.append((first, second))
    if keys.count * 2 > slots.count { grow() }
    return number
  }

  @inline(__always)
  private func home(_ first: UInt64, _ second: UInt64) -> Int {
    let mixed = (first ^ (second &<< 23) ^ (second &>> 41)) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed &>> 32) & mask
  }

  private mutating func grow() {
    let old = slots
    slots = ContiguousArray(repeating: Slot(first: 0, second: 0, index: -1), count: old.count * 2)
    mask = slots.count - 1
    for slot in old where slot.index >= 0 {
      var position = home(slot.first, slot.second)
      while slots[position].index >= 0 { position = (position &+ 1) & mask }
      slots[position] = slot
    }
  }
}
