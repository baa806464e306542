import CallEngines
import TestSupport
import Testing
import Verdicts

@testable import Reports

@Suite("Words of happenings")
struct HappeningWordsTests {
  static let names = Counterexample.Names(
    calls: ["single 1 f wait", "queue 1 q g", "queue 1 q g"], functions: ["f", "g"], locks: ["A"],
    storages: ["q"],
    csds: [
      .own(cpu: 0), .target(cpu: 0, target: 1), .entry(cpu: 2), .caller(storage: 0), .call(call: 0), .call(call: 1),
      .secondOfCall(call: 0),
    ])

  /// Every happening, and what it is called on CPU 1.
  static let all: [(Happening, String)] = [
    (.callBegan(call: 0), "calls “single 1 f wait”"),
    (.callReturned(call: 1, .busy), "“queue 1 q g” returns -EBUSY"),
    (.callReturned(call: 2, .success), "“queue 1 q g #2” returns 0"),
    (.interruptsDisabled, "interrupts off"),
    (.interruptsEnabled, "interrupts on"),
    (.lockTaken(.globalQueue), "takes the global queue's lock"),
    (.lockTaken(.singleQueue(cpu: 0)), "takes the lock of CPU 0's queue"),
    (.lockTaken(.entry(csd: 2)), "takes the lock of CPU 2's own cfd"),
    (.lockReleased(.callers(0)), "releases lock A"),
    (.lockReleased(.fallback), "releases the fallback's lock"),
    (.lockTaken(.runQueue(cpu: 2)), "takes the lock of CPU 2's run queue"),
    (.csdLocked(csd: 0), "locks CPU 0's own csd"),
    (.csdUnlocked(csd: 1), "unlocks CPU 0's csd for CPU 1"),
    (.waitEnded(csd: 4), "ends the wait for the csd of “single 1 f wait”"),
    (.filled(csd: 4, call: 0), "fills the csd of “single 1 f wait”"),
    (.filled(csd: 0, call: 0), "fills CPU 0's own csd for “single 1 f wait”"),
    (.allocated(call: 0, succeeded: true), "allocation succeeds"),
    (.allocated(call: 0, succeeded: false), "allocation fails"),
    (.added(csd: 3, cpu: 0, wasEmpty: true), "adds q to CPU 0's queue (was empty)"),
    (.added(csd: 3, cpu: 1, wasEmpty: false), "adds q to its own queue (was not empty)"),
    (.addedGlobally(csd: 2, atHead: true), "adds CPU 2's own cfd at the head of the global queue"),
    (.addedGlobally(csd: 2, atHead: false), "adds CPU 2's own cfd at the tail of the global queue"),
    (.filled(csd: 6, call: 0), "fills the second csd of “single 1 f wait” for “single 1 f wait”"),
    (.taken(csds: []), "finds its queue empty"),
    (.taken(csds: [0, 3]), "takes CPU 0's own csd, q off its queue"),
    (.unlinked(csd: 2), "unlinks CPU 2's own cfd"),
    (.visited(csd: 2, concerned: true), "visits CPU 2's own cfd: for it"),
    (.visited(csd: 2, concerned: false), "visits CPU 2's own cfd: not for it"),
    (.coalesced(call: 2), "“queue 1 q g #2” is coalesced: one is pending"),
    (.ipiSent(.single, cpus: [0]), "sends IPI (single) to CPU 0"),
    (.ipiSent(.many, cpus: [0, 2, 3]), "sends IPI (many) to CPUs 0,2-3"),
    (.ipiSent(.many, cpus: []), "sends no IPI: the mask is empty"),
    (.ipiLost(.irqWork), "IPI (irq_work) is lost: the CPU is dead"),
    (.pollerWoken(cpu: 0), "sets NEED_RESCHED of CPU 0, which polls: no IPI"),
    (.ipiSent(.reschedule, cpus: [2]), "sends IPI (reschedule) to CPU 2"),
    (.workMarked(cpu: 0), "tells CPU 0, in user space, that work waits"),
    (.workUnmarked(cpu: 0), "tells CPU 0 no longer that work waits"),
    (.deferred(cpu: 0), "sends no IPI: CPU 0 looks when it enters the kernel"),
    (.taskPlaced(call: 0, cpu: 2), "puts the task of “single 1 f wait” onto CPU 2's run queue"),
    (.interruptTaken(.many), "takes IPI (many)"),
    (.interruptReturned, "handler returns"),
    (.functionStarted(function: 1, call: 1), "g starts, for “queue 1 q g”"),
    (.functionFinished(function: 1, call: 1), "g ends"),
    (.flagChanged(.pending(qsd: 3), cpu: nil, isSet: true), "sets pending of q"),
    (.flagChanged(.pending(qsd: 3), cpu: nil, isSet: false), "clears pending of q"),
    (.flagChanged(.targeted, cpu: nil, isSet: true), "marks its targets"),
    (.flagChanged(.targeted, cpu: nil, isSet: false), "clears the mark of its targets"),
    (.flagChanged(.targeted, cpu: 1, isSet: true), "marks itself as a target"),
    (.flagChanged(.targeted, cpu: 0, isSet: false), "clears the mark of CPU 0"),
    (.warned(.ipiOnOfflineCPU), "warning: IPI on offline CPU"),
    (.warned(.namesCallback(call: 1)), "warning: it names the callback of “queue 1 q g”"),
    (.warned(.csdNotLocked(csd: 0)), "warning: CPU 0's own csd is not locked"),
    (.warned(.notPending(qsd: 3)), "warning: q is not pending"),
    (.warned(.interruptsDisabled), "warning: interrupts are off"),
    (.warned(.noReferences(csd: 2)), "warning: CPU 2's own cfd has no references left"),
    (.warned(.invalidCPU(-7)), "warning: CPU -7 is out of range"),
    (.idled, "idles, polling"),
    (.idleLeft, "leaves idle"),
    (.userEntered, "goes to user space"),
    (.userLeft(workWaits: false), "enters the kernel"),
    (.userLeft(workWaits: true), "enters the kernel, where work waits"),
    (.stopRequested(cpu: 2), "takes CPU 2 down"),
    (.stopEntered, "the stopper takes over"),
    (.stopLeft, "the stopper is done"),
    (.markedOffline, "is marked offline"),
    (.died, "plays dead"),
    (.markedOnline, "is marked online"),
    (.bringUpCanceled(cpu: 2), "CPU 2 is refused, and does not come up"),
  ]

