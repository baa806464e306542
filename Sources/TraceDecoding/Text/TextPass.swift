import Glibc
import TraceTypes

/// One reading of a text, from its beginning to its end, in bounded memory.
///
/// Lines come in the order of time, but where a text is written while events are recorded (`trace_pipe`), CPUs can be a little
/// late. So events wait in a window of ``windowSize`` events, in which they are put in order. Events of equal time keep the
/// order of the text, in which the microseconds that were rounded away had their say.
///
/// Everything that breaks a CPU's events off, marks of lost events among them, is a gap of that CPU, known by how many of the
/// CPU's events come before it. A first reading finds the gaps, so that a second can say each as soon as it begins.
struct TextPass: ~Copyable {
  /// A gap, and the number of the CPU's events before it.
  struct PlannedGap {
    var ordinal: UInt64
    var gap: TraceGap
  }

  /// What a first reading learnt for a second.
  struct Plan {
    /// By CPU, ascending.
    var gaps: [UInt16: [PlannedGap]] = [:]
    var buffer: [UInt8] = []
    /// Every kind of handler that is entered is left as well, so that what lies between is in interrupt context.
    var handlersHaveExits = true
  }

  /// What is kept for a CPU.
  struct CPU {
    var isSeen = false
    var inHandler = false
    var hasPendingGap = false
    /// Nil when unknown.
    var pendingLoss: UInt64?
    /// How many breaks of all CPUs this one knows of.
    var breaks: UInt32 = 0
    /// The time of its last event, which no later one goes below.
    var latest: UInt64 = 0
    var parsed: UInt64 = 0
    var delivered: UInt64 = 0
    /// How many of its gaps were delivered.
    var gapsDone = 0
    /// The ordinal of the next gap to deliver.
    var nextGap = UInt64.max
    var backwardTimes: UInt64 = 0
    var lateEvents: UInt64 = 0
    var malformed: UInt64 = 0
    var firstMalformedLine: UInt64 = 0
    var lostEvents: UInt64 = 0
    var unknownGaps: UInt64 = 0
  }

  /// How many events wait for late ones of other CPUs.
  static let windowSize = 8192
  /// A text with more gaps than this is refused.
  static let largestGapCount = 1 << 20
  private static let capacity = 2 * windowSize + (LineReader.blockSize + LineReader.longestLine) / 12
  static let cpuLimit = Int(LineHead.cpuLimit)
  static let kindCount = EventKind.allCases.count

  var reader: LineReader
  private(set) var parser: EventLineParser
  private let heads = KnownHeads()
  let commands: TextCommands
  let plan: Plan?

  // MARK: The window

  private let events: UnsafeMutablePointer<TraceEvent>
  private var count = 0
  private var isSorted = true
  /// Nothing earlier can be delivered any more.
  private var deliveredThrough: UInt64 = 0
  let cpus: UnsafeMutablePointer<CPU>
  private(set) var gaps: [UInt16: [PlannedGap]] = [:]
  private(set) var gapCount = 0

  // MARK: What was seen

  private(set) var lineNumber: UInt64 = 0
  private(set) var eventTotal: UInt64 = 0
  let kindCounts: UnsafeMutablePointer<UInt64>
  var otherCounts: [UInt32: UInt64] = [:]
  var breaks: UInt32 = 0
  var malformedLines: UInt64 = 0
  var firstMalformedLine: UInt64 = 0
  var topLevelWeight: UInt64 = 0
  /// Where the first such line is, and its beginning.
  var firstMalformed: (offset: UInt64, text: [UInt8])?
  var hasHeader = false
  /// The number of CPUs that a header names.
  var cpuCount: Int?
  var overwritten: UInt64 = 0
  private var longLines: UInt64 = 0
  /// Whether the text tells contexts, once an event has been seen.
  private(set) var contextIsRecorded: Bool?
  private(set) var fractionDigits = 0
  /// Events by buffer, cross calls most of all.
  var buffers: [[UInt8]: UInt64] = [:]
  var buffer: [UInt8]?
  var otherLines: UInt64 = 0
  /// The latest names of tasks, and of next tasks, by their pid's lowest bits, for knowing without a look-up that nothing is
  /// new.
  let commCache: UnsafeMutablePointer<(pid: Int32, first: UInt64, second: UInt64)>
  let nextCommCache: UnsafeMutablePointer<(pid: Int32, first: UInt64, second: UInt64)>
  static let commCacheSize = 1024

