/// Who waited, who was late, and what stood in the way.
public struct BlockingSummary: Codable, Sendable, Equatable {
  public enum Cause: String, Codable, Sendable {
    /// Callbacks ahead of it in the same flush took most of the delay.
    case callbackAhead
    /// The handler took most of the delay before the callback began, and no callback that the trace shows did.
    case inHandler
    /// The caller itself took most of the delay between queue event and kick.
    case kickDelayed
    /// The kick was sent, and for most of the delay the target's events show interrupts off.
    case interruptsOff
    /// The kick was sent, and for most of the delay the target had not left its idle state.
    case idleExit
    /// The kick was sent, and the target did not take the interrupt for most of the delay; its events do not say why.
    case targetLate
    /// The trace does not tell.
    case unknown
  }

  /// The calls with the longest delay from queue event to begin, longest first.
  public var latestCalls: [LateCall]
  /// Callbacks behind which others stood in the same flush, by the time that those lost, longest first.
  public var headOfLine: [HeadOfLine]
  /// Callers that had to wait for a csd which its previous use still held.
  public var lockWaits: LockWaits
  /// Callers that may have waited for their callbacks, by the longest wait.
  public var callerWaits: [CallerWait]
  /// Waits that stood on other waits, cycles first.
  public var waitChains: WaitChains
  /// Calls that never ran.
  public var stuckCalls: StuckCalls
  /// Callers that queue from a context in which a call that waits could deadlock; no finding in itself.
  public var delicateContexts: [Context]
  /// What a kernel log says about csd locks, and what the trace says about that; null where no log was given.
  @Nullable public var kernelReports: [KernelReport]?

  public init(
    latestCalls: [LateCall], delicateContexts: [Context], headOfLine: [HeadOfLine] = [], lockWaits: LockWaits = .none,
    callerWaits: [CallerWait] = [], waitChains: WaitChains = .none, stuckCalls: StuckCalls = .none,
    kernelReports: [KernelReport]? = nil
  ) {
    self.latestCalls = latestCalls
    self.delicateContexts = delicateContexts
    self.headOfLine = headOfLine
    self.lockWaits = lockWaits
    self.callerWaits = callerWaits
    self.waitChains = waitChains
    self.stuckCalls = stuckCalls
    self.kernelReports = kernelReports
  }
}
