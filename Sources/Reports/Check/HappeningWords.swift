import CallEngines
import Verdicts

/// The words for what happens in a counterexample, with the scenario's own names. All are escaped; spaces that must not end a
/// line are U+00A0.
struct HappeningWords {
  private static let nameLimit = 48
  private let names: Counterexample.Names
  private let calls: [String]

  init(_ names: Counterexample.Names) {
    self.names = names
    // Two calls that were written alike are told apart by a number.
    var seen: [String: Int] = [:]
    var calls: [String] = []
    for call in names.calls {
      seen[call, default: 0] += 1
      let text = VisibleText.escape(call, limit: Self.nameLimit)
      calls.append(seen[call] == 1 ? text : "\(text) #\(seen[call] ?? 0)")
    }
    self.calls = calls
  }

  // MARK: Names

  func call(_ index: Int) -> String { calls.indices.contains(index) ? "“\(calls[index])”" : "call \(index)" }

  func function(_ index: Int) -> String { Self.name(index, of: names.functions, "function") }

  func storage(_ index: Int) -> String { Self.name(index, of: names.storages, "csd") }

  private static func name(_ index: Int, of names: [String], _ what: String) -> String {
    names.indices.contains(index) ? VisibleText.escape(names[index], limit: nameLimit) : "\(what) \(index)"
  }

  func csd(_ index: Int) -> String {
    guard names.csds.indices.contains(index) else { return "csd \(index)" }
    switch names.csds[index] {
    case .own(let cpu): return "CPU\u{a0}\(cpu)'s own csd"
    case .target(let cpu, let target): return "CPU\u{a0}\(cpu)'s csd for CPU\u{a0}\(target)"
    case .entry(let cpu): return "CPU\u{a0}\(cpu)'s own cfd"
    case .caller(let storage): return self.storage(storage)
    case .call(let call): return "the csd of \(self.call(call))"
    case .secondOfCall(let call): return "the second csd of \(self.call(call))"
    }
  }

  func lock(_ name: LockName) -> String {
    switch name {
    case .globalQueue: "the global queue's lock"
    case .singleQueue(let cpu): "the lock of CPU\u{a0}\(cpu)'s queue"
    case .entry(let csd): "the lock of \(self.csd(csd))"
    case .callers(let index): "lock \(Self.name(index, of: names.locks, "lock"))"
    case .fallback: "the fallback's lock"
    case .runQueue(let cpu): "the lock of CPU\u{a0}\(cpu)'s run queue"
    }
  }

  static func vector(_ vector: Vector) -> String {
    switch vector {
    case .single: "IPI\u{a0}(single)"
    case .many: "IPI\u{a0}(many)"
    case .irqWork: "IPI\u{a0}(irq_work)"
    case .reschedule: "IPI\u{a0}(reschedule)"
    }
  }

  /// CPUs with their noun, kept on one line.
  static func cpus(_ cpus: [Int]) -> String { Words.cpus(cpus).replacing(" ", with: "\u{a0}") }

  // MARK: Sentences

