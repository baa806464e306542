// Interrupts: on or off per CPU, and a set of pending vectors. An IPI that was sent arrives at any later moment; two of the
// same vector that are both under way are one.
extension Machine {
  @inline(__always) public func interruptsEnabled(_ cpu: Int) -> Bool { isSet(layout.cpu(cpu, .interrupts)) }

  mutating func disableInterrupts(_ cpu: Int) {
    guard interruptsEnabled(cpu) else { return }
    set(layout.cpu(cpu, .interrupts), 0)
    happened(.interruptsDisabled)
  }

  mutating func enableInterrupts(_ cpu: Int) {
    guard !interruptsEnabled(cpu) else { return }
    set(layout.cpu(cpu, .interrupts), 1)
    happened(.interruptsEnabled)
  }

  /// `local_irq_save()`: remembers in the frame, under `flag`, whether interrupts were on.
  mutating func saveInterrupts(_ cpu: Int, in frame: Int, flag: Int) {
    setFlag(frame, flag, interruptsEnabled(cpu))
    disableInterrupts(cpu)
  }

  /// `local_irq_restore()`
  mutating func restoreInterrupts(_ cpu: Int, in frame: Int, flag: Int) {
    if hasFlag(frame, flag) { enableInterrupts(cpu) }
  }

  @inline(__always) public func isPending(_ vector: Vector, on cpu: Int) -> Bool {
    get(layout.cpu(cpu, .pending)) & 1 << Int32(vector.rawValue) != 0
  }

  /// Whether a CPU would take an interrupt now if one were pending.
  @inline(__always) public func takesInterrupts(_ cpu: Int) -> Bool {
    interruptsEnabled(cpu) && state(of: cpu) != .dead
  }

  /// The pending vectors of a CPU, one bit each.
  @inline(__always) public func pending(_ cpu: Int) -> Int { getInt(layout.cpu(cpu, .pending)) }

  /// Sends an IPI to one CPU.
  mutating func sendIPI(_ vector: Vector, to cpu: Int) {
    violate(.noInterrupt)
    post(vector, to: cpu)
    note(.sent, Int(vector.rawValue), cpu: cpu)
    happened(.ipiSent(vector, cpus: [cpu]))
  }

  /// Sends an IPI to every CPU of the mask at `maskCell`.
  mutating func sendIPI(_ vector: Vector, toMaskAt maskCell: Int) {
    var cpu = firstCPU(inMaskAt: maskCell, from: 0)
    var cpus: [Int] = []
    while cpu < layout.cpuCount {
      violate(.noInterrupt)
      post(vector, to: cpu)
      note(.sentToMask, Int(vector.rawValue), cpu: cpu)
      if isNarrating { cpus.append(cpu) }
      cpu = firstCPU(inMaskAt: maskCell, from: cpu &+ 1)
    }
    note(.maskSent)
    happened(.ipiSent(vector, cpus: cpus))
  }

  private mutating func post(_ vector: Vector, to cpu: Int) {
    // What reaches a dead CPU reaches nobody.
    guard state(of: cpu) != .dead else {
      note(.ipiLost, cpu: cpu)
      happened(.ipiLost(vector))
      return
    }
    let cell = layout.cpu(cpu, .pending)
    set(cell, get(cell) | 1 << Int32(vector.rawValue))
  }

  /// A CPU takes a pending interrupt: its handler begins at `point`, with interrupts off.
  mutating func takeInterrupt(_ vector: Vector, on cpu: Int, handler point: UInt8) {
    let cell = layout.cpu(cpu, .pending)
    set(cell, get(cell) & ~(1 << Int32(vector.rawValue)))
    set(layout.cpu(cpu, .interrupts), 0)
    push(cpu, point)
    happened(.interruptTaken(vector))
  }

  /// The handler returns; interrupts are on again, as they were.
  mutating func returnFromInterrupt(_ cpu: Int) {
    let returnsToUser = hasFlag(top(cpu), Self.returnsToUser)
    pop(cpu)
    if returnsToUser { enterUser(cpu) }
    set(layout.cpu(cpu, .interrupts), 1)
    happened(.interruptReturned)
  }

