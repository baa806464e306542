/// Something that an engine promises, or that is worth knowing of it, and that an exploration decides.
///
/// A case's name is the property's one name: in JSON, on the command line, in scenarios and in tests.
public enum Property: UInt8, CaseIterable, Sendable {
  case noDeadlock
  case noLostCallback
  case noneRunTwice
  case noneOnWrongCPU
  case noneOnOfflineCPU
  case noCSDReuse
  case waitsForAll
  case reachesAll
  case orderInBatch
  case classOrder
  case boundedWaiting
  case noLostRequest
  case rightFunction
  case atMostOneQueued
  case neverWaits
  case returnValues
  // What is worth knowing, and no promise of every engine.
  case noOfflineWarning
  case noWarning
  case visitsOnce
  case serialised
  case serialisedPerTarget
  case noInterrupt
  case noRefusal
}

/// A set of properties.
public struct PropertySet: OptionSet, Sendable, Hashable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public init(_ property: Property) { rawValue = 1 << UInt32(property.rawValue) }

  public init(_ properties: some Sequence<Property>) {
    self.init()
    for property in properties { insert(property) }
  }

  public mutating func insert(_ property: Property) { self = union(PropertySet(property)) }

  public func contains(_ property: Property) -> Bool { contains(PropertySet(property)) }

  public var properties: [Property] { Property.allCases.filter { contains($0) } }
}

extension Property {
  /// The property's one name.
  public var name: String { "\(self)" }

  public init?(name: some StringProtocol) {
    guard let found = Property.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  /// Whether every engine promises it, so that it is decided even where nobody asks.
  public var isPromise: Bool {
    switch self {
    case .noDeadlock, .noLostCallback, .noneRunTwice, .noneOnWrongCPU, .noneOnOfflineCPU, .noCSDReuse, .waitsForAll,
      .reachesAll, .orderInBatch, .classOrder, .boundedWaiting, .noLostRequest, .rightFunction, .atMostOneQueued,
      .neverWaits, .returnValues:
      true
    case .noOfflineWarning, .noWarning, .visitsOnce, .serialised, .serialisedPerTarget, .noInterrupt, .noRefusal: false
    }
  }

  /// What it says, in one sentence.
  public var sentence: String {
    switch self {
    case .noDeadlock: "Nobody waits for something that can no longer happen."
    case .noLostCallback: "What was queued runs."
    case .noneRunTwice: "What was queued once runs once."
    case .noneOnWrongCPU: "A function runs on no CPU that it was not queued for."
    case .noneOnOfflineCPU: "A function runs on no CPU that is marked offline, but for the flush of a dying one."
    case .noCSDReuse:
      "No csd is filled or queued while it is in use, and none is read after its owner has taken it back."
    case .waitsForAll: "A call that waits returns only after every target has finished the function."
    case .reachesAll: "A call that succeeds was queued for every target that was online from its begin to its end."
    case .orderInBatch: "What was queued first for a CPU, and in the same class, starts there first."
    case .classOrder: "Within a flush SYNC runs first, then ASYNC and IRQ_WORK, and wakeups last."
    case .boundedWaiting: "No wait lasts for ever while the CPU waited for, and all others that can move, do move."
    case .noLostRequest: "Every request that was accepted or coalesced is followed by a run that starts after it."
    case .rightFunction: "The run that follows a request is one of the function that was asked for."
    case .atMostOneQueued: "A qsd is queued at most once at a time."
    case .neverWaits: "A call that promises not to wait for another CPU never spins."
    case .returnValues: "A call returns what its caller was told to expect."
    case .noOfflineWarning: "The warning \"IPI on offline CPU\" never appears."
    case .noWarning: "None of the engine's own warnings appears."
    case .visitsOnce: "No walker meets an entry twice."
    case .serialised: "No two calls are under way at once."
    case .serialisedPerTarget: "No two calls to one target are under way at once."
    case .noInterrupt: "No IPI is sent."
    case .noRefusal: "No call is refused."
    }
  }
}
