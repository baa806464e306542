/// One target CPU of the engine ``Mainline``, which a record of what happened drives: its queue, and its flush.
///
/// The queue is the whole of what sources and target share, so that targets can be looked at one by one. The steps are those
/// that an exploration takes: this type only decides who moves next, which is the sources while nodes are added, and the
/// target from the begin of a flush to its end. A step of the record that the engine does not allow leaves the state as it was
/// and says what was expected.
public struct MainlineTarget: ~Copyable {
  /// What adding a node came to.
  public enum Added: Sendable, Hashable {
    /// The queue was empty: whoever added the node has to kick the target.
    case kickOwed
    /// Somebody else's kick is under way: no kick.
    case coalesced
    /// The node is still in use.
    case refused
  }

  /// What the flush in progress does next.
  public enum NextStep: Sendable, Hashable {
    /// Run this node's callback.
    case callback(Int)
    /// Run this irq_work, which shows no callback.
    case irqWork(Int)
    /// Run `sched_ttwu_pending()` once for all wakeups; the node is the first of them.
    case wakeups(first: Int)
    /// Nothing is left: the flush ends.
    case end
    /// No flush is in progress.
    case notFlushing
  }

  private let engine = Mainline()
  private var machine: Machine
  /// How many nodes the machine has room for.
  private var capacity: Int

  private static var cpu: Int { 0 }
  /// The flush, and the function that it runs.
  private static var stackDepth: Int { 2 }

  public init() {
    capacity = 16
    machine = Self.machine(capacity: capacity)
  }

  /// A machine of one CPU, whose csds are the sources' nodes, and which watches no calls.
  private static func machine(capacity: Int) -> Machine {
    var workload = Workload(cpuCount: 1)
    workload.privateStorageCount = capacity
    let layout = MachineLayout(workload: workload, needs: Mainline().needs(workload), stackDepth: stackDepth)
    var machine = Machine(layout: layout, workload: workload, isTracking: false, keepsBooks: false)
    machine.markOnline(cpu)
    return machine
  }

  /// Makes room for the nodes 0 ..< `count`.
  /// - Precondition: nothing is queued, and no flush is in progress.
  public mutating func reserve(_ count: Int) {
    if count <= capacity { return }
    precondition(isEmpty && !isFlushing, "more room is made only between two flushes")
    while capacity < count { capacity *= 2 }
    machine = Self.machine(capacity: capacity)
  }

  /// Whether nothing is queued. A batch that a flush has taken is no longer queued.
  public var isEmpty: Bool { machine.queueIsEmpty(Self.cpu) }

  public var isFlushing: Bool { machine.depth(Self.cpu) > 0 }

  /// A source added a node: `llist_add()` in `__smp_call_single_queue()` or `smp_call_function_many_cond()`.
  /// - Precondition: there is room for the node; see ``reserve(_:)``.
  public mutating func added(_ node: Int, _ type: NodeType) -> Added {
    precondition(node >= 0 && node < capacity, "there is no room for node \(node)")
    let csd = machine.layout.privateCSD(node)
    guard machine.flags(csd) == 0 else { return .refused }
    machine.set(machine.layout.csd(csd, .type), type.csdType)
    machine.setFlags(csd, type == .ttwu ? Mainline.NodeFlag.waking : CSDFlags.lock)
    machine.set(machine.layout.csd(csd, .call), node &+ 1)
    return machine.addLockLess(csd, to: Self.cpu) ? .kickOwed : .coalesced
  }

  /// The target took the whole queue: `llist_del_all()` at the head of `__flush_smp_call_function_queue()`.
  /// - Precondition: no flush of this CPU is in progress. Flushes run with interrupts off and do not nest.
  public mutating func flushBegan() {
    precondition(!isFlushing, "a flush began inside a flush")
    machine.push(Self.cpu, Mainline.Point.handler.rawValue)
    move()
  }

  /// What the flush in progress has to do next.
  public var next: NextStep {
    let depth = machine.depth(Self.cpu)
    guard depth > 1 else { return depth == 1 ? .end : .notFlushing }
    let node = machine[machine.top(Self.cpu), .call] - 1
    // Where the flush goes on tells what it is that runs.
    switch Mainline.Point(rawValue: UInt8(machine[machine.frame(Self.cpu, 0), .point])) {
    case .workClearsBusy: return .irqWork(node)
    case .wakeupsEnd: return .wakeups(first: node)
    default: return .callback(node)
    }
  }

  /// The target ran this: a csd's callback, an irq_work, or all wakeups, of which this node is the first.
  /// - Returns: false if the flush does something else; the state is unchanged.
  public mutating func ran(_ node: Int) -> Bool {
    guard machine.depth(Self.cpu) > 1, machine[machine.top(Self.cpu), .call] == node &+ 1 else { return false }
    machine.pop(Self.cpu)
    move()
    return true
  }

  /// The flush returned.
  /// - Returns: false if there was something left to do; the state is unchanged.
  public mutating func flushEnded() -> Bool {
    guard machine.depth(Self.cpu) == 1 else { return false }
    step()
    return true
  }

  /// Lets the target move until it runs something, or is about to end its flush.
  private mutating func move() {
    while machine.depth(Self.cpu) == 1, machine.point(of: Self.cpu) != Mainline.Point.flushEnds.rawValue { step() }
  }

  private mutating func step() {
    let frame = machine.frame(Self.cpu, 0)
    guard let point = Mainline.Point(rawValue: UInt8(truncatingIfNeeded: machine.get(frame))) else {
      preconditionFailure("the target stands at \(machine.get(frame)), which is no point of mainline")
    }
    // A target never waits in a flush.
    _ = engine.flushStep(point, Self.cpu, frame, &machine)
  }
}
