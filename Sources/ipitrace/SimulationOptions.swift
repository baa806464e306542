import ArgumentParser
import CallEngines
import Drivers
import Reports
import TraceTypes

/// What `replay` is told about running a recording's load on other engines.
struct SimulationOptions: ParsableArguments {
  @Option(
    name: .customLong("engine"),
    help: """
      Run the recording's load on this engine as well, NAME or NAME:CHOICE,CHOICE…; can be given several times. \
      `ipitrace engines` lists them. The engine that was recorded is always run, to see how far the simulation can be \
      trusted.
      """)
  var engines: [EngineArgument] = []

  @Option(
    help: """
      Take the costs from this file, which --save-costs wrote, and not from the recording; - is standard input. What the \
      file leaves out stays as measured.
      """, completion: .file())
  var costs: String?

  @Option(
    name: .customLong("save-costs"), help: "Write the costs that were used to this file; - is standard output.",
    completion: .file())
  var saveCosts: String?

  @Option(help: ArgumentHelp("The number from which all chance comes.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Compress the times between calls by this factor.", valueName: "factor"))
  var speedup = 1.0

  @Option(
    help: ArgumentHelp(
      "Make each call this often, on a machine with so many times as many CPUs, at most 1024.", valueName: "number"))
  var copies = 1

  @Option(
    name: .customLong("cpus-map"),
    help: ArgumentHelp(
      "Put recorded CPUs onto others: LIST:LIST, one to one, or all to one; several, divided by ‘;’.",
      valueName: "map"))
  var cpusMap: CPUsMapArgument?

  @Option(
    name: .customLong("alloc-failure-rate"),
    help: ArgumentHelp("Let this share of allocations fail, 0 to 1.", valueName: "share"))
  var allocationFailureRate = 0.0

  @Option(
    name: .customLong("coalesce"),
    help: ArgumentHelp("Hold IPIs to one CPU back this long, so that others go with them.", valueName: "nanoseconds"))
  var coalescingNanoseconds: UInt64 = 0

  @Option(
    name: .customLong("defer"),
    help: ArgumentHelp(
      "Callbacks whose IPIs ‘mainline:deferral’ may defer, by name, divided by commas.", valueName: "callbacks"))
  var deferrable: String?

  @Option(
    name: .customLong("user-cpus"),
    help: ArgumentHelp(
      "CPUs that are in user space unless they are seen in the kernel. Without it: the isolated ones.",
      valueName: "cpus"))
  var userCPUs: CPUListArgument?

  mutating func validate() throws {
    guard costs == nil || !engines.isEmpty || saveCosts != nil else {
      throw ValidationError("--costs is about a simulation: name an --engine as well.")
    }
    guard speedup > 0, speedup.isFinite, speedup <= 1_000_000 else {
      throw ValidationError("--speedup is a factor above 0.")
    }
    guard (1...Simulation.mostCPUs).contains(copies) else {
      throw ValidationError("--copies is a number from 1 to \(Simulation.mostCPUs).")
    }
    guard (0...1).contains(allocationFailureRate) else {
      throw ValidationError("--alloc-failure-rate is a share from 0 to 1.")
    }
  }

  /// What is asked for; nil if no engine is named.
  func request(isStream: Bool) throws -> SimulationRequest? {
    guard !engines.isEmpty || saveCosts != nil else { return nil }
    if isStream {
      throw ValidationError("A simulation reads the recording twice: it needs a file.")
    }
    var request = SimulationRequest()
    request.engines = engines
    request.costs = try costs.map { try CostsFile.read(path: $0) }
    request.saveCosts = saveCosts
    request.scaling.speedup = speedup
    request.scaling.copies = copies
    request.scaling.cpusMap = cpusMap?.map ?? [:]
    request.seed = seed
    request.allocationFailureRate = allocationFailureRate
    request.coalescingNanoseconds = coalescingNanoseconds
    request.deferrable = deferrable.map { $0.split(separator: ",").map(String.init) } ?? []
    request.userCPUs = userCPUs?.mask
    return request
  }
}

/// What a simulation is asked for.
struct SimulationRequest {
  var engines: [EngineArgument] = []
  var costs: GivenCosts?
  var saveCosts: String?
  var scaling = Simulation.Scaling()
  var seed: UInt64 = 1
  var allocationFailureRate = 0.0
  var coalescingNanoseconds: UInt64 = 0
  /// Names of callbacks.
  var deferrable: [String] = []
  var userCPUs: CPUMask?
}

/// An engine with its variant, as users name it.
struct EngineArgument: ExpressibleByArgument {
  let name: String
  let variant: String?
  let engine: Engine

  init?(argument: String) {
    guard let engine = Engine(name: argument) else { return nil }
    self.engine = engine
    let parts = argument.split(separator: ":", maxSplits: 1)
    name = String(parts[0])
    variant = parts.count == 2 ? String(parts[1]) : nil
  }

  static var allValueStrings: [String] { EngineDescription.all.map(\.name) }
}

/// `0-3:4-7;8:0`
struct CPUsMapArgument: ExpressibleByArgument {
  let map: [Int: Int]

  init?(argument: String) {
    var map: [Int: Int] = [:]
    for part in argument.split(separator: ";") {
      let sides = part.split(separator: ":", omittingEmptySubsequences: false)
      guard sides.count == 2, let from = CPUMask(list: sides[0])?.cpus, let to = CPUMask(list: sides[1])?.cpus,
        !from.isEmpty, to.count == from.count || to.count == 1
      else { return nil }
      for (index, cpu) in from.enumerated() {
        guard to[index % to.count] < Simulation.mostCPUs else { return nil }
        map[cpu] = to[index % to.count]
      }
    }
    guard !map.isEmpty else { return nil }
    self.map = map
  }
}
