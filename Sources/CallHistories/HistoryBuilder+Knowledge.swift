internal import BasicContainers
import TraceTypes

/// When the state of a CPU's queue is known, and what is learnt of the types of nodes.
///
/// A queue's state is known from a flush on, which takes all there is, if everybody who could add to it unseen had been seen
/// outside any call when that flush began. It stays known until some CPU may add unseen again: events were lost, or a CPU is on
/// its way out or in.
extension HistoryBuilder {
  /// A flush has ended that began at or after a time.
  mutating func noteKnown(cpu: Int, from time: UInt64) {
    if isKnown(cpu: cpu) { return }
    guard isQueueKnown(cpu: cpu) else { return }
    reportUnknown(cpu: cpu, until: time)
    cpus[cpu].isKnown = true
    cpus[cpu].knownAt = time
    cpus[cpu].doubtsSeen = doubts.count
  }

  /// Whether some CPU's idle task ran, and showed no event of its own: some kernels drop them, and what it sent is not seen.
  public var anIdleTaskShowsNothing: Bool {
    (0..<cpus.count).contains { cpus[$0].idleRan && !cpus[$0].idleShowed }
  }

  /// Whether the state of a CPU's queue has been known since its latest flush.
  func isKnown(cpu: Int) -> Bool { cpus[cpu].isKnown && cpus[cpu].doubtsSeen == doubts.count }

  /// Whether everything that was added to a CPU's queue since its latest flush is known.
  func isQueueKnown(cpu: Int) -> Bool {
    cpus[cpu].previousFlushKnown && unsettledCount == 0 && lastSettled <= cpus[cpu].previousFlushBegin
  }

  /// From now on the state of one CPU's queue is not known.
  mutating func forgetState(of cpu: Int, at time: UInt64, reason: UndecidedReason) {
    guard isKnown(cpu: cpu) else { return }
    cpus[cpu].isKnown = false
    cpus[cpu].unknownSince = time
    cpus[cpu].unknownReason = reason
  }

  /// Says from when on the state of a CPU's queue was unknown, if it was.
  mutating func reportUnknown(cpu: Int, until end: UInt64) {
    var begin = cpus[cpu].unknownSince
    var reason = cpus[cpu].unknownReason
    if cpus[cpu].isKnown {
      guard cpus[cpu].doubtsSeen < doubts.count else { return }
      let doubt = doubts.first(since: cpus[cpu].doubtsSeen)
      begin = max(doubt?.begin ?? cpus[cpu].knownAt, cpus[cpu].knownAt)
      reason = doubt?.reason ?? .stateUnknown
    } else if begin == 0 {
      begin = firstTime ?? end
    }
    guard end > begin else { return }
    consumer.stateUnknown(UnknownStretch(cpu: UInt16(cpu), begin: begin, end: end, reason: reason))
  }

  // MARK: Types

  /// Takes over what the judgement of its flush says of a member's type, and what the caller's behaviour does.
  ///
  /// - Parameters:
  ///   - position: among the members, in the order of running.
  ///   - syncs: see ``FlushJudgement/syncs``.
  mutating func learnType(of node: Int32, at position: Int, syncs: ClosedRange<Int>?) {
    switch nodes[Int(node)].kind {
    case .wakeup: (nodes[Int(node)].type, nodes[Int(node)].typeEvidence) = (.wakeup, .callsite)
    case .irqWork: (nodes[Int(node)].type, nodes[Int(node)].typeEvidence) = (.irqWork, .callsite)
    case .local: break
    case .single, .many, .unknown:
      let call = nodes[Int(node)]
      guard call.startedAt != QueuedCall.never, !call.marks.contains(.targetGap) else { return }
      let address = call.csd ^ UInt64(call.source)
      var evidence: TypeEvidence = []
      if call.endedAt != QueuedCall.never, calls.contains(call.call), calls[call.call].shown.movedOnAt < call.endedAt {
        evidence.insert(.callerMovedOn)
      }
      if let syncs, position >= syncs.upperBound { evidence.insert(.order) }
      if call.kind == .single {
        if evidence.isEmpty {
          if asyncAddresses.contains(address) { evidence.insert(.address) }
        } else {
          asyncAddresses.insert(address)
        }
      }
      if !evidence.isEmpty {
        (nodes[Int(node)].type, nodes[Int(node)].typeEvidence) = (.async, evidence)
      } else if let syncs, position < syncs.lowerBound {
        (nodes[Int(node)].type, nodes[Int(node)].typeEvidence) = (.sync, .order)
      }
    }
  }
}

/// The moments from which on calls may be added unseen; the latest of them.
struct DoubtRing {
  private static let capacity = 4_096
  private var entries: ContiguousArray<(begin: UInt64, reason: UndecidedReason)> = []
  /// How many there were.
  private(set) var count = 0

  mutating func begin(at time: UInt64, reason: UndecidedReason) {
    if entries.count < Self.capacity {
      entries.append((time, reason))
    } else {
      entries[count % Self.capacity] = (time, reason)
    }
    count += 1
  }

  /// The first of those that were still to come when there were `count`; nil if it is not kept any more.
  func first(since count: Int) -> (begin: UInt64, reason: UndecidedReason)? {
    guard count < self.count, self.count - count <= Self.capacity else { return nil }
    return entries[count % Self.capacity]
  }
}

/// Remembers some of the addresses that it was given: the latest of each hash.
struct AddressCache: ~Copyable {
  private static let capacity = 4_096
  private var entries = UniqueArray(repeating: UInt64(0), count: capacity)

  private func place(_ address: UInt64) -> Int {
    Int(truncatingIfNeeded: (address &* 0x9E37_79B9_7F4A_7C15) >> 52)
  }

  mutating func insert(_ address: UInt64) { entries[place(address)] = address }

  func contains(_ address: UInt64) -> Bool { entries[place(address)] == address }
}
