// Masks of CPUs in the machine's cells: eight CPUs to a cell.
extension Machine {
  @inline(__always) func contains(maskAt cell: Int, _ cpu: Int) -> Bool {
    get(cell &+ cpu >> 3) >> Int32(truncatingIfNeeded: cpu & 7) & 1 != 0
  }

  @inline(__always) mutating func insert(_ cpu: Int, maskAt cell: Int) {
    let place = cell &+ cpu >> 3
    set(place, get(place) | 1 << Int32(truncatingIfNeeded: cpu & 7))
  }

  @inline(__always) mutating func remove(_ cpu: Int, maskAt cell: Int) {
    let place = cell &+ cpu >> 3
    set(place, get(place) & ~(1 << Int32(truncatingIfNeeded: cpu & 7)))
  }

  func isEmpty(maskAt cell: Int) -> Bool {
    for offset in 0..<layout.maskCells where get(cell &+ offset) != 0 { return false }
    return true
  }

  func count(maskAt cell: Int) -> Int {
    var count = 0
    for offset in 0..<layout.maskCells { count &+= get(cell &+ offset).nonzeroBitCount }
    return count
  }

  mutating func clear(maskAt cell: Int) {
    for offset in 0..<layout.maskCells { set(cell &+ offset, 0) }
  }

  /// The first CPU of a mask at or behind `cpu`, or the number of CPUs.
  @inline(__always) func firstCPU(inMaskAt cell: Int, from cpu: Int) -> Int {
    var candidate = cpu
    while candidate < layout.cpuCount {
      let rest = get(cell &+ candidate >> 3) >> Int32(truncatingIfNeeded: candidate & 7)
      if rest != 0 { return candidate &+ rest.trailingZeroBitCount }
      candidate = (candidate | 7) &+ 1
    }
    return layout.cpuCount
  }

  /// Makes the mask at `cell` the CPUs that are online and asked for by `mask`.
  mutating func setMask(at cell: Int, online mask: CPUSet) {
    for offset in 0..<layout.maskCells {
      let wanted = Int32(truncatingIfNeeded: mask.word(offset &>> 3) &>> UInt64((offset & 7) &* 8) & 0xff)
      set(cell &+ offset, wanted & get(layout.onlineMask &+ offset))
    }
  }

  @inline(__always) public func isOnline(_ cpu: Int) -> Bool {
    cpu >= 0 && cpu < layout.cpuCount && contains(maskAt: layout.onlineMask, cpu)
  }
}
