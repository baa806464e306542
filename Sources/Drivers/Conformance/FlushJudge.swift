import CallEngines
import CallHistories
import TraceTypes

/// Decides whether any order of the adds within their windows lets the engine run a flush as it was seen.
///
/// ## The question
///
/// Member *i*, in the order of running, was added at some moment within its window `[queued, addedBy]`. Flush *j* took the queue
/// at some moment *Dj* between its begin and its first callback. Its *batch* is what was added between *Dj−1* and *Dj*: the
/// members, which show callbacks, and nodes that show none (irq_work; wakeups behind the first), of which only the windows tell
/// in which batch they can have been. Types are SYNC or ASYNC where the trace does not tell. Which moments, batches and types
/// make the engine run exactly this order, with exactly these kicks?
///
/// ## The procedure, and why it is complete
///
/// *Batches.* With members, types and first nodes given, what remains are demands that one moment lies before another. Moments
/// within closed intervals can be chosen so that all such demands hold exactly if no chain of demands leads from an interval
/// that begins behind the end of that to which it leads. All that earlier flushes ran was added before *Dj−1*, and that before
/// every member of batch *j*; so it is enough that no member's window ends before the latest begin among all members of earlier
/// flushes (`floor`), and none ends before the previous flush began. The latter is known when histories are built: such a
/// member is reported as passed over.
///
/// *Order.* The engine runs SYNC nodes first, in the order of adding; then the others in the order of adding; then the wakeups
/// as one, of which the one that is shown was added first. So the order of running is explained exactly if it can be cut at
/// some point *p* such that nothing before *p* is known not to be SYNC, and each side can have been added in the order in which
/// it ran; it is enough to look at pairs. The part before *p* only gets worse as *p* grows, the part behind it only better, so
/// the possible *p* form a range, found in one scan from each side.
///
/// *Kicks.* Whoever is first in a batch kicks, and nobody else. If a member kicked, it must be possible as the first: of its
/// side of the cut, with no window of the batch ending before its own begins. If none did, the first was a node without a
/// callback that kicked, an irq_work: a wakeup without a callback has another one before it. In which batch such a node was is
/// open only if its window reaches over a taking of the queue. Few do at one time, so all choices are tried: what is kept from
/// one flush to the next is which of the nodes that are still open may have been taken already, all possible sets of them. What
/// one flush allows depends on earlier ones through nothing else, so the sets that remain are those that some order explains;
/// if none remains, none does. Unseen flushes take batches of irq_work alone, which kick for themselves: whatever may have been
/// in one is left out of account.
///
/// A cut that is found gives an order of adds, which the engine is then made to run, step by step. If it refuses, the
/// procedure and the engine disagree, which is a fault of ours and never one of the kernel.
///
/// Adds of one source in different contexts are taken as independent, although an interrupt's adds lie all before or all behind
/// the one that it interrupted: so some impossible observations are taken for possible, never the other way round.
///
/// - Complexity: O(n) in the members of the flush, but for the engine's own steps; times 2ᵏ where the windows of k nodes without
///   callbacks reach over the taking. Beyond k = ``mostOpenNodes`` nothing is claimed.
struct FlushJudge: ~Copyable {
  /// What the judge found.
  enum Finding {
    case explained
    case violated(Violation)
    /// Nothing is wrong, but whether the kicks were right can't be told.
    case undecided(UndecidedReason)
  }

  struct Judged {
    var finding: Finding
    /// How many members at the front can be SYNC.
    var syncs: ClosedRange<Int>?
  }

  /// A rule that no order explains, with the members that show it.
  struct Violation {
    var rule: Rule
    /// Indices into the members, in the order of running.
    var members: [Int]
    /// Nodes without a callback, by their places in the batch.
    var silent: [Int] = []
    /// What the proof takes for granted of the clocks.
    var comparisons: [ClockComparison] = []
    /// Types of events that the proof needs to be absent.
    var absent: [EventKind] = []
  }

  /// More nodes whose batch is open are not told apart.
  static let mostOpenNodes = 6

  /// By target: which sets of nodes that are still open may have been taken by flushes so far. Only where there are such nodes.
  private var taken: [UInt16: [Set<Int32>]] = [:]
  /// By target: nodes of which it was given up to tell in which batch they were.
  private var lost: [UInt16: Set<Int32>] = [:]
  private var target = MainlineTarget()
  /// The types of which the engine ran one node alone, one bit each. It begins every flush in the same state and does the same
  /// again, so that it need not be asked again. By far the most flushes are such.
  private var ranAlone: UInt8 = 0
  /// Member indices in an order of adding that explains the flush.
  private var witness: [Int] = []
  private var added: [UInt64] = []

