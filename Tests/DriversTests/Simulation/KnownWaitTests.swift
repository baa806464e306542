import CallEngines
import CallHistories
import Testing
import Verdicts

@testable import Drivers

/// Loads with known answers about memory that cannot be had, waiting for ever, and CPUs that go; costs as in ``KnownAnswerTests``.
@Suite("What engines do when something fails")
struct KnownWaitTests {
  /// CPUs 0 and 1 call each other with interrupts off at 10,000, and get no memory.
  private static let crossed: HandMadeLoad = {
    var load = HandMadeLoad(cpuCount: 2)
    load.call(at: 10_000, from: 0, to: 1, in: .interruptsOff, name: "first")
    load.call(at: 10_000, from: 1, to: 0, in: .interruptsOff, name: "second")
    return load
  }()

  private static func noMemory(_ options: inout Simulator.Options) { options.allocationFailureRate = 1 }

  /// As merged in 2008, both wait instead, from 10,100 on, and neither takes the other's IPI. The second to wait closes the cycle.
  @Test func twoThatWaitForEachOther() throws {
    let outcome = try Self.crossed.run("generic-2008:wait", Self.noMemory)
    #expect(outcome.fates == "deadlocked 2" && outcome.interrupts == "single 2" && outcome.addsUp)
    #expect(outcome.spans.map(\.returned) == [nil, nil])
    #expect(outcome.outcome.allocations?.failed == 2)
    let deadlock = try #require(outcome.outcome.deadlocks.first)
    #expect(outcome.outcome.deadlocks.count == 1)
    #expect(deadlock.timeNanoseconds == 10_100)
    #expect(
      deadlock.cycle == [
        EngineOutcome.Deadlock.Waiter(
          cpu: 1, callback: "second",
          waitsFor: "CPU 0, which has its interrupts off, to run the callback that it called", waitsForCPU: 0),
        EngineOutcome.Deadlock.Waiter(
          cpu: 0, callback: "first",
          waitsFor: "CPU 1, which has its interrupts off, to run the callback that it called", waitsForCPU: 1),
      ])
  }

  /// Three that wait in a ring: 0 for 1, 1 for 2, 2 for 0. CPU 3, which calls CPU 0 with interrupts on, is held up as well, but
  /// is no part of the cycle. What it called is not lost: CPU 0 never gets to it.
  @Test func threeThatWaitForEachOther() throws {
    var load = HandMadeLoad(cpuCount: 4)
    for cpu in 0..<3 { load.call(at: 10_000 + 10 * UInt64(cpu), from: cpu, to: (cpu + 1) % 3, in: .interruptsOff) }
    load.call(at: 20_000, from: 3, to: 0)
    let outcome = try load.run("generic-2008:wait", Self.noMemory)
    #expect(outcome.fates == "deadlocked 4" && outcome.addsUp)
    let deadlock = try #require(outcome.outcome.deadlocks.first)
    #expect(deadlock.timeNanoseconds == 10_120)
    #expect(deadlock.cycle.map(\.cpu) == [2, 0, 1])
    #expect(deadlock.cycle.map(\.waitsForCPU) == [0, 1, 2])
  }

  /// Refused, and gone on; nothing was queued.
  @Test func refused() throws {
    let outcome = try Self.crossed.run("generic-2008:enomem", Self.noMemory)
    #expect(outcome.fates == "refused 2" && outcome.interrupts == "" && outcome.waits == "")
    #expect(outcome.spans.map(\.description) == ["10000–10000: ", "10000–10000: "])
  }

  /// Who waits runs its own queue: takes it at 10,100, begins 100 later, and ends at 10,700, when the other one does as well.
  @Test func pollsItsOwnQueue() throws {
    let outcome = try Self.crossed.run("generic-2008:poll-own-queue", Self.noMemory)
    #expect(outcome.fates == "ran 2" && outcome.interrupts == "single 2" && outcome.addsUp)
    #expect(
      outcome.spans.map(\.description)
        == ["10000–10700: CPU 1 10000 → 10200–10700", "10000–10700: CPU 0 10000 → 10200–10700"])
    #expect(outcome.outcome.deadlocks.isEmpty)
  }

  /// The remedies 1 to 4 let one go first: the other, which may not, takes interrupts meanwhile. It is told at 11,870, and is
  /// over after as long again. What it spun for is a wait for the engine.
  @Test(arguments: ["global-lock", "target-mask", "target-counters", "allocated-free"])
  func oneAfterTheOther(fallback: String) throws {
    let outcome = try Self.crossed.run("generic-2008:" + fallback, Self.noMemory)
    #expect(outcome.fates == "ran 2" && outcome.interrupts == "single 2" && outcome.addsUp)
    #expect(
      outcome.spans.map(\.description)
        == ["10000–11870: CPU 1 10000 → 11300–11800", "10000–13740: CPU 0 11870 → 13170–13670"])
    #expect(outcome.outcome.deadlocks.isEmpty)
    // Its handler ran from 11,100 to 11,870, and is no part of the wait.
    let waits = outcome.outcome.waiting.engineLock
    #expect(waits.sumNanoseconds == 1_100, "\(outcome.waits)")
  }

  /// Who gets no memory waits although it was not meant to: that is the remedy's price, and is counted.
  @Test func waitsForWantOfMemory() throws {
    var load = HandMadeLoad(cpuCount: 2)
    load.call(at: 10_000, from: 0, to: 1)
    let outcome = try load.run("generic-2008:wait", Self.noMemory)
    #expect(outcome.spans.map(\.description) == ["10000–11870: CPU 1 10000 → 11300–11800"])
    #expect(outcome.waits == "callers 1×1870")
  }

  /// A call to three whose entry is on the stack: when all have answered, at 12,570, the caller still calls each of them once for
  /// nothing, one after the other, because any may be walking over the entry. Each takes an IPI's way and a handler's beginning.
  @Test func quiesces() throws {
    var load = HandMadeLoad(cpuCount: 4)
    load.call(at: 10_000, .many, from: 0, to: 1, 2, 3, waits: true)
    let outcome = try load.run("generic-2008:wait", Self.noMemory)
    #expect(outcome.interrupts == "single 3, mask 1×3" && outcome.fates == "ran 3" && outcome.addsUp)
    #expect(outcome.spans[0].returned == 12_570 + 3 * 1_200)
  }

  /// Half of the allocations fail, and the same ones for each number from which chance comes.
  @Test func someFail() throws {
    var load = HandMadeLoad(cpuCount: 2)
    for index in 0..<200 { load.call(at: 10_000 * UInt64(index + 1), from: 0, to: 1) }
    func failures(_ seed: UInt64) throws -> (UInt64, [UInt64?]) {
      guard let engine = Engine(name: "generic-2008") else { throw UnknownEngine(name: "generic-2008") }
      let simulator = load.simulator(engine) {
        $0.allocationFailureRate = 0.5
        $0.seed = seed
      }
      let outcome = simulator.recorder.outcome(allocates: true, watched: [], callbackNames: [])
      #expect(outcome.allocations.map { $0.made + $0.failed } == 200)
      return (outcome.allocations?.failed ?? 0, [outcome.waiting.callers.sumNanoseconds])
    }
    let (first, again, other) = (try failures(1), try failures(1), try failures(2))
    #expect(first == again && first != other)
    #expect((70...130).contains(first.0) && (70...130).contains(other.0))
  }

  // MARK: CPUs that go

  /// CPU 3 goes: its interrupts are off from 10,000 on, those of the others from 12,001, when it is marked offline. An interrupt
  /// on CPU 0 calls it at 11,000, without waiting; CPU 0 calls CPU 1 later, with the same csd of its own.
  private static func dying(calledAt time: UInt64) -> HandMadeLoad {
    var load = HandMadeLoad(cpuCount: 4)
    load.hotplugs = [LoadedHotplug(time: 10_000, cpu: 3, change: .down(lastCalled: 12_000))]
    load.call(at: time, from: 0, to: 3, in: .interrupt)
    load.call(at: 20_000, from: 0, to: 1)
    return load
  }

  /// Its dying stage takes the queue at 12,001 and runs it 100 later. Nothing is spun for.
  @Test(arguments: ["llist-2014", "llist-2014:dying", "queue-2014:dying", "mainline", "xcall-2022"])
  func theDyingStageRunsIt(engine: String) throws {
    let outcome = try Self.dying(calledAt: 11_950).run(engine)
    #expect(
      outcome.spans.map(\.description)
        == ["11950–12050: CPU 3 11950 → 12150–12650", "20000–20100: CPU 1 20000 → 21300–21800"])
    #expect(outcome.fates == "ran 2" && outcome.addsUp && outcome.outcome.deadlocks.isEmpty)
    let early = try Self.dying(calledAt: 11_000).run(engine)
    #expect(early.spans[0].description == "11000–11100: CPU 3 11000 → 12101–12601")
  }

  /// Called at 11,950, its IPI is on its way until 13,050. Who does not flush while dying is dead by then: the call is lost, the
  /// csd is never unlocked, and its owner spins for ever when it next calls anybody.
  @Test(arguments: ["llist-2014:none", "queue-2014"])
  func lostWithoutIt(engine: String) throws {
    let outcome = try Self.dying(calledAt: 11_950).run(engine)
    #expect(outcome.spans[0].description == "11950–12050: CPU 3 11950 → never–never")
    #expect(outcome.spans[1].description == "20000–never: ")
    #expect(outcome.fates == "lost 1, deadlocked 1" && outcome.addsUp)
    let deadlock = try #require(outcome.outcome.deadlocks.first)
    #expect(deadlock.timeNanoseconds == 20_000)
    #expect(deadlock.cycle.map(\.cpu) == [0] && deadlock.cycle.map(\.waitsForCPU) == [3])
    // It is dead, and nothing that it could do would help.
    #expect(!deadlock.cycle[0].waitsFor.contains("interrupts off"), "\(deadlock.cycle[0].waitsFor)")
  }

  /// Called early, at 11,000, its IPI comes at 12,100: in time for nobody who is marked offline at 13,001. An interrupt that has
  /// not been taken by then is dropped, so that it makes no difference when it came.
  @Test func anInterruptThatComesInTheWindow() throws {
    var load = HandMadeLoad(cpuCount: 4)
    load.hotplugs = [LoadedHotplug(time: 10_000, cpu: 3, change: .down(lastCalled: 13_000))]
    load.call(at: 11_000, from: 0, to: 3, in: .interrupt)
    #expect(try load.run("llist-2014:none").fates == "lost 1")
    let flushed = try load.run("llist-2014")
    #expect(flushed.spans.map(\.description) == ["11000–11100: CPU 3 11000 → 13101–13601"])
    #expect(flushed.fates == "ran 1")
  }

  /// A call to a CPU that is offline is refused, one to several leaves it out; when it is back, it is called again.
  @Test(arguments: KnownAnswerTests.engines) func offline(engine: String) throws {
    var load = HandMadeLoad(cpuCount: 4)
    load.hotplugs = [
      LoadedHotplug(time: 10_000, cpu: 3, change: .down(lastCalled: 12_000)),
      LoadedHotplug(time: 40_000, cpu: 3, change: .up),
    ]
    load.call(at: 20_000, from: 0, to: 3)
    load.call(at: 30_000, .many, from: 0, to: 1, 2, 3, waits: true)
    load.call(at: 50_000, from: 0, to: 3)
    let outcome = try load.run(engine)
    #expect(outcome.fates == "ran 3, refused 2" && outcome.addsUp)
    #expect(outcome.spans[0].description == "20000–20000: ")
    #expect(outcome.spans[1].started == [1: 31_900, 2: 31_900])
    #expect(outcome.spans[2].description == "50000–50100: CPU 3 50000 → 51300–51800")
    #expect(outcome.interrupts == "single 1, mask 1×2")
  }

  /// A CPU that is about to go answers calls until it does: it is taken down only between two calls of its tasks, and a caller
  /// that waits for it is not taken away from waiting.
  @Test(arguments: KnownAnswerTests.engines) func aWaitingCallerHoldsUpTheStop(engine: String) throws {
    var load = HandMadeLoad(cpuCount: 3)
    load.call(at: 10_000, from: 0, to: 2, waits: true)
    load.hotplugs = [LoadedHotplug(time: 10_050, cpu: 2, change: .down(lastCalled: 10_100))]
    load.call(at: 50_000, from: 0, to: 2)
    let outcome = try load.run(engine)
    #expect(outcome.spans[0].description == "10000–11870: CPU 2 10000 → 11300–11800")
    #expect(outcome.fates == "ran 1, refused 1" && outcome.addsUp)
  }

  /// CPU 1 idles polling, and does so still when it has taken an IPI: the stop takes it out of the idle loop like everybody else.
  @Test(arguments: ["generic-2008", "percpu-2009", "llist-2014", "queue-2014", "mainline", "mainline:no-polling"])
  func whoPollsIsStoppedToo(engine: String) throws {
    var load = HandMadeLoad(cpuCount: 4)
    load.call(at: 10_000, from: 0, to: 1, kick: .polling)
    load.hotplugs = [LoadedHotplug(time: 20_000, cpu: 3, change: .down(lastCalled: 20_100))]
    load.call(at: 30_000, from: 0, to: 3)
    let outcome = try load.run(engine)
    #expect(outcome.fates == "ran 1, refused 1" && outcome.addsUp && outcome.callsNotMade == 0)
  }

  /// An irq_work for a CPU that is offline is queued all the same, with a warning. The CPU comes back at 40,000, leaves the idle
  /// loop at once, and finds it. If it does not come back the irq_work still waits, and nothing is lost.
  @Test(arguments: ["mainline", "xcall-2022"]) func anIRQWorkForACPUThatIsGone(engine: String) throws {
    var load = HandMadeLoad(cpuCount: 4)
    load.hotplugs = [LoadedHotplug(time: 10_000, cpu: 3, change: .down(lastCalled: 12_000))]
    load.call(at: 20_000, .irqWork, from: 0, to: 3, storage: 7)
    let waiting = try load.run(engine)
    #expect(waiting.fates == "pending 1" && waiting.addsUp)
    load.hotplugs.append(LoadedHotplug(time: 40_000, cpu: 3, change: .up))
    let outcome = try load.run(engine)
    #expect(outcome.fates == "ran 1" && outcome.addsUp)
    #expect(outcome.spans[0].description == "20000–20100: CPU 3 20000 → 40000–40500")
  }

  /// CPU 0, interrupts on, waits for want of memory, from 10,100 on. What CPU 1 queues for it it takes when the queue's lock is
  /// free, at 10,600, and runs it from 10,700 to 11,200. So does CPU 1, which waits from 10,600 on, with what CPU 0 has for it; the
  /// IPI that came at 11,100 takes another 100 of it, for nothing.
  @Test func pollsWithInterruptsOnToo() throws {
    var load = HandMadeLoad(cpuCount: 2)
    load.call(at: 10_000, from: 0, to: 1)
    load.call(at: 10_500, from: 1, to: 0)
    let outcome = try load.run("generic-2008:poll-own-queue", Self.noMemory)
    #expect(outcome.fates == "ran 2" && outcome.addsUp)
    #expect(
      outcome.spans.map(\.description)
        == ["10000–11200: CPU 1 10000 → 10700–11200", "10500–11300: CPU 0 10500 → 10700–11200"])
  }

  /// What is not made, because its CPU waits for ever, is left out of the count of calls, and told.
  @Test func notMade() throws {
    var load = Self.dying(calledAt: 11_950)
    load.call(at: 30_000, from: 0, to: 1)
    load.call(at: 40_000, from: 1, to: 2)
    let outcome = try load.run("llist-2014:none")
    #expect(outcome.callsNotMade == 1)
    #expect(outcome.outcome.calls == 3 && outcome.outcome.targets == 3 && outcome.addsUp)
    #expect(outcome.outcome.byCallback.reduce(0) { $0 + $1.targets } == 3)
    #expect(outcome.fates == "ran 1, lost 1, deadlocked 1")
  }
}
