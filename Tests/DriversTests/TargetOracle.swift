/// What one target CPU did, as far as a trace shows it, and whether any order of the adds explains that.
///
/// The rules of the engine told once more, and in another way: every order of the adds and of the moments at which the queue was
/// taken is tried, with every type that a node can have. Only for histories of a few nodes.
struct TargetHistory {
  enum Kind: CaseIterable {
    /// SYNC or ASYNC.
    case single
    case irqWork
    case wakeup
  }

  struct Node {
    var kind: Kind
    /// The add lies from this time …
    var queued: Int
    /// … to this one: the kick, or the source's next event.
    var addedBy: Int
    var kicked: Bool
    /// The source's next event behind queue event and kick.
    var movedOn: Int
  }

  struct Flush {
    /// The handler's begin and end.
    var begin: Int
    var end: Int
    /// The callbacks in the order of running: nodes, with the times of their begin and end.
    var entries: [(node: Int, start: Int, end: Int)]

    /// By when the queue was taken.
    var takenBy: Int { entries.first?.start ?? end }
  }

  var nodes: [Node]
  var flushes: [Flush]

  /// Whether some order explains everything.
  /// - Complexity: exponential.
  func isPossible() -> Bool {
    // Whoever went on before the callback was over has not waited for it.
    var canBeSync = nodes.map { $0.kind == .single }
    for flush in flushes {
      for entry in flush.entries where nodes[entry.node].movedOn < entry.end { canBeSync[entry.node] = false }
    }
    let choices = nodes.indices.filter { canBeSync[$0] }
    return (0..<(1 << choices.count)).contains { choice in
      var isSync = Array(repeating: false, count: nodes.count)
      for (bit, node) in choices.enumerated() { isSync[node] = choice >> bit & 1 == 1 }
      var rest = Set(nodes.indices)
      return extends(queue: [], &rest, flush: 0, from: 0, isSync)
    }
  }

  /// Tries every next step: one of the adds, or that the next flush takes the queue.
  private func extends(
    queue: [Int], _ rest: inout Set<Int>, flush: Int, from time: Int, _ isSync: [Bool]
  ) -> Bool {
    if rest.isEmpty, flush == flushes.count { return true }
    for node in nodes.indices where rest.contains(node) {
      // What comes later can't make an add possible that is not now.
      guard nodes[node].addedBy >= time else { return false }
      guard nodes[node].kicked == queue.isEmpty else { continue }
      rest.remove(node)
      defer { rest.insert(node) }
      if extends(queue: queue + [node], &rest, flush: flush, from: max(time, nodes[node].queued), isSync) {
        return true
      }
    }
    guard flush < flushes.count, flushes[flush].takenBy >= time,
      shown(queue, isSync) == flushes[flush].entries.map(\.node)
    else { return false }
    return extends(queue: [], &rest, flush: flush + 1, from: max(time, flushes[flush].begin), isSync)
  }

  /// The callbacks that a flush shows of a queue.
  private func shown(_ queue: [Int], _ isSync: [Bool]) -> [Int] {
    let first = queue.filter { isSync[$0] }
    let second = queue.filter { nodes[$0].kind == .single && !isSync[$0] }
    let third = queue.filter { nodes[$0].kind == .wakeup }.prefix(1)
    return first + second + third
  }

  // MARK: As a trace

  /// The history as a `TraceScript`: the target is CPU 0, and each node comes from a CPU of its own.
  var script: String {
    let cpus = 0...nodes.count + 1
    // Everybody is seen outside any call, and every queue is known to be empty.
    var lines = cpus.map { "1 \($0) switch" }
    for cpu in cpus {
      let source = (cpu + 1) % cpus.count
      let time = 10 + cpu * 20
      lines += [
        "\(time) \(source) queue \(cpu) warm w\(cpu)", "\(time + 1) \(source) ipi \(cpu)", "\(time + 5) \(cpu) handler",
        "\(time + 6) \(cpu)h run warm w\(cpu)", "\(time + 7) \(cpu)h done warm w\(cpu)", "\(time + 8) \(cpu) return",
        "\(time + 10) \(source) switch",
      ]
    }
    for (index, node) in nodes.enumerated() {
      let (function, site) =
        switch node.kind {
        case .single: ("f", "single")
        case .irqWork: ("g", "irqwork")
        case .wakeup: ("sched_ttwu_pending", "ttwu")
        }
      lines.append("\(node.queued) \(index + 1) queue 0 \(function) n\(index) \(site)")
      if node.kicked { lines.append("\(node.addedBy) \(index + 1) ipi 0") }
      lines.append("\(node.movedOn) \(index + 1) switch")
    }
    for flush in flushes {
      lines.append("\(flush.begin) 0 handler")
      for entry in flush.entries {
        let function = nodes[entry.node].kind == .wakeup ? "sched_ttwu_pending" : "f"
        lines.append("\(entry.start) 0h run \(function) n\(entry.node)")
        lines.append("\(entry.end) 0h done \(function) n\(entry.node)")
      }
      lines.append("\(flush.end) 0 return")
    }
    // Everybody is seen once more, and all that is recorded.
    let end = max(nodes.map(\.movedOn).max() ?? 0, flushes.map(\.end).max() ?? 0) + 100
    let last = cpus.upperBound
    lines += [
      "\(end) \(last) queue 1 last l", "\(end + 1) \(last) ipi 1", "\(end + 5) 1 handler", "\(end + 6) 1h run last l",
      "\(end + 7) 1h done last l", "\(end + 8) 1 return",
    ]
    lines += cpus.map { "\(end + 10 + $0) \($0) switch" }
    return lines.joined(separator: "\n")
  }
}
