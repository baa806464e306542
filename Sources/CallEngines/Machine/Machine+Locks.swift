// Spin locks: one cell each, holding the holder. Who finds it taken spins. Whoever comes first when it is free has it; they are
// fair only in that nobody who spins is passed over for ever, as by the tickets of x86's since 2.6.25.
extension Machine {
  /// Takes the lock at `cell`.
  /// - Returns: false if somebody holds it, the CPU itself included.
  @inline(__always) mutating func acquire(_ cell: Int, _ name: @autoclosure () -> LockName, by cpu: Int) -> Bool {
    guard get(cell) == 0 else { return false }
    set(cell, cpu &+ 1)
    tookLock = true
    if takesNotes { note(.lockTaken, name().key, cpu: cpu) }
    happened(.lockTaken(name()))
    return true
  }

  @inline(__always) mutating func release(_ cell: Int, _ name: @autoclosure () -> LockName) {
    set(cell, 0)
    if takesNotes { note(.lockReleased, name().key) }
    happened(.lockReleased(name()))
  }
}
