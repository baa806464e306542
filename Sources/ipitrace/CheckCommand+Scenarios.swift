import ArgumentParser
import CallEngines
import Drivers
import Reports

extension CheckCommand {
  /// The scenarios that the user names, with the engines that the user wants.
  func selectedScenarios() throws -> [Scenario] {
    var scenarios = try namedScenarios()
    guard let engine else { return scenarios }
    guard Engine(name: engine) != nil else { throw unknownEngine(engine) }
    for index in scenarios.indices {
      scenarios[index].cases.removeAll { $0.engineName != engine && $0.engineName.prefix { $0 != ":" } != engine }
    }
    scenarios.removeAll { $0.cases.isEmpty }
    if scenarios.isEmpty { throw ValidationError("None of these scenarios has the engine ‘\(engine)’.") }
    return scenarios
  }

  private func namedScenarios() throws -> [Scenario] {
    guard let subject else {
      try own.refuse(for: "--all")
      return ScenarioLibrary.all
    }
    if let scenario = ScenarioLibrary.all.first(where: { $0.name == subject }) {
      try own.refuse(for: "a scenario")
      return [scenario]
    }
    let name = subject.prefix { $0 != ":" }
    if EngineDescription.all.contains(where: { $0.name == name }) {
      let full = try own.engineName(subject)
      guard let engine = Engine(name: full) else { throw unknownEngine(full) }
      return [try own.scenario(for: engine, named: full)]
    }
    guard subject == "-" || subject.contains(where: { $0 == "/" || $0 == "." }) else {
      throw ValidationError(
        """
        ‘\(VisibleText.escape(subject))’ is no scenario (see --list), no engine (see ‘ipitrace engines’), and no name \
        of a file: write ./\(VisibleText.escape(subject)) for one without a dot.
        """)
    }
    try own.refuse(for: "a file")
    return try readScenarios(path: subject)
  }

  private func unknownEngine(_ name: String) -> ValidationError {
    let names = EngineDescription.all.map(\.name).joined(separator: ", ")
    return ValidationError(
      "No engine or variant ‘\(VisibleText.escape(name))’. The engines are \(names); ‘ipitrace engines’ shows their variants."
    )
  }

  // MARK: Files

  private func readScenarios(path: String) throws -> [Scenario] {
    let place = path == "-" ? "standard input" : VisibleText.escape(path, limit: 1_000)
    do {
      // One more, so that the parser sees what is too long.
      let bytes = try InputBytes.read(path: path, limit: ScenarioParser.maximumLength + 1)
      let scenarios = try ScenarioParser.parse(bytes: bytes)
      if scenarios.isEmpty { throw unreadable("\(place): no scenario in it") }
      if let idle = scenarios.first(where: \.cases.isEmpty) {
        throw unreadable("\(place): scenario \"\(VisibleText.escape(idle.name))\" names no engine")
      }
      return scenarios
    } catch let error as InputError {
      throw unreadable("can't read \(place): \(error.reason)")
    } catch let error as ScenarioError {
      throw unreadable("\(place):\(error.line): \(VisibleText.escape(error.reason, limit: 400))")
    }
  }

  private func unreadable(_ sentence: String) -> ExitCode {
    StandardError.complain("ipitrace check: \(sentence)")
    return ExitCode(3)
  }
}

/// What an engine's CPUs do, said by options in the words of a scenario file.
struct OwnScenario: ParsableArguments {
  @Option(help: ArgumentHelp("How many CPUs. (default: 2, or what --cpu needs)", valueName: "count"))
  var cpus: String?

  @Option(
    name: .customLong("cpu"), help: ArgumentHelp("What a CPU's task does: 'CPU: OPERATION; …'", valueName: "program"))
  var programs: [String] = []

  @Option(
    name: .customLong("function"),
    help: ArgumentHelp("What a function does: 'NAME: OPERATION; …' (default: nothing)", valueName: "program"))
  var functions: [String] = []

  @Option(help: ArgumentHelp("How allocations end: succeeds, fails, or either.", valueName: "how"))
  var allocation: String?

  @Option(help: ArgumentHelp("CPUs that are offline at the start.", valueName: "list"))
  var offline: String?

  @Option(name: .customLong("node"), help: ArgumentHelp("CPUs of a node: 'NODE: LIST'", valueName: "node"))
  var nodes: [String] = []

  @Option(help: ArgumentHelp("The engine's variant, as behind the colon of its name.", valueName: "variant"))
  var variant: String?

  /// The engine's whole name.
  func engineName(_ subject: String) throws -> String {
    guard let variant else { return subject }
    guard !subject.contains(":") else { throw ValidationError("Give the variant once: ‘\(subject)’ has one.") }
    return "\(subject):\(variant)"
  }

  /// - Throws: where one of these options was given.
  func refuse(for what: String) throws {
    let given: [(Bool, String)] = [
      (cpus != nil, "--cpus"), (!programs.isEmpty, "--cpu"), (!functions.isEmpty, "--function"),
      (allocation != nil, "--allocation"), (offline != nil, "--offline"), (!nodes.isEmpty, "--node"),
      (variant != nil, "--variant"),
    ]
    if let first = given.first(where: \.0) { throw ValidationError("\(first.1) is for an engine, not for \(what).") }
  }

  func scenario(for engine: Engine, named name: String) throws -> Scenario {
    // Each line with where it comes from.
    var lines: [(text: String, origin: String)] = [("scenario command-line", "")]
    func add(_ keyword: String, _ values: [String], _ option: String) throws {
      for value in values {
        guard !value.contains(where: \.isNewline) else {
          throw ValidationError("\(option): a line break in the value.")
        }
        lines.append(("\(keyword) \(value)", "\(option) ‘\(VisibleText.escape(value))’: "))
      }
    }
    let count = cpus ?? "\(neededCPUs)"
    try add("cpus", [count], "--cpus")
    try add("allocation", allocation.map { [$0] } ?? [], "--allocation")
    try add("offline", offline.map { [$0] } ?? [], "--offline")
    try add("node", nodes, "--node")
    try add("function", functions, "--function")
    try add("cpu", programs.isEmpty ? Self.workload(for: engine, cpus: Int(count) ?? 2) : programs, "--cpu")
    lines.append(("engine \(name)", ""))
    do {
      // The text has one scenario.
      return try ScenarioParser.parse(lines.map(\.text).joined(separator: "\n"))[0]
    } catch {
      let origin = lines.indices.contains(error.line - 1) ? lines[error.line - 1].origin : ""
      throw ValidationError("\(origin)\(VisibleText.escape(error.reason, limit: 400)).")
    }
  }

  private var neededCPUs: Int {
    let named = programs.compactMap { program in Int(program.prefix { $0 != ":" }.filter { !$0.isWhitespace }) }
    return max(2, min(named.max() ?? 0, Action.maximumCPUs) + 1)
  }

  /// Every CPU calls the next one, every other call waits.
  private static func workload(for engine: Engine, cpus: Int) -> [String] {
    let count = min(max(cpus, 1), Action.maximumCPUs)
    return (0..<count).map { cpu in
      let target = (cpu + 1) % count
      let waits = cpu % 2 == 0
      if engine.supports(.queue) { return "\(cpu): queue \(target) q\(target) f\(cpu)" }
      if engine.supports(.xcall) { return "\(cpu): xcall \(target) f\(cpu) \(waits ? "sync" : "async")" }
      return "\(cpu): single \(target) f\(cpu)\(waits ? " wait" : "")"
    }
  }
}
