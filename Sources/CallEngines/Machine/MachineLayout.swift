/// Where everything is in a machine's cells.
///
///     per CPU    its state, its queue, its stack of frames
///     global     online mask, hotplug, the engine's own cells
///     locks      one cell each: who holds it
///     csds       the csds, and what is linked on queues like one
///     calls      what is known about each call; no engine reads it
///
/// Masks take one cell for every eight CPUs, so that every cell fits a byte for as long as there are less than 256 of
/// anything.
public struct MachineLayout: Sendable {
  /// What an engine wants to have beside what all have.
  struct Needs {
    /// Cells of its own, 0 at the start.
    var cells = 0
    /// Locks of its own.
    var locks = 0
    /// Whether its csds carry a mask, a count and a lock (`struct call_function_data` of 2008 and 2009).
    var hasEntries = false
    /// Whether each CPU has a csd for each target (`cfd_data` since 2013).
    var hasCSDPerTarget = false
    /// How many csds a call can have on its stack, or allocated for it.
    var csdsPerCall = 1
    /// How many masks an entry has beside its own.
    var masksPerEntry = 0
    /// How many cells of its own the engine has in each csd.
    var cellsPerCSD = 0
  }

  public let cpuCount: Int
  /// Frames on one CPU's stack.
  public let stackDepth: Int
  /// Cells of a mask of CPUs.
  public let maskCells: Int
  /// Cells of a set of calls.
  public let callSetCells: Int
  public private(set) var callCount: Int
  public private(set) var csdCount: Int
  /// All cells.
  public private(set) var cellCount: Int

  let cpuStride: Int
  let callSetsInCPU: Int
  let framesInCPU: Int
  let onlineMask: Int
  let stopTarget: Int
  let engineCells: Int
  let lockBase: Int
  let engineLockCount: Int
  let csdBase: Int
  let csdStride: Int
  /// Behind the csds; nothing is there where no books are kept.
  private let callBase: Int
  let callStride: Int
  private let csdMasks: Int
  private let engineCellsInCSD: Int
  let manyCSDBase: Int
  private let privateCSDBase: Int
  private let callCSDBase: Int
  private let privateStorageCount: Int
  private let csdsPerCall: Int
  /// From one call's csds to the next one's, and from one private csd to the next one.
  private let callCSDStride: Int
  private let privateCSDStride: Int

  /// - Precondition: no task and no function has more than 255 operations.
  /// - Parameters:
  ///   - keepsBooks: whether calls have cells, in which it is kept what became of them.
  ///   - grows: whether calls are added while the machine runs. Each then brings a private csd of its own with it, which
  ///     any call may use.
  init(workload: Workload, needs: Needs, stackDepth: Int, keepsBooks: Bool = true, grows: Bool = false) {
    precondition(!(grows && keepsBooks), "a machine that grows keeps no books")
    let cpus = workload.cpuCount
    cpuCount = cpus
    self.stackDepth = stackDepth
    maskCells = (cpus + 7) / 8
    callCount = workload.calls.count
    callSetCells = keepsBooks ? (callCount + 7) / 8 : 0
    callSetsInCPU = CPUCell.count
    framesInCPU = CPUCell.count + NodeClass.allCases.count * callSetCells
    cpuStride = framesInCPU + stackDepth * Local.count
    onlineMask = cpus * cpuStride
    stopTarget = onlineMask + maskCells
    engineCells = stopTarget + 1
    lockBase = engineCells + needs.cells
    engineLockCount = needs.locks
    csdBase = lockBase + needs.locks + workload.lockCount
    csdMasks = needs.hasEntries ? CSDCell.countInEntry : CSDCell.count
    engineCellsInCSD = csdMasks + (needs.hasEntries ? (1 + needs.masksPerEntry) * maskCells : 0)
    csdStride = engineCellsInCSD + needs.cellsPerCSD

    manyCSDBase = cpus
    privateCSDBase = manyCSDBase + (needs.hasCSDPerTarget ? cpus * cpus : needs.hasEntries ? cpus : 0)
    csdsPerCall = needs.csdsPerCall
    if grows {
      privateStorageCount = callCount
      callCSDBase = privateCSDBase + 1
      callCSDStride = csdsPerCall + 1
      privateCSDStride = callCSDStride
      csdCount = privateCSDBase + callCount * callCSDStride
    } else {
      privateStorageCount = workload.privateStorageCount
      callCSDBase = privateCSDBase + privateStorageCount
      callCSDStride = csdsPerCall
      privateCSDStride = 1
      csdCount = callCSDBase + callCount * csdsPerCall
    }
    callBase = csdBase + csdCount * csdStride
    callStride = keepsBooks ? CallCell.count + CallMask.allCases.count * maskCells + cpus * callSetCells : 0
    cellCount = callBase + callCount * callStride
  }

