import TestSupport
import TraceTypes

@testable import CallEngines

/// What a kernel with the engine ``Mainline`` would have recorded: a random run of the engine, written down as the events that
/// the kernel's tracepoints give, at the places where they stand.
///
/// The events that announce a step (`csd_queue_cpu`, `ipi_send_cpu`, `csd_function_entry`) come at any moment between the CPU's
/// last step and this one, the others (`csd_function_exit`, the handler's entry) at any moment before its next.
struct EngineTrace {
  let workload: Workload
  private(set) var lines: [String] = []
  /// Functions that ran as queued calls, with a csd or a task's node.
  private(set) var runs = 0
  /// Whether all programs came to their end.
  private(set) var hasEnded = false

  /// The lines, in the order of time.
  var text: String {
    func time(_ line: String) -> Int { Int(line.prefix { $0 != " " }) ?? 0 }
    return lines.sorted { time($0) < time($1) }.joined(separator: "\n")
  }

  private var random: RepeatableRandom
  private var now = 1_000
  /// When each CPU last took a step, and last wrote an event.
  private var lastStep: [Int]
  private var lastEvent: [Int]
  private var handlerDepth: [Int]
  /// What each CPU runs, innermost last; nil for a local run.
  private var running: [[String?]]
  private var wakeupsAreRunning: [Bool]
  /// Nodes on queues, by call and CPU.
  private var queued: [[Int]: Int] = [:]

  init(workload: Workload, redirects: [Redirect] = [], random: RepeatableRandom) {
    self.workload = workload
    self.random = random
    let none = Array(repeating: 0, count: workload.cpuCount)
    (lastStep, lastEvent, handlerDepth) = (none.map { _ in 900 }, none.map { _ in 900 }, none)
    running = none.map { _ in [] }
    wakeupsAreRunning = none.map { _ in false }
    writeBegin()
    run(redirects)
    for cpu in 0..<workload.cpuCount { lines.append("\(now + 1_000) \(cpu) switch") }
  }

  /// Every CPU is seen outside any call, and every queue is known to be empty.
  private mutating func writeBegin() {
    for cpu in 0..<workload.cpuCount { lines.append("10 \(cpu) switch") }
    for cpu in 0..<workload.cpuCount {
      let source = (cpu + 1) % workload.cpuCount
      let time = 100 + cpu * 20
      lines += [
        "\(time) \(source) queue \(cpu) warm w\(cpu)", "\(time + 1) \(source) ipi \(cpu)", "\(time + 5) \(cpu) handler",
        "\(time + 6) \(cpu)h run warm w\(cpu)", "\(time + 7) \(cpu)h done warm w\(cpu)", "\(time + 8) \(cpu) return",
        "\(time + 10) \(source) switch",
      ]
    }
  }

  private mutating func run(_ redirects: [Redirect]) {
    let engine = Engine.mainline(Mainline())
    var machine = engine.machine(for: workload, stackDepth: 12, isTracking: true)
    machine.isNarrating = true
    machine.redirects = redirects
    for _ in 0..<20_000 {
      now += 10
      guard let cpu = move(engine, &machine) else { break }
      for happening in machine.happenings { write(happening, on: cpu, machine) }
      machine.commit()
      lastStep[cpu] = now
    }
    hasEnded = (0..<workload.cpuCount).allSatisfy { machine.depth($0) == 0 } && machine.unfinished.isEmpty
  }

  /// Lets somebody move who can. An interrupt that is pending is taken sooner or later.
  private mutating func move(_ engine: Engine, _ machine: inout Machine) -> Int? {
    let order = Array(0..<workload.cpuCount).shuffled(using: &random)
    for takesInterrupts in [Bool.random(using: &random), true] {
      for cpu in order {
        machine.forgetReports()
        if takesInterrupts, machine.takesInterrupts(cpu),
          let vector = Vector.allCases.first(where: { machine.isPending($0, on: cpu) })
        {
          engine.takeInterrupt(vector, on: cpu, &machine)
          return cpu
        }
        machine.choice = 0
        if machine.depth(cpu) > 0, engine.step(cpu, &machine) == .moved { return cpu }
      }
    }
    return nil
  }

  // MARK: Events

