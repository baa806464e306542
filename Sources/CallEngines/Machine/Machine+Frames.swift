import BasicContainers

// The stack of programs on each CPU. The task's frame is at the bottom; calls, handlers and functions lie above.
extension Machine {
  @inline(__always) subscript(_ frame: Int, _ local: Local) -> Int {
    get { Int(cells[frame &+ local.rawValue]) }
    set { set(frame &+ local.rawValue, newValue) }
  }

  /// Frames on a CPU's stack.
  @inline(__always) public func depth(_ cpu: Int) -> Int { getInt(layout.cpu(cpu, .depth)) }

  /// Where the topmost frame of a CPU is.
  /// - Precondition: there is one.
  @inline(__always) func top(_ cpu: Int) -> Int { frame(cpu, depth(cpu) &- 1) }

  @inline(__always) func frame(_ cpu: Int, _ level: Int) -> Int {
    cpu &* layout.cpuStride &+ layout.framesInCPU &+ level &* Local.count
  }

  /// The point at which a CPU's topmost program stands, nil for an empty stack.
  public func point(of cpu: Int) -> UInt8? {
    depth(cpu) == 0 ? nil : UInt8(truncatingIfNeeded: self[top(cpu), .point])
  }

  /// Whether one of a CPU's programs stands at a point.
  func stands(on cpu: Int, at point: UInt8) -> Bool {
    for level in 0..<depth(cpu) where get(frame(cpu, level)) == Int32(point) { return true }
    return false
  }

  /// Puts a program onto a CPU's stack.
  /// - Precondition: the stack is not full; see ``MachineLayout/stackDepth``. The drivers make room in advance.
  @discardableResult
  mutating func push(_ cpu: Int, _ point: UInt8) -> Int {
    let depth = depth(cpu)
    precondition(depth < layout.stackDepth, "CPU\(cpu) nests deeper than \(layout.stackDepth) frames")
    let frame = frame(cpu, depth)
    set(layout.cpu(cpu, .depth), depth &+ 1)
    // A program's first step can be left out as well; it comes from nowhere.
    set(frame, Int32(redirects.isEmpty ? point : redirected(from: 0, to: point)))
    return frame
  }

  /// Takes the topmost program off.
  mutating func pop(_ cpu: Int) {
    let frame = top(cpu)
    // Zero, so that equal states are equal cells.
    clear(frame, count: Local.count)
    set(layout.cpu(cpu, .depth), depth(cpu) &- 1)
  }

  /// The frame goes on to another point.
  @inline(__always) mutating func go(_ frame: Int, _ point: UInt8) {
    set(frame, Int32(redirects.isEmpty ? point : redirected(from: UInt8(truncatingIfNeeded: get(frame)), to: point)))
  }

  @inline(never) func redirected(from: UInt8, to point: UInt8) -> UInt8 {
    // A redirect of one origin goes before one of all.
    for redirect in redirects where redirect.to == point && redirect.from == from { return redirect.instead }
    for redirect in redirects where redirect.to == point && redirect.from == nil { return redirect.instead }
    return point
  }

  /// A program goes on to one of its points.
  @inline(__always) mutating func go<Point: RawRepresentable>(_ frame: Int, _ point: Point) -> Stepped
  where Point.RawValue == UInt8 {
    go(frame, point.rawValue)
    return .moved
  }

  @inline(__always) func hasFlag(_ frame: Int, _ flag: Int) -> Bool { self[frame, .flags] & flag != 0 }

  @inline(__always) mutating func setFlag(_ frame: Int, _ flag: Int, _ isSet: Bool) {
    let flags = self[frame, .flags]
    self[frame, .flags] = isSet ? flags | flag : flags & ~flag
  }
}
