extension BlockingSummary {
  /// Waits that stood on other waits.
  public struct WaitChains: Codable, Sendable, Equatable {
    /// One caller in a chain: it stands on its target, which is the next link's source.
    public struct Link: Codable, Sendable, Equatable {
      public var source: Int
      public var target: Int
      public var callback: String
      public var callsite: String
      @Nullable public var comm: String?
      public var queuedNanoseconds: UInt64
      @Nullable public var startedNanoseconds: UInt64?
      @Nullable public var endedNanoseconds: UInt64?
      /// The caller's next event; null where it showed none until the end of the trace.
      @Nullable public var movedOnNanoseconds: UInt64?
      /// The call was made with interrupts off, so nothing could be run on its CPU while it waited.
      public var interruptsOff: Bool

      public init(
        source: Int, target: Int, callback: String, callsite: String, comm: String?, queuedNanoseconds: UInt64,
        startedNanoseconds: UInt64?, endedNanoseconds: UInt64?, movedOnNanoseconds: UInt64?, interruptsOff: Bool
      ) {
        self.source = source
        self.target = target
        self.callback = callback
        self.callsite = callsite
        self.comm = comm
        self.queuedNanoseconds = queuedNanoseconds
        self.startedNanoseconds = startedNanoseconds
        self.endedNanoseconds = endedNanoseconds
        self.movedOnNanoseconds = movedOnNanoseconds
        self.interruptsOff = interruptsOff
      }
    }

    /// Calls, each waiting for a CPU that makes the next, if all of them waited.
    public struct Chain: Codable, Sendable, Equatable {
      /// The last stands on the first: a deadlock.
      public var isCycle: Bool
      /// For how long all of them stood.
      public var nanoseconds: UInt64
      public var links: [Link]
      /// For a cycle, the last that was seen of each CPU.
      public var states: [CPUState]

      public init(isCycle: Bool, nanoseconds: UInt64, links: [Link], states: [CPUState]) {
        self.isCycle = isCycle
        self.nanoseconds = nanoseconds
        self.links = links
        self.states = states
      }
    }

    public var count: UInt64
    /// Cycles first, then the longest.
    public var chains: [Chain]

    public init(count: UInt64, chains: [Chain]) {
      self.count = count
      self.chains = chains
    }

    public static let none = WaitChains(count: 0, chains: [])
  }
}
