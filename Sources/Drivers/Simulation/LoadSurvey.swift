public import TraceTypes

/// Reads events for what calls alone do not tell: what handlers cost, and which CPUs went and came.
///
/// A CPU shows no event while it is offline, nor while it goes with interrupts off. What is known of its going is in what
/// others show: `takedown_cpu` begins; the stoppers take over, one CPU after the other; calls that are still queued for it prove it online;
/// `cpuhp_complete_idle_dead` is called when it has gone. It comes between the step `cpuhp_bringup_ap` and its own first event.
/// - Complexity: O(1) an event.
public struct LoadSurvey: TraceEventConsumer, ~Copyable {
  /// More are not kept, and ``droppedHotplugs`` counts them.
  static let mostHotplugs = 100_000

  private struct CPU {
    var handlerEntered: UInt64?
    var ranInHandler = false
    var callbackEnded: UInt64?
    var depth = 0
    var latest: UInt64 = 0
    /// `takedown_cpu` runs for it.
    var isGoing = false
    /// While it goes: its own last event, and the last moment at which it was certainly online.
    var lastSeen: UInt64 = 0
    var lastOnline: UInt64 = 0
    var isDead = false
    /// `cpuhp_bringup_ap` runs for it, or has run.
    var isComing = false
  }

  private var cpus: [CPU] = []
  private var going = 0
  public private(set) var costs = CostRecorder()
  /// In the order of time.
  public private(set) var hotplugs: [LoadedHotplug] = []
  public private(set) var droppedHotplugs = 0
  private let takesDown: Set<UInt64>
  private let bringsUp: Set<UInt64>
  private let isGone: Set<UInt64>

  public init(names: any AddressNaming) {
    takesDown = Set(names.addresses(ofSymbol: "takedown_cpu"))
    bringsUp = Set(names.addresses(ofSymbol: "cpuhp_bringup_ap") + names.addresses(ofSymbol: "bringup_cpu"))
    isGone = Set(names.addresses(ofSymbol: "cpuhp_complete_idle_dead"))
  }

  public mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    for index in events.indices {
      let cpu = Int(events[index].cpu)
      ensure(cpu)
      take(events[index], cpu)
      cpus[cpu].latest = events[index].nanoseconds
    }
  }

  public mutating func gapBegan(_ gap: TraceGap) {
    let cpu = Int(gap.cpu)
    ensure(cpu)
    cpus[cpu].handlerEntered = nil
    cpus[cpu].callbackEnded = nil
    cpus[cpu].depth = 0
  }

  private mutating func ensure(_ cpu: Int) {
    while cpus.count <= cpu { cpus.append(CPU()) }
  }

  private mutating func take(_ event: TraceEvent, _ cpu: Int) {
    let time = event.nanoseconds
    if cpus[cpu].isDead || cpus[cpu].isComing { showed(cpu, at: time) }
    if cpus[cpu].isGoing { cpus[cpu].lastSeen = time }
    switch event.kind {
    case .callFunctionSingleEntry, .callFunctionEntry:
      cpus[cpu].handlerEntered = time
      cpus[cpu].ranInHandler = false
      cpus[cpu].callbackEnded = nil
      cpus[cpu].depth = 0
    case .callFunctionSingleExit, .callFunctionExit:
      if let entered = cpus[cpu].handlerEntered {
        if let ended = cpus[cpu].callbackEnded, time >= ended { costs.record(.handlerExit, time - ended) }
        if !cpus[cpu].ranInHandler, time >= entered { costs.record(.silentCallback, time - entered) }
      }
      cpus[cpu].handlerEntered = nil
      cpus[cpu].callbackEnded = nil
    case .csdFunctionEntry:
      callbackBegan(cpu, at: time)
      if going > 0, isGone.contains(event.function) { gone() }
    case .csdFunctionExit:
      cpus[cpu].depth = max(0, cpus[cpu].depth - 1)
      if cpus[cpu].depth == 0 { cpus[cpu].callbackEnded = time }
    case .csdQueueCPU:
      let target = Int(event.target)
      if target >= 0, target < cpus.count, cpu != target {
        if cpus[target].isGoing { cpus[target].lastOnline = time }
        // Nobody calls a CPU that is offline.
        if cpus[target].isComing { showed(target, at: time) }
      }
    case .schedSwitch:
      // The first eight letters of "migration/N": the stopper takes over, and all CPUs must have been given up.
      if going > 0, event.csd == 0x6f69_7461_7267_696d {
        for other in cpus.indices where cpus[other].isGoing { cpus[other].lastOnline = time }
      }
    case .cpuhpEnter: hotplugStepBegan(event)
    case .cpuhpExit: hotplugStepEnded(event)
    default: break
    }
  }

  private mutating func callbackBegan(_ cpu: Int, at time: UInt64) {
    defer { cpus[cpu].depth += 1 }
    guard cpus[cpu].depth == 0, let entered = cpus[cpu].handlerEntered, time >= entered else { return }
    if !cpus[cpu].ranInHandler {
      costs.record(.handlerEntry, time - entered)
      cpus[cpu].ranInHandler = true
    } else if let ended = cpus[cpu].callbackEnded, time >= ended {
      costs.record(.nextCallback, time - ended)
    }
  }

  // MARK: Hotplug

  private mutating func hotplugStepBegan(_ event: TraceEvent) {
    let target = Int(event.target)
    guard target >= 0, target <= CPUMask.highestCPU else { return }
    if takesDown.contains(event.function) {
      ensure(target)
      if !cpus[target].isGoing { going += 1 }
      cpus[target].isGoing = true
      cpus[target].lastSeen = max(cpus[target].latest, event.nanoseconds)
      cpus[target].lastOnline = event.nanoseconds
    } else if bringsUp.contains(event.function) {
      ensure(target)
      cpus[target].isComing = true
    }
  }

  /// Some CPU has gone; no call that comes behind this can have been for it.
  private mutating func gone() {
    // One at a time: cpus_write_lock().
    for cpu in cpus.indices where cpus[cpu].isGoing { wentDown(cpu) }
  }

  private mutating func hotplugStepEnded(_ event: TraceEvent) {
    let target = Int(event.target)
    guard target >= 0, target < cpus.count, cpus[target].isGoing else { return }
    // Where no callback told of it; a step that failed leaves the CPU where it was.
    if Int64(bitPattern: event.function) == 0 {
      wentDown(target)
    } else {
      cpus[target].isGoing = false
      going -= 1
    }
  }

  private mutating func wentDown(_ cpu: Int) {
    cpus[cpu].isGoing = false
    cpus[cpu].isDead = true
    going -= 1
    let last = cpus[cpu].lastSeen
    append(
      LoadedHotplug(time: last, cpu: cpu, change: .down(lastCalled: max(last, cpus[cpu].lastOnline))))
  }

  /// A CPU that was gone, or is coming, shows an event: it is online.
  private mutating func showed(_ cpu: Int, at time: UInt64) {
    guard cpus[cpu].isComing || cpus[cpu].isDead else { return }
    cpus[cpu].isComing = false
    cpus[cpu].isDead = false
    append(LoadedHotplug(time: time, cpu: cpu, change: .up))
  }

  private mutating func append(_ hotplug: LoadedHotplug) {
    guard hotplugs.count < Self.mostHotplugs else {
      droppedHotplugs += 1
      return
    }
    // A CPU's going is known later than it was; nearly always it is the last.
    var place = hotplugs.count
    while place > 0, hotplugs[place - 1].time > hotplug.time { place -= 1 }
    hotplugs.insert(hotplug, at: place)
  }
}
