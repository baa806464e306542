/// One thing that happened in a step, as data. Words are made elsewhere.
public enum Happening: Sendable, Hashable {
  case callBegan(call: Int)
  case callReturned(call: Int, CallResult)
  case interruptsDisabled
  case interruptsEnabled
  case lockTaken(LockName)
  case lockReleased(LockName)
  case csdLocked(csd: Int)
  case csdUnlocked(csd: Int)
  /// The caller may go on: WAIT was cleared.
  case waitEnded(csd: Int)
  case filled(csd: Int, call: Int)
  case allocated(call: Int, succeeded: Bool)
  case added(csd: Int, cpu: Int, wasEmpty: Bool)
  /// Added to the one queue that all CPUs share.
  case addedGlobally(csd: Int, atHead: Bool)
  case taken(csds: [Int])
  case unlinked(csd: Int)
  case visited(csd: Int, concerned: Bool)
  case coalesced(call: Int)
  case ipiSent(Vector, cpus: [Int])
  case ipiLost(Vector)
  /// NEED_RESCHED was set for a polling CPU, in place of an IPI.
  case pollerWoken(cpu: Int)
  /// A CPU in user space was told, in place of an IPI, to look at its queue when it enters the kernel.
  case workMarked(cpu: Int)
  /// It is told no longer: an IPI is to come.
  case workUnmarked(cpu: Int)
  /// No IPI is sent, because the CPU will look when it enters the kernel.
  case deferred(cpu: Int)
  /// A task was put onto a CPU's run queue by who wakes it.
  case taskPlaced(call: Int, cpu: Int)
  case interruptTaken(Vector)
  case interruptReturned
  case functionStarted(function: Int, call: Int)
  case functionFinished(function: Int, call: Int)
  case flagChanged(FlagName, cpu: Int?, isSet: Bool)
  case warned(WarningName)
  case idled
  case idleLeft
  case userEntered
  /// The kernel was entered.
  case userLeft(workWaits: Bool)
  case stopRequested(cpu: Int)
  case stopEntered
  case stopLeft
  case markedOffline
  case died
  case markedOnline
  /// Somebody who prepares for a CPU that comes failed, and those who had prepared are told.
  case bringUpCanceled(cpu: Int)
}

/// A lock, by what it protects.
public enum LockName: Sendable, Hashable {
  /// The queue that all CPUs share.
  case globalQueue
  case singleQueue(cpu: Int)
  case entry(csd: Int)
  /// One of the workload's own.
  case callers(Int)
  /// The lock of a fallback of 2008.
  case fallback
  /// The scheduler's.
  case runQueue(cpu: Int)
}

/// A flag or counter of an engine that is no csd's.
public enum FlagName: Sendable, Hashable {
  case pending(qsd: Int)
  case targeted
}

/// A warning that the kernel would print.
public enum WarningName: Sendable, Hashable {
  case ipiOnOfflineCPU
  /// A callback that the offline warning names.
  case namesCallback(call: Int)
  case csdNotLocked(csd: Int)
  case notPending(qsd: Int)
  case interruptsDisabled
  case noReferences(csd: Int)
  case invalidCPU(Int)
}

/// How a fault is put into an engine: whenever a frame would go on to a point, it goes on to another.
///
/// A step dropped is its point replaced by the one behind it; two swapped are three redirects; a wrong condition is a branch
/// that goes the wrong way. Exploration has to notice; that is how it is tested.
public struct Redirect: Sendable, Hashable {
  /// Only when coming from this point.
  public var from: UInt8?
  public var to: UInt8
  public var instead: UInt8

  public init(from: UInt8? = nil, to: UInt8, instead: UInt8) {
    self.from = from
    self.to = to
    self.instead = instead
  }
}

/// What a CPU that can't move waits for.
public enum Wait: Sendable, Hashable {
  /// LOCK or WAIT of a csd to be cleared.
  case csd(Int)
  case lock(LockName)
  /// Something that the engine names itself.
  case flag(FlagName)
  /// Another CPU, in hotplug.
  case hotplug
  /// Nothing: it has nothing to do.
  case idle
}

/// What a step came to.
public enum Stepped: Sendable, Hashable {
  case moved
  /// It spins, or has nothing to do; the state is unchanged.
  case blocked(Wait)
}

/// An interrupt vector.
public enum Vector: UInt8, CaseIterable, Sendable {
  /// `CALL_FUNCTION_SINGLE_VECTOR`
  case single
  /// `CALL_FUNCTION_VECTOR`
  case many
  /// `IRQ_WORK_VECTOR`
  case irqWork
  /// `RESCHEDULE_VECTOR`
  case reschedule
}

/// Where a CPU is between online and dead.
public enum CPUState: UInt8, CaseIterable, Sendable {
  case online
  /// Marked offline, still running: in the dying stage of stop_machine().
  case dying
  /// Marked offline, on its way to play dead.
  case leaving
  case dead
  /// Running, not yet marked online.
  case rising
}

// MARK: As data that is kept

// Each case is an object with one key, its name; what it carries has the names below where the case itself gives none.
extension Happening: Codable {
  enum CallReturnedCodingKeys: String, CodingKey {
    case call
    case _1 = "result"
  }
  enum LockTakenCodingKeys: String, CodingKey { case _0 = "lock" }
  enum LockReleasedCodingKeys: String, CodingKey { case _0 = "lock" }
  enum IpiSentCodingKeys: String, CodingKey {
    case _0 = "vector"
    case cpus
  }
  enum IpiLostCodingKeys: String, CodingKey { case _0 = "vector" }
  enum InterruptTakenCodingKeys: String, CodingKey { case _0 = "vector" }
  enum FlagChangedCodingKeys: String, CodingKey {
    case _0 = "flag"
    case cpu, isSet
  }
  enum WarnedCodingKeys: String, CodingKey { case _0 = "warning" }
}

extension LockName: Codable {
  enum CallersCodingKeys: String, CodingKey { case _0 = "lock" }
}

extension FlagName: Codable {}

extension WarningName: Codable {
  enum InvalidCPUCodingKeys: String, CodingKey { case _0 = "cpu" }
}

extension Wait: Codable {
  enum CsdCodingKeys: String, CodingKey { case _0 = "csd" }
  enum LockCodingKeys: String, CodingKey { case _0 = "lock" }
  enum FlagCodingKeys: String, CodingKey { case _0 = "flag" }
}

// These are numbers in a machine's cells, and names elsewhere.
extension Vector: Codable {
  public init(from decoder: any Decoder) throws { self = try named(in: decoder) }
  public func encode(to encoder: any Encoder) throws { try encodeName(of: self, to: encoder) }
}

extension CPUState: Codable {
  public init(from decoder: any Decoder) throws { self = try named(in: decoder) }
  public func encode(to encoder: any Encoder) throws { try encodeName(of: self, to: encoder) }
}

extension CallResult: Codable {
  public init(from decoder: any Decoder) throws { self = try named(in: decoder) }
  public func encode(to encoder: any Encoder) throws { try encodeName(of: self, to: encoder) }
}

private func encodeName<Value>(of value: Value, to encoder: any Encoder) throws {
  var container = encoder.singleValueContainer()
  try container.encode("\(value)")
}

private func named<Value: CaseIterable>(in decoder: any Decoder) throws -> Value {
  let container = try decoder.singleValueContainer()
  let name = try container.decode(String.self)
  guard let value = Value.allCases.first(where: { "\($0)" == name }) else {
    throw DecodingError.dataCorruptedError(in: container, debugDescription: "no \(Value.self) \"\(name)\"")
  }
  return value
}
