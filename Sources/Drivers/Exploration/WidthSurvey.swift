import CallEngines

/// Finds out how many bits each cell of a machine needs, on some random ways. On other ways it can need more; then states are
/// packed anew.
struct WidthSurvey {
  private let engine: Engine
  private let workload: Workload
  private let stackDepth: Int
  private var widths: [Int] = []
  /// The state of a xorshift generator. Every survey is the same.
  private var random: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// It ends when so many walks in a row have shown nothing new, or there were enough.
  private static let idleWalks = 32
  private static let maximumWalks = 1_000
  private static let stepsPerWalk = 2_000

  init(engine: Engine, workload: Workload, stackDepth: Int) {
    self.engine = engine
    self.workload = workload
    self.stackDepth = stackDepth
  }

  /// - Returns: the bits of each cell.
  mutating func run() -> [Int] {
    var idle = 0
    for _ in 0..<Self.maximumWalks where idle < Self.idleWalks {
      let before = widths
      walk()
      idle = widths == before ? idle + 1 : 0
    }
    return widths
  }

  private mutating func walk() {
    var machine = engine.machine(for: workload, stackDepth: stackDepth, isTracking: true)
    if widths.isEmpty {
      widths = (0..<machine.layout.cellCount).map { StatePacking.width(of: machine.value(of: $0)) }
    }
    for _ in 0..<Self.stepsPerWalk {
      guard move(&machine) else { return }
      machine.raise(&widths)
      // What is corrupt is not walked on, and a full stack has no room.
      if machine.violations.contains(.noCSDReuse) { return }
      for cpu in 0..<workload.cpuCount where !engine.hasRoom(on: cpu, in: machine) { return }
      machine.commit()
    }
  }

  /// Lets somebody move who can. A coin decides whether interrupts and the stopper come first.
  /// - Returns: false if nobody can.
  private mutating func move(_ machine: inout Machine) -> Bool {
    let first = Int(next() % UInt64(workload.cpuCount))
    for looksAtEvents in [next() % 2 == 0, true] {
      for offset in 0..<workload.cpuCount {
        let cpu = (first + offset) % workload.cpuCount
        if looksAtEvents, let event = event(on: cpu, machine) {
          machine.forgetReports()
          _ = engine.take(event, &machine)
          return true
        }
        machine.forgetReports()
        if machine.depth(cpu) > 0, engine.take(.step(cpu: cpu, choice: 0), &machine) == .moved { return true }
      }
    }
    return false
  }

  /// What can happen to a CPU, beside its next step.
  private func event(on cpu: Int, _ machine: borrowing Machine) -> Action? {
    if machine.takesInterrupts(cpu), let vector = Vector.allCases.first(where: { machine.isPending($0, on: cpu) }) {
      return .interrupt(cpu: cpu, vector)
    }
    return engine.canStop(cpu, machine) ? .stop(cpu: cpu) : nil
  }

  private mutating func next() -> UInt64 {
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    return random >> 11
  }
}
