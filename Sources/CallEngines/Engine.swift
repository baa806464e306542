/// A generation of the kernel's cross-call engine, in one of its variants: a pure state machine over a ``Machine``.
///
/// Every step is atomic: one add, one lock taken, one flag cleared, one IPI sent. The engine never reads a clock and never
/// decides who moves next; a driver does, who knows why: an exploration tries everything, a simulation has costs, a replay has a
/// trace.
public enum Engine: Sendable, Hashable {
  case generic2008(Generic2008)
  case perCPU2009(PerCPU2009)
  case lockLess2014(LockLess2014)
  case pendingQueue2014(PendingQueue2014)
  case crossCall2022(CrossCall2022)
  case mainline(Mainline)

  /// The state in which nothing has happened.
  /// - Parameters:
  ///   - stackDepth: frames on each CPU's stack. See ``hasRoom(on:in:)``.
  ///   - isTracking: whether every step can be taken back.
  public func machine(for workload: Workload, stackDepth: Int, isTracking: Bool) -> Machine {
    let layout = MachineLayout(workload: workload, needs: generation.needs(workload), stackDepth: stackDepth)
    var machine = Machine(layout: layout, workload: workload, isTracking: isTracking)
    start(&machine)
    machine.commit()
    return machine
  }

  /// All CPUs are as they are before anything happens.
  func start(_ machine: inout Machine) {
    for cpu in 0..<machine.layout.cpuCount {
      if machine.workload.offline.contains(cpu) {
        machine.setState(of: cpu, .dead)
        continue
      }
      machine.markOnline(cpu)
      machine.enableInterrupts(cpu)
      beginTask(on: cpu, &machine)
    }
    generation.prepare(&machine)
  }

  var generation: any Generation {
    switch self {
    case .generic2008(let generation): generation
    case .perCPU2009(let generation): generation
    case .lockLess2014(let generation): generation
    case .pendingQueue2014(let generation): generation
    case .crossCall2022(let generation): generation
    case .mainline(let generation): generation
    }
  }

  /// Whether the engine has a call of this kind.
  public func supports(_ kind: Call.Kind) -> Bool { generation.entry(for: kind) != nil }

  /// Moves the topmost program of a CPU by one step.
  /// - Precondition: ``Machine/point(of:)`` is not nil, and ``hasRoom(on:in:)``.
  public func step(_ cpu: Int, _ machine: inout Machine) -> Stepped {
    let frame = machine.top(cpu)
    let point = UInt8(truncatingIfNeeded: machine.get(frame))
    if point >= CommonPoint.first { return commonStep(point, cpu, frame, &machine) }
    switch self {
    case .generic2008(let generation): return generation.step(point, cpu, frame, &machine)
    case .perCPU2009(let generation): return generation.step(point, cpu, frame, &machine)
    case .lockLess2014(let generation): return generation.step(point, cpu, frame, &machine)
    case .pendingQueue2014(let generation): return generation.step(point, cpu, frame, &machine)
    case .crossCall2022(let generation): return generation.step(point, cpu, frame, &machine)
    case .mainline(let generation): return generation.step(point, cpu, frame, &machine)
    }
  }

  /// A CPU takes a pending interrupt.
  /// - Precondition: ``Machine/takesInterrupts(_:)``, the vector is pending, and ``hasRoom(on:in:)``.
  public func takeInterrupt(_ vector: Vector, on cpu: Int, _ machine: inout Machine) {
    let handler = generation.handler(for: vector)
    guard machine.isInUser(cpu) else { return machine.takeInterrupt(vector, on: cpu, handler: handler) }
    machine.takeInterrupt(vector, on: cpu, handler: CommonPoint.kernelEntry.rawValue)
    machine[machine.top(cpu), .value] = Int(handler)
  }

  /// Whether another program fits onto a CPU's stack.
  public func hasRoom(on cpu: Int, in machine: borrowing Machine) -> Bool {
    machine.depth(cpu) < machine.layout.stackDepth
  }

