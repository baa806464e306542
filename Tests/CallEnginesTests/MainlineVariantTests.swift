import BasicContainers
import CallEngines
import Testing

/// The variants of mainline, as a driver sees them that makes calls as they come.
@Suite struct MainlineVariantTests {
  /// A machine, and what became of the last call or step.
  private struct Bench: ~Copyable {
    let engine: Engine
    var machine: Machine

    init(_ name: String, cpus: Int = 3) throws {
      let engine = try #require(Engine(name: name))
      self.engine = engine
      machine = engine.drivenMachine(
        nodes: Array(repeating: 0, count: cpus), offline: [], callCount: 4, stackDepth: 12, allocation: .succeeds)
    }

    /// Begins a call.
    mutating func call(
      _ place: Int, _ kind: Call.Kind, from cpu: Int, to target: Int, waits: Bool = false, defers: Bool = false
    ) {
      var call = Call(kind: kind)
      call.target = target
      call.mask.insert(target)
      call.waits = waits
      call.isDeferrable = defers
      call.storage = place
      machine.setCall(place, call)
      engine.makeCall(place, on: cpu, interruptsOff: false, &machine)
    }

    /// Lets a CPU move until its stack is empty or it waits.
    mutating func run(_ cpu: Int) -> Wait? {
      while machine.depth(cpu) > 0 {
        if case .blocked(let wait) = engine.step(cpu, &machine) { return wait }
      }
      return nil
    }

    mutating func takeInterrupt(_ vector: Vector, on cpu: Int) { engine.takeInterrupt(vector, on: cpu, &machine) }
    mutating func enterUser(_ cpu: Int) { engine.enterUser(cpu, &machine) }
    mutating func leaveUser(_ cpu: Int) -> Bool { engine.leaveUser(cpu, &machine) }
    mutating func step(_ cpu: Int) -> Stepped { engine.step(cpu, &machine) }

    func idlesPolling(_ cpu: Int) -> Bool { engine.idlesPolling(cpu, machine) }
    func isInUser(_ cpu: Int) -> Bool { machine.isInUser(cpu) }
    func takesInterrupts(_ cpu: Int) -> Bool { machine.interruptsEnabled(cpu) }
    func pending(_ cpu: Int) -> Int { machine.pending(cpu) }
    func depth(_ cpu: Int) -> Int { machine.depth(cpu) }

    /// The notes since the last look, but for those that say nothing of calls and interrupts.
    mutating func notes() -> [String] {
      var words: [String] = []
      for index in 0..<machine.notes.count {
        let note = machine.notes[index]
        switch note.kind {
        case .flagChanged, .csdReleased, .lockReleased, .queued: continue
        case .sent: words.append("sent \(note.subject) to \(note.cpu)")
        case .deferred, .pollerWoken, .sentToMask: words.append("\(note.kind) \(note.cpu)")
        case .started, .finished: words.append("\(note.kind) \(note.subject) on \(note.cpu)")
        default: words.append("\(note.kind)")
        }
      }
      machine.forgetNotes()
      return words
    }
  }

  private func expect(
    _ bench: inout Bench, _ cpu: Int, waitsFor expected: Wait?, _ location: SourceLocation = #_sourceLocation
  ) {
    let wait = bench.run(cpu)
    #expect(wait == expected, sourceLocation: location)
  }

  private func expect(_ bench: inout Bench, _ expected: [String], _ location: SourceLocation = #_sourceLocation) {
    let notes = bench.notes()
    #expect(notes == expected, sourceLocation: location)
  }

