import TraceTypes

/// Lines that are no events of the buffer that is read.
extension TextPass {
  var location: ByteLocation { input.location(reader.offset) }

  // MARK: Buffers

  @inline(__always)
  mutating func isOfBuffer(_ head: LineHead) -> Bool {
    guard let buffer else { return true }
    if head.buffer.isEmpty { return buffer.isEmpty }
    return head.buffer.elementsEqual(buffer)
  }

  /// Counts a line by its buffer, so that the one with most cross calls, or at least with most events, can be chosen.
  mutating func countBuffer(_ head: LineHead, isCrossCall: Bool) {
    let most = 64
    let weight: UInt64 = isCrossCall ? 1 << 32 : 1
    guard !head.buffer.isEmpty else {
      topLevelWeight &+= weight
      return
    }
    let name = Array(head.buffer)
    if buffers[name] != nil || buffers.count < most { buffers[name, default: 0] &+= weight }
  }

  // MARK: Names of tasks

  @inline(__always)
  mutating func learnName(_ head: LineHead) {
    if isNews(head.comm, of: head.pid, in: commCache) {
      commands.take(head.comm, of: head.pid, isWhole: !head.isLatencyFormat)
    }
    // In the latency format names are cut off, but not those of next tasks.
    if head.isLatencyFormat, let pid = parser.nextPid, isNews(parser.nextComm, of: pid, in: nextCommCache) {
      commands.take(parser.nextComm, of: pid, isWhole: true)
    }
  }

  /// Whether a task's name may be another than it was in the last line that gave one.
  @inline(__always)
  private func isNews(
    _ name: UnsafeBufferPointer<UInt8>, of pid: Int32,
    in cache: UnsafeMutablePointer<(pid: Int32, first: UInt64, second: UInt64)>
  ) -> Bool {
    guard let start = name.baseAddress else { return false }
    // What follows a name in its line is the same each time, as long as the name and the pid are.
    let first = ByteWord(at: start).bits
    let second = ByteWord(at: start + 8).bits
    let place = Int(pid) & (Self.commCacheSize - 1)
    if cache[place].pid == pid, cache[place].first == first, cache[place].second == second { return false }
    cache[place] = (pid, first, second)
    return true
  }

  // MARK: Damage

  mutating func malformedEvent(_ cpu: Int) {
    if cpus[cpu].malformed == 0 { cpus[cpu].firstMalformedLine = lineNumber }
    cpus[cpu].malformed += 1
    breakOff(cpu, lost: nil)
  }

  /// A line that may have been an event of any CPU.
  mutating func malformed(_ line: LineCursor) {
    if malformedLines == 0 {
      firstMalformedLine = lineNumber
      let text = UnsafeBufferPointer(start: line.place, count: min(80, line.end - line.place))
      firstMalformed = (reader.place(of: line.place), Array(text))
    }
    malformedLines += 1
    breaks &+= 1
  }

  // MARK: Other lines

  mutating func readOther(_ line: LineCursor) {
    var cursor = line
    guard line.end - line.place <= LineReader.longestLine else { return malformed(line) }
    while cursor.byte == 0x20 || cursor.byte == 0x09 { cursor.skip() }
    if cursor.isAtEnd { return }
    if cursor.byte == UInt8(ascii: "#") { return comment(cursor) }
    // A line of a stack trace.
    if cursor.begins(with: "=>") { return }
    if cursor.take("cpus=") {
      guard let count = cursor.decimal(), cursor.isAtEnd else { return malformed(line) }
      return header(cpus: count)
    }
    if cursor.begins(with: "version = ") { return }
    if let mark = LineCursor(from: line.place, to: line.end).find("CPU") {
      var rest = LineCursor(from: mark + 3, to: line.end)
      if rest.take(UInt8(ascii: ":")), let cpu = rest.decimal(), rest.take(" [") { return lost(cpu, rest, line) }
      if rest.take(UInt8(ascii: " ")), rest.decimal() != nil, rest.take(" is empty") { return }
    }
    malformed(line)
  }

  /// `CPU:3 [LOST 5 EVENTS]`, `CPU:3 [5 EVENTS DROPPED]`; without a number, nobody knows how many.
  private mutating func lost(_ cpu: UInt64, _ rest: LineCursor, _ line: LineCursor) {
    guard cpu < UInt64(Self.cpuLimit), rest.find("LOST") != nil || rest.find("DROPPED") != nil else {
      return malformed(line)
    }
    var cursor = rest
    while !cursor.isAtEnd, cursor.byte &- UInt8(ascii: "0") > 9 { cursor.skip() }
    let number = cursor.decimal()
    breakOff(Int(cpu), lost: number == 0 ? nil : number)
  }