  let input: TextInput

  init(input: TextInput, symbols: TextSymbols, commands: TextCommands, plan: Plan?) {
    self.input = input
    reader = LineReader(input)
    parser = EventLineParser(symbols: symbols)
    self.commands = commands
    self.plan = plan
    events = .allocate(capacity: Self.capacity)
    cpus = .allocate(capacity: Self.cpuLimit)
    cpus.initialize(repeating: CPU(), count: Self.cpuLimit)
    kindCounts = .allocate(capacity: Self.cpuLimit * Self.kindCount)
    kindCounts.initialize(repeating: 0, count: Self.cpuLimit * Self.kindCount)
    commCache = .allocate(capacity: Self.commCacheSize)
    commCache.initialize(repeating: (-1, 0, 0), count: Self.commCacheSize)
    nextCommCache = .allocate(capacity: Self.commCacheSize)
    nextCommCache.initialize(repeating: (-1, 0, 0), count: Self.commCacheSize)
    if let plan {
      buffer = plan.buffer
      gaps = plan.gaps
      for (cpu, planned) in gaps { cpus[Int(cpu)].nextGap = planned.first?.ordinal ?? .max }
    }
  }

  deinit {
    events.deallocate()
    cpus.deallocate()
    kindCounts.deallocate()
    commCache.deallocate()
    nextCommCache.deallocate()
  }

  // MARK: Reading

  /// Reads until there is an event, which is not delivered yet.
  /// - Returns: false when there is none.
  mutating func readToFirstEvent() throws(TraceFileError) -> Bool {
    while count == 0 {
      guard try reader.next() else { return false }
      readBlock()
    }
    return true
  }

  /// Reads the rest, and delivers what lies in the stretch of time.
  mutating func drain(
    into consumer: inout some TraceEventConsumer & ~Copyable, from: UInt64, through: UInt64
  ) throws(TraceFileError) {
    for cpu in gaps.keys.sorted() { deliverGaps(of: Int(cpu), into: &consumer, isWanted: from == 0) }
    if try !readToFirstEvent() { return }
    while deliveredThrough <= through, try reader.next() {
      readBlock()
      guard gapCount <= Self.largestGapCount else {
        throw TraceFileError(
          .tooLarge, at: location, expected: "at most \(Self.largestGapCount) places where events are missing",
          found: "more")
      }
      if count > 2 * Self.windowSize { deliver(count - Self.windowSize, into: &consumer, from: from, through: through) }
    }
    deliver(count, into: &consumer, from: from, through: through)
    closeGaps()
    for cpu in gaps.keys.sorted() { deliverGaps(of: Int(cpu), into: &consumer, isWanted: through == .max) }
  }

  /// Takes all lines of the reader's block.
  private mutating func readBlock() {
    let lines = reader.lines
    guard let base = lines.baseAddress else { return }
    if reader.longLines > longLines {
      longLines = reader.longLines
      lineNumber += 1
      malformed(LineCursor(from: base, to: base))
    }
    let end = base + lines.count
    var start = base
    while start < end {
      // Every block ends with a newline.
      guard let found = memchr(start, 10, end - start) else { break }
      let newline = UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
      lineNumber &+= 1
      var lineEnd = newline
      if lineEnd > start, lineEnd[-1] == 13 { lineEnd -= 1 }
      read(LineCursor(from: start, to: lineEnd))
      start = newline + 1
    }
  }

  @inline(__always)
  private mutating func read(_ line: LineCursor) {
    var cursor = line
    guard let head = LineHead.read(&cursor, heads), line.end - line.place <= LineReader.longestLine else {
      readOther(line)
      return
    }
    if buffer == nil, !input.isRepeatable { buffer = Array(head.buffer) }
    guard isOfBuffer(head) else {
      otherLines += 1
      return
    }
    let cpu = Int(head.cpu)
    var event = TraceEvent(nanoseconds: head.nanoseconds, cpu: head.cpu, kind: .other, pid: head.pid)
    guard let name = parser.parse(&cursor, into: &event), let flags = flags(of: head, event.kind) else {
      malformedEvent(cpu)
      return
    }
    event.flags = flags
    if buffer == nil { countBuffer(head, isCrossCall: event.kind.isCrossCall) }
    fractionDigits = max(fractionDigits, head.fractionDigits)
    learnName(head)
    append(&event, name: name)
  }

