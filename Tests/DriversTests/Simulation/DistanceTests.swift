import CallEngines
import CallHistories
import TestSupport
import Testing
import TraceTypes
import Verdicts

@testable import Drivers

/// An IPI takes as long as its way: to a thread of the same core, to another core of the node, to another node.
///
/// Eight CPUs in two nodes, 0-3 and 4-7. CPUs 0 and 1 share a core, 4 and 5 do; the cores of the others are not known.
@Suite struct DistanceTests {
  private static let nodes = Dictionary(uniqueKeysWithValues: (0..<8).map { ($0, $0 / 4) })
  private static let cores = [0: 0, 1: 0, 4: 4, 5: 4]

  /// What a delivery from CPU 0 takes in the recording.
  private static func nanoseconds(to target: Int) -> Int { target == 1 ? 400 : target < 4 ? 1_000 : 3_000 }

  /// Calls from CPU 0 to every other CPU, thirty times.
  private static func recording() throws -> TraceScript {
    var lines: [String] = []
    for index in 0..<30 * 7 {
      let target = index % 7 + 1
      let time = 1_000_000 + index * 100_000
      let handler = time + 100 + nanoseconds(to: target)
      lines += [
        "\(time) 0 queue \(target) callback csd\(target)", "\(time + 100) 0 ipi \(target)",
        "\(handler) \(target)h handler", "\(handler + 300) \(target)h run callback csd\(target)",
        "\(handler + 500) \(target)h done callback csd\(target)", "\(handler + 570) \(target)h return",
      ]
    }
    return try TraceScript(lines.joined(separator: "\n"))
  }

  private static func costs(nodes: [Int: Int], cores: [Int: Int]) throws -> CostModel {
    let analysis = ReplayAnalysis(
      watched: [:], recordedKinds: Set(EventKind.allCases), kernelReports: nil,
      sink: SurveySink(next: NoCallSink(), nodes: nodes, cores: cores, window: nil))
    var settings = HistorySettings()
    settings.recordedKinds = Set(EventKind.allCases)
    settings.cpus = Array(0..<8)
    let names = ScriptNames(names: ["callback"])
    settings.crossCallFunction = ScriptNames.address(of: ScriptNames.crossCall)
    var builder = HistoryBuilder(settings: settings, names: names, consumer: analysis)
    try recording().feed(&builder)
    builder.finish()
    return analysis.sink.costs.model
  }

  private static func constant(_ distribution: CostModel.Distribution) -> UInt64? {
    let (least, most) = (distribution.draw(0), distribution.draw(.max))
    return least == most ? least : nil
  }

  @Test func eachDistanceIsMeasuredByItself() throws {
    let costs = try Self.costs(nodes: Self.nodes, cores: Self.cores)
    #expect(Self.constant(costs[.deliverySameCore]) == 400 && costs[.deliverySameCore].count == 30)
    #expect(Self.constant(costs[.deliverySameNode]) == 1_000 && costs[.deliverySameNode].count == 60)
    #expect(Self.constant(costs[.deliveryOtherNode]) == 3_000 && costs[.deliveryOtherNode].count == 120)
    // All of them.
    #expect(costs[.delivery].count == 210 && costs[.delivery].draw(0) == 400 && costs[.delivery].draw(.max) == 3_000)
    for item in [CostModel.Item.deliverySameCore, .deliverySameNode, .deliveryOtherNode] {
      #expect(!costs[item].isAssumed)
    }
  }

  @Test func whatIsNotKnownIsNotMeasured() throws {
    let coresOnly = try Self.costs(nodes: [:], cores: Self.cores)
    #expect(Self.constant(coresOnly[.deliverySameCore]) == 400)
    #expect(coresOnly[.deliverySameNode].isAssumed && coresOnly[.deliveryOtherNode].isAssumed)
    #expect(coresOnly[.deliverySameNode].points == coresOnly[.delivery].points)
    let nodesOnly = try Self.costs(nodes: Self.nodes, cores: [:])
    #expect(nodesOnly[.deliverySameCore].isAssumed && nodesOnly[.deliverySameNode].count == 90)
    #expect(nodesOnly[.deliverySameCore].points == nodesOnly[.delivery].points)
  }

