import Dispatch
import Glibc
import TraceCapture

/// Writes blocks of bytes to a descriptor on a thread of its own, in the order in which they come.
///
///     this thread   fill 0 │ fill 1 │ fill 2 │ fill 3 │ fill 0 …
///     its own              │ write 0 ──── │ write 1 ──── │ write 2 …
///
/// A few blocks go round: who fills them waits only while all the others are full, so there are never more than these in
/// memory. The first error ends the writing; what comes after it is dropped.
final class BlockWriter {
  /// Enough for either side to go on while the other is held up for a moment.
  static let blockCount = 4
  /// Longer blocks are given back: one line can be long, and most are short.
  private static let keptCapacity = 1 << 20
  /// After so many bytes the disk begins with them.
  private static let stretch = 4 << 20

  /// One thread's at a time; the semaphores say whose.
  private final class Slot {
    @exclusivity(unchecked) var bytes: [UInt8] = []
    /// Why it, or one before it, was not written: an `errno`.
    @exclusivity(unchecked) var error: CInt?
    /// There is no block; nothing follows.
    @exclusivity(unchecked) var isEnd = false
  }

  /// The writing thread's side.
  private final class Worker: @unchecked Sendable {
    let slots = (0..<blockCount).map { _ in Slot() }
    /// How many blocks wait to be written, and to be filled.
    let filled = DispatchSemaphore(value: 0)
    let free = DispatchSemaphore(value: 0)
    let ended = DispatchSemaphore(value: 0)
    private let descriptor: CInt
    private let willBeSynced: Bool

    init(descriptor: CInt, willBeSynced: Bool) {
      self.descriptor = descriptor
      self.willBeSynced = willBeSynced
    }

    func work() {
      // A file that grows too long ends the program, whichever thread writes. Threads of libdispatch block that signal.
      var signals = sigset_t()
      var before = sigset_t()
      sigemptyset(&signals)
      sigaddset(&signals, SIGXFSZ)
      pthread_sigmask(SIG_UNBLOCK, &signals, &before)
      defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

      var next = 0
      var error: CInt?
      var unsent = 0
      while true {
        filled.wait()
        let slot = slots[next]
        if slot.isEnd { break }
        if error == nil {
          error = BlockWriter.write(slot.bytes, to: descriptor)
          unsent += slot.bytes.count
        }
        slot.error = error
        slot.bytes.removeAll(keepingCapacity: slot.bytes.capacity <= keptCapacity)
        next = (next + 1) % slots.count
        free.signal()
        if willBeSynced, unsent >= stretch {
          WriteBack.begin(descriptor)
          unsent = 0
        }
      }
      slots[next].error = error
      ended.signal()
    }
  }

  private let worker: Worker
  private var next = 0
  private var isWorking = true

  /// - Parameters:
  ///   - descriptor: stays open until the writing has ended.
  ///   - willBeSynced: the caller waits for the disk in the end.
  init(descriptor: CInt, willBeSynced: Bool) {
    worker = Worker(descriptor: descriptor, willBeSynced: willBeSynced)
    for _ in 0..<Self.blockCount { worker.free.signal() }
    let worker = worker
    DispatchQueue(label: "ipitrace.output").async { worker.work() }
  }

  deinit { _ = end() }

  /// Takes a block to be written, and leaves an empty one in its place, with as much memory.
  /// - Returns: why a block before could not be written, as an `errno`; then nothing is taken.
  func take(_ block: inout [UInt8]) -> CInt? {
    worker.free.wait()
    let slot = worker.slots[next]
    if let error = slot.error {
      worker.free.signal()
      return error
    }
    swap(&slot.bytes, &block)
    if block.capacity == 0 { block.reserveCapacity(min(slot.bytes.capacity, Self.keptCapacity)) }
    next = (next + 1) % Self.blockCount
    worker.filled.signal()
    return nil
  }

  /// Waits until all blocks have been written. Nothing may be given to it afterwards.
  /// - Returns: why one of them could not be, as an `errno`.
  func end() -> CInt? {
    if isWorking {
      isWorking = false
      worker.free.wait()
      worker.slots[next].isEnd = true
      worker.filled.signal()
      worker.ended.wait()
    }
    return worker.slots[next].error
  }

  /// Writes all of the bytes on the caller's thread.
  /// - Returns: why that could not be done, as an `errno`.
  static func write(_ bytes: [UInt8], to descriptor: CInt) -> CInt? {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done) }
      if count < 0 {
        let error = errno
        if error == EINTR { continue }
        return error
      }
      done += count
    }
    return nil
  }
}