  // MARK: Context

  /// The event's context. Where the text has no column for it, what is certain: the kernel switches tasks and goes idle
  /// outside interrupts, and is in one between a handler's begin and end.
  @inline(__always)
  private mutating func flags(of head: LineHead, _ kind: EventKind) -> ContextFlags? {
    if contextIsRecorded == nil { contextIsRecorded = head.flags != nil }
    if contextIsRecorded == true { return head.flags }
    let handler: ContextFlags = [.interruptsOff, .hardInterrupt]
    let cpu = Int(head.cpu)
    switch kind {
    case .callFunctionSingleEntry, .callFunctionEntry, .rescheduleEntry, .irqWorkEntry:
      cpus[cpu].inHandler = plan?.handlersHaveExits ?? true
      return handler
    case .callFunctionSingleExit, .callFunctionExit, .rescheduleExit, .irqWorkExit:
      cpus[cpu].inHandler = false
      return handler
    case .schedSwitch, .cpuIdle:
      cpus[cpu].inHandler = false
      // Whether the idle loop has interrupts off differs between kernels.
      return kind == .cpuIdle ? [] : .interruptsOff
    default: return cpus[cpu].inHandler ? handler : .unknown
    }
  }

  // MARK: The window

  @inline(__always)
  private mutating func append(_ event: inout TraceEvent, name: Int) {
    let cpu = Int(event.cpu)
    var time = event.nanoseconds
    if cpus[cpu].isSeen, time < cpus[cpu].latest {
      cpus[cpu].backwardTimes += 1
      time = cpus[cpu].latest
      breakOff(cpu, lost: nil)
    }
    if time < deliveredThrough {
      cpus[cpu].lateEvents += 1
      time = deliveredThrough
      breakOff(cpu, lost: nil)
    }
    if cpus[cpu].hasPendingGap || cpus[cpu].breaks != breaks { beginAgain(cpu, at: time) }
    if count > 0, time < events[count - 1].nanoseconds { isSorted = false }
    event.nanoseconds = time
    cpus[cpu].latest = time
    cpus[cpu].isSeen = true
    cpus[cpu].parsed &+= 1
    eventTotal &+= 1
    events[count] = event
    count += 1
    if event.kind == .other {
      otherCounts[UInt32(cpu) << 16 | UInt32(name), default: 0] += 1
    } else {
      kindCounts[cpu &* Self.kindCount &+ name] &+= 1
    }
  }

  private mutating func sort() {
    guard !isSorted else { return }
    isSorted = true
    var keys: [UInt128] = []
    keys.reserveCapacity(count)
    for index in 0..<count { keys.append(UInt128(events[index].nanoseconds) << 32 | UInt128(index)) }
    keys.sort()
    let ordered = UnsafeMutablePointer<TraceEvent>.allocate(capacity: count)
    defer { ordered.deallocate() }
    for index in 0..<count { ordered[index] = events[Int(truncatingIfNeeded: keys[index] & 0xffff_ffff)] }
    events.update(from: ordered, count: count)
  }

  private mutating func deliver(
    _ number: Int, into consumer: inout some TraceEventConsumer & ~Copyable, from: UInt64, through: UInt64
  ) {
    sort()
    var next = 0
    while next < number {
      let cpu = Int(events[next].cpu)
      var end = next + 1
      while end < number, events[end].cpu == UInt16(truncatingIfNeeded: cpu) { end += 1 }
      var first = next
      next = end
      while first < end {
        if cpus[cpu].nextGap <= cpus[cpu].delivered {
          let time = events[first].nanoseconds
          deliverGaps(of: cpu, into: &consumer, isWanted: time >= from && time <= through)
        }
        let room = cpus[cpu].nextGap - cpus[cpu].delivered
        let part = UInt64(end - first) <= room ? end - first : Int(room)
        consume(first..<first + part, into: &consumer, from: from, through: through)
        cpus[cpu].delivered += UInt64(part)
        first += part
        if cpus[cpu].nextGap <= cpus[cpu].delivered {
          let time = events[first - 1].nanoseconds
          deliverGaps(of: cpu, into: &consumer, isWanted: time >= from && time <= through)
        }
      }
    }
    if number > 0 { deliveredThrough = events[number - 1].nanoseconds }
    keep(from: number)
  }

