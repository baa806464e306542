/// `smp_queue_function_single()`: a request to run a function on a CPU, which is not queued while one is pending.
///
/// Source: the mail "smp: Non busy-waiting IPI queue" (2 April 2014), on `kernel/smp.c` of 3.15: everything below
/// generic_exec_single() is ``LockLess2014``, as it was before the flush on dying.
///
///     caller    cmpxchg(pending, 0, 1) ─ was 1: return 0
///               └ was 0: func ─ generic_exec_single() ─ error: pending = 0
///     target    xchg(pending, 0) ─ call func
///
/// The parts that differ in variants can be chosen one by one, so that each can be shown to be needed.
public struct PendingQueue2014: Sendable, Hashable {
  /// When the target marks the request as no longer pending.
  public enum Swap: String, CaseIterable, Sendable {
    case first = "swap-first"
    case after = "swap-after"
  }

  /// When the base's flush unlocks a csd that nobody waits for.
  public enum Unlock: String, CaseIterable, Sendable {
    case after = "unlock-after"
    case first = "unlock-first"
  }

  /// Where the function is kept.
  public enum Words: String, CaseIterable, Sendable {
    /// In a word of its own, beside `pending`.
    case two = "two-words"
    /// It is what is pending: the word is 0 or the function. Another function than the pending one is refused.
    case one = "one-word"
  }

  /// When an offline target is noticed.
  public enum Check: String, CaseIterable, Sendable {
    /// By generic_exec_single(), with the request pending.
    case late = "check-late"
    /// Before the request is made pending, and preemption is off from there on.
    case first = "check-first"
  }

  public var swap: Swap
  public var words: Words
  public var check: Check
  private var base: LockLess2014

  public init(swap: Swap, unlock: Unlock, words: Words, check: Check, flush: LockLess2014.Flush) {
    self.swap = swap
    self.words = words
    self.check = check
    base = LockLess2014(flush: flush, form: .before, stop: .oneStage)
    base.unlock = unlock == .first ? .first : .after
    base.client = LockLess2014.Client(
      function: (swap == .first ? Point.trampolineSwaps : .trampolineCalls).rawValue,
      succeeded: Point.queueReturns.rawValue, failed: Point.queueResets.rawValue)
  }

  /// The steps beside those of the base, in the order in which a request and a run go through them.
  enum Point: UInt8 {
    // smp_queue_function_single()
    case queueChecks = 100
    case queueClaims
    case queueStoresFunction
    case queueDisablesPreemption
    // … the base's generic_exec_single(), from execChecks on, and then one of these.
    case queueReturns
    case queueResets
    case queueRefuses
    // generic_smp_queue_function_single_interrupt()
    case trampolineSwaps
    case trampolineCalls
    case trampolineReturns

    static let first: UInt8 = 100
  }
}

extension PendingQueue2014: Generation {
  /// Two cells more in each csd, for those that are a qsd's.
  func needs(_ workload: Workload) -> MachineLayout.Needs {
    var needs = base.needs(workload)
    needs.cellsPerCSD = 2
    return needs
  }

  private func pendingCell(_ qsd: Int, _ machine: borrowing Machine) -> Int {
    machine.layout.engineCell(0, of: machine.layout.privateCSD(qsd))
  }

  private func functionCell(_ qsd: Int, _ machine: borrowing Machine) -> Int { pendingCell(qsd, machine) + 1 }

  func entry(for kind: Call.Kind) -> UInt8? {
    guard kind == .queue else { return base.entry(for: kind) }
    return (check == .first ? Point.queueChecks : .queueClaims).rawValue
  }

  func handler(for vector: Vector) -> UInt8 { base.handler(for: vector) }
  var dyingStage: UInt8? { base.dyingStage }
  var stopsInTwoStages: Bool { base.stopsInTwoStages }
  var allocatesForCPUs: Bool { base.allocatesForCPUs }
  var canceledStage: UInt8? { base.canceledStage }
  func died(_ cpu: Int, _ machine: inout Machine) { base.died(cpu, &machine) }

  func isPrivate(_ point: UInt8) -> Bool {
    guard point >= Point.first else { return base.isPrivate(point) }
    return point == Point.queueDisablesPreemption.rawValue || point == Point.trampolineReturns.rawValue
  }

  /// As mailed, preemption is off for generic_exec_single() only: neither between the claim and it, nor between its error and
  /// the reset.
  func isPreemptible(_ point: UInt8) -> Bool {
    switch Point(rawValue: point) {
    case .queueDisablesPreemption: true
    case .queueStoresFunction, .queueResets: check == .late
    case .queueChecks, .queueClaims, .queueReturns, .queueRefuses, .trampolineSwaps, .trampolineCalls,
      .trampolineReturns, nil:
      false
    }
  }

