import TestSupport
import Testing
import TraceTypes

@testable import CallHistories

@Suite("Callbacks that nobody queued")
struct OrphanRingTests {
  private typealias Orphan = OrphanRing.Orphan

  /// The same without a hash: places in order, the oldest is overwritten.
  private struct Plain {
    var entries: [(orphan: Orphan, isTaken: Bool)] = []
    var next = 0

    mutating func add(_ orphan: Orphan) {
      if entries.count < OrphanRing.capacity {
        entries.append((orphan, false))
      } else {
        entries[next] = (orphan, false)
        next = (next + 1) % OrphanRing.capacity
      }
    }

    func place(_ matches: (Orphan) -> Bool) -> Int? { entries.firstIndex { !$0.isTaken && matches($0.orphan) } }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func findsWhatAPlainSearchFinds(seed: UInt64) {
    var random = RepeatableRandom(seed: seed)
    var ring = OrphanRing()
    var plain = Plain()
    var found = 0
    var knownBefore = 0
    for step in 0..<20_000 {
      let cpu = UInt16(random.below(5))
      let csd = UInt64(random.below(60)) * 64
      let function = UInt64(random.below(3))
      let time = UInt64(random.below(20_000))
      switch random.below(8) {
      case 0, 1:
        let orphan = Orphan(cpu: cpu, csd: csd, function: function, time: UInt64(step), isFirm: random.chance(0.5))
        ring.add(orphan)
        plain.add(orphan)
      case 2:
        let taken = ring.take(csd: csd) { $0.cpu != cpu && $0.function == function && $0.time > time }
        let place = plain.place { $0.csd == csd && $0.cpu != cpu && $0.function == function && $0.time > time }
        #expect(taken?.time == place.map { plain.entries[$0].orphan.time })
        if let place { plain.entries[place].isTaken = true }
      case 3, 4:
        let source = UInt16(random.below(3))
        let match = ring.match(
          TraceEvent(
            nanoseconds: time, cpu: source, kind: .csdQueueCPU, csd: csd, function: function, target: Int32(cpu)))
        let place = plain.place { $0.csd == csd && $0.cpu == cpu && $0.function == function && $0.time <= time }
        let known = place.map { plain.entries[$0].orphan.matchedBy == source } ?? false
        #expect(match?.orphan.time == (known ? nil : place.map { plain.entries[$0].orphan.time }))
        #expect(match?.isFirst == (known ? nil : place.map { plain.entries[$0].orphan.matchedBy == nil }))
        if known { knownBefore += 1 }
        if let place { plain.entries[place].orphan.matchedBy = source }
      default:
        let isThere = ring.containsFirm(cpu: cpu, csd: csd, function: function)
        let place = plain.place { $0.csd == csd && $0.cpu == cpu && $0.isFirm && $0.function == function }
        #expect(isThere == (place != nil))
        let mayHold = ring.mayHold(cpu: cpu, csd: csd)
        #expect(mayHold || !isThere)
        if isThere { found += 1 }
      }
    }
    let count = ring.count
    #expect(count == OrphanRing.capacity)
    #expect(found > 100)
    #expect(knownBefore > 5)
  }
}
