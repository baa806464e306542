// The target's part: interrupt handlers, and the flush.
//
// Whoever looks at a list that was taken is alone with it: looking for the next node, and unlinking it, are no steps of their
// own.
extension Mainline {
  /// Source: 6.12 kernel/smp.c, __flush_smp_call_function_queue() and its three callers.
  func flushStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let csd = machine[frame, .csd] &- 1
    switch point {
    case .handler:
      machine.setFlag(frame, FrameFlag.isHandler, true)
      return take(warns: true, cpu, frame, &machine)
    case .idleExit:
      return take(warns: true, cpu, frame, &machine)
    case .dying:
      machine.setFlag(frame, FrameFlag.isDying, true)
      return take(warns: false, cpu, frame, &machine)
    case .flushWarns:
      warnOffline(machine[frame, .batch], &machine)
      return machine.go(frame, Point.firstPass)

    // People wait for these.
    case .firstPass:
      return nextSync(from: machine[frame, .batch], behind: 0, frame, &machine)
    case .syncRuns:
      machine.touch(csd)
      machine.go(frame, Point.syncUnlocks.rawValue)
      runFunction(of: machine.call(csd), function: machine.function(csd), on: cpu, &machine)
      return .moved
    case .syncUnlocks:
      unlock(csd, &machine)
      return nextSync(from: machine[frame, .cursor], behind: machine[frame, .target], frame, &machine)

    case .secondPass:
      return nextOther(from: machine[frame, .batch], behind: 0, frame, &machine)
    case .asyncUnlocks:
      copy(csd, frame, &machine)
      unlock(csd, &machine)
      return machine.go(frame, Point.asyncRuns)
    case .asyncRuns:
      let (call, function) = (machine[frame, .call] &- 1, machine[frame, .value])
      _ = nextOther(from: machine[frame, .cursor], behind: machine[frame, .target], frame, &machine)
      runFunction(of: call, function: function, on: cpu, &machine)
      return .moved

    case .wakeupsRun:
      runWakeups(cpu, frame, &machine)
      return .moved
    case .wakeupsEnd:
      endWakeups(cpu, frame, &machine)
      return machine.go(frame, Point.flushEnds)

    case .flushEnds:
      return end(cpu, frame, &machine)

    case .workClearsPending, .workRuns, .workClearsBusy, .raisedHandler, .raisedTakes:
      return workStep(point, cpu, frame, &machine)
    default:
      preconditionFailure("\(point) is no step of a flush")
    }
  }

  private func take(warns: Bool, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let first = machine.reverse(machine.takeAll(of: cpu))
    machine[frame, .batch] = first
    machine.batchBegan(on: cpu, first: first)
    if warns, first != 0, !machine.isOnline(cpu), !machine.isSet(warnedCell(machine.layout)) {
      return machine.go(frame, Point.flushWarns)
    }
    return machine.go(frame, first == 0 ? Point.flushEnds : .firstPass)
  }

  /// "IPI on offline CPU", and the callbacks that it names.
  private func warnOffline(_ first: Int, _ machine: inout Machine) {
    machine.set(warnedCell(machine.layout), 1)
    machine.violate(.noOfflineWarning)
    machine.note(.warned)
    machine.happened(.warned(.ipiOnOfflineCPU))
    var node = first
    while node != 0 {
      let call = machine.call(node - 1)
      machine.happened(.warned(.namesCallback(call: call)))
      node = machine.next(node - 1)
    }
  }

  /// How a flush ends depends on who began it.
  private func end(_ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    if machine.hasFlag(frame, FrameFlag.isDying), !machine.hasFlag(frame, FrameFlag.isRaisedList) {
      return machine.go(frame, Point.raisedTakes)
    }
    if machine.hasFlag(frame, FrameFlag.isHandler) {
      machine.returnFromInterrupt(cpu)
    } else {
      machine.pop(cpu)
    }
    return .moved
  }

  // MARK: The passes
  //
  // `batch` is the first node of what is left, `cursor` the one to be looked at next, `target` the one before it that stays.

  @inline(__always) func type(_ csd: Int, _ machine: borrowing Machine) -> Int32 {
    machine.get(machine.layout.csd(csd, .type))
  }

  /// Unlinks the next SYNC and goes on to run it. Behind the last one, the second pass begins.
  private func nextSync(from node: Int, behind stays: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    var node = node
    var stays = stays
    while node != 0 {
      let following = machine.next(node &- 1)
      if type(node &- 1, machine) == CSDType.sync {
        unlink(node, before: following, behind: stays, frame, &machine)
        return machine.go(frame, Point.syncRuns)
      }
      stays = node
      node = following
    }
    return machine.go(frame, machine[frame, .batch] == 0 ? Point.flushEnds : .secondPass)
  }

  /// Unlinks the next node that is no wakeup and goes on to run it. What is left in the end is wakeups.
  private func nextOther(from node: Int, behind stays: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    var node = node
    var stays = stays
    while node != 0 {
      let following = machine.next(node &- 1)
      let type = type(node &- 1, machine)
      if type == CSDType.ttwu {
        stays = node
      } else {
        unlink(node, before: following, behind: stays, frame, &machine)
        if type == CSDType.async { return machine.go(frame, Point.asyncUnlocks) }
        if type == CSDType.irqWork { return machine.go(frame, Point.workClearsPending) }
        // Of no type that is known here: it is off the list, and that was it.
      }
      node = following
    }
    return machine.go(frame, machine[frame, .batch] == 0 ? Point.flushEnds : .wakeupsRun)
  }

  @inline(__always)
  private func unlink(
    _ node: Int, before following: Int, behind stays: Int, _ frame: Int, _ machine: inout Machine
  ) {
    if stays == 0 { machine[frame, .batch] = following } else { machine.setNext(stays &- 1, following) }
    machine[frame, .csd] = node
    machine[frame, .cursor] = following
    machine[frame, .target] = stays
  }

  /// Reads what a csd says, before its owner may use it again.
  @inline(__always) private func copy(_ csd: Int, _ frame: Int, _ machine: inout Machine) {
    machine.touch(csd)
    machine[frame, .call] = machine.call(csd) &+ 1
    machine[frame, .value] = machine.function(csd)
  }

  // MARK: Wakeups

  /// Whether a node marked as a wakeup is a task's: the engine's own csds are none, whatever their flags say.
  private func isTask(_ node: Int, _ machine: borrowing Machine) -> Bool {
    machine.layout.isPrivate(node)
  }

  /// sched_ttwu_pending(): one callback, given the whole list.
  private func runWakeups(_ cpu: Int, _ frame: Int, _ machine: inout Machine) {
    machine.go(frame, Point.wakeupsEnd.rawValue)
    machine[frame, .csd] = machine[frame, .batch]
    var node = machine[frame, .batch]
    var isFirst = true
    while node != 0 {
      if isTask(node &- 1, machine) {
        let call = machine.call(node &- 1)
        if isFirst {
          runFunction(of: call, function: machine.function(node &- 1), on: cpu, &machine)
        } else {
          machine.started(call, function: machine.function(node &- 1), on: cpu)
        }
        startCovered(by: call, on: cpu, &machine)
        isFirst = false
      }
      node = machine.next(node &- 1)
    }
  }

  /// All tasks are on the run queue, whose lock is released now. Their nodes keep all flags but that they are being woken.
  private func endWakeups(_ cpu: Int, _ frame: Int, _ machine: inout Machine) {
    var node = machine[frame, .batch]
    while node != 0 {
      let csd = node &- 1
      if isTask(csd, machine) {
        let call = machine.call(csd)
        // The first one's function was run in a frame of its own.
        let hasFinished = machine.keepsBooks ? machine.hasFinished(call, on: cpu) : node == machine[frame, .csd]
        if !hasFinished {
          machine.finished(call, function: machine.function(csd), on: cpu)
        }
        finishCovered(by: call, on: cpu, &machine)
        machine.setFlags(csd, machine.flags(csd) & ~NodeFlag.waking)
        machine.setState(csd, .free)
      }
      node = machine.next(csd)
    }
  }

  // MARK: irq_work

  /// Source: 6.12 kernel/irq_work.c, irq_work_single(), irq_work_run().
  private func workStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let node = machine[frame, .csd] &- 1
    switch point {
    case .workClearsPending:
      // From here on it can be queued again.
      copy(node, frame, &machine)
      machine.setFlags(node, machine.flags(node) & ~CSDFlags.pending)
      machine.setState(node, .free)
      machine.released(node)
      machine.happened(.csdUnlocked(csd: node))
      return machine.go(frame, Point.workRuns)
    case .workRuns:
      let call = machine[frame, .call] &- 1
      machine.go(frame, Point.workClearsBusy.rawValue)
      runFunction(of: call, function: machine[frame, .value], on: cpu, &machine)
      startCovered(by: call, on: cpu, &machine)
      return .moved
    case .workClearsBusy:
      finishCovered(by: machine[frame, .call] &- 1, on: cpu, &machine)
      // A compare-and-swap: whoever claimed it anew keeps it busy.
      if !machine.hasFlag(csd: node, CSDFlags.pending) {
        machine.setFlags(node, machine.flags(node) & ~CSDFlags.busy)
      }
      let following = machine[frame, .cursor]
      if machine.hasFlag(frame, FrameFlag.isRaisedList) { return nextRaised(following, frame, &machine) }
      return nextOther(from: following, behind: machine[frame, .target], frame, &machine)
    default:
      // raised_list is run as it is, last in, first out.
      if point == .raisedHandler { machine.setFlag(frame, FrameFlag.isHandler, true) }
      machine.setFlag(frame, FrameFlag.isRaisedList, true)
      let list = raisedList(cpu, machine.layout)
      let first = machine.getInt(list)
      machine.set(list, 0)
      return nextRaised(first, frame, &machine)
    }
  }

  private func nextRaised(_ node: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    guard node != 0 else { return machine.go(frame, Point.flushEnds) }
    machine[frame, .csd] = node
    machine[frame, .cursor] = machine.next(node - 1)
    return machine.go(frame, Point.workClearsPending)
  }
}