  private mutating func write(_ happening: Happening, on cpu: Int, _ machine: borrowing Machine) {
    switch happening {
    case .added(let csd, let target, _):
      let call = machine.call(csd)
      queued[[call, target]] = csd
      let kind: String
      switch workload.calls[call].kind {
      case .many, .onEach: kind = "many"
      case .irqWork: kind = "irqwork"
      case .wakeup: kind = "ttwu"
      default: kind = "single"
      }
      announce("queue \(target) \(function(call)) c\(csd) \(kind)", on: cpu, machine)
    case .ipiSent(let vector, let cpus):
      switch vector {
      case .single: announce("ipi \(cpus[0])", on: cpu, machine)
      case .many: announce("mask \(cpus.map(String.init).joined(separator: ","))", on: cpu, machine)
      case .irqWork: announce("selfwork", on: cpu, machine)
      case .reschedule: preconditionFailure("with the queue for wakeups none is sent")
      }
    case .pollerWoken(let target): announce("poll \(target)", on: cpu, machine)
    case .interruptTaken(let vector):
      handlerDepth[cpu] += 1
      if vector != .irqWork { follow("handler", on: cpu, level: "h") }
    case .interruptReturned:
      handlerDepth[cpu] -= 1
      // The handler's own exit stands before the return.
      let time = moment(before: cpu)
      lines.append("\(time) \(cpu) return")
    case .functionStarted(_, let call): functionStarted(call, on: cpu, machine)
    case .functionFinished(_, let call): functionFinished(call, on: cpu)
    case .callReturned: follow("switch", on: cpu, level: level(cpu, machine))
    default: break
    }
  }

  private mutating func functionStarted(_ call: Int, on cpu: Int, _ machine: borrowing Machine) {
    // An irq_work shows no callback, and all wakeups of a flush show one.
    if workload.calls[call].kind == .irqWork { return }
    if workload.calls[call].kind == .wakeup {
      runs += 1
      if wakeupsAreRunning[cpu] { return }
      wakeupsAreRunning[cpu] = true
    }
    if let csd = queued.removeValue(forKey: [call, cpu]) {
      if workload.calls[call].kind != .wakeup { runs += 1 }
      running[cpu].append("\(function(call)) c\(csd)")
      announce("run \(function(call)) c\(csd)", on: cpu, machine)
    } else {
      running[cpu].append(nil)
      announce("local \(function(call))", on: cpu, machine)
    }
  }

  private mutating func functionFinished(_ call: Int, on cpu: Int) {
    if workload.calls[call].kind == .irqWork { return }
    if workload.calls[call].kind == .wakeup {
      if !wakeupsAreRunning[cpu] { return }
      wakeupsAreRunning[cpu] = false
    }
    let level = handlerDepth[cpu] > 0 ? "h" : "i"
    switch running[cpu].popLast() {
    case .some(.some(let name)): follow("done \(name)", on: cpu, level: level)
    case .some(.none): follow("localdone \(function(call))", on: cpu, level: level)
    case .none: break
    }
  }

  private func function(_ call: Int) -> String {
    workload.calls[call].kind == .wakeup ? "sched_ttwu_pending" : "f\(call)"
  }

  private func level(_ cpu: Int, _ machine: borrowing Machine) -> String {
    handlerDepth[cpu] > 0 ? "h" : machine.interruptsEnabled(cpu) ? "t" : "i"
  }

  /// An event that stands before its step.
  private mutating func announce(_ text: String, on cpu: Int, _ machine: borrowing Machine) {
    lines.append("\(moment(before: cpu)) \(cpu)\(level(cpu, machine)) \(text)")
  }

  /// An event that stands behind its step.
  private mutating func follow(_ text: String, on cpu: Int, level: String) {
    let time = max(now, lastEvent[cpu] + 1) + Int.random(in: 0..<4, using: &random)
    lastEvent[cpu] = time
    lines.append("\(time) \(cpu)\(level) \(text)")
  }

  private mutating func moment(before cpu: Int) -> Int {
    let earliest = max(lastStep[cpu], lastEvent[cpu]) + 1
    let time = earliest >= now ? earliest : Int.random(in: earliest...now, using: &random)
    lastEvent[cpu] = time
    return time
  }
}
