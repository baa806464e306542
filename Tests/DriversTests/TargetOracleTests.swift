import CallEngines
import TestSupport
import Testing
import Verdicts

/// What the histories and the judge make of a target's events is what trying every order makes of them: nothing is claimed that
/// some order explains, and whatever no order explains is claimed.
@Suite struct TargetOracleTests {
  typealias Node = TargetHistory.Node
  typealias Flush = TargetHistory.Flush

  @Test func agreesWithTryingEveryOrder() throws {
    var random = RepeatableRandom.forTest()
    var counts: [String: Int] = [:]
    for number in 0..<RepeatableRandom.places(6_000) {
      var history = randomHistory(&random)
      if random.chance(0.7) { alter(&history, &random) }
      let isPossible = history.isPossible()
      let replayed = Replayed(try TraceScript(history.script))
      let comment: Comment = """
        case \(number), seed \(random.seed): \(isPossible ? "possible" : "impossible"), found \(replayed.rules), \
        \(replayed.verdict.accounting), withheld \(replayed.verdict.withheld)
        \(history.script)
        """
      #expect(replayed.rules.isEmpty == isPossible, comment)
      if replayed.rules.isEmpty != isPossible { break }
      counts[isPossible ? "possible" : "impossible", default: 0] += 1
      for rule in Set(replayed.rules) { counts[rule.rawValue, default: 0] += 1 }
    }
    for name in [
      "possible", "impossible", "kickMissing", "kickNotOwed", "fifoOrder", "classOrder", "missedByFlush",
      "lostCallback",
    ] {
      #expect(counts[name, default: 0] >= 20, "\(counts)")
    }
  }

  /// What a kernel with the engine could have shown: it is run at random, and written down.
  private func randomHistory(_ random: inout RepeatableRandom) -> TargetHistory {
    let count = 1 + random.below(5)
    // Every CPU has times of its own: no two events are at one time.
    func time(_ moment: Int, _ cpu: Int) -> Int { (1_000 + moment) * 8 + cpu }
    let kinds: [TargetHistory.Kind] = [.single, .single, .single, .irqWork, .wakeup]
    let chosen = (0..<count).map { _ in kinds[random.below(kinds.count)] }
    let isSync = chosen.map { $0 == .single && random.chance(0.4) }
    let adds = chosen.indices.map { _ in 10 + random.below(40) }
    // Handlers that do not touch, all behind the first moments.
    var takings = Set((0..<(1 + random.below(3))).map { _ in 15 + random.below(50) }).sorted()
    if random.chance(0.8) { takings.append(80) }

    var history = TargetHistory(nodes: [], flushes: [])
    var kicked = Array(repeating: false, count: count)
    var endedAt = Array(repeating: 0, count: count)
    var rest = chosen.indices.sorted { (adds[$0], $0) < (adds[$1], $1) }
    var busyUntil = 0
    for taking in takings {
      let moment = max(taking, busyUntil + 2)
      let queue = rest.filter { adds[$0] < moment }
      rest.removeAll { adds[$0] < moment }
      if let first = queue.first { kicked[first] = true }
      let order =
        queue.filter { isSync[$0] } + queue.filter { chosen[$0] == .single && !isSync[$0] }
        + queue.filter { chosen[$0] == .wakeup }.prefix(1)
      let begin = max(busyUntil + 1, moment - random.below(4))
      var clock = moment + random.below(3)
      var entries: [(node: Int, start: Int, end: Int)] = []
      for node in order {
        entries.append((node, time(clock, 0), time(clock + 1, 0)))
        endedAt[node] = time(clock + 1, 0)
        clock += 2 + random.below(2)
      }
      busyUntil = max(clock, begin + 1)
      history.flushes.append(Flush(begin: time(begin, 0), end: time(busyUntil, 0), entries: entries))
    }
    if let first = rest.first { kicked[first] = true }

    for node in chosen.indices {
      let queued = adds[node] - random.below(random.chance(0.3) ? 8 : 3)
      let after = adds[node] + random.below(random.chance(0.3) ? 8 : 3)
      // A caller that waits does nothing else until its callback is over, or for ever.
      var movedOn = after + 1 + random.below(30)
      if isSync[node] { movedOn = max(movedOn, endedAt[node] == 0 ? 500 : endedAt[node] / 8 - 1_000 + 1) }
      let moved = time(movedOn, node + 1)
      history.nodes.append(
        Node(
          kind: chosen[node], queued: time(queued, node + 1), addedBy: kicked[node] ? time(after, node + 1) : moved,
          kicked: kicked[node], movedOn: kicked[node] ? moved + 8 : moved))
    }
    return history
  }

  /// Changes one thing.
  private func alter(_ history: inout TargetHistory, _ random: inout RepeatableRandom) {
    let node = random.below(history.nodes.count)
    let flush = random.below(history.flushes.count)
    switch random.below(5) {
    case 0:
      // The kick is gone, or there is one too many.
      history.nodes[node].kicked.toggle()
      if history.nodes[node].kicked {
        history.nodes[node].addedBy = history.nodes[node].movedOn
        history.nodes[node].movedOn += 16
      } else {
        history.nodes[node].addedBy = history.nodes[node].movedOn
      }
    case 1:
      // Two callbacks change places.
      let count = history.flushes[flush].entries.count
      guard count > 1 else { return }
      let first = random.below(count - 1)
      let second = first + 1 + random.below(count - first - 1)
      let kept = history.flushes[flush].entries
      history.flushes[flush].entries[first].node = kept[second].node
      history.flushes[flush].entries[second].node = kept[first].node
    case 2:
      // A callback comes one flush later, behind all others.
      guard flush + 1 < history.flushes.count, !history.flushes[flush].entries.isEmpty else { return }
      let index = random.below(history.flushes[flush].entries.count)
      var entry = history.flushes[flush].entries.remove(at: index)
      guard history.flushes[flush + 1].entries.allSatisfy({ history.nodes[$0.node].kind != .wakeup }) else { return }
      let last = history.flushes[flush + 1].entries.last?.end ?? history.flushes[flush + 1].begin
      (entry.start, entry.end) = (last + 1, last + 2)
      history.flushes[flush + 1].end += 8
      history.flushes[flush + 1].entries.append(entry)
    case 3:
      // A callback is gone.
      guard !history.flushes[flush].entries.isEmpty else { return }
      history.flushes[flush].entries.remove(at: random.below(history.flushes[flush].entries.count))
    default:
      // The window of an add ends earlier.
      guard history.nodes[node].kicked else { return }
      history.nodes[node].addedBy = history.nodes[node].queued + 8
    }
  }
}
