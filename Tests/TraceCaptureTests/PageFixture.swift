import TestSupport

@testable import TraceCapture

/// Formats, records and pages for tests of what a recorder does with pages.
enum PageFixture {
  static let queued: UInt16 = 501
  static let sent: UInt16 = 502
  static let masked: UInt16 = 503
  static let switched: UInt16 = 504

  private static let common = """
    format:
    \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
    \tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
    \tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
    \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;


    """

  /// As a 6.12 kernel describes them.
  static let systems: [RecordedFormats.System] = [
    (
      "csd",
      [
        format(
          "csd_queue_cpu", queued,
          """
          \tfield:unsigned int cpu;\toffset:8;\tsize:4;\tsigned:0;
          \tfield:void * callsite;\toffset:16;\tsize:8;\tsigned:0;
          \tfield:void * func;\toffset:24;\tsize:8;\tsigned:0;
          \tfield:void * csd;\toffset:32;\tsize:8;\tsigned:0;

          print fmt: "cpu=%u callsite=%pS func=%ps csd=%p", REC->cpu, REC->callsite, REC->func, REC->csd
          """)
      ]
    ),
    (
      "ipi",
      [
        format(
          "ipi_send_cpu", sent,
          """
          \tfield:unsigned int cpu;\toffset:8;\tsize:4;\tsigned:0;
          \tfield:void * callsite;\toffset:16;\tsize:8;\tsigned:0;
          \tfield:void * callback;\toffset:24;\tsize:8;\tsigned:0;

          print fmt: "cpu=%u callsite=%pS callback=%pS", REC->cpu, REC->callsite, REC->callback
          """),
        format(
          "ipi_send_cpumask", masked,
          """
          \tfield:__data_loc cpumask_t * cpumask;\toffset:8;\tsize:4;\tsigned:0;
          \tfield:void * callsite;\toffset:16;\tsize:8;\tsigned:0;
          \tfield:void * callback;\toffset:24;\tsize:8;\tsigned:0;

          print fmt: "cpumask=%s callsite=%pS callback=%pS", __get_cpumask(cpumask), REC->callsite, REC->callback
          """),
      ]
    ),
    (
      "sched",
      [
        format(
          "sched_switch", switched,
          """
          \tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;
          \tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;
          \tfield:int prev_prio;\toffset:28;\tsize:4;\tsigned:1;
          \tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;
          \tfield:char next_comm[16];\toffset:40;\tsize:16;\tsigned:0;
          \tfield:pid_t next_pid;\toffset:56;\tsize:4;\tsigned:1;
          \tfield:int next_prio;\toffset:60;\tsize:4;\tsigned:1;

          print fmt: "%s:%d ==> %s:%d", REC->prev_comm, REC->prev_pid, REC->next_comm, REC->next_pid
          """)
      ]
    ),
  ]

  private static func format(_ name: String, _ id: UInt16, _ fields: String) -> [UInt8] {
    Array("name: \(name)\nID: \(id)\n\(common)\(fields)\n".utf8)
  }

  static func formats() throws -> RecordedFormats { try RecordedFormats(systems) }

  /// Bytes of integers, one behind the other.
  static func bytes(_ values: any FixedWidthInteger...) -> [UInt8] {
    var result: [UInt8] = []
    for value in values {
      func add(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { result.append(contentsOf: $0) }
      }
      add(value)
    }
    return result
  }

  /// A record of `csd_queue_cpu`; `gap` is what lies in the hole behind its `cpu`.
  static func queue(
    cpu: UInt32 = 1, callsite: UInt64, function: UInt64, csd: UInt64, task: Int32 = 42, gap: UInt32 = 0
  ) -> [UInt8] {
    bytes(queued, UInt8(0), UInt8(0), task, cpu, gap, callsite, function, csd)
  }

  /// A page of 4 KiB with random events of all forms, whose times go on from the one given.
  ///
  /// - Parameter time: of the event before; afterwards of the last one.
  /// - Returns: the page, and the times of its events.
  static func randomPage(
    after time: inout UInt64, _ random: inout RepeatableRandom
  ) -> (bytes: [UInt8], times: [UInt64]) {
    let losses: [PageBuilder.Lost] = [.nothing, .nothing, .nothing, .unknown, .count(7)]
    time += UInt64(random.below(1_000))
    var page = PageBuilder(timestamp: time, lost: losses[random.below(losses.count)])
    page.filler = 0xee
    var times: [UInt64] = []
    let most = random.below(60)
    while times.count < most, page.room > 400 {
      let delta = random.chance(0.05) ? UInt64(random.below(1 << 30)) : UInt64(random.below(2_000))
      switch random.below(12) {
      case 0 where delta > 0 && delta < 1 << 27:
        page.discarded(length: 4 * (1 + random.below(8)), delta: delta)
        time += delta
        continue
      case 1:
        page.absoluteTime(time + delta)
        time += delta
        continue
      case 2: page.event(randomRecord(&random), delta: delta, form: .long)
      case 3: page.event([UInt8](repeating: 0x5a, count: 120 + 4 * random.below(20)), delta: delta)
      default: page.event(randomRecord(&random), delta: delta)
      }
      time += delta
      times.append(time)
    }
    if random.chance(0.5) { page.endPadding() }
    return (page.bytes, times)
  }

  private static func randomRecord(_ random: inout RepeatableRandom) -> [UInt8] {
    queue(
      cpu: UInt32(random.below(64)), callsite: 0xffff_ffff_8100_0000 + UInt64(random.below(1 << 20)),
      function: 0xffff_ffff_8100_0000 + UInt64(random.below(1 << 20)),
      csd: 0xffff_8881_0000_0000 + UInt64(random.below(1 << 16)) * 32, gap: UInt32(random.below(1 << 30)))
  }

  /// The events of pages: time and record.
  static func events(of pages: [UInt8], size: Int = 4096) -> [(time: UInt64, record: [UInt8])] {
    var result: [(time: UInt64, record: [UInt8])] = []
    for start in stride(from: 0, to: pages.count, by: size) {
      Array(pages[start..<start + size]).withUnsafeBytes { page in
        var entries = PageEntries(page)
        while let event = entries.next() {
          result.append((event.time, Array(page[event.start..<event.start + event.size])))
        }
      }
    }
    return result
  }
}