  init() {}

  /// - Parameter kicksAreRecorded: whether every kind of kick would be in the trace if it had happened.
  mutating func judge(
    _ flush: CompletedFlush, members: ContiguousArray<FlushMember>, silent: ContiguousArray<FlushMember>,
    later: ContiguousArray<FlushMember>, kicksAreRecorded: Bool
  ) -> Judged {
    if silent.isEmpty, later.isEmpty, members.count == 1, let judged = judge(LoneRun(members[0], of: flush)) {
      return judged
    }
    var batch = Batch(flush: flush, members: members, silent: silent, later: later)
    if !lost.isEmpty, let known = lost.removeValue(forKey: flush.cpu) { batch.lost = known }
    if batch.silentCount == 0, members.isEmpty { return Judged(finding: .explained) }
    var order = FlushOrder.none
    if !members.isEmpty {
      switch FlushOrder.find(batch) {
      case .possible(let found): order = found
      case .violated(let violation):
        giveUp(batch)
        return Judged(finding: batch.accused(violation, needsHandler: true))
      }
      // A member that was queued after its batch was taken: the clocks disagree.
      if members.contains(where: { $0.queued > members[0].started }) {
        giveUp(batch)
        return Judged(finding: .undecided(.clockSkew))
      }
      if let violation = batch.passedOver {
        giveUp(batch)
        return Judged(finding: batch.accused(violation, needsHandler: false))
      }
    }
    let kicks = BatchKicks(batch: batch, order: order, areRecorded: kicksAreRecorded)
    let checked = batch.silentCount == 0 ? kicks.check(0) : tryChoices(kicks)
    var judged = Judged(finding: checked.finding, syncs: order.cuts)
    if flush.doubt != nil || !flush.inHandler { judged.syncs = nil }
    if case .explained = checked.finding, !members.isEmpty, !run(batch, cut: checked.cut, kicker: kicks.kicker) {
      judged.finding = .undecided(.stateUnknown)
    }
    return judged
  }

  /// By far the most flushes run one call, which kicked: there is nothing to find out.
  /// - Returns: nil where it takes a closer look.
  @inline(__always)
  mutating func judge(_ run: LoneRun) -> Judged? {
    guard run.kick == .ipi || run.kick == .maskIPI, run.queued <= run.started, run.addedBy >= run.floor
    else { return nil }
    let type: NodeType
    let syncs: ClosedRange<Int>
    switch run.knowledge {
    case .wakeup: (type, syncs) = (.ttwu, 0...0)
    case .notSync: (type, syncs) = (.async, 0...0)
    case .unknown, .irqWork: (type, syncs) = (.sync, 0...1)
    }
    guard runAlone(type) else { return Judged(finding: .undecided(.stateUnknown)) }
    return Judged(finding: .explained, syncs: run.tellsType ? syncs : nil)
  }

  /// In which batch the nodes were that are still open is not asked any more.
  private mutating func giveUp(_ batch: Batch) {
    taken[batch.flush.cpu] = nil
    let open = Set(batch.later.map(\.id))
    if !open.isEmpty { lost[batch.flush.cpu] = open }
  }

  /// Tries every choice of the nodes without a callback that can have been in a batch.
  private mutating func tryChoices(_ kicks: BatchKicks) -> BatchKicks.Checked {
    let batch = kicks.batch
    let cpu = batch.flush.cpu
    let before = taken.removeValue(forKey: cpu) ?? [[]]
    // Those that must be in the batch unless they were taken before, and those that may.
    let certain = batch.silent.indices.filter { !batch.isFree(batch.silent[$0]) }
    let open = batch.later.indices.filter { !batch.isFree(batch.later[$0]) }
    guard open.count <= Self.mostOpenNodes, batch.silentCount <= 64, before.count <= 1 << Self.mostOpenNodes else {
      giveUp(batch)
      return BatchKicks.Checked(finding: .undecided(.stateUnknown), cut: 0)
    }
    var after: [Set<Int32>] = []
    var best: BatchKicks.Checked?
    for set in before {
      var required: UInt64 = 0
      for index in certain where !set.contains(batch.silent[index].id) { required |= 1 << UInt64(index) }
      for choice in 0..<(1 << open.count) {
        var chosen = required
        var next = set
        var isNew = true
        for (bit, index) in open.enumerated() where choice >> bit & 1 == 1 {
          if !next.insert(batch.later[index].id).inserted { isNew = false }
          chosen |= 1 << UInt64(index + batch.silent.count)
        }
        guard isNew, isBehind(set, batch, chosen) else { continue }
        let checked = kicks.check(chosen)
        if case .explained = checked.finding {
          next.formIntersection(open.map { batch.later[$0].id })
          if !after.contains(next) { after.append(next) }
          if case .explained = best?.finding { continue }
          best = checked
        } else if best == nil {
          best = checked
        }
      }
    }
    if after.isEmpty {
      giveUp(batch)
    } else {
      if after.contains(where: { !$0.isEmpty }) { taken[cpu] = after }
      let stillLost = batch.lost.intersection(batch.later.map(\.id))
      if !stillLost.isEmpty { lost[cpu] = stillLost }
    }
    return best ?? BatchKicks.Checked(finding: .undecided(.stateUnknown), cut: 0)
  }

