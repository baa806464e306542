import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// Single lines of ftrace text, in all the forms that occur.
@Suite struct TextLineTests {
  private func read(_ lines: String...) throws -> ReadText {
    try ReadText(Array((lines.joined(separator: "\n") + "\n").utf8))
  }

  private func event(_ line: String) throws -> (event: TraceEvent, mask: [UInt64]?, read: ReadText) {
    let read = try read(line)
    try #require(read.collector.events.count == 1, "\(read.outcome.health)")
    return (read.collector.events[0], read.collector.masks[0], read)
  }

  @Test(arguments: [
    "          <idle>-0       [002] d.h1. 23636.756844: ",
    "          <idle>-0       (-------) [002] d.h1. 23636.756844: ",
    "          <idle>-0       [002] d.h1 23636.756844: ", "          <idle>-0       [002] d.h1. 23636.756844000: ",
    "  <idle>-0         2d.h1. 23636756844us+: ", "  <idle>-0       2d.h1. 23636.756844: ",
    "<idle>-0 [002] d.h1. 23636.756844: ",
    "calls:           <idle>-0     [002] d.h1. 23636.756844: ",
  ])
  func headsOfAllForms(_ head: String) throws {
    let (event, _, read) = try event(head + "call_function_single_entry: vector=251")
    #expect(event.kind == .callFunctionSingleEntry)
    #expect(event.nanoseconds == 23_636_756_844_000)
    #expect(event.cpu == 2 && event.pid == 0)
    #expect(event.flags == [.interruptsOff, .hardInterrupt])
    #expect(read.outcome.eventCounts == [2: ["irq_vectors:call_function_single_entry": 1]])
    #expect(read.text.contextIsRecorded)
  }

