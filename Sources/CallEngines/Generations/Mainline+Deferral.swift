// Calls that wait until their target enters the kernel, if it is in user space. No kernel does this.
//
// The target is told to look, in place of a kick: markWork() does so if it is in user space, in one atomic step, and on its way
// into the kernel it clears both bits, also in one, and flushes if it was told.
//
// What makes it hard is that a kick is owed by who finds the queue empty. Behind a deferred node the queue is not empty, so
// that whoever cannot wait must look whether the target was told, and send the IPI himself. That look is worth nothing if he
// can come between the add and the mark; so the mark is set before the add. Before the add, it can be used up too early, by a
// target that enters the kernel and finds nothing; so there is another look behind the add.
extension Mainline {
  /// Whether a call is deferred while its target is in user space.
  ///
  /// None is for which somebody waits: its caller would spin until the target enters the kernel. None is that uses a csd of its
  /// CPU: the next call of that CPU would spin on the csd.
  func canDefer(_ call: Call) -> Bool {
    guard call.isDeferrable else { return false }
    switch deferral {
    case .none: return false
    case .naive: return true
    case .markedFirst, .markedLate: break
    }
    switch call.kind {
    case .singleAsync, .irqWork, .wakeup: return true
    case .single, .many, .onEach, .any, .queue, .xcall, .xcallMask, .xcallPrivate, .xcallAny: return false
    }
  }

  /// Where the add of a call to one CPU begins.
  @inline(__always) func firstOfAdd(_ call: Call) -> Point {
    deferral == .markedFirst && canDefer(call) ? .execMarks : .execAdds
  }

  /// A node was added by a call to one CPU.
  func addedByDeferral(wasEmpty: Bool, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let isDeferred = canDefer(machine.workload.calls[machine[frame, .call] - 1])
    guard wasEmpty else {
      // Behind a deferred node nobody's kick is under way.
      return machine.go(frame, isDeferred || deferral == .naive ? Point.execWaits : .kickUnmarks)
    }
    guard isDeferred else { return machine.go(frame, kick) }
    if deferral != .markedFirst { return machine.go(frame, Point.kickMarks) }
    return machine.go(frame, machine.hasFlag(frame, FrameFlag.hasMarked) ? Point.kickLooks : kick)
  }

  /// A node was added by a call to several.
  func addedToManyByDeferral(
    wasEmpty: Bool, _ cpu: Int, _ frame: Int, _ machine: inout Machine
  ) -> Stepped {
    if wasEmpty, canDefer(machine.workload.calls[machine[frame, .call] - 1]) {
      return machine.go(frame, Point.manyMarks)
    }
    if wasEmpty || deferral == .naive { return queued(isKickOwed: wasEmpty, cpu, frame, &machine) }
    return machine.go(frame, Point.manyUnmarks)
  }

  func deferralStep(_ point: Point, _ cpu: Int, _ frame: Int, _ machine: inout Machine) -> Stepped {
    let target = machine[frame, .target]
    switch point {
    case .execMarks:
      machine.setFlag(frame, FrameFlag.hasMarked, machine.markWork(target))
      return machine.go(frame, Point.execAdds)
    case .kickLooks:
      guard machine.isWorkMarked(target) else { return machine.go(frame, kick) }
      defers(target, &machine)
      return afterKick(cpu, frame, &machine)
    case .kickMarks:
      guard machine.markWork(target) else { return machine.go(frame, kick) }
      defers(target, &machine)
      return afterKick(cpu, frame, &machine)
    case .kickUnmarks:
      return machine.unmarkWork(target) ? machine.go(frame, kick) : afterKick(cpu, frame, &machine)
    case .manyMarks:
      let isMarked = machine.markWork(target)
      if isMarked { defers(target, &machine) }
      return queued(isKickOwed: !isMarked, cpu, frame, &machine)
    default:
      return queued(isKickOwed: machine.unmarkWork(target), cpu, frame, &machine)
    }
  }

  private func defers(_ target: Int, _ machine: inout Machine) {
    machine.note(.deferred, cpu: target)
    machine.happened(.deferred(cpu: target))
  }
}
