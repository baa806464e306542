import TestSupport
import Testing
import Verdicts

@testable import Reports

@Suite("Report of a simulation")
struct SimulationReportTests {
  static let results: [(name: String, result: ReplayResult)] = [
    ("simulated", .simulated), ("scaled", .scaled), ("absurdly-simulated", .absurdlySimulated),
  ]

  // MARK: Text

  @Test("golden", arguments: [100, 64])
  func golden(width: Int) throws {
    let text = TerminalReport(width: width).render(.simulated)
    let section = try #require(text.firstMatch(of: /(?s)\nReal versus model.*/)).output
    #expect(Golden.complaint(Array(section.utf8), name: "simulated-\(width).txt") == nil)
  }

  @Test("without a simulation nothing of it is shown, and the rest does not change")
  func withoutSimulation() {
    var without = ReplayResult.simulated
    without.simulation = nil
    without.engines = ReplayResult.example.engines
    #expect(TerminalReport().render(without) == TerminalReport().render(.example))
    #expect(HTMLReport.render(without) == HTMLReport.render(.example))
    #expect(!HTMLReport.render(without).contains("simulation"))
    without.engines = ReplayResult.simulated.engines
    #expect(TerminalReport().render(.simulated).hasPrefix(TerminalReport().render(without)))
  }

  @Test(
    "no line is wider than the page: the table is broken into blocks of engines", arguments: [60, 64, 80, 100, 160])
  func width(width: Int) throws {
    for result in [ReplayResult.simulated, .scaled] {
      let text = TerminalReport(width: width).render(result)
      let section = try #require(text.firstMatch(of: /(?s)\nReal versus model.*/)).output
      for line in section.split(separator: "\n") { #expect(VisibleText.width(of: String(line)) <= width, "\(line)") }
      // Every engine has its column, in whatever block.
      #expect(
        section.matches(of: /\n  IPIs  .*\n/).reduce(0) { $0 + $1.output.matches(of: /\ [45],\d{3}/).count }
          >= SimulationFacts(result)?.columns.count ?? .max)
    }
  }

  @Test("values that no simulation makes do not stop it", arguments: [0, 60, 100, Int.max])
  func absurd(width: Int) {
    let text = TerminalReport(width: width).render(.absurdlySimulated)
    #expect(text.contains("… 8 more engines"))
    #expect(!text.unicodeScalars.contains { $0 != "\n" && $0.properties.generalCategory == .control })
  }

  // MARK: Words

  static func sentence(_ difference: EngineResult.Difference?, interrupts: UInt64) throws -> String {
    var result = ReplayResult.simulated
    result.engines[1].outcome?.interrupts.single = interrupts
    result.engines[1].differences = difference.map { [$0] } ?? []
    let facts = try #require(SimulationFacts(result))
    return SimulationWords.findings(facts, in: result.trace)[1].text.replacing("\u{a0}", with: " ")
  }

