import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// Text that is incomplete, out of order, or no trace at all.
@Suite struct TextDamageTests {
  private func line(_ cpu: Int, _ microseconds: Int, _ rest: String = "reschedule_entry: vector=253") -> String {
    let digits = String(microseconds)
    return
      "          <idle>-0       [00\(cpu)] d.h1. 7.\(String(repeating: "0", count: 6 - digits.count))\(digits): \(rest)\n"
  }

  private func read(_ text: String) throws -> ReadText { try ReadText(Array(text.utf8)) }

  private func gap(_ cpu: UInt16, _ after: UInt64?, _ before: UInt64?, _ lost: UInt64?) -> TraceGap {
    func time(_ value: UInt64?) -> UInt64? { value.map { 7_000_000_000 + $0 * 1000 } }
    return TraceGap(cpu: cpu, afterNanoseconds: time(after), beforeNanoseconds: time(before), lostEvents: lost)
  }

  // MARK: Gaps

  /// A gap is said when it begins: behind the CPU's last event before it, whenever the mark comes.
  @Test func marksOfLostEvents() throws {
    let read = try read(
      line(0, 1) + line(1, 2) + line(1, 3) + line(0, 4) + "CPU:1 [LOST 12 EVENTS]\n" + line(1, 9) + line(0, 10)
        + "CPU:0 [LOST EVENTS]\n" + line(0, 11) + "CPU:2 [7 EVENTS DROPPED]\n" + line(2, 12)
        + "CPU:0 [EVENTS DROPPED]\n")
    #expect(
      read.collector.deliveries == [
        .gap(gap(2, nil, 12, 7)), .event(0), .event(1), .event(2), .gap(gap(1, 3, 9, 12)), .event(3), .event(4),
        .event(5),
        .gap(gap(0, 10, 11, nil)), .event(6), .gap(gap(0, 11, nil, nil)), .event(7),
      ])
    #expect(read.health("lostEvents") == 19)
    #expect(read.health("lostEventsUnknown") == 2)
    #expect(read.outcome.gapCount == 4)
  }

  /// tracefs says in its header that events were overwritten, but not of which CPU.
  @Test func overwrittenEvents() throws {
    let header = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 2/50   #P:4\n#\n"
    let read = try read(header + line(0, 1) + line(3, 2))
    #expect(read.outcome.gaps == [gap(0, nil, 1, nil), gap(3, nil, 2, nil)])
    #expect(read.health("overwrittenEvents") == 48)
    #expect(read.text.cpus == [0, 1, 2, 3])
    let whole = try self.read(header.replacing("2/50", with: "2/2") + line(0, 1) + line(3, 2))
    #expect(whole.outcome.gaps.isEmpty && whole.outcome.health.items.isEmpty)
  }

  @Test func anotherRecordingBehindTheFirst() throws {
    let header = "# entries-in-buffer/entries-written: 1/1   #P:2\n"
    let read = try read(header + line(0, 1) + header + line(0, 9))
    #expect(read.outcome.gaps == [gap(0, 1, 9, nil)])
  }

  /// Lines may be long, and all of them may name other places: what is kept of them is bounded.
  @Test func namesThatTakeTooMuchRoom() throws {
    let long = String(repeating: "x", count: 8_000)
    let names = (0..<1_500).map { "f\($0)" }
    let lines = names.enumerated().map {
      line(0, $0.offset, "csd_function_entry: func=\($0.element) [\(long)], csd=0000000000000000")
    }
    // The first lines tell a trace from other files.
    let read = try read(line(0, 0) + lines.joined())
    #expect(read.collector.events.count == 1 + names.count)
    let kept = read.collector.events.compactMap { read.text.names.symbolName(containing: $0.function) }
    #expect(kept == Array(names.prefix(kept.count)) && (1_000..<1_100).contains(kept.count), "\(kept.count)")
    #expect(read.health("namesWithoutRoom") == UInt64(names.count - kept.count))
    // What has no room is not taken for something else.
    #expect(Set(read.collector.events.dropFirst().map(\.function)).count == names.count)
  }

  @Test func linesThatAreNoEvents() throws {
    let read = try read(
      "cpus=2\n\n# comment\n" + line(0, 1) + " => do_idle\n =>  cpu_startup_entry+0x2/0x3\nCPU 1 is empty\n"
        + line(0, 2))
    #expect(read.outcome.health.items.isEmpty && read.collector.events.count == 2)
    let damaged = try self.read(line(0, 1) + line(1, 2) + "what is this?\n" + line(1, 3) + line(0, 4) + line(0, 5))
    #expect(damaged.collector.events.count == 5)
    #expect(damaged.outcome.gaps == [gap(0, 1, 4, nil), gap(1, 2, 3, nil)])
    let item = try #require(damaged.outcome.health.items.first { $0.name == "malformedLines" })
    #expect(item.count == 1 && item.remedy.contains("line 3"))
  }

  @Test(arguments: [
    "csd_queue_cpu: cpu=3 callsite=f+0x1/0x2 func=g",
    "csd_queue_cpu: cpu= callsite=f+0x1/0x2 func=g csd=0000000000000001",
    "csd_queue_cpu: cpu=70000 callsite=f+0x1/0x2 func=g csd=0000000000000001", "csd_queue_cpu:", "csd_queue_cpu: x",
    "csd_queue_cpu: cpu=99999999999999999999999 callsite=f func=g csd=0000000000000001",
    "csd_queue_cpu: cpu=1 callsite=f+0xzz/0x2 func=g csd=0000000000000001",
    "csd_function_entry: func=f, csd=(____ptrval____)",
    "csd_queue_cpu: cpu=1x callsite=f func=g csd=0000000000000001",
    "ipi_send_cpumask: cpumask=0000000g callsite=f callback=f",
    "ipi_send_cpumask: cpumask=,, callsite=f callback=f",
    "ipi_send_cpumask:     cpumask=0-65535 callsite=f callback=f",
    "ipi_send_cpumask:     cpumask=3-1 callsite=f callback=f",
    "ipi_send_cpumask:     cpumask=1,1 callsite=f callback=f", "ipi_send_cpumask:     cpumask=1- callsite=f callback=f",
    "sched_switch: prev_comm=a", "sched_switch: a ==> b",
    "cpu_idle: state=1",
    "cpuhp_enter: cpu: 0001 target: 1 step: 1 (", "ipi_raise: (no mask)",
    "sched_switch: prev_comm=a ==> next_comm=b next_pid=x",
  ])
  func eventsThatCannotBeRead(_ fields: String) throws {
    let read = try read(line(0, 1) + line(1, 2) + line(1, 3, fields) + line(1, 4) + line(0, 5))
    #expect(read.collector.events.count == 4)
    #expect(read.outcome.gaps == [gap(1, 2, 4, nil)])
    let item = try #require(read.outcome.health.items.first { $0.name == "malformedEvents" })
    #expect(item.cpu == 1 && item.count == 1 && item.remedy.contains("line 3"))
  }

  @Test func aContextThatIsMissingOnce() throws {
    let read = try read(
      line(0, 1) + "          <idle>-0       [000] 7.000002: reschedule_exit: vector=253\n" + line(0, 3))
    #expect(read.health("malformedEvents") == 1 && read.collector.events.count == 2)
  }

  @Test func theLastLineIsCutOff() throws {
    let whole = line(0, 1) + line(0, 2, "csd_function_entry: func=f, csd=0000000044299818")
    let read = try read(String(whole.dropLast(3)))
    #expect(read.collector.events.count == 1)
    #expect(read.health("cutOffLine") == 1)
  }

  @Test func linesThatEndAsOnOtherSystems() throws {
    let read = try read(line(0, 1).replacing("\n", with: "\r\n") + line(0, 2, "sched_wake_idle_without_ipi: cpu=1\r"))
    #expect(read.collector.events.map(\.target) == [0, 1] && read.outcome.health.items.isEmpty)
  }

  // MARK: Order

  /// What trace_pipe prints can be a little out of order between CPUs; equal times stay as they are.
  @Test func lateEventsOfOtherCPUs() throws {
    var random = RepeatableRandom.forTest()
    var lines: [(time: Int, cpu: Int)] = []
    for index in 0..<20_000 { lines.append((index / 3, random.below(4))) }
    var text = ""
    // Each CPU's events in order, and one CPU ahead of the others by up to 500 events.
    let delayed = lines.enumerated().sorted {
      ($0.offset - ($0.element.cpu == 1 ? 500 : 0), $0.offset) < (
        $1.offset - ($1.element.cpu == 1 ? 500 : 0), $1.offset
      )
    }.map(\.element)
    for entry in delayed { text += line(entry.cpu, entry.time) }
    let read = try read(text)
    #expect(read.outcome.health.items.isEmpty)
    let times = read.collector.events.map(\.nanoseconds)
    #expect(times == times.sorted() && times.count == lines.count)
    for cpu in 0..<4 {
      #expect(read.collector.events.filter { Int($0.cpu) == cpu }.count == lines.filter { $0.cpu == cpu }.count)
    }
  }

  @Test func eventsThatAreFarTooLate() throws {
    var text = line(1, 1)
    for index in 0..<40_000 { text += line(0, 100 + index) }
    text += line(1, 50) + line(1, 60_000)
    let read = try read(text)
    #expect(read.health("lateEvents") == 1)
    let times = read.collector.events.map(\.nanoseconds)
    #expect(times == times.sorted() && times.count == 40_003)
    #expect(read.outcome.gaps.map(\.cpu) == [1])
    #expect(read.outcome.gaps.first?.afterNanoseconds == 7_000_001_000)
  }

  @Test func timeThatGoesBack() throws {
    let read = try read(line(0, 5) + line(0, 3) + line(0, 6))
    #expect(read.collector.events.map { $0.nanoseconds % 1_000_000 } == [5000, 5000, 6000])
    #expect(read.health("backwardTimes") == 1 && read.outcome.gaps.count == 1)
  }

  // MARK: No trace

  @Test(arguments: [
    ("", "byte 0", "the mark"), ("hello world\n", "byte 0", "hello world"),
    ("\n\nhello\n", "byte 2", "a line of ftrace text"),
    ("# tracer: nop\n", "byte 0", "a line of ftrace text"), ("{\"a\": 1}\n", "byte 0", "{"),
    ("cpus=8\n", "byte 0", "has no events"),
  ])
  func isRefused(_ text: String, _ place: String, _ words: String) {
    let error = #expect(throws: TraceFileError.self) { _ = try read(text) }
    #expect(error?.description.contains(place) == true && error?.description.contains(words) == true, "\(error as Any)")
  }

  /// Whatever is in a text, it is read to its end, and every event is delivered in order.
  @Test func anyBytes() throws {
    var random = RepeatableRandom.forTest()
    let seed = [
      line(0, 1), line(1, 2, "csd_queue_cpu: cpu=3 callsite=f+0x1/0x20 func=g [m] csd=0000000044299818"),
      line(2, 3, "ipi_send_cpumask: cpumask=00000000,0000000f callsite=f+0x1/0x20 callback=g+0x0/0x1"),
      line(
        3, 4, "sched_switch: prev_comm=a prev_pid=1 prev_prio=1 prev_state=R ==> next_comm=b next_pid=2 next_prio=1"),
      line(0, 5, "cpuhp_enter: cpu: 0003 target: 145 step: 236 (f)"), "CPU:1 [LOST 5 EVENTS]\n",
      "# entries-in-buffer/entries-written: 1/2 #P:4\n",
    ].map { Array($0.utf8) }
    for _ in 0..<400 {
      var bytes: [UInt8] = seed[0]
      for _ in 0..<60 {
        var next = seed[random.below(seed.count)]
        for _ in 0..<random.below(4) where next.count > 4 {
          switch random.below(4) {
          case 0: next[random.below(next.count)] = UInt8(truncatingIfNeeded: random.next())
          case 1: next.remove(at: random.below(next.count - 1))
          case 2: next.insert(UInt8(truncatingIfNeeded: random.next()), at: random.below(next.count))
          default: next.removeLast(random.below(next.count - 2))
          }
        }
        bytes += next
      }
      guard !bytes.prefix(4096).contains(0) else { continue }
      let read = try ReadText(bytes)
      let times = read.collector.events.map(\.nanoseconds)
      #expect(times == times.sorted(), "seed \(random.seed)")
      #expect(UInt64(times.count) == read.outcome.eventCounts.values.flatMap(\.values).reduce(0, +))
    }
  }

  @Test func linesWithoutEnd() throws {
    let long = String(repeating: "x", count: 700_000)
    let read = try read(line(0, 1) + long + "\n" + line(0, 2) + "          <idle>-0 " + long)
    #expect(read.collector.events.count == 2)
    #expect(read.health("malformedLines") == 1 && read.health("cutOffLine") == 1)
    #expect(read.outcome.gaps.count == 1)
  }

  @Test func manyNames() throws {
    var text = ""
    for index in 0..<70_000 {
      text += line(0, index, "csd_function_entry: func=f\(index), csd=0000000044299818")
    }
    let read = try read(text)
    #expect(read.health("namesWithoutRoom") > 0)
    #expect(Set(read.collector.events.map(\.function)).count == 70_000)
  }
}