  // MARK: Use

  /// How long a call takes from queueing to start, by target, if CPU 0 calls them all, one after the other.
  private static func delays(nodes: [Int], cores: [Int?]) -> [Int: UInt64] {
    let costs = CostModel(source: "by hand") { item in
      let nanoseconds: Double =
        switch item {
        case .delivery: 1
        case .deliverySameCore: 2
        case .deliverySameNode: 3
        case .deliveryOtherNode: 4
        default: 0
        }
      return CostModel.Distribution(
        points: [CostModel.Distribution.Point(perMille: 0, nanoseconds: nanoseconds * 10_000)], count: 0,
        isAssumed: false)
    }
    var options = Simulator.Options(nodes: nodes)
    options.cores = cores
    options.usesRecordedTimes = false
    options.usesClosedStretches = false
    var simulator = Simulator(
      engine: Engine(name: "mainline")!, costs: costs, options: options, names: ScriptNames(names: ["callback"]))
    for target in 1..<nodes.count {
      let call = LoadedCall(
        time: UInt64(target) * 1_000_000, source: 0, pid: 100, kind: .single, waits: true, context: .task, storage: 0,
        function: ScriptNames.address(of: "callback"), targets: 0..<1)
      let targets = [LoadedTarget(cpu: Int32(target), kick: .ipi, runNanoseconds: 500, delayNanoseconds: 0)]
      simulator.make(call, targets: targets.span)
    }
    simulator.finish()
    let outcome = simulator.recorder.outcome(allocates: false, watched: [], callbackNames: [])
    return Dictionary(
      uniqueKeysWithValues: outcome.byCPU.compactMap { cpu in
        cpu.queueToStart.p50Nanoseconds.map { (cpu.cpu, $0 / 10_000) }
      })
  }

  @Test func aDeliveryCostsItsWay() {
    // 0 = delivery, 1 = …: the tens of microseconds above.
    #expect(
      Self.delays(nodes: [0, 0, 0, 0, 1, 1, 1, 1], cores: [0, 0, 2, nil, 4, 4, nil, nil])
        == [1: 2, 2: 3, 3: 3, 4: 4, 5: 4, 6: 4, 7: 4])
    // One node: cores alone make distances.
    #expect(Self.delays(nodes: [0, 0, 0, 0], cores: [0, nil, 0, 3]) == [1: 3, 2: 2, 3: 3])
    #expect(Self.delays(nodes: [0, 0, 1], cores: []) == [1: 3, 2: 4])
    // No two share one, or nothing is known: all are equally far.
    #expect(Self.delays(nodes: [0, 0, 0], cores: [0, 1, nil]) == [1: 1, 2: 1])
    #expect(Self.delays(nodes: [0, 0, 0], cores: [nil, nil, nil]) == [1: 1, 2: 1])
    #expect(Self.delays(nodes: [0, 0, 0], cores: []) == [1: 1, 2: 1])
  }

  /// Each copy of a machine has cores of its own, and no unknown core is that of another.
  @Test func copiesHaveTheirOwnCores() {
    var scaling = Simulation.Scaling()
    scaling.copies = 2
    let scaled = ScaledLoad(scaling, cpuCount: 4, seed: 1)
    let cores = scaled.cores([0: 0, 2: 0, 1: 1])
    #expect(cores.map { $0 == nil } == [false, false, false, true, false, false, false, true])
    #expect(cores[0] == cores[2] && cores[4] == cores[6])
    #expect(Set(cores.compactMap { $0 }).count == 4)
    #expect(scaled.nodes([0: 0, 1: 1]) == [0, 1, 0, 0, 2, 3, 2, 2])
    #expect(ScaledLoad(Simulation.Scaling(), cpuCount: 3, seed: 1).cores([:]) == [nil, nil, nil])
  }
}
