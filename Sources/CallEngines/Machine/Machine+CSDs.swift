/// The flags of a csd, as the generations have them.
struct CSDFlags {
  static let lock: Int32 = 1
  static let wait: Int32 = 2
  static let allocated: Int32 = 4
  /// An irq_work that is claimed, and whose function has not begun. It is the same bit as `lock`.
  static let pending: Int32 = 1
  /// An irq_work that is claimed, and whose function has not ended.
  static let busy: Int32 = 16
}

extension Machine {
  /// What a csd is used for. No engine reads it; it shows a csd that is reused or touched when it must not be.
  enum CSDState: Int32 {
    /// By nobody; on a stack: gone.
    case free
    /// Filled by its owner, or in use beside any queue.
    case filled
    case queued
    /// Taken by a flush.
    case taken
  }

  func csdState(_ csd: Int) -> CSDState {
    // The cell is written by `setState` only.
    CSDState(rawValue: get(layout.csd(csd, .state))) ?? .free
  }

  @inline(__always) mutating func setState(_ csd: Int, _ state: CSDState) {
    if keepsBooks { set(layout.csd(csd, .state), state.rawValue) }
  }

  @inline(__always) func flags(_ csd: Int) -> Int32 { get(layout.csd(csd, .flags)) }
  @inline(__always) func hasFlag(csd: Int, _ flag: Int32) -> Bool { flags(csd) & flag != 0 }
  mutating func setFlags(_ csd: Int, _ flags: Int32) { set(layout.csd(csd, .flags), flags) }

  /// The second half of `csd_lock()`, behind a test that found it unlocked. Who comes between test and set is not seen.
  mutating func setLock(_ csd: Int, isWaitedFor: Bool) {
    setFlags(csd, isWaitedFor ? CSDFlags.lock | CSDFlags.wait : CSDFlags.lock)
    happened(.csdLocked(csd: csd))
  }

  /// `csd_unlock()`: its owner may use it again.
  mutating func unlockCSD(_ csd: Int) {
    if !hasFlag(csd: csd, CSDFlags.lock) {
      violate(.noWarning)
      happened(.warned(.csdNotLocked(csd: csd)))
    }
    setFlags(csd, flags(csd) & ~CSDFlags.lock)
    setState(csd, .free)
    released(csd)
    happened(.csdUnlocked(csd: csd))
  }

  /// Who waits for a csd may look again.
  @inline(__always) mutating func released(_ csd: Int) { note(.csdReleased, csd) }

  /// Its owner writes function and argument.
  mutating func fill(_ csd: Int, function: Int, call: Int) {
    if csdState(csd) != .free { violate(.noCSDReuse) }
    setState(csd, .filled)
    set(layout.csd(csd, .function), function &+ 1)
    set(layout.csd(csd, .call), call &+ 1)
    happened(.filled(csd: csd, call: call))
  }

  func function(_ csd: Int) -> Int { getInt(layout.csd(csd, .function)) &- 1 }
  func call(_ csd: Int) -> Int { getInt(layout.csd(csd, .call)) &- 1 }

  /// Somebody reads a csd, who must not find it gone.
  mutating func touch(_ csd: Int) {
    if keepsBooks, csdState(csd) == .free { violate(.noCSDReuse) }
  }

  /// All that a csd on a stack held is gone.
  mutating func forget(_ csd: Int) {
    if csdState(csd) == .queued || csdState(csd) == .taken { violate(.noCSDReuse) }
    let start = layout.csd(csd, .flags)
    for offset in 0..<layout.csdStride { set(start &+ offset, 0) }
  }

  // MARK: The queue of a CPU

  @inline(__always) func queueIsEmpty(_ cpu: Int) -> Bool { get(layout.cpu(cpu, .queueHead)) == 0 }

  /// The node behind this one, as csd + 1.
  @inline(__always) func next(_ csd: Int) -> Int { getInt(layout.csd(csd, .next)) }
  @inline(__always) mutating func setNext(_ csd: Int, _ next: Int) { set(layout.csd(csd, .next), next) }

  private mutating func willAdd(_ csd: Int) {
    if csdState(csd) == .queued || csdState(csd) == .taken { violate(.noCSDReuse) }
    setState(csd, .queued)
  }

  /// `llist_add()`: puts a node at the head of a CPU's lock-less queue.
  /// - Returns: whether the queue was empty.
  mutating func addLockLess(_ csd: Int, to cpu: Int) -> Bool {
    willAdd(csd)
    let head = layout.cpu(cpu, .queueHead)
    let first = getInt(head)
    setNext(csd, first)
    set(head, csd &+ 1)
    note(.added, first == 0 ? 1 : 0, cpu: cpu)
    happened(.added(csd: csd, cpu: cpu, wasEmpty: first == 0))
    return first == 0
  }

  /// `list_add_tail()`: puts a node at the end of a CPU's queue, whose lock the caller holds.
  /// - Returns: whether the queue was empty.
  mutating func append(_ csd: Int, to cpu: Int) -> Bool {
    willAdd(csd)
    let tail = layout.cpu(cpu, .queueTail)
    let last = getInt(tail)
    setNext(csd, 0)
    if last == 0 { set(layout.cpu(cpu, .queueHead), csd &+ 1) } else { setNext(last &- 1, csd &+ 1) }
    set(tail, csd &+ 1)
    note(.added, last == 0 ? 1 : 0, cpu: cpu)
    happened(.added(csd: csd, cpu: cpu, wasEmpty: last == 0))
    return last == 0
  }

  /// `llist_del_all()`, or `list_replace_init()` of a locked queue: takes all nodes.
  /// - Returns: the first node as csd + 1, 0 if there was none.
  mutating func takeAll(of cpu: Int) -> Int {
    let head = layout.cpu(cpu, .queueHead)
    let first = getInt(head)
    set(head, 0)
    set(layout.cpu(cpu, .queueTail), 0)
    var node = first
    var names: [Int] = []
    var left = layout.csdCount
    while node != 0 {
      guard left > 0 else {
        // A node that was added twice: the list has no end. What is in it is lost; a kernel would hang.
        violate(.noCSDReuse)
        return 0
      }
      left &-= 1
      setState(node &- 1, .taken)
      if isNarrating { names.append(node &- 1) }
      node = next(node &- 1)
    }
    note(.taken, first == 0 ? 0 : 1)
    happened(.taken(csds: names))
    return first
  }

  /// `llist_reverse_order()`: turns a list that was taken round, in place.
  /// - Returns: the new first node as csd + 1.
  mutating func reverse(_ first: Int) -> Int {
    var node = first
    var reversed = 0
    while node != 0 {
      let following = next(node &- 1)
      setNext(node &- 1, reversed)
      reversed = node
      node = following
    }
    return reversed
  }
}