  /// Makes room for more calls, of a machine that grows. What is there stays where it is.
  mutating func grow(byCalls count: Int) {
    callCount += count
    csdCount += count * callCSDStride
    cellCount += count * callCSDStride * csdStride
  }

  // MARK: Which csd is which

  /// A CPU's own csd for calls that do not wait: `csd_data`.
  @inline(__always) public func ownCSD(of cpu: Int) -> Int { cpu }

  /// A CPU's own csd for its multi-CPU calls to one target: `cfd_data->csd`.
  @inline(__always) public func manyCSD(of cpu: Int, for target: Int) -> Int {
    manyCSDBase + cpu * cpuCount + target
  }

  /// A CPU's own entry for its multi-CPU calls: `cfd_data` of 2009.
  @inline(__always) public func ownEntry(of cpu: Int) -> Int { manyCSDBase + cpu }

  /// One that the callers own.
  @inline(__always) public func privateCSD(_ index: Int) -> Int { privateCSDBase &+ index &* privateCSDStride }

  /// The one on a call's stack, or that was allocated for it.
  @inline(__always) public func callCSD(_ call: Int) -> Int { callCSDBase &+ call &* callCSDStride }

  /// The second one on a call's stack, of an engine that needs one.
  @inline(__always) public func secondCSD(of call: Int) -> Int { callCSD(call) &+ 1 }

  /// Whether a csd is one that the callers own.
  @inline(__always) public func isPrivate(_ csd: Int) -> Bool {
    guard csd >= privateCSDBase else { return false }
    if privateCSDStride > 1 { return (csd &- privateCSDBase) % privateCSDStride == 0 }
    return csd < callCSDBase
  }

  /// Whose a csd is.
  /// - Precondition: there is such a csd.
  public func owner(of csd: Int) -> CSDOwner {
    precondition(csd >= 0 && csd < csdCount, "csd \(csd) of \(csdCount)")
    if isPrivate(csd) { return .caller(storage: (csd - privateCSDBase) / privateCSDStride) }
    if csd >= callCSDBase {
      let (call, index) = (csd - callCSDBase).quotientAndRemainder(dividingBy: callCSDStride)
      return index == 0 ? .call(call: call) : .secondOfCall(call: call)
    }
    if csd < manyCSDBase { return .own(cpu: csd) }
    let index = csd - manyCSDBase
    if privateCSDBase - manyCSDBase == cpuCount, csdMasks > CSDCell.count { return .entry(cpu: index) }
    return .target(cpu: index / cpuCount, target: index % cpuCount)
  }

  /// A CPU's number, or that of none for one that does not exist: a local holds no negative numbers.
  @inline(__always) func existingCPU(_ number: Int) -> Int { number >= 0 && number < cpuCount ? number : cpuCount }

  // MARK: Where it is

