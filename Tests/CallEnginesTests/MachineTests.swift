import BasicContainers
import CallEngines
import TestSupport
import Testing

/// Goes random ways through engines, and holds what an exploration relies on at every step.
@Suite struct MachineTests {
  static let engines = EngineDescription.all.map(\.name)

  private static func workload() -> Workload {
    var workload = Workload(cpuCount: 3)
    workload.functions = [Function(name: "f")]
    for (cpu, target) in [(0, 1), (1, 2), (2, 0)] {
      var single = Call(kind: .single)
      single.target = target
      var many = Call(kind: .many)
      many.mask = 0b111
      many.waits = cpu == 0
      workload.calls += [single, many]
      workload.tasks[cpu] = Program([.call(cpu * 2), .call(cpu * 2 + 1)])
    }
    return workload
  }

  /// Calls `look` before and behind every step of a random way.
  private static func walk(
    _ engine: Engine, _ look: (_ machine: inout Machine, _ step: (inout Machine) -> Bool) -> Bool
  ) {
    var random = RepeatableRandom.forTest()
    for _ in 0..<5 {
      var machine = engine.machine(for: workload(), stackDepth: 8, isTracking: true)
      var hasMoved = true
      while hasMoved {
        hasMoved = false
        let first = Int.random(in: 0..<3, using: &random)
        let prefersInterrupts = Bool.random(using: &random)
        for offset in 0..<3 where !hasMoved {
          let cpu = (first + offset) % 3
          hasMoved = look(&machine) { machine in
            machine.forgetReports()
            let pending = machine.pending(cpu)
            if pending != 0, machine.takesInterrupts(cpu), prefersInterrupts || machine.depth(cpu) == 0,
              let vector = Vector.allCases.first(where: { machine.isPending($0, on: cpu) })
            {
              engine.takeInterrupt(vector, on: cpu, &machine)
              return true
            }
            return machine.depth(cpu) > 0 && engine.step(cpu, &machine) == .moved
          }
        }
      }
    }
  }

  private static func cells(_ machine: borrowing Machine) -> [Int32] {
    (0..<machine.layout.cellCount).map { machine.value(of: $0) }
  }

  @Test(arguments: engines) func aStepCanBeTakenBack(_ name: String) throws {
    let engine = try #require(Engine(name: name))
    var steps = 0
    Self.walk(engine) { machine, step in
      let (before, hash) = (Self.cells(machine), machine.hash)
      let moved = step(&machine)
      let behind = Self.cells(machine)
      let isUnchanged = behind == before
      if !moved { #expect(isUnchanged, "what cannot move changes nothing") }
      machine.takeBack(hash: hash)
      let isBack = Self.cells(machine) == before
      #expect(isBack)
      // The same step again comes to the same.
      machine.choice = 0
      #expect(step(&machine) == moved)
      let isTheSame = Self.cells(machine) == behind
      #expect(isTheSame)
      machine.commit()
      steps += moved ? 1 : 0
      return moved
    }
    #expect(steps > 100)
  }

  /// The packed state is the state, the patched one is the packed one, and equal states have equal hashes whatever the way.
  @Test(arguments: engines) func packedStatesAreTheStates(_ name: String) throws {
    let engine = try #require(Engine(name: name))
    var other = engine.machine(for: Self.workload(), stackDepth: 8, isTracking: true)
    let packing = StatePacking(widths: Array(repeating: 8, count: other.layout.cellCount))
    var loaded = UniqueArray<UInt64>()
    #expect(other.pack(into: &loaded, packing) == nil)
    Self.walk(engine) { machine, step in
      var patched = UniqueArray<UInt64>()
      #expect(machine.pack(into: &patched, packing) == nil)
      guard step(&machine) else { return false }
      #expect(machine.patch(&patched, at: 0, packing) == nil)
      machine.commit()
      var packed = UniqueArray<UInt64>()
      #expect(machine.pack(into: &packed, packing) == nil)
      #expect((0..<packing.wordCount).allSatisfy { packed[$0] == patched[$0] })
      other.load(packed, at: 0, hash: machine.hash, over: &loaded, packing)
      let isEqual = Self.cells(other) == Self.cells(machine)
      #expect(isEqual)
      return true
    }
  }

  /// What does not fit is said, and not cut off.
  @Test func aPackingThatIsTooNarrowSaysSo() throws {
    let engine = try #require(Engine(name: "mainline"))
    let machine = engine.machine(for: Self.workload(), stackDepth: 8, isTracking: true)
    var packed = UniqueArray<UInt64>()
    let narrow = StatePacking(widths: Array(repeating: 0, count: machine.layout.cellCount))
    let cell = try #require(machine.pack(into: &packed, narrow))
    let wide = StatePacking(widths: narrow.widths(withRoomFor: [(cell, machine.value(of: cell))]))
    var again = UniqueArray<UInt64>()
    #expect(machine.pack(into: &again, wide) != cell)
  }

  /// The hash is a function of the cells alone.
  @Test func theHashDoesNotRememberTheWay() throws {
    let engine = try #require(Engine(name: "llist-2014"))
    func behind(_ order: [Int]) throws -> (cells: [Int32], hash: UInt64) {
      var workload = Workload(cpuCount: 2)
      workload.tasks = [Program([.disableInterrupts]), Program([.disableInterrupts])]
      var machine = engine.machine(for: workload, stackDepth: 4, isTracking: true)
      for cpu in order { #expect(engine.step(cpu, &machine) == .moved) }
      return (Self.cells(machine), machine.hash)
    }
    let one = try behind([0, 1])
    let other = try behind([1, 0])
    #expect(one.cells == other.cells)
    #expect(one.hash == other.hash)
    #expect(try behind([0]).hash != one.hash)
  }
}
