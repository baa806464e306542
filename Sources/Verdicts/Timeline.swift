/// A short stretch of the trace, in full, for drawing.
public struct Timeline: Codable, Sendable, Equatable {
  public enum Choice: String, Codable, Sendable {
    /// The user named it.
    case named
    /// Around the first divergence.
    case divergence
    /// Around the call with the longest delay.
    case latestCall
    /// The trace holds nothing to show.
    case empty
  }

  public struct Slice: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
      case handler
      case callback
      case idle
    }

    public var cpu: Int
    public var kind: Kind
    /// The callback, or the handler's name.
    public var name: String
    public var startNanoseconds: UInt64
    public var endNanoseconds: UInt64

    public init(cpu: Int, kind: Kind, name: String, startNanoseconds: UInt64, endNanoseconds: UInt64) {
      self.cpu = cpu
      self.kind = kind
      self.name = name
      self.startNanoseconds = startNanoseconds
      self.endNanoseconds = endNanoseconds
    }
  }

  /// One queued call: from the source's queue event, by its kick, to the target's callback.
  public struct Flow: Codable, Sendable, Equatable {
    public var source: Int
    public var target: Int
    public var callback: String
    public var kick: String
    public var queuedNanoseconds: UInt64
    @Nullable public var kickNanoseconds: UInt64?
    @Nullable public var startedNanoseconds: UInt64?
    @Nullable public var endedNanoseconds: UInt64?

    public init(
      source: Int, target: Int, callback: String, kick: String, queuedNanoseconds: UInt64, kickNanoseconds: UInt64?,
      startedNanoseconds: UInt64?, endedNanoseconds: UInt64?
    ) {
      self.source = source
      self.target = target
      self.callback = callback
      self.kick = kick
      self.queuedNanoseconds = queuedNanoseconds
      self.kickNanoseconds = kickNanoseconds
      self.startedNanoseconds = startedNanoseconds
      self.endedNanoseconds = endedNanoseconds
    }
  }

  public var choice: Choice
  public var startNanoseconds: UInt64
  public var endNanoseconds: UInt64
  public var cpus: [Int]
  public var slices: [Slice]
  public var flows: [Flow]
  /// True when the window held more than is drawn.
  public var truncated: Bool

  public init(
    choice: Choice, startNanoseconds: UInt64, endNanoseconds: UInt64, cpus: [Int], slices: [Slice], flows: [Flow],
    truncated: Bool
  ) {
    self.choice = choice
    self.startNanoseconds = startNanoseconds
    self.endNanoseconds = endNanoseconds
    self.cpus = cpus
    self.slices = slices
    self.flows = flows
    self.truncated = truncated
  }
}
