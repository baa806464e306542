import CallHistories
import TraceTypes
import Verdicts

/// Finds calls that stood on a CPU which itself stood on another.
///
/// A call to CPU *b* can't be over while *b*, with interrupts off, waits for a call of its own: whether *b* makes that call inside
/// a callback or in any other place, it runs nothing meanwhile. So one call stands on another where the second was made on the
/// first's target with interrupts off, the first was open all the while, and its callback did not begin in between. Both
/// callers must look like waiting: the trace shows no event of theirs before their callbacks were over; the second went on right
/// after that, or never; and it took most of the time that the first stood.
///
/// The kernel forbids to wait with interrupts off, and warns about it, but asynchronous single calls from there are common. So
/// one counts only if it was made in the very callback that the first waits for, or is open at the end of the trace. What is
/// open there may stand in a circle, which is a deadlock.
struct WaitChainRecorder {
  /// Waits that overlap for less are no news.
  static let shortestNanoseconds: UInt64 = 10_000
  static let keptChains = 20
  private static let keptPerCPU = 16
  private static let mostEdges = 512
  private static let longestChain = 16
  private static let mostSteps = 20_000

  /// One call to one target, open from its queue event until its callback is over.
  struct Node {
    var number: UInt64
    var call: QueuedCall
    var pid: Int32
    var waitBegan: UInt64
    var movedOn: UInt64?
    /// The end of the callback, or `UInt64.max`.
    var over: UInt64

    var interruptsOff: Bool { call.flags.contains(.interruptsOff) }
    /// Until when the caller can't have gone on.
    var waitOver: UInt64 { movedOn.map { min($0, over) } ?? over }
  }

  /// Rings by CPU. Few CPUs have none.
  private struct Rings {
    private var rings: ContiguousArray<Ring> = []

    @inline(__always)
    func nodes(of cpu: UInt16) -> [Node] { Int(cpu) < rings.count ? rings[Int(cpu)].nodes : [] }

    mutating func add(_ node: Node, of cpu: UInt16) {
      while rings.count <= Int(cpu) { rings.append(Ring()) }
      rings[Int(cpu)].add(node)
    }
  }

  /// The latest calls of one CPU, or to it.
  private struct Ring {
    var nodes: [Node] = []
    var next = 0

    mutating func add(_ node: Node) {
      if nodes.count < WaitChainRecorder.keptPerCPU {
        nodes.append(node)
      } else {
        nodes[next] = node
        next = (next + 1) % WaitChainRecorder.keptPerCPU
      }
    }
  }

  /// Open calls by target.
  private var open = Rings()
  /// Calls made with interrupts off, by source.
  private var blocking = Rings()
  private var nodes: [UInt64: Node] = [:]
  private var edges: [UInt64: [UInt64]] = [:]
  private var edgeCount = 0
  private var total: UInt64 = 0

  /// Takes a call that may have waited.
  mutating func add(_ call: CompletedCall, targets: Span<QueuedCall>) {
    for index in targets.indices {
      add(targets[index], pid: call.pid, movedOn: call.callerMovedOn)
    }
  }

  private mutating func add(_ target: QueuedCall, pid: Int32, movedOn: UInt64?) {
    let over = target.ended ?? (target.started == nil ? .max : target.queued)
    guard over > target.queued, over - target.queued >= Self.shortestNanoseconds, !target.inferred,
      target.outcome != .undecided
    else { return }
    total += 1
    add(
      Node(
        number: total, call: target, pid: pid, waitBegan: max(target.queued, target.kicked ?? 0), movedOn: movedOn,
        over: over))
  }

  private mutating func add(_ node: Node) {
    let source = node.call.source
    let target = node.call.target
    if node.interruptsOff, Self.looksLikeWaiting(node) {
      for earlier in open.nodes(of: source) where Self.stands(earlier, on: node) { connect(earlier, to: node) }
      blocking.add(node, of: source)
    }
    for other in blocking.nodes(of: target) where Self.stands(node, on: other) { connect(node, to: other) }
    open.add(node, of: target)
  }

  /// Whether the caller went on right after the callback, or never.
  private static func looksLikeWaiting(_ node: Node) -> Bool {
    guard let movedOn = node.movedOn else { return true }
    guard node.over != .max, movedOn >= node.over, node.over > node.waitBegan else { return false }
    return movedOn - node.over <= (node.over - node.waitBegan) / 8
  }