  /// Whether everything in a batch can have been added behind what was taken before it.
  private func isBehind(_ taken: Set<Int32>, _ batch: Batch, _ chosen: UInt64) -> Bool {
    if taken.isEmpty { return true }
    var floor: UInt64 = 0
    for index in 0..<batch.silentCount where taken.contains(batch.silentNode(index).id) {
      floor = max(floor, batch.silentNode(index).queued)
    }
    return batch.members.allSatisfy { $0.addedBy >= floor }
      && (0..<batch.silentCount).allSatisfy {
        chosen >> UInt64($0) & 1 == 0 || batch.silentNode($0).addedBy >= floor
      }
  }

  // MARK: The engine

  /// Makes the engine run the flush, with the adds in an order that the windows allow.
  private mutating func run(_ batch: Batch, cut: Int, kicker: Int) -> Bool {
    let count = batch.members.count
    if count == 1 { return runAlone(type(of: 0, batch, cut: cut)) }
    orderOfAdding(batch, cut: cut, kicker: kicker)
    target.reserve(count)
    for (position, index) in witness.enumerated() {
      let outcome = target.added(index, type(of: index, batch, cut: cut))
      if kicker >= 0, (outcome == .kickOwed) != (index == kicker) { return abandon() }
      if position > 0, outcome != .coalesced { return abandon() }
    }
    target.flushBegan()
    for index in 0..<count {
      guard target.ran(index) else { return abandon() }
    }
    return target.flushEnded() ? true : abandon()
  }

  /// A flush of one node, which kicked or needed no kick.
  @inline(__always)
  private mutating func runAlone(_ type: NodeType) -> Bool {
    ranAlone >> type.rawValue & 1 == 1 || runAloneForTheFirstTime(type)
  }

  @inline(never)
  private mutating func runAloneForTheFirstTime(_ type: NodeType) -> Bool {
    guard target.added(0, type) == .kickOwed else { return abandon() }
    target.flushBegan()
    guard target.ran(0), target.flushEnded() else { return abandon() }
    ranAlone |= 1 << type.rawValue
    return true
  }

  /// Members show callbacks, which an irq_work of the kernel's never does: one of a damaged trace is taken as it ran.
  private func type(of index: Int, _ batch: Batch, cut: Int) -> NodeType {
    batch.members[index].knowledge == .wakeup ? .ttwu : index < cut ? .sync : .async
  }

  private mutating func abandon() -> Bool {
    assertionFailure("the engine refuses an order that the judge found")
    target = MainlineTarget()
    return false
  }

  /// Orders the members by the earliest moments at which they can have been added.
  private mutating func orderOfAdding(_ batch: Batch, cut: Int, kicker: Int) {
    let members = batch.members
    witness.removeAll(keepingCapacity: true)
    added.removeAll(keepingCapacity: true)
    let floor = kicker >= 0 ? members[kicker].queued : 0
    var latest = floor
    for index in members.indices {
      if index == cut || members[index].knowledge == .wakeup { latest = floor }
      latest = max(latest, members[index].queued)
      added.append(latest)
      witness.append(index)
    }
    if kicker >= 0 { added[kicker] = floor }
    // Stable for equal moments within a class, and the kicker before all.
    witness.sort { left, right in
      if left == kicker { return right != kicker }
      if right == kicker { return false }
      return (added[left], left) < (added[right], right)
    }
  }
}
