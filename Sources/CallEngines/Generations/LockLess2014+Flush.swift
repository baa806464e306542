// The target's side: handler, flush and dying stage.
extension LockLess2014 {
  func flushStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    // The first node of the list that is left to run.
    let batch = machine[frame, .batch]
    switch point {
    case .handler:
      machine.setFlag(frame, FrameFlag.isHandler, true)
      return machine.go(frame, form == .mail ? Point.handlerChecks : .flushTakes)
    case .dying:
      return machine.go(frame, Point.flushTakes)

    // The mail's handler looks before it flushes, and takes the queue in order to print it.
    case .handlerChecks:
      return machine.go(frame, mayWarn(cpu, machine) ? Point.handlerWarns : .flushTakes)
    case .handlerWarns:
      warn(&machine)
      return machine.go(frame, Point.handlerTakes)
    case .handlerTakes:
      printCallbacks(machine.reverse(machine.takeAll(of: cpu)), &machine)
      return machine.go(frame, Point.flushTakes)

    case .flushTakes:
      machine[frame, .batch] = machine.reverse(machine.takeAll(of: cpu))
      // The mail's flush does not warn; the other forms' does, for a handler.
      let looks = form != .mail && machine.hasFlag(frame, FrameFlag.isHandler)
      return machine.go(frame, looks ? Point.flushWarns : .flushRuns)
    case .flushWarns:
      if mayWarn(cpu, machine) {
        let isWorthIt =
          switch form {
          case .before, .mail: true
          // Of the queue that was just emptied.
          case .merged: !machine.queueIsEmpty(cpu)
          case .asksTaken: batch != 0
          }
        if isWorthIt {
          warn(&machine)
          printCallbacks(batch, &machine)
        }
      }
      return machine.go(frame, Point.flushRuns)

    case .flushRuns:
      guard batch != 0 else {
        if machine.hasFlag(frame, FrameFlag.isHandler) { return machine.go(frame, Point.handlerReturns) }
        machine.pop(cpu)
        return .moved
      }
      let csd = batch - 1
      machine.touch(csd)
      // The next one is read before: an unlocked one may be filled again at once.
      machine[frame, .cursor] = machine.next(csd)
      if unlock == .first, !machine.hasFlag(csd: csd, CSDFlags.wait) {
        machine[frame, .value] = machine.function(csd)
        machine[frame, .call] = machine.call(csd) + 1
        return machine.go(frame, Point.flushUnlocksFirst)
      }
      machine.go(frame, Point.flushUnlocks.rawValue)
      runCallback(machine.function(csd), of: machine.call(csd), on: cpu, &machine)
      return .moved
    case .flushUnlocks:
      machine.unlockCSD(batch - 1)
      machine[frame, .batch] = machine[frame, .cursor]
      machine[frame, .cursor] = 0
      return machine.go(frame, Point.flushRuns)

    case .flushUnlocksFirst:
      machine.unlockCSD(batch - 1)
      return machine.go(frame, Point.flushRunsUnlocked)
    case .flushRunsUnlocked:
      let function = machine[frame, .value]
      let call = machine[frame, .call] - 1
      machine[frame, .value] = 0
      machine[frame, .call] = 0
      machine[frame, .batch] = machine[frame, .cursor]
      machine[frame, .cursor] = 0
      machine.go(frame, Point.flushRuns.rawValue)
      runCallback(function, of: call, on: cpu, &machine)
      return .moved
    default:
      machine.returnFromInterrupt(cpu)
      return .moved
    }
  }

  /// On a CPU that is not online, once.
  private func mayWarn(_ cpu: Int, _ machine: borrowing Machine) -> Bool {
    !machine.isOnline(cpu) && !machine.isSet(warnedCell(machine.layout))
  }

  /// "IPI on offline CPU"
  private func warn(_ machine: inout Machine) {
    machine.set(warnedCell(machine.layout), 1)
    machine.violate(.noOfflineWarning)
    machine.note(.warned)
    machine.happened(.warned(.ipiOnOfflineCPU))
  }

  /// Names what was taken.
  private func printCallbacks(_ first: Int, _ machine: inout Machine) {
    var node = first
    while node != 0 {
      let call = machine.call(node - 1)
      machine.happened(.warned(.namesCallback(call: call)))
      node = machine.next(node - 1)
    }
  }
}