  @inline(__always) func cpu(_ cpu: Int, _ cell: CPUCell) -> Int { cpu &* cpuStride &+ cell.rawValue }
  @inline(__always) func csd(_ csd: Int, _ cell: CSDCell) -> Int { csdBase &+ csd &* csdStride &+ cell.rawValue }
  @inline(__always) func csdMask(_ csd: Int) -> Int { csdBase &+ csd &* csdStride &+ csdMasks }
  /// The masks that an entry has beside its own, from 0.
  @inline(__always) func furtherMask(_ index: Int, of csd: Int) -> Int {
    csdBase &+ csd &* csdStride &+ csdMasks &+ (index &+ 1) &* maskCells
  }
  /// The cells that the engine has in each csd, from 0.
  @inline(__always) func engineCell(_ index: Int, of csd: Int) -> Int {
    csdBase &+ csd &* csdStride &+ engineCellsInCSD &+ index
  }
  @inline(__always) func call(_ call: Int, _ cell: CallCell) -> Int { callBase &+ call &* callStride &+ cell.rawValue }
  @inline(__always) func call(_ call: Int, _ mask: CallMask) -> Int {
    callBase &+ call &* callStride &+ CallCell.count &+ mask.rawValue &* maskCells
  }
  /// The set of calls that must start on `cpu` before this one does.
  @inline(__always) func ahead(of call: Int, on cpu: Int) -> Int {
    callBase &+ call &* callStride &+ CallCell.count &+ CallMask.allCases.count &* maskCells &+ cpu &* callSetCells
  }
  @inline(__always) func batch(of cpu: Int, _ nodeClass: NodeClass) -> Int {
    cpu &* cpuStride &+ callSetsInCPU &+ nodeClass.rawValue &* callSetCells
  }
  @inline(__always) func lock(_ index: Int) -> Int { lockBase &+ index }
  @inline(__always) func callersLock(_ index: Int) -> Int { lockBase &+ engineLockCount &+ index }
}

/// The cells of a CPU, before its frames.
enum CPUCell: Int {
  /// Frames on the stack.
  case depth
  /// 1: interrupts are on.
  case interrupts
  /// A ``CPUState``.
  case state
  /// IPIs that were sent and not taken, one bit per ``Vector``.
  case pending
  /// Bit 0: polling. Bit 1: NEED_RESCHED. Bit 2: in user space. Bit 3: work waits for the way into the kernel.
  case idle
  /// How far stop_machine() has come here: a ``Machine/StopProgress``.
  case stop
  /// First node of `call_single_queue`, as csd + 1.
  case queueHead
  case queueTail

  static let count = 8
}

/// The cells of a csd.
enum CSDCell: Int {
  case flags
  /// Function + 1; more than the workload has for the engine's own functions.
  case function
  /// What the function is given: here, the call + 1.
  case call
  /// The next node on a list, as csd + 1.
  case next
  /// A ``Machine/CSDState``; no engine reads it.
  case state
  case type
  /// Only where csds are entries of a multi-CPU queue.
  case references
  case lock
  /// The function that a qsd holds + 1, or other data of the csd's owner.
  static let count = 6
  static let countInEntry = 8
}

/// The cells of a call, before its masks.
enum CallCell: Int {
  /// 0 not made, 1 under way, 2 returned.
  case progress
  /// A ``CallResult``.
  case result
  /// A ``Machine/RequestState``; no engine reads it.
  case request

  static let count = 3
}

/// The masks of a call. No engine reads them.
enum CallMask: Int, CaseIterable {
  /// CPUs that it has to reach: those online when it began.
  case owed
  /// CPUs for which it was queued, or which it ran on in place.
  case queued
  case started
  case finished
}

/// The locals of a frame.
enum Local: Int {
  /// The program counter.
  case point
  /// Call + 1, or which program.
  case call
  /// csd + 1.
  case csd
  /// A CPU.
  case target
  /// A list's node, as csd + 1.
  case cursor
  /// The first node of a list that was taken, as csd + 1.
  case batch
  case flags
  case value

  static let count = 8
}

/// The classes in which a flush runs its nodes, in their order.
enum NodeClass: Int, CaseIterable {
  case sync
  case asyncAndIRQWork
  case wakeups
}
