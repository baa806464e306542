import CallEngines
import Verdicts

/// A counterexample as a table of lanes, one for each CPU, in words: what text and HTML have in common.
struct LaneDiagram {
  /// What a lane's line shows.
  enum Line {
    case interruptsOn
    case interruptsOff
    /// Offline, and running nothing.
    case dead

    init(_ state: CPUState, interruptsOn: Bool) {
      switch state {
      case .dead: self = .dead
      case .online, .dying, .leaving, .rising: self = interruptsOn ? .interruptsOn : .interruptsOff
      }
    }
  }

  struct Entry {
    /// Escaped.
    var text: String
    /// The CPUs to which an arrow goes.
    var arrows: [Int] = []
  }

  struct Row {
    /// From 1. Steps in which nothing happened that a reader needs have no row.
    var step: Int
    var cpu: Int
    var context: Counterexample.Context
    var entries: [Entry]
    /// For each of ``LaneDiagram/cpus``.
    var lines: [Line]
    /// Whether the step is one of those that are repeated for ever.
    var isRepeated: Bool
  }

  /// The CPUs that have a lane: those that take part.
  let cpus: [Int]
  let rows: [Row]
  let stepCount: Int
  let start: [Line]
  /// What each CPU with a lane does at the end.
  let ends: [(cpu: Int, words: String)]
  /// Sentences on what came of it.
  let conclusions: [String]

  init(_ example: Counterexample) {
    let words = HappeningWords(example.names)
    let cpus = Self.participants(of: example)
    self.cpus = cpus
    stepCount = example.steps.count
    var lines = example.start.map { Line($0.state, interruptsOn: $0.interruptsOn) }
    start = cpus.compactMap { lines.indices.contains($0) ? lines[$0] : nil }
    var rows: [Row] = []
    for (index, step) in example.steps.enumerated() {
      if lines.indices.contains(step.cpu) {
        lines[step.cpu] = Line(step.stateAfter, interruptsOn: step.interruptsOnAfter)
      }
      var entries = step.happenings.map { happening in
        Entry(text: words.words(happening, on: step.cpu), arrows: Self.arrows(of: happening))
      }
      if let wait = step.waitsFor { entries.append(Entry(text: "waits for \(words.wait(wait))")) }
      if entries.isEmpty, index == example.steps.count - 1 { entries.append(Entry(text: "goes on")) }
      if entries.isEmpty { continue }
      rows.append(
        Row(
          step: index + 1, cpu: step.cpu, context: step.context, entries: entries,
          lines: cpus.map { lines.indices.contains($0) ? lines[$0] : .dead },
          isRepeated: index >= example.steps.count - max(0, example.repeated)))
    }
    self.rows = rows
    ends = example.end.filter { cpus.contains($0.cpu) }.map { ($0.cpu, Self.end(of: $0, words)) }
    conclusions = Self.conclusions(example, words)
  }

  /// The contexts that appear, in their order.
  var contexts: [Counterexample.Context] {
    Counterexample.Context.allCases.filter { context in rows.contains { $0.context == context } }
  }

  private static func arrows(of happening: Happening) -> [Int] {
    switch happening {
    case .ipiSent(_, let cpus): cpus
    case .pollerWoken(let cpu): [cpu]
    default: []
    }
  }

  private static func participants(of example: Counterexample) -> [Int] {
    var cpus = Set(example.steps.map(\.cpu))
    for step in example.steps {
      for happening in step.happenings { cpus.formUnion(arrows(of: happening)) }
    }
    cpus.formUnion(example.unfinished.map(\.cpu))
    cpus.formUnion(example.end.filter { $0.waitsFor != nil }.map(\.cpu))
    return example.start.map(\.cpu).filter { cpus.contains($0) }
  }

  // MARK: The end

  private static func end(of cpu: Counterexample.CPU, _ words: HappeningWords) -> String {
    var parts: [String] = []
    if let wait = cpu.waitsFor {
      let others = cpu.waitsForCPUs
      let whom = others.isEmpty ? "" : others == [cpu.cpu] ? " by itself" : " by \(HappeningWords.cpus(others))"
      switch wait {
      case .csd: parts.append("waits for \(words.wait(wait))\(whom)")
      case .lock:
        let holder = others == [cpu.cpu] ? ", which it holds itself" : ", which \(HappeningWords.cpus(others)) holds"
        parts.append("waits for \(words.wait(wait))\(others.isEmpty ? "" : holder)")
      case .flag(.targeted):
        parts.append("waits for \(words.wait(wait))\(others.isEmpty ? "" : ", behind \(HappeningWords.cpus(others))")")
      case .flag, .hotplug, .idle: parts.append("waits for \(words.wait(wait))")
      }
    } else {
      switch (cpu.state, cpu.context) {
      case (.dead, _): parts.append("is dead")
      case (_, .none): parts.append("has nothing left to do")
      case (_, .idle): parts.append("idles")
      default: parts.append("can go on")
      }
    }
    if cpu.context != .none, cpu.waitsFor != nil { parts.append("in its \(name(cpu.context))") }
    if cpu.state != .dead, !cpu.interruptsOn { parts.append("interrupts off") }
    for vector in cpu.pending { parts.append("\(HappeningWords.vector(vector)) pending") }
    return parts.joined(separator: ", ")
  }

  private static func conclusions(_ example: Counterexample, _ words: HappeningWords) -> [String] {
    var sentences: [String] = []
    if example.cycle.count == 1 {
      sentences.append("CPU\u{a0}\(example.cycle[0]) waits for itself.")
    } else if let first = example.cycle.first {
      let circle = (example.cycle + [first]).map { "CPU\u{a0}\($0)" }.joined(separator: " → ")
      sentences.append("They wait for each other: \(circle).")
    }
    for item in example.unfinished {
      let call = words.call(item.call)
      let never = example.isStuck ? "never" : "not yet"
      sentences.append("\(call) has \(never) \(item.hasStarted ? "ended" : "run") on CPU\u{a0}\(item.cpu).")
    }
    return sentences
  }

  static func name(_ context: Counterexample.Context) -> String {
    switch context {
    case .none: "nothing"
    case .task: "task"
    case .handler: "handler"
    case .function: "function"
    case .stopper: "stopper"
    case .idle: "idle loop"
    case .onlining: "way online"
    }
  }

  /// One letter for a context.
  static func letter(_ context: Counterexample.Context) -> String {
    switch context {
    case .none: "-"
    case .task: "T"
    case .handler: "H"
    case .function: "F"
    case .stopper: "S"
    case .idle: "I"
    case .onlining: "O"
    }
  }
}
