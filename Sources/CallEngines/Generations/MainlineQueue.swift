/// The engine of today's kernels (5.8 and later), for one target: its `call_single_queue` and the flush that empties it.
///
/// Source: `kernel/smp.c` of 6.12, `__smp_call_single_queue()`, `smp_call_function_many_cond()`,
/// `__flush_smp_call_function_queue()`. The queue is the whole of what sources and target share, so that targets can be
/// looked at one by one.
///
/// Every method is one atomic step. The engine never decides who moves next: the recorded trace, a simulation's costs or an
/// exhaustive search do. A step that the engine does not allow leaves the state as it was and says what was expected.
///
///     queued ──flushBegan──▶ first pass: SYNC, in the order of adding; each unlocked after its callback
///                            second pass: ASYNC and IRQ_WORK, in the order of adding; ASYNC unlocked before
///                            third pass: all TTWU at once, one callback, with the csd of the first
public struct MainlineQueue: Sendable, Hashable {
  /// A node on the queue. The identifier is the caller's own; no two nodes on the queue may have the same.
  public struct Node: Sendable, Hashable {
    public var id: Int32
    public var type: NodeType

    public init(id: Int32, type: NodeType) {
      self.id = id
      self.type = type
    }
  }

  /// What adding a node came to.
  public enum Added: Sendable, Hashable {
    /// The queue was empty: whoever added the node has to kick the target.
    case kickOwed
    /// Somebody else's kick is under way: no kick.
    case coalesced
    /// The node was on the queue already, a csd reused while locked.
    case refusedAlreadyQueued
  }

  /// What the flush in progress does next.
  public enum NextStep: Sendable, Hashable {
    /// Run this node's callback.
    case callback(Node)
    /// Run this irq_work, which shows no callback.
    case irqWork(Node)
    /// Run `sched_ttwu_pending()` once for all wakeups; the node is the first of them.
    case wakeups(first: Node, count: Int)
    /// Nothing is left: the flush ends.
    case end
    /// No flush is in progress.
    case notFlushing
  }

  /// Whether a step is allowed.
  public enum Stepped: Sendable, Hashable {
    case allowed
    /// The state is unchanged; the engine would do this instead.
    case refused(expected: NextStep)
  }

  private enum State: Sendable, Hashable {
    /// No flush. Left by `flushBegan`.
    case idle
    /// A batch was taken; the next step is at `position` in pass `pass`. Left by `flushEnded` when nothing is left.
    case flushing(pass: Pass, position: Int)
    /// A callback is running. Left by `functionExited`, back to `flushing`.
    case inCallback(Node, pass: Pass, position: Int)
  }

  private enum Pass: UInt8, Sendable, Hashable {
    case sync
    case asyncAndIRQWork
    case wakeups
    case done
  }

  private var queue = LockLessList<Node>()
  private var batch: [Node] = []
  private var state: State = .idle

  public init() {}

  /// Whether nothing is queued. A batch that a flush has taken is no longer queued.
  public var isEmpty: Bool { queue.isEmpty }

  public var isFlushing: Bool {
    if case .idle = state { false } else { true }
  }

  /// A source added a node: `llist_add()` in `__smp_call_single_queue()` or `smp_call_function_many_cond()`.
  /// - Complexity: O(number of queued nodes), for the check that the node is not queued already.
  public mutating func enqueued(_ node: Node) -> Added {
    for other in queue.elements where other.id == node.id { return .refusedAlreadyQueued }
    return queue.add(node) ? .kickOwed : .coalesced
  }

  /// The target took the whole queue: `llist_del_all()` at the head of `__flush_smp_call_function_queue()`.
  /// - Precondition: no flush of this CPU is in progress. Flushes run with interrupts off and do not nest.
  public mutating func flushBegan() {
    guard case .idle = state else { preconditionFailure("a flush began inside a flush: \(state)") }
    queue.deleteAll(into: &batch)
    state = .flushing(pass: .sync, position: 0)
    skipToNext(pass: .sync, position: 0)
  }

  /// What the flush in progress has to do next.
  public var next: NextStep {
    switch state {
    case .idle: return .notFlushing
    case .inCallback(let node, _, _): return .callback(node)
    case .flushing(let pass, let position):
      switch pass {
      case .sync: return .callback(batch[position])
      case .asyncAndIRQWork:
        return batch[position].type == .irqWork ? .irqWork(batch[position]) : .callback(batch[position])
      case .wakeups:
        return .wakeups(first: batch[position], count: batch.count(where: { $0.type == .ttwu }))
      case .done: return .end
      }
    }
  }

  /// The target began a callback: `csd_do_func()`. For wakeups, the one callback for all, with the first node's csd.
  public mutating func functionEntered(_ id: Int32) -> Stepped {
    guard case .flushing(let pass, let position) = state else { return .refused(expected: next) }
    switch next {
    case .callback(let node) where node.id == id, .wakeups(let node, _) where node.id == id:
      state = .inCallback(node, pass: pass, position: position)
      return .allowed
    case .callback, .wakeups, .irqWork, .end, .notFlushing:
      return .refused(expected: next)
    }
  }

  /// The callback returned.
  public mutating func functionExited(_ id: Int32) -> Stepped {
    guard case .inCallback(let node, let pass, let position) = state, node.id == id else {
      return .refused(expected: next)
    }
    skipToNext(pass: pass, position: position + 1)
    return .allowed
  }

  /// The flush ran an irq_work: `irq_work_single()`.
  public mutating func irqWorkRan(_ id: Int32) -> Stepped {
    guard case .flushing(let pass, let position) = state, case .irqWork(let node) = next, node.id == id else {
      return .refused(expected: next)
    }
    skipToNext(pass: pass, position: position + 1)
    return .allowed
  }

  /// The flush returned.
  public mutating func flushEnded() -> Stepped {
    guard case .flushing(.done, _) = state else { return .refused(expected: next) }
    batch.removeAll(keepingCapacity: true)
    state = .idle
    return .allowed
  }

  /// Moves to the first node at or behind `position` that `pass` runs, or to the passes after it.
  private mutating func skipToNext(pass: Pass, position: Int) {
    var pass = pass
    var position = position
    while true {
      switch pass {
      case .sync:
        if let found = first(from: position, where: { $0 == .sync }) {
          state = .flushing(pass: .sync, position: found)
          return
        }
        pass = .asyncAndIRQWork
        position = 0
      case .asyncAndIRQWork:
        if let found = first(from: position, where: { $0 == .async || $0 == .irqWork }) {
          state = .flushing(pass: .asyncAndIRQWork, position: found)
          return
        }
        // The third pass is a single callback: once it has run, nothing is left.
        pass = .wakeups
        position = 0
      case .wakeups:
        if position == 0, let found = first(from: 0, where: { $0 == .ttwu }) {
          state = .flushing(pass: .wakeups, position: found)
          return
        }
        pass = .done
      case .done:
        state = .flushing(pass: .done, position: 0)
        return
      }
    }
  }

  private func first(from position: Int, where matches: (NodeType) -> Bool) -> Int? {
    var index = position
    while index < batch.count {
      if matches(batch[index].type) { return index }
      index += 1
    }
    return nil
  }
}
