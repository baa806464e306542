import CallEngines
import Verdicts

/// Goes an exploration's way again, step by step, and writes down what happens.
struct CounterexampleBuilder: ~Copyable {
  private let engine: Engine
  private let scenario: Scenario
  private var machine: Machine
  /// What runs on each CPU, from the bottom of its stack.
  private var contexts: [[Counterexample.Context]]
  private var tracker = WaitTracker()
  private var steps: [Counterexample.Step] = []

  /// - Parameters:
  ///   - repeated: how many of the last actions are repeated for ever.
  ///   - redirects: the faults with which the way was found.
  static func build(
    engine: Engine, scenario: Scenario, actions: [Action], repeated: Int = 0, redirects: [Redirect] = []
  ) -> Counterexample {
    var builder = CounterexampleBuilder(engine: engine, scenario: scenario, length: actions.count)
    builder.machine.redirects = redirects
    let start = builder.cpus(withWaits: false)
    for action in actions { builder.go(action) }
    return builder.finish(start: start, repeated: repeated)
  }

  private init(engine: Engine, scenario: Scenario, length: Int) {
    self.engine = engine
    self.scenario = scenario
    // No step puts more than one program onto a stack.
    machine = engine.machine(for: scenario.workload, stackDepth: length + 2, isTracking: true)
    machine.isNarrating = true
    machine.forgetReports()
    contexts = []
    for cpu in 0..<scenario.workload.cpuCount {
      contexts.append(Array(repeating: .task, count: machine.depth(cpu)))
    }
  }

  // MARK: Steps

  private mutating func go(_ action: Action) {
    let cpu = action.cpu
    let before = contexts[cpu].last ?? .none
    machine.forgetReports()
    let kind: Counterexample.Kind
    switch action {
    case .step: kind = .step
    case .interrupt: kind = .interrupt
    case .stop: kind = .stop
    }
    var wait: Wait?
    switch engine.take(action, &machine) {
    case .moved: break
    case .blocked(let reason): wait = reason
    }
    machine.commit()
    let happenings = machine.happenings
    followStacks(cpu, kind, happenings)
    for happening in happenings { tracker.note(happening, on: cpu) }
    let after = contexts[cpu].last ?? .none
    steps.append(
      Counterexample.Step(
        cpu: cpu, kind: kind, context: kind == .step ? before : after, contextAfter: after,
        interruptsOnAfter: machine.interruptsEnabled(cpu), stateAfter: machine.state(of: cpu), happenings: happenings,
        waitsFor: wait))
  }

  /// Keeps ``contexts`` in step with the stacks: a program that was put on one is what the step says, or part of what was
  /// there.
  private mutating func followStacks(_ actor: Int, _ kind: Counterexample.Kind, _ happenings: [Happening]) {
    for cpu in contexts.indices {
      let depth = machine.depth(cpu)
      if depth < contexts[cpu].count { contexts[cpu].removeLast(contexts[cpu].count - depth) }
      while contexts[cpu].count < depth {
        contexts[cpu].append(
          cpu == actor ? Self.context(kind, happenings, above: contexts[cpu].last) : .onlining)
      }
    }
  }

  private static func context(
    _ kind: Counterexample.Kind, _ happenings: [Happening], above below: Counterexample.Context?
  ) -> Counterexample.Context {
    switch kind {
    case .interrupt: return .handler
    case .stop: return .stopper
    case .step: break
    }
    for happening in happenings.reversed() {
      if case .functionStarted = happening { return .function }
      if case .idled = happening { return .idle }
    }
    return below ?? .task
  }

  // MARK: The end

  private mutating func finish(start: [Counterexample.CPU], repeated: Int) -> Counterexample {
    let end = cpus(withWaits: true)
    let layout = machine.layout
    let names = Counterexample.Names(
      calls: scenario.callTexts, functions: scenario.workload.functions.map(\.name), locks: scenario.lockNames,
      storages: scenario.storageNames, csds: (0..<layout.csdCount).map { layout.owner(of: $0) })
    let unfinished = machine.unfinished.map { call, cpu in
      Counterexample.Unfinished(call: call, cpu: cpu, hasStarted: tracker.hasStarted(call, on: cpu))
    }
    return Counterexample(
      names: names, start: start, steps: steps, repeated: repeated, end: end, isStuck: isStuck(),
      unfinished: unfinished, cycle: WaitTracker.cycle(in: end))
  }

  private mutating func cpus(withWaits: Bool) -> [Counterexample.CPU] {
    var cpus: [Counterexample.CPU] = []
    for cpu in contexts.indices {
      var wait: Wait?
      if withWaits {
        machine.forgetReports()
        wait = engine.wait(of: cpu, &machine)
      }
      let waitsForCPUs = wait.map { tracker.cpus(waitedForBy: cpu, $0, engine, machine) } ?? []
      cpus.append(
        Counterexample.CPU(
          cpu: cpu, state: machine.state(of: cpu), context: contexts[cpu].last ?? .none,
          interruptsOn: machine.interruptsEnabled(cpu),
          pending: Vector.allCases.filter { machine.isPending($0, on: cpu) }, waitsFor: wait,
          waitsForCPUs: waitsForCPUs))
    }
    return cpus
  }

  private mutating func isStuck() -> Bool {
    for cpu in contexts.indices {
      if machine.pending(cpu) != 0, machine.takesInterrupts(cpu) { return false }
      if engine.canStop(cpu, machine) { return false }
      guard machine.depth(cpu) > 0 else { continue }
      let hash = machine.hash
      machine.forgetReports()
      switch engine.step(cpu, &machine) {
      case .moved:
        machine.takeBack(hash: hash)
        return false
      case .blocked: continue
      }
    }
    return true
  }
}
