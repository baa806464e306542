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

  /// Lets somebody move who can.
  /// - Returns: false if nobody can.
  private mutating func move(_ machine: inout Machine) -> Bool {
    let first = Int(next() % UInt64(workload.cpuCount))
    for offset in 0..<workload.cpuCount {
      let cpu = (first + offset) % workload.cpuCount
      machine.forgetReports()
      let pending = machine.pending(cpu)
      if pending != 0, machine.takesInterrupts(cpu), next() % 2 == 0 {
        for vector in Vector.allCases where pending >> Int(vector.rawValue) & 1 == 1 {
          engine.takeInterrupt(vector, on: cpu, &machine)
          return true
        }
      }
      if engine.canStop(cpu, machine), next() % 2 == 0 {
        engine.enterStop(cpu, &machine)
        return true
      }
      machine.choice = 0
      if machine.depth(cpu) > 0, engine.step(cpu, &machine) == .moved { return true }
    }
    // The coin may have left out the only ones.
    for cpu in 0..<workload.cpuCount {
      let pending = machine.pending(cpu)
      if pending != 0, machine.takesInterrupts(cpu) {
        for vector in Vector.allCases where pending >> Int(vector.rawValue) & 1 == 1 {
          engine.takeInterrupt(vector, on: cpu, &machine)
          return true
        }
      }
      if engine.canStop(cpu, machine) {
        engine.enterStop(cpu, &machine)
        return true
      }
    }
    return false
  }

  private mutating func next() -> UInt64 {
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    return random >> 11
  }
}
