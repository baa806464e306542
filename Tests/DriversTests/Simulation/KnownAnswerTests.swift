import CallEngines
import CallHistories
import Testing
import Verdicts

@testable import Drivers

/// Loads of two to four CPUs whose outcome under each engine is worked out by hand.
///
/// The costs are those of ``HandMadeLoad/costs``, in nanoseconds: an add 100, an IPI's way 1,000 (to a mask 1,500), a handler's
/// beginning 200 (of which the queue is taken after 100), a callback 500, from one to the next 50, from the last to the
/// handler's end 70, a poller's waking 800. A csd is unlocked behind its function when that and what follows it are paid.
/// A line says when the caller began and went on, and by CPU when it was queued for, began to run it, and ended.
@Suite("What engines do with calls to one CPU and to several")
struct KnownAnswerTests {
  static let engines = EngineDescription.all.map(\.name)

  private func expect(
    _ load: HandMadeLoad, _ engine: String, _ spans: [String], _ interrupts: String, waits: String = "",
    fates: String? = nil, _ change: (inout Simulator.Options) -> Void = { _ in },
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try load.run(engine, change)
    #expect(outcome.spans.map(\.description) == spans, "\(engine)", sourceLocation: sourceLocation)
    #expect(outcome.interrupts == interrupts, "\(engine)", sourceLocation: sourceLocation)
    #expect(outcome.waits == waits, "\(engine)", sourceLocation: sourceLocation)
    #expect(
      outcome.fates == fates ?? "ran \(load.calls.reduce(0) { $0 + $1.targets.count })", "\(engine)",
      sourceLocation: sourceLocation)
    #expect(outcome.addsUp && outcome.callsNotMade == 0, "\(engine)", sourceLocation: sourceLocation)
  }

  /// Queued at 10,000; the add is over at 10,100, and the IPI arrives at 11,100. The queue is taken at 11,200, and the function
  /// runs from 11,300 to 11,800; at 11,870 its csd is unlocked. On this all engines agree.
  @Test(arguments: engines) func aCallThatWaits(engine: String) throws {
    var load = HandMadeLoad(cpuCount: 2)
    load.call(at: 10_000, from: 0, to: 1, waits: true)
    try expect(
      load, engine, ["10000–11870: CPU 1 10000 → 11300–11800"], "single 1", waits: "callers 1×1870")
  }

  /// Two calls that do not wait, the second at 10,200, before the first has run (from 11,300 to 11,800).
  /// - generic-2008 allocates a csd for each. The second joins the queue and is run next, 50 behind the first.
  /// - The others have one csd per CPU: its owner spins until it is unlocked. In mainline, and in the mail of 2009, that is
  ///   before the first runs, at 11,300; in 2.6.30 and 3.15 behind it, at 11,870. From there on it is a call like the first.
  @Test func twoCallsThatDoNotWait() throws {
    var load = HandMadeLoad(cpuCount: 2)
    load.call(at: 10_000, from: 0, to: 1)
    load.call(at: 10_200, from: 0, to: 1)
    let first = "10000–10100: CPU 1 10000 → 11300–11800"
    try expect(
      load, "generic-2008", [first, "10200–10300: CPU 1 10200 → 11850–12350"], "single 1, saved 1")
    for engine in ["mainline", "xcall-2022", "percpu-2009:mail"] {
      try expect(
        load, engine, [first, "10200–11400: CPU 1 11300 → 12600–13100"], "single 2", waits: "csd 1×1100")
    }
    for engine in ["percpu-2009", "llist-2014", "queue-2014"] {
      try expect(
        load, engine, [first, "10200–11970: CPU 1 11870 → 13170–13670"], "single 2", waits: "csd 1×1670")
    }
    let allocations = try load.run("generic-2008").outcome.allocations
    #expect(allocations?.made == 2 && allocations?.failed == 0)
  }

  /// One call to three CPUs. The caller adds three times, until 10,300, and sends one mask IPI, which arrives at 11,800; all run
  /// from 12,000 to 12,500 and have answered at 12,570. The engines of 2008 and 2009 queue once for all, the others for one
  /// after the other. Three kicks one by one arrive at 11,300.
  @Test func aCallToThree() throws {
    var load = HandMadeLoad(cpuCount: 4)
    load.call(at: 10_000, .many, from: 0, to: 1, 2, 3, waits: true)
    let waits = "callers 1×2570"
    for engine in ["generic-2008", "percpu-2009"] {
      let span = "10000–12570: " + [1, 2, 3].map { "CPU \($0) 10000 → 12000–12500" }.joined(separator: ", ")
      try expect(load, engine, [span], "mask 1×3", waits: waits)
    }
    for engine in ["llist-2014", "queue-2014", "xcall-2022", "mainline", "mainline:mask-always"] {
      try expect(
        load, engine,
        ["10000–12570: CPU 1 10000 → 12000–12500, CPU 2 10100 → 12000–12500, CPU 3 10200 → 12000–12500"],
        "mask 1×3", waits: waits)
    }
    try expect(
      load, "mainline:mask-never",
      ["10000–12070: CPU 1 10000 → 11500–12000, CPU 2 10100 → 11500–12000, CPU 3 10200 → 11500–12000"],
      "single 3", waits: "callers 1×2070")
    #expect(try load.run("generic-2008").outcome.allocations?.made == 1)
  }

  /// CPU 3 calls CPU 1, and 50 later CPU 0 calls CPUs 1 and 2, until 10,250. CPU 1 takes its queue at 11,200.
  /// - mainline finds CPU 1's queue in use and kicks CPU 2 alone, like a call to one; by a mask IPI with `mask-always`.
  /// - llist-2014 sends to the whole mask. CPU 1 finds nothing when it takes that IPI.
  /// - The engines of 2008 and 2009 have another list for the second: CPU 1 walks it when its first handler has ended, at
  ///   11,870; CPU 2 when the IPI has come, at 11,750.
  @Test func aCallToOneThatIsBeingCalled() throws {
    var load = HandMadeLoad(cpuCount: 4)
    load.call(at: 10_000, from: 3, to: 1)
    load.call(at: 10_050, .many, from: 0, to: 1, 2)
    let first = "10000–10100: CPU 1 10000 → 11300–11800"
    for engine in ["mainline", "xcall-2022", "mainline:mask-never"] {
      try expect(
        load, engine, [first, "10050–10250: CPU 1 10050 → 11850–12350, CPU 2 10150 → 11450–11950"],
        "single 2, saved 1")
    }
    try expect(
      load, "mainline:mask-always", [first, "10050–10250: CPU 1 10050 → 11850–12350, CPU 2 10150 → 11950–12450"],
      "single 1, mask 1×1, saved 1")
    for engine in ["llist-2014", "queue-2014"] {
      try expect(
        load, engine, [first, "10050–10250: CPU 1 10050 → 11850–12350, CPU 2 10150 → 11950–12450"],
        "single 1, mask 1×2")
    }
    for engine in ["generic-2008", "percpu-2009"] {
      try expect(
        load, engine, [first, "10050–10250: CPU 1 10050 → 12070–12570, CPU 2 10050 → 11950–12450"],
        "single 1, mask 1×2")
    }
  }

  /// CPUs 0 and 1 call CPU 2, 50 apart, and wait: one IPI, one flush. The first csd is unlocked when the next function is about
  /// to begin, at 11,850; the other with the handler's end, at 12,420. A queue with a lock is held while the first adds, until
  /// 10,100; only then the second does.
  @Test func twoCallersOfOneTarget() throws {
    var load = HandMadeLoad(cpuCount: 3)
    load.call(at: 10_000, from: 0, to: 2, waits: true)
    load.call(at: 10_050, from: 1, to: 2, waits: true)
    let first = "10000–11850: CPU 2 10000 → 11300–11800"
    for engine in ["llist-2014", "queue-2014", "xcall-2022", "mainline"] {
      try expect(
        load, engine, [first, "10050–12420: CPU 2 10050 → 11850–12350"], "single 1, saved 1",
        waits: "callers 2×4220")
    }
    for engine in ["generic-2008", "percpu-2009"] {
      try expect(
        load, engine, [first, "10050–12420: CPU 2 10100 → 11850–12350"], "single 1, saved 1",
        waits: "callers 2×4220, lock 1×50")
    }
  }

  /// Three calls to CPU 2 in one flush: one that does not wait first, then a waiting one, from another CPU each; and a wakeup
  /// before both, whose length of 400 is drawn. Today's flush runs waiting calls first and wakeups last; the others go by the
  /// order of their coming.
  @Test func waitingCallsFirst() throws {
    var load = HandMadeLoad(cpuCount: 4)
    load.call(at: 10_000, .wakeup, from: 0, to: 2, run: nil, storage: 7)
    load.call(at: 10_050, from: 1, to: 2)
    load.call(at: 10_100, from: 3, to: 2, waits: true)
    for engine in ["mainline", "xcall-2022"] {
      try expect(
        load, engine,
        [
          "10000–10100: CPU 2 10000 → 12400–12800", "10050–10150: CPU 2 10050 → 11850–12350",
          "10100–11850: CPU 2 10100 → 11300–11800",
        ], "single 1, saved 2", waits: "callers 1×1750")
    }
    for engine in ["llist-2014", "queue-2014"] {
      try expect(
        load, engine,
        [
          "10000–10100: CPU 2 10000 → 11300–11700", "10050–10150: CPU 2 10050 → 11750–12250",
          "10100–12870: CPU 2 10100 → 12300–12800",
        ], "single 1, saved 2", waits: "callers 1×2770")
    }
    // The queue's lock is free at 10,100 and 10,200.
    for engine in ["generic-2008", "percpu-2009"] {
      try expect(
        load, engine,
        [
          "10000–10100: CPU 2 10000 → 11300–11700", "10050–10200: CPU 2 10100 → 11750–12250",
          "10100–12870: CPU 2 10200 → 12300–12800",
        ], "single 1, saved 2", waits: "callers 1×2770, lock 2×150")
    }
  }

  /// A target that idles polling. mainline sets its NEED_RESCHED at 10,100; it flushes its queue at 10,900, outside any handler,
  /// so that nothing follows the function, which ends at 11,400. Nobody else looks at that.
  @Test func aPollingTarget() throws {
    var load = HandMadeLoad(cpuCount: 2)
    load.call(at: 10_000, from: 0, to: 1, waits: true, kick: .polling)
    for engine in ["mainline", "xcall-2022"] {
      try expect(
        load, engine, ["10000–11400: CPU 1 10000 → 10900–11400"], "polling 1", waits: "callers 1×1400")
    }
    for engine in ["mainline:no-polling", "llist-2014", "queue-2014", "percpu-2009", "generic-2008"] {
      try expect(
        load, engine, ["10000–11870: CPU 1 10000 → 11300–11800"], "single 1", waits: "callers 1×1870")
    }
  }

  /// A task's wakeup without the queue: the waker does it, under the lock of the target's run queue, and sends the reschedule
  /// IPI at once. The task is on the run queue when the lock is released; what follows concerns no cross call.
  @Test func aWakeupWithoutTheQueue() throws {
    var load = HandMadeLoad(cpuCount: 2)
    load.call(at: 10_000, .wakeup, from: 0, to: 1, run: 300, storage: 7)
    let outcome = try load.run("mainline:no-ttwu-queue")
    #expect(outcome.interrupts == "single 1" && outcome.fates == "ran 1" && outcome.addsUp)
    #expect(outcome.spans[0].queued[1] == 10_000)
    #expect(outcome.outcome.queueToStart.summary.maxNanoseconds == 0)
    #expect(outcome.spans[0].returned == 10_300)
  }

  /// The caller is itself in the mask: `on_each_cpu()` of today runs its own part while the others are on their way, from 10,100
  /// on; until 2014 it did so when they had answered, at 11,870.
  @Test func aCallerThatIsATargetToo() throws {
    for (length, today, before) in [(300, 11_870, 12_170), (5_000, 15_100, 16_870)] as [(UInt64, Int, Int)] {
      var load = HandMadeLoad(cpuCount: 2)
      load.call(at: 10_000, .onEach, from: 0, to: 1, waits: true, local: length)
      for engine in ["mainline", "xcall-2022"] {
        try expect(
          load, engine, ["10000–\(today): CPU 1 10000 → 11300–11800"], "single 1", waits: "callers 1×\(today - 10_000)")
      }
      for engine in ["generic-2008", "percpu-2009", "llist-2014", "queue-2014"] {
        try expect(
          load, engine, ["10000–\(before): CPU 1 10000 → 11300–11800"], "single 1",
          waits: "callers 1×\(before - 10_000)")
      }
    }
  }

  /// The same of 2008 without memory for CPUs 1 and 2, which is refused at once; the caller's own part is run all the same, for
  /// 300 from 10,000 on.
  @Test func aCallerThatIsATargetTooWithoutMemory() throws {
    var load = HandMadeLoad(cpuCount: 3)
    load.call(at: 10_000, .onEach, from: 0, to: 1, 2, waits: true, local: 300)
    try expect(load, "generic-2008:enomem", ["10000–10300: "], "", waits: "callers 1×300", fates: "refused 2") {
      $0.allocationFailureRate = 1
    }
  }

  /// A callback calls another CPU, 100 after it began: it goes on when the add is over, and ends 100 later.
  @Test(arguments: engines) func aCallbackThatCalls(engine: String) throws {
    var load = HandMadeLoad(cpuCount: 3)
    load.call(at: 10_000, from: 0, to: 1, waits: true)
    load.call(at: 11_400, from: 1, to: 2, in: .interrupt)
    try expect(
      load, engine,
      ["10000–11970: CPU 1 10000 → 11300–11900", "11400–11500: CPU 2 11400 → 12700–13200"], "single 2",
      waits: "callers 1×1970")
  }

  /// CPU 0 runs a callback from 11,300 on, for 2,000, and has another one to run behind it. An interrupt of its own, at 11,400,
  /// makes on_each_cpu(): the add is over at 11,500, its own part at 11,800. A third call's IPI comes at 12,450.
  /// - 2.6.26 and 2.6.30 turn interrupts on behind the own part, whatever they were. So a handler begins within the handler: it
  ///   runs the third at 12,650, before the second, ends at 13,220, and the first has 1,250 left.
  /// - The others restore them: the first ends at 13,700, the second follows, and the next handler begins at 14,320.
  @Test func aCallbackThatTurnsInterruptsOn() throws {
    var load = HandMadeLoad(cpuCount: 3)
    load.call(at: 10_000, .singleAsync, from: 1, to: 0, run: 2_000, storage: 1)
    load.call(at: 10_200, .singleAsync, from: 1, to: 0, storage: 2)
    load.call(at: 11_350, .singleAsync, from: 1, to: 0, storage: 3)
    load.call(at: 11_400, .onEach, from: 0, to: 2, in: .interrupt, local: 300)
    let last = "11400–11800: CPU 2 11400 → 12700–13200"
    for engine in ["generic-2008", "percpu-2009", "percpu-2009:mail"] {
      try expect(
        load, engine,
        [
          "10000–10100: CPU 0 10000 → 11300–14470", "10200–10300: CPU 0 10200 → 14520–15020",
          "11350–11450: CPU 0 11350 → 12650–13150", last,
        ], "single 3, saved 1")
    }
    for engine in ["llist-2014", "mainline", "xcall-2022"] {
      try expect(
        load, engine,
        [
          "10000–10100: CPU 0 10000 → 11300–13700", "10200–10300: CPU 0 10200 → 13750–14250",
          "11350–11450: CPU 0 11350 → 14520–15020", last,
        ], "single 3, saved 1")
    }
  }

  /// CPU 2 runs a callback for CPU 3 from 11,300 to 14,300. CPU 0 calls CPUs 1 and 2 and waits: CPU 1 has answered at 11,970, CPU
  /// 2, which follows 50 behind the other, at 14,920. An interrupt on CPU 0 makes a call to several at 11,000, which nobody may;
  /// it reaches CPU 3, and is over when the add is.
  /// - mainline has one mask for each source, and now it says CPU 3. Behind CPU 1 the waiting caller looks there, finds the csd
  ///   unlocked at 12,300, and goes on although CPU 2 has not begun. That csd is the other call's: a wait for a lock.
  /// - 3.15 makes that a call to one, without the mask: it waits for both.
  /// - 2008 has a mask for each call. Its mask IPI arrives at 11,700; CPU 2 takes it behind its handler, at 14,370.
  @Test func anInterruptThatTakesTheMask() throws {
    var load = HandMadeLoad(cpuCount: 4)
    load.call(at: 10_000, from: 3, to: 2, waits: true, run: 3_000)
    load.call(at: 10_000, .many, from: 0, to: 1, 2, waits: true)
    load.call(at: 11_000, .many, from: 0, to: 3, in: .interrupt)
    let last = "11000–11100: CPU 3 11000 → 12300–12800"
    try expect(
      load, "mainline",
      [
        "10000–14350: CPU 2 10000 → 11300–14300", "10000–12300: CPU 1 10000 → 11400–11900, CPU 2 10100 → 14350–14850",
        last,
      ], "single 3, saved 1", waits: "callers 2×6650, csd 1×330")
    try expect(
      load, "llist-2014",
      [
        "10000–14350: CPU 2 10000 → 11300–14300", "10000–14920: CPU 1 10000 → 11900–12400, CPU 2 10100 → 14350–14850",
        last,
      ], "single 2, mask 1×2", waits: "callers 2×9270")
    try expect(
      load, "generic-2008",
      [
        "10000–14370: CPU 2 10000 → 11300–14300", "10000–15140: CPU 1 10000 → 11900–12400, CPU 2 10000 → 14570–15070",
        last,
      ], "single 2, mask 1×2", waits: "callers 2×9510")
  }

  /// CPU 1 waits with interrupts off until 13,370 (its function runs for 2,000). An IPI reaches it at 11,200; its handler begins
  /// when interrupts are on again.
  @Test(arguments: engines) func aCallerWithInterruptsOff(engine: String) throws {
    var load = HandMadeLoad(cpuCount: 3)
    load.call(at: 10_000, from: 1, to: 2, waits: true, in: .interruptsOff, run: 2_000)
    load.call(at: 10_100, from: 0, to: 1)
    try expect(
      load, engine,
      ["10000–13370: CPU 2 10000 → 11300–13300", "10100–10200: CPU 1 10100 → 13570–14070"], "single 2",
      waits: "callers 1×3370")
    // With interrupts on, the handler runs while the caller spins, and does not hold it up.
    var open = HandMadeLoad(cpuCount: 3)
    open.call(at: 10_000, from: 1, to: 2, waits: true, run: 2_000)
    open.call(at: 10_100, from: 0, to: 1)
    try expect(
      open, engine,
      ["10000–13370: CPU 2 10000 → 11300–13300", "10100–10200: CPU 1 10100 → 11400–11900"], "single 2",
      waits: "callers 1×3370")
  }

  /// An IPI that is held back for 2,000 arrives at 13,100; what comes at 11,500 goes with it. Without that the queue is empty
  /// again at 11,200, and the second call sends its own IPI at 11,600. The handler of 2008 looks at its queue again before it
  /// ends: it finds the call at 11,870, takes it 100 later, and is called for nothing at 12,600.
  @Test func heldBack() throws {
    var load = HandMadeLoad(cpuCount: 3)
    load.call(at: 10_000, from: 0, to: 2)
    load.call(at: 11_500, from: 1, to: 2)
    for engine in Self.engines {
      try expect(
        load, engine,
        ["10000–10100: CPU 2 10000 → 13300–13800", "11500–11600: CPU 2 11500 → 13850–14350"], "single 1, saved 1"
      ) { $0.coalescingNanoseconds = 2_000 }
      let start = engine == "generic-2008" ? 11_970 : 12_800
      try expect(
        load, engine,
        ["10000–10100: CPU 2 10000 → 11300–11800", "11500–11600: CPU 2 11500 → \(start)–\(start + 500)"], "single 2")
    }
  }

  /// Three requests with one qsd, at 10,000, 10,200 and 11,400; the first runs from 11,300 to 11,800.
  /// - queue-2014: the second is covered by the first, which still pends. The third comes while the function runs: nothing pends
  ///   any more, but the csd is locked until 11,870.
  /// - mainline: the second is refused, because the csd is locked until 11,300; the third is queued at once.
  /// - 3.15 has no such check: both spin until the csd is unlocked.
  @Test func threeRequestsWithOneCSD() throws {
    var load = HandMadeLoad(cpuCount: 2)
    for time: UInt64 in [10_000, 10_200, 11_400] { load.call(at: time, .singleAsync, from: 0, to: 1, storage: 7) }
    let first = "10000–10100: CPU 1 10000 → 11300–11800"
    try expect(
      load, "queue-2014", [first, "10200–10200: ", "11400–11970: CPU 1 11870 → 13170–13670"], "single 2",
      waits: "csd 1×470", fates: "ran 2, coalesced 1")
    for engine in ["mainline", "xcall-2022"] {
      try expect(
        load, engine, [first, "10200–10200: ", "11400–11500: CPU 1 11400 → 12700–13200"], "single 2",
        fates: "ran 2, refused 1")
    }
    for engine in ["llist-2014", "percpu-2009"] {
      try expect(
        load, engine,
        [first, "10200–11970: CPU 1 11870 → 13170–13670", "11970–13840: CPU 1 13740 → 15040–15540"], "single 3",
        waits: "csd 2×3440")
    }
    // Each has a csd of its own. The handler finds the third in its second look, at 12,420.
    try expect(
      load, "generic-2008",
      [first, "10200–10300: CPU 1 10200 → 11850–12350", "11400–11500: CPU 1 11400 → 12520–13020"],
      "single 2, saved 1")
  }

  /// The same with an irq_work: mainline and queue-2014 agree that the second request is covered.
  @Test func threeRequestsWithOneWork() throws {
    var load = HandMadeLoad(cpuCount: 2)
    for time: UInt64 in [10_000, 10_200, 11_400] { load.call(at: time, .irqWork, from: 0, to: 1, storage: 7) }
    let first = "10000–10100: CPU 1 10000 → 11300–11800"
    for engine in ["mainline", "xcall-2022"] {
      try expect(
        load, engine, [first, "10200–10200: ", "11400–11500: CPU 1 11400 → 12700–13200"], "single 2",
        fates: "ran 2, coalesced 1")
    }
    try expect(
      load, "queue-2014", [first, "10200–10200: ", "11400–11970: CPU 1 11870 → 13170–13670"], "single 2",
      waits: "csd 1×470", fates: "ran 2, coalesced 1")
  }

  /// Between nodes an IPI takes 2,000, and is in one node 1,000.
  @Test func distance() throws {
    var load = HandMadeLoad(cpuCount: 3)
    load.call(at: 10_000, from: 0, to: 1)
    load.call(at: 20_000, from: 0, to: 2)
    for engine in Self.engines {
      try expect(
        load, engine,
        ["10000–10100: CPU 1 10000 → 11300–11800", "20000–20100: CPU 2 20000 → 22300–22800"], "single 2"
      ) { $0.nodes = [0, 0, 1] }
    }
  }

  /// CPU 1 leaves the idle loop by itself at 10,500 and looks at its queue, as today's kernel does; the IPI that was on its way
  /// then finds nothing. Outside a handler nothing precedes the function.
  @Test func aFlushOfItsOwn() throws {
    var load = HandMadeLoad(cpuCount: 2)
    load.call(at: 10_000, from: 0, to: 1, waits: true)
    load.flushes = [LoadedFlush(time: 10_500, cpu: 1)]
    for engine in ["mainline", "xcall-2022"] {
      try expect(
        load, engine, ["10000–11000: CPU 1 10000 → 10500–11000"], "single 1", waits: "callers 1×1000")
    }
    for engine in ["llist-2014", "percpu-2009", "generic-2008"] {
      try expect(
        load, engine, ["10000–11870: CPU 1 10000 → 11300–11800"], "single 1", waits: "callers 1×1870")
    }
  }
}
