import CallEngines
import CallHistories
import TestSupport
import Testing
import Verdicts

@testable import Drivers

/// Small loads that nobody would think of, through every engine: what must hold whatever comes.
@Suite("Random loads, simulated")
struct RandomLoadTests {
  private static var count: Int {
    #if DEBUG
      RepeatableRandom.places(40)
    #else
      RepeatableRandom.places(400)
    #endif
  }

  /// What a load may have in it.
  private struct Traits {
    /// Nobody calls with interrupts off, nor from an interrupt: then nobody can wait for ever.
    var isTame: Bool
    var hasHotplug: Bool
  }

  private static func load(_ random: inout RepeatableRandom, _ traits: Traits) -> HandMadeLoad {
    let cpuCount = 2 + random.below(3)
    var load = HandMadeLoad(cpuCount: cpuCount)
    let span = [2_000, 20_000, 200_000][random.below(3)]
    var kinds: [Call.Kind] = [.single, .single, .singleAsync, .many, .onEach, .wakeup]
    // irq_work_queue_on() warns of a CPU that is offline, and queues all the same: whoever calls it must know better.
    if !(traits.isTame && traits.hasHotplug) { kinds.append(.irqWork) }
    for index in 0..<3 + random.below(28) {
      let source = random.below(cpuCount)
      let others = (0..<cpuCount).filter { $0 != source }.shuffled(using: &random)
      var kind = kinds[random.below(kinds.count)]
      let hasMask = kind == .many || kind == .onEach
      let targets = hasMask ? Array(others.prefix(1 + random.below(others.count))) : [others[0]]
      let isOwned = kind == .singleAsync || kind == .irqWork || kind == .wakeup
      let waits = !isOwned && random.chance(0.5)
      if kind == .many, targets.count == 1, random.chance(0.5) { kind = .single }
      let context: LoadedCall.Context =
        traits.isTame || random.chance(0.5) ? .task : random.chance(0.5) ? .interruptsOff : .interrupt
      let call = LoadedCall(
        time: 10_000 + UInt64(random.below(span)), source: Int32(source), pid: Int32(100 + source), kind: kind,
        waits: waits, context: context, storage: isOwned ? UInt64(1 + random.below(4)) | UInt64(kind.rawValue) << 8 : 0,
        function: 0, thinkNanoseconds: random.chance(0.2) ? UInt64(random.below(2_000)) : nil,
        localNanoseconds: kind == .onEach ? UInt64(random.below(2_000)) : nil, targets: 0..<0)
      load.add(
        call, to: targets, run: random.chance(0.2) ? nil : UInt64(random.below(3_000)),
        kick: [.unknown, .unknown, .ipi, .polling][random.below(4)], name: "call \(index)")
    }
    if traits.hasHotplug {
      var time = 10_000 + UInt64(random.below(span))
      for _ in 0..<1 + random.below(3) {
        let cpu = random.below(cpuCount)
        load.hotplugs.append(
          LoadedHotplug(time: time, cpu: cpu, change: .down(lastCalled: time + UInt64(random.below(5_000)))))
        time += 5_000 + UInt64(random.below(20_000))
        if random.chance(0.8) { load.hotplugs.append(LoadedHotplug(time: time, cpu: cpu, change: .up)) }
        time += UInt64(random.below(20_000))
      }
    }
    for _ in 0..<random.below(4) {
      load.flushes.append(LoadedFlush(time: 10_000 + UInt64(random.below(span)), cpu: Int32(random.below(cpuCount))))
    }
    return load
  }

  /// Costs that vary, from nothing to a few microseconds.
  private static func costs(_ random: inout RepeatableRandom) -> CostModel {
    let scale = [0.0, 100, 3_000][random.below(3)]
    return CostModel(source: "by chance") { _ in
      let low = Double(random.below(1_000)) / 1_000 * scale
      return CostModel.Distribution(
        points: [
          CostModel.Distribution.Point(perMille: 0, nanoseconds: low),
          CostModel.Distribution.Point(perMille: 1_000, nanoseconds: low + Double(random.below(1_000)) / 1_000 * scale),
        ], count: 0, isAssumed: true)
    }
  }

  /// Whether a walker can pass a new entry by, as the mail of 2009 says: then its callback is lost.
  private func skipsEntries(_ name: String) -> Bool { name.hasPrefix("percpu-2009:tail") }

