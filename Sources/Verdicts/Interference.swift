/// What interrupted one CPU.
public struct Interference: Codable, Sendable, Equatable {
  public enum Selection: String, Codable, Sendable {
    /// Named by the user.
    case named
    /// Isolated or nohz_full, as the recording says.
    case isolated
    /// Every CPU: the trace has no queue events, and interference is most of what it tells.
    case all
  }

  public struct Source: Codable, Sendable, Equatable {
    public var callback: String
    /// Unknown for callbacks that no event of the trace queued, as is the source.
    @Nullable public var callsite: String?
    @Nullable public var comm: String?
    @Nullable public var sourceCPU: Int?
    /// Callbacks run for this source.
    public var count: UInt64
    /// Kicks sent by IPI.
    public var ipis: UInt64
    public var runNanoseconds: UInt64
    public var maxRunNanoseconds: UInt64

    public init(
      callback: String, callsite: String?, comm: String?, sourceCPU: Int?, count: UInt64, ipis: UInt64,
      runNanoseconds: UInt64, maxRunNanoseconds: UInt64
    ) {
      self.callback = callback
      self.callsite = callsite
      self.comm = comm
      self.sourceCPU = sourceCPU
      self.count = count
      self.ipis = ipis
      self.runNanoseconds = runNanoseconds
      self.maxRunNanoseconds = maxRunNanoseconds
    }
  }

  public var cpu: Int
  public var selectedAs: Selection
  /// Handlers of cross calls entered; nil where such events can't be in the trace, as with the others.
  @Nullable public var handlers: UInt64?
  /// Time inside those handlers.
  @Nullable public var handlerNanoseconds: UInt64?
  @Nullable public var callbacks: UInt64?
  @Nullable public var callbackNanoseconds: UInt64?
  /// Reschedule interrupts taken.
  @Nullable public var reschedules: UInt64?
  /// Most callbacks first.
  public var sources: [Source]

  public init(
    cpu: Int, selectedAs: Selection, handlers: UInt64?, handlerNanoseconds: UInt64?, callbacks: UInt64?,
    callbackNanoseconds: UInt64?, reschedules: UInt64?, sources: [Source]
  ) {
    self.cpu = cpu
    self.selectedAs = selectedAs
    self.handlers = handlers
    self.handlerNanoseconds = handlerNanoseconds
    self.callbacks = callbacks
    self.callbackNanoseconds = callbackNanoseconds
    self.reschedules = reschedules
    self.sources = sources
  }
}
