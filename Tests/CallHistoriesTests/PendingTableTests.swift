import TestSupport
import Testing
import TraceTypes

@testable import CallHistories

/// The tables and rings under the histories, against plain models.
@Suite struct PendingTableTests {
  @Test(arguments: [30, 600, 4_000]) func agreesWithADictionary(_ keyCount: Int) {
    var random = RepeatableRandom.forTest()
    // Addresses as the kernel's: aligned, few high bits.
    let keys = Set(
      (0..<keyCount).map { 0xffff_8881_0000_0000 + UInt64($0) * [8, 64, 4_096, 1 << 29][$0 % 4] }
    ).sorted()
    var table = PendingTable()
    var model: [UInt64: Int32] = [:]
    for step in 0..<20_000 {
      let key = keys[random.below(keys.count)]
      let slot = table.slot(csd: key)
      let found = table[slot].first
      guard found == model[key] ?? -1 else {
        Issue.record("step \(step), seed \(random.seed): \(key) is \(found), expected \(model[key] ?? -1)")
        return
      }
      if found >= 0, random.chance(0.5) {
        table.remove(slot)
        model[key] = nil
      } else {
        let value = Int32(step)
        table.set(slot, to: PendingTable.Chain(csd: key, count: 1, first: value, last: value))
        model[key] = value
      }
      guard table.count == model.count else {
        Issue.record("step \(step), seed \(random.seed): \(table.count) entries, expected \(model.count)")
        return
      }
    }
    for key in keys {
      let found = table[table.slot(csd: key)].first
      #expect(found == model[key] ?? -1, "seed \(random.seed)")
    }
  }
}

@Suite struct CallRingTests {
  private func call(_ number: UInt64) -> CallRecord {
    CallRecord(
      TraceEvent(nanoseconds: number, cpu: 0, kind: .csdQueueCPU, function: number), kind: .single, callsite: 0,
      level: .task)
  }

  @Test func keepsEveryCallByItsNumberWhileItGrows() {
    var random = RepeatableRandom.forTest()
    var ring = CallRing()
    var model: [UInt64] = []
    var first: UInt64 = 0
    for step in 0..<20_000 {
      // Growing and shrinking by turns, so that the ring wraps around at several sizes.
      let grows = random.chance(step / 4_000 % 2 == 0 ? 0.8 : 0.3)
      if grows || model.isEmpty {
        let number = ring.append(call(UInt64(step)))
        #expect(number == first + UInt64(model.count))
        model.append(UInt64(step))
      } else {
        _ = ring.removeFirst()
        model.removeFirst()
        first += 1
      }
      let (count, head, end) = (ring.count, ring.head, first + UInt64(model.count))
      #expect(count == model.count && head == first)
      let holdsMore = ring.contains(end) || first > 0 && ring.contains(first - 1)
      #expect(!holdsMore)
      if let place = model.indices.randomElement(using: &random) {
        let holds = ring.contains(first + UInt64(place))
        let began = ring[first + UInt64(place)].shown.began
        #expect(holds && began == model[place], "step \(step), seed \(random.seed)")
      }
    }
    #expect(model.count > 1_024, "the ring has grown")
  }

  @Test func isChangedInPlace() {
    var ring = CallRing()
    let one = ring.append(call(1))
    let two = ring.append(call(2))
    ring[one].openNodes = 5
    let (changed, other) = (ring[one], ring[two])
    #expect(changed.openNodes == 5 && other.openNodes == 0)
    #expect(other.isComplete && !changed.isComplete)
  }
}
