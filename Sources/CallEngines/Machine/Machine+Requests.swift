// What is known about requests to run a qsd's function (`smp_queue_function_single()`), and checked. No engine reads it.
//
// A request is made when its call begins: whatever its caller stored before, the run that follows has to see. Every run of
// the qsd that starts later follows it, whoever queued it. A request that is refused is taken back.
extension Machine {
  enum RequestState: Int {
    case none
    /// Made, and no run of the qsd has started since.
    case made
    /// A run has started since, of another function than asked for.
    case ranOtherwise
    /// A run of the function asked for has started since.
    case served
  }

  // Not called without books.
  private func requestState(_ call: Int) -> RequestState {
    // The cell is written by `setRequest` only.
    RequestState(rawValue: getInt(layout.call(call, .request))) ?? .none
  }

  private mutating func setRequest(_ call: Int, _ state: RequestState) {
    set(layout.call(call, .request), state.rawValue)
  }

  mutating func requested(_ call: Int) { setRequest(call, .made) }
  mutating func requestRefused(_ call: Int) { setRequest(call, .none) }

  /// A request takes the qsd's csd, in order to queue it. It must not be on a queue, or on its way from one to a run.
  mutating func requestTakesCSD(_ call: Int) {
    switch csdState(layout.privateCSD(workload.calls[call].storage)) {
    case .free, .filled: return
    case .queued, .taken: violate(.atMostOneQueued)
    }
  }

  /// A run of a qsd starts, of this function.
  mutating func requestsAreRun(storage: Int, function: Int) {
    guard keepsBooks else { return }
    for call in 0..<layout.callCount where isRequest(call, of: storage) {
      switch requestState(call) {
      case .made, .ranOtherwise:
        setRequest(call, workload.calls[call].function == function ? .served : .ranOtherwise)
      case .none, .served: continue
      }
    }
  }

  private func isRequest(_ call: Int, of storage: Int) -> Bool {
    workload.calls[call].kind == .queue && workload.calls[call].storage == storage
  }

  /// What is wrong with the requests of a state in which nobody can move.
  /// - Parameter isAnyoneStuck: whether a CPU could still run something, were it not for a deadlock.
  func violationsOfRequests(isAnyoneStuck: Bool) -> PropertySet {
    var violations: PropertySet = []
    for call in 0..<layout.callCount where getInt(layout.call(call, .progress)) == 2 {
      switch requestState(call) {
      case .none, .served: continue
      case .made: if !isAnyoneStuck { violations.insert(.noLostRequest) }
      case .ranOtherwise: violations.insert(.rightFunction)
      }
    }
    return violations
  }
}
