import TestSupport
import Testing

@testable import CallEngines

@Suite struct MainlineQueueTests {
  typealias Node = MainlineQueue.Node

  /// A queue with these nodes, numbered from 0.
  private func queue(_ types: NodeType...) -> MainlineQueue {
    var queue = MainlineQueue()
    for (id, type) in types.enumerated() { _ = queue.enqueued(Node(id: Int32(id), type: type)) }
    return queue
  }

  @Test func theFirstNodeKicks() {
    var queue = MainlineQueue()
    #expect(queue.isEmpty)
    #expect(queue.enqueued(Node(id: 1, type: .async)) == .kickOwed)
    #expect(queue.enqueued(Node(id: 2, type: .ttwu)) == .coalesced)
    #expect(!queue.isEmpty)
    queue.flushBegan()
    // The batch is off the queue, so that the next one kicks again.
    #expect(queue.isEmpty && queue.isFlushing)
    #expect(queue.enqueued(Node(id: 3, type: .sync)) == .kickOwed)
  }

  @Test func aNodeIsQueuedOnce() {
    var queue = queue(.sync, .async)
    let before = queue
    #expect(queue.enqueued(Node(id: 1, type: .async)) == .refusedAlreadyQueued)
    #expect(queue == before)
    queue.flushBegan()
    // Once the batch was taken, the same node may be queued anew.
    #expect(queue.enqueued(Node(id: 1, type: .async)) == .kickOwed)
  }

  @Test func stepsWithoutAFlushAreRefused() {
    var queue = queue(.sync)
    let before = queue
    #expect(queue.next == .notFlushing)
    #expect(queue.functionEntered(0) == .refused(expected: .notFlushing))
    #expect(queue.functionExited(0) == .refused(expected: .notFlushing))
    #expect(queue.irqWorkRan(0) == .refused(expected: .notFlushing))
    #expect(queue.flushEnded() == .refused(expected: .notFlushing))
    #expect(queue == before)
  }

  @Test func stepsOutOfTurnAreRefusedAndChangeNothing() {
    var queue = queue(.ttwu, .async, .irqWork, .sync)
    queue.flushBegan()
    let sync = MainlineQueue.NextStep.callback(Node(id: 3, type: .sync))
    var before = queue
    for wrong: Int32 in [0, 1, 2, 9] { #expect(queue.functionEntered(wrong) == .refused(expected: sync)) }
    #expect(queue.irqWorkRan(2) == .refused(expected: sync))
    #expect(queue.functionExited(3) == .refused(expected: sync))
    #expect(queue.flushEnded() == .refused(expected: sync))
    #expect(queue == before)

    #expect(queue.functionEntered(3) == .allowed)
    before = queue
    #expect(queue.functionEntered(3) == .refused(expected: sync))
    #expect(queue.functionEntered(1) == .refused(expected: sync))
    #expect(queue.functionExited(1) == .refused(expected: sync))
    #expect(queue.flushEnded() == .refused(expected: sync))
    #expect(queue == before)
    #expect(queue.functionExited(3) == .allowed)

    #expect(queue.next == .callback(Node(id: 1, type: .async)))
    #expect(queue.functionEntered(1) == .allowed)
    #expect(queue.functionExited(1) == .allowed)
    // An irq_work shows no callback.
    #expect(queue.functionEntered(2) == .refused(expected: .irqWork(Node(id: 2, type: .irqWork))))
    #expect(queue.irqWorkRan(2) == .allowed)
    #expect(queue.irqWorkRan(2) == .refused(expected: .wakeups(first: Node(id: 0, type: .ttwu), count: 1)))
    #expect(queue.functionEntered(0) == .allowed)
    #expect(queue.functionExited(0) == .allowed)
    #expect(queue.functionEntered(0) == .refused(expected: .end))
    #expect(queue.flushEnded() == .allowed)
    #expect(queue.next == .notFlushing && !queue.isFlushing)
  }

  @Test func allWakeupsAreOneCallback() {
    var queue = queue(.ttwu, .ttwu, .ttwu)
    queue.flushBegan()
    #expect(queue.next == .wakeups(first: Node(id: 0, type: .ttwu), count: 3))
    #expect(queue.functionEntered(1) == .refused(expected: .wakeups(first: Node(id: 0, type: .ttwu), count: 3)))
    #expect(queue.functionEntered(0) == .allowed)
    #expect(queue.functionExited(0) == .allowed)
    #expect(queue.next == .end)
  }

  @Test func anEmptyFlushEndsAtOnce() {
    var queue = MainlineQueue()
    queue.flushBegan()
    #expect(queue.next == .end)
    #expect(queue.flushEnded() == .allowed)
  }

  /// The order in which any queue runs, told once more: three passes over the nodes in the order of adding.
  @Test func runsEveryQueueInThreePasses() {
    var random = RepeatableRandom.forTest()
    var queue = MainlineQueue()
    for _ in 0..<2_000 {
      let nodes = (0..<random.below(8)).map { Node(id: Int32($0), type: NodeType.allCases[random.below(4)]) }
        .shuffled(using: &random)
      for (place, node) in nodes.enumerated() {
        #expect(queue.enqueued(node) == (place == 0 ? .kickOwed : .coalesced))
      }
      let wakeups = nodes.filter { $0.type == .ttwu }
      let expected =
        nodes.filter { $0.type == .sync } + nodes.filter { $0.type == .async || $0.type == .irqWork }
        + wakeups.prefix(1)
      queue.flushBegan()
      for node in expected {
        // Nodes that come while the flush runs wait for the next one.
        switch node.type {
        case .irqWork: #expect(queue.irqWorkRan(node.id) == .allowed, "seed \(random.seed): \(nodes)")
        case .sync, .async, .ttwu:
          #expect(queue.functionEntered(node.id) == .allowed, "seed \(random.seed): \(nodes)")
          #expect(queue.functionExited(node.id) == .allowed)
        }
      }
      #expect(queue.flushEnded() == .allowed, "seed \(random.seed): \(nodes)")
    }
  }

  @Test func everyRuleSaysWhatItIs() {
    for rule in Rule.allCases {
      #expect(rule.sentence.hasSuffix(".") && rule.source.contains("kernel/smp.c"))
    }
    #expect(Set(Rule.allCases.map(\.sentence)).count == Rule.allCases.count)
  }
}
