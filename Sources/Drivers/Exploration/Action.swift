public import CallEngines

/// One choice that an exploration takes: who moves, and how.
public enum Action: Sendable, Hashable {
  /// The topmost program of a CPU moves; `choice` says which way, where there are several.
  case step(cpu: Int, choice: Int)
  /// A CPU takes a pending interrupt.
  case interrupt(cpu: Int, Vector)
  /// stop_machine() takes a CPU away from its task.
  case stop(cpu: Int)

  /// More CPUs have no code.
  public static let maximumCPUs = 32

  /// A byte: the CPU in the upper five bits. No step has more than three outcomes.
  var code: UInt8 {
    switch self {
    case .step(let cpu, let choice): UInt8(cpu << 3 | min(choice, 2))
    case .interrupt(let cpu, .reschedule): UInt8(cpu << 3 | 3)
    case .interrupt(let cpu, let vector): UInt8(cpu << 3 | 4 + Int(vector.rawValue))
    case .stop(let cpu): UInt8(cpu << 3 | 7)
    }
  }

  init(code: UInt8) {
    let cpu = Int(code >> 3)
    switch code & 7 {
    case 7: self = .stop(cpu: cpu)
    case 3: self = .interrupt(cpu: cpu, .reschedule)
    case let low where low >= 4:
      // The other three vectors, three codes.
      self = .interrupt(cpu: cpu, Vector(rawValue: low - 4) ?? .single)
    case let low: self = .step(cpu: cpu, choice: Int(low))
    }
  }

  public var cpu: Int {
    switch self {
    case .step(let cpu, _), .interrupt(let cpu, _), .stop(let cpu): cpu
    }
  }
}

extension Engine {
  /// Lets a machine go the way of an action that it allows.
  /// - Returns: blocked only for a step; the machine is unchanged then, and may have reported why that is wrong.
  func take(_ action: Action, _ machine: inout Machine) -> Stepped {
    switch action {
    case .step(let cpu, let choice):
      machine.choice = choice
      return step(cpu, &machine)
    case .interrupt(let cpu, let vector): takeInterrupt(vector, on: cpu, &machine)
    case .stop(let cpu): enterStop(cpu, &machine)
    }
    return .moved
  }
}
