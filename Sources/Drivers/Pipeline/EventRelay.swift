import Dispatch
public import TraceTypes

/// Hands events to a consumer on a second thread, block by block and in their order.
///
///     this thread     read block 2 │ tail of block 0 │ read block 3 │ tail of block 1 │ …
///     second thread   block 1 ─────────────────────▶ │ block 2 ────────────────────▶ │ …
///
/// One block is taken while the next is read. In between, while nobody takes anything, what the consumer has left behind can be
/// picked up, and looked at while it goes on: the *tail*. Whatever the threads do, each sees everything in one and the same
/// order, so that nothing depends on how fast they are.
public final class EventRelay<Consumer: TraceEventConsumer & ~Copyable>: TraceEventConsumer {
  /// The second thread's side. One block at a time is under way; the semaphore orders the accesses of both threads.
  private final class Worker: RelayWorker, @unchecked Sendable {
    @exclusivity(unchecked) var consumer: Consumer
    @exclusivity(unchecked) var block = EventBlock()

    init(_ consumer: consuming Consumer) { self.consumer = consumer }

    override func work() {
      block.deliver(into: &consumer)
      isIdle.signal()
    }
  }

  private let worker: Worker
  private let queue = DispatchQueue(label: "ipitrace.relay")
  private var filling = EventBlock()
  private var isWorking = false
  private let pickUp: () -> Void
  private let look: () -> Void

  /// - Parameters:
  ///   - consumer: takes the events, on another thread.
  ///   - pickUp: called on this thread while the consumer does nothing.
  ///   - look: called on this thread behind `pickUp`, while the consumer goes on.
  public init(_ consumer: consuming Consumer, pickUp: @escaping () -> Void, look: @escaping () -> Void) {
    worker = Worker(consumer)
    self.pickUp = pickUp
    self.look = look
  }

  deinit { rest() }

  public func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    filling.append(events, maskWords: maskWords)
    if filling.isFull { handOver() }
  }

  public func gapBegan(_ gap: TraceGap) {
    filling.append(gap)
    if filling.isFull { handOver() }
  }

  /// Waits until the consumer has taken all that it was given.
  private func rest() {
    if isWorking { worker.isIdle.wait() }
    isWorking = false
  }

  private func handOver() {
    rest()
    pickUp()
    swap(&filling, &worker.block)
    isWorking = true
    let worker: RelayWorker = worker
    queue.async { worker.work() }
    look()
  }

  /// Waits until everything has been taken, and lets the consumer be used on this thread.
  public func finish<Result>(_ body: (inout Consumer) throws -> Result) rethrows -> Result {
    if !filling.isEmpty { handOver() }
    rest()
    pickUp()
    look()
    return try body(&worker.consumer)
  }
}

/// A worker whatever its consumer: what another thread has to know of it.
private class RelayWorker: @unchecked Sendable {
  let isIdle = DispatchSemaphore(value: 0)

  func work() {}
}