  private static func stands(_ call: Node, on other: Node) -> Bool {
    guard call.number != other.number, call.call.source != call.call.target else { return false }
    let began = max(call.call.queued, other.waitBegan)
    let over = min(call.over, other.waitOver)
    guard over > began, over - began >= shortestNanoseconds else { return false }
    // With interrupts off, nothing begins there in between.
    if let started = call.call.started, started > other.waitBegan, started < other.waitOver { return false }
    guard call.over >= other.waitOver else { return false }
    if call.over == .max || other.waitOver == .max { return true }
    let isInside = call.call.started.map { $0 <= other.call.queued } ?? false
    if other.call.kind == .single, !isInside { return false }
    let stood = call.over - (isInside ? call.call.started ?? call.call.queued : call.call.queued)
    return over - began > stood / 2
  }

  private mutating func connect(_ call: Node, to other: Node) {
    guard edgeCount < Self.mostEdges else { return }
    edgeCount += 1
    nodes[call.number] = call
    nodes[other.number] = other
    edges[call.number, default: []].append(other.number)
  }

  // MARK: Giving

  private struct Path {
    var numbers: [UInt64]
    var began: UInt64
    var over: UInt64
    var isCycle = false
  }

  func summary(end: TraceEnd, names: any AddressNaming, comm: (Int32) -> String?) -> BlockingSummary.WaitChains {
    if edges.isEmpty { return .none }
    let paths = paths(end: end.time).sorted {
      ($0.isCycle ? 0 : 1, $1.over - $1.began, $0.numbers.first ?? 0)
        < ($1.isCycle ? 0 : 1, $0.over - $0.began, $1.numbers.first ?? 0)
    }
    let chains = paths.prefix(Self.keptChains).map { path in
      let links = path.numbers.compactMap { nodes[$0] }
      return BlockingSummary.WaitChains.Chain(
        isCycle: path.isCycle, nanoseconds: path.over - path.began,
        links: links.map { node in
          BlockingSummary.WaitChains.Link(
            source: Int(node.call.source), target: Int(node.call.target), callback: names.text(node.call.function),
            callsite: names.text(node.call.callsite), comm: comm(node.pid), queuedNanoseconds: node.call.queued,
            startedNanoseconds: node.call.started, endedNanoseconds: node.call.ended, movedOnNanoseconds: node.movedOn,
            interruptsOff: node.interruptsOff)
        },
        states: path.isCycle ? links.compactMap { end.state(of: $0.call.source, names: names, comm: comm) } : [])
    }
    return BlockingSummary.WaitChains(count: UInt64(paths.count), chains: Array(chains))
  }

  /// What a walk along the edges finds.
  private struct Walk {
    var chains: [Path] = []
    var cycles: [Path] = []
    var known: Set<Set<UInt64>> = []
    var steps = 0
  }

  /// The chains that are part of no longer one, and the cycles, each once.
  /// - Complexity: bounded by `mostSteps`.
  private func paths(end: UInt64) -> [Path] {
    var walk = Walk()
    let reached = Set(edges.values.joined())
    let numbers = edges.keys.sorted()
    for number in numbers where !reached.contains(number) { start(number, &walk, end: end) }
    let chains = walk.chains
    // What no walk has come to yet can only stand in circles.
    for number in numbers where reached.contains(number) { start(number, &walk, end: end) }
    return chains + walk.cycles
  }

  private func start(_ number: UInt64, _ walk: inout Walk, end: UInt64) {
    guard let node = nodes[number] else { return }
    extend(Path(numbers: [number], began: node.call.queued, over: min(node.over, end)), &walk, end: end)
  }

  private func extend(_ path: Path, _ walk: inout Walk, end: UInt64) {
    walk.steps += 1
    guard walk.steps < Self.mostSteps, let last = path.numbers.last else { return }
    var isExtended = false
    for next in edges[last] ?? [] {
      guard let node = nodes[next], path.numbers.count < Self.longestChain else { continue }
      var longer = path
      longer.began = max(path.began, node.waitBegan)
      longer.over = min(path.over, node.waitOver, end)
      guard longer.over > longer.began, longer.over - longer.began >= Self.shortestNanoseconds else { continue }
      isExtended = true
      if let first = path.numbers.firstIndex(of: next) {
        longer.numbers.removeFirst(first)
        longer.isCycle = true
        if walk.known.insert(Set(longer.numbers)).inserted { walk.cycles.append(longer) }
      } else {
        longer.numbers.append(next)
        extend(longer, &walk, end: end)
      }
    }
    if !isExtended, path.numbers.count > 1 { walk.chains.append(path) }
  }
}
