extension BlockingSummary {
  /// Waits for a csd that an earlier call still held.
  ///
  /// No event says that a caller waits there. What is counted: the caller's earlier call did not wait and its csd was still
  /// locked at the caller's last event; it was freed; and just then the csd was queued again.
  public struct LockWaits: Codable, Sendable, Equatable {
    /// One caller that waited for a csd.
    public struct LockWait: Codable, Sendable, Equatable {
      /// The CPU that called, and whose earlier call still held the csd.
      public var source: Int
      public var callback: String
      public var callsite: String
      @Nullable public var comm: String?
      /// The CPU that the call was for.
      public var target: Int
      /// The callback of the earlier call.
      public var heldBy: String
      /// The CPU that was to run it.
      public var heldOn: Int
      /// The caller's last event before: it waited no earlier.
      public var previousNanoseconds: UInt64
      /// When the csd was free, at the latest.
      public var freedNanoseconds: UInt64
      /// The queue event behind the wait.
      public var queuedNanoseconds: UInt64
      /// The wait, if the caller's own way took no longer than at any place where it can't have waited.
      public var atLeastNanoseconds: UInt64
      public var atMostNanoseconds: UInt64

      public init(
        source: Int, callback: String, callsite: String, comm: String?, target: Int, heldBy: String, heldOn: Int,
        previousNanoseconds: UInt64, freedNanoseconds: UInt64, queuedNanoseconds: UInt64, atLeastNanoseconds: UInt64,
        atMostNanoseconds: UInt64
      ) {
        self.source = source
        self.callback = callback
        self.callsite = callsite
        self.comm = comm
        self.target = target
        self.heldBy = heldBy
        self.heldOn = heldOn
        self.previousNanoseconds = previousNanoseconds
        self.freedNanoseconds = freedNanoseconds
        self.queuedNanoseconds = queuedNanoseconds
        self.atLeastNanoseconds = atLeastNanoseconds
        self.atMostNanoseconds = atMostNanoseconds
      }
    }

    /// All such waits of one caller.
    public struct Caller: Codable, Sendable, Equatable {
      public var callsite: String
      public var callback: String
      public var count: UInt64
      /// Summed, as in the single waits.
      public var atLeastNanoseconds: UInt64
      public var atMostNanoseconds: UInt64
      public var longestAtMostNanoseconds: UInt64

      public init(
        callsite: String, callback: String, count: UInt64, atLeastNanoseconds: UInt64, atMostNanoseconds: UInt64,
        longestAtMostNanoseconds: UInt64
      ) {
        self.callsite = callsite
        self.callback = callback
        self.count = count
        self.atLeastNanoseconds = atLeastNanoseconds
        self.atMostNanoseconds = atMostNanoseconds
        self.longestAtMostNanoseconds = longestAtMostNanoseconds
      }
    }

    /// Between two targets of one call, so that the caller certainly was there.
    public var count: UInt64
    /// By the longest wait.
    public var callers: [Caller]
    /// The longest ones, longest first.
    public var longest: [LockWait]
    /// Before the first target of a call: the caller waited, or came only then.
    public var possibleCount: UInt64
    /// The longest of these, longest first.
    public var possible: [LockWait]

    public init(count: UInt64, callers: [Caller], longest: [LockWait], possibleCount: UInt64, possible: [LockWait]) {
      self.count = count
      self.callers = callers
      self.longest = longest
      self.possibleCount = possibleCount
      self.possible = possible
    }

    public static let none = LockWaits(count: 0, callers: [], longest: [], possibleCount: 0, possible: [])
  }

  /// The waits of one caller for its callbacks, if it waited: no event says whether it did.
  ///
  /// Only calls of which nothing shows that they did not wait.
  public struct CallerWait: Codable, Sendable, Equatable {
    public var callsite: String
    public var callback: String
    public var count: UInt64
    /// From the end of queueing, kick and local run to the end of the last callback, summed.
    public var atLeastNanoseconds: UInt64
    /// The longest of these.
    public var longestAtLeastNanoseconds: UInt64
    /// The same call, up to the caller's next event; null where none was seen.
    @Nullable public var longestAtMostNanoseconds: UInt64?
    public var longestSource: Int
    /// The target whose callback was over last.
    public var longestSlowestTarget: Int
    /// Its first queue event.
    public var longestQueuedNanoseconds: UInt64

    public init(
      callsite: String, callback: String, count: UInt64, atLeastNanoseconds: UInt64, longestAtLeastNanoseconds: UInt64,
      longestAtMostNanoseconds: UInt64?, longestSource: Int, longestSlowestTarget: Int, longestQueuedNanoseconds: UInt64
    ) {
      self.callsite = callsite
      self.callback = callback
      self.count = count
      self.atLeastNanoseconds = atLeastNanoseconds
      self.longestAtLeastNanoseconds = longestAtLeastNanoseconds
      self.longestAtMostNanoseconds = longestAtMostNanoseconds
      self.longestSource = longestSource
      self.longestSlowestTarget = longestSlowestTarget
      self.longestQueuedNanoseconds = longestQueuedNanoseconds
    }
  }
}
