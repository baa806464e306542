import Dispatch
public import TraceTypes

/// Hands events to a consumer on a second thread, block by block and in their order, and what the consumer leaves behind back.
///
///     this thread     read 0 │ read 1 │ read 2 │ tail of 0, read 3 │ tail of 1, read 4 │ …
///     second thread          │ block 0 ─────── │ block 1 ───────── │ block 2 ───────── │ …
///
/// A few blocks go round. With each of them comes back what the consumer left behind while it took the events: the block's
/// *tail*, which this thread looks at before it fills the block again. So whichever thread is slower never waits, and whatever
/// the threads do, each sees everything in one and the same order: nothing depends on how fast they are.
public final class EventRelay<Consumer: TraceEventConsumer & ~Copyable, Tail: ~Copyable> {
  /// Large enough that handing over costs nothing beside it. All blocks together fit into the cache that cores share.
  static var blockCapacity: Int { 4_096 }
  static var blockCount: Int { 4 }
  /// How many blocks the second thread gives back at once, when it is the slower one.
  static var returnedAtOnce: Int { 2 }

  private final class Slot {
    @exclusivity(unchecked) var block = EventBlock(capacity: blockCapacity)
    @exclusivity(unchecked) var tail: Tail
    /// There is no block; nothing follows.
    @exclusivity(unchecked) var isEnd = false

    init(tail: consuming Tail) { self.tail = tail }
  }

  /// The second thread's side. A slot is one thread's at a time; the semaphores say whose.
  private final class Worker: RelayWorker, @unchecked Sendable {
    @exclusivity(unchecked) var consumer: Consumer
    let slots: [Slot]
    private let leave: (inout Tail) -> Void

    init(_ consumer: consuming Consumer, slots: [Slot], leave: @escaping (inout Tail) -> Void) {
      self.consumer = consumer
      self.slots = slots
      self.leave = leave
    }

    override func work() {
      var next = 0
      // Blocks that were taken and not given back yet. Where the other thread waits for one, waking it costs this one more than
      // handing over does, so several go back at once; but none is kept back while there is nothing else to do.
      var taken = 0
      func giveBack() {
        for _ in 0..<taken { free.signal() }
        taken = 0
      }
      while true {
        if filled.wait(timeout: .now()) == .timedOut {
          giveBack()
          filled.wait()
        }
        let slot = slots[next]
        if slot.isEnd { break }
        slot.block.deliver(into: &consumer)
        leave(&slot.tail)
        next = (next + 1) % slots.count
        taken += 1
        if taken == returnedAtOnce { giveBack() }
      }
      giveBack()
      ended.signal()
    }
  }

  private let worker: Worker
  private let look: (inout Tail) -> Void
  private var next = 0
  private var isWorking = true

  /// - Parameters:
  ///   - consumer: takes the events, on another thread.
  ///   - makeTail: an empty tail.
  ///   - leave: called on the other thread behind each block: puts what the consumer has left behind into the tail.
  ///   - look: called on this thread, for one tail after the other in the order of their blocks: empties it.
  public init(
    _ consumer: consuming Consumer, makeTail: () -> Tail, leave: @escaping (inout Tail) -> Void,
    look: @escaping (inout Tail) -> Void
  ) {
    worker = Worker(consumer, slots: (0..<Self.blockCount).map { _ in Slot(tail: makeTail()) }, leave: leave)
    self.look = look
    for _ in 0..<Self.blockCount { worker.free.signal() }
    let worker: RelayWorker = worker
    DispatchQueue(label: "ipitrace.relay").async { worker.work() }
  }

  deinit { rest() }

  /// Hands over block by block, until there is nothing left.
  /// - Parameter fill: appends events to an empty block; returns false when there are none left.
  public func run(_ fill: (inout EventBlock) throws -> Bool) rethrows {
    while true {
      worker.free.wait()
      let slot = worker.slots[next]
      look(&slot.tail)
      guard try fill(&slot.block) else {
        worker.free.signal()
        return
      }
      next = (next + 1) % Self.blockCount
      worker.filled.signal()
    }
  }

  /// Waits until the consumer has taken all that it was given, and goes no further.
  private func rest() {
    guard isWorking else { return }
    isWorking = false
    worker.free.wait()
    worker.slots[next].isEnd = true
    worker.filled.signal()
    worker.ended.wait()
  }

  /// Waits until everything has been taken, looks at what is left, and lets the consumer be used on this thread.
  public func finish<Result>(_ body: (inout Consumer) throws -> Result) rethrows -> Result {
    rest()
    for offset in 0..<Self.blockCount { look(&worker.slots[(next + offset) % Self.blockCount].tail) }
    return try body(&worker.consumer)
  }
}

/// A worker whatever its consumer: what another thread has to know of it.
private class RelayWorker: @unchecked Sendable {
  /// How many blocks wait to be taken, and to be filled.
  let filled = DispatchSemaphore(value: 0)
  let free = DispatchSemaphore(value: 0)
  let ended = DispatchSemaphore(value: 0)

  func work() {}
}
