import TestSupport
import Testing
import Verdicts

@testable import Drivers

/// Costs that a file gives: what is taken, what is refused, and what stays as measured.
@Suite struct GivenCostsTests {
  private static func item(_ name: String, _ points: [(Double, Double)], isAssumed: Bool = false) -> CostTable.Item {
    CostTable.Item(
      name: name, sentence: "", isAssumed: isAssumed, count: 7,
      points: points.map { CostTable.Point(share: $0.0, nanoseconds: $0.1) })
  }

  /// Measured: 100 deliveries of 1 … 100 µs, and 50 adds of 200 ns. Of everything else too few.
  private static let measured: CostModel = {
    var recorder = CostRecorder()
    for microseconds in 1...100 { recorder.record(.delivery, UInt64(microseconds) * 1_000) }
    for _ in 0..<50 { recorder.record(.add, 200) }
    return recorder.model
  }()

  @Test func whatWasSavedComesBackAsItWas() throws {
    let measured = Self.measured
    let again = try GivenCosts(measured.table, source: "costs.json").model(measured: CostRecorder().model)
    #expect(again.source == "costs.json")
    for item in CostModel.Item.allCases {
      #expect(again[item].points == measured[item].points, "\(item)")
      #expect(again[item].isAssumed == measured[item].isAssumed)
      // They rest on nothing that this run has seen.
      #expect(again[item].count == 0)
      for share in stride(from: UInt64(0), to: 1_000, by: 7).map({ $0 << 54 }) {
        #expect(again[item].draw(share) == measured[item].draw(share))
      }
    }
  }

  @Test func whatIsLeftOutStaysAsMeasured() throws {
    let given = CostTable(items: [Self.item("handlerEntry", [(0, 40)])])
    let costs = try GivenCosts(given, source: "costs.json").model(measured: Self.measured)
    #expect(costs[.handlerEntry].draw(.max) == 40 && costs[.handlerEntry].draw(0) == 40)
    for item in CostModel.Item.allCases where item != .handlerEntry {
      #expect(costs[item] == Self.measured[item], "\(item)")
    }
  }

  /// Deliveries within a node were not measured, and those of unknown distance stand in: the given ones, if they are given.
  @Test func whatStandsInIsTheGivenOne() throws {
    let given = CostTable(items: [Self.item("delivery", [(0, 5_000)]), Self.item("deliveryOtherNode", [(0, 9_000)])])
    let costs = try GivenCosts(given, source: "costs.json").model(measured: Self.measured)
    #expect(costs[.delivery].draw(1) == 5_000 && !costs[.delivery].isAssumed)
    for item in [CostModel.Item.deliverySameCore, .deliverySameNode, .maskDelivery] {
      #expect(costs[item].draw(1) == 5_000 && costs[item].isAssumed, "\(item)")
    }
    #expect(costs[.deliveryOtherNode].draw(1) == 9_000)
    #expect(costs[.add] == Self.measured[.add])
  }

  @Test func aFileCalledMeasuredIsNoMeasurement() throws {
    let costs = try GivenCosts(CostTable(items: []), source: "measured").model(measured: Self.measured)
    #expect(costs.source != CostModel.measured)
  }

  /// The line between the points, level before and behind them; two points of one share are a step.
  @Test func durationsLieOnTheLine() throws {
    let table = CostTable(items: [
      Self.item("add", [(0.25, 100), (0.5, 200), (0.5, 1_000), (0.75, 1_000), (1, 11_000)])
    ])
    let add = try GivenCosts(table, source: "x").model(measured: Self.measured)[.add]
    func at(_ share: Double) -> UInt64 { add.draw(UInt64(share * 18_446_744_073_709_549_568)) }
    #expect(at(0) == 100 && at(0.1) == 100 && at(0.249) == 100)
    #expect((149...150).contains(at(0.375)))
    #expect(at(0.51) == 1_000 && at(0.7) == 1_000)
    #expect((5_995...6_005).contains(at(0.875)))
    #expect((10_980...11_000).contains(at(1)))
  }

  /// More than 4.3 s between two places of the line: their difference times a 32-bit share does not fit into 64 bits.
  @Test func longDurationsAreDrawnRightly() throws {
    let hour = Double(CostModel.longestNanoseconds)
    let table = CostTable(items: [Self.item("callback", [(0, 0), (0.999, 0), (0.9995, hour)])])
    let callback = try GivenCosts(table, source: "x").model(measured: Self.measured)[.callback]
    // Within the 1,024th part of the line that holds the rise: never falling, from 0 to nearly an hour.
    var last: UInt64 = 0
    var longest: UInt64 = 0
    for step in UInt64(0)..<4_096 {
      let drawn = callback.draw((UInt64(1_023) << 54) | step << 42)
      #expect(drawn >= last && drawn <= CostModel.longestNanoseconds)
      last = drawn
      longest = max(longest, drawn)
    }
    #expect(longest > CostModel.longestNanoseconds / 10 * 9)
  }