  func step(_ rawPoint: UInt8, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    if rawPoint < Point.first { return base.step(rawPoint, cpu, frame, &machine) }
    guard let point = Point(rawValue: rawPoint) else {
      preconditionFailure("CPU\(cpu) stands at \(rawPoint), which is no point of queue-2014")
    }
    switch point {
    case .queueChecks, .queueClaims, .queueStoresFunction, .queueDisablesPreemption, .queueReturns, .queueResets,
      .queueRefuses:
      return queueStep(point, cpu, frame, &machine)
    case .trampolineSwaps, .trampolineCalls, .trampolineReturns:
      return trampolineStep(point, cpu, frame, &machine)
    }
  }

  // MARK: smp_queue_function_single()

  private func queueStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let callIndex = machine[frame, .call] - 1
    let call = machine.workload.calls[callIndex]
    let qsd = call.storage
    let pending = pendingCell(qsd, machine)
    switch point {
    case .queueChecks:
      guard call.target == cpu || machine.isOnline(call.target) else { return machine.go(frame, Point.queueRefuses) }
      return machine.go(frame, Point.queueClaims)
    case .queueClaims:
      // One compare-and-swap. The function is compared with it where it is what is pending.
      let old = machine.getInt(pending)
      let new = words == .one ? call.function + 1 : 1
      if old != 0 {
        if old != new { return machine.returnFromCall(cpu, frame, .busy) }
        machine.note(.coalesced, callIndex)
        machine.happened(.coalesced(call: callIndex))
        return machine.returnFromCall(cpu, frame, .success)
      }
      machine.set(pending, new)
      machine.note(.flagChanged)
      machine.happened(.flagChanged(.pending(qsd: qsd), cpu: nil, isSet: true))
      // generic_exec_single(cpu, &qsd->data, generic_smp_queue_function_single_interrupt, qsd, 0)
      machine[frame, .target] = machine.layout.existingCPU(call.target)
      machine[frame, .csd] = machine.layout.privateCSD(call.storage) + 1
      return words == .one ? execNext(frame, &machine) : machine.go(frame, Point.queueStoresFunction)
    case .queueStoresFunction:
      machine.set(functionCell(qsd, machine), call.function + 1)
      return execNext(frame, &machine)
    case .queueDisablesPreemption:
      return machine.go(frame, LockLess2014.Point.execChecks)
    case .queueResets:
      machine.set(pending, 0)
      machine.note(.flagChanged)
      machine.happened(.flagChanged(.pending(qsd: qsd), cpu: nil, isSet: false))
      return machine.go(frame, Point.queueRefuses)
    case .queueReturns:
      return machine.returnFromCall(cpu, frame, .success)
    default:
      return machine.returnFromCall(cpu, frame, .noSuchCPU)
    }
  }

  /// Goes on to the base, which runs with preemption off.
  private func execNext(_ frame: Int, _ machine: inout Machine) -> Stepped {
    switch check {
    case .late: machine.go(frame, Point.queueDisablesPreemption)
    case .first: machine.go(frame, LockLess2014.Point.execChecks)
    }
  }

  // MARK: generic_smp_queue_function_single_interrupt()

  private func trampolineStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let call = machine[frame, .call] - 1
    let qsd = machine.workload.calls[call].storage
    switch point {
    case .trampolineSwaps:
      swapPending(qsd, frame, &machine)
      return machine.go(frame, swap == .first ? Point.trampolineCalls : .trampolineReturns)
    case .trampolineCalls:
      let word =
        switch (words, swap) {
        case (.two, _): machine.getInt(functionCell(qsd, machine))
        case (.one, .first): machine[frame, .value]
        case (.one, .after): machine.getInt(pendingCell(qsd, machine))
        }
      machine.go(frame, (swap == .first ? Point.trampolineReturns : .trampolineSwaps).rawValue)
      // Nothing was pending, and no function is known.
      guard word > 0 else { return .moved }
      machine.requestsAreRun(storage: qsd, function: word - 1)
      runFunction(of: call, function: word - 1, on: cpu, &machine)
      return .moved
    default:
      machine.pop(cpu)
      return .moved
    }
  }

  /// xchg(&qsd->pending, 0), and a warning if nothing was.
  private func swapPending(_ qsd: Int, _ frame: Int, _ machine: inout Machine) {
    let pending = pendingCell(qsd, machine)
    if !machine.isSet(pending) {
      machine.violate(.noWarning)
      machine.happened(.warned(.notPending(qsd: qsd)))
    }
    if words == .one, swap == .first { machine[frame, .value] = machine.getInt(pending) }
    machine.set(pending, 0)
    machine.note(.flagChanged)
    machine.happened(.flagChanged(.pending(qsd: qsd), cpu: nil, isSet: false))
  }
}
