import ArgumentParser
import CallEngines
import Drivers
import Glibc
import Reports
import Verdicts

/// `ipitrace check`: explores scenarios, and holds what is found against what is claimed.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Explore every interleaving of a small configuration.",
    usage: """
      ipitrace check --all [--engine <engine>]
      ipitrace check <scenario> | <file> | -
      ipitrace check <engine>[:<variant>] [--cpus <count>] [--cpu <program>]…
      """,
    discussion: """
      SUBJECT is a scenario that comes with the program (--list shows them), a file of scenarios, or an engine. For an \
      engine the options below say what its CPUs do, in the words of a scenario file: \
      --cpu '0: irqs-off; single 1 f wait' --function 'f: lock A; unlock A'. Each violation is shown with one of the \
      shortest ways to it.

      A scenario file has one statement to a line: scenario NAME, claim TEXT, source TEXT, cpus COUNT, node NODE: CPUS, \
      offline CPUS, allocation HOW, function NAME: PROGRAM, cpu CPU: PROGRAM, \
      engine NAME[:VARIANT] [violates PROPERTY,…] [holds PROPERTY,…]. A PROGRAM is operations with ; between them:

      irqs-off, irqs-on, lock NAME, unlock NAME, down CPU, up CPU, idle, user, kernel, repeat
      single CPU FUNCTION [wait], many CPUS FUNCTION [wait], each CPUS FUNCTION [wait], any CPUS FUNCTION [wait]
      async CPU CSD FUNCTION, queue CPU QSD FUNCTION, irq-work CPU WORK FUNCTION, wakeup CPU TASK
      xcall CPU|all FUNCTION FLAGS, xcall-mask CPUS FUNCTION FLAGS, xcall-any CPUS FUNCTION FLAGS, \
      xcall-private CPU CSD FUNCTION FLAGS, where FLAGS is sync, async, irq-work, ttwu or a number

      Behind a call may stand ‘defer’, if its function may run as late as when the target enters the kernel, ‘if CPUS’, \
      those for which its condition is true, and ‘-> RESULT|RESULT…’, what it may return (0, -ENXIO, -EBUSY, -ENOMEM, \
      -EINVAL).

      The exit status is 0 if every property came out as claimed, 1 if one did not or was not decided or an output \
      can't be written, 2 on wrong usage, 3 if a file can't be read.
      """)

  @Argument(
    help: ArgumentHelp("A scenario, a file of scenarios (- is standard input), or an engine.", valueName: "subject"),
    completion: .file(extensions: ["scenario"]))
  var subject: String?

  @Flag(help: "Explore all scenarios that come with the program.")
  var all = false

  @Flag(help: "List the scenarios that come with the program.")
  var list = false

  @Option(help: ArgumentHelp("Only with this engine, NAME or NAME:VARIANT.", valueName: "engine"))
  var engine: String?

  @Option(name: .customLong("property"), help: ArgumentHelp("Decide only this property.", valueName: "name"))
  var properties: [String] = []

  @OptionGroup(title: "Options for an engine")
  var own: OwnScenario

  @Option(
    help: ArgumentHelp("Memory for states, for example 512M or 4G. (default: 2G)", valueName: "size"),
    transform: { text in
      guard let size = MemorySize(parsing: text) else { throw ValidationError("‘\(text)’ is no size: 512M, 4G") }
      return size
    })
  var memory: MemorySize?

  @Flag(help: "Explore orders that nobody can tell apart, too.")
  var noReduction = false

  @Option(help: "Write the result as JSON; - is standard output.", completion: .file())
  var json: String?

  @Option(help: "Write the result as one HTML page; - is standard output.", completion: .file())
  var html: String?

  @Flag(help: "Print a line for every property, also for those that nobody asks about.")
  var verbose = false

  func validate() throws {
    guard !list || subject == nil else { throw ValidationError("--list takes no subject.") }
    guard [subject != nil, all, list].contains(true) else {
      throw ValidationError("Say what to explore: a scenario, a file, an engine, or --all.")
    }
    guard !all || subject == nil else { throw ValidationError("--all takes no subject.") }
    guard json != "-" || html != "-" else { throw ValidationError("Only one output can go to standard output.") }
  }

  func run() throws {
    let scenarios = try selectedScenarios()
    do {
      if list {
        try printList(scenarios)
        return
      }
      let result = try explore(scenarios)
      try write(result)
      if !result.isAsClaimed { throw ExitCode(1) }
    } catch let error as OutputError {
      StandardError.complain("ipitrace check: \(VisibleText.escape(error.description, limit: 1_000))")
      throw ExitCode(1)
    }
  }

  // MARK: Exploring

  private func explore(_ scenarios: [Scenario]) throws -> CheckResult {
    var check = ScenarioCheck()
    check.options.reduces = !noReduction
    check.options.memoryLimit = try memoryLimit()
    check.properties = try chosenProperties()
    var progress = ProgressLine(count: scenarios.reduce(0) { $0 + $1.cases.count })
    defer { progress.clear() }
    var lines: [CheckLine] = []
    for scenario in scenarios {
      for item in scenario.cases {
        check.options.progress = progress.next("\(scenario.name) \(item.engineName)")
        lines += check.lines(of: scenario, item)
      }
    }
    return CheckResult(lines: lines)
  }

  private func memoryLimit() throws -> Int {
    let available = MemorySize.ofMachine
    guard let memory else { return min(MemorySize.standard.bytes, available.bytes / 2) }
    guard memory.bytes <= available.bytes else {
      throw ValidationError("--memory \(memory): there are only \(available) here.")
    }
    return memory.bytes
  }

  private func chosenProperties() throws -> [Property]? {
    if properties.isEmpty { return nil }
    let names = properties.flatMap { $0.split(separator: ",").map(String.init) }
    let chosen = try names.map { name in
      guard let property = Property(name: name) else {
        throw ValidationError(
          "No property ‘\(VisibleText.escape(name))’. They are \(Property.allCases.map(\.name).joined(separator: ", "))."
        )
      }
      return property
    }
    return Property.allCases.filter { chosen.contains($0) }
  }

  // MARK: Output

  private func write(_ result: CheckResult) throws {
    if let json { try OutputFile.write(JSONReport.render(result), to: json) }
    if let html { try OutputFile.write(Array(HTMLReport.render(result).utf8), to: html) }
    if json == "-" || html == "-" { return }
    let explorations = Set(result.lines.map { [$0.scenario, $0.engineName] }).count
    var detail = TerminalReport.CheckDetail()
    detail.showsAllProperties = verbose || explorations == 1
    detail.showsClaimedTraces = !all
    try OutputFile.write(terminalReport.render(result, detail: detail), to: "-")
  }

  private func printList(_ scenarios: [Scenario]) throws {
    var list = ScenarioList()
    for scenario in scenarios {
      list.add(name: scenario.name, claim: scenario.claim, engines: scenario.cases.map(\.engineName))
    }
    try OutputFile.write(list.render(width: terminalReport.width, style: terminalReport.style), to: "-")
  }

  private var terminalReport: TerminalReport { .forStandardOutput }
}

extension TerminalReport {
  /// The report as standard output can show it.
  static var forStandardOutput: TerminalReport {
    let terminal = TerminalFacts(descriptor: STDOUT_FILENO)
    return TerminalReport(width: terminal.width ?? defaultWidth, style: terminal.wantsColour ? .ansi : .plain)
  }
}