  /// The macro takes no reference to what cannot be copied.
  private func check(_ condition: Bool, _ location: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: location)
  }

  @Test func firstChoicesAreMainline() throws {
    #expect(Engine(name: "mainline") == .mainline(Mainline()))
    #expect(
      Engine(name: "mainline:polling,ttwu-queue,mask-several,no-deferral") == .mainline(Mainline()))
    let all = Mainline(polling: .none, wakeups: .placed, masks: .never, deferral: .markedFirst)
    #expect(Engine(name: "mainline:deferral,mask-never,no-polling,no-ttwu-queue") == .mainline(all))
    #expect(Engine(name: "mainline:mask-never,mask-always") == nil)
    let description = try #require(EngineDescription.all.first { $0.name == "mainline" })
    let names = description.groups.flatMap(\.choices).map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Engine(name: "mainline")?.defers == false)
    #expect(Engine(name: "mainline:deferral-naive")?.defers == true)
    #expect(Engine(name: "xcall-2022")?.defers == false)
  }

  @Test func deferredCallsRunOnTheWayIn() throws {
    var bench = try Bench("mainline:deferral")
    bench.enterUser(1)
    bench.call(0, .singleAsync, from: 0, to: 1, defers: true)
    expect(&bench, 0, waitsFor: nil)
    expect(&bench, ["added", "deferred 1", "returned"])
    // Another one is behind it, and needs no promise of its own.
    bench.call(1, .irqWork, from: 2, to: 1, defers: true)
    expect(&bench, 2, waitsFor: nil)
    expect(&bench, ["added", "returned"])
    check(bench.pending(1) == 0)
    check(bench.isInUser(1))

    let depth = bench.depth(1)
    let hasWork1 = bench.leaveUser(1)
    #expect(hasWork1)
    let hasWork0 = bench.leaveUser(0)
    #expect(!hasWork0)
    expect(&bench, 1, waitsFor: nil)
    expect(&bench, ["taken", "started 0 on 1", "finished 0 on 1", "started 1 on 1", "finished 1 on 1"])
    check(!bench.isInUser(1))
    check(bench.takesInterrupts(1))
    check(bench.depth(1) == depth)
  }

  @Test func aWayInWithoutWorkTakesNoSteps() throws {
    var bench = try Bench("mainline:deferral")
    bench.enterUser(1)
    let hasWork1 = bench.leaveUser(1)
    #expect(!hasWork1)
    check(bench.depth(1) == 0)
    check(!bench.isInUser(1))
    check(bench.takesInterrupts(1))
    // In the kernel it is kicked.
    bench.call(0, .singleAsync, from: 0, to: 1, defers: true)
    expect(&bench, 0, waitsFor: nil)
    expect(&bench, ["added", "sent 0 to 1", "returned"])
  }

  @Test func whoCannotWaitTakesTheMarkBack() throws {
    var bench = try Bench("mainline:deferral")
    bench.enterUser(1)
    bench.call(0, .singleAsync, from: 0, to: 1, defers: true)
    expect(&bench, 0, waitsFor: nil)
    // Deferrable, and yet not deferred: it waits.
    bench.call(1, .single, from: 0, to: 1, waits: true, defers: true)
    let wait = bench.run(0)
    #expect(wait != nil)
    expect(&bench, ["added", "deferred 1", "returned", "added", "sent 0 to 1"])
    // The interrupt brings the CPU into the kernel and back.
    bench.takeInterrupt(.single, on: 1)
    expect(&bench, 1, waitsFor: nil)
    expect(&bench, ["taken", "started 1 on 1", "finished 1 on 1", "started 0 on 1", "finished 0 on 1"])
    check(bench.isInUser(1))
    check(bench.takesInterrupts(1))
    expect(&bench, 0, waitsFor: nil)
  }

  @Test func anyInterruptBringsInWhatWaits() throws {
    var bench = try Bench("mainline:deferral,no-ttwu-queue")
    bench.enterUser(1)
    bench.call(0, .singleAsync, from: 0, to: 1, defers: true)
    bench.call(1, .wakeup, from: 2, to: 1, defers: true)
    expect(&bench, 0, waitsFor: nil)
    expect(&bench, 2, waitsFor: nil)
    expect(
      &bench,
      [
        "added", "deferred 1", "returned", "lockTaken", "started 1 on 1", "sent 3 to 1", "finished 1 on 1", "returned",
      ])
    bench.takeInterrupt(.reschedule, on: 1)
    expect(&bench, 1, waitsFor: nil)
    expect(&bench, ["taken", "started 0 on 1", "finished 0 on 1"])
    check(bench.isInUser(1))
    check(bench.pending(1) == 0)
  }

  @Test func wakersTakeTurns() throws {
    var bench = try Bench("mainline:no-ttwu-queue")
    bench.call(0, .wakeup, from: 0, to: 2)
    bench.call(1, .wakeup, from: 1, to: 2)
    // As far as its hold of the lock.
    for _ in 0..<2 {
      let stepped = bench.step(0)
      #expect(stepped == .moved)
    }
    expect(&bench, 1, waitsFor: .lock(.runQueue(cpu: 2)))
    check(!bench.takesInterrupts(1))
    expect(&bench, 0, waitsFor: nil)
    expect(&bench, ["lockTaken", "started 0 on 2", "sent 3 to 2", "finished 0 on 2", "returned"])
    // One is under way.
    expect(&bench, 1, waitsFor: nil)
    expect(&bench, ["lockTaken", "started 1 on 2", "finished 1 on 2", "returned"])
    check(bench.pending(2) == 8)
    check(bench.takesInterrupts(1))
    bench.takeInterrupt(.reschedule, on: 2)
    expect(&bench, 2, waitsFor: nil)
    check(bench.pending(2) == 0)
    check(bench.takesInterrupts(2))
  }

  @Test func aReschedulesInterruptEndsIdling() throws {
    var bench = try Bench("mainline:no-ttwu-queue,no-polling")
    bench.engine.beginPolling(1, &bench.machine)
    bench.call(0, .wakeup, from: 0, to: 1)
    expect(&bench, 0, waitsFor: nil)
    check(bench.idlesPolling(1))
    bench.takeInterrupt(.reschedule, on: 1)
    expect(&bench, 1, waitsFor: nil)
    check(bench.depth(1) == 0)
  }

  @Test(arguments: [
    ("mainline", ["pollerWoken 1"], ["sentToMask 1", "sentToMask 2", "maskSent"]),
    ("mainline:no-polling", ["sent 0 to 1"], ["sentToMask 1", "sentToMask 2", "maskSent"]),
    ("mainline:mask-never", ["pollerWoken 1"], ["pollerWoken 1", "sent 0 to 2"]),
    ("mainline:mask-never,no-polling", ["sent 0 to 1"], ["sent 0 to 1", "sent 0 to 2"]),
    ("mainline:mask-always", ["sentToMask 1", "maskSent"], ["sentToMask 1", "sentToMask 2", "maskSent"]),
  ])
  func callsToSeveralKick(_ name: String, one: [String], two: [String]) throws {
    for (targets, expected) in [([1], one), ([1, 2], two)] {
      var bench = try Bench(name)
      bench.engine.beginPolling(1, &bench.machine)
      bench.call(0, .many, from: 0, to: 1)
      var call = Call(kind: .many)
      for target in targets { call.mask.insert(target) }
      bench.machine.setCall(0, call)
      expect(&bench, 0, waitsFor: nil)
      expect(&bench, targets.map { _ in "added" } + expected + ["returned"])
    }
  }
}