  /// Whether the next step of a CPU can be taken before everybody else's, because none of theirs can tell: it touches only
  /// what is this CPU's own, or what a lock that it holds protects, and no interrupt can come between.
  public func movesAlone(_ cpu: Int, _ machine: borrowing Machine) -> Bool {
    guard machine.depth(cpu) > 0, !machine.interruptsEnabled(cpu) else { return false }
    let point = UInt8(truncatingIfNeeded: machine.get(machine.top(cpu)))
    return point < CommonPoint.first && generation.isPrivate(point, on: cpu, in: machine)
  }
}

/// What each generation is to the machine.
protocol Generation: Sendable {
  func needs(_ workload: Workload) -> MachineLayout.Needs
  /// Sets up what is not 0 at the start.
  func prepare(_ machine: inout Machine)
  /// The point at which a call begins; nil if the engine has no such call.
  func entry(for kind: Call.Kind) -> UInt8?
  /// The point at which the handler of a vector begins.
  func handler(for vector: Vector) -> UInt8
  /// The point at which a program begins that a dying CPU runs, marked offline and with interrupts off; nil for none.
  var dyingStage: UInt8? { get }
  /// The point at which a program begins that a CPU runs when it leaves idle; nil for none.
  var idleExit: UInt8? { get }
  /// Whether the lock of the global queue is held while a CPU is marked online.
  var locksOnlining: Bool { get }
  /// Whether stop_machine() lets the CPU that goes turn interrupts off only when all others have.
  var stopsInTwoStages: Bool { get }
  /// Whether a call that a task made may be preempted when it stands at a point.
  func isPreemptible(_ point: UInt8) -> Bool
  /// Whether it, or somebody behind it, allocates for a CPU that is to come up, and may refuse it.
  var allocatesForCPUs: Bool { get }
  /// What is set up for a CPU that is not refused: `CPU_UP_PREPARE`.
  func prepared(_ cpu: Int, _ machine: inout Machine)
  /// The point at which a program begins that is run where a CPU was to be brought up, when it is refused; nil for none.
  var canceledStage: UInt8? { get }
  /// What a CPU held that is dead now is freed: `CPU_DEAD`.
  func died(_ cpu: Int, _ machine: inout Machine)
  /// Whether the step at a point touches only what is the CPU's own, or protected by a lock that it holds.
  func isPrivate(_ point: UInt8) -> Bool
  /// The same for the step that a CPU stands at, where that depends on the others.
  func isPrivate(_ point: UInt8, on cpu: Int, in machine: borrowing Machine) -> Bool
  func step(_ point: UInt8, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped
}

extension Generation {
  func prepare(_ machine: inout Machine) {}
  var dyingStage: UInt8? { nil }
  var idleExit: UInt8? { nil }
  var locksOnlining: Bool { false }
  var stopsInTwoStages: Bool { false }
  func isPreemptible(_ point: UInt8) -> Bool { false }
  var allocatesForCPUs: Bool { false }
  func prepared(_ cpu: Int, _ machine: inout Machine) {}
  var canceledStage: UInt8? { nil }
  func died(_ cpu: Int, _ machine: inout Machine) {}
  func isPrivate(_ point: UInt8) -> Bool { false }
  func isPrivate(_ point: UInt8, on cpu: Int, in machine: borrowing Machine) -> Bool { isPrivate(point) }

  /// Lets a call's function run on a CPU, in a frame of its own.
  func runFunction(of call: Int, function: Int, on cpu: Int, _ machine: inout Machine) {
    let frame = machine.push(cpu, CommonPoint.function.rawValue)
    machine[frame, .call] = call + 1
    machine[frame, .value] = function
    machine.started(call, function: function, on: cpu)
  }

  /// Lets a call's function run on the caller's own CPU, which has its interrupts off; the call goes on at `point` behind it.
  func runInPlace<Point: RawRepresentable<UInt8>>(
    _ call: Int, then point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine
  ) -> Stepped {
    machine.go(frame, point.rawValue)
    machine.queued(call, on: cpu, isOrdered: false)
    let function = machine.workload.calls[call].function
    runFunction(of: call, function: function, on: cpu, &machine)
    return .moved
  }
}
