/// What a driver that has no eyes for narration must know of a step: small and flat, so that millions of them cost little.
///
/// A ``Happening`` says what happened, for people; a note says what became of calls, interrupts and locks. Which CPU moved,
/// the driver knows.
public struct Note: Sendable, Hashable {
  public enum Kind: UInt8, Sendable {
    /// A call was queued for a CPU, or is about to run there in place. `subject`: the call; `cpu`: the target.
    case queued
    /// A node was added to a queue. `subject`: whether it was empty, 0 or 1; `cpu`: whose queue.
    case added
    /// A request is covered by one that is on its way. `subject`: the call.
    case coalesced
    /// An IPI was sent to one CPU. `subject`: the vector; `cpu`: the target.
    case sent
    /// A mask IPI names a CPU; one note for each. `subject`: the vector; `cpu`: the target.
    case sentToMask
    /// A mask IPI was sent, to the CPUs noted before.
    case maskSent
    /// An IPI was sent to a dead CPU, and reaches nobody. `cpu`: the CPU.
    case ipiLost
    /// NEED_RESCHED was set for a polling CPU in place of an IPI. `cpu`: the CPU.
    case pollerWoken
    /// No IPI is sent, because the target will look when it enters the kernel. `cpu`: the CPU.
    case deferred
    /// A flush took nodes off the own queue. `subject`: whether there were any, 0 or 1.
    case taken
    /// A function starts on the CPU that moved. `subject`: the call; `cpu`: where. Of a task that its waker puts onto a run
    /// queue, `cpu` is that of the queue, and `finished` is noted when the queue is unlocked.
    case started
    case finished
    /// A call returned. `subject`: the call; `cpu`: the raw value of a ``CallResult``.
    case returned
    /// Somebody who waits for a csd may look again. `subject`: the csd.
    case csdReleased
    /// `subject`: ``LockName/key``; `cpu`: who has it now.
    case lockTaken
    /// Somebody who waits for a lock may look again. `subject`: ``LockName/key``.
    case lockReleased
    /// A flag that is no csd's has changed, or a CPU's place in hotplug.
    case flagChanged
    /// `subject`: whether it succeeded, 0 or 1.
    case allocated
    /// The engine printed a warning.
    case warned
  }

  public var kind: Kind
  public var subject: Int32
  public var cpu: Int32
}

extension LockName {
  /// A number that no other lock of a machine has.
  public var key: Int {
    switch self {
    case .globalQueue: 0
    case .fallback: 1
    case .singleQueue(let cpu): 2 + 4 * cpu
    case .entry(let csd): 3 + 4 * csd
    case .callers(let index): 4 + 4 * index
    case .runQueue(let cpu): 5 + 4 * cpu
    }
  }
}