  /// Flushes what waits for a CPU that dies.
  private func flushesDying(_ name: String) -> Bool {
    if name.hasPrefix("mainline") || name == "xcall-2022" { return true }
    if name.hasPrefix("queue-2014") { return name.contains("dying") }
    return name.hasPrefix("llist-2014") && !name.contains("none") && !name.contains("before")
  }

  @Test func whateverComes() throws {
    var random = RepeatableRandom.forTest()
    let seed = random.seed
    var runs = 0
    for number in 0..<Self.count {
      let traits = Traits(isTame: random.chance(0.4), hasHotplug: random.chance(0.4))
      let load = Self.load(&random, traits)
      let costs = Self.costs(&random)
      let failures = [0, 0, 0.3, 1][random.below(4)]
      let held = random.chance(0.2) ? UInt64(random.below(5_000)) : 0
      let watched = random.below(load.calls.count)
      for name in SimulatedCapture.engines {
        let engine = try #require(Engine(name: name))
        func run() -> Ending {
          let simulator = load.simulator(engine, costs: costs, watching: watched) {
            $0.allocationFailureRate = failures
            $0.coalescingNanoseconds = held
            $0.seed = UInt64(number)
          }
          return Ending(simulator)
        }
        let ending = run()
        runs += 1
        let what = Comment(rawValue: "seed \(seed), load \(number), \(name)")
        expectWhole(ending, load, what)
        #expect(ending == run(), what)
        if traits.isTame, !skipsEntries(name), !traits.hasHotplug || flushesDying(name) {
          let fates = ending.outcome.fates
          #expect(fates.lost == 0 && fates.deadlocked == 0, "\(what): \(fates)")
          // A CPU that does not come back makes no more calls.
          if !traits.hasHotplug { #expect(ending.callsNotMade == 0, what) }
          #expect(ending.outcome.deadlocks.isEmpty, "\(what): \(ending.outcome.deadlocks)")
        }
        if !name.contains("poll-own-queue") { expectInOrder(ending, load, engine, what) }
        expectAnswered(ending, load, watched, engine, name, what)
      }
    }
    print("\(runs) random loads simulated, seed \(seed)")
  }

  private struct Ending: Equatable {
    var outcome: EngineOutcome
    var track: SimulatedTimeline.Track?
    var missedWakeups: UInt64
    var callsNotMade: UInt64

    init(_ simulator: borrowing Simulator) {
      outcome = simulator.recorder.outcome(
        allocates: simulator.kinds.allocates, watched: [],
        callbackNames: (0..<64).map { "call \($0)" })
      track = simulator.timeline?.track
      missedWakeups = simulator.missedWakeups
      callsNotMade = simulator.callsNotMade
    }
  }

  /// Everything that was asked for has exactly one end, and nothing was forgotten.
  private func expectWhole(_ ending: Ending, _ load: HandMadeLoad, _ what: Comment) {
    let outcome = ending.outcome
    #expect(outcome.fates.sum == outcome.targets && outcome.fates.unknown == 0, "\(what): \(outcome.fates)")
    #expect(ending.missedWakeups == 0, what)
    #expect(outcome.calls + ending.callsNotMade == UInt64(load.calls.count), what)
    #expect(outcome.targets <= UInt64(load.calls.reduce(0) { $0 + $1.targets.count }), what)
    if !outcome.deadlocks.isEmpty || ending.callsNotMade == 0 { return }
    // Without anybody who waits for ever, only a CPU that is gone leaves calls unmade.
    #expect(!load.hotplugs.isEmpty, what)
  }

  /// When each CPU first makes a call, from an interrupt or a callback, that turns interrupts on: on_each_cpu() does behind its
  /// own part where it ends with `local_irq_enable()`, and who spins before a gate of the ideas of 2008.
  ///
  /// From there on a handler can begin within a handler, and run what came later before what the one below has taken: see
  /// ``KnownAnswerTests/aCallbackThatTurnsInterruptsOn()``. The walker of 2008 also runs once more what the one below is
  /// running: it drops its bit behind the function.
  private func nestsHandlers(_ load: HandMadeLoad, _ engine: Engine) -> [Int: UInt64] {
    let opensAtAll: Bool
    switch engine {
    case .generic2008(let engine):
      switch engine.fallback {
      case .globalLock, .targetMask, .targetCounters, .allocatedFree: opensAtAll = engine.spin == .interruptsOn
      case .wait, .enomem, .pollOwnQueue: opensAtAll = false
      }
    case .perCPU2009: opensAtAll = false
    case .lockLess2014, .pendingQueue2014, .crossCall2022, .mainline: return [:]
    }
    let calls = load.calls.map(\.call).filter { $0.context == .interrupt && (opensAtAll || $0.kind == .onEach) }
    return Dictionary(calls.map { (Int($0.source), $0.time) }, uniquingKeysWith: min)
  }

  /// Calls of one task to one CPU in the same way are run in their order, each once.
  private func expectInOrder(_ ending: Ending, _ load: HandMadeLoad, _ engine: Engine, _ what: Comment) {
    let nested = nestsHandlers(load, engine)
    guard let track = ending.track, !track.isTruncated else { return }
    var starts: [String: [Int: [UInt64]]] = [:]
    for slice in track.slices where slice.kind == .callback || slice.kind == .otherCallback {
      starts[slice.label, default: [:]][slice.cpu, default: []].append(slice.startNanoseconds)
    }
    var latest: [[Int]: (start: UInt64, name: String)] = [:]
    let order = load.calls.indices.sorted { (load.calls[$0].call.time, $0) < (load.calls[$1].call.time, $1) }
    for index in order {
      let (call, targets) = load.calls[index]
      for target in targets {
        guard let times = starts["call \(index)"]?[Int(target.cpu)] else { continue }
        if let since = nested[Int(target.cpu)], times.contains(where: { $0 >= since }) { continue }
        #expect(times.count == 1, "\(what): call \(index) ran \(times.count) times on CPU \(target.cpu)")
        guard call.context != .interrupt else { continue }
        if changesQueue(call.kind, targets.count, load, engine) { continue }
        let way = [
          Int(call.source), Int(target.cpu), Int(call.kind.rawValue), call.waits ? 1 : 0, targets.count > 1 ? 1 : 0,
        ]
        if let before = latest[way] {
          #expect(before.start <= times[0], "\(what): call \(index) overtook \(before.name)")
        }
        latest[way] = (times[0], "call \(index)")
      }
    }
  }

  /// Whether a call goes on another queue when the others of its targets are offline: the first two generations have one for
  /// calls to one CPU, and another for calls to several, between which nothing is ordered.
  private func changesQueue(_ kind: Call.Kind, _ targets: Int, _ load: HandMadeLoad, _ engine: Engine) -> Bool {
    guard !load.hotplugs.isEmpty, targets > 1, kind == .many || kind == .onEach else { return false }
    switch engine {
    case .generic2008, .perCPU2009: return true
    case .lockLess2014, .pendingQueue2014, .crossCall2022, .mainline: return false
    }
  }

  /// Who waits goes on only when all have run it. Only an interrupt that calls several CPUs, which none may, while its CPU
  /// waits for several, can make it forget whom it waits for: see ``KnownAnswerTests/anInterruptThatTakesTheMask()``.
  private func expectAnswered(
    _ ending: Ending, _ load: HandMadeLoad, _ watched: Int, _ engine: Engine, _ name: String, _ what: Comment
  ) {
    let call = load.calls[watched].call
    guard let track = ending.track, !track.isTruncated, call.waits else { return }
    guard let returned = track.slices.first(where: { $0.kind == .call })?.endNanoseconds else { return }
    switch engine {
    case .generic2008(let engine):
      // Who waits and polls runs its own entry twice, or a handler within a handler does: two references go for one.
      if engine.fallback == .pollOwnQueue || !nestsHandlers(load, .generic2008(engine)).isEmpty { return }
    case .perCPU2009(let engine):
      // As mailed, the last to drop its reference ends the wait, although it need not be the last to run.
      if engine.form == .mail, load.calls[watched].targets.count > 1 { return }
    case .lockLess2014, .pendingQueue2014, .crossCall2022, .mainline: break
    }
    // All calls of the interface of 2022 go through the one for several.
    let callsSeveral: Set<Call.Kind> = name == "xcall-2022" ? [.single, .many, .onEach] : [.many, .onEach]
    let losesMask = load.calls.indices.contains { index in
      let other = load.calls[index].call
      return index != watched && other.source == call.source && other.context == .interrupt && other.time < returned
        && callsSeveral.contains(other.kind) && callsSeveral.contains(call.kind)
    }
    // The engine of 2008 has a mask for each call.
    if losesMask, !name.hasPrefix("generic-2008") { return }
    for slice in track.slices where slice.kind == .callback {
      #expect(slice.endNanoseconds.map { $0 <= returned } ?? false, what)
    }
  }
}