  @Test(arguments: [
    "a b", "a-1 [000] x", "x] ==> y", "a: b: c", "==> ", "[000] 1.2: ", "-1", "a-7 [3] 1.5: b", "prev_comm=",
    " next_pid=7", "\u{7}", "ä",
  ])
  func namesOfTasksMayHoldAnything(_ name: String) throws {
    let padded = String(repeating: " ", count: max(0, 16 - name.utf8.count)) + name
    let read = try read(
      "\(padded)-77      [001] d..2.   100.000001: sched_switch: prev_comm=\(name) prev_pid=77 prev_prio=120 prev_state=R+ ==> "
        + "next_comm=\(name) next_pid=78 next_prio=120",
      "\(padded)-77      [001] d..2.   100.000002: sched_switch:         \(name):77 [120] R ==> \(name):78 [120]")
    #expect(read.outcome.health.items.isEmpty)
    try #require(read.collector.events.count == 2)
    for event in read.collector.events {
      #expect(
        event.kind == .schedSwitch && event.pid == 77 && event.target == 78 && event.detail == 77 && event.cpu == 1)
      let bytes = [event.csd, event.function].flatMap { word in (0..<8).map { UInt8(word >> ($0 * 8) & 0xff) } }
      #expect(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) == name)
    }
    // Blanks in front of a name can't be told from the column's.
    #expect(read.text.commands[77] == String(name.drop { $0 == " " }))
  }

  @Test func flags() throws {
    let letters: [(String, ContextFlags)] = [
      (".....", []), ("-----", []), ("d...", .interruptsOff), ("D....", [.interruptsOff, .bottomHalvesOff]),
      ("b..1.", .bottomHalvesOff), (".N...", [.needReschedule, .preemptReschedule]),
      ("dn.1.", [.interruptsOff, .needReschedule]),
      (".p...", .preemptReschedule), (".l...", []), (".L...", .preemptReschedule), (".b...", .needReschedule),
      (".B..2", [.needReschedule, .preemptReschedule]), ("..s1.", .softInterrupt),
      ("d.H2.", [.interruptsOff, .hardInterrupt, .softInterrupt]),
      ("d.Z1.", [.interruptsOff, .hardInterrupt, .nonMaskableInterrupt]),
      ("d.z1.", [.interruptsOff, .nonMaskableInterrupt]),
      ("X....", []), ("d..f1a", .interruptsOff),
    ]
    for (text, expected) in letters {
      let (event, _, _) = try event("          <idle>-0       [002] \(text) 5.000001: reschedule_entry: vector=253")
      #expect(event.flags == expected, "\(text)")
    }
  }

  // MARK: Events

  private static let head = "            bash-5       [001] d..1. 5.000001: "

  @Test func queueEvents() throws {
    let forms = [
      "csd_queue_cpu: cpu=3 callsite=ttwu_queue_wakelist+0xdd/0x140 func=sched_ttwu_pending csd=0000000044299818",
      "csd_queue_cpu:        cpu=3 callsite=ttwu_queue_wakelist+0xdd func=sched_ttwu_pending csd=0x44299818",
      "csd_queue_cpu: csd=0x44299818 func=sched_ttwu_pending cpu=3 callsite=ttwu_queue_wakelist+0xdd/0x140",
    ]
    for form in forms {
      let (event, _, read) = try event(Self.head + form)
      #expect(event.kind == .csdQueueCPU && event.target == 3 && event.csd == 0x4429_9818)
      let names = read.text.names
      #expect(names.symbolName(containing: event.callsite) == "ttwu_queue_wakelist")
      #expect(names.text(event.callsite) == "ttwu_queue_wakelist+0xdd")
      #expect(names.addresses(ofSymbol: "sched_ttwu_pending") == [event.function])
    }
  }

  @Test func functionEvents() throws {
    for (csd, value) in [
      ("0000000000000000", 0), ("(nil)", 0), ("0x0", 0), ("ff4097d605f88038", 0xff40_97d6_05f8_8038 as UInt64),
    ] {
      for kind in [EventKind.csdFunctionEntry, .csdFunctionExit] {
        let (event, _, read) = try event(Self.head + "\(kind.name): func=ipi_handler [kvm], csd=\(csd)")
        #expect(event.kind == kind && event.csd == value)
        #expect(read.text.names.text(event.function) == "ipi_handler [kvm]")
        #expect(read.text.names.symbolName(containing: event.function) == "ipi_handler")
      }
    }
  }

  @Test func sendEvents() throws {
    let single = try event(
      Self.head + "ipi_send_cpu: cpu=0 callsite=generic_exec_single+0x3a/0x150 "
        + "callback=generic_smp_call_function_single_interrupt+0x0/0x10")
    #expect(single.event.kind == .ipiSendCPU && single.event.target == 0)
    #expect(
      single.read.text.names.addresses(ofSymbol: "generic_smp_call_function_single_interrupt") == [
        single.event.function
      ])
    let reschedule = try event(Self.head + "ipi_send_cpu: cpu=1 callsite=resched_curr+0x1/0x2 callback=0x0")
    #expect(reschedule.event.function == 0)
    let masks: [(String, [UInt64])] = [
      (" cpumask=00000000,0000000f", [15]), (" cpumask=00000001,00000000,00000002", [2, 1]), (" cpumask=f", [15]),
      (" cpumask=3", [3]),
      ("     cpumask=3", [8]), ("     cpumask=1,3", [10]), ("     cpumask=0,2-4,64", [29, 1]),
      ("     cpumask=1-2", [6]),
      (" cpumask=80000000,00000000", [1 << 63]),
    ]
    for (text, words) in masks {
      let (event, mask, _) = try event(
        Self.head + "ipi_send_cpumask:\(text) callsite=smp_call_function_many_cond+0x1/0x9 callback=f+0x0/0x10")
      #expect(event.kind == .ipiSendCPUMask && event.detail == words.count)
      #expect(mask == words, "\(text)")
    }
  }

  @Test func otherEvents() throws {
    let idle = try event(Self.head + "cpu_idle:             state=4294967295 cpu_id=7").event
    #expect(idle.kind == .cpuIdle && idle.detail == -1 && idle.target == 7)
    let enter = try event(Self.head + "cpuhp_enter: cpu: 0003 target: 145 step: 236 (cpuhp_kick_ap_work)")
    #expect(
      enter.event.kind == .cpuhpEnter && enter.event.target == 3 && enter.event.callsite == 145
        && enter.event.detail == 236)
    #expect(enter.read.text.names.text(enter.event.function) == "cpuhp_kick_ap_work")
    let multi = try event(Self.head + "cpuhp_multi_enter:    cpu: 0003 target:   0 step:  22 (bio_cpu_dead)").event
    #expect(multi.kind == .cpuhpMultiEnter && multi.target == 3 && multi.callsite == 0 && multi.detail == 22)
    let exit = try event(Self.head + "cpuhp_exit:  cpu: 0003  state: 234 step: 235 ret: -16").event
    #expect(exit.kind == .cpuhpExit && exit.target == 3 && exit.callsite == 234 && exit.detail == 235)
    #expect(Int64(bitPattern: exit.function) == -16)
    #expect(try event(Self.head + "sched_wake_idle_without_ipi: cpu=7").event.target == 7)
    let raise = try event(Self.head + "ipi_raise: target_mask=00000000,0000000a (Function call interrupts)")
    #expect(raise.event.kind == .ipiRaise && raise.mask == [10])
    for (reason, entry, exit) in [
      ("Function call interrupts", EventKind.callFunctionEntry, EventKind.callFunctionExit),
      ("Rescheduling interrupts", .rescheduleEntry, .rescheduleExit),
      ("IRQ work interrupts", .irqWorkEntry, .irqWorkExit),
      ("Timer broadcast interrupts", .ipiEntry, .ipiExit),
    ] {
      #expect(try event(Self.head + "ipi_entry: (\(reason))").event.kind == entry)
      #expect(try event(Self.head + "ipi_exit: (\(reason))").event.kind == exit)
    }
    let foreign = try event(Self.head + "timer_start: timer=00000000abcdef01 function=f")
    #expect(foreign.event.kind == .other)
    #expect(foreign.read.outcome.eventCounts == [1: ["timer_start": 1]])
    #expect(try event(Self.head + "do_idle <-cpu_startup_entry").event.kind == .other)
  }

  // MARK: Names

  /// A module that was unloaded leaves its places to whatever symbol is before it.
  @Test func hugeOffsetsAreNoPlace() throws {
    let (event, _, read) = try event(
      Self.head + "csd_queue_cpu: cpu=3 callsite=__end_rodata+0x1fffe37/0x40 func=f csd=00000000a4299818")
    #expect(read.text.names.symbolName(containing: event.callsite) == nil)
    #expect(event.callsite != 0)
    let (other, _, otherRead) = try self.event(
      Self.head + "csd_queue_cpu: cpu=3 callsite=f+0x50/0x40 func=f csd=00000000a4299818")
    #expect(otherRead.text.names.symbolName(containing: other.callsite) == nil)
  }

  /// Names that the analysis asks for are known before the first event.
  @Test func reservedNames() throws {
    let read = try read(Self.head + "reschedule_entry: vector=253")
    for name in ["sched_ttwu_pending", "generic_smp_call_function_single_interrupt"] {
      #expect(read.text.names.addresses(ofSymbol: name).count == 1)
    }
    #expect(read.text.names.addresses(ofSymbol: "nowhere").isEmpty)
    #expect(read.text.names.symbolName(containing: 0xffff_ffff_8100_0000) == nil)
    #expect(read.text.names.text(0xffff_ffff_8100_0000) == "0xffffffff81000000")
  }

  // MARK: Several buffers

  @Test func theBufferWithCalls() throws {
    let read = try read(
      "                   ipiload-372   [003] d..2. 1.000001: sched_switch: prev_comm=a prev_pid=1 prev_prio=1 prev_state=R ==> "
        + "next_comm=b next_pid=2 next_prio=1",
      "   calls:      migration/3-38    [003] d..2. 1.000002: ipi_send_cpu: cpu=5 callsite=g+0x37/0x50 callback=0x0",
      "handlers:           <idle>-0     [005] d..2. 1.000003: reschedule_entry:     vector=253")
    #expect(read.collector.events.map(\.kind) == [.ipiSendCPU])
    #expect(read.text.commands[38] == "migration/3")
    #expect(read.health("otherBuffers") == 2)
  }
}