  private func consume(
    _ range: Range<Int>, into consumer: inout some TraceEventConsumer & ~Copyable, from: UInt64, through: UInt64
  ) {
    var (first, end) = (range.lowerBound, range.upperBound)
    while first < end, events[first].nanoseconds < from { first += 1 }
    while first < end, events[end - 1].nanoseconds > through { end -= 1 }
    guard first < end else { return }
    let run = UnsafeBufferPointer(start: events + first, count: end - first)
    consumer.consume(run.span, maskWords: parser.maskWords.span)
  }

  /// Moves the events that stay to the front, and the mask words that they point into.
  private mutating func keep(from number: Int) {
    events.update(from: events + number, count: count - number)
    count -= number
    guard !parser.maskWords.isEmpty else { return }
    var words: [UInt64] = []
    for index in 0..<count where events[index].kind == .ipiSendCPUMask || events[index].kind == .ipiRaise {
      let start = Int(events[index].target)
      events[index].target = Int32(words.count)
      words += parser.maskWords[start..<start + Int(events[index].detail)]
    }
    parser.maskWords = words
  }

  // MARK: Gaps

  /// The CPU's events are incomplete between its last one and its next one.
  func breakOff(_ cpu: Int, lost: UInt64?) {
    cpus[cpu].pendingLoss = cpus[cpu].hasPendingGap ? nil : lost
    cpus[cpu].hasPendingGap = true
    cpus[cpu].inHandler = false
  }

  /// An event of a CPU behind a gap.
  private mutating func beginAgain(_ cpu: Int, at time: UInt64) {
    if cpus[cpu].breaks != breaks {
      cpus[cpu].breaks = breaks
      breakOff(cpu, lost: nil)
    }
    add(gapOf: cpu, before: time)
  }

  private mutating func add(gapOf cpu: Int, before time: UInt64?) {
    let lost = cpus[cpu].pendingLoss
    cpus[cpu].hasPendingGap = false
    cpus[cpu].pendingLoss = nil
    if let lost { cpus[cpu].lostEvents &+= lost } else { cpus[cpu].unknownGaps += 1 }
    gapCount += 1
    guard plan == nil else { return }
    let gap = TraceGap(
      cpu: UInt16(cpu), afterNanoseconds: cpus[cpu].isSeen ? cpus[cpu].latest : nil, beforeNanoseconds: time,
      lostEvents: lost)
    if cpus[cpu].nextGap == .max { cpus[cpu].nextGap = cpus[cpu].parsed }
    gaps[UInt16(cpu), default: []].append(PlannedGap(ordinal: cpus[cpu].parsed, gap: gap))
  }

  /// The end: gaps behind which a CPU has no event.
  private mutating func closeGaps() {
    for cpu in 0..<Self.cpuLimit
    where cpus[cpu].hasPendingGap || (cpus[cpu].isSeen && cpus[cpu].breaks != breaks) {
      add(gapOf: cpu, before: nil)
    }
  }

  private mutating func deliverGaps(
    of cpu: Int, into consumer: inout some TraceEventConsumer & ~Copyable, isWanted: Bool
  ) {
    guard cpus[cpu].nextGap <= cpus[cpu].delivered, let planned = gaps[UInt16(cpu)] else { return }
    while cpus[cpu].gapsDone < planned.count, planned[cpus[cpu].gapsDone].ordinal <= cpus[cpu].delivered {
      if isWanted { consumer.gapBegan(planned[cpus[cpu].gapsDone].gap) }
      cpus[cpu].gapsDone += 1
    }
    cpus[cpu].nextGap = cpus[cpu].gapsDone < planned.count ? planned[cpus[cpu].gapsDone].ordinal : .max
  }
}
