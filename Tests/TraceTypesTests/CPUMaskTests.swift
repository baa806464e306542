import TestSupport
import Testing
import TraceTypes

@Suite struct CPUMaskTests {
  @Test func agreesWithASet() {
    var random = RepeatableRandom.forTest()
    var mask = CPUMask()
    var model: Set<Int> = []
    for _ in 0..<2_000 {
      let cpu = random.below([5, 70, 200, CPUMask.highestCPU + 1][random.below(4)])
      if random.chance(0.5) {
        mask.insert(cpu)
        model.insert(cpu)
      } else {
        mask.remove(cpu)
        model.remove(cpu)
      }
      #expect(mask.contains(cpu) == model.contains(cpu))
      #expect(mask.count == model.count && mask.isEmpty == model.isEmpty)
    }
    #expect(mask.cpus == model.sorted(), "seed \(random.seed)")
    #expect(mask == CPUMask(model.shuffled(using: &random)))
    #expect(CPUMask(list: mask.list) == mask, "seed \(random.seed): \(mask.list)")
    #expect(!mask.contains(-1) && !mask.contains(1 << 30))
    for cpu in model { mask.remove(cpu) }
    // Equal sets are equal values, whatever was in them before.
    #expect(mask == CPUMask() && mask.words.isEmpty)
  }

  @Test(arguments: [
    ("", []), ("0", [0]), ("0-3,7,9-10", [0, 1, 2, 3, 7, 9, 10]), ("5,3", [3, 5]), ("63-65", [63, 64, 65]),
    ("2-2", [2]),
    ("65535", [65_535]), ("0-3\n", [0, 1, 2, 3]),
  ])
  func readsLists(_ text: String, _ cpus: [Int]) {
    #expect(CPUMask(list: text)?.cpus == cpus)
  }

  @Test(arguments: ["x", "1-", "-1", "3-1", "65536", "1,x", "99999999999999999999", "1--2", "0x3", "٣"])
  func refusesWhatIsNoList(_ text: String) {
    #expect(CPUMask(list: text) == nil)
  }

  @Test func writesLists() {
    #expect(CPUMask([0, 1, 2, 3, 7, 9, 10]).list == "0-3,7,9-10")
    #expect(CPUMask([63, 64]).list == "63-64")
    #expect(CPUMask().list == "")
  }
}

@Suite struct CaptureFactsTests {
  @Test func comeBackFromTheirText() {
    var random = RepeatableRandom.forTest()
    func mask() -> CPUMask? {
      random.chance(0.3) ? nil : CPUMask((0..<random.below(6)).map { _ in random.below(300) })
    }
    for _ in 0..<200 {
      var facts = CaptureFacts()
      facts.version = random.below(4)
      facts.enabledEvents = Array(
        EventKind.allCases.map(\.qualifiedName).shuffled(using: &random).prefix(random.below(9)))
      facts.missingEvents = random.chance(0.5) ? [] : ["csd:csd_queue_cpu"]
      facts.possible = mask()
      facts.online = mask()
      facts.isolated = mask()
      facts.nohzFull = mask()
      facts.recorded = mask()
      for node in 0..<random.below(4) { facts.nodes[node] = CPUMask([node, node + 8]) }
      for core in 0..<random.below(4) {
        for cpu in [core, core + 4 * (1 + random.below(9)), core + 400] { facts.cores[cpu] = core }
      }
      for cpu in 0..<random.below(4) { facts.lostEvents[cpu] = random.next() }
      // Among lines of others, as in a file.
      let text = "entries: 17\noverrun: 0\n" + facts.text + "bytes: 5\n"
      #expect(CaptureFacts(text: text) == facts, "seed \(random.seed): \(facts.text)")
    }
  }

  @Test func otherTextsHaveNone() {
    #expect(CaptureFacts(text: "") == nil)
    #expect(CaptureFacts(text: "entries: 17\nipitrace: no\n") == nil)
  }

  @Test func malformedLinesAreLeftOut() {
    let facts = CaptureFacts(
      text: """
        ipitrace.version: x
        ipitrace.online: 0-
        ipitrace.node-1: 0-3
        ipitrace.nodeX: 0-3
        ipitrace.node1024: 0-3
        ipitrace.node9223372036854775807: 0-3
        ipitrace.core0: 1,2
        ipitrace.core-1: 0
        ipitrace.core65536: 65536
        ipitrace.core7: x
        ipitrace.core3: 3,7
        ipitrace.core3: 3,9
        ipitrace.core5: 5,7
        ipitrace.lost0: -5
        ipitrace.lost1: 7
        ipitrace.unknown: 1
        ipitrace.nothing
        """)
    var expected = CaptureFacts()
    expected.lostEvents = [1: 7]
    // The first line of a core holds, and the first core of a CPU.
    expected.cores = [3: 3, 7: 3, 5: 5]
    #expect(facts == expected)
  }
}