  func words(_ happening: Happening, on cpu: Int) -> String {
    switch happening {
    case .callBegan(let call): "calls \(self.call(call))"
    case .callReturned(let call, let result): "\(self.call(call)) returns \(result.name)"
    case .interruptsDisabled: "interrupts off"
    case .interruptsEnabled: "interrupts on"
    case .lockTaken(let lock): "takes \(self.lock(lock))"
    case .lockReleased(let lock): "releases \(self.lock(lock))"
    case .csdLocked(let csd): "locks \(self.csd(csd))"
    case .csdUnlocked(let csd): "unlocks \(self.csd(csd))"
    case .waitEnded(let csd): "ends the wait for \(self.csd(csd))"
    case .filled(let csd, let call): "fills \(self.csd(csd))\(owned(csd, by: call) ? "" : " for \(self.call(call))")"
    case .allocated(_, let succeeded): succeeded ? "allocation succeeds" : "allocation fails"
    case .added(let csd, let target, let wasEmpty):
      "adds \(self.csd(csd)) to \(target == cpu ? "its own" : "CPU\u{a0}\(target)'s") queue"
        + " (was \(wasEmpty ? "" : "not ")empty)"
    case .addedGlobally(let csd, let atHead):
      "adds \(self.csd(csd)) at the \(atHead ? "head" : "tail") of the global queue"
    case .taken(let csds):
      csds.isEmpty ? "finds its queue empty" : "takes \(list(csds)) off its queue"
    case .unlinked(let csd): "unlinks \(self.csd(csd))"
    case .visited(let csd, let concerned): "visits \(self.csd(csd)): \(concerned ? "for it" : "not for it")"
    case .coalesced(let call): "\(self.call(call)) is coalesced: one is pending"
    case .ipiSent(let vector, let cpus):
      cpus.isEmpty ? "sends no IPI: the mask is empty" : "sends \(Self.vector(vector)) to \(Self.cpus(cpus))"
    case .ipiLost(let vector): "\(Self.vector(vector)) is lost: the CPU is dead"
    case .pollerWoken(let target): "sets NEED_RESCHED of CPU\u{a0}\(target), which polls: no IPI"
    case .workMarked(let target): "tells CPU\u{a0}\(target), in user space, that work waits"
    case .workUnmarked(let target): "tells CPU\u{a0}\(target) no longer that work waits"
    case .deferred(let target): "sends no IPI: CPU\u{a0}\(target) looks when it enters the kernel"
    case .taskPlaced(let call, let target):
      "puts the task of \(self.call(call)) onto CPU\u{a0}\(target)'s run queue"
    case .interruptTaken(let vector): "takes \(Self.vector(vector))"
    case .interruptReturned: "handler returns"
    case .functionStarted(let function, let call): "\(self.function(function)) starts, for \(self.call(call))"
    case .functionFinished(let function, _): "\(self.function(function)) ends"
    case .flagChanged(let flag, let target, let isSet): changed(flag, target, isSet, on: cpu)
    case .warned(let warning): "warning: \(words(warning))"
    case .idled: "idles, polling"
    case .idleLeft: "leaves idle"
    case .userEntered: "goes to user space"
    case .userLeft(let workWaits): workWaits ? "enters the kernel, where work waits" : "enters the kernel"
    case .stopRequested(let target): "takes CPU\u{a0}\(target) down"
    case .stopEntered: "the stopper takes over"
    case .stopLeft: "the stopper is done"
    case .markedOffline: "is marked offline"
    case .died: "plays dead"
    case .markedOnline: "is marked online"
    case .bringUpCanceled(let target): "CPU\u{a0}\(target) is refused, and does not come up"
    }
  }

  private func changed(_ flag: FlagName, _ target: Int?, _ isSet: Bool, on cpu: Int) -> String {
    switch flag {
    case .pending(let qsd): "\(isSet ? "sets" : "clears") pending of \(csd(qsd))"
    case .targeted:
      switch target {
      case nil: isSet ? "marks its targets" : "clears the mark of its targets"
      case cpu?: isSet ? "marks itself as a target" : "clears its mark as a target"
      case let target?: isSet ? "marks CPU\u{a0}\(target) as a target" : "clears the mark of CPU\u{a0}\(target)"
      }
    }
  }

  private func words(_ warning: WarningName) -> String {
    switch warning {
    case .ipiOnOfflineCPU: "IPI on offline CPU"
    case .namesCallback(let call): "it names the callback of \(self.call(call))"
    case .csdNotLocked(let csd): "\(self.csd(csd)) is not locked"
    case .notPending(let qsd): "\(csd(qsd)) is not pending"
    case .interruptsDisabled: "interrupts are off"
    case .noReferences(let csd): "\(self.csd(csd)) has no references left"
    case .invalidCPU(let cpu): "CPU\u{a0}\(cpu) is out of range"
    }
  }

  /// What a CPU waits for, as the end of "waits for".
  func wait(_ wait: Wait) -> String {
    switch wait {
    case .csd(let csd): "\(self.csd(csd)) to be unlocked"
    case .lock(let lock): self.lock(lock)
    case .flag(.pending(let qsd)): "\(csd(qsd)) not to be pending"
    case .flag(.targeted): "its turn among the targets"
    case .hotplug: "other CPUs, in hotplug"
    case .idle: "work"
    }
  }

  private func list(_ csds: [Int]) -> String { csds.map { csd($0) }.joined(separator: ", ") }

  private func owned(_ csd: Int, by call: Int) -> Bool {
    names.csds.indices.contains(csd) && names.csds[csd] == .call(call: call)
  }
}
