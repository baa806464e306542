import TestSupport
import Testing

@testable import CallEngines

/// The flush of mainline, as a record drives it.
@Suite struct MainlineTargetTests {
  /// A target with these nodes on its queue, numbered from 0.
  private func target(_ types: NodeType...) -> MainlineTarget {
    var target = MainlineTarget()
    for (node, type) in types.enumerated() { _ = target.added(node, type) }
    return target
  }

  // The macro cannot look into what must not be copied.
  private func expect(_ next: MainlineTarget.NextStep, _ target: borrowing MainlineTarget, line: Int = #line) {
    let found = target.next
    #expect(found == next, "line \(line)")
  }

  @Test func theFirstNodeKicks() {
    var target = MainlineTarget()
    let wasEmpty = target.isEmpty
    let (first, second) = (target.added(1, .async), target.added(2, .ttwu))
    let isEmpty = target.isEmpty
    #expect(wasEmpty && !isEmpty)
    #expect(first == .kickOwed && second == .coalesced)
    target.flushBegan()
    // The batch is off the queue, so that the next one kicks again.
    let (isEmptyInFlush, isFlushing, third) = (target.isEmpty, target.isFlushing, target.added(3, .sync))
    #expect(isEmptyInFlush && isFlushing)
    #expect(third == .kickOwed)
  }

  @Test func aNodeInUseIsRefused() {
    var target = target(.sync, .async)
    let again = target.added(1, .async)
    target.flushBegan()
    // SYNC is unlocked behind its callback, ASYNC before.
    let duringSync = target.added(0, .sync)
    #expect(again == .refused && duringSync == .refused)
    let ran = target.ran(0)
    expect(.callback(1), target)
    let duringAsync = target.added(1, .async)
    #expect(ran && duringAsync == .kickOwed)
  }

  @Test func stepsWithoutAFlushAreRefused() {
    var target = target(.sync)
    expect(.notFlushing, target)
    let (ran, ended) = (target.ran(0), target.flushEnded())
    #expect(!ran && !ended)
    target.flushBegan()
    expect(.callback(0), target)
  }

  @Test func stepsOutOfTurnAreRefusedAndChangeNothing() {
    var target = target(.ttwu, .async, .irqWork, .sync)
    target.flushBegan()
    for (next, node) in [
      (MainlineTarget.NextStep.callback(3), 3), (.callback(1), 1), (.irqWork(2), 2), (.wakeups(first: 0), 0),
    ] {
      for wrong in [0, 1, 2, 3, 9] where wrong != node {
        let ran = target.ran(wrong)
        #expect(!ran)
      }
      let ended = target.flushEnded()
      #expect(!ended)
      expect(next, target)
      let ran = target.ran(node)
      #expect(ran)
    }
    expect(.end, target)
    let (ran, ended) = (target.ran(0), target.flushEnded())
    #expect(!ran && ended)
    expect(.notFlushing, target)
  }

  @Test func allWakeupsAreOneCallback() {
    var target = target(.ttwu, .ttwu, .ttwu)
    target.flushBegan()
    expect(.wakeups(first: 0), target)
    let (second, first) = (target.ran(1), target.ran(0))
    #expect(!second && first)
    expect(.end, target)
    // All are awake, and can be woken again.
    let again = [target.added(0, .ttwu), target.added(1, .ttwu), target.added(2, .ttwu)]
    #expect(again == [.kickOwed, .coalesced, .coalesced])
  }

  @Test func anEmptyFlushEndsAtOnce() {
    var target = MainlineTarget()
    target.flushBegan()
    expect(.end, target)
    let ended = target.flushEnded()
    #expect(ended)
  }

  @Test func thereIsRoomForAsManyAsAreAskedFor() {
    var target = MainlineTarget()
    target.reserve(1_000)
    for node in 0..<1_000 { _ = target.added(node, .async) }
    target.flushBegan()
    for node in 0..<1_000 {
      let ran = target.ran(node)
      #expect(ran)
    }
    let ended = target.flushEnded()
    #expect(ended)
  }

  /// The order in which any queue runs, told once more: three passes over the nodes in the order of adding.
  @Test func runsEveryQueueInThreePasses() {
    var random = RepeatableRandom.forTest()
    var target = MainlineTarget()
    for _ in 0..<2_000 {
      let nodes = (0..<random.below(8)).map { (id: $0, type: NodeType.allCases[random.below(4)]) }
        .shuffled(using: &random)
      for (place, node) in nodes.enumerated() {
        let added = target.added(node.id, node.type)
        #expect(added == (place == 0 ? .kickOwed : .coalesced))
      }
      let wakeups = nodes.filter { $0.type == .ttwu }
      let expected =
        nodes.filter { $0.type == .sync } + nodes.filter { $0.type == .async || $0.type == .irqWork }
        + wakeups.prefix(1)
      target.flushBegan()
      for node in expected {
        let ran = target.ran(node.id)
        #expect(ran, "seed \(random.seed): \(nodes)")
      }
      let ended = target.flushEnded()
      #expect(ended, "seed \(random.seed): \(nodes)")
    }
  }
}