  // MARK: Idle, polling

  private static var polling: Int32 { 1 }
  private static var needsReschedule: Int32 { 2 }

  @inline(__always) func isPolling(_ cpu: Int) -> Bool { get(layout.cpu(cpu, .idle)) & Self.polling != 0 }
  @inline(__always) func needsReschedule(_ cpu: Int) -> Bool { get(layout.cpu(cpu, .idle)) & Self.needsReschedule != 0 }

  mutating func setPolling(_ cpu: Int, _ isPolling: Bool) {
    let cell = layout.cpu(cpu, .idle)
    set(cell, isPolling ? get(cell) | Self.polling : get(cell) & ~Self.polling)
  }

  mutating func setNeedsReschedule(_ cpu: Int) {
    let cell = layout.cpu(cpu, .idle)
    set(cell, get(cell) | Self.needsReschedule)
  }

  mutating func clearNeedsReschedule(_ cpu: Int) {
    let cell = layout.cpu(cpu, .idle)
    set(cell, get(cell) & ~Self.needsReschedule)
  }

  /// Wakes a CPU that idles polling by setting NEED_RESCHED, in one atomic step; the kernel function is
  /// `set_nr_if_polling()`.
  /// - Returns: false if it does not poll, and needs an IPI.
  mutating func wakeIfPolling(_ cpu: Int) -> Bool {
    guard isPolling(cpu) else { return false }
    let cell = layout.cpu(cpu, .idle)
    set(cell, get(cell) | Self.needsReschedule)
    note(.pollerWoken, cpu: cpu)
    happened(.pollerWoken(cpu: cpu))
    return true
  }

  // MARK: User space
  //
  // A CPU in user space can be told to look at its queue when it enters the kernel, in place of an IPI. That it is there, and
  // that work waits, are bits of one word, so that "tell it if it is there" is one atomic step, and so is "I am there no
  // longer, and was I told?".

  private static var inUser: Int32 { 4 }
  private static var workWaits: Int32 { 8 }

  /// A flag of frames: what ends with this one goes back to user space. No engine has a flag of this value.
  static var returnsToUser: Int { 256 }

  @inline(__always) public func isInUser(_ cpu: Int) -> Bool { get(layout.cpu(cpu, .idle)) & Self.inUser != 0 }

  /// Whether a CPU has been told that work waits for it.
  @inline(__always) func isWorkMarked(_ cpu: Int) -> Bool { get(layout.cpu(cpu, .idle)) & Self.workWaits != 0 }

  mutating func enterUser(_ cpu: Int) {
    let cell = layout.cpu(cpu, .idle)
    set(cell, get(cell) | Self.inUser)
    happened(.userEntered)
  }

  /// Clears both bits.
  /// - Returns: whether work waits.
  mutating func leaveUser(_ cpu: Int) -> Bool {
    let cell = layout.cpu(cpu, .idle)
    let workWaits = isWorkMarked(cpu)
    set(cell, get(cell) & ~(Self.inUser | Self.workWaits))
    happened(.userLeft(workWaits: workWaits))
    return workWaits
  }

  /// Tells a CPU that work waits, if it is in user space: a compare-and-swap.
  /// - Returns: false if it is not, and needs an IPI.
  mutating func markWork(_ cpu: Int) -> Bool {
    guard isInUser(cpu) else { return false }
    let cell = layout.cpu(cpu, .idle)
    set(cell, get(cell) | Self.workWaits)
    happened(.workMarked(cpu: cpu))
    return true
  }

  /// Takes it back that work waits, for an IPI instead.
  /// - Returns: whether a CPU had been told.
  mutating func unmarkWork(_ cpu: Int) -> Bool {
    guard isWorkMarked(cpu) else { return false }
    let cell = layout.cpu(cpu, .idle)
    set(cell, get(cell) & ~Self.workWaits)
    happened(.workUnmarked(cpu: cpu))
    return true
  }
}
