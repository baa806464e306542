// User space, for a driver that makes calls as they come. A CPU that is not said to be there is in the kernel.
extension Engine {
  /// Whether the engine looks at who is in user space. For one that does not, there is no need to say so.
  public var defers: Bool {
    if case .mainline(let mainline) = self { mainline.deferral != .none } else { false }
  }

  /// A CPU goes to user space. An interrupt that it takes there brings it into the kernel and back.
  /// - Precondition: it stands where its task runs, with interrupts on.
  public func enterUser(_ cpu: Int, _ machine: inout Machine) { machine.enterUser(cpu) }

  /// A CPU enters the kernel of its own accord. Nothing happens if it is there already.
  /// - Returns: whether work waits. A program that flushes the queue has been put onto the CPU's stack then, and has to end
  ///   before anything else is done there.
  /// - Precondition: there is room for ``framesOfEntry``.
  public func leaveUser(_ cpu: Int, _ machine: inout Machine) -> Bool {
    guard machine.isInUser(cpu) else { return false }
    guard machine.isWorkMarked(cpu) else {
      _ = machine.leaveUser(cpu)
      return false
    }
    machine.push(cpu, CommonPoint.kernelEntry.rawValue)
    return true
  }

  /// Frames that a flush on the way into the kernel needs: its own, that of the way, and that of a function.
  public static var framesOfEntry: Int { 3 }
}