  @Test("every happening has its words", arguments: all.indices)
  func words(index: Int) {
    let (happening, expected) = Self.all[index]
    let words = HappeningWords(Self.names).words(happening, on: 1)
    #expect(words.replacing("\u{a0}", with: " ") == expected)
  }

  /// Does not compile when a case is new: then it belongs into ``all``, and into the JSON Schema.
  private func name(_ happening: Happening) -> String {
    switch happening {
    case .callBegan: "callBegan"
    case .callReturned: "callReturned"
    case .interruptsDisabled: "interruptsDisabled"
    case .interruptsEnabled: "interruptsEnabled"
    case .lockTaken: "lockTaken"
    case .lockReleased: "lockReleased"
    case .csdLocked: "csdLocked"
    case .csdUnlocked: "csdUnlocked"
    case .waitEnded: "waitEnded"
    case .filled: "filled"
    case .allocated: "allocated"
    case .added: "added"
    case .addedGlobally: "addedGlobally"
    case .taken: "taken"
    case .unlinked: "unlinked"
    case .visited: "visited"
    case .coalesced: "coalesced"
    case .ipiSent: "ipiSent"
    case .ipiLost: "ipiLost"
    case .pollerWoken: "pollerWoken"
    case .workMarked: "workMarked"
    case .workUnmarked: "workUnmarked"
    case .deferred: "deferred"
    case .taskPlaced: "taskPlaced"
    case .interruptTaken: "interruptTaken"
    case .interruptReturned: "interruptReturned"
    case .functionStarted: "functionStarted"
    case .functionFinished: "functionFinished"
    case .flagChanged: "flagChanged"
    case .warned: "warned"
    case .idled: "idled"
    case .idleLeft: "idleLeft"
    case .userEntered: "userEntered"
    case .userLeft: "userLeft"
    case .stopRequested: "stopRequested"
    case .stopEntered: "stopEntered"
    case .stopLeft: "stopLeft"
    case .markedOffline: "markedOffline"
    case .died: "died"
    case .markedOnline: "markedOnline"
    case .bringUpCanceled: "bringUpCanceled"
    }
  }

  @Test("the JSON Schema knows every happening, and no other")
  func schema() throws {
    let schema = try JSONSchemaTests.schema("ipitrace-check-1.schema.json")
    guard case .array(let alternatives) = schema["$defs"]["happening"]["anyOf"] else {
      Issue.record("no happenings")
      return
    }
    let known = Set(
      alternatives.compactMap { alternative in
        if case .object(let keys) = alternative["properties"] { keys.keys.first } else { nil }
      })
    #expect(known == Set(Self.all.map { name($0.0) }))
    // Each as it is written, and read again.
    var line = try #require(ExampleCheck.lost.lines.first { $0.counterexample != nil })
    line.counterexample?.steps[0].happenings = Self.all.map(\.0)
    let bytes = try JSONReport.render(CheckResult(lines: [line]))
    let validator = JSONSchemaValidator(schema: schema)
    #expect(validator.complaints(about: try JSONValue.parse(bytes)) == [])
    #expect(try JSONReport.parseCheck(bytes) == CheckResult(lines: [line]))
  }

  @Test("what a CPU can wait for has its words")
  func waits() {
    let words = HappeningWords(Self.names)
    let all: [(Wait, String)] = [
      (.csd(4), "the csd of “single 1 f wait” to be unlocked"), (.lock(.callers(0)), "lock A"),
      (.flag(.pending(qsd: 3)), "q not to be pending"), (.flag(.targeted), "its turn among the targets"),
      (.hotplug, "other CPUs, in hotplug"), (.idle, "work"),
    ]
    for (wait, expected) in all { #expect(words.wait(wait) == expected) }
  }

  @Test("an index that names nothing is shown as it is")
  func unknown() {
    let words = HappeningWords(
      Counterexample.Names(calls: [], functions: [], locks: [], storages: [], csds: [.caller(storage: 3)]))
    #expect(words.words(.filled(csd: 0, call: 4), on: 0) == "fills csd 3 for call 4")
    #expect(words.words(.functionStarted(function: -1, call: 9), on: 0) == "function -1 starts, for call 9")
    #expect(words.words(.lockTaken(.callers(2)), on: 0) == "takes lock lock 2")
    #expect(words.csd(77) == "csd 77")
  }
}
