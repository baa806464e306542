import CallEngines

/// How calls that were recorded on today's kernel are made where an engine has no such call.
struct KindMapping: Sendable {
  /// By the recorded kind's raw value.
  private let kinds: [Call.Kind]
  /// The engine walks one list for all calls to several CPUs; nothing is taken off a queue of the CPU.
  private let walksMany: Bool
  let usesCrossCalls: Bool
  let allocates: Bool
  /// Who waits runs what is queued for it meanwhile, whether its interrupts are on or off.
  let pollsWhileWaiting: Bool

  init(_ engine: Engine) {
    if case .generic2008(let generation) = engine {
      pollsWhileWaiting = generation.fallback == .pollOwnQueue
    } else {
      pollsWhileWaiting = false
    }
    switch engine {
    case .generic2008, .perCPU2009: walksMany = true
    case .lockLess2014, .pendingQueue2014, .crossCall2022, .mainline: walksMany = false
    }
    if case .crossCall2022 = engine { usesCrossCalls = true } else { usesCrossCalls = false }
    if case .generic2008 = engine { allocates = true } else { allocates = false }
    kinds = Call.Kind.allCases.map { kind in
      Self.candidates(for: kind, engine).first { engine.supports($0) } ?? .single
    }
  }

  /// What a call could be made as, the best first.
  private static func candidates(for kind: Call.Kind, _ engine: Engine) -> [Call.Kind] {
    // The calls that this interface was made for: their callers own a csd and never wait.
    if case .pendingQueue2014 = engine, kind == .singleAsync || kind == .irqWork || kind == .wakeup { return [.queue] }
    switch kind {
    case .singleAsync, .irqWork, .wakeup, .queue: return [kind, .singleAsync, .single]
    case .single, .many, .onEach, .any, .xcall, .xcallMask, .xcallPrivate, .xcallAny: return [kind]
    }
  }

  /// Whether a wakeup or an irq_work is made as a call, because the engine has neither.
  var carriesAsCalls: Bool { kind(for: .wakeup) != .wakeup }

  @inline(__always) func kind(for recorded: Call.Kind) -> Call.Kind { kinds[Int(recorded.rawValue)] }

  func walks(_ vector: Vector) -> Bool { walksMany && vector == .many }
}
