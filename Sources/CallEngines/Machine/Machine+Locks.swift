// Spin locks: one cell each, holding the holder. Who finds it taken spins, and whoever comes first when it is free has it.
extension Machine {
  /// Takes the lock at `cell`.
  /// - Returns: false if somebody holds it, the CPU itself included.
  @inline(__always) mutating func acquire(_ cell: Int, _ name: @autoclosure () -> LockName, by cpu: Int) -> Bool {
    guard get(cell) == 0 else { return false }
    set(cell, cpu &+ 1)
    happened(.lockTaken(name()))
    return true
  }

  @inline(__always) mutating func release(_ cell: Int, _ name: @autoclosure () -> LockName) {
    set(cell, 0)
    happened(.lockReleased(name()))
  }
}