  /// What is measured can be given back: both have the same end.
  @Test func measuredCostsEndWhereGivenOnesDo() throws {
    var recorder = CostRecorder()
    for _ in 0..<30 { recorder.record(.callback, .max) }
    #expect(recorder.model[.callback].draw(.max) == CostModel.longestNanoseconds)
    #expect(throws: Never.self) { try GivenCosts(recorder.model.table, source: "x") }
  }

  /// Costs that were saved and are given back, unchanged, meet the recording as the measured ones do: when CPUs took no interrupt is
  /// part of the load. Without that the storm has 7.7 % fewer IPIs.
  @Test(arguments: ["guest-6.12-8cpu-storm.dat", "guest-6.12-8cpu-hotplug.dat"])
  func givenBackTheyMeetTheRecording(name: String) throws {
    let capture = SimulatedCapture(try Captures.named(name))
    let given = try GivenCosts(capture.costs.table, source: "saved").model(measured: capture.costs)
    let calibration = try #require(try capture.run([], costs: given).summary.calibration)
    for item in calibration.items where item.goal != nil {
      #expect(item.isWithinGoal == true, "\(item.measure): \(String(describing: item.error))")
    }
  }

  static let refused: [(CostTable.Item, String)] = [
    (item("deliverySideways", [(0, 1)]), "\"deliverySideways\": there is no cost of this name"),
    (item("", [(0, 1)]), "\"\": there is no cost of this name"),
    (item("add", []), "\"add\": it has no points"),
    (item("add", [(-0.1, 1)]), "\"add\": points[0].share is -0.1, expected 0 to 1"),
    (item("add", [(0, 1), (1.5, 1)]), "\"add\": points[1].share is 1.5, expected 0 to 1"),
    (item("add", [(.nan, 1)]), "\"add\": points[0].share is nan, expected 0 to 1"),
    (item("add", [(0, .nan)]), "\"add\": points[0].nanoseconds is nan, expected 0 to 3600000000000, an hour"),
    (item("add", [(0, .infinity)]), "\"add\": points[0].nanoseconds is inf, expected 0 to 3600000000000, an hour"),
    (item("add", [(0, -1)]), "\"add\": points[0].nanoseconds is -1.0, expected 0 to 3600000000000, an hour"),
    (item("add", [(0, 1e18)]), "\"add\": points[0].nanoseconds is 1e+18, expected 0 to 3600000000000, an hour"),
    (
      item("add", [(0, 1), (0.5, 2), (0.4, 3)]), "\"add\": points[2].share is 0.4, after 0.5: shares have to ascend"
    ),
    (
      item("add", [(0, 2), (1, 1)]),
      "\"add\": points[1].nanoseconds is 1.0, after 2.0: what a larger share does not exceed can't be shorter"
    ),
    (
      item("add", [(Double, Double)](repeating: (0, 1), count: 10_001)),
      "\"add\": it has 10001 points, expected at most 10000"
    ),
  ]

  @Test(arguments: refused.indices) func whatMakesNoSenseIsRefused(_ index: Int) {
    let (item, message) = Self.refused[index]
    let error = #expect(throws: CostsError.self) {
      try GivenCosts(CostTable(items: [Self.item("delivery", [(0, 1)]), item]), source: "x")
    }
    #expect(error?.description == message)
  }

  @Test func twiceIsRefused() {
    let table = CostTable(items: [Self.item("add", [(0, 1)]), Self.item("add", [(0, 1)])])
    let error = #expect(throws: CostsError.self) { try GivenCosts(table, source: "x") }
    #expect(error?.description == "\"add\": it is there twice")
  }

  /// Whatever numbers a table holds, it is refused, or all that is drawn from it lies between its ends.
  @Test func randomTablesNeverTrap() {
    var random = RepeatableRandom.forTest()
    let names = CostModel.Item.allCases.map(\.rawValue) + ["x"]
    let odd = [-1, 0, 0.5, 1, 1.0000001, 1e-300, 3.6e12, 3.7e12, 1e300, .nan, .infinity, -.infinity, -0.0]
    var taken = 0
    for _ in 0..<2_000 {
      var points = (0..<random.below(6)).map { _ in
        (Double.random(in: 0...1, using: &random), Double(random.below(1 << random.below(42))))
      }
      if random.chance(0.8) {
        points = zip(points.map(\.0).sorted(), points.map(\.1).sorted()).map { ($0, $1) }
      }
      if !points.isEmpty, random.chance(0.3) {
        let index = random.below(points.count)
        if random.chance(0.5) {
          points[index].0 = odd[random.below(odd.count)]
        } else {
          points[index].1 = odd[random.below(odd.count)]
        }
      }
      let name = names[random.below(names.count)]
      guard
        let costs = try? GivenCosts(CostTable(items: [Self.item(name, points)]), source: "x")
          .model(measured: Self.measured), let item = CostModel.Item(rawValue: name)
      else { continue }
      taken += 1
      let (least, most) = (UInt64(points[0].1), UInt64(points[points.count - 1].1))
      for _ in 0..<20 {
        let drawn = costs[item].draw(random.next())
        #expect(drawn >= least && drawn <= most, "seed \(random.seed): \(points)")
      }
      #expect(costs.summary.items.count == CostModel.Item.allCases.count)
    }
    #expect(taken > 500, "seed \(random.seed)")
  }
}