  @Test("a difference is called one only where it is larger than the simulation's own error")
  func differences() throws {
    #expect(
      try Self.sentence(
        .init(measure: .interrupts, change: -0.12, error: -0.015, isSignificant: true), interrupts: 4_729)
        == "sends 4,729 IPIs, 12 % fewer than mainline; the simulation's own error is 1.5 %, so the difference is real."
    )
    #expect(
      try Self.sentence(
        .init(measure: .interrupts, change: 0.01, error: 0.015, isSignificant: false), interrupts: 5_428)
        == "sends 5,428 IPIs, 1.0 % more than mainline; the simulation's own error is 1.5 %, so the two are not told apart."
    )
    // An error that is not known proves nothing, whatever else is said.
    #expect(
      try Self.sentence(.init(measure: .interrupts, change: 0.5, error: nil, isSignificant: true), interrupts: 8_061)
        == "sends 8,061 IPIs, 50 % more than mainline. How sure that is cannot be said: the"
        + " simulation's own error is not known.")
    #expect(
      try Self.sentence(nil, interrupts: 1) == "sends 1 IPI, which were not compared with another engine's.")
  }

  @Test("the recorded engine's sentence says what the error was found from, and why it is large or not known")
  func reference() throws {
    func sentence(_ change: (inout ReplayResult) -> Void) throws -> String {
      var result = ReplayResult.simulated
      change(&result)
      let facts = try #require(SimulationFacts(result))
      return SimulationWords.findings(facts, in: result.trace)[0].text.replacing("\u{a0}", with: " ")
    }
    #expect(
      try sentence { _ in } == "is the recorded engine. It sends 5,374 IPIs in the simulation. As far as the two can be"
        + " compared, 5,296 were recorded and 5,374 simulated: the simulation's own error is 1.5 %, within its goal of 2.0 %."
    )
    #expect(
      try sentence {
        $0.simulation?.calibration?.items[0].error = -0.25
        $0.simulation?.calibration?.items[0].isWithinGoal = false
        $0.simulation?.calibration?.items[0].reasons = ["Only 40 IPIs were recorded.", "It was raining"]
      }.hasSuffix(
        "the simulation's own error is 25 %, which misses its goal of 2.0 %. Only 40 IPIs were recorded. It was raining."
      ))
    #expect(
      try sentence {
        $0.simulation?.calibration?.items[0].error = nil
        $0.simulation?.calibration?.items[0].reasons = ["The recording does not tell."]
      }.hasSuffix("The simulation's own error is not known. The recording does not tell."))
    #expect(
      try sentence { $0.simulation?.load.copies = 4 }
        == "is the recorded engine. It sends 5,374 IPIs under this load, which is not as recorded. Under the load as it"
        + " was, 5,296 were recorded and 5,374 simulated: the simulation's own error is 1.5 %, within its goal of 2.0 %."
    )
  }

  @Test("beside another load than the recorded one there is no recorded column")
  func otherLoad() throws {
    let facts = try #require(SimulationFacts(.scaled))
    #expect(!facts.columns.contains { $0.isRecorded })
    #expect(facts.columns.count == 6)
    #expect(!TerminalReport().render(.scaled).contains("  recorded  "))
    #expect(TerminalReport().render(.scaled).contains("times are divided by 2.5, each call is made 4 times"))
  }

  @Test("the mark beside a number")
  func marks() {
    func sign(_ measure: Calibration.Measure, _ change: Double?, _ error: Double?, _ isSignificant: Bool) -> String {
      DifferenceMark(.init(measure: measure, change: change, error: error, isSignificant: isSignificant)).sign
    }
    #expect(sign(.interrupts, -0.123, 0.01, true) == "−12 %")
    #expect(sign(.interrupts, 0.04, 0.01, true) == "+4.0 %")
    #expect(sign(.coalescingRate, -0.021, 0.01, true) == "−2.1 pp")
    #expect(sign(.interrupts, 0.04, 0.05, false) == "≈")
    #expect(sign(.interrupts, nil, 0.05, false) == "≈")
    #expect(sign(.interrupts, nil, 0.05, true) == "≠")
    #expect(sign(.interrupts, 0.5, nil, true) == "+50 % ?")
    #expect(sign(.interrupts, nil, nil, false) == "?")
    #expect(sign(.interrupts, .infinity, 0.1, true) == "≠")
  }

  @Test(
    "per cent without needless digits",
    arguments: [
      (0, "0 %"), (1e-9, "< 0.01 %"), (0.000_4, "0.04 %"), (0.009_94, "0.99 %"), (0.009_96, "1.0 %"), (-0.015, "1.5 %"),
      (0.099_4, "9.9 %"), (0.099_6, "10 %"), (0.125, "13 %"), (12.04, "1,204 %"), (1e300, "–"), (.nan, "–"),
    ] as [(Double, String)])
  func percent(value: Double, expected: String) {
    #expect(Quantity.percent(value) == expected)
  }

  @Test("signs, rates, factors and whole numbers")
  func quantities() {
    #expect(SimulationWords.error(1e-9, .interrupts) == "< +0.01 %")
    #expect(SimulationWords.error(0, .interrupts) == "0 %")
    #expect(SimulationWords.error(-.infinity, .interrupts) == "–")
    #expect(SimulationWords.error(nil, .interrupts) == "–")
    #expect(Quantity.rate(0.1122) == "11.2 %")
    #expect(Quantity.rate(-1) == "–")
    #expect(Quantity.factor(2) == "2")
    #expect(Quantity.factor(1.5) == "1.5")
    #expect(Quantity.factor(0.25) == "0.25")
    #expect(Quantity.factor(1_000.05) == "1,000.05")
    #expect(Quantity.factor(.nan) == "–")
    #expect(Quantity.whole(0x1p64) == nil)
    #expect(Quantity.whole(1.5) == 2)
  }

  @Test("a deadlock is told with its time, the cycle, and who waits for whom")
  func deadlock() throws {
    let facts = try #require(SimulationFacts(.simulated))
    let column = try #require(facts.columns.first { $0.name == "queue-2008" })
    let deadlock = column.outcome.deadlocks[0]
    #expect(SimulationWords.cycle(deadlock) == "CPU 1 → CPU 3 → CPU 4 → CPU 1")
    #expect(
      SimulationWords.moment(deadlock, in: ReplayResult.simulated.trace).replacing("\u{a0}", with: " ")
        == "at 81205.716017612 s, 1.20 s after the begin of the trace")
    #expect(
      deadlock.cycle.map(SimulationWords.waiter) == [
        "CPU 1, calling flush_tlb_func, waits for CPU 3 to run its queue",
        "CPU 3, calling <script>window.__fromTrace=1</script>, waits for the lock of the global queue, which takes CPU 4"
          + " to move",
        "CPU 4 waits for CPU 1 to acknowledge",
      ])
    // A CPU that waits for what nobody will do is no cycle.
    #expect(SimulationWords.cycle(column.outcome.deadlocks[1]) == "CPU 5 waits for ever")
    #expect(
      SimulationWords.cycle(
        .init(timeNanoseconds: 0, cycle: [.init(cpu: 2, callback: nil, waitsFor: "itself", waitsForCPU: 2)]))
        == "CPU 2 → CPU 2")
    #expect(column.outcome.deadlocks.map(SimulationWords.happening) == ["deadlocks", "comes to a standstill"])
    // The first one is told, wherever it stands.
    var result = ReplayResult.simulated
    result.engines[4].outcome?.deadlocks.reverse()
    let reversed = try #require(SimulationFacts(result))
    #expect(
      SimulationWords.findings(reversed, in: result.trace)[4].text
        == SimulationWords.findings(facts, in: result.trace)[4].text)
    // CPU 1 is not named by "CPU 12".
    #expect(
      SimulationWords.waiter(.init(cpu: 0, callback: nil, waitsFor: "CPU 12", waitsForCPU: 1))
        == "CPU 0 waits for CPU 12, which takes CPU 1 to move")
  }

  @Test("targets that are in no fate, or in two, are said to be")
  func conservation() throws {
    var result = ReplayResult.simulated
    #expect(!TerminalReport().render(result).contains("unaccounted"))
    result.engines[1].outcome?.fates.ran -= 3
    #expect(TerminalReport().render(result).contains(/unaccounted .* 0 .* 0 .* 3\ /))
    result.engines[1].outcome?.fates.ran += 8
    #expect(TerminalReport().render(result).contains(/unaccounted .* 0 .* 0 .* -5\ /))
  }

  // MARK: JSON

  @Test("what is written is read again", arguments: results.indices)
  func roundTrip(index: Int) throws {
    let result = Self.results[index].result
    #expect(try JSONReport.parse(JSONReport.render(result)) == result)
  }

  @Test("a result from before there were simulations is read as one without")
  func olderResult() throws {
    var value = try JSONValue.parse(JSONReport.render(.example))
    value.remove("simulation")
    for index in 0..<2 {
      value["engines"][index].remove("outcome")
      value["engines"][index].remove("differences")
    }
    #expect(try JSONReport.parse(value.bytes) == .example)
    // What is not older but broken stays refused.
    value["engines"][0].remove("variant")
    #expect(throws: JSONReportError.self) { try JSONReport.parse(value.bytes) }
    value = try JSONValue.parse(JSONReport.render(.simulated))
    value["simulation"].remove("calibration")
    #expect(throws: JSONReportError.self) { try JSONReport.parse(value.bytes) }
    value = try JSONValue.parse(JSONReport.render(.simulated))
    value["engines"][0]["outcome"] = .integer(1)
    #expect(throws: JSONReportError.self) { try JSONReport.parse(value.bytes) }
  }

  // MARK: HTML

  @Test("a name can't become markup, in any place of the section")
  func hostileNames() {
    for (_, result) in Self.results {
      let page = HTMLReport.render(result)
      #expect(page.matches(of: /<script/).count == 1)
      #expect(page.matches(of: /<style/).count == 1)
      #expect(page.matches(of: /<img/).isEmpty)
      #expect(!page.unicodeScalars.contains { $0 != "\n" && $0.properties.generalCategory == .control })
      #expect(!page.unicodeScalars.contains { $0.properties.generalCategory == .format })
      #expect(page.matches(of: /url\((?!#)|https?:\/\//).isEmpty)
    }
  }

  @Test("every element of the section is closed where it must be")
  func wellFormed() throws {
    for (name, result) in Self.results {
      let page = HTMLReport.render(result)
      let section = try #require(page.firstMatch(of: /(?s)<section id="simulation".*?<\/section>/)).output
      var open: [Substring] = []
      for tag in section.matches(of: /<(\/?)([a-zA-Z0-9]+)(?:\s[^<>]*?)?(\/?)>/) {
        if !tag.output.3.isEmpty || ["wbr", "br"].contains(tag.output.2) { continue }
        if tag.output.1.isEmpty {
          open.append(tag.output.2)
        } else {
          #expect(open.popLast() == tag.output.2, "\(name)")
        }
      }
      #expect(open.isEmpty, "\(name)")
    }
  }

  @Test("the first lines say how many IPIs each engine sends, and how sure that is")
  func firstLines() throws {
    let page = HTMLReport.render(.simulated)
    let list = try #require(page.firstMatch(of: /(?s)<ul class="engines">.*?<\/ul>/)).output
    #expect(list.matches(of: /<li/).count == 6)
    #expect(list.contains("<code>queue-2014</code></strong> sends 4,729 IPIs, 12\u{a0}% fewer than mainline"))
    #expect(list.contains("so the difference is real"))
    #expect(list.contains("so the two are not told apart"))
    #expect(list.contains("CPU 1 → CPU 3 → CPU 4 → CPU 1"))
    #expect(list.contains("It loses 17 targets"))
  }

  @Test("the timeline has a block for each track, and the same as a table")
  func timeline() throws {
    let page = HTMLReport.render(.simulated)
    let drawing = try #require(page.firstMatch(of: /(?s)<svg class="timeline versus".*?<\/svg>/)).output
    #expect(drawing.matches(of: /<text class="title"/).count == 6)
    #expect(drawing.matches(of: /text-anchor="end">CPU\s/).count == 6 * 4)
    #expect(drawing.contains("does not end"))
    let table = try #require(
      page.firstMatch(of: /(?s)aria-label="One call under each engine, step by step".*?<\/table>/))
    let tracks = try #require(ReplayResult.simulated.simulation).timeline.tracks
    let steps = tracks.reduce(0) { $0 + $1.slices.count + $1.marks.count }
    #expect(table.output.matches(of: /<tr>/).count == steps + 1)
  }

  @Test("the page grows with what is shown, not with the result")
  func capped() throws {
    var many = ReplayResult.simulated
    let engine = many.engines[1]
    many.engines += Array(repeating: engine, count: 500)
    for index in 0..<3 {
      many.engines[index].outcome?.byCallback = (0..<20_000).map {
        .init(callback: "callback_\($0)", targets: 1, interrupts: 1, queueToStart: .none)
      }
      many.engines[index].outcome?.byCPU = (0..<1_024).map {
        .init(
          cpu: $0, interrupts: 1, callbacks: 1, callbackNanoseconds: 1, queueToStart: .none, waitedNanoseconds: 0,
          isWatched: true)
      }
    }
    if let track = many.simulation?.timeline.tracks[1] {
      many.simulation?.timeline.tracks += Array(repeating: track, count: 500)
      many.simulation?.timeline.tracks[1].slices = (0..<10_000).map { _ in track.slices[0] }
    }
    #expect(HTMLReport.render(many).utf8.count < 2 << 20)
    #expect(TerminalReport().render(many).utf8.count < 1 << 20)
  }

  /// Tests/Browser/check_report.py says what is checked. The example's names try to run scripts.
  @Test("a real browser finds nothing wrong", .enabled(if: BrowserCheck.isPossible), .timeLimit(.minutes(10)))
  func inTheBrowser() throws {
    let pages = Self.results.map { ($0.name, HTMLReport.render($0.result)) }
    for (name, problems) in try BrowserCheck.problems(of: pages, kind: "simulation") {
      #expect(problems == [], "\(name)")
    }
  }
}