  private mutating func header(cpus count: UInt64) {
    // A header behind events begins another recording.
    if eventTotal > 0 { breaks &+= 1 }
    hasHeader = true
    if count > 0, count <= UInt64(Self.cpuLimit) { cpuCount = max(cpuCount ?? 0, Int(count)) }
  }

  /// tracefs tells in comments what the buffer held, and what it does not hold any more.
  private mutating func comment(_ line: LineCursor) {
    var cursor = line
    if let start = cursor.find("#P:") {
      var number = LineCursor(from: start + 3, to: line.end)
      header(cpus: number.decimal() ?? 0)
    }
    if cursor.begins(with: "##### CPU ") {
      // The CPU's buffer begins here, where those of others were already full.
      cursor.skip(10)
      if let cpu = cursor.decimal(), cpu < UInt64(Self.cpuLimit) { breakOff(Int(cpu), lost: nil) }
      return
    }
    if let start = cursor.find("entries-in-buffer/entries-written: ") {
      cursor.move(to: start + 35)
    } else if let start = cursor.find("us, #") {
      cursor.move(to: start + 5)
    } else {
      return
    }
    guard let kept = cursor.decimal(), cursor.take(UInt8(ascii: "/")), let written = cursor.decimal(), written > kept
    else { return }
    overwritten = overwritten.addingReportingOverflow(written - kept).overflow ? .max : overwritten + written - kept
    breaks &+= 1
  }

  // MARK: The counters

  /// What was read, once all of it was.
  func outcome() -> TextOutcome {
    var result = TextOutcome()
    let kinds = Self.kindCount
    for cpu in 0..<Self.cpuLimit {
      for kind in EventKind.allCases where kindCounts[cpu * kinds + Int(kind.rawValue)] > 0 {
        result.eventCounts[cpu, default: [:]][kind.qualifiedName] = kindCounts[cpu * kinds + Int(kind.rawValue)]
      }
      addHealth(of: cpu, to: &result)
    }
    for (key, count) in otherCounts {
      result.eventCounts[Int(key >> 16), default: [:]][parser.names.name(Int(key & 0xffff)), default: 0] += count
    }
    result.gaps = gaps.values.joined().map(\.gap).sorted {
      ($0.afterNanoseconds ?? 0, $0.cpu) < ($1.afterNanoseconds ?? 0, $1.cpu)
    }
    if result.gaps.count > MergedStream.largestGapCount {
      result.gaps.removeLast(result.gaps.count - MergedStream.largestGapCount)
    }
    result.gapCount = gapCount
    if malformedLines > 0 { result.health.add(.malformedLines(malformedLines, firstLine: firstMalformedLine)) }
    if reader.isCutOff { result.health.add(.cutOffLine) }
    if overwritten > 0 { result.health.add(.overwrittenEvents(overwritten)) }
    if otherLines > 0 {
      result.health.add(.otherBuffers(otherLines, buffer: String(decoding: buffer ?? [], as: UTF8.self)))
    }
    if contextIsRecorded == false { result.health.add(.contextNotRecorded) }
    if parser.places.overflown > 0 { result.health.add(.namesWithoutRoom(parser.places.overflown)) }
    return result
  }

  private func addHealth(of cpu: Int, to result: inout TextOutcome) {
    let state = cpus[cpu]
    if state.malformed > 0 {
      result.health.add(.malformedEvents(cpu: cpu, count: state.malformed, firstLine: state.firstMalformedLine))
    }
    if state.backwardTimes > 0 { result.health.add(.backwardTimes(cpu: cpu, count: state.backwardTimes)) }
    if state.lateEvents > 0 { result.health.add(.lateEvents(cpu: cpu, count: state.lateEvents)) }
    if state.lostEvents > 0 { result.health.add(.lostEvents(cpu: cpu, count: state.lostEvents)) }
    if state.unknownGaps > 0 { result.health.add(.lostEventsUnknown(cpu: cpu, gaps: state.unknownGaps)) }
    if state.lostEvents > 0 || state.unknownGaps > 0 {
      result.lostEvents[cpu] = MergedStream.LostEvents(
        count: state.lostEvents, gapsOfUnknownSize: state.unknownGaps)
    }
  }
}

extension EventKind {
  /// Whether it tells of a cross call itself.
  var isCrossCall: Bool {
    switch self {
    case .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU, .ipiSendCPUMask: true
    default: false
    }
  }
}
